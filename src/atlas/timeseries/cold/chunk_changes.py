"""Changes and looks at chunks under the lock on their dataset: deletions, extents, and bounds of integers.

Chunks that have other rows beside the deleted rows are made anew without these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold import legacy_view, store
from atlas.timeseries.cold.chunk_codec import NUMBER, TIME, Chunk, Flags, Ints, encode
from atlas.timeseries.cold.chunk_rows import Bounds, ChunkParts, parts_only
from atlas.timeseries.columns import EXACT_FLOAT, Dtype
from atlas.timeseries.zone_map import Range

# Chunks that are made anew together, so that few of them are in memory.
AT_ONCE = 8


async def remove(connection: Connection, dataset_id: int, bounds: Bounds) -> int:
    """Deletes the packed rows within bounds, and returns their number.

    The bounds are of times or of numbers. The caller holds the lock on the dataset's state. Raises DamagedChunkError.
    """
    await connection.execute(queries("timeseries/cold/cold")["lock"], {"id": dataset_id})
    cold = await store.find(connection, dataset_id)
    assert cold is not None
    older = await legacy_view.remove(connection, cold, bounds) if cold.legacy else 0
    removed = await _remove_whole(connection, cold.chunks, bounds)
    cut = sql.SQL("{} AND NOT ({})").format(bounds.meeting(), bounds.within())
    for ids in _groups(await chunk_ids(connection, cold.chunks, cut)):
        removed += await _remove_some(connection, cold.chunks, bounds, ids)
    await store.advance(connection, dataset_id, cold.upto, -removed)
    return older + removed


async def remove_numbers(connection: Connection, dataset_id: int, numbers: Mapping[int, Ints]) -> None:
    """Removes packed rows by their numbers. numbers: by the low numbers of the chunks that have the rows.

    The caller holds the locks on the dataset's state and on its packed rows. Raises DamagedChunkError.
    """
    cold = await store.find(connection, dataset_id)
    assert cold is not None
    removed = 0
    for ids in _groups(sorted(numbers)):
        removed += await _make_anew(
            connection, cold.chunks, ids, lambda chunk, found, _: np.isin(found, numbers[chunk.low_seq])
        )
    await store.advance(connection, dataset_id, cold.upto, -removed)


async def _remove_whole(connection: Connection, table: sql.Identifier, bounds: Bounds) -> int:
    """Deletes chunks that lie within bounds, and returns the number of their rows."""
    query = "WITH gone AS (DELETE FROM {} WHERE {} RETURNING part, rows) SELECT sum(rows) FROM gone WHERE part = {}"
    found = await connection.execute(sql.SQL(query).format(table, bounds.within(), sql.Literal(TIME)))
    row = await found.fetchone()
    return int(row[0] or 0) if row else 0


async def chunk_ids(connection: Connection, table: sql.Identifier, where: sql.Composable) -> list[int]:
    """Lists chunks that match `where`, by their low numbers."""
    query = sql.SQL("SELECT low_seq FROM {} WHERE part = {} AND {} ORDER BY low_seq")
    found = await connection.execute(query.format(table, sql.Literal(TIME), where))
    return [row[0] for row in await found.fetchall()]


async def extents(connection: Connection, table: sql.Identifier, bounds: Bounds) -> list[tuple[int, int, int]]:
    """Returns number, least and greatest time (microseconds) of the rows within bounds, by chunk that has some."""
    found = []
    for ids in _groups(await chunk_ids(connection, table, bounds.meeting())):
        chunks = await read_parts(connection, table, ids, (TIME, NUMBER))
        times = await asyncio.to_thread(_times, chunks, bounds)
        found += [(len(one), int(one.min()), int(one.max())) for one in times if len(one)]
    return found


def _times(chunks: Sequence[ChunkParts], bounds: Bounds) -> list[Ints]:
    return [chunk.rows(bounds)[1] for chunk in chunks]


async def fits_float(connection: Connection, table: sql.Identifier, part: str) -> bool:
    """Tells whether every integer of a part equals a float. Raises DamagedChunkError."""
    large = sql.SQL("part = {} AND greatest(-low, high) >= {}::float8").format(sql.Literal(part), EXACT_FLOAT)
    found = await connection.execute(sql.SQL("SELECT low_seq FROM {} WHERE {}").format(table, large))
    for ids in _groups([row[0] for row in await found.fetchall()]):
        for chunk in await read_parts(connection, table, ids, (TIME, part)):
            values = chunk.values(part, chunk.times(Range())[0], Dtype.INT)
            least = pc.min_max(values)
            if least["min"].as_py() < -EXACT_FLOAT or least["max"].as_py() > EXACT_FLOAT:
                return False
    return True


def _groups(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]


async def _remove_some(connection: Connection, table: sql.Identifier, bounds: Bounds, ids: Sequence[int]) -> int:
    """Makes chunks anew without the rows within bounds, and returns the number of deleted rows."""
    chunks = await read_parts(connection, table, ids, (TIME, NUMBER))
    hit = await asyncio.to_thread(lambda: [c.low_seq for c in chunks if len(c.rows(bounds)[1])])
    if not hit:
        return 0

    def within(_: ChunkParts, numbers: Ints, micros: Ints) -> Flags:
        inside: Flags = (numbers >= bounds.first) & (numbers <= bounds.last)
        inside &= (micros >= bounds.span.lo) & (micros < bounds.span.hi)
        return inside

    return await _make_anew(connection, table, hit, within)


# Marks rows of a chunk, by their numbers and times.
Marks = Callable[[ChunkParts, Ints, Ints], Flags]


async def _make_anew(connection: Connection, table: sql.Identifier, ids: Sequence[int], gone: Marks) -> int:
    """Makes chunks anew without the rows that `gone` marks, and returns the number of these rows."""
    chunks = await read_parts(connection, table, ids, None)
    kept, removed = await asyncio.to_thread(_without, chunks, gone)
    await connection.execute(sql.SQL("DELETE FROM {} WHERE low_seq = ANY ({})").format(table, sql.Literal([*ids])))
    if kept:
        await store.insert_chunks(connection, table, kept)
    return removed


async def read_parts(
    connection: Connection, table: sql.Identifier, ids: Sequence[int], parts: Sequence[str] | None
) -> list[ChunkParts]:
    """Reads parts of chunks, or all of them."""
    where = sql.SQL("low_seq = ANY ({})").format(sql.Literal(list(ids)))
    query = (
        sql.SQL("SELECT low_seq, high_seq, part, body FROM {} WHERE {}").format(table, where)
        if parts is None
        else parts_only(table, parts, where)
    )
    found: dict[int, ChunkParts] = {}
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query)
        async for low_seq, high_seq, part, body in cursor:
            found.setdefault(low_seq, ChunkParts(low_seq, high_seq, {})).bodies[part] = pa.py_buffer(body)
    return list(found.values())


def _without(chunks: Sequence[ChunkParts], gone: Marks) -> tuple[list[Chunk], int]:
    """Returns chunks without the rows that `gone` marks, and the number of these rows."""
    kept: list[Chunk] = []
    removed = 0
    for chunk in chunks:
        taken, micros = chunk.times(Range())
        numbers = chunk.numbers(taken)
        hit = gone(chunk, numbers, micros)
        removed += int(np.count_nonzero(hit))
        arrays = {"ts": pa.array(micros).cast(pa.timestamp("us", "UTC")), "_seq": pa.array(numbers)}
        keys = [part for part in chunk.bodies if part not in (TIME, NUMBER)]
        # Every part keeps the type that it has, also where its column's type has changed since.
        arrays |= {part: chunk.values(part, taken, Dtype.STRING) for part in keys}
        rest = pa.table(arrays).filter(pa.array(~hit))
        if len(rest):
            kept += encode(rest, {part: part for part in keys})
    return kept, removed
