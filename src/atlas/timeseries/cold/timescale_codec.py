"""Cold rows for a column store: floats that are decimals as integers by a power of ten, which it compresses best.

As `segment_codec.py`, but that a column store has its own arrays: here every row stays a row, and each power of ten is
a column of its own, so that a value is read from one column. `timescale_store.py` has the way back.
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
# The parts of a row by the first letter of their names; behind it stands the key of the column, and before that, of a
# decimal, its digits: "d2_17".
PART_TYPES = {"b": "bigint", "d": "bigint", "f": "double precision", "o": "boolean", "c": "text"}
# With fewer values that are decimals, one column is smaller than two.
LEAST_DECIMALS = 0.5
# So many rows are compressed together, and again whenever late ones join them: some seconds of work.
CHUNK_ROWS = 2_000_000
# Of one batch, whose times may be anywhere.
MAX_CHUNKS = 20
# Rows may come closer together later, so chunks are not longer than this for their density alone.
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
    """Rows with `_seq`, `ts` and the parts that some row has a value in.

    rows: at least one; `_seq` int64 and `ts` timestamp[us], both without nulls, and columns of int64, float64, bool or
    text. keys: what each column but these two is called behind the letter of its parts; other columns are left out.
    held: parts that there are already; powers of ten are preferred for which that is so.
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
    """The name of the part with a column's decimals of so many digits."""
    return f"d{digits}_{key}"


def chunk_span(ts: pa.ChunkedArray) -> timedelta:
    """How much time a chunk of rows as dense as these should span: one of SPANS. ts: timestamp[us], not empty.

    That is from the middle four fifths of them, as some may have a time far from the others; but it is long enough that
    all are in a few chunks.
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
    """Decimals as integers where that gives every bit back, the others as they are."""
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
