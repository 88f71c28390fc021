"""Functions of time buckets: their names, the parts that they need, and their values from these parts."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from atlas.errors import BadRequestError
from atlas.timeseries.rollups import levels

# Parts that rollups have not. mean, m2: mean, and sum of the squared differences from it. q: all values. ti: the
# integral over time (microseconds) from the first to the last value. pv, vv: sums of products with the volume, and of
# the volume.
ROW_PARTS = ("mean", "m2", "q", "ti", "pv", "vv")
_ENDS = ("f", "ft", "l", "lt")
PARTS: dict[str, tuple[str, ...]] = levels.PARTS | {
    "ohlc": ("lo", "hi", *_ENDS),
    "delta": _ENDS,
    "rate": _ENDS,
    "stddev": ("n", "mean", "m2"),
    "quantile": ("q",),
    "twa": (*_ENDS, "ti"),
    "vwap": ("pv", "vv"),
}
# Further names of functions.
_ALIASES = {"time_weighted_average": "twa", "open": "first", "high": "max", "low": "min", "close": "last"}
NAMES = (*levels.PARTS, "ohlc", "vwap", "median", "stddev", "delta", "rate", "twa", "p95", "quantile:0.99")
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,6})?)", re.ASCII)
_QUANTILE = re.compile(r"quantile:(\d?(?:\.\d{1,9})?|1\.0*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Function:
    """A function under the name that a caller gave it. quantile: from 0 to 1, of a quantile."""

    name: str
    kind: str
    quantile: float = 0.0

    @property
    def parts(self) -> tuple[str, ...]:
        return PARTS[self.kind]


def parse_functions(text: str) -> list[Function]:
    """Parses names that commas separate.

    Raises BadRequestError: when there is none, or a name is no function.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise BadRequestError("Invalid parameter", f"functions: one or more of {', '.join(NAMES)}")
    return [_parse(name) for name in names]


def _parse(name: str) -> Function:
    kind = _ALIASES.get(name, name)
    if kind in PARTS and kind != "quantile":
        return Function(name, kind)
    if name == "median":
        return Function(name, "quantile", 0.5)
    found = _PERCENTILE.fullmatch(name)
    if found and float(found[1]) <= 100:
        return Function(name, "quantile", float(found[1]) / 100)
    found = _QUANTILE.fullmatch(name)
    if found and found[1] not in ("", ".") and float(found[1]) <= 1:
        return Function(name, "quantile", float(found[1]))
    if name.startswith("quantile") or (name[:1] == "p" and name[1:2].isdigit()):
        reason = "a quantile is written p95, or quantile:0.99 with a number from 0 to 1"
    else:
        near = difflib.get_close_matches(name.lower()[:64], [*NAMES, *_ALIASES], n=1, cutoff=0.5)
        reason = (f"did you mean {near[0]}? " if near else "") + f"There are {', '.join(NAMES)}"
    raise BadRequestError("Invalid parameter", f"functions: {name[:64]!r} is no function; {reason}")


def parts_of(functions: Iterable[Function]) -> list[str]:
    """Lists the parts that functions need, each once."""
    wanted = {part for function in functions for part in function.parts}
    return [part for part in (*levels.ALL_PARTS, *ROW_PARTS) if part in wanted]


def quantiles_of(functions: Iterable[Function]) -> tuple[float, ...]:
    """Lists the quantiles among functions, each once."""
    return tuple(dict.fromkeys(one.quantile for one in functions if one.kind == "quantile"))


@dataclass(frozen=True, slots=True)
class Span:
    """The time of a bucket, in microseconds. before: the column's last value before it, or None."""

    lo: int
    hi: int
    before: Any = None


def value_of(function: Function, cells: dict[str, Any], span: Span | None) -> dict[str, Any]:
    """Computes a function from a column's parts: its values by name. span: needed by time-weighted averages alone."""
    kind, name = function.kind, function.name
    if kind == "ohlc":
        return {"open": cells["f"], "high": cells["hi"], "low": cells["lo"], "close": cells["l"]}
    if kind in ("delta", "rate"):
        return {name: _change(cells, per_second=kind == "rate")}
    if kind == "stddev":
        count = cells["n"]
        return {name: math.sqrt(max(cells["m2"], 0.0) / (count - 1)) if count and count > 1 else None}
    if kind == "quantile":
        return {name: quantile(cells["q"], function.quantile)}
    if kind == "vwap":
        return {name: cells["pv"] / cells["vv"] if cells["vv"] else None}
    if kind == "twa":
        return {name: _time_weighted(cells, span)}
    value = cells[PARTS[kind][0]]
    if kind == "avg":
        # For integers, the float nearest to the exact quotient.
        value = whole(cells["s"]) / value if value else None
    return {name: whole(value)}


def whole(value: Any) -> Any:
    """Converts PostgreSQL's sum of integers (numeric) to an int."""
    return int(value) if isinstance(value, Decimal) else value


def _change(cells: dict[str, Any], *, per_second: bool) -> Any:
    """Returns the difference of the last and the first value, None where they are of one moment or there is none."""
    first, last = cells["ft"], cells["lt"]
    if first is None or first == last:
        return None
    change = whole(cells["l"]) - whole(cells["f"])
    seconds: float = (last - first).total_seconds()
    return change / seconds if per_second else change


def _time_weighted(cells: dict[str, Any], span: Span | None) -> float | None:
    """Returns the average over a bucket's time in which each value holds until the next, as the last one before it."""
    if cells["ft"] is None or span is None:
        return None
    first, last = micros_of(cells["ft"]), micros_of(cells["lt"])
    begin = first if span.before is None else min(span.lo, first)
    end = max(span.hi, last)
    total = float(cells["ti"]) + float(cells["l"]) * (end - last)
    if span.before is not None:
        total += float(span.before) * (first - begin)
    return total / (end - begin) if end > begin else float(cells["l"])


def micros_of(time: datetime) -> int:
    """Returns microseconds since 1970."""
    return int(np.datetime64(time.replace(tzinfo=None), "us").astype(np.int64))


def quantile(values: Any, share: float) -> Any:
    """Returns a quantile of sorted values, between two of them by their distance, or of quantiles computed before."""
    if isinstance(values, dict):
        return values[share]
    if values is None or not len(values):
        return None
    place = share * (len(values) - 1)
    # The place of 0.1 among 11 values is 1.0000000000000002 by rounding alone.
    near = round(place)
    if abs(place - near) < 1e-9:
        return values[near].item()
    low, high = values[int(place)].item(), values[int(place) + 1].item()
    between: float = low + (high - low) * (place - int(place))
    return between


def close_values(cells: Sequence[Any], places: Sequence[int], quantiles: Sequence[float]) -> tuple[Any, ...]:
    """Replaces all values of a bucket (at `places`) by their quantiles, so that they take no memory."""
    closed = list(cells)
    for place in places:
        values = closed[place]
        if isinstance(values, np.ndarray):
            ordered = np.sort(values)
            closed[place] = {share: quantile(ordered, share) for share in quantiles}
    return tuple(closed)
