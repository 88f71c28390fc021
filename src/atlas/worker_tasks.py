"""Tasks of a worker process: read a file or body, and send the result."""

from __future__ import annotations

import contextlib
import gc
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

import duckdb
import msgspec
import pyarrow as pa

from atlas.errors import AtlasError
from atlas.imports.files.declared_sizes import refuse_large
from atlas.imports.files.in_worker import FileRequest, describe
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.kit.allocators import release
from atlas.sqlgate.columnar.in_worker import QueryEngine, QueryRequest
from atlas.timeseries.ingest import tabular
from atlas.timeseries.ingest.in_worker import FramesRequest, frame_streams
from atlas.workers import serving
from atlas.workers.limits import Limits
from atlas.workers.protocol import Kind, Task, as_stream, pieces

_FRAME_READERS = {"parquet": tabular.read_parquet, "arrow": tabular.read_arrow}


def serve(requests: IO[bytes], answers: IO[bytes], limits: Limits) -> None:
    """Does one task after another until the requests end."""
    _warm_up()
    engine = QueryEngine()

    def after() -> None:
        gc.collect()
        release()
        engine.prepare()

    run = partial(_run, engine)
    serving.serve(requests, answers, limits, run, no_memory=(duckdb.OutOfMemoryException,), after=after)


def _warm_up() -> None:
    """Reads a small file, so that the first use of libraries does not count toward a task's time and memory."""
    with contextlib.suppress(AtlasError, OSError), tempfile.TemporaryDirectory(prefix="atlas-") as name:
        folder = Path(name)
        path = folder / "file"
        path.write_bytes(b"a,b\n1,2\n")
        for _ in read_file(open_upload(path, "file.csv", folder, 1_000), folder).batches:
            pass


def _run(engine: QueryEngine, task: Task) -> Iterator[tuple[Kind, bytes | pa.Buffer] | tuple[Kind, bytes, pa.Buffer]]:
    request = msgspec.msgpack.decode(task.request, type=FileRequest | FramesRequest | QueryRequest)
    if isinstance(request, FramesRequest):
        yield from _frames(request)
        return
    if isinstance(request, QueryRequest):
        yield from engine.run(request)
        return
    yield from _file(request, task.memory)


def _file(request: FileRequest, memory: int) -> Iterator[tuple[Kind, bytes | pa.Buffer]]:
    folder = Path(request.folder)
    upload = open_upload(Path(request.path), request.name, folder, request.max_bytes)
    refuse_large(upload, memory=memory, output=request.output_bytes)
    source = read_file(upload, folder, request.options)
    yield Kind.SOURCE, describe(source)
    bad, fixed = len(source.bad), len(source.fixed)
    for table in source.batches:
        # Ragged records share the numbering of all records, so they are sent before the records that follow them.
        if len(source.bad) + len(source.fixed) != bad + fixed:
            yield Kind.SOURCE, describe(source, bad, fixed)
            bad, fixed = len(source.bad), len(source.fixed)
        for part in pieces(table):
            yield Kind.BATCH, as_stream(part)
    yield Kind.END, describe(source, bad, fixed)


def _frames(request: FramesRequest) -> Iterator[tuple[Kind, bytes] | tuple[Kind, bytes, pa.Buffer]]:
    with Path(request.path).open("rb") as file:
        for frame in _FRAME_READERS[request.format](file, request.timestamp_column, request.timestamp_format):
            yield Kind.FRAME, *frame_streams(frame)
    yield Kind.END, b""
