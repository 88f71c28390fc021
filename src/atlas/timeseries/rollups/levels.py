"""Rollups: aggregates of a dataset's rows by short time buckets, from which wider buckets are made.

A bucket holds count, minimum, maximum, sum, first and last value with their times for each numeric column. Buckets can
be joined by these values. Buckets come in levels, and each width divides all wider widths. A bucket of any width that a
level divides is a union of that level's buckets.

A bucket of another width is a union of rows and of the level's buckets that lie whole in the bucket. The rows are those
of the two narrow buckets that its bounds cut. A range that cuts a bucket is read in the same way. The model is
TimescaleDB's continuous aggregates with real-time aggregation.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from atlas.kit.timestamps import MAX_MICROS, MICROSECOND, YEAR_0_MICROS
from atlas.timeseries.zone_map import Range

# Widths of buckets in seconds. Each width divides the next and a day, and therefore all widths of a day and more that
# `auto` chooses.
WIDTHS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400)
# Least ratio of a level's width to the level below. Few levels cost little, and enough levels make a chart of 500
# points from at most some 15,000 buckets.
LEVEL_RATIO = 12
# Buckets start at multiples of their width from a Monday, so that weeks start on Mondays.
ORIGIN = 946_857_600_000_000
# Most wanted buckets that are split one by one when their width is no multiple of a wide level's width.
MAX_APART = 2_000
# Most columns of a rollup. More columns would not fit a row of PostgreSQL.
MAX_COLUMNS = 100
# Share of a dataset's size that a rollup may take. Updates leave dead space, so a rollup takes up to 1.5 times its
# size.
SHARE = 0.02
# Datasets of up to this number of rows are aggregated from rows in some 20 ms.
LEAST_ROWS = 50_000

# Parts of a column that a function needs. Times (ft, lt) decide which of two first or last values counts.
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
    """A part of a range. width: seconds of the rollup's level to read, or 0 to read rows."""

    width: int
    span: Range


def levels(base: int) -> list[int]:
    """Returns the widths of a rollup with narrowest width `base` (seconds), in ascending order."""
    chosen = [base]
    for width in WIDTHS:
        if width >= chosen[-1] * LEVEL_RATIO:
            chosen.append(width)
    return chosen


def least_rows(columns: int) -> int:
    """Returns the least average number of rows in a bucket that keeps a rollup of `columns` columns within SHARE.

    A row of a dataset takes about 44 bytes and 8 for each column. A bucket takes 80 bytes (index included) and 64 for
    each column.
    """
    return math.ceil(1.1 * (80 + 64 * columns) / (SHARE * (44 + 8 * columns)))


