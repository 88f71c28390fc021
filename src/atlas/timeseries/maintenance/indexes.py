"""Maintenance of a dataset's table after writes: BRIN summaries, statistics, and a btree when rows come out
of order.
"""

from __future__ import annotations

import contextlib

import psycopg
from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.timeseries.repository import hot_of

# A dataset gets a btree on time once this number and this share of rows came late. BRIN can then no longer tell which
# pages hold a range. The btree makes inserts slower, so datasets in order have none. It pays from the start where
# inserts look for rows of their timestamps, in a dataset without keys.
LATE_ROWS = 50_000
LATE_SHARE = 0.05
# Without statistics of a table, SQL over one hour reads the whole table: 13 s at 100 million rows. Autovacuum makes
# statistics, but vacuums first, which takes minutes at that size. Therefore a table is analyzed at once at this number
# of pages (some 4 MB), and again at twice its size.
ANALYZED_PAGES = 512

# PostgreSQL cancels an autovacuum after another session has waited one second for its lock. Maintenance looks in every
# second, so it waits less.
LOCK_WAIT = "200ms"


async def forget_idempotency_keys(database: Database, hours: int) -> None:
    """Deletes the idempotency keys of inserts older than `hours`."""
    await database.fetch(queries("timeseries/rows")["forget_idempotency_keys"], hours=hours)


async def summarize(database: Database, dataset_id: int, *, insist: bool = False) -> bool:
    """Summarizes new pages, so that reads of a range can skip pages. Does nothing when there are no new pages.

    Returns False when another session holds the table's lock. `insist` waits for the lock, which ends an autovacuum of
    the table.
    """
    rows = await database.fetch("SELECT table_schema FROM atlas.datasets WHERE id = %(id)s", id=dataset_id)
    if not rows:
        return True
    with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedObject):
        async with database.connection() as connection:
            return await summarize_pages(connection, rows[0][0], dataset_id, insist=insist)
    return True


def brin_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the name of the BRIN index of a dataset's rows by time and number."""
    return sql.Identifier(schema, f"dataset_{dataset_id}_brin")


async def summarize_pages(connection: Connection, schema: str, dataset_id: int, *, insist: bool = True) -> bool:
    """Summarizes new pages like `summarize`, on the caller's connection.

    Raises UndefinedTable: when the dataset is gone.
    """
    query = b"SELECT brin_summarize_new_values(%s) FROM set_config('lock_timeout', %s, true)"
    try:
        await connection.execute(query, (brin_of(schema, dataset_id).as_string(), "0" if insist else LOCK_WAIT))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


async def tidy(database: Database, dataset_id: int, *, insist: bool = False) -> bool:
    """Summarizes new pages, analyzes the rows and adds the btree when each is due.

    Does nothing when the dataset is gone. Returns False when `tidy` must be called again. `insist` is that of
    `summarize`.
    """
    rows = await database.fetch(queries("timeseries/rows")["read_upkeep"], id=dataset_id, least=ANALYZED_PAGES)
    if not rows:
        return True
    schema, count, late, indexed, cold, met, unknown = rows[0]
    hot = hot_of(schema, dataset_id, cold=cold)
    index_due = not indexed and (met or (late >= LATE_ROWS and late >= count * LATE_SHARE))
    with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedObject):
        async with database.connection() as connection:
            if not await summarize_pages(connection, schema, dataset_id, insist=insist):
                return False
            if unknown or index_due:
                await connection.execute("SET statement_timeout = 0")
                try:
                    if unknown:
                        await connection.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(hot))
                    if index_due:
                        await _add_index(connection, dataset_id, hot)
                finally:
                    await connection.execute("RESET statement_timeout")
    return True


async def _add_index(connection: Connection, dataset_id: int, hot: sql.Identifier) -> None:
    name = sql.Identifier(f"dataset_{dataset_id}_ts")
    await connection.execute(sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (ts, _seq)").format(name, hot))
    await connection.execute(queries("timeseries/rows")["set_ts_index"], {"id": dataset_id})
