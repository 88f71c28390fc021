"""Queries of rows: plans from row blocks, and results as Arrow from binary COPY."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import pyarrow as pa
from psycopg import sql

from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.timeseries.columns import Column, from_catalog
from atlas.timeseries.repository import between, column_of, numbered, table_of
from atlas.timeseries.series.conditions import EVERYTHING, Selection, Written, select
from atlas.timeseries.series.tables import condition_of
from atlas.timeseries.zone_map import MAX_PARTIAL, Block, Range, split_count

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A dataset at one moment. Rows never change, so the rows numbered up to `last_seq` are the dataset's rows."""

    dataset_id: int
    table: sql.Identifier
    last_seq: int
    row_count: int
    version: int
    has_extra: bool
    rewritten: bool
    cold: bool
    keys: tuple[str, ...]
    columns: Sequence[Column]
    blocks: Sequence[Block]
    selection: Selection = EVERYTHING

    def only(self, written: Sequence[Written]) -> Snapshot:
        """Returns the snapshot of the series that meet conditions. Its blocks and counters stay those of all rows.

        Raises BadRequestError: when a name is no key of the dataset, or a value cannot be one of the key's.
        """
        return replace(self, selection=select(written, self.keys, self.columns)) if written else self


async def snapshot(database: Database, dataset_id: int) -> Snapshot:
    """Returns the dataset as it is now.

    Raises NotFoundError: when there is no such dataset.
    """
    rows = await database.fetch(queries("timeseries/rows")["read_state"], id=dataset_id)
    if not rows:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    schema, last_seq, row_count, version, has_extra, rewritten, cold, texts, *arrays = rows[0]
    blocks = [Block(*values) for values in zip(*(array or [] for array in arrays[:5]), strict=True)]
    columns = [column_of(values) for values in zip(*(array or [] for array in arrays[5:]), strict=True)]
    table, keys = table_of(schema, dataset_id), tuple(map(from_catalog, texts))
    return Snapshot(dataset_id, table, last_seq, row_count, version, has_extra, rewritten, cold, keys, columns, blocks)


async def columns_with_notes(database: Database, shot: Snapshot) -> Sequence[Column]:
    """Returns the snapshot's columns with their current units and descriptions."""
    rows = await database.fetch(queries("timeseries/datasets")["list_columns"], ids=[shot.dataset_id])
    said = {column.id: column for column in (column_of(row[1:]) for row in rows)}
    return [
        replace(column, unit=said[column.id].unit, description=said[column.id].description)
        if column.id in said
        else column
        for column in shot.columns
    ]


async def position(database: Database, dataset_id: int) -> tuple[int, int] | None:
    """Returns last sequence number and version of a dataset, or None when there is no such dataset."""
    rows = await database.fetch(queries("timeseries/rows")["read_position"], id=dataset_id)
    return (rows[0][0], rows[0][1]) if rows else None


async def count(database: Database, shot: Snapshot, span: Range) -> int:
    """Counts the rows of `span`: from whole blocks, and from the rows of blocks that `span` cuts."""
    if span.empty:
        return 0
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}")
    if shot.selection:
        return await _number(database, query.format(shot.table, _where(shot, span)))
    inside, partial = split_count(shot.blocks, span)
    if not partial:
        return inside
    if len(partial) > MAX_PARTIAL:
        return await _number(database, query.format(shot.table, _where(shot, span)))
    # Each block gets a condition on its own times, so that the index finds its pages. The times of the whole range
    # could match most of the table.
    parts = [(b, Range(max(span.lo, b.min_ts), min(span.hi, b.max_ts + 1))) for b in partial]
    pieces = [
        sql.SQL("({} AND {})").format(between(part, cold=False), numbered(b.first_seq, b.last_seq, cold=False))
        for b, part in parts
    ]
    where = sql.SQL("({})").format(sql.SQL(" OR ").join(pieces))
    if shot.cold:
        # PostgreSQL checks a condition before it unpacks a segment only when the condition uses nothing but bounds.
        where += sql.SQL(" AND ({})").format(
            sql.SQL(" OR ").join(
                sql.SQL("(_high_seq >= {} AND _low_seq <= {})").format(b.first_seq, b.last_seq) for b in partial
            )
        )
    return inside + await _number(database, query.format(shot.table, where))


async def _number(database: Database, query: sql.Composed) -> int:
    async with database.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return int(row[0])


async def second_digits(database: Database, shot: Snapshot, span: Range, least: int = 0) -> int:
    """Returns how many digits of a second the rows of `span` need: 0, 3 or 6, and at least `least`."""
    for digits, unit in ((6, "milliseconds"), (3, "second")):
        if digits <= least:
            break
        query = sql.SQL("SELECT 1 FROM {} WHERE {} AND ts <> date_trunc({}, ts) LIMIT 1").format(
            shot.table, _where(shot, span), sql.Literal(unit)
        )
        async with database.connection() as connection:
            if await (await connection.execute(query)).fetchone():
                return digits
    return least


