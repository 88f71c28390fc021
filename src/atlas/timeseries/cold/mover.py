"""Packs a dataset's old rows in batches, beside concurrent reads, writes and deletions; see `store.py`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import psycopg
import pyarrow as pa
from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.kit.timestamps import from_micros
from atlas.timeseries.cold import chunk_codec, store
from atlas.timeseries.cold.chunk_codec import EXTRA, Chunk, part_name
from atlas.timeseries.cold.store import Cold
from atlas.timeseries.columns import Column
from atlas.timeseries.maintenance.indexes import brin_of, summarize_pages
from atlas.timeseries.read.snapshot import snapshot
from atlas.timeseries.repository import BRIN_PAGES
from atlas.timeseries.zone_map import Block

# Rows of one batch: some 0.1 s of work for one core, then as long in the database.
BATCH_ROWS = 100_000
# Fewer old rows are not worth two tables instead of one.
LEAST_ROWS = 50_000
# Readers and writers queue behind a session that waits for an exclusive lock, so no session waits longer.
LOCK_WAIT = b"lock_timeout = '500ms'"
# MOVED_ROWS: up to this number, the remaining rows move to the front of their table in one statement. FEW_PAGES: a
# surplus of pages that does not matter.
MOVED_ROWS, FEW_PAGES = 2_000_000, 64


async def find_due(database: Database, before: int, *, least: int = LEAST_ROWS) -> dict[int, int]:
    """Finds datasets with rows to pack older than `before` (microseconds). Returns the last row's number by
    dataset id.
    """
    rows = await database.fetch(queries("timeseries/cold/cold")["due"], least=least, before=before)
    return {row[0]: row[1] for row in rows}


async def pack_next(
    database: Database, dataset_id: int, before: int, seen: int, *, batch: int = BATCH_ROWS
) -> int | None:
    """Packs the next rows older than `before` and numbered up to `seen`.

    Returns the number of packed rows, or None at the end. Any number of processes may pack at the same time. A process
    that meets another returns None.
    """
    try:
        shot = await snapshot(database, dataset_id)
        async with database.connection() as connection:
            cold = await store.find(connection, dataset_id)
        upto = None if cold is None else _last_of_batch(shot.blocks, cold.upto, before, seen, batch)
        if cold is None or upto is None:
            return None
        if not cold.frozen:
            async with lock_state(database, dataset_id) as connection:
                await store.freeze(connection, dataset_id)
                cold = await store.find(connection, dataset_id)
            assert cold is not None
        where = sql.SQL("_seq > {} AND _seq <= {} AND ts < {}").format(
            cold.upto, upto, sql.Literal(from_micros(before))
        )
        source = sql.SQL("{} WHERE {}").format(cold.hot, where)
        chunks = await read_chunks(database, source, shot.columns, has_extra=shot.has_extra)
        async with database.transaction() as connection:
            return store.numbers_of(chunks) if await _move(connection, cold, where, chunks, upto) else None
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, NotFoundError, ChangedError):
        return None


class ChangedError(Exception):
    """Another transaction deleted rows between the read and the packing."""


@contextlib.asynccontextmanager
async def lock_state(database: Database, dataset_id: int) -> AsyncIterator[Connection]:
    """Opens a transaction with the dataset's write lock and a short limit on waiting for locks."""
    async with database.transaction() as connection:
        await connection.execute(b"SET LOCAL " + LOCK_WAIT)
        await connection.execute(queries("timeseries/datasets")["get_table"], {"id": dataset_id})
        yield connection


def _last_of_batch(blocks: Sequence[Block], upto: int, before: int, seen: int, batch: int) -> int | None:
    """Returns the number up to which rows are packed next, or None when no block of old rows follows.

    A single row may have a time far ahead of the others. Therefore blocks with new rows are taken when blocks of old
    rows follow them.
    """
    following = [block for block in blocks if block.last_seq > upto and block.last_seq <= seen]
    while following and following[-1].max_ts >= before:
        following.pop()
    rows = 0
    for block in following:
        rows += block.rows
        if rows >= batch:
            return block.last_seq
    return following[-1].last_seq if following else None


async def read_chunks(
    database: Database, source: sql.Composable, columns: Sequence[Column], *, has_extra: bool
) -> list[Chunk]:
    """Reads rows and packs them. source: what follows FROM."""
    keys = {column.physical: part_name(column) for column in columns if column.physical}
    cells: list[sql.Composable] = [sql.SQL("_seq, ts"), *map(sql.Identifier, keys)]
    if has_extra:
        # As text, so that JSON keeps its notation.
        keys["_extra"] = EXTRA
        cells.append(sql.SQL("_extra::text"))
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(cells), source)

    def packed(table: pa.Table) -> list[Chunk]:
        return list(chunk_codec.encode(table, keys)) if len(table) else []

    return await database.fetch_arrow(query.as_string(), packed)


