"""Queries of rows within many bounds at once, in statements that stay short."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from atlas.kit.timestamps import from_micros
from atlas.timeseries.cold.chunk_codec import TIME
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.repository import between, numbered

# Up to this number, bounds are conditions of their own.
FEW_PIECES = 8
_COMMA = sql.SQL(", ")


def pieces_of_rows(
    shot: Snapshot, names: Sequence[str], pieces: Sequence[Bounds], further: sql.Composable | None
) -> sql.Composed:
    """Builds the query of rows outside of chunks within some disjoint bounds.

    names: of columns. further: a further condition.
    """
    listed = _COMMA.join(map(sql.Identifier, names))
    ending = sql.SQL("") if further is None else sql.SQL(" AND {}").format(further)
    if len(pieces) <= FEW_PIECES:
        select = sql.SQL("SELECT {} FROM {} WHERE {}{}")
        conditions = [_condition(piece, cold=shot.cold) for piece in pieces]
        return sql.SQL(" UNION ALL ").join([select.format(listed, shot.source, one, ending) for one in conditions])
    within = "ts >= lo AND ts <= hi AND _seq >= first AND _seq <= last"
    if shot.cold:
        within += " AND _high_ts >= lo AND _low_ts <= hi AND _high_seq >= first AND _low_seq <= last"
    # OFFSET 0 makes PostgreSQL look into the index once for each piece.
    return sql.SQL(
        "SELECT {} FROM unnest({}::timestamptz[], {}::timestamptz[], {}::bigint[], {}::bigint[])"
        " AS piece (lo, hi, first, last) CROSS JOIN LATERAL (SELECT {} FROM {} WHERE {}{} OFFSET 0) AS found"
    ).format(
        listed,
        [from_micros(piece.span.lo) for piece in pieces],
        [from_micros(piece.span.hi - 1) for piece in pieces],
        *_numbers(pieces),
        listed,
        shot.source,
        sql.SQL(within),
        ending,
    )


def meeting_any(chunks: sql.Identifier, pieces: Sequence[Bounds]) -> sql.Composed:
    """Builds the condition for chunks that may have rows within some bounds."""
    if len(pieces) <= FEW_PIECES:
        return sql.SQL("({})").format(sql.SQL(" OR ").join([sql.SQL("({})").format(one.meeting()) for one in pieces]))
    return sql.SQL(
        "low_seq IN (SELECT low_seq FROM unnest({}::bigint[], {}::bigint[], {}::bigint[], {}::bigint[])"
        " AS piece (lo, hi, first, last) JOIN {} ON high_ts >= lo AND low_ts < hi AND high_seq >= first"
        " AND low_seq <= last WHERE part = {} AND high_ts >= {} AND low_ts < {})"
    ).format(
        [piece.span.lo for piece in pieces],
        [piece.span.hi for piece in pieces],
        *_numbers(pieces),
        chunks,
        TIME,
        min(piece.span.lo for piece in pieces),
        max(piece.span.hi for piece in pieces),
    )


def _condition(piece: Bounds, *, cold: bool) -> sql.Composed:
    where = between(piece.span, cold=cold)
    if piece == Bounds(piece.span):
        return where
    return sql.SQL("{} AND {}").format(where, numbered(piece.first, piece.last, cold=cold))


def _numbers(pieces: Sequence[Bounds]) -> tuple[list[int], list[int]]:
    return [piece.first for piece in pieces], [piece.last for piece in pieces]
