"""Decodes few plain JSON rows to a frame, with less work than Arrow, which has a fixed cost.

Rows become Python objects here, which is fast for some dozens of rows. `json_arrow` and `json_exact` decode what is not
plain: null, nested or mixed values, numbers past 64 bits, escaped characters, rarer timestamps, mistakes. For plain
rows all decoders return the same frame.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pyarrow as pa

from atlas.kit.timestamps import parse_timestamp, to_micros
from atlas.timeseries.columns import EXACT_FLOAT
from atlas.timeseries.frames import TIMESTAMP, Frame
from atlas.timeseries.ingest.number_texts import loses_digits

# Arrow takes 0.5 ms for any body, and is as fast at twice this number of bytes.
SMALL_BYTES = 8 * 1024
_PLAIN_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
# Among floats this is -0.0, but no int has such a value.
_MINUS_ZERO = re.compile(rb"-0[\s,}]")
_INT64 = range(-(2**63), 2**63)
_TYPES = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
_NUMBERS = {int, float}


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    timestamp: str
    values: dict[str, int | float | bool | str]


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    rows: list[_Row]
    dataset: Any = msgspec.UNSET


_BODY = msgspec.json.Decoder(_Body)


def decode(body: bytes) -> tuple[Frame, object] | None:
    """Decodes like `json_arrow.decode`, or returns None for a body that is large or not plain."""
    if not is_small_and_plain(body):
        return None
    try:
        parsed = _BODY.decode(body)
        ts = _timestamps(parsed.rows)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    columns = _columns([row.values for row in parsed.rows])
    if ts is None or columns is None or _has_more_members(body, parsed):
        return None
    return Frame(ts, columns), None if parsed.dataset is msgspec.UNSET else parsed.dataset


def is_small_and_plain(body: bytes) -> bool:
    """Checks a body without decoding: its size, escaped characters, and numbers that Python would change."""
    # An escaped character may be a character that PostgreSQL's text cannot hold.
    if len(body) > SMALL_BYTES or b"\\u" in body or b"\0" in body or _MINUS_ZERO.search(body):
        return False
    return not loses_digits(body)


def is_stamp(text: str) -> bool:
    """Checks whether a text has the form of nearly all timestamps."""
    return _PLAIN_STAMP.fullmatch(text) is not None


def _has_more_members(body: bytes, parsed: _Body) -> bool:
    """Checks whether a body has colons beyond its members and texts, which shows a duplicate member."""
    members = (1 if parsed.dataset is msgspec.UNSET else 2) + sum(2 + len(row.values) for row in parsed.rows)
    texts = [row.timestamp for row in parsed.rows]
    for row in parsed.rows:
        texts += row.values
        texts += [value for value in row.values.values() if type(value) is str]
    return body.count(b":") != members + "".join(texts).count(":")


def _timestamps(rows: list[_Row]) -> pa.Array | None:
    stamps = [row.timestamp for row in rows]
    if not stamps or not all(map(_PLAIN_STAMP.fullmatch, stamps)):
        return None
    return pa.array([to_micros(parse_timestamp(stamp)) for stamp in stamps], pa.int64()).cast(TIMESTAMP)


def _columns(rows: list[dict[str, Any]]) -> dict[str, pa.Array] | None:
    columns = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(key) for row in rows]
        kinds = {type(value) for value in values if value is not None}
        if kinds == _NUMBERS:
            if any(abs(value) >= EXACT_FLOAT for value in values if type(value) is int):
                return None
            kind: type = float
        elif len(kinds) == 1:
            (kind,) = kinds
        else:
            return None
        if kind is int and not all(value is None or value in _INT64 for value in values):
            return None
        columns[key] = pa.array(values, _TYPES[kind])
    return columns
