"""Deletion of rows, with the counts of the remaining rows in row blocks and rollups."""

from __future__ import annotations

from collections.abc import Callable

from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.timeseries import block_counts
from atlas.timeseries.cold import chunk_changes
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.conflicts import repository as conflicts
from atlas.timeseries.ingest.appender import State, lock
from atlas.timeseries.repository import between, hot_of, numbered
from atlas.timeseries.rollups import repairs
from atlas.timeseries.series import tables as series_tables
from atlas.timeseries.zone_map import Block, Range


async def delete_range(database: Database, dataset_id: int, span: Range) -> int:
    """Deletes the rows within `span`, and what they have replaced. Returns the number of deleted rows."""
    async with database.transaction() as connection:
        state = await lock(connection, dataset_id)
        cut = await chunk_changes.remove(connection, dataset_id, Bounds(span)) if state.cold else 0
        where = between(span, cold=False)
        removed = await _delete(connection, dataset_id, state, where, span.meets, span.holds, cut)
        await conflicts.forget_replaced(connection, state.schema, dataset_id, where)
        if removed:
            await series_tables.forget(connection, dataset_id, state.schema, state.keys, where)
            await repairs.forget(connection, dataset_id, span)
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
        await repairs.forget_all(connection, dataset_id, first)
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
    for block in await block_counts.all_blocks(connection, dataset_id):
        if meets(block):
            await block_counts.recount(connection, dataset_id, block, whole=holds(block))
    await connection.execute(queries("timeseries/rows")["shrink_state"], {"id": dataset_id, "removed": removed})
    return removed
