"""Decodes few plain rows of an Arrow IPC stream without a native reader, which must not read a stranger's bytes here.

A plain stream has one record batch with a column of timestamps, and columns of integers, floats, booleans and texts. It
has no dictionaries, no compression, and no metadata of a field. A worker process decodes other streams, and reports
mistakes. For plain streams both return the same rows.
"""

from __future__ import annotations

import math
import struct
from itertools import pairwise

from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS
from atlas.timeseries.formats import from_flat_key
from atlas.timeseries.ingest.arrow_message import BITS, LARGE_TEXT, TEXT, Layout, split
from atlas.timeseries.ingest.plain_row import PlainRows, Scalar
from atlas.timeseries.ingest.tabular import time_names

SMALL_BYTES, MOST_ROWS = 8 * 1024, 256
_MILLION = 1_000_000


def decode(body: bytes, dataset: int) -> PlainRows | None:
    """Decodes the rows of a small stream for a dataset, or returns None for a body that is large or not plain."""
    found = split(body, MOST_ROWS) if len(body) <= SMALL_BYTES else None
    if found is None:
        return None
    batch, buffers = found
    columns = {column.name: column for column in batch.columns}
    clock = next(iter(time_names(list(columns))), None)
    if clock is None:
        return None
    micros = _times(columns.pop(clock), buffers, batch.rows)
    if micros is None:
        return None
    values: dict[str, list[Scalar | None]] = {}
    for name, column in columns.items():
        cells = None if column.per_second else _values(column, buffers, batch.rows)
        if cells is None:
            return None
        values[from_flat_key(name)] = cells
    return PlainRows(dataset, micros, values, clock) if len(values) == len(columns) else None


def _times(column: Layout, buffers: bytes, rows: int) -> list[int] | None:
    if not column.per_second or column.nulls:
        return None
    steps = struct.unpack_from(f"<{rows}q", buffers, column.values)
    if column.per_second > _MILLION:
        parts = column.per_second // _MILLION
        if any(step % parts for step in steps):
            return None
        micros = [step // parts for step in steps]
    else:
        micros = [step * (_MILLION // column.per_second) for step in steps]
    return micros if min(micros) >= MIN_MICROS and max(micros) <= MAX_MICROS else None


def _values(column: Layout, buffers: bytes, rows: int) -> list[Scalar | None] | None:
    """Returns the values of a column, or None when a value has no place in a row."""
    found: list[Scalar | None] | None
    valid = None if column.validity is None else _bits(buffers, column.validity, rows)
    if valid is not None and rows - sum(valid) != column.nulls:
        return None
    if column.code in (TEXT, LARGE_TEXT):
        found = _texts(column, buffers, rows)
    elif column.code == BITS:
        found = list(_bits(buffers, column.values, rows))
    else:
        found = list(struct.unpack_from(f"<{rows}{column.code}", buffers, column.values))
    if found is None:
        return None
    if valid is not None:
        found = [value if known else None for value, known in zip(found, valid, strict=True)]
    if column.code in "fd" and not all(value is None or math.isfinite(value) for value in found):  # type: ignore[arg-type]
        return None
    return found


def _bits(buffers: bytes, at: int, rows: int) -> list[bool]:
    return [bool(buffers[at + (index >> 3)] >> (index & 7) & 1) for index in range(rows)]


def _texts(column: Layout, buffers: bytes, rows: int) -> list[Scalar | None] | None:
    code = "i" if column.code == TEXT else "q"
    offsets = struct.unpack_from(f"<{rows + 1}{code}", buffers, column.values)
    if offsets[0] < 0 or offsets[-1] > column.size or any(a > b for a, b in pairwise(offsets)):
        return None
    characters = buffers[column.texts : column.texts + column.size]
    if b"\0" in characters:
        return None
    try:
        return [characters[start:end].decode() for start, end in pairwise(offsets)]
    except UnicodeDecodeError:
        return None
