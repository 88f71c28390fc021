"""Chunks: up to CHUNK_ROWS packed rows in order of time, each column a Parquet file of its own.

A column's values are integers wherever that is exact: decimals become integers by a power of ten. Source: Afroozeh et
al., ALP: Adaptive Lossless floating-Point compression, 2023. Integers are delta-encoded (DELTA_BINARY_PACKED), other
floats are split by bytes (BYTE_STREAM_SPLIT), and zstd compresses both. Small row groups let a short range be read
without the rest of a chunk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atlas.timeseries.columns import Column, Dtype

CHUNK_ROWS, GROUP_ROWS = 65_536, 16_384
# Bytes of one column of texts in a chunk: some of them are read for a single row.
CHUNK_BYTES = 16 << 20
_LEVEL = 3
# Integers up to this number are exact as floats.
_EXACT = 2**53
_MOST_DIGITS = 9
# With a smaller share of decimals, one column of floats is smaller than two.
_LEAST_EXACT = 0.9

# Names of the parts of every chunk: times, numbers of rows, and values without a typed column.
TIME, NUMBER, EXTRA = "t", "n", "e"
# Names of the only column of a part: how its values are stored. Decimals have their digits behind the letter.
_INTEGER, _DECIMAL, _FLOAT, _DOUBLE, _BOOLEAN, _TEXT = "i", "d", "g", "f", "o", "c"
_ENCODINGS = {
    _INTEGER: "DELTA_BINARY_PACKED",
    _DECIMAL: "DELTA_BINARY_PACKED",
    _FLOAT: "BYTE_STREAM_SPLIT",
    _DOUBLE: "BYTE_STREAM_SPLIT",
}


Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class DamagedError(Exception):
    """The bytes of a part are not those that were written."""


@dataclass(frozen=True, slots=True)
class Part:
    """A column of a chunk.

    - name: TIME, NUMBER, EXTRA, or the number of the dataset's column.
    - body: a Parquet file.
    - low, high: bounds of the numbers, None without numbers, or where one is NaN.
    """

    name: str
    body: bytes
    nulls: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Packed rows. Times are microseconds since 1970, `digits` those of a second that the times need: 0, 3 or 6."""

    rows: int
    low_seq: int
    high_seq: int
    low_ts: int
    high_ts: int
    digits: int
    parts: Sequence[Part]


def part_name(column: Column) -> str:
    """Returns the name of a column's part."""
    return str(column.id)


