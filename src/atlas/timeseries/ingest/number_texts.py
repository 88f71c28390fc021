"""Parses numbers from texts, and detects numbers that a 64-bit integer or float would change.

A float preserves a text if the float, written with as many digits, reads the same. `0.1`, `0.10` and
`0.10000000000000001` are preserved; `0.12345678901234567890`, `1e400` and `1e-400` are not. Texts that are not
preserved, and integers past 64 bits, are kept as texts.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

# Every float within range preserves fewer digits than these.
_SURE_DIGITS = 15
# Below this size a float has fewer digits.
LEAST_NORMAL = 2.3e-308
_NUMBER = r"^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
# An integer of any size.
WHOLE = r"^-?\d+$"
_FRACTION = r"^-?\d+(\.\d+([eE][+-]?\d+)?|[eE][+-]?\d+)$"
# Patterns with a fixed beginning, for which a search is fast.
_TINY = re.compile(rb"e-\d{3}"), re.compile(rb"E-\d{3}")
_HITS = 4096
# Up to this size every digit and point becomes a zero, and a search looks for a run of zeros.
_FEW_BYTES = 16 * 1024
_AS_ZEROS = bytes(48 if chr(byte) in "0123456789." else 32 for byte in range(256))
_LONG = b"0" * (_SURE_DIGITS + 1)
# Constants that test eight characters at once for digits and points. A slash also passes, which does no harm.
_HIGH, _BELOW, _ABOVE = (np.uint64(0x0101010101010101 * byte) for byte in (0x80, 0x80 - ord("."), 0x7F - ord("9")))
_IN_NUMBER = np.zeros(256, bool)
_IN_NUMBER[list(b"0123456789.+-eE")] = True


class Numbers(NamedTuple):
    """Numbers of a column.

    - values: int64 or float64, null where there is no number; None when all are null.
    - rest: JSON texts of numbers that `values` cannot preserve, null elsewhere; None when all are null.
    """

    values: pa.Array | None
    rest: pa.Array | None


def gives_back(text: str, value: float) -> bool:
    """Checks whether a float, written with as many digits as a number's text has, equals that number."""
    if not math.isfinite(value):
        return False
    if len(text) <= _SURE_DIGITS + 1 and abs(value) > LEAST_NORMAL:
        return True
    exact = Decimal(text)
    return Decimal(f"{value:.{len(exact.as_tuple().digits) - 1}e}") == exact


def has_long_numbers(body: bytes) -> bool:
    """Checks whether a body may have a number of more digits than a float preserves. Fast, because most bodies have
    none.
    """
    return _has_long_run(body)


def has_tiny_numbers(body: bytes) -> bool:
    """Checks whether a body may have a number so small that a float has fewer digits or none for it."""
    return any(pattern.search(body) for pattern in _TINY)


def _has_long_run(body: bytes) -> bool:
    """Checks whether sixteen digits or points may stand together. Such a run fills more than a word of eight bytes."""
    if len(body) < _FEW_BYTES:
        return _LONG in body.translate(_AS_ZEROS)
    words = np.frombuffer(body + b" " * (16 - len(body) % 8), np.uint64)
    digits = ((words | (words + _ABOVE)) & _HIGH == 0) & ((words + _BELOW) & _HIGH == _HIGH)
    hits = np.flatnonzero(digits)
    for first in range(0, len(hits), _HITS):
        some = hits[first : first + _HITS]
        # The last word is blank, and also serves as the word before the first.
        before, after = (_is_digit(words[some + step].view(np.uint8).reshape(-1, 8)) for step in (-1, 1))
        run = np.cumprod(before[:, ::-1], axis=1).sum(axis=1) + np.cumprod(after, axis=1).sum(axis=1)
        if (run > _SURE_DIGITS - 8).any():
            return True
    return False