def choose(runs: Sequence[Sequence[int]], need: int) -> int | None:
    """Chooses the least width at which a typical row shares its bucket with `need` rows. Returns None when no width
    does.

    `runs` are timestamps (microseconds) of runs of rows that arrived one after another. The typical row is the median
    row, so that single late rows do not count.
    """
    for width in WIDTHS:
        counts = sorted(n for run in runs for n in Counter(stamp // (width * 1_000_000) for stamp in run).values())
        seen = list(accumulate(counts))
        if seen and counts[bisect_left(seen, seen[-1] / 2)] >= need:
            return width
    return None


def wider(width: int) -> int | None:
    """Returns the next wider width, or None."""
    return next((one for one in WIDTHS if one > width), None)


def floor(micros: int, width: int) -> int:
    """Returns the start of the bucket of `width` seconds that holds a time."""
    step = width * 1_000_000
    return ORIGIN + (micros - ORIGIN) // step * step


def ceiling(micros: int, width: int) -> int:
    """Returns the start of the first bucket that does not start before a time."""
    step = width * 1_000_000
    return ORIGIN - (ORIGIN - micros) // step * step


def around(span: Range, width: int) -> Range:
    """Widens `span` to whole buckets, within the range of valid times."""
    return Range(max(YEAR_0_MICROS, floor(span.lo, width)), min(MAX_MICROS + 1, ceiling(span.hi, width)))


def edges(span: Range, width: int) -> list[Range]:
    """Lists the buckets that the bounds of `span` cut."""
    inner = [bound for bound in (span.lo, span.hi) if YEAR_0_MICROS < bound <= MAX_MICROS]
    cut = {floor(bound, width): bound for bound in inner if floor(bound, width) != bound}
    return [around(Range(bound, bound + 1), width) for bound in cut.values()]


def pieces(span: Range, base: int, bucket: int | str, known: Range) -> list[Piece]:
    """Splits `span` into pieces in order of time: wide levels in the middle, narrower levels and rows at the edges.

    When the wanted buckets are no multiples of the widest fitting level, each wanted bucket is split in this way. The
    narrowest buckets that lie in two wanted buckets are read as rows.

    - bucket: seconds of the wanted buckets, or a calendar unit, which starts and ends at bounds of days.
    - known: the range from the first to the last time of rows.
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
    return _join_neighbours(piece for piece in found if not piece.span.empty)


def grid_pieces(span: Range, base: int, bounds: Sequence[int], known: Range) -> list[Piece]:
    """Splits `span` like `pieces`, for wanted buckets that begin at `bounds`, whose last is an end.

    A level whose buckets all bounds respect, such as hours for the days of most zones, is read in one piece.
    """
    all_levels = levels(base)
    within = [bound for bound in bounds if span.lo < bound < span.hi]
    usable = [width for width in all_levels if all((bound - ORIGIN) % (width * 1_000_000) == 0 for bound in within)]
    narrowest = min((later - earlier for earlier, later in pairwise(bounds)), default=0)
    fitting = [width for width in all_levels if 2 * width * 1_000_000 <= narrowest]
    found = _cut(span, usable)
    if fitting and (not usable or fitting[-1] > usable[-1]) and len(bounds) <= MAX_APART:
        inner = Range(max(span.lo, known.lo), min(span.hi, known.hi))
        cuts = [inner.lo, *(bound for bound in within if inner.lo < bound < inner.hi), inner.hi]
        found = (piece for lo, hi in pairwise(cuts) for piece in _cut(Range(lo, hi), fitting))
    return _join_neighbours(piece for piece in found if not piece.span.empty)


def _join_neighbours(found: Iterable[Piece]) -> list[Piece]:
    """Joins neighbouring pieces of one level."""
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
    # Bounds outside of all valid times cut no bucket.
    lo = YEAR_0_MICROS if span.lo <= YEAR_0_MICROS else ceiling(span.lo, width)
    hi = MAX_MICROS + 1 if span.hi > MAX_MICROS else floor(span.hi, width)
    if lo >= hi:
        return _cut(span, usable[:-1])
    before, after = Range(span.lo, lo), Range(hi, span.hi)
    return [*_cut(before, usable[:-1]), Piece(width, Range(lo, hi)), *_cut(after, usable[:-1])]


def join(rows: Iterable[Bucket], more: Iterable[Bucket], parts: Sequence[str]) -> list[Bucket]:
    """Joins buckets (start, rows, then parts by column) of two sets of rows, in order of time.

    Of two values with equal times, `first` comes from `rows` and `last` from `more`.
    """
    found: dict[Any, Bucket] = {row[0]: row for row in rows}
    for row in more:
        old = found.get(row[0])
        found[row[0]] = row if old is None else both(old, row, parts)
    return [found[start] for start in sorted(found)]


def both(old: Bucket, new: Bucket, parts: Sequence[str]) -> Bucket:
    result = [old[0], old[1] + new[1]]
    size = len(parts) or 1
    for at in range(2, len(old), size):
        a = dict(zip(parts, old[at : at + size], strict=True))
        b = dict(zip(parts, new[at : at + size], strict=True))
        first = a if b.get("ft") is None or (a["ft"] is not None and a["ft"] <= b["ft"]) else b
        last = a if b.get("lt") is None or (a["lt"] is not None and a["lt"] > b["lt"]) else b
        taken = {"f": first, "ft": first, "l": last, "lt": last}
        for part in parts:
            if part in taken:
                result.append(taken[part][part])
            elif part in _CELL_JOINS:
                result.append(_CELL_JOINS[part](a, b))
            else:
                result.append(_JOINS[part](a[part], b[part]))
    return tuple(result)


Cells = dict[str, Any]


def _joined_mean(a: Cells, b: Cells) -> Any:
    if not a["n"] or not b["n"]:
        return a["mean"] if a["n"] else b["mean"]
    return a["mean"] + (b["mean"] - a["mean"]) * b["n"] / (a["n"] + b["n"])


def _joined_m2(a: Cells, b: Cells) -> Any:
    if not a["n"] or not b["n"]:
        return a["m2"] if a["n"] else b["m2"]
    return a["m2"] + b["m2"] + (b["mean"] - a["mean"]) ** 2 * a["n"] * b["n"] / (a["n"] + b["n"])


def _joined_integral(a: Cells, b: Cells) -> Any:
    """Joins integrals over time. The values of `a` come before those of `b`."""
    if a["ft"] is None or b["ft"] is None:
        return a["ti"] if b["ft"] is None else b["ti"]
    return a["ti"] + float(a["l"]) * ((b["ft"] - a["lt"]) // MICROSECOND) + b["ti"]


# Joins that need other parts of the column.
_CELL_JOINS = {"mean": _joined_mean, "m2": _joined_m2, "ti": _joined_integral}


def _known(join: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: b if a is None else a if b is None else join(a, b)


def _sum(a: Any, b: Any) -> Any:
    """Adds integers exactly, however large. Adds floats when the column became float in between."""
    return float(a) + float(b) if isinstance(a, float) or isinstance(b, float) else int(a) + int(b)


def _values(a: Any, b: Any) -> Any:
    return np.concatenate([a, b])


_JOINS = {
    "n": lambda a, b: a + b,
    "lo": _known(min),
    "hi": _known(max),
    "s": _known(_sum),
    "q": _known(_values),
    "pv": _known(_sum),
    "vv": _known(_sum),
}
