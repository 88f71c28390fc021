"""Queries that read rows and chunks in one statement, and the rows that such a result stands for.

One statement sees one moment, so a row that is being packed comes back once, plain or in a chunk. The result has the
columns of the plain rows, and four more for the parts of chunks: low and high number, name, and body.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from psycopg import sql

from atlas.errors import AtlasError
from atlas.timeseries.cold.chunk_codec import (
    EXTRA,
    NUMBER,
    TIME,
    DamagedError,
    Flags,
    Ints,
    Slice,
    decode,
    decode_groups,
    decode_times,
)
from atlas.timeseries.columns import Dtype
from atlas.timeseries.zone_map import Range

_COMMA = sql.SQL(", ")
_LAST_NUMBER = 2**63 - 1
# Columns of a result for the parts of chunks.
_EXTRA_COLUMNS = 4


class DamagedChunkError(AtlasError):
    """Packed rows cannot be read. low_seq: the first number of their chunk; part: the name of the part."""

    def __init__(self, low_seq: int, part: str) -> None:
        what = {TIME: "times", NUMBER: "numbers", EXTRA: "values without a column"}.get(part, "values of a column")
        details = f"the {what} in the chunk from row {low_seq} on; other rows and columns can be read"
        super().__init__("Packed rows are damaged", details)
        self.low_seq, self.part = low_seq, part


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of rows: their times, and their numbers from `first` to `last`."""

    span: Range = field(default_factory=Range)
    first: int = 0
    last: int = _LAST_NUMBER

    def meeting(self) -> sql.Composed:
        """Builds the condition for chunks that may have such rows."""
        return sql.SQL("high_ts >= {} AND low_ts < {} AND high_seq >= {} AND low_seq <= {}").format(
            self.span.lo, self.span.hi, self.first, self.last
        )

    def within(self) -> sql.Composed:
        """Builds the condition for chunks that have such rows only."""
        return sql.SQL("low_ts >= {} AND high_ts < {} AND low_seq >= {} AND high_seq <= {}").format(
            self.span.lo, self.span.hi, self.first, self.last
        )


@dataclass(frozen=True, slots=True)
class ChunkColumn:
    """A wanted column. name: in the result; part: in chunks."""

    name: str
    part: str
    dtype: Dtype


@dataclass(frozen=True, slots=True)
class ChunkParts:
    """The parts of a chunk that were read, by name."""

    low_seq: int
    high_seq: int
    bodies: dict[str, pa.Buffer]

    def times(self, span: Range) -> tuple[Slice, Ints]:
        """Returns which rows lie within `span`, and their times. Raises DamagedChunkError."""
        try:
            return decode_times(self.bodies[TIME], span.lo, span.hi - 1)
        except DamagedError:
            raise DamagedChunkError(self.low_seq, TIME) from None

    def groups(self, spans: Sequence[Range]) -> tuple[Slice, Ints]:
        """Returns the row groups with rows in some ranges, and the times of their rows. Raises DamagedChunkError."""
        lows, highs = np.array([one.lo for one in spans]), np.array([one.hi - 1 for one in spans])
        try:
            return decode_groups(self.bodies[TIME], lows, highs)
        except DamagedError:
            raise DamagedChunkError(self.low_seq, TIME) from None

    def values(self, part: str, rows: Slice, dtype: Dtype) -> pa.Array | None:
        """Returns a part's values in some rows; None where the chunk has none. Raises DamagedChunkError."""
        if part not in self.bodies:
            return None
        try:
            return decode(self.bodies[part], rows, dtype)
        except DamagedError:
            raise DamagedChunkError(self.low_seq, part) from None

    def numbers(self, rows: Slice) -> Ints:
        """Returns the numbers of some rows. Raises DamagedChunkError."""
        found = self.values(NUMBER, rows, Dtype.INT)
        assert found is not None
        numbers: Ints = found.to_numpy()
        return numbers

    def rows(self, bounds: Bounds) -> tuple[Slice, Ints, Ints, np.ndarray | None]:
        """Returns rows within bounds: their slice, times, numbers, and a mask where not all of the slice are."""
        taken, micros = self.times(bounds.span)
        numbers = self.numbers(taken)
        if bounds.first <= self.low_seq and self.high_seq <= bounds.last:
            return taken, micros, numbers, None
        mask = (numbers >= bounds.first) & (numbers <= bounds.last)
        return taken, micros[mask], numbers[mask], mask


def part_names(columns: Sequence[ChunkColumn]) -> list[str]:
    """Returns the parts to read for columns: times and numbers always."""
    return [TIME, NUMBER, *(column.part for column in columns)]


def with_chunks(
    plain: sql.Composable, width: int, chunks: sql.Identifier, parts: Collection[str], where: sql.Composable
) -> sql.Composed:
    """Builds the query for the rows of a query with `width` columns, and for parts of chunks that match `where`."""
    query = (
        "SELECT *, NULL::bigint, NULL::bigint, NULL::text, NULL::bytea FROM ({}) AS plain UNION ALL "
        "SELECT {}, low_seq, high_seq, part, body FROM {} WHERE part = ANY ({}) AND {}"
    )
    nothing = _COMMA.join([sql.NULL] * width)
    return sql.SQL(query).format(plain, nothing, chunks, sql.Literal(sorted(set(parts))), where)


