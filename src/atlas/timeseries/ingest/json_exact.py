"""Decodes JSON rows to frames, keeping the notation of every value, with errors that name row and field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from atlas.errors import BadRequestError, RowError, unknown_name
from atlas.kit.timestamps import NAME_UNIT, NO_UNIT
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest.json_members import given_twice, root_given_twice
from atlas.timeseries.ingest.number_texts import gives_back
from atlas.timeseries.ingest.timestamp_columns import epoch_texts, timestamps

_INT64 = range(-(2**63), 2**63)
_MISSING = msgspec.UNSET

_LAST_TEXT = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*"(?:[^"\\]|\\.)*\\?$')


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    timestamp: msgspec.Raw | msgspec.UnsetType = _MISSING
    values: msgspec.Raw | msgspec.UnsetType = _MISSING


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    rows: list[msgspec.Raw]
    dataset: Any = _MISSING


_BODY = msgspec.json.Decoder(_Body)
_ROW = msgspec.json.Decoder(_Row)
_VALUES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NOT_FINITE = re.compile(rb"(-?Infinity|NaN)")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
# Bytes of an escaped pair, and of the characters that may stand before the position in a decoder's error.
_ESCAPED = 14
LONE_SURROGATE = "half of a surrogate pair is no character"
_BYTE = re.compile(r"byte (\d+)")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at .*)?", re.DOTALL)
_LAST_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*-?$')


def decode(body: bytes, first_row: int = 0, unit: str | None = None) -> tuple[Frame, object]:
    """Decodes like `json_arrow.decode`, for any JSON."""
    try:
        parsed = _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequestError("Invalid request body", member_reason(error, _Body.__struct_fields__)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(body, error, first_row) from None
    named = parsed.dataset is not _MISSING
    names = ("rows", "dataset") if named else ("rows",)
    if (twice := root_given_twice(body, names, map(bytes, parsed.rows))) is not None:
        raise BadRequestError("Invalid request body", f"{twice}: given twice")
    rows = [_row(raw, first_row + index, unit) for index, raw in enumerate(parsed.rows)]
    try:
        return build(rows, first_row, unit), parsed.dataset if named else None
    except UnicodeDecodeError:
        # msgspec.Raw values have not been validated as UTF-8 yet.
        raise _not_utf8(parsed.rows, first_row) from None


def build(rows: list[tuple[str, dict[str, msgspec.Raw]]], first_row: int, unit: str | None = None) -> Frame:
    """Builds a frame of (timestamp text, key -> raw JSON value) pairs."""
    stamps = pa.array([stamp for stamp, _ in rows], pa.string())
    ts = timestamps(stamps, first_row) if unit is None else epoch_texts(stamps, unit, first_row)
    cells: dict[str, list[tuple[int, str, bytes]]] = {}
    for index, (_, values) in enumerate(rows):
        for key, raw in values.items():
            text = bytes(raw).strip()
            cells.setdefault(key, []).append((index, _kind(text), text))
    columns: dict[str, pa.Array] = {}
    extra: list[list[str]] = [[] for _ in rows]
    extra_keys = set()
    for key, found in cells.items():
        array, rest = _column(found, len(rows))
        if array is not None:
            columns[key] = array
        if rest:
            extra_keys.add(key)
            label = msgspec.json.encode(key).decode()
            for index, text in rest:
                extra[index].append(f"{label}:{text.decode()}")
    if not extra_keys:
        return Frame(ts, columns)
    joined = pa.array([",".join(items) or None for items in extra], pa.string())
    return Frame(ts, columns, joined, frozenset(extra_keys))


def _not_utf8(rows: list[msgspec.Raw], first_row: int) -> RowError:
    for index, raw in enumerate(rows):
        try:
            bytes(raw).decode()
        except UnicodeDecodeError:
            return RowError(first_row + index, None, "not UTF-8")
    raise AssertionError("every row is UTF-8")


def lone_surrogate(text: bytes) -> int | None:
    """Returns the position of half of a surrogate pair, which is no character, in a JSON text, or None."""
    if b"\\ud" not in text and b"\\uD" not in text:
        return None
    high: re.Match[bytes] | None = None
    for found in _ESCAPE.finditer(text):
        code = int(found[1], 16) if found[1] else 0
        follows = high is not None and high.end() == found.start()
        if 0xDC00 <= code < 0xE000 and follows:
            high = None
            continue
        if high is not None:
            return high.start()
        if 0xDC00 <= code < 0xE000:
            return found.start()
        high = found if 0xD800 <= code < 0xDC00 else None
    return None if high is None else high.start()


def not_finite(text: bytes) -> str | None:
    """Explains an invalid JSON text by its NaN or Infinity, or returns None."""
    found = _NOT_FINITE.search(_TEXT.sub(b"", text))
    return f"{found[1].decode()} is not a JSON number; NaN and Infinity are refused" if found else None


def _row(raw: msgspec.Raw, number: int, unit: str | None) -> tuple[str, dict[str, msgspec.Raw]]:
    try:
        row = _ROW.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if (name := unknown_member(error)) is not None:
            reason = unknown_name(name, _Row.__struct_fields__)
            raise RowError(number, name, f"{reason}; the keys of a row stand in its `values`") from None
        raise RowError(number, None, _reason(error)) from None
    found = {"timestamp": row.timestamp, "values": row.values}
    if (twice := given_twice(bytes(raw), {name: part for name, part in found.items() if part})) is not None:
        raise RowError(number, twice, "given twice")
    if row.timestamp is _MISSING:
        raise RowError(number, "timestamp", "missing")
    if row.values is _MISSING:
        raise RowError(number, "values", "missing")
    stamp = _text(row.timestamp, number, unit)
    try:
        values = _VALUES.decode(row.values)
    except msgspec.ValidationError:
        raise RowError(number, "values", "must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RowError(number, "values", _reason(error)) from None
    if (twice := given_twice(bytes(row.values), values)) is not None:
        raise RowError(number, f"values.{twice[:100]}", "given twice")
    return stamp, values


def _text(raw: Any, number: int, unit: str | None) -> str:
    text = bytes(raw).strip()
    is_number = text[:1] in b"-0123456789"
    if unit is not None and is_number:
        return text.decode()
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        reason = "must be an ISO 8601 string" if unit is None else f"must be a number of {unit} since 1970"
        if is_number:
            reason += f": {NO_UNIT}; {NAME_UNIT}"
        raise RowError(number, "timestamp", reason) from None


def _kind(text: bytes) -> str:
    first = text[:1]
    if first == b'"':
        # JSON can escape NUL, which PostgreSQL's text cannot hold.
        return "json" if b"\\u0000" in text else "string"
    if first in b"tf":
        return "boolean"
    if first == b"n":
        return "null"
    if first in b"{[":
        return "json"
    if b"." in text or b"e" in text or b"E" in text:
        return "float" if gives_back(text.decode(), float(text)) else "json"
    return "int" if len(text) < 25 and int(text) in _INT64 else "json"


def _column(found: list[tuple[int, str, bytes]], length: int) -> tuple[pa.Array | None, list[tuple[int, bytes]]]:
    """Builds the array of the type that most values have. Returns the other values as (row, JSON text)."""
    counts = Counter(kind for _, kind, _ in found if kind not in ("null", "json"))
    numeric = counts["int"] + counts["float"]
    choices = {"string": counts["string"], "boolean": counts["boolean"], "number": numeric}
    best = max(choices, key=lambda kind: choices[kind])
    if not choices[best]:
        return None, [(index, text) for index, _, text in found]
    values: list[Any] = [None] * length
    rest = []
    as_float = best == "number" and counts["float"] > 0
    for index, kind, text in found:
        if best == "number" and kind in ("int", "float"):
            value: Any = float(text) if as_float else int(text)
            if as_float and kind == "int" and int(text) != value:
                rest.append((index, text))
            else:
                values[index] = value
        elif kind == best:
            values[index] = msgspec.json.decode(text)
        else:
            rest.append((index, text))
    types = {"string": pa.string(), "boolean": pa.bool_()}
    return pa.array(values, types.get(best, pa.float64() if as_float else pa.int64())), rest


def unknown_member(error: Exception) -> str | None:
    """Returns the unknown member that a decoder's error names, or None for another error."""
    found = _UNKNOWN.fullmatch(str(error))
    return found[1][:100] if found else None


