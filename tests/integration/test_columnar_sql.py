"""SQL on packed rows gives the rows of PostgreSQL, whichever of the two engines runs the query."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import os
import random
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from typing import Any

import psutil
import psycopg
import pyarrow as pa
import pytest
from tests.columnar_queries import FAILING, LEFT, QUERIES
from tests.conftest import People, caller_of, new_dataset
from tests.integration.test_cold import START, insert, pack_all

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.accounts.tags import TagService
from atlas.catalog.model import Catalog
from atlas.catalog.repository import CatalogStore
from atlas.db.database import Database
from atlas.errors import NotFoundError, UnavailableError
from atlas.sqlgate.columnar.runner import ColumnarRunner
from atlas.sqlgate.gate import check_query
from atlas.sqlgate.sandbox import QueryLimits, QueryResult
from atlas.sqlgate.unpacked_tables import UnpackedTables
from atlas.workers.pool import ReaderLimits, WorkerPool
from atlas.workers.process import WorkerProcess

pytestmark = pytest.mark.anyio
ROWS, LIMIT = 3_000, 5_000
ENDLESS = "SELECT count(*) FROM p AS a, p AS b, p AS c WHERE a.close < b.close AND b.noise < c.noise"
# More find more.
SEED, EXAMPLES = int(os.environ.get("ATLAS_TEST_SEEDS", "7")), int(os.environ.get("ATLAS_TEST_EXAMPLES", "25"))


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    pool = WorkerPool(spare=1, most=2)
    yield pool
    pool.close()


STAND_IN = re.compile(r'"(?:\w+"\.")?_query_[0-9]{10}_[0-9a-f]{16}_([0-9]+)"')


class Engines:
    """One query by both engines. tables: SQL names of the unpacked tables by dataset."""

    def __init__(
        self, database: Database, caller: Caller, catalog: Catalog, workers: WorkerPool, tables: dict[str, str]
    ) -> None:
        self.caller, self.catalog, self.database, self.tables = caller, catalog, database, tables
        self.duckdb = ColumnarRunner(database, workers, QueryLimits(seconds=120))

    async def both(self, text: str) -> tuple[QueryResult | None, QueryResult | str]:
        """The result of DuckDB, None where it leaves the query, and that of PostgreSQL, or its reason."""
        checked = check_query(text, self.catalog, max_rows=LIMIT)
        found = None
        if checked.columnar is not None:
            found = await self.duckdb.run(self.caller, checked.columnar, LIMIT)
        return found, await self.in_postgres(STAND_IN.sub(lambda name: self.tables[name[1]], checked.physical))

    async def in_postgres(self, sql: str) -> QueryResult | str:
        async with self.database.connection() as connection, connection.transaction(force_rollback=True):
            await connection.execute("SET LOCAL TIME ZONE 'UTC'")
            try:
                cursor = await connection.execute(sql.encode())
            except psycopg.Error as error:
                return error.diag.message_primary or ""
            rows = await cursor.fetchall()
            types = connection.adapters.types
            columns = tuple((one.name, types[one.type_code].name) for one in cursor.description or ())
            return QueryResult(columns, rows[:LIMIT], len(rows) > LIMIT, 0.0)


@contextlib.asynccontextmanager
async def both_engines(database: Database, people: People, workers: WorkerPool) -> AsyncIterator[Engines]:
    """Both engines on the two datasets, whose rows are unpacked for PostgreSQL once."""
    catalog, caller = await two_datasets(database, people), await caller_of(database, people.owner)
    everything = check_query("SELECT p.*, o.* FROM p, o", catalog)
    tables = UnpackedTables(database, 120)
    async with tables.tables(caller, f"{caller.schema_name}_reader", everything, rows=True) as physical:
        named = {name[1]: name[0] for name in STAND_IN.finditer(physical)}
        yield Engines(database, caller, catalog, workers, named)


def alike(one: Any, other: Any) -> bool:
    """Whether two cells are the same: of one type, doubles up to the order in which they were added up."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, Decimal):
        return str(one) == str(other)
    return bool(one == other)


