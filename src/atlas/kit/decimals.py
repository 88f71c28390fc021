"""Converts exact decimals from texts to PostgreSQL's binary COPY. Every value keeps its own digits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# PostgreSQL stores numbers in base 10,000: each of its digits holds 4 decimal digits.
_BASE_DIGITS = 4
_NEGATIVE = 0x4000
_WEIGHTS = np.array([1000, 100, 10, 1], dtype=np.int16)
# The maximum number of decimal digits in a value. Nobody computes with longer numbers.
MAX_DIGITS = 1_000


def to_wire(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Converts texts such as `-12.50` or `1.5e-7` to PostgreSQL's binary numerics. Nulls stay null.

    texts: valid numbers; the caller has checked them.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = _expand_exponents(texts.cast(pa.string()))
    count = len(texts)
    if not count or texts.null_count == count:
        return pa.nulls(count, pa.binary())
    filled = pc.fill_null(texts, "0")
    starts = np.frombuffer(filled.buffers()[1], dtype=np.int32)[filled.offset : filled.offset + count + 1]
    data = np.frombuffer(filled.buffers()[2], dtype=np.uint8)[starts[0] : starts[-1]]
    packed = _pack_numbers(data, starts - starts[0])
    size = packed.shape[1]
    offsets = np.arange(count + 1, dtype=np.int32) * size
    valid = None if not texts.null_count else texts.is_valid().buffers()[1]
    if valid is None:
        return pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(packed.tobytes())])
    built = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(packed.tobytes())])
    return pc.if_else(texts.is_valid(), built, pa.scalar(None, pa.binary()))


def exact_loads(text: str) -> Any:
    """Parses a JSON text. A number that a float does not reproduce becomes a Decimal."""
    return json.loads(text, parse_float=_parse_exact)


def _parse_exact(text: str) -> float | Decimal:
    number = float(text)
    return number if repr(number) == text else Decimal(text)


def _expand_exponents(texts: pa.Array) -> pa.Array:
    """Writes the exponents of texts out as digits. Few texts have an exponent."""
    powers = pc.match_substring_regex(texts, "[eE]")
    if not pc.any(powers).as_py():
        return texts
    return pa.array([None if v is None else format(Decimal(v), "f") for v in texts.to_pylist()], pa.string())


def _pack_numbers(data: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Packs each number into a row of bytes: PostgreSQL's header and digits.

    All rows have the longest number's length.
    """
    count = len(starts) - 1
    lengths = np.diff(starts)
    rows = np.repeat(np.arange(count, dtype=np.int32), lengths)
    points = starts[1:].copy()
    dots = np.flatnonzero(data == ord("."))
    points[rows[dots]] = dots
    scales = starts[1:] - points - 1
    scales[scales < 0] = 0
    digits = np.flatnonzero((data >= ord("0")) & (data <= ord("9"))).astype(np.int32)
    rows = rows[digits]
    # Each digit's power of ten.
    powers = points[rows] - digits
    powers[powers > 0] -= 1
    before = _round_up(int(powers.max(initial=0)) + 1)
    after = _round_up(int(scales.max(initial=0)))
    cells = np.zeros((count, before + after), dtype=np.uint8)
    cells[rows, before - 1 - powers] = data[digits] - ord("0")
    groups = cells.reshape(count, -1, _BASE_DIGITS).astype(np.int16) @ _WEIGHTS
    packed = np.empty((count, 4 + groups.shape[1]), dtype=">i2")
    packed[:, 0] = groups.shape[1]
    packed[:, 1] = before // _BASE_DIGITS - 1
    packed[:, 2] = np.where(data[np.minimum(starts[:-1], len(data) - 1)] == ord("-"), _NEGATIVE, 0)
    packed[:, 3] = scales
    packed[:, 4:] = groups
    return packed.view(np.uint8).reshape(count, -1)


def _round_up(digits: int) -> int:
    return -(-digits // _BASE_DIGITS) * _BASE_DIGITS
