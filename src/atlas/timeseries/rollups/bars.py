"""Time buckets as they are answered: moving windows over buckets, figures, and buckets that fill gaps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np

from atlas.contract.rows import TimeBucket
from atlas.contract.shape import absent
from atlas.kit.timestamps import format_timestamp, from_micros
from atlas.timeseries.columns import Column
from atlas.timeseries.rollups import levels
from atlas.timeseries.rollups.calendars import BucketCalendar, TooManyBucketsError
from atlas.timeseries.rollups.functions import Function, Span, close_values, micros_of, quantiles_of, value_of
from atlas.timeseries.zone_map import Range

Fill = Literal["null", "previous", "linear", "zero"]
Figures = dict[str, dict[str, Any]]
# Buckets that are listed to number those that have rows.
_MOST_NUMBERED = 5_000_000


@dataclass(frozen=True, slots=True)
class BarPlan:
    """What buckets become.

    - columns: in the order of a bucket's cells. shown: those with all functions.
    - price: the column of the volume-weighted average. keys: whose values come before a bucket's start.
    - window: number of buckets that a figure is of, the bucket itself and those before it.
    - span: the buckets to answer. numbered: the range whose buckets are numbered, from where windows begin.
    """

    functions: Sequence[Function]
    parts: Sequence[str]
    columns: Sequence[Column]
    shown: Sequence[Column]
    price: Column | None
    keys: Sequence[Column]
    calendar: BucketCalendar
    fill: Fill | None
    window: int
    span: Range
    numbered: Range
    most: int


@dataclass(slots=True)
class _Bar:
    """A bucket to answer. missing: columns without a value in it; None when it has no rows."""

    lo: int
    count: int
    values: Figures
    missing: set[str] | None


def time_buckets(plan: BarPlan, rows: Sequence[levels.Bucket]) -> tuple[TimeBucket, ...]:
    """Returns the buckets of each series. `rows` are in order of the keys, then of time.

    Raises TooManyBucketsError: when gaps to fill make more than `most` buckets.
    """
    size = len(plan.keys)
    bounds = _bounds(plan)
    result: list[TimeBucket] = []
    groups = [(key, [row[size:] for row in some]) for key, some in groupby(rows, lambda row: row[:size])]
    if not rows and not size and plan.fill:
        groups = [((), [])]
    if plan.fill and len(groups) * (len(bounds) - 1) > plan.most:
        raise TooManyBucketsError
    for key, some in groups:
        series = {column.name: value for column, value in zip(plan.keys, key, strict=True)} if size else absent()
        bars = list(_bars(plan, some, bounds))
        if plan.fill:
            _fill(plan, bars)
        result += [_answered(plan, bar, series) for bar in bars]
    return tuple(result)


def _bounds(plan: BarPlan) -> Any:
    """Returns the bounds of all buckets of the range, where they are needed."""
    needed = plan.fill or plan.window > 1 or any(function.kind == "twa" for function in plan.functions)
    if not needed:
        return np.zeros(0, np.int64)
    most = plan.most + plan.window if plan.fill else _MOST_NUMBERED
    return plan.calendar.bounds(plan.numbered.lo, plan.numbered.hi, most)


def _answered(plan: BarPlan, bar: _Bar, series: Any) -> TimeBucket:
    filled, columns = absent(), absent()
    if plan.fill and bar.missing is None:
        filled = True
    elif plan.fill and bar.missing and plan.fill != "null":
        columns = tuple(column.name for column in plan.columns if column.name in bar.missing)
        filled = True
    return TimeBucket(format_timestamp(from_micros(bar.lo)), bar.count, bar.values, series, filled, columns)


def _bars(plan: BarPlan, rows: Sequence[levels.Bucket], bounds: Any) -> Iterator[_Bar]:
    """Yields the buckets of a series: those with rows, or all of the range where gaps are filled."""
    if not len(bounds):
        for row in rows:
            yield _bar(plan, row, micros_of(row[0]), None, {})
        return
    places = np.searchsorted(bounds, [micros_of(row[0]) for row in rows], "right") - 1
    first = int(np.searchsorted(bounds, plan.span.lo, "right")) - 1
    wanted = range(max(first, 0), len(bounds) - 1) if plan.fill else [at for at in places.tolist() if at >= first]
    moving = _Moving(plan.parts)
    earlier = _LastValues(plan, rows)
    numbers = places.tolist()
    taken = 0
    for at in wanted:
        moving.drop(at - plan.window)
        while taken < len(rows) and numbers[taken] <= at:
            if numbers[taken] > at - plan.window:
                moving.push(numbers[taken], rows[taken])
            taken += 1
        joined, lo = moving.value, int(bounds[at])
        if joined is None:
            yield _Bar(lo, 0, _nothing(plan), None)
            continue
        begin = max(at - plan.window + 1, 0)
        span = Span(int(bounds[begin]), min(int(bounds[at + 1]), plan.span.hi))
        yield _bar(plan, joined, lo, span, earlier.before(bisect_left(numbers, begin)))


def _bar(plan: BarPlan, row: levels.Bucket, lo: int, span: Span | None, before: dict[int, Any]) -> _Bar:
    size = len(plan.parts)
    if "q" in plan.parts and plan.window > 1:
        places = [2 + size * index + plan.parts.index("q") for index in range(len(plan.columns))]
        row = close_values(row, places, quantiles_of(plan.functions))
    values: Figures = {}
    missing = set()
    for index, column in enumerate(plan.columns):
        cells = dict(zip(plan.parts, row[2 + index * size : 2 + (index + 1) * size], strict=True))
        within = span and Span(span.lo, span.hi, before.get(index))
        values[column.name] = {}
        for function in _functions(plan, column):
            values[column.name] |= value_of(function, cells, within)
        if plan.fill and not cells["n"]:
            missing.add(column.name)
    return _Bar(lo, row[1], values, missing)


def _functions(plan: BarPlan, column: Column) -> list[Function]:
    """Lists the functions that a column has a value of."""
    return [
        function
        for function in plan.functions
        if (column is plan.price if function.kind == "vwap" else column in plan.shown)
    ]


def _nothing(plan: BarPlan) -> Figures:
    """Returns the figures of a bucket without rows."""
    nothing = dict.fromkeys(plan.parts)
    found: Figures = {}
    for column in plan.columns:
        found[column.name] = {}
        for function in _functions(plan, column):
            found[column.name] |= dict.fromkeys(value_of(function, nothing, None))
            if function.kind == "count":
                found[column.name][function.name] = 0
    return found


class _Moving:
    """Buckets of a moving window, joined. Each bucket is joined a few times, however many the window has."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts
        self._front: list[tuple[int, levels.Bucket]] = []
        self._back: list[tuple[int, levels.Bucket]] = []
        self._joined: levels.Bucket | None = None

    def push(self, at: int, row: levels.Bucket) -> None:
        self._back.append((at, row))
        self._joined = row if self._joined is None else levels.both(self._joined, row, self._parts)

    def drop(self, upto: int) -> None:
        """Takes out the buckets numbered up to `upto`."""
        while self._front and self._front[-1][0] <= upto:
            self._front.pop()
        if self._front or not self._back or self._back[0][0] > upto:
            return
        kept = [one for one in self._back if one[0] > upto]
        for at, row in reversed(kept):
            self._front.append((at, levels.both(row, self._front[-1][1], self._parts) if self._front else row))
        self._back, self._joined = [], None

    @property
    def value(self) -> levels.Bucket | None:
        front = self._front[-1][1] if self._front else None
        if front is None or self._joined is None:
            return front or self._joined
        return levels.both(front, self._joined, self._parts)


