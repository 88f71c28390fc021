"""Deletion of rows, with the counts of the remaining rows in row blocks and rollups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.timeseries.cold import view
from atlas.timeseries.ingest.appender import State, lock
from atlas.timeseries.repository import between, hot_of, numbered, table_of, time_literal
from atlas.timeseries.rollups import maintenance
from atlas.timeseries.series import tables as series_tables
from atlas.timeseries.zone_map import Block, Range


async def delete_range(database: Database, dataset_id: int, span: Range) -> int:
    """Deletes the rows within `span` and returns the number of deleted rows."""
    async with database.transaction() as connection:
        state = await lock(connection, dataset_id)
        cut = await _unpack(connection, dataset_id, state, "ts", time_literal(span.lo), time_literal(span.hi - 1))
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
    cut = await _unpack(connection, dataset_id, state, "seq", sql.Literal(first), sql.Literal(last))
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


async def _unpack(
    connection: Connection,
    dataset_id: int,
    state: State,
    bound: Literal["ts", "seq"],
    low: sql.Literal,
    high: sql.Literal,
) -> int:
    """Deletes packed rows within bounds, and unpacks segments that the bounds cut. Returns the number of
    deleted rows.
    """
    return await view.remove(connection, dataset_id, bound, low, high) if state.cold else 0


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


async def _recount(connection: Connection, dataset_id: int, state: State, block: Block, *, whole: bool) -> None:
    count, low, high = 0, None, None
    if not whole:
        statement = sql.SQL(
            "SELECT count(*), (extract(epoch FROM min(ts)) * 1000000)::bigint, "
            "(extract(epoch FROM max(ts)) * 1000000)::bigint FROM {} WHERE {}"
        )
        numbers = numbered(block.first_seq, block.last_seq, cold=state.cold)
        cursor = await connection.execute(statement.format(table_of(state.schema, dataset_id), numbers))
        row = await cursor.fetchone()
        assert row is not None
        count, low, high = row
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
