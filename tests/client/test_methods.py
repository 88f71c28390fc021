"""Every method once of either client, against a real server."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.client.conftest import Server

from atlas import Client
from atlas.client import Conflict, Connected, Forbidden, Heartbeat, Invalid, NewRow, NotFound

CSV = "name,email,amount\nAnn,ann@x.com,10\nBob,bob@x.com,20.5\nAnn again,ann@x.com,30\n"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_health_and_me(either: Any) -> None:
    assert either.health().status == "healthy"
    me = either.me()
    assert (me.user.name, me.organization.name) in (("owner", "acme"), ("stranger", "other"))


def test_datasets(either: Any) -> None:
    made = either.datasets.create("btc", "Bitcoin", {"source": "demo"})
    assert either.datasets.get("btc") == either.datasets.get(made.id) == either.datasets.get(made)
    either.datasets.create("btc 2")
    assert [d.name for d in either.datasets.list("btc", page_size=1)] == ["btc", "btc 2"]
    assert len([*either.datasets.list(limit=1)]) == 1
    assert [d.id for d in either.datasets.search(source="demo")] == [made.id]
    changed = either.datasets.update("btc", description="New")
    assert (changed.name, changed.description, changed.metadata) == ("btc", "New", {"source": "demo"})
    assert either.datasets.merge_metadata("btc", {"v": 2}).metadata == {"source": "demo", "v": 2}
    assert either.datasets.replace_metadata("btc", {"v": 3}).metadata == {"v": 3}
    tag = either.datasets.add_tag("btc", "public")
    assert [t.name for t in either.datasets.tags("btc")] == ["public"]
    either.datasets.remove_tag("btc", "public")
    either.datasets.add_tag("btc", tag)
    either.datasets.remove_tag("btc", tag.id)
    with pytest.raises(NotFound):
        either.datasets.remove_tag("btc", "public")
    summary = either.datasets.summary("btc")
    assert (summary.row_count, summary.is_owner, summary.first_timestamp, summary.tags) == (0, True, None, ())
    access = either.datasets.access("btc", write=True)
    assert (access.has_access, access.is_owner) == (True, True)
    column = either.datasets.add_column("btc", "volume", "float")
    assert either.datasets.columns("btc") == (column,)
    either.datasets.create("btc")
    with pytest.raises(NotFound, match="2 are called 'btc'"):
        either.datasets.get("btc")
    either.datasets.delete(made)
    with pytest.raises(NotFound):
        either.datasets.get(made.id)


def test_tags(either: Any) -> None:
    assert {"public", "premium"} <= {tag.name for tag in either.tags.list()}
    assert either.tags.acquire("public").is_public
    assert either.tags.acquire("premium", "open sesame").name == "premium"


def test_rows(either: Any, tmp_path: Path) -> None:
    dataset = either.datasets.create("rows").id
    row = either.rows.insert(dataset, NOON, {"open": 1, "timestamp": "own", "big": 2**70})
    assert (row.timestamp, row.values) == (NOON, {"open": 1, "timestamp": "own", "big": 2**70})
    more = [{"timestamp": f"2026-01-06T{hour:02d}:00:00Z", "open": hour} for hour in range(24)]
    seen: list[int] = []
    done = either.rows.bulk_insert(dataset, more, batch_rows=10, progress=seen.append)
    assert (done.rows, done.batches, seen) == (24, 3, [10, 20, 24])
    assert [r.values["open"] for r in either.rows.query(dataset, page_size=7)] == [1, *range(24)]
    last = [*either.rows.query(dataset, "2026-01-06", descending=True, limit=3, page_size=2)]
    assert [r.values["open"] for r in last] == [23, 22, 21]
    page = either.rows.page(dataset, columns="open", limit=2)
    assert (page.count, len(page.rows), page.rows[0].values) == (25, 2, {"open": 1})
    assert either.rows.latest(dataset).values == {"open": 23}
    assert [r.values["open"] for r in either.rows.recent(dataset, 2)] == [22, 23]
    assert [(r.timestamp, r.values) for r in either.rows.recent(dataset, end=NOON)] == [(row.timestamp, row.values)]
    days = either.rows.aggregate(dataset, bucket="1d", functions=["sum", "count"], columns=["open"])
    assert [(b.count, b.values["open"]["sum"]) for b in days.results] == [(1, 1), (24, 276)]
    assert either.rows.download(dataset, tmp_path / "rows.csv", columns=["open"]) > 100
    assert (tmp_path / "rows.csv").read_text().startswith("timestamp,open\n2026-01-05T12:00:00Z,1\n")
    buffer = io.BytesIO()
    sizes: list[int] = []
    assert either.rows.download(dataset, buffer, "ndjson", progress=sizes.append) == len(buffer.getvalue())
    assert sizes[-1] == len(buffer.getvalue())
    assert either.rows.delete(dataset, start="2026-01-06T23:00:00Z") == 1
    with pytest.raises(Invalid, match="start, end"):
        either.rows.delete(dataset)
    with pytest.raises(NotFound):
        either.rows.latest(either.datasets.create("empty"))


def test_rows_that_are_there_already(either: Any, tmp_path: Path) -> None:
    dataset = either.datasets.create("feed", keys=["symbol"], on_conflict="replace").id
    assert either.datasets.get(dataset).on_conflict == "replace"
    rows = [{"timestamp": "2026-01-05T12:00:00Z", "symbol": name, "price": 1} for name in ("A", "B")]
    assert either.rows.bulk_insert(dataset, rows).rows == 2
    done = either.rows.bulk_insert(dataset, [{**rows[0], "price": 2}, rows[1], {**rows[0], "symbol": "C"}])
    assert (done.rows, done.replaced, done.identical, done.kept, done.total) == (1, 1, 1, 0, 3)
    one = either.rows.insert(dataset, NOON, {"symbol": "A", "price": 3}, on_conflict="keep_first")
    assert (one.kept, one.replaced) == (1, 0)
    with pytest.raises(Conflict, match="symbol 'A'"):
        either.rows.bulk_insert(dataset, rows, on_conflict="reject")
    with pytest.raises(Invalid, match="on_conflict"):
        either.rows.bulk_insert(dataset, rows, on_conflict="append")
    (old,) = either.rows.history(dataset, where={"symbol": ["A"]})
    aligned = either.rows.align(dataset, [dataset], by="symbol", where={"symbol": ["A"]}, tolerance="1m", limit=5)
    assert {row["symbol"] for row in aligned} == {"A"}
    assert either.rows.download_aligned(tmp_path / "a.csv", {"every": "1h"}, [dataset], by="symbol") > 0
    assert (old.timestamp, old.values, old.replaced_by) == (NOON, {"symbol": "A", "price": 1}, 3)
    assert either.datasets.update(dataset, on_conflict="reject").on_conflict == "reject"


def test_stream(either: Any) -> None:
    dataset = either.datasets.create("live")
    either.rows.insert(dataset, NOON, {"n": 0})
    events = either.rows.stream(dataset, 0, poll_interval=1)
    connected, first, pause = next(events), next(events), next(events)
    assert connected == Connected(0, dataset.id)
    assert isinstance(first, NewRow)
    assert (first.id, first.timestamp, first.values) == (1, NOON, {"n": 0})
    assert isinstance(pause, Heartbeat)
    either.rows.insert(dataset, NOON, {"n": 1})
    assert next(e for e in events if isinstance(e, NewRow)).values == {"n": 1}
    events.close()  # type: ignore[attr-defined]


def test_imports(either: Any, tmp_path: Path) -> None:
    plan = either.imports.preview(("people.csv", CSV), "Import into people, email is the key")
    assert (plan.table_name, plan.table_exists, plan.key_columns) == ("people", False, ("email",))
    path = tmp_path / "people.csv"
    path.write_text(CSV)
    sent: list[tuple[int, int]] = []
    done = either.imports.run(
        path, "Import into people, email is the key", progress=lambda n, total: sent.append((n, total))
    )
    assert (done.status, done.records_inserted, done.duplicates_skipped) == ("success", 2, 1)
    assert sent[-1] == (len(CSV), len(CSV))
    assert next(either.imports.history(table="people", limit=1)).import_id == done.import_id
    waiting = asdict(either.imports.get(done.import_id).issues_waiting)
    assert waiting == {"duplicates": 1, "validations": 0, "replacements": 0}
    open_ones = [one for one in either.imports.history(waiting=True) if one.import_id == done.import_id]
    assert [(one.issues_open, one.issues_resolved) for one in open_ones] == [(1, 0)]
    assert done.import_id not in [one.import_id for one in either.imports.history(waiting=False, limit=100)]
    assert [state.status for state in either.imports.progress(done.import_id)] == ["success"]
    assert either.imports.wait(done.import_id, 5).done
    assert either.imports.issues(done.import_id).summary["duplicates_count"] == 1
    issue = next(either.imports.issues_page(done.import_id, "duplicates"))
    decision = {"record_number": issue["record_number"], "action": "insert", "data": {"email": "ann2@x.com"}}
    assert either.imports.correct(done.import_id, duplicates=[decision]).rows_inserted == 1
    either.imports.export(done.import_id, tmp_path / "out.csv")
    assert "ann2@x.com" in (tmp_path / "out.csv").read_text()
    either.imports.clear_mapping(done.import_id)
    again = either.imports.redo(done.import_id, auto_execute=True)
    assert again.records_inserted == 2
    assert either.imports.undo(again.import_id).complete
    with pytest.raises(Invalid, match="object storage"):
        either.imports.run_object("x.csv", "Import into x")


def test_tables(either: Any) -> None:
    either.imports.run(("sales.csv", "id,amount,country\n1,10,US\n2,20,DE\n3,30,US\n"), "Import into sales")
    assert ("sales", 3) in [(t.table_name, t.row_count) for t in either.tables.list()]
    assert [(c.name, c.type) for c in either.tables.schema("sales")][1] == ("amount", "BIGINT")
    assert either.tables.stats("sales").row_count == 3
    changed = either.tables.update_where("sales", "country = 'US'", {"amount": 11})
    assert (changed.rows_updated, changed.rows_changed) == (2, 2)
    changed = either.tables.update_keys("sales", [({"id": 1}, {"amount": 12}), ({"id": 9}, {"amount": 1})])
    assert (changed.rows_updated, changed.rows_not_found) == (1, 1)
    changed = either.tables.update_file("sales", ("new.csv", b"id,amount\n2,21\n"), ["id"])
    assert changed.rows_changed == 1
    assert either.imports.undo(changed.import_id).complete


def test_rows_of_tables(either: Any, tmp_path: Path) -> None:
    either.imports.run(("stock.csv", "id,item,amount\n1,nut,10\n2,bolt,20\n3,nail,30\n"), "Import into stock")
    made = either.tables.insert("stock", {"id": 4, "item": "screw", "amount": 40})
    assert (made.row, made.values["item"], made.archived) == (4, "screw", False)
    assert either.tables.patch("stock", made.row, {"amount": 41}).values["amount"] == 41
    assert either.tables.archive("stock", 1).archived
    assert [row["item"] for row in either.tables.rows("stock", archived=True)] == ["nut"]
    rows = [*either.tables.rows("stock", where="amount > 20", sort="-amount", page_size=1)]
    assert [(row["_row"], row["item"]) for row in rows] == [(4, "screw"), (3, "nail")]
    assert [row["id"] for row in either.tables.rows("stock", limit=1)] == [2]
    page = either.tables.page("stock", search="NAIL")
    assert (page.total_count, page.rows[0]["amount"], page.columns[0].name) == (1, 30, "id")
    assert not either.tables.restore("stock", 1).archived
    changes = either.tables.history("stock", 4)
    assert [change["action"] for change in changes] == ["update", "insert"]
    assert either.imports.undo(changes[0]["import_id"]).complete
    for kind in ("csv", "ndjson", "json", "parquet", "arrow"):
        path = tmp_path / f"stock.{kind}"
        assert either.tables.export("stock", path, where="amount >= 30") == path.stat().st_size
    assert (tmp_path / "stock.csv").read_text().splitlines()[0] == "id,item,amount"
    assert either.tables.to_arrow("stock").column("amount").to_pylist() == [10, 20, 30, 40]
    assert either.tables.to_polars("stock", where="id = 4")["item"].to_list() == ["screw"]
    assert [*either.tables.to_pandas("stock")["id"]] == [1, 2, 3, 4]
    with pytest.raises(Invalid, match="confirm"):
        either.tables.delete("stock", confirm="stok")
    either.tables.delete("stock", confirm="stock")
    with pytest.raises(NotFound):
        either.tables.schema("stock")


def test_records(either: Any) -> None:
    made = either.records("Add a new contact:\n\n## Contact\n- Name: Ann\n- Email: ann@x.com\n")
    assert (made.success, made.intent, made.total_records_processed) == (True, "insert", 1)
    entity = {"entity_type": "contact", "match": {"email": "ann@x.com"}, "data": {"name": "Anna"}}
    assert either.records({"intent": "update", "entities": [entity]}).success
    asked = either.records("Update the contact with email nobody@x.com: set name to Bob")
    assert (asked.success, bool(asked.question)) == (False, True)


def test_questions(either: Any) -> None:
    either.imports.run(("deals.csv", "id,state,amount\n1,CA,10\n2,NY,20\n3,CA,30\n"), "Import into deals")
    answer = either.ask("How many deals are there per state?", "deals")
    assert answer.success, answer.text
    assert {row["state"]: row[answer.rows.names[1]] for row in answer.dicts()} == {"CA": 2, "NY": 1}
    assert answer.ask("only CA").thread_id == answer.thread_id
    assert answer.rate("up")["rating"] == "up"
    result = either.sql("SELECT state, sum(amount) AS total FROM deals GROUP BY state ORDER BY state")
    assert [row["state"] for row in result.dicts()] == ["CA", "NY"]
    assert either.generate_sql("total amount of deals by state", ["deals"]).sql_query
    asked = next(either.questions.list(thread=answer.thread_id, limit=1))
    assert either.questions.get(asked["question_id"])["thread_id"] == answer.thread_id
    made = either.verified.create("What did we sell?", "SELECT sum(amount) FROM deals")
    assert either.verified.update(made["id"], question="What was sold?")["question"] == "What was sold?"
    assert made["id"] in [item["id"] for item in either.verified.list(status="verified")]
    either.verified.delete(made["id"])
    term = either.glossary.create("large", "amount > 15", "deals")
    assert either.glossary.update(term["id"], "large", "amount > 25", "deals")["meaning"] == "amount > 25"
    assert [item["term"] for item in either.glossary.list()] == ["large"]
    either.glossary.delete(term["id"])


def test_saved_queries_and_favourites(either: Any, server: Server) -> None:
    made = either.saved_queries.create("Ones", "SELECT 1 AS one")
    assert (made.is_owner, made.shared) == (True, False)
    assert either.saved_queries.update(made.id, shared=True).shared
    assert [one.id for one in either.saved_queries.list("one")] == [made.id]
    assert either.saved_queries.get(made.id).sql == "SELECT 1 AS one"
    either.saved_queries.delete(made.id)
    assert list(either.saved_queries.list()) == []
    dataset = either.datasets.create("Marked")
    either.favourites.add("dataset", dataset.id)
    assert [(one.kind, one.dataset_id, one.name) for one in either.favourites.list()] == [
        ("dataset", dataset.id, "Marked")
    ]
    either.favourites.remove("dataset", dataset.id)
    assert either.favourites.list() == ()
    either.datasets.delete(dataset)


def test_settings(either: Any, server: Server) -> None:
    with server.client(server.people.holder) as member:
        assert member.model_settings.get()["host"] is None
        with pytest.raises(Forbidden, match="Only administrators"):
            member.model_settings.set("none")
        with pytest.raises(Forbidden, match="Only administrators"):
            member.webhooks.secret()
    with roles(server, "admin"):
        assert either.webhooks.secret() != either.webhooks.rotate_secret()
        assert [*either.webhooks.deliveries()] == []
        with pytest.raises(NotFound):
            either.webhooks.redeliver("nothing")
        assert either.model_settings.get()["source"] == "none"
        assert either.model_settings.set("none")["source"] == "organization"
        assert either.model_settings.delete()["source"] == "none"
        assert either.model_settings.test()["success"] is False
        either.imports.run(("sampled.csv", CSV.encode()), "Import into sampled")
        either.tables.set_samples("sampled", "nobody")
        assert either.tables.samples("sampled") == "nobody"
    dataset = either.datasets.create("sampled")
    assert either.datasets.samples(dataset) == "nobody"
    either.datasets.set_samples(dataset, "readers")
    assert either.datasets.samples("sampled") == "readers"


@contextlib.contextmanager
def roles(server: Server, role: str) -> Iterator[None]:
    """Gives the owner and the stranger a role for the block."""

    def give(role: str) -> None:
        with psycopg.connect(server.database_url) as connection:
            connection.execute("UPDATE atlas.users SET role = %s WHERE name IN ('owner', 'stranger')", [role])

    give(role)
    try:
        yield
    finally:
        give("member")


def test_usage(either: Any) -> None:
    either.rows.insert(either.datasets.create("used"), NOON, {"n": 1})
    for _ in range(100):
        used = either.usage(7)
        if used.days and used.days[-1].rows_written:
            break
        time.sleep(0.1)
    assert used.days[-1].requests >= 2
    assert used.keys[0].prefix.startswith("atlas_live_sk_")
    assert used.storage.datasets >= 1


def test_admin(either: Any, server: Server) -> None:
    with pytest.raises(Forbidden):
        either.admin.users()
    with psycopg.connect(server.database_url, autocommit=True) as database:
        database.execute("UPDATE atlas.users SET role = 'operator' WHERE name IN ('owner', 'stranger')")
        try:
            administrate(either)
        finally:
            database.execute("UPDATE atlas.users SET role = 'member'")


def administrate(either: Any) -> None:
    mine = either.me().organization.name
    made = either.admin.create_user("carol", organization=mine)
    assert either.admin.set_role(made["id"], "admin")["role"] == "admin"
    assert ("carol", "admin") in [(user["name"], user["role"]) for user in either.admin.users()]
    key = either.admin.create_key("carol", "laptop", datetime(2999, 1, 1, tzinfo=UTC))
    assert key.key is not None
    assert [found.name for found in either.admin.keys(user="carol")] == ["laptop"]
    either.admin.revoke_key(key.id)
    assert either.admin.disable_user(made["id"])["revoked_keys"] == 0
    tag = either.admin.create_tag(f"paid {mine}", "For money", secret="hush")
    assert f"paid {mine}" in [found["name"] for found in either.admin.tags()]
    assert either.tags.acquire(f"paid {mine}", "hush").id == tag["id"]
    either.admin.delete_tag(tag["id"])
    assert {"acme", "other"} <= {found["name"] for found in either.admin.organizations()}
    assert [*either.admin.jobs(status="failed")] == []
    for action in (either.admin.cancel_job, either.admin.retry_job):
        with pytest.raises(NotFound):
            action(123456)


def test_keys(either: Any) -> None:
    made = either.keys.create("laptop")
    assert made.key is not None
    assert made.key not in repr(made)
    with Client(either.url, made.key) as second:
        assert second.me().key.name == "laptop"
    turned = either.keys.rotate(made.id)
    assert turned.key != made.key
    either.keys.revoke(turned.id)
    assert {key.id: key.revoked_at is None for key in either.keys.list()}[turned.id] is False
