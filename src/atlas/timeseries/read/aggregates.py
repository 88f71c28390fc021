"""Latest values and time buckets, computed in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.rows import Aggregated
from atlas.contract.shape import absent
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.timestamps import MIN_MICROS
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.formats import RowFormat, json_lines
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.timeseries.moments import Asked
from atlas.timeseries.read import row_queries, snapshot
from atlas.timeseries.read.bucket_requests import BucketRequest, ParsedRequest, name_of
from atlas.timeseries.read.history import replaced_rows
from atlas.timeseries.read.known_at import snapshot_at
from atlas.timeseries.read.latest import Found, latest_rows, list_series
from atlas.timeseries.read.selected import growing
from atlas.timeseries.read.service import select_columns
from atlas.timeseries.rollups import levels
from atlas.timeseries.rollups.bars import BarPlan, time_buckets
from atlas.timeseries.rollups.calendars import BucketCalendar, Grid, TooManyBucketsError, Width
from atlas.timeseries.rollups.functions import parts_of, quantiles_of
from atlas.timeseries.rollups.query import RowFigures, buckets
from atlas.timeseries.series.conditions import Written, group_columns
from atlas.timeseries.zone_map import Range, narrow

MAX_BUCKETS = 100_000


class SummaryService:
    """Aggregates and latest values for charts."""

    def __init__(self, database: Database, access: AccessService, upkeep: Upkeep) -> None:
        self._database = database
        self._access = access
        self._upkeep = upkeep

    async def latest(
        self, caller: Caller, dataset_id: int, where: Sequence[Written] = (), known: Asked | None = None
    ) -> bytes:
        """Returns the row with the greatest timestamp, of the series that meet conditions, as JSON.

        `known` is the moment whose rows are read.

        Raises NotFoundError: when there is no such row.
        Raises BadRequestError: when a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot_at(self._database, dataset_id, known)).only(where)
        if not shot.blocks:
            raise NotFoundError("No rows", f"Dataset {dataset_id} has no rows{_then(known)}")
        if shot.selection and known is None:
            found = await latest_rows(self._database, shot, (), shot.columns, 1, 0)
            if not found.rows:
                raise NotFoundError("No rows", f"Dataset {dataset_id} has no rows of these series")
            return found.rows
        spans = (
            growing(shot, Range(), 1, descending=True)
            if shot.selection
            else iter([narrow(shot.blocks, Range(), 1, descending=True)])
        )
        style = RowFormat(shot.columns, flat=False, dataset=dataset_id)
        for span in spans:
            text: str = await row_queries.page(
                self._database,
                shot,
                shot.columns,
                span,
                then=lambda table: "".join(json_lines(table, style).to_list()),
                descending=True,
                limit=1,
            )
            if text:
                return text.encode()
        raise NotFoundError("No rows", f"Dataset {dataset_id} has no rows of these series{_then(known)}")

    async def history(
        self, caller: Caller, dataset_id: int, span: Range, where: Sequence[Written], limit: int, offset: int
    ) -> Found:
        """Returns the replaced rows of a range, of the series that meet conditions, in order of time.

        Raises BadRequestError: when a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        return await replaced_rows(self._database, shot, span, limit, offset)

    async def latest_by(
        self,
        caller: Caller,
        dataset_id: int,
        by: Sequence[str],
        where: Sequence[Written] = (),
        limit: int = 10_000,
        offset: int = 0,
    ) -> Found:
        """Returns the latest row of each series, by some or all keys, in order of the keys.

        Raises BadRequestError: when a name is no key of the dataset, or a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        columns = group_columns(by, shot.keys, shot.columns)
        return await latest_rows(self._database, shot, columns, shot.columns, limit, offset)

    async def series(
        self,
        caller: Caller,
        dataset_id: int,
        by: Sequence[str],
        where: Sequence[Written],
        search: str | None,
        limit: int,
        offset: int,
    ) -> Found:
        """Returns the series of a dataset, by all keys or some, with the time of the latest row of each.

        Raises BadRequestError: when the dataset has no keys, a name is none of them, or a condition is invalid.
        """
        await self._access.require(caller, dataset_id)
        shot = (await snapshot.snapshot(self._database, dataset_id)).only(where)
        if not shot.keys:
            raise BadRequestError("Invalid parameter", f"dataset: {dataset_id} has no keys; its owner declares them")
        if search and "\0" in search:
            raise BadRequestError("Invalid parameter", "search: the NUL character is not allowed")
        columns = group_columns(by or shot.keys, shot.keys, shot.columns)
        return await list_series(self._database, shot, columns, search, limit, offset)

    async def aggregate(
        self, caller: Caller, dataset_id: int, span: Range, names: Sequence[str] | None, request: BucketRequest
    ) -> Aggregated:
        """Returns figures of the numeric columns by time bucket.

        With `by`, returns them for each series, one series after the other in order of its keys.

        Raises BadRequestError: when a part of the request is invalid, or the result has too many buckets.
        """
        await self._access.require(caller, dataset_id)
        parsed = request.parse()
        shot = (await snapshot_at(self._database, dataset_id, request.known)).only(request.where)
        grouped = group_columns(request.by, shot.keys, shot.columns)
        numeric = [one for one in shot.columns if one.dtype in (Dtype.INT, Dtype.FLOAT) and one not in grouped]
        shown = [column for column in select_columns(shot.columns, names) if column in numeric]
        weighted = parsed.weighted(numeric) if shot.columns else None
        told = _told(parsed, weighted)
        # A bucket starts at a time, and answers cannot show times in the year 0.
        span = Range(max(span.lo, MIN_MICROS), span.hi)
        known = _known_range(shot, span, filled=parsed.fill is not None)
        if known is None:
            shown_width = "auto" if request.bucket == "auto" else name_of(parsed.calendar(0).width)
            return Aggregated(shown_width, (), *told)
        calendar = parsed.calendar(known.hi - known.lo)
        try:
            plan = _plan(parsed, calendar, shown, weighted, grouped, span, known)
            rows = await self._buckets(shot, plan, weighted)
            results = await asyncio.to_thread(time_buckets, plan, rows)
        except TooManyBucketsError:
            fewer = ", or take fewer series by where" if grouped else ""
            raise BadRequestError(
                "Invalid parameter", f"bucket: more than {MAX_BUCKETS} buckets; make it wider{fewer}"
            ) from None
        if request.known is None and shot.row_count >= levels.LEAST_ROWS:
            self._upkeep.want(dataset_id)
        return Aggregated(name_of(calendar.width), results, *told)

    async def _buckets(
        self, shot: snapshot.Snapshot, plan: BarPlan, weighted: tuple[Column, Column] | None
    ) -> list[levels.Bucket]:
        """Returns the parts of the plan's columns by bucket. Raises TooManyBucketsError."""
        calendar, numbered = plan.calendar, plan.numbered
        width: Width = calendar.width
        span = Range(min(numbered.lo, plan.span.lo), plan.span.hi)
        if not calendar.plain:
            try:
                grid = Grid(calendar, await asyncio.to_thread(calendar.bounds, numbered.lo, numbered.hi, MAX_BUCKETS))
                # The last bucket of a grid would take in all later rows.
                span = Range(span.lo, min(span.hi, int(grid.ends[-1])))
            except TooManyBucketsError:
                grid = Grid(calendar, None)
            width = grid
        price, volume = weighted or (None, None)
        figures = RowFigures(quantiles_of(plan.functions), plan.window > 1, price, volume)
        rows = await buckets(
            self._database, shot, plan.columns, span, width, plan.parts, MAX_BUCKETS, plan.keys, figures
        )
        if len(rows) > MAX_BUCKETS:
            raise TooManyBucketsError
        return rows