def parts_only(chunks: sql.Identifier, parts: Collection[str], where: sql.Composable) -> sql.Composed:
    """Builds the query for parts of chunks that match `where`, whose result `split` understands."""
    query = "SELECT low_seq, high_seq, part, body FROM {} WHERE part = ANY ({}) AND {}"
    return sql.SQL(query).format(chunks, sql.Literal(sorted(set(parts))), where)


def split(table: pa.Table) -> tuple[pa.Table, list[ChunkParts]]:
    """Splits a result into plain rows and the chunks that were read."""
    first = table.num_columns - _EXTRA_COLUMNS
    plain = table.select(range(first))
    low, high, part, body = (table.column(first + at) for at in range(_EXTRA_COLUMNS))
    if low.null_count == len(table):
        return plain, []
    given = low.is_valid()
    chunks: dict[int, ChunkParts] = {}
    picked = (column.filter(given) for column in (low, high, part))
    bodies = (one.as_buffer() for one in body.filter(given))
    for low_seq, high_seq, name, content in zip(*(column.to_pylist() for column in picked), bodies, strict=True):
        chunks.setdefault(low_seq, ChunkParts(low_seq, high_seq, {})).bodies[name] = content
    return plain.filter(low.is_null()), list(chunks.values())


def decode_rows(chunks: Sequence[ChunkParts], columns: Sequence[ChunkColumn], bounds: Bounds) -> Iterator[pa.Table]:
    """Yields the rows of chunks within bounds: `ts`, `_seq`, and the wanted columns. Raises DamagedChunkError."""
    for chunk in chunks:
        taken, micros, numbers, mask = chunk.rows(bounds)
        if len(micros):
            yield _table(chunk, columns, taken, micros, numbers, mask)


def decode_pieces(
    chunks: Sequence[ChunkParts],
    columns: Sequence[ChunkColumn],
    pieces: Sequence[Bounds],
    selected: Callable[[ChunkParts, Slice], Flags | None],
) -> Iterator[pa.Table]:
    """Yields the rows of chunks within any of many disjoint bounds; reads each row group once.

    selected: marks the rows of a slice that are wanted, or returns None for all. Raises DamagedChunkError.
    """
    spans = [piece.span for piece in pieces]
    for chunk in chunks:
        taken, micros = chunk.groups(spans)
        if not len(micros):
            continue
        numbers = chunk.numbers(taken)
        inside: Flags = np.zeros(len(micros), np.bool_)
        for piece in pieces:
            if piece.span.hi <= micros[0] or piece.span.lo > micros[-1]:
                continue
            start, end = np.searchsorted(micros, (piece.span.lo, piece.span.hi))
            some = numbers[start:end]
            inside[start:end] |= (some >= piece.first) & (some <= piece.last)
        kept = selected(chunk, taken) if inside.any() else None
        mask = inside if kept is None else inside & kept
        if mask.any():
            yield _table(chunk, columns, taken, micros[mask], numbers[mask], None if mask.all() else mask)


def _table(
    chunk: ChunkParts, columns: Sequence[ChunkColumn], taken: Slice, micros: Ints, numbers: Ints, mask: Flags | None
) -> pa.Table:
    """Returns rows of a slice of a chunk. micros, numbers: of the rows that `mask` marks, or of all."""
    arrays = {"ts": pa.array(micros).cast(pa.timestamp("us", "UTC")), "_seq": pa.array(numbers)}
    for column in columns:
        values = chunk.values(column.part, taken, column.dtype)
        if values is not None and mask is not None:
            values = values.filter(pa.array(mask))
        arrays[column.name] = pa.nulls(len(micros), ARROW_TYPES[column.dtype]) if values is None else values
    return pa.table(arrays)


ARROW_TYPES = {
    Dtype.INT: pa.int64(),
    Dtype.FLOAT: pa.float64(),
    Dtype.BOOLEAN: pa.bool_(),
    Dtype.STRING: pa.string(),
}


def joined(plain: pa.Table, tables: Sequence[pa.Table]) -> pa.Table:
    """Returns plain rows and those of chunks as one table, with the columns and types of the plain rows."""
    return pa.concat_tables([plain, *(_as(plain.schema, table) for table in tables)]) if tables else plain


def _as(schema: pa.Schema, table: pa.Table) -> pa.Table:
    arrays = []
    for wanted in schema:
        column = table.column(wanted.name)
        if isinstance(wanted.type, pa.BaseExtensionType):
            column = pa.chunked_array(
                [
                    pa.ExtensionArray.from_storage(wanted.type, one.cast(wanted.type.storage_type))
                    for one in column.chunks
                ],
                wanted.type,
            )
        arrays.append(column.cast(wanted.type))
    return pa.table(arrays, schema=schema)


def chunk_columns(columns: Sequence[tuple[str, str, Dtype]], *, has_extra: bool) -> list[ChunkColumn]:
    """Returns the wanted columns (name, part, type), and `_extra` where rows have it."""
    wanted = [ChunkColumn(*one) for one in columns]
    return [*wanted, ChunkColumn("_extra", EXTRA, Dtype.STRING)] if has_extra else wanted
