"""Cold rows as segments: up to 5,000 rows, each column an array of the narrowest exact type.

The encoding is frame of reference with scaled decimals, as in column stores. Sources: Zukowski et al., Super-Scalar
RAM-CPU Cache Compression, 2006. Afroozeh et al., ALP: Adaptive Lossless floating-Point compression, 2023. SQL can undo
each value: base + offset for integers and times, (base + offset) / scale for floats. PostgreSQL compresses the arrays
once more in storage. `timeseries/cold/view.py` decodes segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.timeseries.columns import Column

SEGMENT_ROWS = 5_000
# Bytes of texts in a segment: PostgreSQL unpacks the whole array for a single text.
SEGMENT_BYTES = 4 << 20
# An interval times a float is exact up to this number.
MAX_SPAN = 2**53
SCALES = tuple(10**digits for digits in range(10))

TIME, NUMBER, EXTRA = "t", "n", "e"
HEAD = ("rows", "low_seq", "high_seq", "low_ts", "high_ts", "unit")
_ARROW_TYPES = {
    "b": pa.int64(),
    "p": pa.int64(),
    "s": pa.float64(),
    "x": pa.list_(pa.int16()),
    "y": pa.list_(pa.int32()),
    "z": pa.list_(pa.int64()),
    "g": pa.list_(pa.float32()),
    "f": pa.list_(pa.float64()),
    "c": pa.list_(pa.string()),
    "o": pa.list_(pa.bool_()),
}
# Types of a segment's parts by the first letter of their names. The column's key follows the letter.
PART_TYPES = {
    "b": "bigint",
    "p": "bigint",
    "s": "double precision",
    "x": "int2[]",
    "y": "int4[]",
    "z": "int8[]",
    "g": "float4[]",
    "f": "float8[]",
    "c": "text[]",
    "o": "bool[]",
}
_NARROW = (("x", np.int16), ("y", np.int32), ("z", np.int64))

Parts = dict[str, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class _Segment(NamedTuple):
    """A segment. head: the values of every segment. parts: the other values, by name."""

    head: Parts
    parts: Parts


def key_of(column: Column) -> str:
    """Returns a column's key in the names of its parts."""
    return str(column.id)


def pack(rows: pa.Table, keys: Mapping[str, str]) -> pa.Table:
    """Packs rows into segments, in the order of the rows' numbers.

    - rows: `_seq` int64 and `ts` timestamp[us], both without nulls, and columns of int64, float64, bool or text.
    - keys: for each further column the key behind the letter of its parts; columns without a key are left out.

    Returns `rows`, `low_seq`, `high_seq`, `low_ts`, `high_ts`, `unit` (microseconds) and the parts of any segment.
    """
    numbers = rows["_seq"].to_numpy()
    if len(numbers) > 1 and not bool((numbers[1:] > numbers[:-1]).all()):
        rows = rows.take(pa.array(np.argsort(numbers, kind="stable")))
    rows = rows.combine_chunks()
    segments = [_segment(part, keys) for part in _cut(rows, _segment_rows(rows))]
    names = sorted({name for segment in segments for name in segment.parts})
    stamp = rows.schema.field("ts").type
    heads = {
        "rows": pa.int32(),
        "low_seq": pa.int64(),
        "high_seq": pa.int64(),
        "low_ts": stamp,
        "high_ts": stamp,
        "unit": pa.duration("us"),
    }
    arrays = {name: pa.array([one.head[name] for one in segments], kind) for name, kind in heads.items()}
    arrays |= {name: _part_array([one.parts.get(name) for one in segments], _ARROW_TYPES[name[0]]) for name in names}
    return pa.table(arrays)


