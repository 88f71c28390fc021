"""Aligned reads: rows of several datasets at the times of one, or of a grid, in bounded memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import polars as pl
import pyarrow as pa

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.db.database import Database
from atlas.errors import AuthenticationError, BadRequestError
from atlas.kit.file_formats import MEDIA_TYPES, Output
from atlas.timeseries import repository
from atlas.timeseries.align.edges import Edges, read_frame
from atlas.timeseries.align.joining import TIME, joined, within
from atlas.timeseries.align.model import AlignedDataset, AlignRequest, GridClock, Side
from atlas.timeseries.align.sides import columns_of, conditions_of, keys_of, prefixes, refuse_unlike, refuse_unused
from atlas.timeseries.columns import Column
from atlas.timeseries.formats import (
    TIME_KEY,
    RowFormat,
    TableWriter,
    arrow_schema,
    arrow_table,
    csv_bytes,
    timestamp_text,
)
from atlas.timeseries.read import counts
from atlas.timeseries.read.known_at import snapshot_at
from atlas.timeseries.read.latest import list_series
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.rollups import levels
from atlas.timeseries.zone_map import Range, windows

# Rows of all datasets that are in memory together, and times of a grid.
_WINDOW_ROWS, _GRID_ROWS = 400_000, 100_000
# Times of a grid in an answer, and series of a grid.
_MOST_TIMES, _MOST_SERIES = 50_000_000, 10_000
_RECHECK_SECONDS = 10.0
_LOOKED_AT_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class AlignedFile:
    """An answer ready to send. chunks: function that makes the bytes, piece by piece."""

    media_type: str
    name: str
    chunks: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """An alignment of datasets as they are now.

    - clock: None for a grid, whose series are `series`. others: what is joined.
    - style: the columns of the answer, whose physical names are those of frames.
    - parts: windows of time, one after the other. digits: of a second in CSV.
    """

    request: AlignRequest
    clock: Side | None
    others: Sequence[Side]
    series: pl.DataFrame
    style: RowFormat
    parts: Sequence[Range]
    digits: int


class AlignService:
    """Joins rows of datasets by time."""

    def __init__(self, database: Database, access: AccessService) -> None:
        self._database, self._access = database, access

    async def align(self, caller: Caller, request: AlignRequest) -> AlignedFile:
        """Prepares an answer.

        Raises NotFoundError or ForbiddenError: for a dataset that is none, or that the caller may not read.
        Raises BadRequestError: when a part of the request is invalid.
        """
        wanted = _wanted(request)
        for one in wanted:
            await self._access.require(caller, one.dataset)
        plan = await self._plan(request, wanted)
        pairs = {(caller.key_id, one.dataset) for one in wanted}

        def chunks() -> AsyncIterator[bytes]:
            return self._encoded(self._while_readable(caller, pairs, self._frames(plan)), plan)

        output = request.output
        return AlignedFile(MEDIA_TYPES[output], f"aligned.{output}", chunks)

    async def _plan(self, request: AlignRequest, wanted: Sequence[AlignedDataset]) -> _Plan:
        shots: dict[int, Snapshot] = {}
        for one in wanted:
            shot = await snapshot_at(self._database, one.dataset, request.known)
            shots[one.dataset] = shot.only(conditions_of(request, one, shot.keys))
        refuse_unused(request, list(shots.values()))
        names = await repository.names_of(self._database, list(shots))
        told = prefixes(list(shots), names)
        clock, others, labels = None, [], dict[str, tuple[str, Column]]()
        for one in wanted:
            shot, leads = shots[one.dataset], isinstance(request.clock, AlignedDataset) and one is wanted[0]
            keys = keys_of(request, shot, clock=leads)
            columns = [column for column in columns_of(one, shot) if column.name not in request.by]
            outputs = {f"o{len(labels) + place}": column for place, column in enumerate(columns)}
            before = "" if leads else told[one.dataset]
            labels |= {name: (before + column.name, column) for name, column in outputs.items()}
            side = Side(shot, keys, outputs)
            if leads:
                clock = side
            elif shot.blocks:
                others.append(side)
        sides = [*([clock] if clock else []), *others]
        refuse_unlike(sides, request.by)
        if request.by and sides and not any(side.keys for side in sides):
            raise BadRequestError("Invalid parameter", f"by: {request.by[0][:60]!r} is a key of none of the datasets")
        span = _hull(request, sides, [clock] if clock else others)
        series = pl.DataFrame() if clock else await self._series(request, others)
        style = _style(request, sides, labels)
        parts = _parts(request, sides, span, max(1, len(series)))
        digits = await self._digits(clock, span) if clock else _grid_digits(request)
        return _Plan(request, clock, others, series, style, parts, digits if request.output is Output.CSV else 0)

    async def _series(self, request: AlignRequest, sides: Sequence[Side]) -> pl.DataFrame:
        """Returns the series of a grid: those of all datasets."""
        found: list[pl.DataFrame] = []
        for side in sides:
            if side.keys:
                page = await list_series(self._database, side.shot, side.keys, None, _MOST_SERIES + 1, 0)
                rows = msgspec.json.decode(b"[" + page.rows + b"]")
                columns = {f"k{n}": [row["key"][key.name] for row in rows] for n, key in enumerate(side.keys)}
                found.append(pl.DataFrame(columns))
        if not found:
            return pl.DataFrame()
        series = pl.concat(found).unique().sort(pl.all())
        if len(series) > _MOST_SERIES:
            raise BadRequestError("Invalid parameter", f"by: more than {_MOST_SERIES} series; take fewer by where")
        return series

    async def _digits(self, clock: Side, span: Range) -> int:
        digits = 0
        for part in windows(clock.shot.blocks, span, _LOOKED_AT_ROWS):
            digits = await counts.second_digits(self._database, clock.shot, part, digits)
        return digits

    async def _while_readable(
        self, caller: Caller, pairs: set[tuple[int, int]], frames: AsyncIterator[pl.DataFrame]
    ) -> AsyncIterator[pl.DataFrame]:
        looked = time.monotonic()
        async for frame in frames:
            if time.monotonic() - looked >= _RECHECK_SECONDS:
                looked = time.monotonic()
                for _, dataset in pairs - await self._access.still_readable(pairs):
                    await self._access.require(caller, dataset)
                    raise AuthenticationError("Invalid API key", "The key was revoked or has expired")
            yield frame

    async def _frames(self, plan: _Plan) -> AsyncIterator[pl.DataFrame]:
        """Yields the rows of the answer, window by window."""
        request = plan.request
        edges = [Edges(self._database, side, request.tolerance) for side in plan.others]
        left = request.limit
        for part in plan.parts:
            rows = await self._clock(plan, part)
            if not len(rows):
                for edge in edges:
                    edge.passed(await read_frame(self._database, edge.side, part))
                continue
            rows = rows if left is None else rows.head(left)
            for edge in edges:
                rows = await self._joined(rows, edge, part, request)
            yield rows
            left = None if left is None else left - len(rows)
            if left == 0:
                return

    async def _clock(self, plan: _Plan, part: Range) -> pl.DataFrame:
        if plan.clock is not None:
            return await read_frame(self._database, plan.clock, part, whole=True)
        assert isinstance(plan.request.clock, GridClock)
        every = plan.request.clock.every
        first = -(-(part.lo - levels.ORIGIN) // every) * every + levels.ORIGIN
        times = pl.DataFrame({TIME: pl.int_range(first, part.hi, every, eager=True)})
        times = times.select(pl.col(TIME).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
        return times.join(plan.series, how="cross", maintain_order="left_right") if len(plan.series) else times

    async def _joined(self, rows: pl.DataFrame, edge: Edges, part: Range, request: AlignRequest) -> pl.DataFrame:
        keys = edge.side.key_names
        series = rows.select(keys).unique() if keys else rows.head(1).select(pl.lit(1))
        found = await read_frame(self._database, edge.side, part)
        around = [within(found, series, keys)]
        if request.direction != "forward":
            before = await edge.before(series, part.lo)
            around = [*([] if before is None else [before]), *around]
            edge.passed(found)
        if request.direction != "backward":
            after = await edge.after(series, part.hi)
            around += [] if after is None else [after]
        near = pl.concat(around).sort(TIME, maintain_order=True)
        return await asyncio.to_thread(joined, rows, near, keys, request.direction, request.tolerance)

    async def _encoded(self, frames: AsyncIterator[pl.DataFrame], plan: _Plan) -> AsyncIterator[bytes]:
        output, style = plan.request.output, plan.style
        if output in (Output.PARQUET, Output.ARROW):
            schema = arrow_schema(style)
            writer = TableWriter(output, schema)
            async for frame in frames:
                yield await asyncio.to_thread(
                    lambda frame: writer.write(arrow_table(_table(frame, style), style, schema)), frame
                )
            yield writer.close()
            return
        if output is Output.CSV:
            yield csv_bytes(_nothing(style), style, header=True)
            async for frame in frames:
                yield await asyncio.to_thread(
                    lambda frame: csv_bytes(_table(frame, style), style, header=False, digits=plan.digits), frame
                )
            return
        between = b"\n" if output is Output.NDJSON else b",\n"
        if output is Output.JSON:
            yield b"["
        first = True
        async for frame in frames:
            text = await asyncio.to_thread(_lines, frame, style, between.decode())
            yield text if first else between + text
            first = False
        yield b"]" if output is Output.JSON else b"" if first else b"\n"


def _wanted(request: AlignRequest) -> list[AlignedDataset]:
    """Returns the datasets, the clock first. Raises BadRequestError where one is named twice, or versions are mixed."""
    wanted = list(request.datasets)
    ids = [one.dataset for one in wanted]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise BadRequestError("Invalid parameter", f"datasets: {twice} is named twice")
    if isinstance(request.clock, AlignedDataset):
        clock = request.clock.dataset
        own = [one for one in wanted if one.dataset == clock] or [request.clock]
        wanted = [*own, *(one for one in wanted if one.dataset != clock)]
    if not wanted:
        raise BadRequestError("Invalid parameter", "datasets: name one or more")
    if request.known is not None and request.known.version is not None and len(wanted) > 1:
        raise BadRequestError("Invalid parameter", "known_at: give a time, as versions are of one dataset")
    return wanted


def _style(request: AlignRequest, sides: Sequence[Side], labels: dict[str, tuple[str, Column]]) -> RowFormat:
    keys = next((side.keys for side in sides if len(side.keys) == len(request.by)), [])
    named = [(key.name, f"k{place}", key) for place, key in enumerate(keys)]
    named += [(label, name, column) for name, (label, column) in labels.items()]
    return RowFormat([replace(column, name=label, physical=name) for label, name, column in named])


def _hull(request: AlignRequest, sides: Sequence[Side], leading: Sequence[Side]) -> Range:
    """Returns the range of the answer's times: what is stated, and else from the first row to the last."""
    blocks = [block for side in leading for block in side.shot.blocks]
    if isinstance(request.clock, GridClock) and blocks:
        whole = Range()
        lo = request.span.lo if request.span.lo > whole.lo else min(block.min_ts for block in blocks)
        hi = request.span.hi if request.span.hi < whole.hi else max(block.max_ts for block in blocks) + 1
        return Range(lo, max(lo, hi))
    if not blocks:
        return Range(0, 0)
    return Range(
        max(request.span.lo, min(block.min_ts for block in blocks)),
        min(request.span.hi, max(block.max_ts for block in blocks) + 1),
    )


