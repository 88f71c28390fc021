"""Tables of unpacked rows, for queries that only PostgreSQL can run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from atlas.db.copy import copy_table
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold.chunk_changes import AT_ONCE, chunk_ids, read_parts
from atlas.timeseries.cold.chunk_codec import EXTRA, GROUP_ROWS, part_name
from atlas.timeseries.cold.chunk_rows import Bounds, ChunkColumn, ChunkParts, decode_rows, part_names
from atlas.timeseries.columns import SQL_TYPES, Column, Dtype
from atlas.timeseries.repository import between, chunks_of, numbered, readable_of
from atlas.timeseries.zone_map import Range

_COMMA = sql.SQL(", ")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dataset's rows lie. cold: whether some are packed; legacy: whether an earlier version packed some."""

    dataset_id: int
    schema: str
    cold: bool
    legacy: bool

    @property
    def plain(self) -> sql.Identifier:
        """The relation of all rows that are not in chunks."""
        return readable_of(self.schema, self.dataset_id, cold=self.cold, legacy=self.legacy)


async def all_rows(connection: Connection, place: Place, columns: Sequence[Column], bounds: Bounds) -> sql.Composed:
    """Builds a relation of all rows within bounds: `ts`, `_seq`, and columns with physical names.

    The rows of chunks are copied into a temporary table, and no rows are packed until the transaction ends.
    Raises DamagedChunkError.
    """
    listed = _COMMA.join([sql.SQL("ts, _seq"), *(sql.Identifier(column.physical or "") for column in columns)])
    where = numbered(bounds.first, bounds.last, cold=place.legacy)
    if bounds.span != Range():
        where = sql.SQL("{} AND {}").format(where, between(bounds.span, cold=place.legacy))
    plain = sql.SQL("SELECT {} FROM {} WHERE {}").format(listed, place.plain, where)
    if not place.cold:
        return sql.SQL("({}) AS source").format(plain)
    await connection.execute(queries("timeseries/cold/cold")["hold"], {"id": place.dataset_id})
    unpacked = sql.Identifier("pg_temp", "_unpacked")
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(unpacked))
    await create_table(connection, unpacked, columns)
    await unpack(connection, chunks_of(place.schema, place.dataset_id), unpacked, columns, bounds)
    return sql.SQL("({} UNION ALL SELECT {} FROM {}) AS source").format(plain, listed, unpacked)


async def create_table(
    connection: Connection,
    name: sql.Composable,
    columns: Sequence[Column],
    *,
    extra: bool = False,
    temporary: bool = True,
) -> None:
    """Creates a table for rows: `ts`, `_seq`, the physical columns, and `_extra` if wanted.

    A temporary table ends with the transaction.
    """
    cells: list[sql.Composable] = [sql.SQL("ts timestamptz, _seq bigint")]
    cells += [
        sql.SQL("{} {}").format(sql.Identifier(column.physical or ""), sql.SQL(SQL_TYPES[column.dtype]))
        for column in columns
    ]
    if extra:
        cells.append(sql.SQL("_extra json"))
    make = "CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP" if temporary else "CREATE UNLOGGED TABLE {} ({})"
    await connection.execute(sql.SQL(make).format(name, _COMMA.join(cells)))


async def unpack(
    connection: Connection,
    chunks: sql.Identifier,
    into: sql.Identifier,
    columns: Sequence[Column],
    bounds: Bounds,
) -> int:
    """Copies the rows of chunks within bounds into a table of `create_table`, and returns their number.

    Raises DamagedChunkError.
    """
    return await _unpack(connection, chunks, into, columns, bounds.meeting(), bounds)


async def unpack_where(
    connection: Connection,
    chunks: sql.Identifier,
    into: sql.Identifier,
    columns: Sequence[Column],
    where: sql.Composable,
) -> int:
    """Copies all rows of the chunks that match `where` into a table of `create_table`, and returns their number.

    Raises DamagedChunkError.
    """
    return await _unpack(connection, chunks, into, columns, where, Bounds())


