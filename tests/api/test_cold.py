"""Packed rows through the API: every endpoint answers as before, whoever asks."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.db.database import Database
from atlas.sqlgate.unpacked_tables import UnpackedTables
from atlas.timeseries.cold import mover
from atlas.timeseries.cold.scheduler import Compaction
from atlas.timeseries.rollups import maintenance

pytestmark = pytest.mark.anyio
ROWS = 30_000
GETS = (
    "",
    "?limit=7&offset=12345",
    "?limit=3&ordering=-timestamp",
    "?start=2024-01-03&end=2024-01-03T01:00:00Z&limit=1000",
    "bulk_download/?output=csv",
    "bulk_download/?output=json",
    "bulk_download/?output=ndjson&shape=nested",
    "bulk_download/?output=csv&start=2024-01-02T12:00:00Z&end=2024-01-02T13:30:00Z",
    "live/?limit=20",
    "latest/",
    "aggregate/?bucket=1h",
    "aggregate/?bucket=auto&points=50&functions=count,min,max,avg,sum,first,last",
    "aggregate/?bucket=7m&start=2024-01-02&end=2024-01-02T05:00:00Z",
)
QUERIES = (
    "SELECT count(*), sum(n), avg(price), min(city), bool_and(ok), min(ts), max(ts) FROM prices",
    "SELECT * FROM prices WHERE ts >= '2024-01-02T03:00:00Z' AND '2024-01-02T03:01:00Z' > ts ORDER BY ts, n",
    "SELECT count(*) FROM prices WHERE ts BETWEEN '2024-01-02' AND '2024-01-03' OR ts = '2024-01-05'",
    "SELECT count(*) FROM prices WHERE NOT ts BETWEEN '2024-01-02' AND '2024-01-03'",
    "SELECT count(*) FROM prices WHERE NOT (ts < '2024-01-02' OR ts > NULL)",
    "SELECT a.ts, b.n FROM prices a JOIN prices b ON a.ts = b.ts AND b.ts <= '2024-01-01T00:00:30Z' ORDER BY 1, 2",
    "SELECT a.n, b.n FROM prices a LEFT JOIN prices b ON b.n = a.n + 1 AND b.ts < '2024-01-01T00:01:00Z' "
    "WHERE a.ts < '2024-01-01T00:02:00Z' ORDER BY 1, 2",
    "SELECT date_trunc('day', ts) AS day, sum(n), count(*) FILTER (WHERE ts >= '2024-01-02') FROM prices GROUP BY 1 "
    "HAVING max(ts) > '2024-01-01T12:00:00Z' ORDER BY 1",
    "WITH late AS (SELECT ts, n FROM prices WHERE ts > '2024-01-05T12:00:00Z') SELECT count(*), max(n) FROM late "
    "WHERE ts < '2024-01-06'",
    "SELECT count(*) FROM prices p WHERE EXISTS (SELECT 1 FROM prices q WHERE q.ts = p.ts "
    "AND q.ts < '2024-01-01T01:00Z')",
)


def csv(first: int, rows: int) -> bytes:
    cities = ("Rome", "Oslo", "", "Bern")
    lines = ["timestamp,n,price,city,ok"]
    for n in range(first, first + rows):
        day, rest = divmod(n * 20, 86_400)
        stamp = f"2024-01-{day + 1:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"
        lines.append(f"{stamp},{n},{(n * 37 % 1000) / 100},{cities[n % 4]},{'true' if n % 3 else 'false'}")
    return "\n".join(lines).encode()


async def insert(client: httpx.AsyncClient, dataset: int, body: bytes) -> None:
    response = await client.post(
        f"/api/rows/bulk_insert/?dataset={dataset}", content=body, headers={"Content-Type": "text/csv"}
    )
    assert response.status_code == 200, response.text


def to_ten_digits(text: str) -> str:
    """Rounds long decimals, because a sum of floats depends on the order of its rows."""
    return re.sub(r"\d+\.\d{9,}", lambda found: f"{float(found[0]):.10g}", text)


async def answers(client: httpx.AsyncClient, dataset: int) -> dict[str, Any]:
    """What the endpoints answer; times that an answer took are left out."""
    found: dict[str, Any] = {}
    for path in GETS:
        response = await client.get(f"/api/rows/{path}{'&' if '?' in path else '?'}dataset={dataset}")
        found[path] = response.status_code, response.content
    page = (await client.get(f"/api/rows/?dataset={dataset}&limit=1000")).json()
    found["cursor"] = (await client.get(f"/api/rows/?dataset={dataset}&cursor={page['next_cursor']}")).content
    summary = (await client.get(f"/api/datasets/{dataset}/summary/")).json()
    found["summary"] = {key: value for key, value in summary.items() if key != "bytes"}
    for sql in QUERIES:
        answer = (await client.post("/api/v1/sql", json={"sql": sql})).json()
        found[sql] = {key: value for key, value in answer.items() if key != "execution_time_seconds"}
        found[sql]["data_csv"] = to_ten_digits(answer.get("data_csv", ""))
        assert answer.get("success"), (sql, answer)
    asked = (await client.post("/api/v1/query", json={"prompt": "average price per city in prices"})).json()
    found["question"] = to_ten_digits(asked["data_csv"])
    assert asked["rows_returned"] == 4, asked
    return found


async def pack(database: Database, dataset: int, *, batch: int = 12_000) -> int:
    total = 0
    while (rows := await mover.pack_next(database, dataset, 2_000_000_000_000_000, 2**62, batch=batch)) is not None:
        total += rows
    await mover.settle(database, dataset)
    return total


async def test_endpoints(client: Client, people: People, database: Database) -> None:
    owner, holder = client(people.owner), client(people.holder)
    dataset = await make_dataset(owner)
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
    await insert(owner, dataset, csv(0, ROWS))
    while await maintenance.advance(database, dataset, least=1):
        pass
    before = await answers(owner, dataset)
    theirs = await answers(holder, dataset)
    bytes_before = (await owner.get(f"/api/datasets/{dataset}/summary/")).json()["bytes"]
    assert await pack(database, dataset) == ROWS
    for one, known in ((owner, before), (holder, theirs)):
        after = await answers(one, dataset)
        for what, answer in known.items():
            assert after[what] == answer, what
    may = await database.fetch(
        "SELECT relname, rolname FROM pg_class JOIN pg_roles ON rolname ~ '^org_.*_(u[0-9]+|reader)$' "
        "WHERE relname ~ '^(_hot|_chunks|dataset|_query)_' AND has_table_privilege(rolname, pg_class.oid, 'SELECT')"
    )
    # No reader's role may read tables that do not have all rows.
    assert not may
    stranger = client(people.stranger)
    assert (await stranger.get(f"/api/rows/?dataset={dataset}")).status_code == 403
    assert (await stranger.post("/api/v1/sql", json={"sql": QUERIES[0]})).status_code == 400
    bytes_after = (await owner.get(f"/api/datasets/{dataset}/summary/")).json()["bytes"]
    assert bytes_after < bytes_before / 4
    used = (await owner.get("/api/v1/usage")).json()["storage"]
    assert used["dataset_bytes"] == bytes_after


async def test_what_changes_after(client: Client, people: People, database: Database) -> None:
    """Inserts, new columns, wider ones, deletes and streams go on where rows are packed, and rights stay."""
    owner, holder = client(people.owner), client(people.holder)
    dataset, twin = await make_dataset(owner), await make_dataset(owner, name="twin")
    for one in (dataset, twin):
        await insert(owner, one, csv(0, 20_000))
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
    # Exact, whatever the order of the rows.
    total = "SELECT count(*), sum(n), sum(CAST(price AS numeric)) FROM {}"
    assert (await holder.post("/api/v1/sql", json={"sql": total.format("prices")})).json()["success"]
    assert await pack(database, dataset) == 20_000
    for one in (dataset, twin):
        body = b"timestamp,n,price,new column\n2024-01-20,1.5,9,a\n2024-01-01T00:00:05Z,2,8,b\n"
        await insert(owner, one, body)
        await owner.post("/api/columns/", json={"dataset": one, "name": "declared", "dtype": "float"})
        span = "start=2024-01-02&end=2024-01-03T12:00:00Z"
        deleted = await owner.delete(f"/api/rows/?dataset={one}&{span}")
        assert deleted.status_code == 200, deleted.text
    for again in range(2):
        # A sum of floats depends on the order of its rows.
        for path in [path for path in GETS if "aggregate" not in path] + [
            "aggregate/?bucket=1h&functions=min,max,last"
        ]:
            both = [
                (await owner.get(f"/api/rows/{path}{'&' if '?' in path else '?'}dataset={one}")).content
                for one in (dataset, twin)
            ]
            ours, others = (re.sub(rb'dataset(?:=|":)\d', b"", text) for text in both)
            assert ours == others, path
        rows = [
            (await one.post("/api/v1/sql", json={"sql": total.format(name)})).json()["data_csv"]
            for one, name in ((owner, "prices"), (owner, "twin"), (holder, "prices"))
        ]
        assert rows[0] == rows[1] == rows[2]
        if not again:
            assert await pack(database, dataset) == 2
    dropped = await owner.delete(f"/api/datasets/{dataset}/")
    assert dropped.status_code == 204
    left = await database.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'i') AND relname ~ %(pattern)s",
        pattern=f"_{dataset}(_|$)",
    )
    assert not [name for (name,) in left if "dataset" in name or "cold" in name or "hot" in name]


async def test_sweeps(client: Client, people: People, database: Database) -> None:
    """Rows are packed when two sweeps have seen them, are old enough, and are many."""
    owner = client(people.owner)
    few, many, new = [await make_dataset(owner, name=name) for name in ("few", "many", "new")]
    await insert(owner, few, csv(0, 1_000))
    # Fewer rows at once than go straight to chunks.
    for first, rows in ((0, 30_000), (30_000, 25_000)):
        await insert(owner, many, csv(first, rows))
        recent = [f"2999-01-01T00:00:00.{n:06d}Z,{n}" for n in range(first, first + rows)]
        await insert(owner, new, "\n".join(["timestamp,n", *recent]).encode())
    compaction = Compaction(database, days=7)
    assert await compaction.sweep() == 0
    await insert(owner, many, csv(55_000, 10))
    # The last block has a row that the first sweep has not seen.
    assert await compaction.sweep() == 50_000
    assert await compaction.sweep() == 0
    assert [row[0] for row in await database.fetch("SELECT dataset_id FROM atlas.cold")] == [many]
    off = Compaction(database, days=float("inf"))
    off.start()
    await off.close()


async def test_one_that_cannot_be_packed(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are packed, and it stays as it is."""
    owner = client(people.owner)
    first, second = [await make_dataset(owner, name=name) for name in ("first", "second")]
    for dataset in (first, second):
        await insert(owner, dataset, csv(0, 25_000))
        await insert(owner, dataset, csv(25_000, 25_000))
    pack_next = mover.pack_next

    async def fail(database: Database, dataset_id: int, *arguments: int, **options: bool) -> int | None:
        if dataset_id == first:
            raise RuntimeError("unforeseen")
        return await pack_next(database, dataset_id, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(mover, "pack_next", fail)
    compaction = Compaction(database, days=7)
    assert [await compaction.sweep() for _ in range(3)] == [0, 50_000, 0]
    assert [row[0] for row in await database.fetch("SELECT dataset_id FROM atlas.cold")] == [second]


JOINS = (
    "SELECT c.country, count(*), sum(p.n), min(c.since), max(c.rating) FROM prices p JOIN cities c ON p.city = c.city"
    " GROUP BY c.country ORDER BY c.country",
    "SELECT c.city, count(p.n) FROM cities c LEFT JOIN prices p ON p.city = c.city AND p.n > 29990 GROUP BY c.city"
    " ORDER BY c.city",
    "SELECT count(*) FROM prices p WHERE p.city IN (SELECT city FROM cities WHERE open AND since < DATE '2000-01-01')",
    "SELECT p.ts, p.n, c.checked FROM prices p JOIN cities c USING (city) WHERE c.visits > 10 ORDER BY p.n LIMIT 5",
)


async def test_joins_with_imported_tables(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A join of packed rows with an imported table gives the rows that it gave before, and unpacks nothing."""
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    await insert(owner, dataset, csv(0, 12_000))
    table = (
        b"city,country,since,rating,open,visits,checked\n"
        b"Bern,CH,1191-05-01,4.5,true,12,2024-01-01T10:00:00Z\n"
        b"Oslo,NO,2001-02-03,3.25,true,900,2024-05-01T00:00:00Z\n"
        b"Rome,IT,0753-04-21,4.75,false,7,\n"
        b"Lund,SE,0990-01-01,,true,1,2023-01-01T00:00:00Z\n"
    )
    imported = await owner.post(
        "/api/v1/smart-import",
        files={"file": ("cities.csv", table, "text/csv")},
        data={"instruction": "import into cities"},
    )
    assert imported.status_code == 200, imported.text
    before = [(await owner.post("/api/v1/sql", json={"sql": sql})).json() for sql in JOINS]
    assert all(answer["rows_returned"] for answer in before), before
    assert await pack(database, dataset) == 12_000

    async def refuse(*_: object) -> None:
        raise AssertionError("rows were unpacked")

    monkeypatch.setattr(UnpackedTables, "_make", refuse)
    for sql, known in zip(JOINS, before, strict=True):
        answer = (await owner.post("/api/v1/sql", json={"sql": sql})).json()
        assert answer.get("data_csv") == known["data_csv"], (sql, answer)
