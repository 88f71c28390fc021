"""Requests that go past the layers of the application have the answers, limits, counts and log that they have there."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Client, People, make_dataset, serve

from atlas.settings import Settings
from atlas.timeseries.frequent_routes import InsertRow, InsertRows, QueryRows
from atlas.timeseries.ingest import json_exact, json_small, plain_row

pytestmark = pytest.mark.anyio
START = {"open": 1.5, "volume": 2, "on": True, "note": "a:b"}


def row(dataset: int, values: Any = START, timestamp: str = "2025-01-01T00:00:00Z") -> dict[str, Any]:
    return {"dataset": dataset, "timestamp": timestamp, "values": values}


class Ways:
    """Counts the requests that each way has answered."""

    def __init__(self) -> None:
        self.plain = self.left = 0


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    found = Ways()

    def counted(usual: Any) -> Any:
        async def answer(*given: Any) -> Any:
            made = await usual(*given)
            found.plain += made is not None
            found.left += made is None
            return made

        return answer

    for kind in (InsertRow, InsertRows, QueryRows):
        monkeypatch.setattr(kind, "answer", counted(kind.answer))
    return found


async def ready(owner: httpx.AsyncClient) -> int:
    """A dataset whose state this process knows, and whose owner's key as well."""
    dataset = await make_dataset(owner)
    for _ in range(2):
        assert (await owner.post("/api/rows/", json=row(dataset))).status_code == 201
    return dataset


@pytest.fixture
def slow(client: Client, people: People) -> httpx.AsyncClient:
    """A client whose requests go through the application, as it names its key in both ways."""
    made = client(people.owner)
    made.headers["Authorization"] = f"Bearer {people.owner}"
    return made


BODIES: list[Callable[[int], Any]] = [
    row,
    lambda n: row(n, {"open": 2, "volume": 3}),
    lambda n: row(n, {}),
    lambda n: row(n, {"open": 7}),
    lambda n: row(n, {"volume": 7.0}),
    lambda n: row(n, {"volume": 2**63 - 1, "open": -0.0}),
    lambda n: row(n, {"open": 2**53 + 1}),
    lambda n: row(n, {"open": "text", "note": 5, "on": 1}),
    lambda n: row(n, {"open": None}),
    lambda n: row(n, {"note": {"a": [1]}}),
    lambda n: row(n, {"note": 'quo"te, \\ ä 😀 :'}),
    lambda n: row(n, START, "2025-01-01 00:00:00.123456+01:00"),
    lambda n: row(n, START, "2024-02-29"),
    lambda n: row(n, START, "yesterday"),
    lambda n: row(n, START, "2025-13-01T00:00:00Z"),
    lambda n: row(10**6 + n),
    lambda n: row(-5),
    lambda n: row(n) | {"more": 1},
    lambda n: {"dataset": n},
    lambda n: json.dumps(row(n)).replace('"on"', '"open": 9, "on"'),
    lambda n: json.dumps(row(n)).replace("{", '{"dataset":1,', 1),
    lambda n: json.dumps(row(n)).replace("1.5", "1.50000000000000001"),
    lambda n: json.dumps(row(n), indent=4),
    lambda n: json.dumps(row(n)).replace('"volume": 2', '"volume": -0'),
    lambda n: "\ufeff" + json.dumps(row(n)),
    lambda n: "[]",
    lambda n: "{",
]


async def test_answers_are_those_of_the_application(
    client: Client, people: People, slow: httpx.AsyncClient, ways: Ways
) -> None:
    owner = client(people.owner)
    one, other = await ready(owner), await ready(owner)
    for make in BODIES:
        found = []
        for sender, dataset in ((owner, one), (slow, other)):
            body = make(dataset)
            content = body if isinstance(body, str) else json.dumps(body)
            headers = {"Content-Type": "application/json", "X-Request-ID": "same"}
            answer = await sender.post("/api/rows", content=content.encode(), headers=headers)
            text = answer.text.replace(f'"dataset":{dataset},', "").replace(str(dataset + 10**6), "")
            found.append((answer.status_code, text, sorted(answer.headers.items())))
            # So that the next meets a dataset whose state is known.
            await owner.post("/api/rows/", json=row(dataset, {}))
        assert found[0][:2] == found[1][:2], make(1)
        names = [[name for name, _ in headers if name != "content-length"] for *_, headers in found]
        assert names[0] == names[1]
    assert ways.plain > 2 * len(BODIES) + 6
    assert ways.left < len(BODIES)
    pages = [(await owner.get(f"/api/rows/?dataset={dataset}&limit=500")).json() for dataset in (one, other)]
    for page, dataset in zip(pages, (one, other), strict=True):
        for item in page["results"]:
            assert item.pop("dataset") == dataset
    assert pages[0]["results"] == pages[1]["results"]
    columns = [(await owner.get(f"/api/columns/?dataset={dataset}")).json() for dataset in (one, other)]
    assert [(c["name"], c["dtype"]) for c in columns[0]] == [(c["name"], c["dtype"]) for c in columns[1]]


