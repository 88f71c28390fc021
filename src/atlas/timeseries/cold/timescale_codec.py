"""Cold rows for TimescaleDB's columnstore: decimals become integers by a power of ten, which compress best.

The encoding follows `segment_codec.py`, but every row stays a row, because a columnstore has its own arrays. Each power
of ten is a column of its own, so that a value is read from one column. `timescale_store.py` decodes the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atlas.timeseries.cold.segment_codec import SCALES, decimals

HEAD = ("_seq", "ts")
# Types of a row's parts by the first letter of their names. The column's key follows the letter. A decimal part has its
# digits in between: "d2_17".
PART_TYPES = {"b": "bigint", "d": "bigint", "f": "double precision", "o": "boolean", "c": "text"}
# With a smaller share of decimals, one column is smaller than two.
LEAST_DECIMALS = 0.5
# Rows compressed together, and compressed again whenever late rows join them: some seconds of work.
CHUNK_ROWS = 2_000_000
# Most chunks for one batch, whose times may be anywhere.
MAX_CHUNKS = 20
# Longest span because of low density alone, because later rows may be denser.
MAX_SPAN_MICROS = timedelta(days=365) / timedelta(microseconds=1)
SPANS = tuple(
    timedelta(**{unit: number})
    for unit, number in (
        ("minutes", 1),
        ("minutes", 10),
        ("hours", 1),
        ("hours", 6),
        ("days", 1),
        ("days", 7),
        ("days", 30),
        ("days", 365),
        ("days", 3_650),
        ("days", 36_500),
        ("days", 365_000),
    )
)


def encode(rows: pa.Table, keys: Mapping[str, str], held: Collection[str] = ()) -> pa.Table:
    """Encodes rows as `_seq`, `ts` and the parts that hold any value.

    - rows: at least one row; `_seq` int64 and `ts` timestamp[us], both without nulls, and columns of int64, float64,
      bool or text.
    - keys: for each further column the key behind the letter of its parts; columns without a key are left out.
    - held: existing parts, whose powers of ten are preferred.
    """
    arrays: dict[str, Any] = {name: rows[name] for name in HEAD}
    for name, key in keys.items():
        column = pa.concat_arrays(rows[name].chunks)
        if column.null_count == len(column):
            continue
        if pa.types.is_floating(column.type):
            arrays |= _floats(key, column, held)
        else:
            letter = "b" if pa.types.is_integer(column.type) else "o" if pa.types.is_boolean(column.type) else "c"
            arrays[f"{letter}{key}"] = column
    return pa.table(arrays)


def decimal_part(key: str, digits: int) -> str:
    """Returns the name of the part for a column's decimals of `digits` digits."""
    return f"d{digits}_{key}"


def chunk_span(ts: pa.ChunkedArray) -> timedelta:
    """Chooses the time span of a chunk from SPANS, for rows as dense as `ts` (timestamp[us], not empty).

    The density is that of the middle four fifths of the rows, because some rows may have times far from the others. The
    span is long enough that all rows are in at most MAX_CHUNKS chunks.
    """
    micros = ts.cast(pa.int64()).to_numpy()
    low, high = np.quantile(micros, [0.1, 0.9])
    wanted = min(MAX_SPAN_MICROS, (high - low) / 0.8 * CHUNK_ROWS / len(micros))
    for span in SPANS:
        width = span // timedelta(microseconds=1)
        if width >= wanted / 2 and len(np.unique(micros // width)) <= MAX_CHUNKS:
            return span
    return SPANS[-1]


def _floats(key: str, values: pa.Array, held: Collection[str]) -> dict[str, pa.Array]:
    """Encodes floats as integers where that restores every bit, and keeps the other floats."""
    known = values.fill_null(0.0).to_numpy()
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    total = len(values) - values.null_count
    parts: dict[str, pa.Array] = {}
    exact, most = np.zeros(len(values), np.bool_), 0
    for digits in _digits(key, held):
        whole, found = decimals(known, SCALES[digits])
        found &= given
        count = int(found.sum())
        if count > most and count >= LEAST_DECIMALS * total:
            parts, exact, most = {decimal_part(key, digits): pa.array(whole, mask=~found)}, found, count
        if most == total:
            return parts
    return parts | {f"f{key}": pc.if_else(pa.array(exact), pa.scalar(None, pa.float64()), values)}


def _digits(key: str, held: Collection[str]) -> Iterator[int]:
    every = range(len(SCALES))
    yield from sorted(every, key=lambda digits: (decimal_part(key, digits) not in held, digits))