def encode(rows: pa.Table, keys: Mapping[str, str], *, even: bool = False) -> Iterator[Chunk]:
    """Packs rows into chunks, in order of (time, number).

    - rows: `_seq` int64 and `ts` timestamp[us], both without nulls, and columns of int64, float64, bool or text.
    - keys: for each further column the name of its part; columns without a name are left out.
    - even: whether all chunks get about the same number of rows, where no rows follow that would fill the last one.
    """
    micros, numbers = _integers(rows["ts"]), _integers(rows["_seq"])
    order = np.lexsort((numbers, micros))
    if not bool((order[1:] > order[:-1]).all()):
        rows = rows.take(pa.array(order))
    size = _chunk_rows(rows)
    if even:
        size = -(-len(rows) // -(-len(rows) // size))
    for start in range(0, len(rows), size):
        yield _chunk(rows.slice(start, size).combine_chunks(), keys)


def _chunk_rows(rows: pa.Table) -> int:
    widest = max((column.nbytes for column in rows.columns if pa.types.is_string(column.type)), default=0)
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES * len(rows) // max(1, widest)))


def _integers(column: pa.ChunkedArray) -> Ints:
    found: Ints = column.cast(pa.int64()).to_numpy()
    return found


def _chunk(rows: pa.Table, keys: Mapping[str, str]) -> Chunk:
    micros, numbers = _integers(rows["ts"]), _integers(rows["_seq"])
    digits = 6 if (micros % 1_000).any() else 3 if (micros % 1_000_000).any() else 0
    parts = [
        Part(TIME, _file({_INTEGER: pa.array(micros)}, statistics=True), 0),
        Part(NUMBER, _file({_INTEGER: pa.array(numbers)}), 0),
    ]
    for name, key in keys.items():
        column = pa.concat_arrays(rows[name].chunks)
        if column.null_count < len(column):
            parts.append(_part(key, column))
    seqs = int(numbers.min()), int(numbers.max())
    return Chunk(len(rows), *seqs, int(micros[0]), int(micros[-1]), digits, parts)


def _part(key: str, values: pa.Array) -> Part:
    if pa.types.is_integer(values.type):
        least = pc.min_max(values)
        low, high = _below(least["min"].as_py()), -_below(-least["max"].as_py())
        return Part(key, _file({_INTEGER: values}), values.null_count, low, high)
    if pa.types.is_floating(values.type):
        known = values.drop_null().to_numpy()
        bounds = () if bool(np.isnan(known).any()) else (float(known.min()), float(known.max()))
        return Part(key, _float_file(values, known), values.null_count, *bounds)
    kind = _BOOLEAN if pa.types.is_boolean(values.type) else _TEXT
    return Part(key, _file({kind: values}), values.null_count)


def _below(value: int) -> float:
    """Returns the greatest float that is not above an integer."""
    nearest = float(value)
    return nearest if int(nearest) <= value else math.nextafter(nearest, -math.inf)


def _float_file(values: pa.Array, known: Floats) -> bytes:
    """Encodes floats as integers by a power of ten where that restores every bit, else as floats of 4 or 8 bytes."""
    best: tuple[int, Ints, Flags] | None = None
    # A look at a few is enough to refuse most scales.
    some = known[:: max(1, len(known) // 256)]
    for digits in range(_MOST_DIGITS + 1):
        if _scaled(some, 10**digits)[1].mean() < _LEAST_EXACT:
            continue
        whole, exact = _scaled(known, 10**digits)
        if exact.mean() >= _LEAST_EXACT and (best is None or exact.sum() > best[2].sum()):
            best = digits, whole, exact
        if exact.all():
            break
    if best is not None:
        return _decimal_file(values, *best)
    with np.errstate(over="ignore", invalid="ignore"):
        small = known.astype(np.float32)
    if bool(_same_bits(small.astype(np.float64), known).all()):
        return _file({_FLOAT: values.cast(pa.float32(), safe=False)})
    return _file({_DOUBLE: values})


def _scaled(values: Floats, scale: int) -> tuple[Ints, Flags]:
    """Returns floats times `scale` as integers, and marks those that restore every bit after division by `scale`."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.rint(values * scale)
        fits = np.abs(rounded) < _EXACT
    whole: Ints = np.where(fits, rounded, 0.0).astype(np.int64)
    return whole, fits & _same_bits(whole.astype(np.float64) / scale, values)


def _decimal_file(values: pa.Array, digits: int, whole: Ints, exact: Flags) -> bytes:
    """Encodes decimals as integers, and the few floats that are no such decimals, such as -0.0, beside them."""
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    found, decimal = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    found[given], decimal[given] = whole, exact
    columns = {f"{_DECIMAL}{digits}": pa.array(found, mask=None if decimal.all() else ~decimal)}
    if not exact.all():
        columns[_DOUBLE] = pc.if_else(pa.array(decimal), pa.scalar(None, pa.float64()), values)
    return _file(columns)


def _same_bits(one: Floats, other: Floats) -> Flags:
    """Marks where two float arrays have the same bits: -0.0 is not 0.0, and a NaN equals itself."""
    same: Flags = one.view(np.int64) == other.view(np.int64)
    return same


def _file(columns: dict[str, pa.Array], *, statistics: bool = False) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table(columns),
        sink,
        row_group_size=GROUP_ROWS,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=[kind for kind in columns if kind == _TEXT],
        column_encoding={kind: _ENCODINGS[kind[0]] for kind in columns if kind[0] in _ENCODINGS},
        write_statistics=statistics,
        write_page_checksum=True,
        store_schema=False,
    )
    written: bytes = sink.getvalue().to_pybytes()
    return written


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a chunk: row groups, None for all, and the rows from `start` to before `end` within them."""

    groups: Sequence[int] | None
    start: int
    end: int


def _open(body: bytes | pa.Buffer) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise DamagedError from error


def _read(file: pq.ParquetFile, groups: Sequence[int] | None) -> list[pa.Array]:
    try:
        found = file.read_row_groups(range(file.num_row_groups) if groups is None else groups, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DamagedError from error
    return [pa.concat_arrays(one.chunks) if one.chunks else pa.array([], one.type) for one in found.columns]


def decode_times(body: bytes | pa.Buffer, low: int, high: int) -> tuple[Slice, Ints]:
    """Returns which rows of a chunk lie between two times (microseconds, inclusive), and their times.

    Raises DamagedError.
    """
    file = _open(body)
    groups, micros = _groups(file, np.array([low]), np.array([high]))
    start, end = int(np.searchsorted(micros, low)), int(np.searchsorted(micros, high, "right"))
    return Slice(groups, start, end), micros[start:end]


def decode_groups(body: bytes | pa.Buffer, lows: Ints, highs: Ints) -> tuple[Slice, Ints]:
    """Returns the row groups with rows in some ranges of microseconds, ends included, and the times of all their rows.

    Raises DamagedError.
    """
    groups, micros = _groups(_open(body), lows, highs)
    return Slice(groups, 0, len(micros)), micros


def _groups(file: pq.ParquetFile, lows: Ints, highs: Ints) -> tuple[list[int], Ints]:
    bounds = [file.metadata.row_group(at).column(0).statistics for at in range(file.num_row_groups)]
    groups = [at for at, one in enumerate(bounds) if bool(((highs >= one.min) & (lows <= one.max)).any())]
    micros: Ints = _read(file, groups)[0].to_numpy()
    return groups, micros


def decode(body: bytes | pa.Buffer, rows: Slice, dtype: Dtype) -> pa.Array:
    """Returns a column's values in rows of a chunk. `dtype` may be float for a part of integers.

    Raises DamagedError.
    """
    file = _open(body)
    kind = file.schema_arrow.field(0).name
    values, *others = (one.slice(rows.start, rows.end - rows.start) for one in _read(file, rows.groups))
    if kind[0] == _DECIMAL:
        values = _decimals(values, float(10 ** int(kind[1:])))
        return pc.coalesce(values, *others) if others else values
    # The encoder of a chunk that is made anew needs floats of 8 bytes.
    return values.cast(pa.float64()) if dtype is Dtype.FLOAT or pa.types.is_floating(values.type) else values


def _decimals(values: pa.Array, scale: float) -> pa.Array:
    """Returns integers divided by a power of ten; numpy takes a tenth of the time of Arrow's cast and division."""
    given, numbers = values.buffers()
    whole: Ints = np.frombuffer(numbers, np.int64, len(values), values.offset * 8)
    quotients = pa.py_buffer(whole / scale)
    if given is None or not values.null_count:
        return pa.Array.from_buffers(pa.float64(), len(values), [None, quotients])
    found = pa.Array.from_buffers(pa.float64(), len(values), [None, quotients])
    return pc.if_else(values.is_valid(), found, pa.scalar(None, pa.float64()))