BULKS: list[Callable[[int], Any]] = [
    lambda n: {"dataset": n, "rows": [item(START), item({"open": 2})]},
    lambda n: {"rows": [item(START, at) for at in ("2025-01-03", "2025-01-02T00:00:00Z", "2024-01-01T00:00:00Z")]},
    lambda n: {"rows": [item(START, at) for at in ("2025-01-03T00:00:00Z", "2024-01-01T00:00:00Z")], "dataset": n},
    lambda n: {"dataset": n, "rows": [item({"volume": 1.0}), item({"volume": 1.5})]},
    lambda n: {"dataset": n, "rows": [item({"open": "x", "note": 1})]},
    lambda n: {"dataset": n, "rows": [item({"volume": number}) for number in range(100)]},
    lambda n: {"dataset": n, "rows": []},
    lambda n: {"dataset": n, "rows": [item({"open": 1})], "more": 1},
    lambda n: {"dataset": str(n), "rows": [item({"open": 1})]},
    lambda n: {"dataset": True, "rows": [item({"open": 1})]},
    lambda n: {"dataset": 10**6 + n, "rows": [item({"open": 1})]},
    lambda n: {"dataset": n, "rows": [item({"open": 1}), item({"open": 1}, "never")]},
    lambda n: {"dataset": n, "rows": [item({"new": 1})]},
]


def item(values: Any, timestamp: str = "2025-01-01T00:00:00Z") -> dict[str, Any]:
    return {"timestamp": timestamp, "values": values}


async def test_bulk_inserts_are_those_of_the_application(
    client: Client, people: People, slow: httpx.AsyncClient, ways: Ways
) -> None:
    owner = client(people.owner)
    one, other = await ready(owner), await ready(owner)
    for make in BULKS:
        found = []
        for sender, dataset in ((owner, one), (slow, other)):
            answer = await sender.post("/api/rows/bulk_insert/", json=make(dataset))
            found.append(
                (answer.status_code, answer.text.replace(str(dataset + 10**6), "").replace(f"'{dataset}'", ""))
            )
            for _ in range(2):
                await owner.post("/api/rows/", json=row(dataset, {}))
        assert found[0] == found[1], make(1)
    before = ways.plain
    for dataset in (one, other):
        assert (await owner.post("/api/rows/bulk_insert/", json=BULKS[0](dataset))).json() == {
            "inserted": 2,
            "total": 2,
        }
    assert ways.plain == before + 2
    pages = [(await owner.get(f"/api/rows/?dataset={dataset}&limit=500")).json() for dataset in (one, other)]
    assert [[r["timestamp"], r["values"]] for r in pages[0]["results"]] == [
        [r["timestamp"], r["values"]] for r in pages[1]["results"]
    ]


async def test_small_arrow_bodies_wait_for_their_turn(client: Client, people: People) -> None:
    """More at once than processes that read them, by one user."""
    owner = client(people.owner)
    dataset, sink = await ready(owner), pa.BufferOutputStream()
    note = pa.array(["a"]).dictionary_encode()
    table = pa.table({"timestamp": pa.array([0], pa.timestamp("us", "UTC")), "volume": [1], "note": note})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    sent = {"content": bytes(sink.getvalue()), "headers": {"Content-Type": "application/vnd.apache.arrow.stream"}}
    path = f"/api/rows/bulk_insert/?dataset={dataset}"
    answers = await asyncio.gather(*(owner.post(path, **sent) for _ in range(24)))  # type: ignore[arg-type]
    assert [answer.status_code for answer in answers] == [200] * 24


async def test_headers_that_ask_for_more(client: Client, people: People, ways: Ways) -> None:
    owner = client(people.owner)
    dataset = await ready(owner)
    before = ways.plain
    headers: list[dict[str, str]] = [
        {"Idempotency-Key": "k" * 256},
        {"Content-Encoding": "gzip"},
        {"Content-Type": "text/plain"},
        {"X-API-Key": people.owner + "x"},
        {"Host": "bad host"},
    ]
    found = [(await owner.post("/api/rows/", json=row(dataset), headers=one)).status_code for one in headers]
    assert found == [400, 400, 201, 401, 400]
    assert (await owner.post("/api/rows/?epoch=s", json=row(dataset, timestamp="1750000000"))).status_code == 201
    assert (await owner.post("/api/rows/?wrong=s", json=row(dataset))).status_code == 400
    assert ways.plain == before


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    return pd.DataFrame(rows).to_csv(index=False).encode()


