"""Checks the chunks of a dataset, and unpacks the numbers and times of their rows for further checks."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from psycopg import sql

from atlas.backup.dump import Connection
from atlas.db.copy import copy_now
from atlas.kit.plurals import many
from atlas.timeseries.cold.chunk_codec import TIME, Slice
from atlas.timeseries.cold.chunk_rows import ChunkParts, DamagedChunkError
from atlas.timeseries.columns import Dtype
from atlas.timeseries.repository import chunks_of
from atlas.timeseries.zone_map import Range

# A temporary table of `_seq` and `ts`.
UNPACKED = sql.Identifier("pg_temp", "_unpacked")


def count(schema: str, dataset_id: int) -> sql.Composed:
    """Builds the query of the number of rows in a dataset's chunks."""
    query = sql.SQL("SELECT coalesce(sum(rows), 0)::bigint FROM {} WHERE part = {}")
    return query.format(chunks_of(schema, dataset_id), sql.Literal(TIME))


def unpack(connection: Connection, schema: str, dataset_id: int) -> Iterator[str]:
    """Reads every chunk, copies numbers and times into UNPACKED, and yields a problem for each damaged chunk."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(UNPACKED))
    make = "CREATE TEMPORARY TABLE {} (_seq bigint, ts timestamptz) ON COMMIT DROP"
    connection.execute(sql.SQL(make).format(UNPACKED))
    table = chunks_of(schema, dataset_id)
    ids = sql.SQL("SELECT low_seq, high_seq, rows FROM {} WHERE part = {} ORDER BY low_seq")
    for low, high, rows in connection.execute(ids.format(table, sql.Literal(TIME))).fetchall():
        parts = sql.SQL("SELECT part, body FROM {} WHERE low_seq = {}").format(table, low)
        with connection.cursor(binary=True) as cursor:
            bodies = {part: pa.py_buffer(body) for part, body in cursor.execute(parts)}
        called, chunk = f"the chunk of its rows {low} to {high}", ChunkParts(low, high, bodies)
        for part in _damaged(chunk):
            yield f"{called} is damaged, in part {part}"
        try:
            taken, micros = chunk.times(Range())
            numbers = chunk.numbers(taken)
        except DamagedChunkError:
            continue
        if len(numbers) != rows:
            yield f"{called} has {many(len(numbers), 'row')}, and the catalog says {rows}"
        times = pa.array(micros).cast(pa.timestamp("us", "UTC"))
        copy_now(connection, UNPACKED, pa.table({"_seq": pa.array(numbers), "ts": times}))


def _damaged(chunk: ChunkParts) -> Iterator[str]:
    """Yields the parts of a chunk whose bytes are damaged."""
    for part in sorted(chunk.bodies):
        try:
            whole = Slice(None, 0, 0)
            chunk.values(part, whole, Dtype.STRING)
        except DamagedChunkError:
            yield part
