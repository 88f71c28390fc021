"""Queries of rows: plans from row blocks, and results as Arrow from binary COPY, with the rows of chunks."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pyarrow as pa
from psycopg import sql

from atlas.db.database import Database
from atlas.timeseries.cold.chunk_codec import NUMBER, TIME, Ints, part_name
from atlas.timeseries.cold.chunk_rows import (
    Bounds,
    ChunkColumn,
    ChunkParts,
    chunk_columns,
    joined,
    part_names,
    parts_only,
    split,
    with_chunks,
)
from atlas.timeseries.columns import Column
from atlas.timeseries.read import snapshot
from atlas.timeseries.read.chosen_rows import chosen, decode_chosen, decode_chosen_pieces, key_parts
from atlas.timeseries.read.piece_queries import meeting_any, pieces_of_rows
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.repository import between, numbered
from atlas.timeseries.series.conditions import Selection
from atlas.timeseries.series.tables import condition_of
from atlas.timeseries.zone_map import Range

T = TypeVar("T")
# Up to this number of rows, chunks that may have rows of a page are read whole.
MANY_ROWS = 400_000
# Chunks whose times are looked at together to find the rows of a page.
CHUNKS_AT_ONCE = 32
# From this number of chunks on, two threads decode them.
PARALLEL_CHUNKS = 4


def _names(shot: Snapshot, columns: Sequence[Column], *, with_numbers: bool = True) -> list[str]:
    names = ["ts", *(["_seq"] if with_numbers else []), *(c.physical for c in columns if c.physical)]
    return [*names, "_extra"] if shot.has_extra else names


def _chunk_columns(shot: Snapshot, columns: Sequence[Column]) -> list[ChunkColumn]:
    wanted = [(column.physical, part_name(column), column.dtype) for column in columns if column.physical]
    return chunk_columns(wanted, has_extra=shot.has_extra)


async def _read(
    database: Database,
    shot: Snapshot,
    columns: Sequence[Column],
    bounds: Bounds,
    rest: Callable[[Snapshot], sql.Composable],
    then: Callable[[pa.Table, bool], T],
    *,
    with_numbers: bool = True,
    behind: bool = False,
    only: sql.Composable | None = None,
) -> T:
    """Reads rows within bounds: `ts`, `_seq` if wanted, the physical columns, and `_extra`.

    rest: what follows WHERE for rows outside of chunks. then: gets the rows, and whether some are from chunks. only: a
    further condition on chunks.
    """

    def plan(shot: Snapshot) -> tuple[sql.Composed, Callable[[pa.Table], T]]:
        names = _names(shot, columns, with_numbers=with_numbers or shot.packed)
        plain = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), shot.source, rest(shot)
        )
        if not shot.packed:
            return plain, lambda table: then(table, False)
        wanted = _chunk_columns(shot, columns)
        where = bounds.meeting() if only is None else sql.SQL("{} AND {}").format(bounds.meeting(), only)
        parts = [*part_names(wanted), *key_parts(shot.selection)]

        def read(table: pa.Table) -> T:
            rows, chunks = split(table)
            return then(joined(rows, list(decode_chosen(chunks, wanted, bounds, shot.selection))), bool(chunks))

        return with_chunks(plain, len(names), shot.chunks, parts, where), read

    return await snapshot.fetch(database, shot, plan, behind=behind)


async def page(
    database: Database,
    shot: Snapshot,
    columns: Sequence[Column],
    span: Range,
    *,
    then: Callable[[pa.Table], T],
    descending: bool,
    limit: int,
    offset: int = 0,
    after: tuple[int, int] | None = None,
) -> T:
    """Fetches up to `limit` rows of `span` in order of (time, sequence number), after `offset` rows or after row
    `after`.

    Columns: ts, _seq, the physical columns, _extra. `after` is (microseconds, sequence number) of a row. Returns the
    result of `then` for the table, computed in the thread that fetched the rows.
    """
    need, only = offset + limit, None
    if shot.packed and need and sum(b.rows for b in shot.blocks if span.meets(b)) > MANY_ROWS:
        span, only = await _narrow(database, shot, span, need, descending=descending, after=after)

    def rest(shot: Snapshot) -> sql.Composed:
        direction = sql.SQL("DESC" if descending else "ASC")
        where = snapshot.where(shot, span)
        if after is not None:
            stamp = between(Range(after[0], after[0] + 1), cold=False)
            beyond = sql.SQL("<" if descending else ">")
            where += sql.SQL(" AND (NOT ({}) OR _seq {} {})").format(stamp, beyond, sql.Literal(after[1]))
        # Rows of chunks may come before these, so that only the rows together are counted from the offset.
        bounds = (need, 0) if shot.packed else (limit, offset)
        ordered = "{} ORDER BY ts {}, _seq {} LIMIT {} OFFSET {}"
        return sql.SQL(ordered).format(where, direction, direction, *map(sql.Literal, bounds))

    def cut(table: pa.Table, mixed: bool) -> T:
        if mixed:
            table = _page_of(table, after, need, descending=descending)
        return then(table.slice(offset) if shot.packed and offset else table)

    return await _read(database, shot, columns, shot.bounds(span), rest, cut, only=only)


def _page_of(table: pa.Table, after: tuple[int, int] | None, need: int, *, descending: bool) -> pa.Table:
    """Returns the first `need` rows in order of (time, number) that follow the row `after`."""
    micros, numbers = table.column("ts").cast(pa.int64()).to_numpy(), table.column("_seq").to_numpy()
    order = _order(micros, numbers, after, descending=descending)
    return table.take(pa.array(order[:need]))


def _order(micros: Ints, numbers: Ints, after: tuple[int, int] | None, *, descending: bool) -> Ints:
    """Returns the positions of rows in order of (time, number), without those of the time of `after` up to it."""
    order: Ints = np.lexsort((numbers, micros))
    if after is not None:
        # The range of times ends or begins with the row's time, so only rows of that time may come before it.
        beyond = numbers[order] < after[1] if descending else numbers[order] > after[1]
        order = order[(micros[order] != after[0]) | beyond]
    return order[::-1] if descending else order


async def _narrow(
    database: Database,
    shot: Snapshot,
    span: Range,
    need: int,
    *,
    descending: bool,
    after: tuple[int, int] | None,
) -> tuple[Range, sql.Composable | None]:
    """Finds the times of the first `need` rows, from the times and numbers of chunks alone, a few chunks at a time.

    Returns a part of `span` that has these rows, and a condition for the chunks that have some of them.
    """
    bounds, parts = shot.bounds(span), (TIME, NUMBER, *key_parts(shot.selection))
    heads = await database.fetch_arrow(
        sql.SQL("SELECT low_seq, low_ts, high_ts FROM {} WHERE part = {} AND {} ORDER BY {}")
        .format(shot.chunks, sql.Literal(TIME), bounds.meeting(), sql.SQL("high_ts DESC" if descending else "low_ts"))
        .as_string(),
        lambda table: [tuple(column) for column in (one.to_pylist() for one in table.columns)],
    )
    micros: Ints = np.zeros(0, np.int64)
    numbers: Ints = np.zeros(0, np.int64)
    holders: Ints = np.zeros(0, np.int64)
    for start in range(0, len(heads[0]), CHUNKS_AT_ONCE):
        ids, low, high = (column[start : start + CHUNKS_AT_ONCE] for column in heads)
        if len(micros) >= need and (high[0] < micros[-1] if descending else low[0] > micros[-1]):
            break
        more = await database.fetch_arrow(
            parts_only(shot.chunks, parts, sql.SQL("low_seq = ANY ({})").format(sql.Literal(ids))).as_string(),
            lambda table: _times_of(split(table)[1], bounds, shot.selection),
        )
        micros, numbers, holders = (np.concatenate(pair) for pair in zip((micros, numbers, holders), more, strict=True))
        order = _order(micros, numbers, after, descending=descending)[:need]
        micros, numbers, holders = micros[order], numbers[order], holders[order]
    if len(micros) < need:
        return span, None
    last = int(micros[-1])
    hits, known = np.unique(holders).tolist(), heads[0]
    # Chunks that have come meanwhile may have some of the rows, too.
    only = sql.SQL("(low_seq = ANY ({}) OR NOT low_seq = ANY ({}))").format(sql.Literal(hits), sql.Literal(known))
    return (Range(last, span.hi) if descending else Range(span.lo, last + 1)), only


def _times_of(chunks: Sequence[ChunkParts], bounds: Bounds, selection: Selection) -> tuple[Ints, Ints, Ints]:
    """Returns times, numbers and chunks of rows."""
    found = [(chunk.low_seq, *chosen(chunk, bounds, selection)[1:3]) for chunk in chunks]
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    holders = np.concatenate([np.full(len(micros), low_seq) for low_seq, micros, _ in found])
    return np.concatenate([one[1] for one in found]), np.concatenate([one[2] for one in found]), holders


async def window(
    database: Database, shot: Snapshot, columns: Sequence[Column], span: Range, *, behind: bool = False
) -> pa.Table:
    """Fetches all rows of `span` in order of time. Sorts only when the table's order differs.

    behind: whether the read comes behind other work of the machine.
    """
    bounds = shot.bounds(span)

    def rest(shot: Snapshot) -> sql.Composed:
        return snapshot.where(shot, span)

    # An index by key and time gives the rows of selected series in its own order.
    if not shot.rewritten and not shot.selection and _ascending(shot, span):
        # The table is in order of the sequence numbers, so the numbers need not be read.
        table = await _read(database, shot, columns, bounds, rest, _as_read, with_numbers=False, behind=behind)
        if _is_sorted(table):
            return table
    return await _read(database, shot, columns, bounds, rest, lambda table, _: _in_order(table), behind=behind)


def _as_read(table: pa.Table, _: bool) -> pa.Table:
    """Returns rows without numbers as they are. Numbers are there when some rows came to be packed meanwhile."""
    return _in_order(table) if "_seq" in table.column_names else table


def _ascending(shot: Snapshot, span: Range) -> bool:
    """Checks whether the blocks that meet `span` follow each other in time."""
    met = [block for block in shot.blocks if span.meets(block)]
    return all(later.min_ts >= earlier.max_ts for earlier, later in pairwise(met))


def _is_sorted(table: pa.Table) -> bool:
    micros = table.column("ts").cast(pa.int64()).to_numpy()
    return bool((micros[1:] >= micros[:-1]).all())


def _in_order(table: pa.Table) -> pa.Table:
    """Sorts rows by (time, sequence number), after a check whether they are sorted already, as they mostly are."""
    micros, numbers = table.column("ts").cast(pa.int64()).to_numpy(), table.column("_seq").to_numpy()
    later = (micros[1:] > micros[:-1]) | ((micros[1:] == micros[:-1]) & (numbers[1:] > numbers[:-1]))
    return table if bool(later.all()) else table.sort_by([("ts", "ascending"), ("_seq", "ascending")])


async def following(database: Database, shot: Snapshot, after_seq: int, limit: int) -> tuple[pa.Table, int]:
    """Fetches up to `limit` rows with numbers greater than `after_seq`, in order of their numbers.

    Returns the rows and the number up to which the rows are complete.
    """
    # Blocks show where the wanted rows surely end, so that rows of later blocks need not be sorted.
    last, held = shot.last_seq, 0
    for block in shot.blocks:
        held += block.rows if block.first_seq > after_seq else 0
        if held >= limit and not shot.selection:
            last = block.last_seq
            break

    def rest(shot: Snapshot) -> sql.Composed:
        where = numbered(after_seq + 1, last, cold=shot.cold)
        if shot.selection:
            where = sql.SQL("{} AND {}").format(condition_of(shot.selection), where)
        return sql.SQL("{} ORDER BY _seq LIMIT {}").format(where, sql.Literal(limit))

    def cut(table: pa.Table, mixed: bool) -> pa.Table:
        return table.sort_by("_seq").slice(0, limit) if mixed else table

    table = await _read(database, shot, shot.columns, Bounds(Range(), after_seq + 1, last), rest, cut)
    return table, table["_seq"][-1].as_py() if len(table) == limit else last


async def rows_within(
    database: Database,
    exported: str,
    shot: Snapshot,
    columns: Sequence[ChunkColumn],
    pieces: Sequence[Bounds],
    further: sql.Composable | None = None,
) -> pa.Table:
    """Fetches the rows within any of some disjoint bounds, in no order: `ts`, `_seq`, and the wanted columns.

    exported: name of an exported snapshot. further: a further condition on rows outside of chunks.
    """
    names = ["ts", "_seq", *(column.name for column in columns)]
    query: sql.Composed = pieces_of_rows(shot, names, pieces, further)
    if shot.packed:
        parts = [*part_names(columns), *key_parts(shot.selection)]
        query = with_chunks(query, len(names), shot.chunks, parts, meeting_any(shot.chunks, pieces))
    sink = io.BytesIO()
    await database.write_arrow(exported, [query.as_string()], sink)

    def read() -> tuple[pa.Table, list[ChunkParts]]:
        table = pa.ipc.open_stream(sink.getbuffer()).read_all()
        return split(table) if shot.packed else (table, [])

    def decoded(chunks: Sequence[ChunkParts]) -> list[pa.Table]:
        return list(decode_chosen_pieces(chunks, columns, pieces, shot.selection))

    rows, chunks = await asyncio.to_thread(read)
    # Decoding holds no lock of Python's for most of the time.
    middle = len(chunks) // 2
    halves = [chunks[:middle], chunks[middle:]] if len(chunks) >= PARALLEL_CHUNKS else [chunks]
    tables = await asyncio.gather(*(asyncio.to_thread(decoded, half) for half in halves))
    return await asyncio.to_thread(joined, rows, [one for half in tables for one in half])
