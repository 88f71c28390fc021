"""A query in a worker process: DuckDB over the columns that the process was given, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from atlas.timeseries.cold.column_streams import ColumnStream, read_stream
from atlas.workers.pool import Reading
from atlas.workers.protocol import Kind, as_stream, of_stream, pieces

# Without these, a query could reach files, the network and other modules; the last makes them final.
_LOCKED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "default_null_order": "nulls_last_on_asc_first_on_desc",
    "preserve_insertion_order": "false",
    "lock_configuration": "true",
}


class RelationStreams(msgspec.Struct, frozen=True):
    """A relation of the query, and the streams that its rows are in, one after the other."""

    relation: str
    streams: list[ColumnStream]


class QueryRequest(msgspec.Struct, frozen=True, tag="query"):
    """A query. path: of the Arrow streams of all relations, one behind the other; now: for `$now`, where it has one;
    rows: the most rows of the answer; threads, memory: what DuckDB may use, memory in bytes."""

    path: str
    sql: str
    relations: list[RelationStreams]
    now: datetime | None
    rows: int
    threads: int
    memory: int


def run_query(request: QueryRequest) -> Iterator[tuple[Kind, bytes | pa.Buffer]]:
    """Yields the messages of the answer. Raises duckdb.Error."""
    own = {"threads": str(request.threads), "memory_limit": f"{request.memory // 2**20}MiB"}
    settings: dict[str, Any] = {**_LOCKED, **own}
    with pa.memory_map(request.path) as source, duckdb.connect(":memory:", config=settings) as connection:
        for relation in request.relations:
            tables = []
            for stream in relation.streams:
                tables.append(read_stream(pa.ipc.open_stream(source).read_all(), stream))
            connection.register(relation.relation, pa.concat_tables(tables))
            del tables
        parameters = {} if request.now is None else {"now": request.now}
        found: pa.Table = connection.sql(request.sql, params=parameters).to_arrow_table()
    for part in pieces(found.slice(0, request.rows)):
        yield Kind.BATCH, as_stream(part)
    yield Kind.END, b""


def query_in_worker(reading: Reading, request: QueryRequest, size: int) -> pa.Table:
    """Returns the rows of the answer. size: bytes of the streams.

    Raises BadRequestError where the query cannot be run, and TooLargeError where it takes too much memory.
    """
    reading.start(request, Path(request.path), "the query", 0, size)
    tables: list[pa.Table] = []
    while True:
        kind, content = reading.receive()
        if kind is Kind.END:
            reading.give_back()
            return pa.concat_tables(tables) if tables else pa.table({})
        if kind is not Kind.BATCH:
            raise reading.out_of_step()
        tables.append(of_stream(content))