async def _unpack(
    connection: Connection,
    chunks: sql.Identifier,
    into: sql.Identifier,
    columns: Sequence[Column],
    where: sql.Composable,
    bounds: Bounds,
) -> int:
    total = 0
    wanted = _wanted(columns)
    ids = await chunk_ids(connection, chunks, where)
    for start in range(0, len(ids), AT_ONCE):
        found = await read_parts(connection, chunks, ids[start : start + AT_ONCE], part_names(wanted))
        tables = await asyncio.to_thread(list, decode_rows(found, wanted, bounds))
        for table in tables:
            await copy_table(connection, into, table, inline=False)
            total += len(table)
    return total


async def unpack_latest(
    connection: Connection,
    chunks: sql.Identifier,
    into: sql.Identifier,
    columns: Sequence[Column],
    keys: Sequence[str],
    key_bytes: int,
) -> None:
    """Copies the latest row that each chunk has of each series into a table of `create_table`, with `_extra`.

    Rows that lack a key, or have one of more than `key_bytes`, are copied, too. keys: physical names of the keys.
    Raises DamagedChunkError.
    """
    wanted = [*_wanted(columns), ChunkColumn("_extra", EXTRA, Dtype.STRING)]
    for low_seq in await chunk_ids(connection, chunks, sql.SQL("true")):
        found = await read_parts(connection, chunks, [low_seq], part_names(wanted))
        for table in await asyncio.to_thread(_latest, found, wanted, keys, key_bytes):
            await copy_table(connection, into, table, inline=False)


def _latest(
    chunks: Sequence[ChunkParts], columns: Sequence[ChunkColumn], keys: Sequence[str], key_bytes: int
) -> list[pa.Table]:
    """Returns the latest row of each series by chunk. Rows of a chunk are in order of (time, number)."""
    return [_last_of_each(table, keys, key_bytes) for table in decode_rows(chunks, columns, Bounds())]


def _last_of_each(table: pa.Table, keys: Sequence[str], key_bytes: int) -> pa.Table:
    odd = pa.chunked_array([np.zeros(len(table), np.bool_)])
    for key in keys:
        odd = pc.or_(odd, table[key].is_null())
        if pa.types.is_string(table[key].type):
            odd = pc.or_(odd, pc.fill_null(pc.greater(pc.binary_length(table[key]), key_bytes), False))
    rest = table.filter(pc.invert(odd))
    numbered = rest.select(list(keys)).append_column("row", pa.array(range(len(rest))))
    last = numbered.group_by(list(keys)).aggregate([("row", "max")])["row_max"]
    return pa.concat_tables([table.filter(odd), rest.take(last)])


async def unpack_sample(
    connection: Connection,
    chunks: sql.Identifier,
    into: sql.Identifier,
    columns: Sequence[Column],
    rows: int,
) -> None:
    """Copies some `rows` rows of random chunks into a table of `create_table`, or all of fewer rows.

    Raises DamagedChunkError.
    """
    wanted = _wanted(columns)
    ids = await chunk_ids(connection, chunks, sql.SQL("true"))
    picked = random.sample(ids, min(len(ids), max(1, rows // GROUP_ROWS)))
    for low_seq in picked:
        (found,) = await read_parts(connection, chunks, [low_seq], part_names(wanted)) or (None,)
        if found is None:
            continue
        table = await asyncio.to_thread(_some_rows, found, wanted, None if len(picked) == len(ids) else GROUP_ROWS)
        await copy_table(connection, into, table, inline=False)


def _wanted(columns: Sequence[Column]) -> list[ChunkColumn]:
    return [ChunkColumn(column.physical or "", part_name(column), column.dtype) for column in columns]


def _some_rows(chunk: ChunkParts, columns: Sequence[ChunkColumn], most: int | None) -> pa.Table:
    """Returns the rows of a chunk, or a run of up to `most` of its rows."""
    (table,) = decode_rows([chunk], columns, Bounds())
    if most is None or len(table) <= most:
        return table
    return table.slice(random.randrange(len(table) - most), most)
