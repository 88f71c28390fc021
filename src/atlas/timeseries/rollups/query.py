"""Aggregates by time bucket: from a dataset's rollup as far as the rollup goes, and from rows for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.timestamps import from_micros
from atlas.timeseries.cold.chunk_codec import GROUP_ROWS, part_name
from atlas.timeseries.cold.chunk_rows import Bounds, ChunkColumn
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.read.row_queries import rows_within
from atlas.timeseries.read.snapshot import Snapshot, relocated
from atlas.timeseries.repository import between, numbered
from atlas.timeseries.rollups import levels as core
from atlas.timeseries.rollups import maintenance
from atlas.timeseries.rollups.arrow_buckets import OutOfRangeError, Weights, series_buckets_of
from atlas.timeseries.rollups.calendars import Grid, Width
from atlas.timeseries.rollups.functions import ROW_PARTS, close_values
from atlas.timeseries.series.tables import condition_of
from atlas.timeseries.zone_map import Range, windows

# From this number of rows on, a second process saves more time than its start takes.
PARALLEL_ROWS = 200_000
# Up to this number, pieces of a rollup are selected by conditions; more pieces by a list.
FEW_PIECES = 8
# Cost of finding a short range of rows, in numbers of rows that could be read instead. The index returns pages, and the
# summary of every 32 pages is checked.
RANGE_ROWS, SUMMARY_SHARE = 6_000, 1 / 1000
# Rows of a dataset with chunks that are in memory together.
PORTION_ROWS = 1_000_000
# Values that wait for the end of their buckets, for quantiles: some 250 MB.
MOST_VALUES = 30_000_000


@dataclass(frozen=True, slots=True)
class RowFigures:
    """What only rows tell.

    - price, volume: the columns of a volume-weighted average.
    - quantiles: shares from 0 to 1; with `keep_values`, buckets keep all values instead of these quantiles.
    """

    quantiles: tuple[float, ...] = ()
    keep_values: bool = False
    price: Column | None = None
    volume: Column | None = None

    def read(self, columns: Sequence[Column]) -> list[Column]:
        """Lists the columns to read, each once."""
        return list(dict.fromkeys([*columns, *([self.volume] if self.volume else [])]))

    @property
    def weights(self) -> Weights | None:
        if self.price is None or self.volume is None:
            return None
        return Weights(self.price.physical or "", self.volume.physical or "")


ALL_STORED = RowFigures()


async def buckets(
    database: Database,
    shot: Snapshot,
    columns: Sequence[Column],
    span: Range,
    width: Width,
    parts: Sequence[str],
    limit: int,
    by: Sequence[Column] = (),
    figures: RowFigures = ALL_STORED,
) -> list[core.Bucket]:
    """Returns (bucket start, rows, then each part of each column) by bucket, in order of time.

    `width` is in seconds from 2000-01-03 (a Monday), a unit of date_trunc, or a grid that holds `span`. Beyond `limit`
    buckets, some may be missing. Rows inserted after `shot` may count. With `by`, the values of these keys come first
    in each bucket, and buckets are in order of the keys, then of time. `figures` tells what parts of rows need.

    Raises NotFoundError: when the dataset is gone.
    Raises BadRequestError: when a sum is out of the range of a float.
    """
    try:
        async with database.connection() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # The lock comes before the transaction's snapshot. A later change of a column's type would leave the
            # snapshot without rows.
            await connection.execute(sql.SQL("LOCK TABLE {} IN ROW SHARE MODE").format(shot.table))
            if set(parts) & set(ROW_PARTS) or (isinstance(width, Grid) and width.bounds is None):
                sources = _whole(shot, span)
                return await _from_all_rows(
                    database, connection, shot, sources, columns, width, parts, limit, by, figures
                )
            if shot.selection or by or shot.known is not None:
                return await _series_buckets(database, connection, shot, columns, span, width, parts, limit, by)
            return await _buckets(database, connection, shot, columns, span, width, parts, limit)
    except psycopg.errors.UndefinedTable:
        moved = await relocated(database, shot)
        if moved is None:
            raise NotFoundError("Dataset not found", "it has just been deleted") from None
        return await buckets(database, moved, columns, span, width, parts, limit, by, figures)
    except (psycopg.errors.NumericValueOutOfRange, OutOfRangeError):
        raise BadRequestError("Invalid parameter", "functions: a sum is out of the range of a 64-bit float") from None


async def _buckets(
    database: Database,
    connection: Connection,
    shot: Snapshot,
    columns: Sequence[Column],
    span: Range,
    width: Width,
    parts: Sequence[str],
    limit: int,
) -> list[core.Bucket]:
    rollup = await maintenance.find(connection, shot.dataset_id)
    plan = [core.Piece(0, span)]
    if rollup is not None and rollup.width and {column.id for column in columns} <= set(rollup.columns):
        if isinstance(width, Grid):
            plan = core.grid_pieces(span, rollup.width, width.listed, _known(shot))
        else:
            plan = core.pieces(span, rollup.width, width, _known(shot))
    stored = [piece for piece in plan if piece.width]
    found: list[core.Bucket] = []
    if rollup is not None and stored:
        found = await _from_rollup(connection, rollup, stored, columns, width, parts, limit)
    sources, rows = _sources(shot, rollup, plan, width)
    if not sources:
        return found
    if shot.packed:
        more = await _from_all_rows(database, connection, shot, sources, columns, width, parts, limit)
        return core.join(found, more, parts)
    if rows > PARALLEL_ROWS:
        await connection.execute("SET LOCAL max_parallel_workers_per_gather = 2")
        if rows * 2 > shot.row_count:
            await connection.execute("SET LOCAL enable_seqscan = on")
    more = await _from_rows(connection, shot, sources, columns, width, parts, limit)
    return core.join(found, more, parts)


def _whole(shot: Snapshot, span: Range) -> list[_Source]:
    """Returns the source of all rows of a range, of selected series or of a past moment."""
    bounds = Bounds(span) if shot.known is None else shot.bounds(span)
    return [_Source(bounds, condition_of(shot.selection) if shot.selection else None)]


async def _series_buckets(
    database: Database,
    connection: Connection,
    shot: Snapshot,
    columns: Sequence[Column],
    span: Range,
    width: Width,
    parts: Sequence[str],
    limit: int,
    by: Sequence[Column],
) -> list[core.Bucket]:
    """Returns buckets of selected series or of a past moment, all from rows, as the rollup joins all rows of today."""
    sources = _whole(shot, span)
    if shot.packed:
        return await _from_all_rows(database, connection, shot, sources, columns, width, parts, limit, by)
    rows = sum(block.rows for block in shot.blocks if span.meets(block))
    if rows > PARALLEL_ROWS:
        await connection.execute("SET LOCAL max_parallel_workers_per_gather = 2")
        if rows * 2 > shot.row_count:
            await connection.execute("SET LOCAL enable_seqscan = on")
    return await _from_rows(connection, shot, sources, columns, width, parts, limit, by)


def _known(shot: Snapshot) -> Range:
    """Returns the range from the first to the last time of rows."""
    if not shot.blocks:
        return Range(0, 0)
    return Range(min(b.min_ts for b in shot.blocks), max(b.max_ts for b in shot.blocks) + 1)


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows to read, by their bounds, and perhaps by a further condition in SQL."""

    bounds: Bounds
    further: sql.Composable | None = None

    def condition(self, shot: Snapshot) -> sql.Composable:
        """Builds the condition for rows that are not in chunks."""
        where = between(self.bounds.span, cold=shot.cold)
        if self.bounds != Bounds(self.bounds.span):
            where = sql.SQL("{} AND {}").format(where, numbered(self.bounds.first, self.bounds.last, cold=shot.cold))
        return where if self.further is None else sql.SQL("{} AND {}").format(where, self.further)