def _then(known: Asked | None) -> str:
    return "" if known is None else " at that moment"


def _told(parsed: ParsedRequest, weighted: tuple[Column, Column] | None) -> tuple[Any, Any, Any]:
    """Returns what an answer tells of the zone, the price and the volume."""
    zone = parsed.zone.name if parsed.zone is not None else absent()
    return (zone, weighted[0].name, weighted[1].name) if weighted else (zone, absent(), absent())


def _known_range(shot: snapshot.Snapshot, span: Range, *, filled: bool) -> Range | None:
    """Returns the range of rows within `span`, or None when there are none. With `filled`, stated bounds count, too."""
    met = [block for block in shot.blocks if span.meets(block)]
    if span.empty:
        return None
    lo = max(span.lo, min(block.min_ts for block in met)) if met else None
    hi = min(span.hi, max(block.max_ts for block in met) + 1) if met else None
    if filled:
        lo = span.lo if span.lo > MIN_MICROS else lo
        hi = span.hi if span.hi < Range().hi else hi
    return None if lo is None or hi is None or lo >= hi else Range(lo, hi)


def _plan(
    parsed: ParsedRequest,
    calendar: BucketCalendar,
    shown: Sequence[Column],
    weighted: tuple[Column, Column] | None,
    grouped: Sequence[Column],
    span: Range,
    known: Range,
) -> BarPlan:
    """Makes the plan of an answer. Raises TooManyBucketsError."""
    price = weighted[0] if weighted else None
    only_weighted = [price] if price is not None and price not in shown else []
    functions, window = parsed.functions, parsed.asked.window
    parts = parts_of(functions)
    if parsed.fill and "n" not in parts:
        parts = ["n", *parts]
    numbered = known
    if window > 1 and span.lo > MIN_MICROS:
        numbered = Range(calendar.earlier(known.lo, window - 1), known.hi)
    columns = [*shown, *only_weighted]
    return BarPlan(
        functions,
        parts,
        columns,
        shown,
        price,
        grouped,
        calendar,
        parsed.fill,
        window,
        Range(max(span.lo, known.lo), span.hi),
        numbered,
        MAX_BUCKETS,
    )