def arrow_of(rows: list[dict[str, Any]]) -> bytes:
    table, sink = pa.Table.from_pylist(rows), pa.BufferOutputStream()
    moments = table["timestamp"].cast(pa.timestamp("ms", "UTC"))
    table = table.set_column(table.column_names.index("timestamp"), "timestamp", moments)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


FLAT = [{"timestamp": f"2025-01-01T00:00:{9 - n:02}Z", "open": n + 0.5, "volume": n, "note": "ä"} for n in range(9)]
OTHERS: list[tuple[str, bytes]] = [
    *[("text/csv", csv_of(FLAT[:n])) for n in (1, 3, 9)],
    *[("application/vnd.apache.arrow.stream", arrow_of(FLAT[:n])) for n in (1, 3, 9)],
    ("text/csv; charset=utf-8", csv_of([{**FLAT[0], "new": 1}])),
    ("text/csv", csv_of(FLAT)[:-20] + b"x,y\n"),
    ("text/csv", csv_of([{**FLAT[0], "volume": "a,b"}])),
    ("text/csv", csv_of([{**FLAT[0], "open": None}])),
    ("application/vnd.apache.arrow.stream", arrow_of([{**FLAT[0], "open": None}, FLAT[1]])),
]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_csv_and_arrow_and_gzip(
    client: Client, people: People, slow: httpx.AsyncClient, ways: Ways, encoding: str
) -> None:
    owner = client(people.owner)
    owner.headers["Authorization"] = f"Bearer {owner.headers.pop('X-API-Key')}"
    one, other = await ready(owner), await ready(owner)
    quick = []
    for number, (media, body) in enumerate(OTHERS):
        found, taken = [], 0
        headers = {"Content-Type": media, "Content-Encoding": encoding}
        sent = gzip.compress(body) if encoding == "gzip" else body
        if encoding == "identity":
            del headers["Content-Encoding"]
        for sender, dataset in ((owner, one), (slow, other)):
            for key in ("first", "first", "second"):
                headers["Idempotency-Key"] = f"{encoding} {number} {dataset} {key}"
                path, before = f"/api/rows/bulk_insert/?dataset={dataset}", ways.plain
                answer = await sender.post(path, content=sent, headers=headers)
                taken += ways.plain - before
                found.append((answer.status_code, answer.text))
                for _ in range(2):
                    await owner.post("/api/rows/", json=row(dataset, {}))
        assert found[:3] == found[3:], (media, body)
        assert found[0] == found[1], media
        quick.append(taken)
    # Each of the owner's under a new key, but for a column that is new at first, a bad timestamp, and quotes.
    assert quick == [2, 2, 2, 2, 2, 2, 1, 0, 0, 2, 2]
    pages = [
        (await owner.get(f"/api/rows/?dataset={dataset}&limit=2000")).json()["results"] for dataset in (one, other)
    ]
    assert [[r["timestamp"], r["values"]] for r in pages[0]] == [[r["timestamp"], r["values"]] for r in pages[1]]


async def test_usage_and_the_audit_log(
    client: Client, people: People, slow: httpx.AsyncClient, owner_is_admin: None, ways: Ways
) -> None:
    owner = client(people.owner)
    one, other = await ready(owner), await ready(owner)

    async def used() -> tuple[int, ...]:
        day = (await owner.get("/api/v1/usage")).json()["days"][-1]
        return tuple(day[name] for name in ("requests", "errors", "bytes_in", "bytes_out", "rows_written"))

    counts, before = [], ways.plain
    for sender, dataset in ((owner, one), (slow, other)):
        first = await used()
        for _ in range(5):
            assert (await sender.post("/api/rows/", json=row(dataset))).status_code == 201
        counts.append(tuple(now - then for now, then in zip(await used(), first, strict=True)))
    # The figures themselves take a few bytes more or less in the answer of /usage.
    assert counts[0][:3] + counts[0][4:] == counts[1][:3] + counts[1][4:]
    assert abs(counts[0][3] - counts[1][3]) < 20
    assert ways.plain == before + 5
    entries = (await owner.get("/api/v1/admin/audit?limit=200")).json()["entries"]
    logged = []
    for dataset in (one, other):
        mine = [entry for entry in entries if entry["dataset_id"] == dataset and entry["path"] == "/api/rows/"]
        logged.append(
            sum(entry["requests"] for entry in mine),
        )
        assert {(entry["status"], entry["method"], entry["action"]) for entry in mine} == {(201, "POST", "write")}
        assert sum(entry["rows"] for entry in mine) == 7
    assert logged == [7, 7]
    shown = (await owner.get("/metrics")).text
    assert 'atlas_requests_total{method="POST",route="/api/rows/",status="201"} 14.0' in shown
    assert "atlas_requests_active 1.0" in shown


