"""NDJSON bodies to frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import msgspec

from atlas.core.formats import from_flat_key
from atlas.core.frames import Frame
from atlas.core.json_depth import TOO_DEEP
from atlas.errors import RowError
from atlas.readers import json_rows

_BLOCK = 4 * 1024 * 1024


def read_ndjson(file: IO[bytes]) -> Iterator[Frame]:
    """Frames of NDJSON, each line `{"timestamp":…,"values":{…}}` or flat `{"timestamp":…,"key":…}`.

    Flat is what `live` and downloads give; the first line with more than a timestamp decides for all.
    """
    first_row = 0
    nested: bool | None = None
    while block := file.read(_BLOCK):
        block += file.readline()
        lines = [line for line in block.split(b"\n") if line.strip()]
        if not lines:
            continue
        if nested is None:
            nested = _is_nested(lines)
        if not nested:
            lines = [_nest(line, first_row + index) for index, line in enumerate(lines)]
        frame, _ = json_rows.decode(b'{"rows":[' + b",".join(lines) + b"]}", first_row)
        first_row += len(lines)
        yield frame


def _is_nested(lines: list[bytes]) -> bool | None:
    """Whether rows have their keys in `values`; None where none of these has any."""
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
        raise RowError(number, None, str(error)) from None
    except RecursionError:
        raise RowError(number, None, TOO_DEEP) from None
    stamp = row.pop("timestamp", None)
    if stamp is None:
        raise RowError(number, "timestamp", "missing")
    row = {from_flat_key(key): value for key, value in row.items()}
    return b'{"timestamp":' + bytes(stamp) + b',"values":' + msgspec.json.encode(row) + b"}"
