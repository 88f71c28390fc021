"""Converts rows that an earlier version packed into chunks, in batches, beside reads, writes and deletions.

Each batch is one transaction, and the next batch is what is left. A conversion that is stopped goes on later.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.timeseries.cold import legacy_view, store
from atlas.timeseries.cold.chunk_codec import Chunk
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.cold.mover import BATCH_ROWS, ChangedError, lock_state, read_chunks
from atlas.timeseries.cold.store import Cold
from atlas.timeseries.read.snapshot import Snapshot, snapshot
from atlas.timeseries.repository import keep_out
from atlas.timeseries.zone_map import Range


async def unconverted(database: Database) -> list[int]:
    """Returns the datasets with rows in the storage of an earlier version."""
    return [row[0] for row in await database.fetch(queries("timeseries/cold/cold")["legacy"])]


async def convert_next(database: Database, dataset_id: int, *, batch: int = BATCH_ROWS) -> int | None:
    """Converts the next rows, and returns their number. Returns None at the end, or where a lock is held."""
    try:
        shot = await snapshot(database, dataset_id)
        async with database.connection() as connection:
            cold = await store.find(connection, dataset_id)
            if cold is None or not cold.legacy:
                return None
            bounds = await _next_numbers(connection, cold, batch)
        if bounds is None:
            await _finish(database, dataset_id)
            return None
        source = sql.SQL("({}) AS legacy").format(_legacy_rows(cold, shot, bounds))
        chunks = await read_chunks(database, source, shot.columns, has_extra=shot.has_extra)
        async with database.transaction() as connection:
            locked = await connection.execute(queries("timeseries/cold/cold")["lock_if_free"], {"id": dataset_id})
            if await locked.fetchone() is None:
                return None
            await _replace(connection, cold, bounds, chunks)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, NotFoundError, ChangedError):
        return None
    return store.numbers_of(chunks)


async def _replace(connection: Connection, cold: Cold, bounds: Bounds, chunks: Sequence[Chunk]) -> None:
    """Replaces rows of the earlier storage by chunks. Raises ChangedError when the rows are others meanwhile."""
    rows = store.numbers_of(chunks)
    if await legacy_view.remove(connection, cold, bounds) != rows:
        raise ChangedError
    await store.insert_chunks(connection, cold.chunks, chunks)
    await store.advance(connection, cold.dataset_id, cold.upto, rows)


async def _next_numbers(connection: Connection, cold: Cold, batch: int) -> Bounds | None:
    """Returns the numbers of the next rows to convert, or None when none are left."""
    if cold.columnstore:
        query = "SELECT min(_seq), min(_seq) + {} FROM {}"
    else:
        query = (
            "SELECT min(low_seq), max(high_seq) FROM (SELECT low_seq, high_seq, "
            "sum(rows) OVER (ORDER BY low_seq) - rows AS before FROM {1}) AS segments WHERE before < {0}"
        )
    row = await executor.row(connection, sql.SQL(query).format(sql.Literal(batch), cold.packed), {})
    return None if row is None or row[0] is None else Bounds(Range(), row[0], row[1])


def _legacy_rows(cold: Cold, shot: Snapshot, bounds: Bounds) -> sql.Composed:
    """Builds the query of the rows to convert, unpacked."""
    numbers = sql.Literal(bounds.first), sql.Literal(bounds.last)
    if cold.columnstore:
        return sql.SQL("SELECT * FROM {} WHERE _seq BETWEEN {} AND {}").format(cold.unpacked, *numbers)
    columns = [column for column in shot.columns if column.physical]
    where = sql.SQL("low_seq >= {} AND high_seq <= {}").format(*numbers)
    return legacy_view.unpacked(cold, columns, bounds=False, where=where)


async def _finish(database: Database, dataset_id: int) -> None:
    """Drops the emptied tables and their view. Readers that know the view look again."""
    async with lock_state(database, dataset_id) as connection:
        await connection.execute(queries("timeseries/cold/cold")["lock"], {"id": dataset_id})
        cold = await store.find(connection, dataset_id)
        if cold is None or not cold.legacy or await _next_numbers(connection, cold, 1) is not None:
            return
        await keep_out(connection, cold.view)
        for view in (cold.view, cold.unpacked):
            await connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
        await connection.execute(sql.SQL("DROP TABLE {}").format(cold.packed))
        known = queries("timeseries/cold/cold")
        await connection.execute(known["forget_grants"], {"id": dataset_id})
        await connection.execute(known["converted"], {"id": dataset_id})