ENDS = {
    "revoked": "UPDATE atlas.api_keys SET revoked_at = now() WHERE id = {key}",
    "expired": "UPDATE atlas.api_keys SET expires_at = now() WHERE id = {key}",
    "gone": "DELETE FROM atlas.api_keys WHERE id = {key}",
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_key_ends_at_once(client: Client, people: People, database_url: str, ways: Ways, end: str) -> None:
    """Whoever ended it, also within the crowd of a group; other keys' rows of the same group are stored."""
    owner = client(people.owner)
    made = (await owner.post("/api/v1/keys", json={"name": "another"})).json()
    other = client(made["key"])
    dataset = await ready(owner)
    assert (await other.post("/api/rows/", json=row(dataset))).status_code == 201
    assert (await other.post("/api/rows/", json=row(dataset))).status_code == 201
    assert ways.plain
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ENDS[end].format(key=made["id"]))
    sent = [other if number % 3 else owner for number in range(30)]
    answers = await asyncio.gather(*(one.post("/api/rows/", json=row(dataset, {"volume": 9})) for one in sent))
    assert [answer.status_code for answer in answers] == [401 if one is other else 201 for one in sent]
    page = (await owner.get(f"/api/rows/?dataset={dataset}&limit=500")).json()
    assert sum(item["values"].get("volume") == 9 for item in page["results"]) == 10
    assert (await owner.get("/api/v1/usage")).status_code == 200


