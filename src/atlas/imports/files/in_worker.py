"""Reads a file in a worker process: the request, and the messages of the worker."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from atlas.imports.files.source import ReadOptions, Source
from atlas.workers.pool import Reading
from atlas.workers.protocol import Kind, of_stream


class FileRequest(msgspec.Struct, frozen=True, tag="file"):
    """A file to unpack and read into batches of texts.

    folder: where unpacked files are written.
    """

    path: str
    name: str
    folder: str
    max_bytes: int
    output_bytes: int
    options: ReadOptions | None = None


def told_fields() -> dict[str, Any]:
    """Returns the fields of a source that are sent beside its batches, with their types."""
    hints = typing.get_type_hints(Source)
    return {field.name: hints[field.name] for field in dataclasses.fields(Source) if field.name != "batches"}


def describe(source: Source, bad: int = 0, fixed: int = 0) -> bytes:
    """Encodes all fields of a source except its batches.

    bad, fixed: the numbers of ragged records that were already sent.
    """
    told = {name: getattr(source, name) for name in told_fields()}
    # Which lines are no records is known at the end of the file, when the lines have been sent.
    fresh = source.bad if source.withdrawn else source.bad[bad:]
    return msgspec.msgpack.encode({**told, "bad": fresh, "fixed": source.fixed[fixed:]})


def learn(source: Source, told: pa.Buffer) -> None:
    """Updates a source with the fields that a worker sent."""
    values = msgspec.msgpack.decode(told)
    for name, kind in told_fields().items():
        found = msgspec.convert(values[name], kind)
        # Each ragged record is sent once, as there may be many.
        more = name == "fixed" or (name == "bad" and not values["withdrawn"])
        setattr(source, name, getattr(source, name) + found if more else found)


def read_in_worker(
    reading: Reading, path: Path, name: str, folder: Path, options: ReadOptions | None, *, max_bytes: int
) -> Source:
    """Opens an uploaded file as `opening.read_file` does, read by a worker process.

    Raises BadRequestError: when the file cannot be read.
    Raises TooLargeError: when the reading exceeds its limits.
    """
    most = reading.most_of(path)
    reading.start(FileRequest(str(path), name, str(folder), max_bytes, most, options), path, name, max_bytes)
    source = Source((), (), iter(()))
    kind, content = reading.receive()
    if kind is not Kind.SOURCE:
        raise reading.out_of_step()
    learn(source, content)
    source.batches = _batches(reading, source, most)
    return source


def _batches(reading: Reading, source: Source, most: int) -> Iterator[pa.Table]:
    seen = 0
    while True:
        kind, content = reading.receive()
        if kind is Kind.END:
            learn(source, content)
            reading.give_back()
            return
        if kind is Kind.SOURCE:
            learn(source, content)
            continue
        if kind is not Kind.BATCH:
            raise reading.out_of_step()
        table = of_stream(content)
        seen = reading.counted(seen + table.nbytes, most)
        yield table
