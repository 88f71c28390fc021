"""Buckets of rows that are Arrow or numpy columns; the same figures as `maintenance.FROM_ROWS` computes in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from atlas.kit.timestamps import MIN_MICROS, from_micros
from atlas.timeseries.rollups import levels as core

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_LOW_BITS = 0xFFFFFFFF


class OutOfRangeError(Exception):
    """A sum of floats is out of the range of a float."""


def starts_of(micros: Ints, width: int | str) -> Ints:
    """Returns the start of the bucket that holds each time. width: seconds, or a unit of the calendar in UTC.

    A start before the year 1 becomes the start of that year, because no answer has an earlier time.
    """
    if isinstance(width, int):
        step = width * 1_000_000
        starts = core.ORIGIN + (micros - core.ORIGIN) // step * step
    else:
        months = micros.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        size = _MONTHS[width]
        starts = (months // size * size).astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
    found: Ints = np.maximum(starts, MIN_MICROS)
    return found


def buckets_of(rows: pa.Table, names: Sequence[str], width: int | str, parts: Sequence[str]) -> list[core.Bucket]:
    """Returns (bucket start, rows, then each part of each column) by bucket, in order of time.

    rows: `ts` timestamp[us], `_seq` int64, and the columns `names` of int64 or float64. Raises OutOfRangeError.
    """
    if not len(rows):
        return []
    micros = rows["ts"].cast(pa.int64()).to_numpy()
    order = np.lexsort((rows["_seq"].to_numpy(), micros))
    micros = micros[order]
    starts = starts_of(micros, width)
    firsts = np.flatnonzero(np.concatenate([[True], starts[1:] != starts[:-1]]))
    counts = np.diff(np.append(firsts, len(micros)))
    cells: list[Sequence[Any]] = [[from_micros(int(at)) for at in starts[firsts]], counts.tolist()]
    for name in names:
        column = rows[name].combine_chunks()
        values = column.fill_null(0) if column.null_count else column
        numbers = np.asarray(values.to_numpy())[order]
        given = np.asarray(column.is_valid().to_numpy(zero_copy_only=False))[order]
        cells += _parts(numbers, given, micros, firsts, parts)
    return list(zip(*cells, strict=True))


def series_buckets_of(
    rows: pa.Table, keys: Sequence[str], names: Sequence[str], width: int | str, parts: Sequence[str]
) -> dict[tuple[Any, ...], list[core.Bucket]]:
    """Returns the buckets of each series, by the values of the columns `keys`. Without keys, all rows are one series.

    Raises OutOfRangeError.
    """
    if not len(rows):
        return {}
    if not keys:
        return {(): buckets_of(rows, names, width, parts)}
    named = [f"k{index}" for index in range(len(keys))]
    frame = pl.DataFrame({name: pl.Series(rows[key]) for name, key in zip(named, keys, strict=True)}).with_row_index(
        "at"
    )
    groups = frame.group_by(named).agg("at")
    places = [one.to_numpy() for one in groups["at"]]
    found = groups.select(named).rows()
    return {
        key: buckets_of(rows.take(pa.array(at)), names, width, parts) for key, at in zip(found, places, strict=True)
    }


def _parts(numbers: Any, given: Flags, micros: Ints, firsts: Ints, parts: Sequence[str]) -> list[Sequence[Any]]:
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
    return [found[part] for part in parts]


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
