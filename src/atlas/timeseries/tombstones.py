"""Deleted rows that stay in the history for some days: SQL that moves rows there, and that makes deletes final.

The caller holds the lock on the dataset's state. A delete has the next number after those of all rows.
"""

from __future__ import annotations

import pyarrow as pa
from psycopg import sql

from atlas.db import executor
from atlas.db.copy import copy_table
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.timeseries.cold import chunk_changes, store
from atlas.timeseries.cold.chunk_codec import part_name
from atlas.timeseries.cold.chunk_rows import Bounds, chunk_columns, decode_rows, part_names
from atlas.timeseries.columns import Column
from atlas.timeseries.ingest.appender import State, lock
from atlas.timeseries.repository import columns_of, history_of, hot_of

# Deletes that meet more rows are final at once. Kept rows take the room of unpacked rows.
MOST_ROWS = 1_000_000


async def keeps(connection: Connection, dataset_id: int, state: State, rows: int) -> bool:
    """Tells whether rows of a delete are kept, and then makes their table. rows: at least as many as are deleted."""
    if not 0 < rows <= MOST_ROWS:
        return False
    cold = await store.find(connection, dataset_id)
    if cold is None or cold.legacy:
        return False
    parameters = {"schema": state.schema, "id": dataset_id}
    await connection.execute(queries("timeseries/conflicts/conflicts")["create_history"], parameters)
    return True


async def _columns(connection: Connection, dataset_id: int) -> list[Column]:
    found = (await columns_of(connection, [dataset_id]))[dataset_id]
    return [column for column in found if column.physical]


async def keep_packed(connection: Connection, dataset_id: int, state: State, bounds: Bounds) -> None:
    """Copies packed rows within bounds to the history. Raises DamagedChunkError."""
    if not state.cold:
        return
    cold = await store.find(connection, dataset_id)
    assert cold is not None
    await connection.execute(queries("timeseries/cold/cold")["lock"], {"id": dataset_id})
    known = [
        (column.physical or "", part_name(column), column.dtype) for column in await _columns(connection, dataset_id)
    ]
    columns = chunk_columns(known, has_extra=True)
    ids = await chunk_changes.chunk_ids(connection, cold.chunks, bounds.meeting())
    for start in range(0, len(ids), chunk_changes.AT_ONCE):
        some = ids[start : start + chunk_changes.AT_ONCE]
        chunks = await chunk_changes.read_parts(connection, cold.chunks, some, part_names(columns))
        for rows in decode_rows(chunks, columns, bounds):
            number = pa.repeat(pa.scalar(state.last_seq + 1, pa.int64()), len(rows))
            kept = rows.append_column("_high_seq", number)
            await copy_table(connection, history_of(state.schema, dataset_id), kept, inline=False)


async def keep_plain(connection: Connection, dataset_id: int, state: State, where: sql.Composable) -> int:
    """Moves unpacked rows that match `where` to the history, and returns their number."""
    names = ["_seq", "ts", "_extra", *(column.physical or "" for column in await _columns(connection, dataset_id))]
    statement = sql.SQL(
        "WITH gone AS (DELETE FROM {hot} WHERE {where} RETURNING {cells}) "
        "INSERT INTO {history} ({cells}, _high_seq) SELECT {cells}, {number} FROM gone ORDER BY _seq"
    ).format(
        hot=hot_of(state.schema, dataset_id, cold=state.cold),
        where=where,
        cells=sql.SQL(", ").join(map(sql.Identifier, names)),
        history=history_of(state.schema, dataset_id),
        number=sql.Literal(state.last_seq + 1),
    )
    return (await connection.execute(statement)).rowcount


async def hide(connection: Connection, dataset_id: int, state: State, where: sql.Composable, *, keep: bool) -> int:
    """Hides rows of the history that match `where`, or deletes them unless `keep`. Returns their number."""
    history = history_of(state.schema, dataset_id)
    found = await executor.row(connection, queries("timeseries/moments")["has_history"], {"name": history.as_string()})
    if found is None:
        return 0
    if not keep:
        return (await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(history, where))).rowcount
    await connection.execute(queries("timeseries/moments")["add_deletion"], {"id": dataset_id})
    hiding = sql.SQL("UPDATE {} SET _low_ts = now() WHERE {} AND _low_ts IS NULL").format(history, where)
    return (await connection.execute(hiding)).rowcount


async def finish_deletes(database: Database, days: int) -> None:
    """Makes deletes of all datasets final that are older than some days."""
    known = queries("timeseries/moments")
    for dataset_id, at, version in await database.fetch(known["due_deletions"], days=days):
        try:
            async with database.transaction() as connection:
                state = await lock(connection, dataset_id)
                query = sql.SQL("DELETE FROM {} WHERE _low_ts <= {}")
                await connection.execute(query.format(history_of(state.schema, dataset_id), sql.Literal(at)))
                await connection.execute(known["forget_deletions"], {"id": dataset_id, "at": at, "version": version})
        except NotFoundError:
            continue
