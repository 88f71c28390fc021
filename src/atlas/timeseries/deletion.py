"""Deletion of rows, with the counts of the remaining rows in row blocks and rollups."""

from __future__ import annotations

from collections.abc import Callable

from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.timeseries.cold import chunk_changes, store
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.ingest.appender import State, lock
from atlas.timeseries.repository import between, hot_of, numbered, readable_of
from atlas.timeseries.rollups import maintenance
from atlas.timeseries.series import tables as series_tables
from atlas.timeseries.zone_map import Block, Range


async def delete_range(database: Database, dataset_id: int, span: Range) -> int:
    """Deletes the rows within `span` and returns the number of deleted rows."""
    async with database.transaction() as connection:
        state = await lock(connection, dataset_id)
        cut = await chunk_changes.remove(connection, dataset_id, Bounds(span)) if state.cold else 0
        where = between(span, cold=False)
        removed = await _delete(connection, dataset_id, state, where, span.meets, span.holds, cut)
        if removed:
            await series_tables.forget(connection, dataset_id, state.schema, state.keys, where)
            await maintenance.forget(connection, dataset_id, span)
    return removed


async def delete_numbered(connection: Connection, dataset_id: int, first: int, last: int) -> int:
    """Deletes the rows numbered from `first` to `last` in the connection's transaction. Returns the number of deleted
    rows.
    """
    state = await lock(connection, dataset_id)
    cut = await chunk_changes.remove(connection, dataset_id, Bounds(Range(), first, last)) if state.cold else 0
    where = numbered(first, last, cold=False)
    removed = await _delete(
        connection,
        dataset_id,
        state,
        where,
        lambda block: block.last_seq >= first and block.first_seq <= last,
        lambda block: block.first_seq >= first and block.last_seq <= last,
        cut,
    )
    if removed:
        await series_tables.forget(connection, dataset_id, state.schema, state.keys, where)
        await maintenance.forget_all(connection, dataset_id, first)
    return removed


async def _delete(
    connection: Connection,
    dataset_id: int,
    state: State,
    where: sql.Composable,
    meets: Callable[[Block], bool],
    holds: Callable[[Block], bool],
    removed: int,
) -> int:
    """Deletes unpacked rows that match `where`, and updates row blocks and counters.

    `removed` is the number of packed rows that are already deleted. Returns the number of all deleted rows.
    """
    table = hot_of(state.schema, dataset_id, cold=state.cold)
    cursor = await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(table, where))
    removed += cursor.rowcount
    if not removed:
        return 0
    cursor = await connection.execute(queries("timeseries/rows")["all_blocks"], {"id": dataset_id})
    for block in [Block(*row) for row in await cursor.fetchall()]:
        if meets(block):
            await _recount(connection, dataset_id, state, block, whole=holds(block))
    await connection.execute(queries("timeseries/rows")["shrink_state"], {"id": dataset_id, "removed": removed})
    return removed


async def _extent(connection: Connection, dataset_id: int, state: State, block: Block) -> tuple[int, int, int]:
    """Returns number, least and greatest time of the rows that a block has now."""
    bounds = Bounds(Range(), block.first_seq, block.last_seq)
    cold = await store.find(connection, dataset_id) if state.cold else None
    legacy = cold is not None and cold.legacy
    statement = sql.SQL(
        "SELECT count(*), (extract(epoch FROM min(ts)) * 1000000)::bigint, "
        "(extract(epoch FROM max(ts)) * 1000000)::bigint FROM {} WHERE {}"
    ).format(
        readable_of(state.schema, dataset_id, cold=state.cold, legacy=legacy),
        numbered(block.first_seq, block.last_seq, cold=legacy),
    )
    row = await (await connection.execute(statement)).fetchone()
    assert row is not None
    extents = [row] if row[0] else []
    if cold is not None:
        extents += await chunk_changes.extents(connection, cold.chunks, bounds)
    return sum(e[0] for e in extents), min((e[1] for e in extents), default=0), max((e[2] for e in extents), default=0)


async def _recount(connection: Connection, dataset_id: int, state: State, block: Block, *, whole: bool) -> None:
    count, low, high = (0, 0, 0) if whole else await _extent(connection, dataset_id, state, block)
    if not count:
        await connection.execute(
            queries("timeseries/rows")["delete_block"], {"id": dataset_id, "first_seq": block.first_seq}
        )
        return
    parameters = {
        "id": dataset_id,
        "first_seq": block.first_seq,
        "last_seq": block.last_seq,
        "rows": count,
        "min_ts": low,
        "max_ts": high,
    }
    await connection.execute(queries("timeseries/rows")["update_block"], parameters)
