"""What is done for a dataset's table in the background after writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from tests.conftest import People, caller_of, new_dataset
from tests.integration.test_rollups import START, insert

from atlas.db.database import Database
from atlas.kit.admission import Lane, Turns, serving
from atlas.timeseries.maintenance import indexes, scheduler
from atlas.timeseries.maintenance.scheduler import INSISTENT_ROWS, LARGE_ROWS, Upkeep
from atlas.timeseries.rollups import maintenance

pytestmark = pytest.mark.anyio
BATCH = 100_000


class Dataset:
    """One whose rows come every second, in batches."""

    def __init__(self, database: Database, number: int) -> None:
        self._database, self.number, self.rows = database, number, 0

    async def load(self, rows: int = BATCH) -> None:
        first, self.rows = self.rows, self.rows + rows
        numbers = pa.array([float(second) for second in range(rows)])
        micros = [START + (first + second) * 1_000_000 for second in range(rows)]
        await insert(self._database, self.number, micros, {"a": numbers, "b": numbers, "c": numbers})

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query of the {table} or its {index}, by a connection with PostgreSQL's own settings."""
        found = await self._database.fetch("SELECT table_schema FROM atlas.datasets WHERE id = %(id)s", id=self.number)
        table = sql.Identifier(found[0][0], f"dataset_{self.number}").as_string()
        index = indexes.brin_of(found[0][0], self.number).as_string()
        async with await psycopg.AsyncConnection.connect(self._database.url, autocommit=True) as connection:
            asked = query.format(table=table, index=index).encode()
            return await (await connection.execute(asked)).fetchall()

    async def known(self) -> int:
        """Rows that PostgreSQL knows of."""
        return int((await self.ask("SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass"))[0][0])

    async def unsummarized(self) -> int:
        """Ranges of pages that the index knew nothing of."""
        return int((await self.ask("SELECT brin_summarize_new_values('{index}')"))[0][0])

    async def plan(self) -> str:
        query = "EXPLAIN SELECT max(a) FROM {table} WHERE ts >= '2023-11-15' AND ts < '2023-11-15 01:00'"
        return "\n".join(line for (line,) in await self.ask(query))


@pytest.fixture
async def dataset(database: Database, people: People) -> Dataset:
    return Dataset(database, await new_dataset(database, people))


@pytest.fixture
async def busy(database: Database, dataset: Dataset) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Rows, and a connection that holds the lock of a table as autovacuum does."""
    await dataset.load()
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        found = await (await connection.execute(b"SELECT table_schema FROM atlas.datasets")).fetchone()
        assert found is not None
        table = sql.Identifier(found[0], f"dataset_{dataset.number}")
        await connection.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(table))
        yield connection


async def test_sql_over_a_range_reads_no_more_soon_after_a_load(database: Database, dataset: Dataset) -> None:
    await dataset.load()
    assert f"dataset_{dataset.number}_brin" not in await dataset.plan()
    assert await indexes.tidy(database, dataset.number)
    assert f"Bitmap Index Scan on dataset_{dataset.number}_brin" in await dataset.plan()


async def test_it_is_analyzed_again_when_it_is_twice_as_large(database: Database, dataset: Dataset) -> None:
    for rows, known in ((BATCH, BATCH), (BATCH // 2, BATCH), (BATCH, BATCH * 5 // 2)):
        await dataset.load(rows)
        assert await indexes.tidy(database, dataset.number)
        assert await dataset.known() == known


async def test_few_rows_are_left_to_autovacuum(database: Database, dataset: Dataset) -> None:
    before = await dataset.known()
    assert await indexes.tidy(database, dataset.number)
    assert await dataset.known() == before


async def test_an_autovacuum_is_let_end(
    database: Database, dataset: Dataset, busy: psycopg.AsyncConnection[Any]
) -> None:
    assert not await asyncio.wait_for(indexes.summarize(database, dataset.number), 5)
    assert not await asyncio.wait_for(indexes.tidy(database, dataset.number), 5)
    # Who waits for longer has PostgreSQL end it.
    insisting = asyncio.create_task(indexes.tidy(database, dataset.number, insist=True))
    assert not (await asyncio.wait({insisting}, timeout=1))[0]
    await busy.rollback()
    assert await asyncio.wait_for(insisting, 30)
    assert await dataset.known() == BATCH
    # The wait ends with the statement.
    assert await database.fetch("SELECT current_setting('lock_timeout')") == [("0",)]


@pytest.mark.parametrize("rows", [1, INSISTENT_ROWS])
async def test_what_could_not_be_done_is_tried_again(
    database: Database, dataset: Dataset, busy: psycopg.AsyncConnection[Any], rows: int
) -> None:
    background = Upkeep(database, idempotency_hours=1, deleted_days=7)
    try:
        background.touch(dataset.number, rows)
        await asyncio.sleep(2)
        assert await dataset.known() != BATCH
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted"
        if rows == INSISTENT_ROWS:
            assert (await dataset.ask(waiting))[0][0] > 0
        await busy.rollback()
        async with asyncio.timeout(30):
            while await dataset.known() != BATCH:
                await asyncio.sleep(0.1)
        assert await dataset.unsummarized() <= 1
    finally:
        await background.close()


@pytest.mark.parametrize("rows", [1, LARGE_ROWS, None])
async def test_it_takes_no_turn_of_whose_request_it_follows(
    database: Database, dataset: Dataset, people: People, monkeypatch: pytest.MonkeyPatch, rows: int | None
) -> None:
    """rows: as of an insert, small or large; None: of nobody's insert, as a chart that is looked at."""
    monkeypatch.setattr(scheduler, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(scheduler, "QUIET_SECONDS", 0.0)
    await dataset.load()
    lane, caller = Lane("requests", 1, 0.01), await caller_of(database, people.owner)
    shared = Database(database.url, pool_size=2, statement_timeout=60, turns=Turns(lane))
    await shared.open()
    background = Upkeep(shared, idempotency_hours=1, deleted_days=7)
    lane.enter_at_once(caller)
    serving(caller)
    try:
        if rows is None:
            background.want(dataset.number)
        else:
            background.touch(dataset.number, rows)
        async with asyncio.timeout(20):
            while await maintenance.count_missing(database, dataset.number):
                await asyncio.sleep(0.05)
        if rows is not None:
            assert (await dataset.known(), await dataset.unsummarized()) == (BATCH, 0)
    finally:
        await background.close()
        await shared.close()
