"""Decodes NDJSON bodies to frames."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import IO

import msgspec

from atlas.errors import BadRequestError, RowError
from atlas.kit.json_depth import TOO_DEEP
from atlas.timeseries.formats import from_flat_key
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import json_arrow, json_exact
from atlas.timeseries.ingest.json_members import given_twice

_BLOCK = 4 * 1024 * 1024
# The longest line. To decode one holds the interpreter's lock, for which all requests wait.
_MOST_OF_LINE = 32 * 1024 * 1024


def read_ndjson(file: IO[bytes], unit: str | None = None) -> Iterator[Frame]:
    """Yields the frames of NDJSON, each line `{"timestamp":…,"values":{…}}` or flat `{"timestamp":…,"key":…}`.

    `live` and downloads write flat lines. The first line with more than a timestamp decides for all lines. `unit` is
    the unit of numeric timestamps.

    Raises RowError: when a line is invalid.
    """
    first_row = 0
    nested: bool | None = None
    if file.read(len(BOM_UTF8)) != BOM_UTF8:
        file.seek(0)
    while block := file.read(_BLOCK):
        rest = file.readline(_MOST_OF_LINE)
        if len(rest) == _MOST_OF_LINE and not rest.endswith(b"\n"):
            before = sum(1 for line in block.split(b"\n")[:-1] if line.strip())
            raise RowError(first_row + before, None, f"the line is longer than {_MOST_OF_LINE // 2**20} MiB")
        block += rest
        lines = [line for line in block.split(b"\n") if line.strip()]
        if not lines:
            continue
        if nested is None:
            nested = _is_nested(lines)
        if not nested:
            lines = [_nest(line, first_row + index) for index, line in enumerate(lines)]
        frame = _decode_lines(lines, first_row, unit)
        first_row += len(lines)
        yield frame


def _decode_lines(lines: list[bytes], first_row: int, unit: str | None) -> Frame:
    """Decodes the rows of lines.

    Raises RowError: when a row is invalid, when only several lines together are a row, or when a line has several rows.
    """
    try:
        # A line break, unlike a comma, cannot be in a JSON text. Therefore two halves of a text in two lines do not
        # join.
        frame, _ = json_arrow.decode(b'{"rows":[' + b",\n".join(lines) + b"]}", first_row, unit)
    except BadRequestError as error:
        if not (isinstance(error, RowError) and error.field):
            _check_lines(lines, first_row)
        raise
    if len(frame) != len(lines):
        _check_lines(lines, first_row)
        raise BadRequestError("Invalid NDJSON", "the lines are not one JSON object each")
    return frame


def _check_lines(lines: list[bytes], first_row: int) -> None:
    """Checks that each line is a JSON object.

    Raises RowError: when a line is no JSON object.
    """
    for number, line in enumerate(lines, first_row):
        try:
            msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except RecursionError:
            raise RowError(number, None, TOO_DEEP) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _no_object(line, number, error) from None


def _no_object(line: bytes, number: int, error: Exception) -> RowError:
    if isinstance(error, UnicodeDecodeError):
        return RowError(number, None, "not UTF-8")
    if found := json_exact.not_finite(line):
        return RowError(number, None, found)
    if json_exact.lone_surrogate(line) is not None:
        return RowError(number, None, json_exact.LONE_SURROGATE)
    reason = str(error).removeprefix("JSON is malformed: ")
    return RowError(
        number, None, f"the line is no JSON object ({reason}); a line break inside of a text is written \\n"
    )


def _is_nested(lines: list[bytes]) -> bool | None:
    """Checks whether rows have their keys in `values`. Returns None when no line has a key."""
    for line in lines:
        try:
            row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return True
        if set(row) - {"timestamp"}:
            return set(row) <= {"timestamp", "values"} and bytes(row["values"])[:1] == b"{"
    return None


def _nest(line: bytes, number: int) -> bytes:
    try:
        row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_object(line, number, error) from None
    except RecursionError:
        raise RowError(number, None, TOO_DEEP) from None
    if (twice := given_twice(line, row)) is not None:
        raise RowError(number, twice[:100], "given twice")
    stamp = row.pop("timestamp", None)
    if stamp is None:
        raise RowError(number, "timestamp", "missing")
    row = {from_flat_key(key): value for key, value in row.items()}
    return b'{"timestamp":' + bytes(stamp) + b',"values":' + msgspec.json.encode(row) + b"}"
