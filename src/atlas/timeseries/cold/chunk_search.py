"""Finds packed rows by timestamp and keys, under the lock on their dataset."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from atlas.db.database import Connection
from atlas.timeseries.cold.chunk_changes import AT_ONCE, read_parts
from atlas.timeseries.cold.chunk_codec import NUMBER, TIME, Ints
from atlas.timeseries.cold.chunk_rows import Bounds, ChunkColumn, ChunkParts, decode_rows, part_names
from atlas.timeseries.zone_map import Range


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Rows of the chunk that begins with the number `low_seq`: `ts`, `_seq`, and the wanted columns."""

    low_seq: int
    rows: pa.Table


async def find_rows(
    connection: Connection,
    table: sql.Identifier,
    wanted: pa.Table,
    keys: Sequence[ChunkColumn],
    columns: Sequence[ChunkColumn],
) -> list[PackedRows]:
    """Finds the packed rows with timestamp and keys of a row of `wanted`, which is in order of time.

    Chunks whose range of time has no row of `wanted` are not read. Raises DamagedChunkError.
    """
    micros: Ints = pc.cast(wanted.column("ts"), pa.int64()).to_numpy()
    span = Range(int(micros[0]), int(micros[-1]) + 1)
    sought = pl.DataFrame(
        {"ts": micros, **{key.name: pl.Series(wanted.column(key.name).combine_chunks()) for key in keys}}
    ).unique()
    found: list[PackedRows] = []
    ids = await _candidates(connection, table, micros, span)
    for start in range(0, len(ids), AT_ONCE):
        parts = (TIME, NUMBER, *(key.part for key in keys))
        chunks = await read_parts(connection, table, ids[start : start + AT_ONCE], parts)
        matches = await asyncio.to_thread(_matches, chunks, sought, keys, span)
        if not matches:
            continue
        whole = await read_parts(connection, table, list(matches), part_names(columns))
        found += await asyncio.to_thread(_decoded, whole, matches, columns, span)
    return found


async def _candidates(connection: Connection, table: sql.Identifier, micros: Ints, span: Range) -> list[int]:
    """Lists chunks with a range of time that has one of the sorted times `micros`."""
    query = sql.SQL("SELECT low_seq, low_ts, high_ts FROM {} WHERE part = {} AND {} ORDER BY low_seq")
    cursor = await connection.execute(query.format(table, sql.Literal(TIME), Bounds(span).meeting()))
    rows = await cursor.fetchall()
    if not rows:
        return []
    ids, low, high = (np.array(values, np.int64) for values in zip(*rows, strict=True))
    hit = np.searchsorted(micros, low, "left") < np.searchsorted(micros, high, "right")
    return [int(one) for one in ids[hit]]


def _matches(
    chunks: Sequence[ChunkParts], sought: pl.DataFrame, keys: Sequence[ChunkColumn], span: Range
) -> dict[int, Ints]:
    """Returns the numbers of matching rows, by chunk that has some."""
    found = {}
    for chunk in chunks:
        taken, micros = chunk.times(span)
        values = {key.name: chunk.values(key.part, taken, key.dtype) for key in keys}
        if not len(micros) or any(array is None for array in values.values()):
            continue
        rows = pl.DataFrame({"ts": micros, **{name: pl.Series(array) for name, array in values.items()}})
        rows = rows.with_columns(pl.Series("_seq", chunk.numbers(taken)))
        hits = rows.join(sought, on=sought.columns, how="semi")
        if len(hits):
            found[chunk.low_seq] = hits["_seq"].to_numpy()
    return found


def _decoded(
    chunks: Sequence[ChunkParts], matches: dict[int, Ints], columns: Sequence[ChunkColumn], span: Range
) -> list[PackedRows]:
    found = []
    for chunk in chunks:
        for table in decode_rows([chunk], columns, Bounds(span)):
            kept = np.isin(table.column("_seq").to_numpy(), matches[chunk.low_seq])
            found.append(PackedRows(chunk.low_seq, table.filter(pa.array(kept))))
    return found
