"""Keeps the digits of JSON numbers that a double would not reproduce, as marked texts.

DuckDB reads every number with a point as a double. Numbers that would lose digits, such as `1.10` and long fractions,
are quoted and marked beforehand. The mark is removed from DuckDB's results.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

# A control character that JSON must escape. DuckDB writes the escape with lower-case digits.
MARK = chr(30)
_ESCAPED = b"\\u001e"
_CHUNK = 2 * 1024 * 1024
# The limits for a check: a fraction with more digits or with a final zero, or a whole part of at least this length
# before a fraction. Doubles reproduce all other numbers.
_LONG = 8
_AFTER = np.zeros(256, np.bool_)
_AFTER[list(b" \t\n\r\f\v,]}")] = True
Places = npt.NDArray[np.int64]


def protected(path: Path, target: Path) -> Path:
    """Marks the numbers of a file that a double would not reproduce.

    Returns `target`, or `path` if there are no such numbers.
    """
    quoted, done = False, 0
    with path.open("rb") as file, target.open("wb") as out:
        for chunk in _chunks(file):
            starts, ends = _found(chunk)
            plain = _unescaped(chunk)
            if len(starts):
                quotes = np.flatnonzero(np.frombuffer(plain, np.uint8) == ord('"'))
                outside = (np.searchsorted(quotes, starts) + quoted) % 2 == 0
                starts, ends = starts[outside], ends[outside]
            if len(starts) and not out.tell():
                _copy_start(path, out, done)
            if out.tell() or len(starts):
                out.write(_marked(chunk, starts, ends))
            quoted ^= plain.count(b'"') % 2 == 1
            done += len(chunk)
        return target if out.tell() else path


def _unescaped(chunk: bytes) -> bytes:
    """Replaces escaped quotes in a part of the file. The length stays equal, so that places stay valid."""
    return chunk.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in chunk else chunk


def _copy_start(path: Path, out: BinaryIO, size: int) -> None:
    with path.open("rb") as file:
        for start in range(0, size, _CHUNK):
            out.write(file.read(min(_CHUNK, size - start)))


def _marked(chunk: bytes, starts: Places, ends: Places) -> bytes:
    """Inserts marks and quotes around some numbers in a part of the file."""
    mark = np.frombuffer(b'"' + _ESCAPED, np.uint8)
    places = np.concatenate([np.repeat(starts, len(mark)), ends])
    quote = np.full(len(ends), ord('"'), np.uint8)
    added = np.concatenate([np.tile(mark, len(starts)), quote])
    return np.insert(np.frombuffer(chunk, np.uint8), places, added).tobytes()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yields the file in parts that end before a comma or line break, which no number contains."""
    rest = b""
    while read := file.read(_CHUNK):
        rest += read
        cut = max(rest.rfind(b","), rest.rfind(b"\n"))
        if cut > 0:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _candidates(chunk: bytes) -> tuple[Places, Places]:
    """Returns starts and ends of numbers with a point that have many digits or a final zero."""
    text = np.frombuffer(b"," + chunk + b",", np.uint8)
    digit = text - np.uint8(ord("0")) < 10
    edges = np.flatnonzero(digit[1:] != digit[:-1]) + 1
    first, behind = edges[::2], edges[1::2]
    # A single point between two sequences of digits.
    at = np.flatnonzero(first[1:] - behind[:-1] == 1)
    at = at[text[behind[at]] == ord(".")]
    starts, points, ends = first[at], behind[at], behind[at + 1]
    long = (text[ends - 1] == ord("0")) | (ends - points > _LONG) | (points - starts >= _LONG)
    kept = long & _AFTER[text[ends]]
    starts, ends = starts[kept], ends[kept]
    return starts - (text[starts - 1] == ord("-")) - 1, ends - 1


def _found(chunk: bytes) -> tuple[Places, Places]:
    """Returns starts and ends of numbers that a double does not reproduce. Some may lie within texts."""
    starts, ends = _candidates(chunk)
    if not len(starts):
        return starts, ends
    texts = _pieces(chunk, starts, ends)
    # Polars formats doubles of usual size as Python and DuckDB do, in a tenth of the time.
    values = texts.cast(pl.Float64, strict=False)
    size = np.abs(values.to_numpy())
    usual = (size >= 1e-3) & (size < 1e15)
    same = usual & (values.cast(pl.String) == texts).fill_null(False).to_numpy()
    for at in np.flatnonzero(~usual):
        text = chunk[starts[at] : ends[at]]
        same[at] = repr(float(text)) == text.decode()
    return starts[~same], ends[~same]


def _pieces(chunk: bytes, starts: Places, ends: Places) -> pl.Series:
    """Returns parts of a text that do not overlap. Cut at all starts and ends, every second piece is such a part."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0::2], offsets[1::2] = np.append(0, ends), starts
    every = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(chunk)])
    return pl.Series(every.take(pa.array(np.arange(1, len(offsets) - 1, 2))).cast(pa.string()))