def _is_digit(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    return ((text >= ord(".")) & (text <= ord("9"))).astype(np.int8)


def loses_digits(body: bytes, *, may_be_tiny: bool = True) -> bool:
    """Checks whether a JSON text has a fraction that its float does not preserve. Numbers past all floats do not count.

    `may_be_tiny` includes short numbers so small that floats have fewer digits for them.
    """
    tiny = may_be_tiny and has_tiny_numbers(body)
    if not tiny and not _has_long_run(body):
        return False
    mask = np.zeros(len(body) + 2, np.bool_)
    mask[1:-1] = _IN_NUMBER[np.frombuffer(body, np.uint8)]
    edges = np.flatnonzero(mask[1:] != mask[:-1])
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= (5 if tiny else _SURE_DIGITS + 1)
    # Texts in the body's own bytes alternate: every second text is a number, and the others lie between numbers.
    offsets = np.empty(2 * int(long.sum()) + 1, np.int32)
    offsets[0::2], offsets[1::2] = [0, *ends[long]], starts[long]
    pieces = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(body)])
    texts = pieces.take(pa.array(np.arange(1, len(offsets) - 1, 2))).cast(pa.string())
    try:
        floats = texts.cast(pa.float64())
    except pa.ArrowException:
        # Digits and signs that are no number, such as a day.
        texts = texts.filter(pc.match_substring_regex(texts, _NUMBER))
        floats = texts.cast(pa.float64())
    others = pc.not_equal(floats.cast(pa.string()), texts)
    texts, floats = texts.filter(others), floats.filter(others)
    fractions = pc.match_substring_regex(texts, _FRACTION)
    return not pc.all(_given_back(texts.filter(fractions), floats.filter(fractions)), min_count=0).as_py()


def read_numbers(texts: pa.Array, *, as_float: bool) -> Numbers:
    """Parses number texts of JSON or CSV to float64 or int64. `texts` is a string array, null without a number.

    Raises ValueError: with the position of the first text that is no number, such as NaN or Infinity.
    """
    texts = pc.utf8_trim_whitespace(texts)
    known = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), True)
    if not pc.all(known, min_count=0).as_py():
        raise ValueError(pc.index(known, False).as_py())
    whole = pl.Series(texts).cast(pl.Int64, strict=False).to_arrow()
    is_whole = pc.match_substring_regex(texts, WHOLE)
    if as_float:
        floats = texts.cast(pa.float64())
        good = pc.if_else(is_whole, _same(whole, floats), _given_back(texts, floats))
        values = floats
    else:
        good, values = pc.and_(is_whole, pc.is_valid(whole)), whole
    good = pc.fill_null(good, True)
    if pc.all(good, min_count=0).as_py():
        return Numbers(_any(values), None)
    nothing = pa.scalar(None, pa.string())
    return Numbers(
        _any(pc.if_else(good, values, pa.scalar(None, values.type))), _any(_as_json(pc.if_else(good, nothing, texts)))
    )


def _any(array: pa.Array) -> pa.Array | None:
    return None if array.null_count == len(array) else array


def _same(whole: pa.Array, floats: pa.Array) -> pa.Array:
    """Checks which integers equal floats. Integers past 64 bits are null and do not."""
    within = pc.less(pc.abs(floats), float(2**63))
    back = pc.trunc(pc.if_else(within, floats, 0.0)).cast(pa.int64())
    return pc.fill_null(pc.and_(within, pc.equal(back, whole)), False)


def _given_back(texts: pa.Array, floats: pa.Array) -> pa.Array:
    """Applies `gives_back` to arrays, with null where there is no number."""
    short = pc.less_equal(pc.utf8_length(texts), _SURE_DIGITS + 1)
    size = pc.abs(floats)
    normal = pc.and_(pc.greater(size, LEAST_NORMAL), pc.is_finite(floats))
    good = pc.or_(pc.and_(short, normal), pc.equal(floats.cast(pa.string()), texts))
    if pc.all(good, min_count=0).as_py():
        return good
    left = np.flatnonzero(pc.fill_null(pc.invert(good), False).to_numpy(zero_copy_only=False))
    found = good.to_numpy(zero_copy_only=False).copy()
    values = floats.take(pa.array(left)).to_pylist()
    for at, text, value in zip(left, texts.take(pa.array(left)).to_pylist(), values, strict=True):
        found[at] = gives_back(text, value)
    return pc.if_else(pc.is_valid(texts), pa.array(found, from_pandas=True, type=pa.bool_()), None)


def _as_json(texts: pa.Array) -> pa.Array:
    """Writes numbers in JSON's notation, with digits on both sides of a point."""
    texts = pc.replace_substring_regex(texts, r"^(-?)\.", r"\1" + "0.")
    return pc.replace_substring_regex(texts, r"\.([eE]|$)", r".0\1")
