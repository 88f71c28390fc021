"""Deletion of rows, with the counts of the remaining rows in row blocks and rollups.

Deleted rows stay in the history for some days, for reads of earlier moments, unless a delete is final.
"""

from __future__ import annotations

from collections.abc import Callable

from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.timeseries import block_counts, tombstones
from atlas.timeseries.cold import chunk_changes
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.ingest.appender import State, lock
from atlas.timeseries.repository import between, hot_of, numbered
from atlas.timeseries.rollups import repairs
from atlas.timeseries.series import tables as series_tables
from atlas.timeseries.zone_map import Block, Range


async def delete_range(database: Database, dataset_id: int, span: Range, *, final: bool = False) -> int:
    """Deletes the rows within `span`, and hides what they have replaced. Returns the number of deleted rows.

    final: keeps nothing of these rows in the history.
    """
    async with database.transaction() as connection:
        state = await lock(connection, dataset_id)
        where = between(span, cold=False)
        removed = await _delete(connection, dataset_id, state, Bounds(span), where, span.meets, span.holds, final=final)
        if removed:
            await series_tables.forget(connection, dataset_id, state.schema, state.keys, where)
            await repairs.forget(connection, dataset_id, span)
    return removed


async def delete_numbered(connection: Connection, dataset_id: int, first: int, last: int) -> int:
    """Deletes the rows numbered from `first` to `last` in the connection's transaction. Returns the number of deleted
    rows.
    """
    state = await lock(connection, dataset_id)
    where = numbered(first, last, cold=False)
    removed = await _delete(
        connection,
        dataset_id,
        state,
        Bounds(Range(), first, last),
        where,
        lambda block: block.last_seq >= first and block.first_seq <= last,
        lambda block: block.first_seq >= first and block.last_seq <= last,
    )
    if removed:
        await series_tables.forget(connection, dataset_id, state.schema, state.keys, where)
        await repairs.forget_all(connection, dataset_id, first)
    return removed


async def _delete(
    connection: Connection,
    dataset_id: int,
    state: State,
    bounds: Bounds,
    where: sql.Composable,
    meets: Callable[[Block], bool],
    holds: Callable[[Block], bool],
    *,
    final: bool = False,
) -> int:
    """Deletes rows within bounds, which `where` says for unpacked rows, and updates row blocks and counters.

    Returns the number of deleted rows.
    """
    blocks = await block_counts.all_blocks(connection, dataset_id)
    met = sum(block.rows for block in blocks if meets(block))
    keeps = not final and await tombstones.keeps(connection, dataset_id, state, met)
    if keeps:
        await tombstones.keep_packed(connection, dataset_id, state, bounds)
    removed = await chunk_changes.remove(connection, dataset_id, bounds) if state.cold else 0
    if keeps:
        removed += await tombstones.keep_plain(connection, dataset_id, state, where)
    else:
        table = hot_of(state.schema, dataset_id, cold=state.cold)
        removed += (await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(table, where))).rowcount
    hidden = 0
    if removed or final:
        hidden = await tombstones.hide(connection, dataset_id, state, where, keep=keeps)
    if not removed and not hidden:
        return 0
    for block in blocks if removed else []:
        if meets(block):
            await block_counts.recount(connection, dataset_id, block, whole=holds(block))
    parameters = {"id": dataset_id, "removed": removed, "kept": keeps}
    await connection.execute(queries("timeseries/rows")["shrink_state"], parameters)
    return removed
