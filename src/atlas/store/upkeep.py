"""Upkeep of a dataset's table after writes: BRIN summaries, and a btree where rows come out of order."""

from __future__ import annotations

import contextlib

import psycopg
from psycopg import sql

from atlas.store.database import Connection, Database
from atlas.store.datasets import hot_of
from atlas.store.queries import queries

# A dataset gets a btree on time once this many rows, and this share of them, came late: BRIN can no
# longer tell which pages hold a range. The btree makes inserts slower, so datasets in order have none.
LATE_ROWS = 50_000
LATE_SHARE = 0.05


async def forget_idempotency_keys(database: Database, hours: int) -> None:
    """Removes the keys of inserts that were made longer ago than `hours`."""
    await database.fetch(queries("rows")["forget_idempotency_keys"], hours=hours)


async def summarize(database: Database, dataset_id: int) -> None:
    """Summarizes new pages, so that reads of a range need not go through them all. Does nothing where there is none."""
    rows = await database.fetch("SELECT table_schema FROM atlas.datasets WHERE id = %(id)s", id=dataset_id)
    if rows:
        with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedObject):
            async with database.connection() as connection:
                await summarize_pages(connection, rows[0][0], dataset_id)


def brin_of(schema: str, dataset_id: int) -> sql.Identifier:
    """The index of a dataset's rows by time and number."""
    return sql.Identifier(schema, f"dataset_{dataset_id}_brin")


async def summarize_pages(connection: Connection, schema: str, dataset_id: int) -> None:
    """As `summarize`, on a connection of the caller's. Raises UndefinedTable where the dataset is gone."""
    index = brin_of(schema, dataset_id)
    await connection.execute(sql.SQL("SELECT brin_summarize_new_values({})").format(sql.Literal(index.as_string())))


async def tidy(database: Database, dataset_id: int) -> None:
    """Summarizes new pages and adds the btree if it is due. Does nothing where the dataset is gone."""
    rows = await database.fetch(
        "SELECT d.table_schema, s.row_count, s.late_rows, s.ts_index, s.cold FROM atlas.dataset_state s "
        "JOIN atlas.datasets d ON d.id = s.dataset_id WHERE s.dataset_id = %(id)s",
        id=dataset_id,
    )
    if not rows:
        return
    schema, count, late, indexed, cold = rows[0]
    try:
        async with database.connection() as connection:
            await summarize_pages(connection, schema, dataset_id)
            if not indexed and late >= LATE_ROWS and late >= count * LATE_SHARE:
                await connection.execute("SET statement_timeout = 0")
                try:
                    await connection.execute(
                        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (ts, _seq)").format(
                            sql.Identifier(f"dataset_{dataset_id}_ts"), hot_of(schema, dataset_id, cold=cold)
                        )
                    )
                    await connection.execute(queries("rows")["set_ts_index"], {"id": dataset_id})
                finally:
                    await connection.execute("RESET statement_timeout")
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedObject):
        return
