"""Rollups: figures of a dataset's rows by short buckets of time, from which those of wider buckets are made.

A bucket has, per numeric column, what can be joined with another's: number, least and greatest value, sum, first
and last value with their times. Buckets come in levels; each width divides all wider ones, so a bucket of any
width that a level divides is a union of that level's buckets. Of any other width, a bucket is a union of those that
lie whole in it, and of the rows of the two that its bounds cut, as is a range that cuts a bucket. After continuous
aggregates of TimescaleDB with real-time aggregation.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

from atlas.kit.timestamps import MAX_MICROS, YEAR_0_MICROS
from atlas.timeseries.zone_map import Range

# Widths of buckets in seconds. Each divides the next, and a day, and so all that `auto` chooses from it upwards.
WIDTHS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400)
# A level is at least this much wider than the one below: few enough to cost little, enough that a chart of 500
# points is made of some 15,000 buckets at most.
LEVEL_RATIO = 12
# Buckets start at multiples of their width from a Monday, so that weeks do, too.
ORIGIN = 946_857_600_000_000
# Up to so many wanted buckets are put together one by one, where their width is no multiple of a wide level's.
MAX_APART = 2_000
# Columns that have a rollup; more would not fit a row of PostgreSQL's.
MAX_COLUMNS = 100
# What the rollup may take of a dataset's size. Updates leave room behind, so it takes up to half as much again.
SHARE = 0.02
# Datasets up to here are aggregated from their rows in some 20 ms.
LEAST_ROWS = 50_000

# Which parts of a column a function needs. Times (ft, lt) tell which of two first or last values counts.
PARTS = {
    "count": ("n",),
    "min": ("lo",),
    "max": ("hi",),
    "avg": ("n", "s"),
    "sum": ("s",),
    "first": ("f", "ft"),
    "last": ("l", "lt"),
}
ALL_PARTS = ("n", "lo", "hi", "s", "f", "ft", "l", "lt")


# Start, number of rows, then the parts of each column.
Bucket = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a range, to be read from the rollup's level of `width` seconds, or from rows (0)."""

    width: int
    span: Range


def levels(base: int) -> list[int]:
    """The widths that a rollup of `base` seconds has, in ascending order."""
    chosen = [base]
    for width in WIDTHS:
        if width >= chosen[-1] * LEVEL_RATIO:
            chosen.append(width)
    return chosen


def least_rows(columns: int) -> int:
    """Rows that a bucket of a rollup of so many columns must stand for, to keep within SHARE.

    A row of a dataset takes about 44 bytes and 8 a column; a bucket 80 (index included), and 64 a column.
    """
    return math.ceil(1.1 * (80 + 64 * columns) / (SHARE * (44 + 8 * columns)))


