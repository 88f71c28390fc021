"""Messages between a server and a worker process, through two pipes.

A message is a kind of one byte, a length of 8 bytes, and the content: MessagePack, or an Arrow IPC stream.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from atlas import errors
from atlas.errors import AtlasError, RowError

HEAD = struct.Struct("<BQ")
# Batches are cut to about this size, so that neither side holds more than a few such pieces.
BATCH_BYTES = 16 * 1024 * 1024
# A larger message means that the pipe is out of step.
MAX_MESSAGE = 2 * 1024 * 1024 * 1024


class Kind(IntEnum):
    """Kinds of messages. A request goes to the worker; all other messages come from the worker."""

    REQUEST = 1
    SOURCE = 2
    BATCH = 3
    FRAME = 4
    END = 5
    FAILURE = 6
    READY = 7


class Task(msgspec.Struct, frozen=True):
    """A request and its limits.

    memory: bytes beyond the worker's own. cpu_seconds: processor time. file_bytes: bytes of one file that the task
    writes.
    """

    request: msgspec.Raw
    memory: int
    cpu_seconds: int
    file_bytes: int


class Failure(msgspec.Struct, frozen=True):
    """An error on its way to the server.

    error: the class's name, or `memory`, `nested` or `internal`, which are no classes.
    """

    error: str
    message: str = ""
    details: str | None = None
    row: int | None = None
    field: str | None = None
    reason: str = ""

    @classmethod
    def of(cls, error: AtlasError) -> Failure:
        """Converts an error to its message."""
        if isinstance(error, RowError):
            return cls("RowError", row=error.row, field=error.field, reason=error.reason)
        return cls(type(error).__name__, error.message, error.details)

    def raised(self) -> AtlasError | None:
        """Rebuilds the error. Returns None for a class that may not be sent."""
        if self.error == "RowError":
            return RowError(self.row, self.field, self.reason)
        found = getattr(errors, self.error, None)
        if isinstance(found, type) and issubclass(found, errors.BadRequestError | errors.TooLargeError):
            return found(self.message, self.details)
        return None


class Writer(Protocol):
    """Writes bytes, possibly in several steps."""

    def write(self, data: Any, /) -> int | None: ...


def send(pipe: Writer, kind: Kind, *parts: Any) -> None:
    """Writes a message. parts: buffers that make up the content."""
    views = [memoryview(part).cast("B") for part in parts]
    views.insert(0, memoryview(HEAD.pack(kind, sum(map(len, views)))))
    for view in views:
        while len(view):
            view = view[pipe.write(view) or 0 :]


def receive(read_into: Callable[[memoryview], int | None]) -> tuple[Kind, pa.Buffer] | None:
    """Reads a message. Returns None when the pipe has ended."""
    head = bytearray(HEAD.size)
    if not _fill(read_into, memoryview(head)):
        return None
    kind, size = HEAD.unpack(head)
    if size > MAX_MESSAGE:
        return None
    buffer = pa.allocate_buffer(size)
    if not _fill(read_into, memoryview(buffer).cast("B") if size else memoryview(b"")):
        return None
    return Kind(kind), buffer


def _fill(read_into: Callable[[memoryview], int | None], view: memoryview) -> bool:
    while len(view):
        count = read_into(view)
        if not count:
            return False
        view = view[count:]
    return True


def as_stream(table: pa.Table) -> pa.Buffer:
    """Encodes a table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def of_stream(buffer: pa.Buffer) -> pa.Table:
    """Decodes the table of an Arrow IPC stream, in the memory of the stream."""
    return pa.ipc.open_stream(buffer).read_all()


def pieces(table: pa.Table) -> Iterator[pa.Table]:
    """Yields a table in slices of about BATCH_BYTES."""
    count = max(1, len(table) * BATCH_BYTES // max(1, table.nbytes))
    for start in range(0, len(table), count):
        yield table.slice(start, count)
