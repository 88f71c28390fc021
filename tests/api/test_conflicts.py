"""Inserts of rows whose timestamp and keys others have: each policy beside a model in Python, plain and packed."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.consistency.service import ConsistencyService
from atlas.db.database import Database
from atlas.timeseries.cold import mover
from atlas.timeseries.rollups import maintenance

pytestmark = pytest.mark.anyio
Row = dict[str, Any]
BULK = "/api/rows/bulk_insert/"


def stamp(minute: int) -> str:
    return f"2024-01-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z"


def made(chance: random.Random, count: int, minutes: int, symbols: int = 3) -> list[Row]:
    """Rows of few times and series, so that many have the timestamp and keys of others, some with equal values."""
    rows = []
    for _ in range(count):
        values: Row = {"symbol": "ABC"[chance.randrange(symbols)], "price": chance.choice((1, 2, 2.5, -0.0, 0.0))}
        if chance.random() < 0.3:
            values["note"] = chance.choice(("x", {"a": [1]}, None))
        rows.append({"timestamp": stamp(chance.randrange(minutes)), "values": values})
    return rows


def bits(row: Row) -> str:
    """What makes two rows identical: all values, with the sign of a zero."""
    return json.dumps({name: float(v) if name == "price" else v for name, v in row["values"].items()}, sort_keys=True)


@dataclass
class Model:
    """A dataset as rows that come one by one should leave it. rows: by timestamp and keys."""

    keys: tuple[str, ...] = ("symbol",)
    rows: dict[tuple[Any, ...], list[Row]] = field(default_factory=dict)
    past: list[tuple[str, str]] = field(default_factory=list)

    def insert(self, rows: list[Row], policy: str) -> dict[str, int] | None:
        """Returns the figures of the answer, or None where the insert is refused."""
        told = Counter(dict.fromkeys(("inserted", "replaced", "identical", "kept"), 0), total=len(rows))
        after = {key: [*held] for key, held in self.rows.items()}
        past = [*self.past]
        for row in rows:
            held = after.setdefault((row["timestamp"], *(row["values"][key] for key in self.keys)), [])
            if policy == "append" or not held:
                held.append(row)
                told["inserted"] += 1
            elif policy == "reject":
                return None
            elif (len(held) == 1 or policy == "keep_first") and bits(held[0]) == bits(row):
                told["identical"] += 1
            elif policy == "replace":
                past += [(one["timestamp"], bits(one)) for one in held]
                held[:] = [row]
                told["replaced"] += 1
            else:
                told["kept"] += 1
        self.rows, self.past = after, past
        return dict(told)

    @property
    def flat(self) -> list[tuple[str, str]]:
        return sorted((row["timestamp"], bits(row)) for held in self.rows.values() for row in held)


def bodies(rows: list[Row]) -> list[tuple[str, bytes]]:
    """The same rows in each format."""
    flat = [{"timestamp": row["timestamp"], **row["values"]} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    lines = [",".join(names)] + [",".join(str(row.get(name, "")) for name in names) for row in flat]
    table = pa.table({name: [row.get(name) for row in flat] for name in names})
    parquet, arrow = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    with pa.ipc.new_stream(arrow, table.schema) as writer:
        writer.write_table(table)
    return [
        ("text/csv", "\n".join(lines).encode()),
        ("application/x-ndjson", "\n".join(json.dumps(row) for row in flat).encode()),
        ("application/vnd.apache.parquet", parquet.getvalue()),
        ("application/vnd.apache.arrow.stream", arrow.getvalue()),
        ("application/json", json.dumps({"rows": rows}).encode()),
    ]


async def insert(client: httpx.AsyncClient, dataset: int, rows: list[Row], **query: Any) -> httpx.Response:
    return await client.post(BULK, params=query, json={"dataset": dataset, "rows": rows})


async def stored(client: httpx.AsyncClient, dataset: int, path: str = "bulk_download/") -> list[Row]:
    query: dict[str, Any] = {"dataset": dataset} | ({"shape": "nested"} if path.startswith("bulk") else {})
    response = await client.get(f"/api/rows/{path}", params=query)
    assert response.status_code == 200, response.text
    found: list[Row] = response.json()
    return found


async def check(client: httpx.AsyncClient, database_url: str, dataset: int, model: Model) -> None:
    """Compares everything that reads rows with the model, and the catalog with the rows."""
    rows = await stored(client, dataset)
    assert sorted((row["timestamp"], bits(row)) for row in rows) == model.flat
    assert [row["timestamp"] for row in rows] == [at for at, _ in model.flat]
    page = (await client.get("/api/rows/", params={"dataset": dataset, "limit": 1})).json()
    assert page["count"] == len(rows)
    summary = (await client.get(f"/api/datasets/{dataset}/summary/")).json()
    assert (summary["row_count"], summary["first_timestamp"]) == (len(rows), model.flat[0][0])
    figures = (await client.get("/api/rows/aggregate/", params={"dataset": dataset, "bucket": "1h"})).json()["results"]
    assert [one["count"] for one in figures] == [n for _, n in sorted(Counter(at[:13] for at, _ in model.flat).items())]
    if model.keys:
        latest = (await client.get("/api/rows/latest/", params={"dataset": dataset, "by": "symbol"})).json()["results"]
        last = {row["values"]["symbol"]: row for row in rows}
        assert [(one["timestamp"], bits(one)) for one in latest] == [
            (last[name]["timestamp"], bits(last[name])) for name in sorted(last)
        ]
    report = await asyncio.to_thread(ConsistencyService(database_url).check)
    assert report.findings == ()


def told(response: httpx.Response) -> dict[str, int]:
    assert response.status_code == 200, response.text
    return {name: response.json().get(name) for name in ("inserted", "replaced", "identical", "kept", "total")}


@pytest.mark.parametrize("keys", [("symbol",), ()])
@pytest.mark.parametrize("cold", [False, True])
async def test_inserts_by_policies_are_those_of_a_model(
    owner: httpx.AsyncClient, database: Database, database_url: str, cold: bool, keys: tuple[str, ...]
) -> None:
    chance = random.Random(7)
    dataset = await make_dataset(owner, keys=list(keys))
    model = Model(keys)
    for step in range(12):
        policy = chance.choice(("append", "replace", "replace", "keep_first", "reject"))
        rows = made(chance, chance.choice((1, 3, 40, 700)) if step else 900, 60 if step % 4 else 2000, 3)
        before = model.flat
        wanted = model.insert(rows, policy)
        response = await insert(owner, dataset, rows, on_conflict=policy)
        if wanted is None:
            assert response.status_code == 409, response.text
            assert model.flat == before
        elif policy != "append":
            assert told(response) == wanted
        if cold and step in (1, 5):
            assert await mover.pack_next(database, dataset, 1_704_300_000_000_000, 10**9, batch=300)
        if step == 3:
            while await maintenance.advance(database, dataset, least=1):
                pass
        if step % 3 == 2:
            await check(owner, database_url, dataset, model)
    await check(owner, database_url, dataset, model)
    past: list[Row] = []
    while True:
        query = {"dataset": dataset, "limit": 400, "offset": len(past)}
        page = (await owner.get("/api/rows/history/", params=query)).json()
        past += page["results"]
        if page["next"] is None:
            break
    assert sorted((row["timestamp"], bits(row)) for row in past) == sorted(model.past)
    assert page["count"] == len(past)
    assert [row["timestamp"] for row in past] == sorted(row["timestamp"] for row in past)


@pytest.mark.parametrize("policy", ["replace", "keep_first", "reject"])
async def test_every_format_and_small_bodies_follow_the_policy(owner: httpx.AsyncClient, policy: str) -> None:
    declared = await make_dataset(owner, keys=["symbol"], on_conflict=policy)
    plain = await make_dataset(owner, keys=["symbol"])
    rows = [{"timestamp": stamp(n), "values": {"symbol": "A", "n": n}} for n in range(3)]
    for dataset in (declared, plain):
        # Plain bodies of one who has just written are stored by one statement where no policy is in force.
        for _ in range(2):
            await insert(
                owner, dataset, [{"timestamp": stamp(9), "values": {"symbol": "B", "n": 0}}], on_conflict=policy
            )
        assert (await insert(owner, dataset, rows)).status_code == 200
    changed = [{**row, "values": {**row["values"], "n": -1 - n}} for n, row in enumerate(rows)]
    for media, body in bodies(changed):
        for dataset, query in ((declared, ""), (plain, f"&on_conflict={policy}")):
            response = await owner.post(
                f"{BULK}?dataset={dataset}{query}", content=body, headers={"Content-Type": media}
            )
            if policy == "reject":
                assert response.status_code == 409, (media, response.text)
                continue
            found = told(response)
            first = media == "text/csv"
            names = {"replace": "replaced" if first else "identical", "keep_first": "kept"}
            assert found[names[policy]] == found["total"] == 3, (media, found)
    single = await owner.post("/api/rows/", json={"dataset": declared, **changed[0]})
    assert single.status_code == (409 if policy == "reject" else 201), single.text
    if policy != "reject":
        assert single.json()["identical" if policy == "replace" else "kept"] == single.json()["total"] == 1
        assert single.json()["values"] == changed[0]["values"]
    wanted = changed if policy == "replace" else rows
    for dataset in (declared, plain):
        stays = [{name: row[name] for name in ("timestamp", "values")} for row in await stored(owner, dataset)]
        assert stays[:3] == wanted
        assert len(stays) == 4
    # Contract's answers are as they were where no policy is in force.
    new = [{"timestamp": stamp(100), "values": {"symbol": "A", "n": 1}}]
    assert (await insert(owner, plain, new)).json() == {"inserted": 1, "total": 1}
    one = {"dataset": plain, "timestamp": stamp(101), "values": {"symbol": "A", "n": 1}}
    assert (await owner.post("/api/rows/", json=one)).json() == one


async def test_what_is_refused_is_named_and_stores_nothing(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, keys=["symbol"], on_conflict="reject")
    row = {"timestamp": stamp(5), "values": {"symbol": "A", "n": 1}}
    assert told(await insert(owner, dataset, [row]))["inserted"] == 1
    new = {"timestamp": stamp(6), "values": {"symbol": "A", "n": 1, "other": "x"}}
    late = {"timestamp": stamp(1), "values": {"symbol": "A", "n": 1}}
    response = await insert(owner, dataset, [new, {**row, "values": {"symbol": "A", "n": 2}}, late, late, row])
    assert response.status_code == 409
    assert response.json() == {
        "error": "Rows are there already",
        "details": "on_conflict is reject, and others have the timestamp and keys of rows[1] (2024-01-01T00:05:00Z, "
        "symbol 'A'), stored with other values; rows[3] (2024-01-01T00:01:00Z, symbol 'A'), as rows[2]; rows[4] "
        "(2024-01-01T00:05:00Z, symbol 'A'), stored with the same values",
    }
    shown = (await owner.get(f"/api/datasets/{dataset}/")).json()
    assert (shown["on_conflict"], [column["name"] for column in shown["columns"]]) == ("reject", ["symbol", "n"])
    assert len(await stored(owner, dataset)) == 1
    for asked in ("append", "replace", "keep_first"):
        response = await insert(owner, dataset, [new], on_conflict=asked)
        assert response.status_code == 400
        assert response.json()["details"] == (
            f"on_conflict: the dataset declares reject, so an insert may be reject, not {asked}"
        )
    for wrong in ("", "REPLACE", "update"):
        assert (await insert(owner, dataset, [new], on_conflict=wrong)).status_code == 400
    body = {"on_conflict": "sometimes"}
    assert (await owner.patch(f"/api/datasets/{dataset}/", json=body)).status_code == 400
    # Owners may change their mind, and what is left out stays.
    for changes, now in (({"on_conflict": "keep_first"}, "keep_first"), ({"description": "x"}, "keep_first")):
        changed = await owner.patch(f"/api/datasets/{dataset}/", json=changes)
        assert (changed.status_code, changed.json()["on_conflict"], changed.json()["keys"]) == (200, now, ["symbol"])
    put = (await owner.put(f"/api/datasets/{dataset}/", json={"name": "other"})).json()
    assert put["on_conflict"] == "keep_first"
    assert told(await insert(owner, dataset, [row, new], on_conflict="keep_first"))["identical"] == 1
    assert (await insert(owner, dataset, [row], on_conflict="replace")).status_code == 400


async def test_a_repeated_insert_gets_the_first_answer(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, on_conflict="replace")
    for count in (2, 3000):
        rows = [{"timestamp": stamp(n), "values": {"n": n + count}} for n in range(count)]
        answers = []
        for key in ("a", "b", "a"):
            response = await owner.post(
                BULK, json={"dataset": dataset, "rows": rows}, headers={"Idempotency-Key": f"{key}{count}"}
            )
            answers.append(told(response))
        assert answers[0] == answers[2] != answers[1]
        assert answers[1]["identical"] == count
        # The same key with another policy is another request.
        again = await owner.post(
            f"{BULK}?on_conflict=keep_first",
            json={"dataset": dataset, "rows": rows},
            headers={"Idempotency-Key": f"a{count}"},
        )
        assert again.status_code == 400
    one = {"dataset": dataset, "timestamp": stamp(0), "values": {"n": 7}}
    found = [(await owner.post("/api/rows/", json=one, headers={"Idempotency-Key": "one"})).json() for _ in range(2)]
    assert found[0] == found[1] == {**one, "inserted": 0, "replaced": 1, "identical": 0, "kept": 0, "total": 1}


@pytest.mark.parametrize("policy", ["replace", "keep_first", "reject"])
async def test_concurrent_writers_take_turns(
    owner: httpx.AsyncClient, database_url: str, database: Database, policy: str
) -> None:
    """Whatever the turns were: one row of each timestamp and key, and every row sent is told of."""
    dataset = await make_dataset(owner, keys=["symbol"])
    chance = random.Random(3)
    batches = [made(chance, size, 30) for size in (1, 5, 60, 2500, 1, 5, 60, 1, 5, 60)]
    single = [dict(row) for row in made(chance, 6, 30)]
    answers = await asyncio.gather(
        *(insert(owner, dataset, rows, on_conflict=policy) for rows in batches),
        *(owner.post(f"/api/rows/?on_conflict={policy}", json={"dataset": dataset, **row}) for row in single),
        *(mover.pack_next(database, dataset, 1_704_300_000_000_000, 10**9, batch=50) for _ in range(2)),
    )
    sent = [*batches, *([row] for row in single)]
    good = [one for one in answers[:-2] if isinstance(one, httpx.Response) and one.status_code in (200, 201)]
    if policy != "reject":
        assert len(good) == len(sent)
    for one, rows in zip(answers[:-2], sent, strict=True):
        assert isinstance(one, httpx.Response)
        assert one.status_code in (200, 201, 409), one.text
        if one in good:
            assert one.json()["total"] == len(rows)
    rows = await stored(owner, dataset)
    inserted = sum(one.json()["inserted"] for one in good)
    assert len(rows) == inserted == len({(row["timestamp"], row["values"]["symbol"]) for row in rows})
    past = (await owner.get("/api/rows/history/", params={"dataset": dataset})).json()["count"]
    assert past == sum(one.json()["replaced"] for one in good)
    report = await asyncio.to_thread(ConsistencyService(database_url).check)
    assert report.findings == ()


async def test_replaced_rows_are_kept_exactly_and_go_with_their_range(
    client: Client, people: People, owner: httpx.AsyncClient, database_url: str
) -> None:
    dataset = await make_dataset(owner, keys=["symbol"], on_conflict="replace")
    big = 2**53 + 1
    versions: list[Row] = [
        {"n": big, "x": {"a": [1, 2]}},
        {"n": 1},
        {"n": 0.5, "new": "text", "x": None},
        {"n": "odd"},
    ]
    for values in versions:
        row = {"timestamp": stamp(0), "values": {"symbol": "A", **values}}
        assert told(await insert(owner, dataset, [row, {**row, "timestamp": stamp(1)}]))["total"] == 2
    for key, status in ((people.owner, 200), (people.holder, 403), (people.stranger, 403), (people.revoked, 401)):
        async with client(key) as who:
            found = await who.get("/api/rows/history/", params={"dataset": dataset, "end": stamp(0)})
            assert found.status_code == status
            if status == 200:
                assert [row["values"] for row in found.json()["results"]] == [
                    {"symbol": "A", **values} for values in versions[:-1]
                ]
                assert [row["replaced_by"] for row in found.json()["results"]] == [3, 5, 7]
    where = {"dataset": dataset, "where": "symbol:B"}
    assert (await owner.get("/api/rows/history/", params=where)).json()["results"] == []
    assert (await owner.get("/api/rows/history/", params={"dataset": dataset, "where": "n:1"})).status_code == 400
    assert (await owner.delete("/api/rows/", params={"dataset": dataset, "end": stamp(0)})).json() == {"deleted": 1}
    left = (await owner.get("/api/rows/history/", params={"dataset": dataset})).json()
    assert (left["count"], {row["timestamp"] for row in left["results"]}) == (3, {stamp(1)})
    report = await asyncio.to_thread(ConsistencyService(database_url).check)
    assert report.findings == ()
    assert (await owner.delete(f"/api/datasets/{dataset}/")).status_code == 204
