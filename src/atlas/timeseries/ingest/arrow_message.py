"""Reads the metadata of an Arrow IPC stream with one record batch: a schema message and a batch message.

Both messages are flatbuffers. A position in a flatbuffer comes from the sender, so each access checks its bounds. Only
columns of plain types have a layout. A column's buffers lie within the batch's body, and are long enough for its rows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_CONTINUATION = b"\xff\xff\xff\xff"
_END = _CONTINUATION + bytes(4)
# Kinds of messages and types, as the format numbers them.
_SCHEMA, _RECORD_BATCH = 1, 3
_INT, _FLOAT, _UTF8, _BOOL, _TIMESTAMP, _LARGE_UTF8 = 2, 3, 5, 6, 10, 20
# Codes of `struct` by bits and sign, and by precision.
_INTEGERS = {(8, 1): "b", (16, 1): "h", (32, 1): "i", (64, 1): "q", (8, 0): "B", (16, 0): "H", (32, 0): "I"}
_FLOATS = {1: "f", 2: "d"}
UNITS = {0: 1, 1: 1_000, 2: 1_000_000, 3: 1_000_000_000}
# Stand for a bit a value, and for texts with offsets of 32 and 64 bits.
BITS, TEXT, LARGE_TEXT = "?", "s", "S"
_OFFSETS = {TEXT: 4, LARGE_TEXT: 8}


@dataclass(frozen=True, slots=True)
class Layout:
    """A column in the body of a batch. Positions and sizes are in bytes.

    code: of its values; per_second: steps of a timestamp, 0 for other columns; validity: of the bitmap, None without
    null; values: of the values, or of a text's offsets; texts, size: of the characters.
    """

    name: str
    code: str
    per_second: int
    nulls: int
    validity: int | None
    values: int
    texts: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """A record batch. body: bytes of its columns."""

    rows: int
    body: int
    columns: tuple[Layout, ...]


class _UnreadableError(Exception):
    """A message is damaged, or has a part that is not plain."""


def split(stream: bytes, most_rows: int) -> tuple[Batch, bytes] | None:
    """Returns the batch of a stream with exactly one batch, and its body; None for every other stream."""
    try:
        schema, at = _message(stream, 0)
        metadata, at = _message(stream, at)
        batch = _batch(schema, metadata, most_rows)
    except (_UnreadableError, struct.error, UnicodeDecodeError):
        return None
    end = at + batch.body
    if end > len(stream) or stream[end:] not in (b"", _END):
        return None
    return batch, stream[at:end]


def _message(stream: bytes, at: int) -> tuple[bytes, int]:
    """Returns the metadata of the message at a position, and the position behind."""
    (size,) = struct.unpack_from("<i", stream, at + 4)
    end = at + 8 + size
    if stream[at : at + 4] != _CONTINUATION or size <= 0 or size % 8 or end > len(stream):
        raise _UnreadableError
    return stream[at + 8 : end], end


@lru_cache(256)
def _batch(schema: bytes, metadata: bytes, most_rows: int) -> Batch:
    """Reads both messages. Clients repeat the same messages with other values."""
    head, kind = _header(schema)
    if kind != _SCHEMA or head.number(0, "h") or head.has(3):
        raise _UnreadableError
    fields = [_field(field) for field in head.tables(1)]
    message = _root(metadata)
    batch, kind = _header(metadata)
    if kind != _RECORD_BATCH or batch.has(3) or batch.has(4):
        raise _UnreadableError
    rows, body = batch.number(0, "q"), message.number(3, "q")
    if not 0 < rows <= most_rows or body < 0:
        raise _UnreadableError
    nodes, buffers = batch.pairs(1), batch.pairs(2)
    if len(nodes) != len(fields) or len({name for name, *_ in fields}) < len(fields):
        raise _UnreadableError
    given = iter(buffers)
    columns = [
        _layout(name, code, per_second, node, given, (rows, body))
        for (name, code, per_second), node in zip(fields, nodes, strict=True)
    ]
    if next(given, None) is not None:
        raise _UnreadableError
    return Batch(rows, body, tuple(columns))


def _layout(
    name: str,
    code: str,
    per_second: int,
    node: tuple[int, int],
    buffers: Iterator[tuple[int, int]],
    extent: tuple[int, int],
) -> Layout:
    rows, body = extent
    nulls = node[1]
    if node[0] != rows or not 0 <= nulls <= rows:
        raise _UnreadableError

    def place(needed: int) -> tuple[int, int]:
        start, size = next(buffers, (-1, 0))
        if start < 0 or start % 8 or size < needed or start + size > body:
            raise _UnreadableError
        return start, size

    bits = (rows + 7) // 8
    validity, _ = place(bits if nulls else 0)
    if code in _OFFSETS:
        offsets, _ = place((rows + 1) * _OFFSETS[code])
        texts, size = place(0)
        return Layout(name, code, 0, nulls, validity if nulls else None, offsets, texts, size)
    values, _ = place(bits if code == BITS else rows * struct.calcsize("<" + code))
    return Layout(name, code, per_second, nulls, validity if nulls else None, values)


def _field(field: _Table) -> tuple[str, str, int]:
    """Returns the name of a field, the code of its values, and the steps of a second."""
    if field.has(4) or field.tables(5) or field.tables(6):
        # A dictionary, inner fields, or metadata, which may give the values another meaning.
        raise _UnreadableError
    kind, detail = field.number(2, "B"), field.table(3)
    code, per_second = None, 0
    if kind == _INT:
        code = _INTEGERS.get((detail.number(0, "i"), detail.number(1, "B")))
    elif kind == _FLOAT:
        code = _FLOATS.get(detail.number(0, "h"))
    elif kind == _TIMESTAMP:
        code, per_second = "q", UNITS.get(detail.number(0, "h"), 0)
    elif kind == _BOOL:
        code = BITS
    elif kind in (_UTF8, _LARGE_UTF8):
        code = TEXT if kind == _UTF8 else LARGE_TEXT
    if code is None or (kind == _TIMESTAMP and not per_second):
        raise _UnreadableError
    return field.text(0), code, per_second


def _header(message: bytes) -> tuple[_Table, int]:
    root = _root(message)
    # Versions 4 and 5 of the metadata.
    if root.number(0, "h") not in (3, 4):
        raise _UnreadableError
    return root.table(2), root.number(1, "B")


def _root(message: bytes) -> _Table:
    return _Table(message, _read(message, "I", 0))


def _read(buffer: bytes, code: str, at: int) -> int:
    # Negative positions would count from the end.
    if at < 0:
        raise _UnreadableError
    found: int = struct.unpack_from("<" + code, buffer, at)[0]
    return found


class _Table:
    """A table of a flatbuffer. Members have numbers. A member that is left out has its default value, 0."""

    __slots__ = ("_at", "_buffer", "_members", "_size")

    def __init__(self, buffer: bytes, at: int) -> None:
        self._buffer, self._at = buffer, at
        self._members = at - _read(buffer, "i", at)
        self._size = _read(buffer, "H", self._members)
        end = at + _read(buffer, "H", self._members + 2)
        if at % 4 or self._members % 2 or self._size % 2 or max(self._members + self._size, end) > len(buffer):
            raise _UnreadableError

    def _place(self, member: int) -> int | None:
        at = 4 + 2 * member
        if at + 2 > self._size:
            return None
        offset = _read(self._buffer, "H", self._members + at)
        return self._at + offset if offset else None

    def has(self, member: int) -> bool:
        return self._place(member) is not None

    def number(self, member: int, code: str) -> int:
        at = self._place(member)
        return 0 if at is None else _read(self._buffer, code, at)

    def _follow(self, member: int) -> int:
        at = self._place(member)
        if at is None:
            raise _UnreadableError
        return at + _read(self._buffer, "I", at)

    def table(self, member: int) -> _Table:
        return _Table(self._buffer, self._follow(member))

    def text(self, member: int) -> str:
        at = self._follow(member)
        size = _read(self._buffer, "I", at)
        found = self._buffer[at + 4 : at + 5 + size]
        if at % 4 or found.find(b"\0") != size:
            raise _UnreadableError
        return found[:size].decode()

    def _vector(self, member: int, size: int) -> tuple[int, int]:
        """Returns the position and length of a vector whose elements have `size` bytes, at a multiple of that."""
        if not self.has(member):
            return 0, 0
        at = self._follow(member)
        count = _read(self._buffer, "I", at)
        if at % 4 or (at + 4) % size or at + 4 + count * size > len(self._buffer):
            raise _UnreadableError
        return at + 4, count

    def tables(self, member: int) -> list[_Table]:
        at, count = self._vector(member, 4)
        places = range(at, at + 4 * count, 4)
        return [_Table(self._buffer, place + _read(self._buffer, "I", place)) for place in places]

    def pairs(self, member: int) -> list[tuple[int, int]]:
        """Returns a vector of structs of two numbers."""
        at, count = self._vector(member, 8)
        if at + 16 * count > len(self._buffer):
            raise _UnreadableError
        found = struct.unpack_from(f"<{2 * count}q", self._buffer, at)
        return list(zip(found[::2], found[1::2], strict=True))
