"""Packed segments, decoded to Arrow columns: the way back from `segment_codec.py` outside the database."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from atlas.timeseries.cold.segment_codec import TIME, Flags, Floats, Ints
from atlas.timeseries.columns import Dtype

# Letters of the parts that hold offsets from a base.
_OFFSETS = "xyz"


def decode_times(segments: pa.Table) -> pa.Array:
    """Returns the times of all rows, as timestamp[us] without a zone, in UTC.

    segments: `rows`, `low_ts`, `unit` and the parts of the times, one row a segment.
    """
    counts = _counts(segments)
    low = _each(segments["low_ts"].cast(pa.int64()), counts)
    unit = _each(_micros(segments["unit"]), counts)
    offsets, _ = _integers(segments, TIME, counts)
    return pa.array(low + offsets * unit).cast(pa.timestamp("us"))


def decode_column(segments: pa.Table, key: str, dtype: Dtype) -> pa.Array:
    """Returns the values of a column of all rows. key: what the column is called in the names of its parts."""
    counts = _counts(segments)
    if dtype in (Dtype.INT, Dtype.FLOAT):
        whole, known = _integers(segments, key, counts)
        if dtype is Dtype.INT:
            return pa.array(whole, mask=~known)
        return _floats(segments, key, counts, whole, known)
    name = f"{'o' if dtype is Dtype.BOOLEAN else 'c'}{key}"
    kind = pa.bool_() if dtype is Dtype.BOOLEAN else pa.string()
    if name not in segments.column_names:
        return pa.nulls(int(counts.sum()), kind)
    parts = segments[name].combine_chunks()
    if not parts.null_count:
        return parts.flatten().cast(kind)
    pieces = [
        pa.nulls(int(rows), kind) if part is None else part
        for rows, part in zip(counts, (one.values if one.is_valid else None for one in parts), strict=True)
    ]
    return pa.concat_arrays([piece.cast(kind) for piece in pieces])


def decode(segments: pa.Table, columns: Sequence[tuple[str, str, Dtype]], *, times: bool) -> pa.Table:
    """Returns rows of the wanted columns, in no order. columns: (name, key, type); times: whether `ts` is wanted."""
    arrays = {"ts": decode_times(segments)} if times else {}
    arrays |= {name: decode_column(segments, key, dtype) for name, key, dtype in columns}
    return pa.table(arrays)


def part_names(key: str, held: Sequence[str]) -> list[str]:
    """Returns the parts of a column, of those that are held."""
    return [name for name in held if name[1:] == key]


def _counts(segments: pa.Table) -> Ints:
    return np.asarray(segments["rows"].cast(pa.int64()).to_numpy())


def _each(values: pa.ChunkedArray, counts: Ints) -> Ints:
    """Returns a value of each segment once for each of its rows."""
    return np.repeat(values.to_numpy(), counts)


def _micros(unit: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns durations as their microseconds, which a query may have worked out already."""
    return unit.cast(pa.duration("us")).cast(pa.int64()) if pa.types.is_duration(unit.type) else unit


def _integers(segments: pa.Table, key: str, counts: Ints) -> tuple[Ints, Flags]:
    """Returns base and offset of all rows as one number, and which rows have one."""
    total = int(counts.sum())
    found: Ints = np.zeros(total, np.int64)
    known: Flags = np.zeros(total, np.bool_)
    for letter in _OFFSETS:
        if f"{letter}{key}" in segments.column_names:
            _take_offsets(segments[f"{letter}{key}"].combine_chunks(), counts, found, known)
    if f"p{key}" in segments.column_names:
        _take_steps(segments[f"p{key}"], counts, found, known)
    if f"b{key}" in segments.column_names:
        base = segments[f"b{key}"].fill_null(0)
        found += _each(base, counts)
    return found, known


def _take_offsets(parts: pa.ListArray, counts: Ints, found: Ints, known: Flags) -> None:
    values = parts.flatten()
    numbers = values.fill_null(0).to_numpy().astype(np.int64, copy=False) if values.null_count else values.to_numpy()
    valid = values.is_valid().to_numpy(zero_copy_only=False) if values.null_count else True
    if not parts.null_count:
        found[:] = numbers
        known[:] = valid
        return
    rows = np.repeat(parts.is_valid().to_numpy(zero_copy_only=False), counts)
    found[rows] = numbers
    known[rows] = valid


def _take_steps(steps: pa.ChunkedArray, counts: Ints, found: Ints, known: Flags) -> None:
    valid = steps.is_valid().to_numpy()
    if not bool(valid.any()):
        return
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.repeat(valid, counts)
    positions = np.arange(len(found)) - starts
    found[rows] = (positions * _each(steps.fill_null(0), counts))[rows]
    known[rows] = True


def _floats(segments: pa.Table, key: str, counts: Ints, whole: Ints, known: Flags) -> pa.Array:
    """Returns doubles: decimals by their scale, and those that lie as they are."""
    found: Floats = whole.astype(np.float64)
    if f"s{key}" in segments.column_names:
        found /= np.repeat(segments[f"s{key}"].fill_null(1.0).to_numpy(), counts)
    for letter in "gf":
        name = f"{letter}{key}"
        if name not in segments.column_names:
            continue
        parts = segments[name].combine_chunks()
        values = parts.flatten()
        rows = np.repeat(parts.is_valid().to_numpy(zero_copy_only=False), counts)
        found[rows] = values.fill_null(0.0).to_numpy().astype(np.float64)
        known[rows] = values.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(found, mask=~known)
