"""What a server and a worker process that reads for it say to each other, through two pipes.

A message is a kind of one byte, a length of eight, and so many bytes: MessagePack, or an Arrow IPC stream.
"""

from __future__ import annotations

import dataclasses
import struct
import typing
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from atlas import errors
from atlas.errors import AtlasError, RowError
from atlas.imports.files.source import ReadOptions, Source
from atlas.timeseries.frames import Frame

HEAD = struct.Struct("<BQ")
# Batches are cut to about so much, so that neither side holds more than a few of them.
BATCH_BYTES = 16 * 1024 * 1024
# More than any message is; past it the pipe is out of step.
MAX_MESSAGE = 2 * 1024 * 1024 * 1024


class Kind(IntEnum):
    """Kinds of messages. A request goes to the worker, all others come from it."""

    REQUEST = 1
    SOURCE = 2
    BATCH = 3
    FRAME = 4
    END = 5
    FAILURE = 6
    READY = 7


class FileRequest(msgspec.Struct, frozen=True, tag="file"):
    """A file to be unpacked and read into batches of texts. folder: takes what is unpacked."""

    path: str
    name: str
    folder: str
    max_bytes: int
    output_bytes: int
    options: ReadOptions | None = None


class FramesRequest(msgspec.Struct, frozen=True, tag="frames"):
    """A body of the time-series half to be read into frames. format: `parquet` or `arrow`."""

    path: str
    format: str
    timestamp_column: str | None = None
    timestamp_format: str | None = None


class Task(msgspec.Struct, frozen=True):
    """A request and what it may take: bytes of memory beyond the worker's own, seconds of processor time, and bytes
    of one file that it writes."""

    request: FileRequest | FramesRequest
    memory: int
    cpu_seconds: int
    file_bytes: int


class Failure(msgspec.Struct, frozen=True):
    """An error on its way to the server. error: the class's name; `memory`, `nested` and `internal` are no classes."""

    error: str
    message: str = ""
    details: str | None = None
    row: int | None = None
    field: str | None = None
    reason: str = ""

    @classmethod
    def of(cls, error: AtlasError) -> Failure:
        """The error as it travels."""
        if isinstance(error, RowError):
            return cls("RowError", row=error.row, field=error.field, reason=error.reason)
        return cls(type(error).__name__, error.message, error.details)

    def raised(self) -> AtlasError | None:
        """The error again; None where it is of no class that may travel."""
        if self.error == "RowError":
            return RowError(self.row, self.field, self.reason)
        found = getattr(errors, self.error, None)
        if isinstance(found, type) and issubclass(found, errors.BadRequestError | errors.TooLargeError):
            return found(self.message, self.details)
        return None


class Writer(Protocol):
    """Takes bytes, perhaps not all at once."""

    def write(self, data: Any, /) -> int | None: ...


def send(pipe: Writer, kind: Kind, *parts: Any) -> None:
    """Writes a message whose content is in `parts`, which are buffers."""
    views = [memoryview(part).cast("B") for part in parts]
    views.insert(0, memoryview(HEAD.pack(kind, sum(map(len, views)))))
    for view in views:
        while len(view):
            view = view[pipe.write(view) or 0 :]


def receive(read_into: Callable[[memoryview], int | None]) -> tuple[Kind, pa.Buffer] | None:
    """Reads a message; None where the pipe has ended."""
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
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def of_stream(buffer: pa.Buffer) -> pa.Table:
    """The table of an Arrow IPC stream, in the memory of the stream."""
    return pa.ipc.open_stream(buffer).read_all()


def pieces(table: pa.Table) -> Iterator[pa.Table]:
    """A table cut into parts of about BATCH_BYTES."""
    count = max(1, len(table) * BATCH_BYTES // max(1, table.nbytes))
    for start in range(0, len(table), count):
        yield table.slice(start, count)


def told_fields() -> dict[str, Any]:
    """The fields of a source that travel beside its batches, with their types."""
    hints = typing.get_type_hints(Source)
    return {field.name: hints[field.name] for field in dataclasses.fields(Source) if field.name != "batches"}


def describe(source: Source, bad: int = 0, fixed: int = 0) -> bytes:
    """Everything that is known of a source but its batches, and as many ragged records as have been told already."""
    told = {name: getattr(source, name) for name in told_fields()}
    return msgspec.msgpack.encode({**told, "bad": source.bad[bad:], "fixed": source.fixed[fixed:]})


def learn(source: Source, told: pa.Buffer) -> None:
    """Takes over what a worker tells of a source."""
    values = msgspec.msgpack.decode(told)
    for name, kind in told_fields().items():
        found = msgspec.convert(values[name], kind)
        # Ragged records are told once each, as there may be many.
        setattr(source, name, getattr(source, name) + found if name in ("bad", "fixed") else found)


def frame_streams(frame: Frame) -> tuple[bytes, pa.Buffer]:
    """A frame as its names and extra keys, and a stream of its arrays by position, as a key may have any name."""
    arrays = [frame.ts, *frame.columns.values(), *([] if frame.extra is None else [frame.extra])]
    told = msgspec.msgpack.encode((list(frame.columns), frame.extra is not None, sorted(frame.extra_keys)))
    return len(told).to_bytes(4, "little") + told, as_stream(pa.table(arrays, names=list(map(str, range(len(arrays))))))


def of_frame_streams(buffer: pa.Buffer) -> Frame:
    """The frame of `frame_streams`."""
    size = int.from_bytes(buffer.slice(0, 4).to_pybytes(), "little")
    names, has_extra, extra_keys = msgspec.msgpack.decode(
        buffer.slice(4, size), type=tuple[list[str], bool, frozenset[str]]
    )
    table = of_stream(buffer.slice(4 + size))
    arrays = [column.combine_chunks() for column in table.columns]
    columns = dict(zip(names, arrays[1:], strict=False))
    return Frame(arrays[0], columns, arrays[-1] if has_extra else None, extra_keys)
