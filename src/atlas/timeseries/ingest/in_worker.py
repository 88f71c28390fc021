"""Reads a Parquet or Arrow body in a worker process: the request, and frames on their way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa

from atlas.timeseries.frames import Frame
from atlas.workers.pool import Reading
from atlas.workers.protocol import Kind, as_stream, of_stream


class FramesRequest(msgspec.Struct, frozen=True, tag="frames"):
    """A body of the time-series half to read into frames. format: `parquet` or `arrow`."""

    path: str
    format: str
    timestamp_column: str | None = None
    timestamp_format: str | None = None


def frame_streams(frame: Frame) -> tuple[bytes, pa.Buffer]:
    """Encodes a frame as its names, extra keys and notes, and a stream of its arrays by position.

    The arrays have positions because a key may have any name.
    """
    arrays = [frame.ts, *frame.columns.values(), *([] if frame.extra is None else [frame.extra])]
    names = (list(frame.columns), frame.extra is not None, sorted(frame.extra_keys), dict(frame.notes))
    head = msgspec.msgpack.encode(names)
    return len(head).to_bytes(4, "little") + head, as_stream(pa.table(arrays, names=list(map(str, range(len(arrays))))))


def of_frame_streams(buffer: pa.Buffer) -> Frame:
    """Decodes the frame that `frame_streams` encoded."""
    size = int.from_bytes(buffer.slice(0, 4).to_pybytes(), "little")
    names, has_extra, extra_keys, notes = msgspec.msgpack.decode(
        buffer.slice(4, size), type=tuple[list[str], bool, frozenset[str], dict[str, tuple[str, str]]]
    )
    table = of_stream(buffer.slice(4 + size))
    arrays = [column.combine_chunks() for column in table.columns]
    columns = dict(zip(names, arrays[1:], strict=False))
    return Frame(arrays[0], columns, arrays[-1] if has_extra else None, extra_keys, notes)


def read_frames_in_worker(
    reading: Reading, path: Path, format: str, column: str | None, layout: str | None
) -> Iterator[Frame]:
    """Yields the frames of a Parquet or Arrow body. `column` and `layout` are the name and format of the time column.

    Raises BadRequestError: when the body cannot be read.
    Raises TooLargeError: when reading the body takes too much memory or time.
    """
    reading.start(FramesRequest(str(path), format, column, layout), path, "the body", 0)
    most, seen = reading.most_of(path), 0
    while True:
        kind, content = reading.receive()
        if kind is Kind.END:
            reading.give_back()
            return
        if kind is not Kind.FRAME:
            raise reading.out_of_step()
        frame = of_frame_streams(content)
        seen = reading.counted(seen + frame.nbytes, most)
        yield frame
