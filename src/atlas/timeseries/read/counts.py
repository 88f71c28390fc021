"""Counts of rows, and the digits of a second that their times need: from row blocks and chunks as far as they tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from psycopg import sql

from atlas.db.database import Database
from atlas.timeseries.cold.chunk_codec import NUMBER, TIME
from atlas.timeseries.cold.chunk_rows import Bounds, split, with_chunks
from atlas.timeseries.read import snapshot
from atlas.timeseries.read.chosen_rows import chosen, key_parts
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.repository import between, numbered
from atlas.timeseries.zone_map import MAX_PARTIAL, Range, split_count


async def count(database: Database, shot: Snapshot, span: Range) -> int:
    """Counts the rows of `span`: from whole blocks, and from the rows of blocks that `span` cuts."""
    if span.empty:
        return 0
    if shot.selection:
        return await _count_all(database, shot, span)
    inside, partial = split_count(shot.blocks, span)
    if not partial:
        return inside
    if len(partial) > MAX_PARTIAL:
        return await _count_all(database, shot, span)
    # Each block gets a condition on its own times, so that the index finds its pages. The times of the whole range
    # could match most of the table.
    parts = [
        Bounds(Range(max(span.lo, b.min_ts), min(span.hi, b.max_ts + 1)), b.first_seq, b.last_seq) for b in partial
    ]

    def plan(shot: Snapshot) -> tuple[sql.Composed, Callable[[pa.Table], int]]:
        plain = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(shot.source, _in_blocks(shot, parts))
        if not shot.packed:
            return plain, _first
        meeting = sql.SQL("({})").format(sql.SQL(" OR ").join([sql.SQL("({})").format(b.meeting()) for b in parts]))
        query = with_chunks(plain, 1, shot.chunks, (TIME, NUMBER), meeting)

        def counted(table: pa.Table) -> int:
            rows, chunks = split(table)
            return _first(rows) + sum(len(chunk.rows(one)[1]) for chunk in chunks for one in parts)

        return query, counted

    return inside + await snapshot.fetch(database, shot, plan)


def _in_blocks(shot: Snapshot, parts: Sequence[Bounds]) -> sql.Composed:
    pieces = [
        sql.SQL("({} AND {})").format(between(b.span, cold=False), numbered(b.first, b.last, cold=False)) for b in parts
    ]
    where = sql.SQL("({})").format(sql.SQL(" OR ").join(pieces))
    if shot.cold:
        # PostgreSQL checks a condition before it unpacks a segment only when the condition uses nothing but bounds.
        where += sql.SQL(" AND ({})").format(
            sql.SQL(" OR ").join(sql.SQL("(_high_seq >= {} AND _low_seq <= {})").format(b.first, b.last) for b in parts)
        )
    return where


async def _count_all(database: Database, shot: Snapshot, span: Range) -> int:
    """Counts the rows of `span`: chunks that lie within it by their number of rows."""

    def plan(shot: Snapshot) -> tuple[sql.Composed, Callable[[pa.Table], int]]:
        bounds = shot.bounds(span)
        plain = sql.SQL("SELECT count(*) AS n FROM {} WHERE {}").format(shot.source, snapshot.where(shot, span))
        if not shot.packed:
            return plain, _first
        # Chunks know the number of their rows, and not the series of these.
        within = sql.SQL("false") if shot.selection else bounds.within()
        whole = sql.SQL("SELECT sum(rows)::bigint AS n FROM {} WHERE part = {} AND {}").format(
            shot.chunks, sql.Literal(TIME), within
        )
        both = sql.SQL("SELECT sum(n)::bigint FROM ({} UNION ALL {}) AS counted").format(plain, whole)
        cut = sql.SQL("{} AND NOT ({})").format(bounds.meeting(), within)
        query = with_chunks(both, 1, shot.chunks, (TIME, NUMBER, *key_parts(shot.selection)), cut)

        def counted(table: pa.Table) -> int:
            rows, chunks = split(table)
            return _first(rows) + sum(len(chosen(chunk, bounds, shot.selection)[1]) for chunk in chunks)

        return query, counted

    return await snapshot.fetch(database, shot, plan)


def _first(table: pa.Table) -> int:
    return int(table.column(0)[0].as_py() or 0)


async def second_digits(database: Database, shot: Snapshot, span: Range, least: int = 0) -> int:
    """Returns how many digits of a second the rows of `span` need: 0, 3 or 6, and at least `least`."""

    def plan(shot: Snapshot) -> tuple[sql.Composed, Callable[[pa.Table], int]]:
        finer = [
            sql.SQL("WHEN EXISTS (SELECT 1 FROM {} WHERE {} AND ts <> date_trunc({}, ts)) THEN {}").format(
                shot.source, snapshot.where(shot, span), sql.Literal(unit), sql.Literal(digits)
            )
            for digits, unit in ((6, "milliseconds"), (3, "second"))
            if digits > least
        ]
        plain = sql.SQL("SELECT CASE {} ELSE {} END").format(sql.SQL(" ").join(finer), sql.Literal(least))
        if not shot.packed:
            return plain, _first
        bounds = shot.bounds(span)
        within = sql.SQL("false") if shot.selection else bounds.within()
        whole = sql.SQL("SELECT coalesce(max(digits), 0) FROM {} WHERE part = {} AND {}").format(
            shot.chunks, sql.Literal(TIME), within
        )
        both = sql.SQL("SELECT greatest(({}), ({}))::int").format(plain, whole)
        cut = sql.SQL("digits > {} AND {} AND NOT ({})").format(least, bounds.meeting(), within)

        def found(table: pa.Table) -> int:
            rows, chunks = split(table)
            return max([_first(rows), *(_digits(chosen(chunk, bounds, shot.selection)[1]) for chunk in chunks)])

        return with_chunks(both, 1, shot.chunks, (TIME, NUMBER, *key_parts(shot.selection)), cut), found

    return least if least == 6 else await snapshot.fetch(database, shot, plan)


def _digits(micros: np.ndarray) -> int:
    return 6 if (micros % 1_000).any() else 3 if (micros % 1_000_000).any() else 0
