"""Columns of a dataset as Arrow streams: plain rows, and parts of chunks as they are stored."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pyarrow as pa

from atlas.timeseries.cold.chunk_rows import ARROW_TYPES, ChunkParts, split
from atlas.timeseries.columns import Dtype
from atlas.timeseries.zone_map import Range

# A column for queries that read no other, such as a count of rows.
PRESENT = "present"


class ColumnStream(msgspec.Struct, frozen=True, tag="dataset"):
    """How a stream of Arrow data is read. packed: whether it has parts of chunks; columns: (name, part, type); times:
    whether `ts` is wanted."""

    packed: bool
    columns: list[tuple[str, str, Dtype]]
    times: bool

    @property
    def schema(self) -> pa.Schema:
        """The wanted columns, `ts` without a zone, and `present` where nothing is wanted."""
        fields = [("ts", pa.timestamp("us"))] if self.times else []
        fields += [(name, ARROW_TYPES[dtype]) for name, _, dtype in self.columns]
        return pa.schema(fields or [(PRESENT, pa.bool_())])


def read_stream(table: pa.Table, stream: ColumnStream) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a stream. Raises DamagedChunkError."""
    plain, chunks = split(table) if stream.packed else (table, [])
    if stream.times:
        plain = plain.set_column(0, "ts", plain["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")))
    yield from pa.table(plain.columns, schema=stream.schema).to_batches()
    for chunk in chunks:
        yield _of_chunk(chunk, stream)


def _of_chunk(chunk: ChunkParts, stream: ColumnStream) -> pa.RecordBatch:
    taken, micros = chunk.times(Range())
    arrays = [pa.array(micros).cast(pa.timestamp("us"))] if stream.times else []
    for _, part, dtype in stream.columns:
        values = chunk.values(part, taken, dtype)
        arrays.append(pa.nulls(len(micros), ARROW_TYPES[dtype]) if values is None else values)
    return pa.record_batch(arrays or [pa.repeat(True, len(micros))], schema=stream.schema)