class _LastValues:
    """The last values of each column before a bucket, for averages over time."""

    def __init__(self, plan: BarPlan, rows: Sequence[levels.Bucket]) -> None:
        self._lasts: list[dict[int, Any]] = []
        if not any(function.kind == "twa" for function in plan.functions):
            return
        size, at = len(plan.parts), plan.parts.index("l")
        known: dict[int, Any] = {}
        for row in rows:
            found = {index: row[2 + index * size + at] for index in range(len(plan.columns))}
            known = known | {index: value for index, value in found.items() if value is not None}
            self._lasts.append(known)

    def before(self, index: int) -> dict[int, Any]:
        """Returns the last values, by the number of the column, of the rows before the one at `index`."""
        return self._lasts[index - 1] if self._lasts and index else {}


def _fill(plan: BarPlan, bars: Sequence[_Bar]) -> None:
    """Fills the figures of columns without a value in a bucket from the buckets around it."""
    for column in plan.columns:
        known = [at for at, bar in enumerate(bars) if bar.missing is not None and column.name not in bar.missing]
        for at, bar in enumerate(bars):
            if bar.missing is not None and column.name not in bar.missing:
                continue
            place = bisect_left(known, at)
            before = bars[known[place - 1]] if place else None
            after = bars[known[place]] if place < len(known) else None
            figures = bar.values[column.name]
            counts = {function.name for function in plan.functions if function.kind == "count"}
            for name in figures:
                if name not in counts:
                    figures[name] = _between(plan.fill, column.name, name, bar, before, after)


def _between(fill: Fill | None, column: str, name: str, bar: _Bar, before: _Bar | None, after: _Bar | None) -> Any:
    if fill == "zero":
        return 0
    if fill == "null" or before is None:
        return None
    left = before.values[column][name]
    if fill == "previous":
        return left
    right = None if after is None else after.values[column][name]
    if after is None or left is None or right is None:
        return None
    return left + (right - left) * ((bar.lo - before.lo) / (after.lo - before.lo))
