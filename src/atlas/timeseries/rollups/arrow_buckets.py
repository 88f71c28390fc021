"""Buckets of rows that are Arrow or numpy columns; the same figures as `maintenance.FROM_ROWS` computes in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from atlas.kit.timestamps import from_micros
from atlas.timeseries.rollups import levels as core
from atlas.timeseries.rollups.calendars import Width, starts_of

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
_LOW_BITS = 0xFFFFFFFF


class OutOfRangeError(Exception):
    """A sum of floats is out of the range of a float."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Columns of a table: the price whose average is weighted, and the volume that weights it."""

    price: str
    volume: str


def series_buckets_of(
    rows: pa.Table,
    keys: Sequence[str],
    names: Sequence[str],
    width: Width,
    parts: Sequence[str],
    weights: Weights | None = None,
) -> dict[tuple[Any, ...], list[core.Bucket]]:
    """Returns the buckets of each series, by the values of the columns `keys`. Without keys, all rows are one series.

    A bucket is (start, rows, then each part of each column), and buckets are in order of time.
    rows: `ts` timestamp[us], `_seq` int64, and the columns `names` of int64 or float64. Raises OutOfRangeError.
    """
    if not len(rows):
        return {}
    micros = rows["ts"].cast(pa.int64()).to_numpy()
    numbers = rows["_seq"].to_numpy()
    codes, found = _series_of(rows, keys)
    order = np.lexsort((numbers, micros, codes) if keys else (numbers, micros))
    micros, codes = micros[order], codes[order]
    starts = starts_of(micros, width)
    firsts = np.flatnonzero(np.concatenate([[True], (starts[1:] != starts[:-1]) | (codes[1:] != codes[:-1])]))
    counts = np.diff(np.append(firsts, len(micros)))
    cells: list[Sequence[Any]] = [[from_micros(int(at)) for at in starts[firsts]], counts.tolist()]
    for name in names:
        values, given = _numbers(rows, name, order)
        cells += _parts(values, given, micros, firsts, parts, _volume(rows, name, weights, order))
    buckets = list(zip(*cells, strict=True))
    ends = np.append(np.flatnonzero(np.diff(codes[firsts])) + 1, len(firsts)).tolist()
    result = {}
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        result[found[int(codes[firsts[begin]])]] = buckets[begin:end]
    return result


def _series_of(rows: pa.Table, keys: Sequence[str]) -> tuple[Ints, list[tuple[Any, ...]]]:
    """Returns the number of each row's series, and the keys of the series by number."""
    codes: Ints = np.zeros(len(rows), np.int64)
    if not keys:
        return codes, [()]
    named = [f"k{index}" for index in range(len(keys))]
    frame = pl.DataFrame({name: pl.Series(rows[key]) for name, key in zip(named, keys, strict=True)}).with_row_index(
        "at"
    )
    groups = frame.group_by(named).agg("at")
    sizes = groups["at"].list.len().to_numpy()
    codes[groups["at"].explode().to_numpy()] = np.repeat(np.arange(len(groups)), sizes)
    return codes, groups.select(named).rows()


def _numbers(rows: pa.Table, name: str, order: Ints) -> tuple[Any, Flags]:
    """Returns a column's values, and which are known, in an order."""
    column = rows[name].combine_chunks()
    values = column.fill_null(0) if column.null_count else column
    given: Flags = np.asarray(column.is_valid().to_numpy(zero_copy_only=False))[order]
    return np.asarray(values.to_numpy())[order], given


def _volume(rows: pa.Table, name: str, weights: Weights | None, order: Ints) -> tuple[Any, Flags] | None:
    return _numbers(rows, weights.volume, order) if weights is not None and weights.price == name else None


def _parts(
    numbers: Any,
    given: Flags,
    micros: Ints,
    firsts: Ints,
    parts: Sequence[str],
    volume: tuple[Any, Flags] | None = None,
) -> list[Sequence[Any]]:
    known = np.add.reduceat(given.astype(np.int64), firsts)
    some = known > 0
    found: dict[str, Sequence[Any]] = {"n": known.tolist()}
    if "lo" in parts:
        found["lo"] = _told(_least(numbers, given, firsts, greatest=False), some)
    if "hi" in parts:
        found["hi"] = _told(_least(numbers, given, firsts, greatest=True), some)
    if "s" in parts:
        found["s"] = [s if is_known else None for s, is_known in zip(_sums(numbers, given, firsts), some, strict=True)]
    if {"f", "ft"} & set(parts):
        at = np.minimum.reduceat(np.where(given, np.arange(len(given)), len(given)), firsts)
        found |= _values_at(at, some, numbers, micros, "f", "ft")
    if {"l", "lt"} & set(parts):
        at = np.maximum.reduceat(np.where(given, np.arange(len(given)), -1), firsts)
        found |= _values_at(at, some, numbers, micros, "l", "lt")
    if {"mean", "m2"} & set(parts):
        found |= _spread(numbers, given, firsts, known)
    if "q" in parts:
        found["q"] = np.split(numbers[given], np.cumsum(known)[:-1])
    if "ti" in parts:
        found["ti"] = _integrals(numbers, given, micros, firsts)
    if {"pv", "vv"} & set(parts):
        found |= _weighted(numbers, given, firsts, volume)
    return [found[part] for part in parts]