def key(row: Sequence[Any]) -> list[str]:
    return [f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in row]


def compare(text: str, found: QueryResult, expected: QueryResult) -> None:
    assert found.columns == expected.columns, text
    ordered = "ORDER BY" in text.upper()
    rows = [found.rows, expected.rows] if ordered else [sorted(found.rows, key=key), sorted(expected.rows, key=key)]
    assert len(rows[0]) == len(rows[1]), text
    for one, other in zip(*rows, strict=True):
        assert all(map(alike, one, other)), (text, one, other)
    assert found.truncated == expected.truncated


async def two_datasets(database: Database, people: People) -> Catalog:
    """Prices with packed and plain rows, and orders that are joined with them."""
    source = random.Random(7)
    prices, orders = [await new_dataset(database, people) for _ in range(2)]
    for dataset, step in ((prices, 61_000_000), (orders, 3_700_000_000)):
        for part in range(3):
            rows = ROWS if dataset == prices else 200
            micros = [START + (part * rows + n) * step for n in range(rows)]
            columns = {
                "close": pa.array([None if source.random() < 0.05 else round(source.gauss(0, 90), 2) for _ in micros]),
                "noise": pa.array([source.choice([source.gauss(0, 1), 0.0, 2.5, -2.5, 1e9]) for _ in micros]),
                "volume": pa.array([None if source.random() < 0.05 else source.randrange(-9, 2**40) for _ in micros]),
                "lots": pa.array([source.randrange(-7, 8) for _ in micros]),
                "side": pa.array([source.choice(["buy", "sell", "Ünder", "a_b", "", None]) for _ in micros]),
                "open": pa.array([source.choice([True, False, None]) for _ in micros]),
            }
            await insert(database, dataset, micros, columns)
            if part < 2:
                await pack_all(database, dataset)
    async with database.connection() as connection:
        for dataset, name in ((prices, "p"), (orders, "o")):
            await connection.execute("UPDATE atlas.datasets SET name = %s WHERE id = %s", (name, dataset))
    caller = await caller_of(database, people.owner)
    store = CatalogStore(database)
    catalog = await store.for_sql(caller, "p o")
    await store.close()
    assert all(table.cold for table in catalog.tables)
    return catalog


async def test_both_engines_give_the_same_rows(database: Database, people: People, workers: WorkerPool) -> None:
    left = []
    async with both_engines(database, people, workers) as engines:
        for text in (*QUERIES, *sorted(LEFT), *FAILING):
            found, expected = await engines.both(text)
            if text in FAILING:
                assert found is None
                assert expected == FAILING[text]
            elif found is None:
                left.append(text)
            elif isinstance(expected, str):
                raise AssertionError((text, expected))
            else:
                compare(text, found, expected)
    # PostgreSQL says why a division by zero ends the query.
    assert set(left) == LEFT


def random_query(source: random.Random) -> str:
    """A query of parts that fit together."""
    number = source.choice(["close", "noise", "volume", "lots", "lots * 2 - 3", "close + lots", "-noise", "volume / 7"])
    condition = source.choice(
        [
            "lots > 1",
            "close BETWEEN -20 AND 35.5",
            "side IN ('buy', 'Ünder')",
            "NOT open",
            "ts >= '2023-11-15T12:00:00Z'",
            "ts < TIMESTAMPTZ '2023-11-17 01:00:00+05:30' OR side IS NULL",
            "volume IS DISTINCT FROM 5",
            "coalesce(close, 0.5) <> 0.5",
            "open IS NOT TRUE AND noise >= lots",
            "date_trunc('month', ts) = '2023-11-01'",
        ]
    )
    figures = source.sample(
        [
            "count(*)",
            f"count({number})",
            f"min({number})",
            f"max({number})",
            f"sum({number}) FILTER (WHERE {condition})",
            f"sum(CASE WHEN {condition} THEN {number} END)",
            f"count(DISTINCT {number})",
        ],
        2,
    )
    key = source.choice(
        ["side", "open", "lots", "date_trunc('day', ts)", "extract(hour FROM ts)", "ts::date", "lots % 3"]
    )
    where = f" WHERE {condition}" if source.random() < 0.6 else ""
    if source.random() < 0.3:
        order = source.choice(["k, at", "k DESC, at DESC"])
        return f"SELECT {key} AS k, {number}, ts AS at FROM p{where} ORDER BY {order} LIMIT {source.randrange(1, 40)}"
    return f"SELECT {key}, {', '.join(figures)} FROM p{where} GROUP BY {key} ORDER BY 1 {source.choice(['', 'DESC'])}"