def _where(shot: Snapshot, span: Range) -> sql.Composed:
    every = sql.SQL("{} AND {}").format(between(span, cold=shot.cold), numbered(1, shot.last_seq, cold=shot.cold))
    return sql.SQL("{} AND {}").format(condition_of(shot.selection), every) if shot.selection else every


def _columns(shot: Snapshot, columns: Sequence[Column], *, with_numbers: bool = True) -> sql.Composed:
    names = ["ts", *(["_seq"] if with_numbers else []), *(c.physical for c in columns if c.physical)]
    if shot.has_extra:
        names.append("_extra")
    return sql.SQL(", ").join(map(sql.Identifier, names))


async def page(
    database: Database,
    shot: Snapshot,
    columns: Sequence[Column],
    span: Range,
    *,
    then: Callable[[pa.Table], T],
    descending: bool,
    limit: int,
    offset: int = 0,
    after: tuple[int, int] | None = None,
) -> T:
    """Fetches up to `limit` rows of `span` in order of (time, sequence number), after `offset` rows or after row
    `after`.

    Columns: ts, _seq, the physical columns, _extra. `after` is (microseconds, sequence number) of a row. Returns the
    result of `then` for the table, computed in the thread that fetched the rows.
    """
    direction = sql.SQL("DESC" if descending else "ASC")
    where = _where(shot, span)
    if after is not None:
        stamp = between(Range(after[0], after[0] + 1), cold=False)
        beyond = sql.SQL("<" if descending else ">")
        where += sql.SQL(" AND (NOT ({}) OR _seq {} {})").format(stamp, beyond, sql.Literal(after[1]))
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY ts {}, _seq {} LIMIT {} OFFSET {}").format(
        _columns(shot, columns),
        shot.table,
        where,
        direction,
        direction,
        sql.Literal(limit),
        sql.Literal(offset),
    )
    return await database.fetch_arrow(query.as_string(), then)


async def window(
    database: Database, shot: Snapshot, columns: Sequence[Column], span: Range, *, behind: bool = False
) -> pa.Table:
    """Fetches all rows of `span` in order of time. Sorts only when the table's order differs.

    behind: whether the read comes behind other work of the machine.
    """
    # An index by key and time gives the rows of selected series in its own order.
    if not shot.rewritten and not shot.selection and _ascending(shot, span):
        # The table is in order of the sequence numbers, so the numbers need not be read.
        table = await _read_window(database, shot, columns, span, with_numbers=False, behind=behind)
        if _is_sorted(table):
            return table
    return await _read_window(database, shot, columns, span, with_numbers=True, behind=behind)


async def _read_window(
    database: Database,
    shot: Snapshot,
    columns: Sequence[Column],
    span: Range,
    *,
    with_numbers: bool,
    behind: bool,
) -> pa.Table:
    query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        _columns(shot, columns, with_numbers=with_numbers), shot.table, _where(shot, span)
    )
    then = _in_order if with_numbers else _as_it_is
    return await database.fetch_arrow(query.as_string(), then, behind=behind)


def _as_it_is(table: pa.Table) -> pa.Table:
    return table


def _ascending(shot: Snapshot, span: Range) -> bool:
    """Checks whether the blocks that meet `span` follow each other in time."""
    met = [block for block in shot.blocks if span.meets(block)]
    return all(later.min_ts >= earlier.max_ts for earlier, later in pairwise(met))


def _is_sorted(table: pa.Table) -> bool:
    micros = table.column("ts").cast(pa.int64()).to_numpy()
    return bool((micros[1:] >= micros[:-1]).all())


def _in_order(table: pa.Table) -> pa.Table:
    """Sorts rows by (time, sequence number), after a check whether they are sorted already, as they mostly are."""
    micros, numbers = table.column("ts").cast(pa.int64()).to_numpy(), table.column("_seq").to_numpy()
    later = (micros[1:] > micros[:-1]) | ((micros[1:] == micros[:-1]) & (numbers[1:] > numbers[:-1]))
    return table if bool(later.all()) else table.sort_by([("ts", "ascending"), ("_seq", "ascending")])


async def following(database: Database, shot: Snapshot, after_seq: int, limit: int) -> tuple[pa.Table, int]:
    """Fetches up to `limit` rows with numbers greater than `after_seq`, in order of their numbers.

    Returns the rows and the number up to which the rows are complete.
    """
    # Blocks show where the wanted rows surely end, so that rows of later blocks need not be sorted.
    last, held = shot.last_seq, 0
    for block in shot.blocks:
        held += block.rows if block.first_seq > after_seq else 0
        if held >= limit and not shot.selection:
            last = block.last_seq
            break
    where = numbered(after_seq + 1, last, cold=shot.cold)
    if shot.selection:
        where = sql.SQL("{} AND {}").format(condition_of(shot.selection), where)
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY _seq LIMIT {}").format(
        _columns(shot, shot.columns), shot.table, where, sql.Literal(limit)
    )
    table = await database.fetch_arrow(query.as_string(), lambda table: table)
    return table, table["_seq"][-1].as_py() if len(table) == limit else last
