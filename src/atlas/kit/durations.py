"""Writes durations as texts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def duration_texts(column: pa.Array) -> pa.Array:
    """Writes an Arrow array of durations as `[h]:mm:ss` with a fraction, as spreadsheets do: `36:00:00.5`.

    Raises ArrowInvalid: for the least duration that 64 bits hold.
    """
    digits = _DIGITS[column.type.unit]
    ticks = column.cast(pa.int64())
    size = pc.abs_checked(ticks)
    seconds = pc.divide(size, 10**digits)
    minutes = pc.divide(seconds, 60)
    parts = [pc.divide(seconds, 3600), _rest(minutes, 60), _rest(seconds, 60)]
    texts = [parts[0].cast(pa.string()), *(pc.utf8_lpad(part.cast(pa.string()), 2, "0") for part in parts[1:])]
    whole = pc.binary_join_element_wise(*texts, ":")
    sign = pc.if_else(pc.less(ticks, 0), "-", "")
    if not digits:
        return pc.binary_join_element_wise(sign, whole, "")
    rest = pc.utf8_lpad(_rest(size, 10**digits).cast(pa.string()), digits, "0")
    fraction = pc.if_else(pc.equal(_rest(size, 10**digits), 0), "", pc.binary_join_element_wise("", rest, "."))
    return pc.binary_join_element_wise(sign, whole, pc.utf8_rtrim(fraction, "0"), "")


def _rest(numbers: pa.Array, divisor: int) -> pa.Array:
    return pc.subtract(numbers, pc.multiply(pc.divide(numbers, divisor), divisor))