async def test_random_queries(database: Database, people: People, workers: WorkerPool) -> None:
    source = random.Random(SEED)
    answered = 0
    async with both_engines(database, people, workers) as engines:
        for _ in range(EXAMPLES):
            text = random_query(source)
            found, expected = await engines.both(text)
            if found is not None:
                assert not isinstance(expected, str), (text, expected)
                compare(text, found, expected)
                answered += 1
    assert answered > EXAMPLES * 0.8


async def test_only_readers_get_an_answer(database: Database, people: People, workers: WorkerPool) -> None:
    catalog = await two_datasets(database, people)
    checked = check_query("SELECT avg(close) FROM p", catalog)
    assert checked.columnar is not None
    runner = ColumnarRunner(database, workers, QueryLimits(seconds=120))
    for key in (people.stranger, people.holder):
        with pytest.raises(NotFoundError):
            await runner.run(await caller_of(database, key), checked.columnar, 10)
    tags = TagService(database, AccessService(database))
    owner, holder = await caller_of(database, people.owner), await caller_of(database, people.holder)
    (dataset,) = [table.dataset_id for table in catalog.tables if table.name == "p" and table.dataset_id]
    for each in (owner, holder):
        await tags.acquire(each, "premium", "open sesame")
    await tags.assign(owner, dataset, "premium", None)
    found = await runner.run(holder, checked.columnar, 10)
    assert found is not None
    assert len(found.rows) == 1


class WatchedPool(WorkerPool):
    """A pool that tells which processes had a task."""

    def __init__(self) -> None:
        super().__init__(spare=1, most=1)
        self.pids: list[int] = []

    def take(self) -> WorkerProcess:
        process = super().take()
        self.pids.append(process.pid)
        return process


async def test_a_caller_that_leaves_ends_the_process(database: Database, people: People) -> None:
    catalog = await two_datasets(database, people)
    pool = WatchedPool()
    try:
        checked = check_query(ENDLESS, catalog)
        assert checked.columnar is not None
        runner = ColumnarRunner(database, pool, QueryLimits(seconds=120))
        asked = asyncio.create_task(runner.run(await caller_of(database, people.owner), checked.columnar, 10))
        async with asyncio.timeout(60):
            while not pool.pids or psutil.Process(pool.pids[0]).cpu_times().user < 3:
                await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert not psutil.pid_exists(pool.pids[0])
    finally:
        pool.close()


async def test_a_query_that_takes_too_long_or_too_much(database: Database, people: People, workers: WorkerPool) -> None:
    catalog = await two_datasets(database, people)
    owner = await caller_of(database, people.owner)
    checked = check_query(ENDLESS, catalog)
    assert checked.columnar is not None
    with pytest.raises(UnavailableError, match="too long"):
        await ColumnarRunner(database, workers, QueryLimits(seconds=2)).run(owner, checked.columnar, 10)
    # More than the process may have: PostgreSQL, which may use the disk, is asked instead.
    sorted_rows = check_query(
        "SELECT a.ts, b.ts, a.side FROM p AS a, p AS b ORDER BY a.noise * b.noise", catalog, max_rows=10
    )
    assert sorted_rows.columnar is not None
    small = WorkerPool(ReaderLimits(memory=200 * 2**20), spare=0)
    try:
        wide = dataclasses.replace(sorted_rows.columnar, sql=sorted_rows.columnar.sql.replace(" LIMIT 11", ""))
        assert await ColumnarRunner(database, small, QueryLimits(seconds=120)).run(owner, wide, 10) is None
    finally:
        small.close()
