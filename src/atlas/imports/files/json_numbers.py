"""Numbers of JSON files whose digits a double would not give back, kept as texts with a mark before them.

DuckDB reads every number with a point as a double. So those that would lose something (`1.10`, fractions of many
digits) are put between quotes beforehand, and the mark is taken away from what DuckDB gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

# A control character that JSON must escape; DuckDB writes it with digits in lower case.
MARK = chr(30)
_ESCAPED = b"\\u001e"
_CHUNK = 2 * 1024 * 1024
# A fraction with as many digits, or one that ends with a zero, and a whole part with as many before any fraction;
# doubles show the rest as it is.
_LONG = 8
_AFTER = np.zeros(256, np.bool_)
_AFTER[list(b" \t\n\r\f\v,]}")] = True
Places = npt.NDArray[np.int64]


def protected(path: Path, target: Path) -> Path:
    """The file with its numbers marked that a double would not give back: `target`, or `path` where there are none."""
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
    """A part of the file without escaped quotes; of the same length, so that places stay."""
    return chunk.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in chunk else chunk


def _copy_start(path: Path, out: BinaryIO, size: int) -> None:
    with path.open("rb") as file:
        for start in range(0, size, _CHUNK):
            out.write(file.read(min(_CHUNK, size - start)))


def _marked(chunk: bytes, starts: Places, ends: Places) -> bytes:
    """A part of the file with marks and quotes around some numbers."""
    mark = np.frombuffer(b'"' + _ESCAPED, np.uint8)
    places = np.concatenate([np.repeat(starts, len(mark)), ends])
    quote = np.full(len(ends), ord('"'), np.uint8)
    added = np.concatenate([np.tile(mark, len(starts)), quote])
    return np.insert(np.frombuffer(chunk, np.uint8), places, added).tobytes()


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


def _candidates(chunk: bytes) -> tuple[Places, Places]:
    """Where numbers with a point begin and end that have many digits or a zero at the end."""
    text = np.frombuffer(b"," + chunk + b",", np.uint8)
    digit = text - np.uint8(ord("0")) < 10
    edges = np.flatnonzero(digit[1:] != digit[:-1]) + 1
    first, behind = edges[::2], edges[1::2]
    # A point alone between two runs of digits.
    at = np.flatnonzero(first[1:] - behind[:-1] == 1)
    at = at[text[behind[at]] == ord(".")]
    starts, points, ends = first[at], behind[at], behind[at + 1]
    long = (text[ends - 1] == ord("0")) | (ends - points > _LONG) | (points - starts >= _LONG)
    kept = long & _AFTER[text[ends]]
    starts, ends = starts[kept], ends[kept]
    return starts - (text[starts - 1] == ord("-")) - 1, ends - 1


def _found(chunk: bytes) -> tuple[Places, Places]:
    """Where numbers begin and end that a double does not give back; some of them within texts."""
    starts, ends = _candidates(chunk)
    if not len(starts):
        return starts, ends
    texts = _pieces(chunk, starts, ends)
    # Polars shows doubles of usual size as Python and DuckDB do, at a tenth of the time.
    values = texts.cast(pl.Float64, strict=False)
    size = np.abs(values.to_numpy())
    usual = (size >= 1e-3) & (size < 1e15)
    same = usual & (values.cast(pl.String) == texts).fill_null(False).to_numpy()
    for at in np.flatnonzero(~usual):
        text = chunk[starts[at] : ends[at]]
        same[at] = repr(float(text)) == text.decode()
    return starts[~same], ends[~same]


def _pieces(chunk: bytes, starts: Places, ends: Places) -> pl.Series:
    """Parts of a text, which do not overlap. Between them lies what is none: every second piece of all is one."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0::2], offsets[1::2] = np.append(0, ends), starts
    every = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(chunk)])
    return pl.Series(every.take(pa.array(np.arange(1, len(offsets) - 1, 2))).cast(pa.string()))
