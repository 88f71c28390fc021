"""Reading a file in a worker process: what is asked of it, and what it tells."""

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
    """A file to be unpacked and read into batches of texts. folder: takes what is unpacked."""

    path: str
    name: str
    folder: str
    max_bytes: int
    output_bytes: int
    options: ReadOptions | None = None


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


def read_in_worker(
    reading: Reading, path: Path, name: str, folder: Path, options: ReadOptions | None, *, max_bytes: int
) -> Source:
    """The source of an uploaded file, as `opening.read_file` has it, read by a worker process.

    Raises BadRequestError for a file that cannot be read, and TooLargeError for one that takes too much to read.
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