async def _move(connection: Connection, cold: Cold, where: sql.Composed, chunks: Sequence[Chunk], upto: int) -> bool:
    """Replaces rows by their packed form. Returns False when another process has moved rows meanwhile."""
    # An insert that changes columns locks the table first, and then what is packed. The same order ends no insert in a
    # deadlock.
    await connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(cold.hot))
    locked = await connection.execute(queries("timeseries/cold/cold")["lock_if_free"], {"id": cold.dataset_id})
    row = await locked.fetchone()
    if row is None or row[0] != cold.upto:
        return False
    rows = store.numbers_of(chunks)
    if rows:
        await store.insert_chunks(connection, cold.chunks, chunks)
        gone = await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(cold.hot, where))
        if gone.rowcount != rows:
            raise ChangedError
    await store.advance(connection, cold.dataset_id, upto, rows)
    return True


async def settle(database: Database, dataset_id: int) -> bool:
    """Returns the disk space of packed rows to the system, and removes their pages from the index.

    Returns False when space is left, because an older transaction could still see the rows or another session holds a
    lock. Such a session may be a process that settles the same dataset.
    """
    try:
        async with database.connection() as connection:
            cold = await store.find(connection, dataset_id)
            if cold is None or not cold.frozen:
                return True
            alone = await connection.execute(queries("timeseries/cold/cold")["settle_alone"], {"id": dataset_id})
            if await alone.fetchone() != (True,):
                return False
            await connection.execute("SET statement_timeout = 0")
            try:
                await _vacuum(connection, cold.hot)
                if await _move_forward(connection, cold):
                    await _vacuum(connection, cold.hot)
                if cold.legacy and not cold.columnstore:
                    await _vacuum(connection, cold.packed)
                index = brin_of(cold.schema, dataset_id)
                pages = {"index": index.as_string(), "pages": await _pages(connection, cold.hot), "step": BRIN_PAGES}
                await connection.execute(queries("timeseries/cold/cold")["forget_pages"], pages)
                await summarize_pages(connection, cold.schema, dataset_id)
                if await _roomy(connection, cold):
                    return False
                known = {"id": dataset_id, "upto": cold.upto, "rows": cold.rows}
                await connection.execute(queries("timeseries/cold/cold")["settle"], known)
                return True
            finally:
                await connection.execute(queries("timeseries/cold/cold")["settle_together"], {"id": dataset_id})
                await connection.execute("RESET statement_timeout")
    except psycopg.errors.UndefinedTable:
        return True


async def unsettled(database: Database) -> set[int]:
    """Returns the datasets to settle, regardless of the process that packed or deleted rows."""
    return {row[0] for row in await database.fetch(queries("timeseries/cold/cold")["unsettled"])}


async def _vacuum(connection: Connection, table: sql.Identifier) -> None:
    await connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))


async def _pages(connection: Connection, table: sql.Identifier) -> int:
    found = await connection.execute(queries("timeseries/cold/cold")["pages"], {"relation": table.as_string()})
    row = await found.fetchone()
    return int(row[0] or 0) if row else 0


async def _roomy(connection: Connection, cold: Cold) -> bool:
    """Checks whether most of the table is empty space and the remaining rows are few enough to move."""
    left, pages = cold.row_count - cold.rows, await _pages(connection, cold.hot)
    sample = sql.SQL("SELECT avg(pg_column_size(r.*)) FROM (SELECT * FROM {} LIMIT 1000) r").format(cold.hot)
    row = await (await connection.execute(sample)).fetchone()
    needed = left * (int(row[0] or 0) + 28 if row else 0) // 8192
    return left <= MOVED_ROWS and pages >= 2 * needed + FEW_PAGES


async def _move_forward(connection: Connection, cold: Cold) -> bool:
    """Moves the remaining rows into the space before them when that space is most of the table.

    The move deletes and inserts rows, so that readers of an earlier snapshot still see the rows.
    """
    if not await _roomy(connection, cold):
        return False
    async with connection.transaction():
        locked = await connection.execute(queries("timeseries/cold/cold")["lock_if_free"], {"id": cold.dataset_id})
        if await locked.fetchone() is None:
            return False
        move = "WITH moved AS (DELETE FROM {t} RETURNING *) INSERT INTO {t} SELECT * FROM moved ORDER BY _seq"
        await connection.execute(sql.SQL(move).format(t=cold.hot))
    return True