def _sources(
    shot: Snapshot, rollup: maintenance.Rollup | None, plan: Sequence[core.Piece], width: Width
) -> tuple[list[_Source], int]:
    """Returns disjoint sources of the rows to read, and estimates the number of rows to scan in long runs."""

    def count(*ranges: Range) -> int:
        return sum(block.rows for block in shot.blocks if any(one.meets(block) for one in ranges))

    stored, cut = [p.span for p in plan if p.width], [p.span for p in plan if not p.width]
    if rollup is None or not stored:
        return [_Source(Bounds(one)) for one in cut], count(*cut)
    inner = Range(stored[0].lo, stored[-1].hi)
    edges = [one for one in cut if not inner.lo < one.lo < inner.hi]
    within = [one for one in cut if inner.lo < one.lo < inner.hi]
    sources, rows = [_Source(Bounds(one)) for one in edges], count(*edges)
    few = len(within) * (RANGE_ROWS + shot.row_count * SUMMARY_SHARE) < (whole := count(inner))
    if few or shot.packed:
        sources += [_Source(Bounds(one, 1, rollup.upto)) for one in within]
    elif within:
        sources.append(_Source(Bounds(inner, 1, rollup.upto), _shared(rollup.width, width)))
        rows += whole
    if rollup.upto < rollup.last_seq:
        sources.append(_Source(Bounds(inner, rollup.upto + 1, rollup.last_seq)))
        rows += rollup.last_seq - rollup.upto
    return sources, rows