def _segment_rows(rows: pa.Table) -> int:
    widest = max((column.nbytes for column in rows.columns if pa.types.is_string(column.type)), default=0)
    return max(1, min(SEGMENT_ROWS, SEGMENT_BYTES * len(rows) // max(1, widest)))


def _cut(rows: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, len(rows), size):
        part = rows.slice(start, size)
        micros = _micros(part)
        if int(micros.max()) - int(micros.min()) >= MAX_SPAN:
            yield from _cut(part, size // 2)
        else:
            yield part


def _micros(rows: pa.Table) -> Ints:
    micros: Ints = rows["ts"].cast(pa.int64()).to_numpy()
    return micros


def _segment(rows: pa.Table, keys: Mapping[str, str]) -> _Segment:
    micros, numbers = _micros(rows), rows["_seq"].to_numpy()
    low, high = int(micros.min()), int(micros.max())
    offsets = micros - low
    unit = int(np.gcd.reduce(offsets)) or 1
    head = {
        "rows": len(rows),
        "low_seq": int(numbers[0]),
        "high_seq": int(numbers[-1]),
        "low_ts": low,
        "high_ts": high,
        "unit": unit,
    }
    parts = _offsets(TIME, offsets // unit) | _integers(NUMBER, numbers, None)
    for name, key in keys.items():
        column = rows[name].combine_chunks()
        if column.null_count < len(column):
            parts |= _column(key, column.chunk(0) if isinstance(column, pa.ChunkedArray) else column)
    return _Segment(head, parts)


def _column(key: str, values: pa.Array) -> Parts:
    missing = pc.is_null(values).to_numpy(zero_copy_only=False) if values.null_count else None
    if pa.types.is_integer(values.type):
        filled = values.fill_null(pc.min(values)) if values.null_count else values
        return _integers(key, filled.to_numpy(), missing)
    if pa.types.is_floating(values.type):
        return _floats(key, values, missing)
    return {f"{'o' if pa.types.is_boolean(values.type) else 'c'}{key}": values}


def _integers(key: str, values: Ints, missing: Any) -> Parts:
    """Encodes integers as a base and offsets."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 2**63:
        return {f"b{key}": 0} | _narrow(key, values, missing)
    step = _step(values) if missing is None else None
    if step is not None:
        return {f"b{key}": int(values[0]), f"p{key}": step}
    base = low
    for _, kind in _NARROW:
        limits = np.iinfo(kind)
        if high - low <= limits.max:
            break
        if high - low <= int(limits.max) - int(limits.min):
            base = low - int(limits.min)
            break
    return {f"b{key}": base} | _narrow(key, values - base, missing)


def _offsets(key: str, values: Ints) -> Parts:
    """Encodes offsets from a base that the head of the segment holds."""
    step = _step(values) if values[0] == 0 else None
    return _narrow(key, values, None) if step is None else {f"p{key}": step}


def _step(values: Ints) -> int | None:
    """Returns the difference between neighbouring values if all differences are equal, or None."""
    steps = np.diff(values)
    if not len(steps):
        return 0
    return int(steps[0]) if bool((steps == steps[0]).all()) else None


def _narrow(key: str, values: Ints, missing: Any) -> Parts:
    low, high = int(values.min()), int(values.max())
    for letter, kind in _NARROW:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return {f"{letter}{key}": pa.array(values.astype(kind), mask=missing)}
    raise AssertionError("an int64 fits itself")


def _floats(key: str, values: pa.Array, missing: Any) -> Parts:
    """Encodes decimals as integers by a power of ten when that restores every bit, else floats of 4 or 8 bytes."""
    known = values.drop_null().to_numpy()
    most = float(np.abs(known).max())
    for scale in SCALES if bool(np.isfinite(known).all()) else ():
        if most * scale >= MAX_SPAN:
            break
        whole, exact = decimals(known, scale)
        if exact.all():
            found = np.full(len(values), whole.min(), np.int64)
            found[slice(None) if missing is None else ~missing] = whole
            return _integers(key, found, missing) | ({f"s{key}": float(scale)} if scale > 1 else {})
    with np.errstate(over="ignore", invalid="ignore"):
        small = known.astype(np.float32)
    if _same_bits(small.astype(np.float64), known).all():
        return {f"g{key}": values.cast(pa.float32(), safe=False)}
    return {f"f{key}": values}


def decimals(values: Floats, scale: int) -> tuple[Ints, Flags]:
    """Rounds floats times `scale` to integers, and marks the integers that restore every bit after division
    by `scale`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.rint(values * scale)
        fits = np.abs(rounded) < MAX_SPAN
    whole = np.where(fits, rounded, 0.0).astype(np.int64)
    return whole, fits & _same_bits(whole.astype(np.float64) / scale, values)


def _same_bits(one: Floats, other: Floats) -> Flags:
    """Marks where two float arrays have the same bits: -0.0 is not 0.0, and a NaN equals itself."""
    same: Flags = one.view(np.int64) == other.view(np.int64)
    return same


def _part_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Builds an array with one value for each segment, null where a segment has no value."""
    if not pa.types.is_list(kind):
        return pa.array(values, kind)
    offsets, total = [], 0
    for value in values:
        offsets.append(None if value is None else total)
        total += 0 if value is None else len(value)
    flat = [value.cast(kind.value_type) for value in values if value is not None]
    return pa.ListArray.from_arrays(pa.array([*offsets, total], pa.int32()), pa.concat_arrays(flat), kind)