def member_reason(error: Exception, known: Sequence[str]) -> str:
    """Explains a decoder's error on an object with the members `known`."""
    name = unknown_member(error)
    return _reason(error) if name is None else f"{name}: {unknown_name(name, known)}; known: {', '.join(known)}"


def _reason(error: Exception) -> str:
    return str(error).removeprefix("JSON is malformed: ") if not isinstance(error, UnicodeError) else "not UTF-8"


def malformed(body: bytes, error: Exception, first_row: int) -> BadRequestError:
    """Builds the error for a body that is not JSON, with the position of the fault and, if known, the row."""
    found = _BYTE.search(str(error))
    position = int(found[1]) if found else None
    half = lone_surrogate(body)
    if half is not None and (position is None or abs(position - half) <= _ESCAPED):
        row, key = _row_at(body, half), _LAST_TEXT.search(body[max(0, half - 300) : half])
        field = f"values.{key[1].decode(errors='replace')}" if key else None
        return RowError(None if row is None else first_row + row, field, LONE_SURROGATE)
    if position is None:
        return BadRequestError("Invalid JSON", _reason(error))
    row = _row_at(body, position)
    window = body[max(0, position - 1) : position + 9]
    found_word = _NOT_FINITE.search(window)
    if row is not None and found_word:
        key = _LAST_KEY.search(body[max(0, position - 300) : position])
        field = f"values.{key[1].decode(errors='replace')}" if key else None
        word = found_word[1].decode()
        return RowError(first_row + row, field, f"{word} is not a JSON number; NaN and Infinity are refused")
    reason = f"malformed at byte {position}: {_BYTE.sub('', _reason(error)).replace(' ()', '')}"
    if row is None or "trailing" in reason:
        return BadRequestError("Invalid JSON", reason)
    return RowError(first_row + row, None, reason)


def _row_at(body: bytes, position: int) -> int | None:
    """Returns the number of the row at byte `position`, by decoding the whole rows before it."""
    start = body.find(b'"rows"')
    for cut in _cuts(body, position):
        try:
            parsed = _BODY.decode(body[: cut + 1] + b"]}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        return len(parsed.rows)
    return 0 if 0 <= start < position else None


def _cuts(body: bytes, position: int) -> list[int]:
    """Lists ends of objects before `position`, nearest first. Twelve ends suffice to find the last whole row."""
    cuts: list[int] = []
    at = position
    while len(cuts) < 12 and (at := body.rfind(b"}", 0, at)) >= 0:
        cuts.append(at)
    return cuts