def _shared(narrow: int, wide: Width) -> sql.Composed:
    """Builds a condition for rows in a narrow bucket that lies in two wide buckets, because the second begins within
    it.
    """
    start = maintenance.bucket_start(narrow, "ts").as_string()
    end = f"{start} + make_interval(secs => {narrow} - 0.000001)"
    if isinstance(wide, Grid):
        return sql.SQL("{} > {}").format(maintenance.bucket_start(wide, end), maintenance.bucket_start(wide, start))
    return sql.SQL("{} > {}").format(maintenance.bucket_start(wide, end), maintenance.bucket_start(narrow, "ts"))


def _label(width: Width, time: str) -> sql.Composed:
    """Builds the start of a bucket, or of the year 1 when
    that start is earlier, because no timestamp is earlier.
    """
    start = maintenance.bucket_start(width, time)
    return sql.SQL("greatest({}, '0001-01-01Z')").format(start) if isinstance(width, int) else start


async def _from_rollup(
    connection: Connection,
    rollup: maintenance.Rollup,
    plan: Sequence[core.Piece],
    columns: Sequence[Column],
    width: Width,
    parts: Sequence[str],
    limit: int,
) -> list[core.Bucket]:
    cells = [
        sql.SQL(maintenance.FROM_PARTS[part]).format(c=rollup.value(part, column))
        for column in columns
        for part in parts
    ]
    if len(plan) <= FEW_PIECES:
        where = sql.SQL(" OR ").join([maintenance.starting(piece.width, piece.span) for piece in plan])
        source = sql.SQL("{} WHERE {}").format(rollup.table, where)
    else:
        # OFFSET 0 makes PostgreSQL look into the index once for each piece.
        source = sql.SQL(
            "unnest({}::int[], {}::timestamptz[], {}::timestamptz[]) AS piece (level, lo, hi) CROSS JOIN LATERAL"
            " (SELECT * FROM {} WHERE width = level AND start BETWEEN lo AND hi OFFSET 0) AS stored"
        ).format(
            sql.Literal([piece.width for piece in plan]),
            sql.Literal([from_micros(piece.span.lo) for piece in plan]),
            sql.Literal([from_micros(piece.span.hi - 1) for piece in plan]),
            rollup.table,
        )
    query = sql.SQL("SELECT {} AS bucket, {} FROM {} GROUP BY 1 ORDER BY 1 LIMIT {}").format(
        _label(width, "start"),
        sql.SQL(", ").join([sql.SQL("sum(rows)::bigint"), *cells]),
        source,
        sql.Literal(limit + 1),
    )
    return _named(await _fetch(connection, query), width)


async def _from_rows(
    connection: Connection,
    shot: Snapshot,
    sources: Sequence[_Source],
    columns: Sequence[Column],
    width: Width,
    parts: Sequence[str],
    limit: int,
    by: Sequence[Column] = (),
) -> list[core.Bucket]:
    names = [sql.Identifier(column.physical or "") for column in columns]
    cells = [sql.SQL(maintenance.FROM_ROWS[part]).format(c=name) for name in names for part in parts]
    select = sql.SQL("SELECT {} FROM {} WHERE {}")
    keys = [sql.Identifier(column.physical or "") for column in by]
    taken = sql.SQL(", ").join([sql.SQL("ts"), sql.SQL("_seq"), *names, *keys])
    union = sql.SQL(" UNION ALL ").join([select.format(taken, shot.source, one.condition(shot)) for one in sources])
    order = [
        sql.SQL('{} COLLATE "C"' if column.dtype is Dtype.STRING else "{}").format(name)
        for column, name in zip(by, keys, strict=True)
    ]
    query = sql.SQL("SELECT {} AS bucket, {} FROM ({}) AS source GROUP BY {} ORDER BY {} LIMIT {}").format(
        sql.SQL(", ").join([*keys, _label(width, "ts")]),
        sql.SQL(", ").join([sql.SQL("count(*)"), *cells]),
        union,
        sql.SQL(", ").join([*keys, sql.SQL(str(len(keys) + 1))]),
        sql.SQL(", ").join([*order, sql.SQL(str(len(keys) + 1))]),
        sql.Literal(limit + 1),
    )
    return _named(await _fetch(connection, query), width, len(keys))