def _parts(request: AlignRequest, sides: Sequence[Side], span: Range, series: int) -> list[Range]:
    if span.empty:
        return []
    blocks = [block for side in sides for block in side.shot.blocks]
    parts = windows(blocks, span, _WINDOW_ROWS) or [span]
    # The first and the last window reach as far as the answer does.
    parts[0], parts[-1] = replace(parts[0], lo=span.lo), replace(parts[-1], hi=span.hi)
    if not isinstance(request.clock, GridClock):
        return parts
    if (span.hi - span.lo) // request.clock.every * series > _MOST_TIMES:
        reason = f"more than {_MOST_TIMES:,} rows; take a wider grid, a shorter range or fewer series"
        raise BadRequestError("Invalid parameter", f"clock: {reason}")
    step = max(1, _GRID_ROWS // series) * request.clock.every
    return [Range(lo, min(part.hi, lo + step)) for part in parts for lo in range(part.lo, part.hi, step)]


def _grid_digits(request: AlignRequest) -> int:
    assert isinstance(request.clock, GridClock)
    return 6 if request.clock.every % 1_000 else 3 if request.clock.every % 1_000_000 else 0


def _nothing(style: RowFormat) -> pa.Table:
    empty = pa.table({TIME: pa.array([], pa.timestamp("us", "UTC"))})
    for column, field in zip(style.columns, list(arrow_schema(style))[1:], strict=True):
        empty = empty.append_column(column.physical or "", pa.array([], field.type))
    return empty


def _table(frame: pl.DataFrame, style: RowFormat) -> pa.Table:
    """Returns rows with all columns of the answer. A dataset without rows has brought none."""
    missing = [column.physical or "" for column in style.columns if column.physical not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(name) for name in missing)
    return frame.select(TIME, *(column.physical or "" for column in style.columns)).to_arrow()


def _lines(frame: pl.DataFrame, style: RowFormat, separator: str) -> bytes:
    """Writes rows as JSON, null where no row was near."""
    cells = [timestamp_text(pl.col(TIME)).alias(TIME_KEY)]
    for column in style.columns:
        name = column.physical or ""
        cells.append((pl.col(name) if name in frame.columns else pl.lit(None)).alias(style.label(column.name)))
    text: str = frame.select(pl.struct(cells).struct.json_encode()).to_series().str.join(separator).item()
    return text.encode()