async def test_limits(settings: Settings, people: People, ways: Ways) -> None:
    async with serve(settings.model_copy(update={"rate_limit": "12/hour"})) as make:
        owner = make(people.owner)
        dataset = await ready(owner)
        answers = [await owner.post("/api/rows/", json=row(dataset)) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [201] * 9 + [429] * 3
        assert [answer.headers["RateLimit-Remaining"] for answer in answers[:3]] == ["8", "7", "6"]
        assert answers[-1].headers["Retry-After"]
        assert ways.plain == 9


async def test_a_dataset_that_is_gone_and_others_data(client: Client, people: People, ways: Ways) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    dataset, own = await ready(owner), await ready(stranger)
    before = ways.plain
    assert (await stranger.post("/api/rows/", json=row(dataset))).status_code == 403
    assert (await stranger.post("/api/rows/", json=row(own))).status_code == 201
    assert ways.plain == before + 1
    assert (await owner.delete(f"/api/datasets/{dataset}/")).status_code == 204
    assert (await owner.post("/api/rows/", json=row(dataset))).status_code == 404


async def test_a_crowd(client: Client, people: People, ways: Ways) -> None:
    """Rows, changes of columns, bulk inserts and reads at once: each row is there once, in the order of its number."""
    owner, chance = client(people.owner), random.Random(4)
    dataset = await ready(owner)

    async def one(number: int) -> None:
        values = {"mark": number} | ({f"new{number % 7}": number} if chance.random() < 0.1 else {})
        if chance.random() < 0.1:
            rows = [{"timestamp": "2025-01-01T00:00:00Z", "values": values}]
            answer = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        else:
            answer = await owner.post("/api/rows/", json=row(dataset, values))
        assert answer.status_code < 300, answer.text

    for start in range(0, 400, 40):
        await asyncio.gather(*(one(number) for number in range(start, start + 40)))
    page = (await owner.get(f"/api/rows/?dataset={dataset}&limit=1000")).json()
    assert sorted(item["values"]["mark"] for item in page["results"][2:]) == list(range(400))
    assert page["count"] == 402
    assert ways.plain > 200


async def filled(owner: httpx.AsyncClient, kind: str) -> int:
    """A dataset of 40 rows in order of time, which `kind` then changes."""
    chance, dataset = random.Random(kind), await make_dataset(owner, name=kind)
    rows = []
    for number in range(40):
        values: dict[str, Any] = {
            "whole": chance.choice([0, -1, 2**63 - 1, number]),
            "float": chance.choice([0.1, -0.0, 1e-7, 5e-324, 123456789.25, 1e15 + 0.5]),
            "text": chance.choice(["", "ä€😀", 'quo"te\\', "a\u0007b\u007f", "line\nbreak"]),
            "yes": chance.random() < 0.5,
        }
        if number % 3 == 0:
            del values[chance.choice(list(values))]
        if kind == "large floats" and number == 30:
            values["float"] = 1e22
        if kind == "nested" and number == 30:
            values["text"] = {"a": [1, None]}
        fraction = ["", ".5", ".123456", ".000001", ".120"][number // 2 % 5]
        rows.append({"timestamp": f"2025-01-01T00:00:{number // 2:02}{fraction}Z", "values": values})
    rows.sort(key=lambda row: row["timestamp"].rstrip("Z").ljust(26, "0" if "." in row["timestamp"] else "."))
    if kind == "late":
        rows = [*rows[20:], *rows[:20]]
    for part in (rows[:25], rows[25:]) if kind != "empty" else ():
        answer = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": part})
        assert answer.status_code == 200, answer.text
    if kind == "deleted":
        path = f"/api/rows/?dataset={dataset}&start=2025-01-01T00:00:05Z&end=2025-01-01T00:00:07Z"
        assert (await owner.delete(path)).status_code == 200
    return dataset


QUERIES = [
    "",
    "&limit=1",
    "&limit=1&ordering=-timestamp",
    "&limit=7&ordering=-timestamp",
    "&limit=7&offset=33",
    "&limit=7&ordering=-timestamp&offset=36",
    "&limit=40",
    "&limit=250&ordering=timestamp&offset=40",
    "&offset=1000",
    "&limit=0",
    "&limit=999",
]


@pytest.mark.parametrize("kind", ["ordered", "late", "deleted", "empty", "large floats", "nested"])
async def test_pages_are_those_of_the_application(
    client: Client, people: People, slow: httpx.AsyncClient, ways: Ways, kind: str
) -> None:
    owner = client(people.owner)
    dataset = await filled(owner, kind)
    before = ways.plain
    for query in QUERIES:
        found = []
        for sender in (owner, slow):
            answer = await sender.get(f"/api/rows?dataset={dataset}{query}")
            names = sorted(name for name, _ in answer.headers.items())
            found.append((answer.status_code, answer.content, names))
        assert found[0] == found[1], query
    quick = ways.plain - before
    assert quick == {"ordered": len(QUERIES) - 2, "empty": len(QUERIES) - 2}.get(kind, quick)
    assert (quick == 0) == (kind in ("late", "deleted", "nested"))


async def test_who_may_read_pages(client: Client, people: People, database_url: str, ways: Ways) -> None:
    """The owner, and a holder of a tag until the dataset loses it; nobody else, and nobody whose key has ended."""
    owner, holder, stranger = client(people.owner), client(people.holder), client(people.stranger)
    dataset = await filled(owner, "ordered")
    path = f"/api/rows/?dataset={dataset}&limit=5"

    async def statuses() -> list[int]:
        return [(await one.get(path)).status_code for one in (owner, holder, stranger) for _ in range(2)]

    assert await statuses() == [200, 200, 403, 403, 403, 403]
    assert (await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})).status_code < 300
    assert (await holder.post("/api/tags/acquire/", json={"tag_name": "public"})).status_code < 300
    before = ways.plain
    assert await statuses() == [200, 200, 200, 200, 403, 403]
    assert ways.plain >= before + 3
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM atlas.dataset_tags")
    assert await statuses() == [200, 200, 403, 403, 403, 403]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE atlas.api_keys SET revoked_at = now() WHERE revoked_at IS NULL")
    assert await statuses() == [401] * 6


VALUES = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.integers(-(2**64), 2**64),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.text(max_size=5),
        st.none(),
    ),
    max_size=4,
)
STAMPS = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"), st.sampled_from(["2025-01-01", "", "2025-02-30T00:00:00Z"])
)


@given(VALUES, STAMPS, st.booleans())
def test_plain_rows_are_decoded_as_by_the_other_decoders(values: Any, stamp: str, escaped: bool) -> None:
    body = json.dumps(row(5, values, stamp), ensure_ascii=escaped).encode()
    made = plain_row.decode(body)
    wrapped = b'{"rows":[' + json.dumps({"timestamp": stamp, "values": values}, ensure_ascii=escaped).encode() + b"]}"
    quick = json_small.decode(wrapped)
    assert (made is None) == (quick is None)
    if made is not None and quick is not None:
        exact, _ = json_exact.decode(wrapped)
        assert made.frame() == quick[0] == exact
        assert json.loads(made.echo) == values