def _named(rows: list[core.Bucket], width: Width, at: int = 0) -> list[core.Bucket]:
    """Puts starts in the place of the numbers of a grid's buckets, which stand at `at`."""
    if not isinstance(width, Grid):
        return rows
    starts = [from_micros(start) for start in width.starts.tolist()]
    return [(*row[:at], starts[row[at] - 1], *row[at + 1 :]) for row in rows]


async def _from_all_rows(
    database: Database,
    connection: Connection,
    shot: Snapshot,
    sources: Sequence[_Source],
    columns: Sequence[Column],
    width: Width,
    parts: Sequence[str],
    limit: int,
    by: Sequence[Column] = (),
    figures: RowFigures = ALL_STORED,
) -> list[core.Bucket]:
    """Computes buckets from rows outside of chunks and in chunks, in the connection's snapshot."""
    row = await (await connection.execute("SELECT pg_export_snapshot()")).fetchone()
    assert row is not None
    found: dict[tuple[Any, ...], list[core.Bucket]] = {}
    names, keys = [column.physical or "" for column in columns], [column.physical or "" for column in by]
    read = dict.fromkeys([*figures.read(columns), *by])
    wanted = [ChunkColumn(column.physical or "", part_name(column), column.dtype) for column in read]
    values = _Values(columns, parts, figures)
    for some in _portions(shot, sources):
        rows = await rows_within(database, row[0], shot, wanted, [one.bounds for one in some], some[0].further)
        more = await asyncio.to_thread(series_buckets_of, rows, keys, names, width, parts, figures.weights)
        await asyncio.to_thread(values.add, found, more)
        if sum(map(len, found.values())) > limit:
            break
    await asyncio.to_thread(values.close, found)
    return [(*key, *bucket) for key in sorted(found) for bucket in found[key]]


class _Values:
    """Joins the buckets of portions, which come in order of time, and closes those that can get no more rows."""

    def __init__(self, columns: Sequence[Column], parts: Sequence[str], figures: RowFigures) -> None:
        self._parts, self._figures = parts, figures
        at = parts.index("q") if "q" in parts else None
        self._places = [] if at is None else [2 + column * len(parts) + at for column in range(len(columns))]
        self._waiting = 0

    def add(
        self, found: dict[tuple[Any, ...], list[core.Bucket]], more: dict[tuple[Any, ...], list[core.Bucket]]
    ) -> None:
        """Joins a portion's buckets with those before. Raises BadRequestError: when too many values wait."""
        for key, some in more.items():
            known = found.setdefault(key, [])
            joined = core.join(known[-1:], some, self._parts)
            ended = joined[:-1] if self._figures.keep_values else [self._closed(one) for one in joined[:-1]]
            known[len(known) - 1 :] = [*ended, joined[-1]]
        if not self._places:
            return
        first = 0 if self._figures.keep_values else -1
        waiting = (bucket for known in found.values() for bucket in known[first:])
        if sum(len(bucket[place]) for bucket in waiting for place in self._places) > MOST_VALUES:
            reason = f"a quantile of more than {MOST_VALUES} values at once; take narrower buckets, or fewer series"
            raise BadRequestError("Invalid parameter", f"functions: {reason}")

    def close(self, found: dict[tuple[Any, ...], list[core.Bucket]]) -> None:
        if self._places and not self._figures.keep_values:
            for known in found.values():
                known[-1] = self._closed(known[-1])

    def _closed(self, bucket: core.Bucket) -> core.Bucket:
        return close_values(bucket, self._places, self._figures.quantiles) if self._places else bucket


def _portions(shot: Snapshot, sources: Sequence[_Source]) -> list[list[_Source]]:
    """Cuts sources into portions for which some PORTION_ROWS rows are read, in order of time.

    All sources have the same further condition.
    """
    portions: list[list[_Source]] = []
    cost = PORTION_ROWS
    for part in windows(shot.blocks, Range(), PORTION_ROWS):
        some = [
            replace(one, bounds=replace(one.bounds, span=span))
            for one in sources
            if not (span := Range(max(one.bounds.span.lo, part.lo), min(one.bounds.span.hi, part.hi))).empty
        ]
        if not some:
            continue
        # A short piece costs the row group that it lies in.
        share = sum(one.bounds.span.hi - one.bounds.span.lo for one in some) / (part.hi - part.lo)
        needed = int(PORTION_ROWS * min(1.0, share)) + len(some) * GROUP_ROWS
        if cost + needed > PORTION_ROWS:
            portions.append([])
            cost = 0
        portions[-1] += some
        cost += needed
    return portions


async def _fetch(connection: Connection, query: sql.Composed) -> list[core.Bucket]:
    # Not prepared, because the types of the result change with the types of the columns.
    return await (await connection.execute(query, prepare=False)).fetchall()
