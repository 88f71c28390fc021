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
import pyarrow as pa
import pyarrow.compute as pc

# A control character that JSON must escape; DuckDB writes it with digits in lower case.
MARK = chr(30)
_ESCAPED = b"\\u001e"
_CHUNK = 8 * 1024 * 1024
# A fraction with as many digits, or one that ends with a zero, and a whole part with as many before any fraction;
# doubles show the rest as it is.
_LONG = 8
_AFTER = np.zeros(256, np.bool_)
_AFTER[list(b" \t\n\r\f\v,]}")] = True


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


def _candidates(chunk: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where numbers with a point begin and end that have many digits or a zero at the end."""
    text = np.frombuffer(b"," + chunk + b",", np.uint8)
    points = np.flatnonzero(text == ord("."))
    others = np.flatnonzero((text < ord("0")) | (text > ord("9")))
    at = np.searchsorted(others, points)
    starts, ends = others[at - 1] + 1, others[at + 1]
    whole, fraction = points - starts, ends - points - 1
    long = (fraction > 0) & ((text[ends - 1] == ord("0")) | (fraction >= _LONG) | (whole >= _LONG))
    kept = np.flatnonzero((whole > 0) & long & _AFTER[text[ends]])
    starts, ends = starts[kept], ends[kept]
    return starts - (text[starts - 1] == ord("-")) - 1, ends - 1


def _found(chunk: bytes) -> list[tuple[int, int]]:
    """Where numbers stand that a double does not give back; some of them within texts."""
    starts, ends = (places.tolist() for places in _candidates(chunk))
    if not starts:
        return []
    texts = pa.array([chunk[start:end] for start, end in zip(starts, ends, strict=True)], pa.binary()).cast(pa.string())
    try:
        # Arrow shows doubles of usual size as Python and DuckDB do, at a tenth of the time.
        values = texts.cast(pa.float64())
        size = pc.abs(values)
        usual = pc.and_(pc.greater_equal(size, 1e-3), pc.less(size, 1e15))
        same = pc.and_(usual, pc.equal(values.cast(pa.string()), texts))
    except pa.ArrowInvalid:
        same = pa.repeat(False, len(texts))
    odd = [(starts[n], ends[n]) for n in np.flatnonzero(~same.to_numpy(zero_copy_only=False))]
    return [(start, end) for start, end in odd if repr(float(chunk[start:end])) != chunk[start:end].decode()]