def choose(runs: Sequence[Sequence[int]], need: int) -> int | None:
    """The least width at which a typical row shares its bucket with `need` rows; None where none does.

    runs: timestamps (microseconds) of runs of rows that arrived one after another. The typical row is the
    median one, so that single rows that came late do not count.
    """
    for width in WIDTHS:
        counts = sorted(n for run in runs for n in Counter(stamp // (width * 1_000_000) for stamp in run).values())
        seen = list(accumulate(counts))
        if seen and counts[bisect_left(seen, seen[-1] / 2)] >= need:
            return width
    return None


def wider(width: int) -> int | None:
    """The next width."""
    return next((one for one in WIDTHS if one > width), None)


def floor(micros: int, width: int) -> int:
    """The start of the bucket of `width` seconds that holds a time."""
    step = width * 1_000_000
    return ORIGIN + (micros - ORIGIN) // step * step


def ceiling(micros: int, width: int) -> int:
    """The first start of a bucket that is not before a time."""
    step = width * 1_000_000
    return ORIGIN - (ORIGIN - micros) // step * step


def around(span: Range, width: int) -> Range:
    """`span` widened to whole buckets, as far as there are times."""
    return Range(max(YEAR_0_MICROS, floor(span.lo, width)), min(MAX_MICROS + 1, ceiling(span.hi, width)))


def edges(span: Range, width: int) -> list[Range]:
    """The buckets that the bounds of `span` cut."""
    inner = [bound for bound in (span.lo, span.hi) if YEAR_0_MICROS < bound <= MAX_MICROS]
    cut = {floor(bound, width): bound for bound in inner if floor(bound, width) != bound}
    return [around(Range(bound, bound + 1), width) for bound in cut.values()]


def pieces(span: Range, base: int, bucket: int | str, known: Range) -> list[Piece]:
    """`span` in order of time: wide levels in the middle, narrower ones and rows at its edges.

    Where the wanted buckets are no multiples of the widest level that fits, each of them is cut so; the narrowest
    buckets that lie in two of them are read as rows.

    bucket: seconds of the wanted buckets, or a calendar unit, whose bounds are bounds of days.
    known: from the first to the last time that rows have.
    """
    all_levels = levels(base)
    usable = [w for w in all_levels if isinstance(bucket, str) or bucket % w == 0]
    found = _cut(span, usable)
    if isinstance(bucket, int):
        fitting = [w for w in all_levels if 2 * w <= bucket]
        inner = Range(max(span.lo, known.lo), min(span.hi, known.hi))
        step = bucket * 1_000_000
        first = floor(inner.lo, bucket)
        if fitting and fitting[-1] not in usable and inner.hi - first <= MAX_APART * step:
            bounds = [inner.lo, *range(first + step, inner.hi, step), inner.hi]
            found = (piece for lo, hi in pairwise(bounds) for piece in _cut(Range(lo, hi), fitting))
    return _joined(piece for piece in found if not piece.span.empty)


def _joined(found: Iterable[Piece]) -> list[Piece]:
    """Pieces, with neighbours of one level as one."""
    result: list[Piece] = []
    for piece in found:
        if result and result[-1].width == piece.width and result[-1].span.hi == piece.span.lo:
            piece = Piece(piece.width, Range(result.pop().span.lo, piece.span.hi))
        result.append(piece)
    return result


def _cut(span: Range, usable: list[int]) -> Iterable[Piece]:
    if not usable:
        return [Piece(0, span)]
    width = usable[-1]
    # What lies before or after all times that there can be is no cut.
    lo = YEAR_0_MICROS if span.lo <= YEAR_0_MICROS else ceiling(span.lo, width)
    hi = MAX_MICROS + 1 if span.hi > MAX_MICROS else floor(span.hi, width)
    if lo >= hi:
        return _cut(span, usable[:-1])
    before, after = Range(span.lo, lo), Range(hi, span.hi)
    return [*_cut(before, usable[:-1]), Piece(width, Range(lo, hi)), *_cut(after, usable[:-1])]


def parts_of(functions: Iterable[str]) -> list[str]:
    """The parts that functions need, each once."""
    wanted = {part for function in functions for part in PARTS[function]}
    return [part for part in ALL_PARTS if part in wanted]


def join(rows: Iterable[Bucket], more: Iterable[Bucket], parts: Sequence[str]) -> list[Bucket]:
    """Buckets (start, rows, then parts by column) of two sets of rows, as of both, in order of time.

    Of two values of one time, the first is that of `rows` and the last that of `more`.
    """
    found: dict[Any, Bucket] = {row[0]: row for row in rows}
    for row in more:
        old = found.get(row[0])
        found[row[0]] = row if old is None else _both(old, row, parts)
    return [found[start] for start in sorted(found)]


def _both(old: Bucket, new: Bucket, parts: Sequence[str]) -> Bucket:
    result = [old[0], old[1] + new[1]]
    size = len(parts) or 1
    for at in range(2, len(old), size):
        a = dict(zip(parts, old[at : at + size], strict=True))
        b = dict(zip(parts, new[at : at + size], strict=True))
        first = a if b.get("ft") is None or (a["ft"] is not None and a["ft"] <= b["ft"]) else b
        last = a if b.get("lt") is None or (a["lt"] is not None and a["lt"] > b["lt"]) else b
        taken = {"f": first, "ft": first, "l": last, "lt": last}
        result += [taken[part][part] if part in taken else _JOINS[part](a[part], b[part]) for part in parts]
    return tuple(result)


def _known(join: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: b if a is None else a if b is None else join(a, b)


def _sum(a: Any, b: Any) -> Any:
    """Integers exactly, however large; as floats where the column has become one of floats in between."""
    return float(a) + float(b) if isinstance(a, float) or isinstance(b, float) else int(a) + int(b)


_JOINS = {"n": lambda a, b: a + b, "lo": _known(min), "hi": _known(max), "s": _known(_sum)}


def _whole(value: Any) -> Any:
    """PostgreSQL's sum of integers as one."""
    return int(value) if isinstance(value, Decimal) else value


def figures(row: Bucket, parts: Sequence[str], functions: Sequence[str]) -> list[dict[str, Any]]:
    """The functions' values of a bucket, by column."""
    size = len(parts) or 1
    place = {part: index for index, part in enumerate(parts)}
    result = []
    for at in range(2, len(row), size):
        cells = {}
        for function in functions:
            needed = PARTS[function]
            value = row[at + place[needed[0]]]
            if function == "avg":
                # Of integers, the float nearest to the exact quotient.
                value = _whole(row[at + place["s"]]) / value if value else None
            cells[function] = _whole(value)
        result.append(cells)
    return result