def _groups(firsts: Ints, count: int) -> Ints:
    """Returns the number of each row's bucket."""
    groups: Ints = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, count)))
    return groups


def _spread(numbers: Any, given: Flags, firsts: Ints, known: Ints) -> dict[str, list[Any]]:
    """Returns the mean, and the sum of the squared differences from it, of each bucket."""
    groups = _groups(firsts, len(numbers))
    values = np.where(given, numbers, 0).astype(np.float64)
    mean = np.bincount(groups, weights=values, minlength=len(firsts)) / np.maximum(known, 1)
    apart = np.where(given, values - mean[groups], 0.0)
    return {"mean": mean.tolist(), "m2": np.bincount(groups, weights=apart * apart, minlength=len(firsts)).tolist()}


def _integrals(numbers: Any, given: Flags, micros: Ints, firsts: Ints) -> list[Any]:
    """Returns the integral over time between the first and the last known value of each bucket."""
    groups, times, values = _groups(firsts, len(numbers))[given], micros[given], numbers[given].astype(np.float64)
    held = np.where(groups[1:] == groups[:-1], times[1:] - times[:-1], 0)
    found: list[Any] = np.bincount(groups[:-1], weights=values[:-1] * held, minlength=len(firsts)).tolist()
    return found


def _weighted(numbers: Any, given: Flags, firsts: Ints, volume: tuple[Any, Flags] | None) -> dict[str, list[Any]]:
    """Returns the sums of value times volume, and of the volume, over the rows of each bucket that have both."""
    if volume is None:
        return {"pv": [None] * len(firsts), "vv": [None] * len(firsts)}
    groups, both = _groups(firsts, len(numbers)), given & volume[1]
    volumes = np.where(both, volume[0], 0).astype(np.float64)
    sums = (np.bincount(groups, weights=one, minlength=len(firsts)).tolist() for one in (numbers * volumes, volumes))
    return dict(zip(("pv", "vv"), sums, strict=True))


def _told(values: Any, some: Flags) -> list[Any]:
    """Returns values as Python's, None where a bucket has none."""
    return [value if is_known else None for value, is_known in zip(values.tolist(), some, strict=True)]


def _least(numbers: Any, given: Flags, firsts: Ints, *, greatest: bool) -> Any:
    """Returns the least or greatest known number of each bucket. NaN is greater than all others, as in PostgreSQL."""
    whole = numbers.dtype.kind == "i"
    if whole:
        limits = np.iinfo(np.int64)
        filled = np.where(given, numbers, limits.min if greatest else limits.max)
        return (np.maximum if greatest else np.minimum).reduceat(filled, firsts)
    if greatest:
        return np.maximum.reduceat(np.where(given, numbers, -np.inf), firsts)
    # fmin ignores NaN beside a number, so a bucket with nothing but NaN and missing values keeps NaN.
    return np.fmin.reduceat(np.where(given, numbers, np.nan), firsts)


def _sums(numbers: Any, given: Flags, firsts: Ints) -> list[Any]:
    """Returns the sum of each bucket: exact for integers. Raises OutOfRangeError."""
    filled = np.where(given, numbers, 0)
    if numbers.dtype.kind == "i":
        # Halves of 32 bits, whose sums stay within 64 bits.
        high, low = np.add.reduceat(filled >> 32, firsts), np.add.reduceat(filled & _LOW_BITS, firsts)
        return [(one << 32) + other for one, other in zip(high.tolist(), low.tolist(), strict=True)]
    # One after the other, as PostgreSQL adds, so that packed rows have the sums that they had before.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.bincount(np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(filled)))), weights=filled)
    endless = np.add.reduceat(~np.isfinite(filled), firsts) > 0
    if bool((~np.isfinite(sums) & ~endless).any()):
        raise OutOfRangeError
    found: list[Any] = sums.tolist()
    return found


def _values_at(at: Ints, some: Flags, numbers: Any, micros: Ints, value: str, time: str) -> dict[str, list[Any]]:
    """Returns the values and times at positions, None where a bucket has none."""
    places = np.where(some, at, 0)
    times: list[datetime | None] = [
        from_micros(stamp) if is_known else None for stamp, is_known in zip(micros[places].tolist(), some, strict=True)
    ]
    return {value: _told(numbers[places], some), time: times}
