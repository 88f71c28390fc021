"""A query in a worker process: DuckDB over the columns that the process was given, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from atlas.timeseries.cold.column_streams import PRESENT, ColumnStream, read_stream
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


# Arrow's types by PostgreSQL's names.
_TABLE_TYPES = {
    "int8": pa.int64(),
    "float8": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "timestamptz": pa.timestamp("us"),
    "date": pa.date32(),
}


class TableStream(msgspec.Struct, frozen=True, tag="table"):
    """How a stream of a table's rows is read. columns: (name, PostgreSQL's name of its type)."""

    columns: list[tuple[str, str]]

    @property
    def schema(self) -> pa.Schema:
        """The columns, times without a zone, and `present` where nothing is wanted."""
        return pa.schema([(name, _TABLE_TYPES[kind]) for name, kind in self.columns] or [(PRESENT, pa.bool_())])

    def read(self, table: pa.Table) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a stream."""
        arrays = []
        for field, column in zip(self.schema, table.columns, strict=True):
            if pa.types.is_timestamp(field.type):
                column = column.cast(pa.timestamp("us", "UTC"))
            arrays.append(column.cast(field.type))
        yield from pa.table(arrays, schema=self.schema).to_batches()


class RelationStreams(msgspec.Struct, frozen=True):
    """A relation of the query, and the stream that its rows are in. once: whether the query reads it once only."""

    relation: str
    stream: ColumnStream | TableStream
    once: bool


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


class QueryEngine:
    """Runs queries, each in a DuckDB of its own. The next one is made when no query waits, since that takes some 20 ms.

    Close it after use.
    """

    def __init__(self) -> None:
        self._used = False
        self._next: tuple[tuple[int, int], duckdb.DuckDBPyConnection] | None = None
        self._wanted = (0, 0)

    def close(self) -> None:
        """Closes the DuckDB that waits."""
        if self._next is not None:
            self._next[1].close()
            self._next = None

    def prepare(self) -> None:
        """Makes the next query's DuckDB, if there have been queries."""
        if self._used and self._next is None:
            self._next = self._wanted, _connect(*self._wanted)

    def run(self, request: QueryRequest) -> Iterator[tuple[Kind, bytes | pa.Buffer]]:
        """Yields the messages of the answer. Raises duckdb.Error."""
        self._used, self._wanted = True, (request.threads, request.memory)
        if self._next is not None and self._next[0] != self._wanted:
            self.close()
        self.prepare()
        assert self._next is not None
        (_, connection), self._next = self._next, None
        with pa.memory_map(request.path) as source, connection:
            for relation in request.relations:
                schema = relation.stream.schema
                batches = _batches(pa.ipc.open_stream(source).read_all(), relation.stream)
                # Rows that are read once are decoded as DuckDB asks for them, so they are never in memory together.
                rows = pa.RecordBatchReader.from_batches(schema, batches)
                connection.register(relation.relation, rows if relation.once else rows.read_all())
            parameters = {} if request.now is None else {"now": request.now}
            found: pa.Table = connection.sql(request.sql, params=parameters).to_arrow_table()
        for part in pieces(found.slice(0, request.rows)):
            yield Kind.BATCH, as_stream(part)
        yield Kind.END, b""


def _batches(table: pa.Table, stream: ColumnStream | TableStream) -> Iterator[pa.RecordBatch]:
    return stream.read(table) if isinstance(stream, TableStream) else read_stream(table, stream)


def _connect(threads: int, memory: int) -> duckdb.DuckDBPyConnection:
    settings: dict[str, Any] = {**_LOCKED, "threads": str(threads), "memory_limit": f"{memory // 2**20}MiB"}
    return duckdb.connect(":memory:", config=settings)


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
