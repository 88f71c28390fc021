"""Numbers of JSON files whose digits a double would not give back, kept as texts with a mark before them.

DuckDB reads every number with a point as a double. So those that would lose something (`1.10`, fractions of many
digits) are put between quotes beforehand, and the mark is taken away from what DuckDB gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

# A control character that JSON must escape; DuckDB writes it with digits in lower case.
MARK = chr(30)
_ESCAPED = b"\\u001e"
_CHUNK = 8 * 1024 * 1024
# A fraction that ends with a zero or is long, and a long whole part before a point; doubles show the rest as it is.
_POINTS = re.compile(rb"\.(?:\d*0|\d{8,})(?=[\s,\]}]|\Z)"), re.compile(rb"\d{8}\.\d+(?=[\s,\]}]|\Z)")
# Longer numbers are no numbers that anybody wrote.
_LONGEST = 1_000


def protected(path: Path, target: Path) -> Path:
    """The file with its numbers marked that a double would not give back: `target`, or `path` where there are none."""
    with path.open("rb") as file:
        if not any(_found(chunk) for chunk in _chunks(file)):
            return path
        file.seek(0)
        quoted = False
        with target.open("wb") as out:
            for chunk in _chunks(file):
                # Of the same length, so that places stay.
                plain = chunk.replace(b"\\\\", b"__").replace(b'\\"', b"__")
                quotes = np.flatnonzero(np.frombuffer(plain, np.uint8) == ord('"'))
                place = 0
                for start, end in _found(chunk):
                    if (int(np.searchsorted(quotes, start)) + quoted) % 2 == 0:
                        out.write(chunk[place:start] + b'"' + _ESCAPED + chunk[start:end] + b'"')
                        place = end
                out.write(chunk[place:])
                quoted ^= len(quotes) % 2 == 1
    return target


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in parts that end before a comma or a line break, neither of which stands within a number."""
    rest = b""
    while read := file.read(_CHUNK):
        rest += read
        cut = max(rest.rfind(b","), rest.rfind(b"\n"))
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _start_of(chunk: bytes, point: int) -> int:
    """Where the number begins that has its point there; the point itself where it is none."""
    start = point
    while start and chunk[start - 1] in b"0123456789" and point - start < _LONGEST:
        start -= 1
    return start - 1 if start and start < point and chunk[start - 1] in b"-" else start


def _found(chunk: bytes) -> list[tuple[int, int]]:
    """Where numbers stand that a double does not give back; some of them within texts."""
    places = set()
    for pattern in _POINTS:
        for match in pattern.finditer(chunk):
            point = chunk.index(b".", match.start())
            start = _start_of(chunk, point)
            text = chunk[start : match.end()].decode()
            if start < point and repr(float(text)) != text:
                places.add((start, match.end()))
    return sorted(places)
