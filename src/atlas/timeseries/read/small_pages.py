"""Pages of few rows from datasets whose rows are in order of time, by two prepared statements.

There a row's number is its place, so that no summary of blocks is read, and no row before the page. The rows become
Python objects, which takes less time for some hundred rows than starting a columnar read and its encoder.
`ReadService.page` gives the same pages, of any dataset.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from atlas.db.binary_values import int4, int8
from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.db.prepared import Statement, statement_of
from atlas.kit.timestamps import format_timestamp, to_micros
from atlas.timeseries.columns import Dtype, from_catalog
from atlas.timeseries.read.cursors import write_cursor
from atlas.timeseries.repository import table_of

MOST_ROWS = 250
# Larger floats are written in another notation by the encoder of columnar reads.
_PLAIN_FLOAT = 1e16
_FIND = statement_of(queries("timeseries/rows")["find_ordered"], "id", "key")
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class SmallPage:
    """A page: total number of rows, JSON of its rows without brackets, and the start of the next page."""

    count: int
    rows: bytes
    cursor: str | None


async def find_page(
    database: Database, key_id: int, dataset_id: int, *, descending: bool, limit: int, offset: int
) -> SmallPage | None:
    """Returns a page of all rows, or None where the page must be read in the usual way.

    Reasons are an API key that has ended, no right to read, a dataset that is gone, and rows in another order. Another
    is a value that JSON holds in an unusual notation.
    """
    found = await database.find(_FIND, int4(dataset_id), int4(key_id))
    if not found:
        return None
    schema, count, names, dtypes, physicals = found[0]
    columns = [
        (from_catalog(name), physical, dtype)
        for name, dtype, physical in zip(names or (), dtypes or (), physicals or (), strict=True)
        if physical is not None
    ]
    first = max(1, count - offset - limit + 1) if descending else offset + 1
    last = count - offset if descending else min(count, offset + limit)
    rows: list[Any] = []
    if first <= last:
        statement = _statement(schema, dataset_id, tuple(physical for _, physical, _ in columns), descending)
        try:
            rows = await database.find(statement, int8(first), int8(last))
        except psycopg.Error:
            # The columns have changed meanwhile, or a time is outside the years of Python.
            return None
    if len(rows) != max(0, last - first + 1):
        return None
    floats = [place for place, (_, _, dtype) in enumerate(columns, 2) if dtype == Dtype.FLOAT]
    if any(row[place] is not None and not abs(row[place]) < _PLAIN_FLOAT for place in floats for row in rows):
        return None
    labels = [name for name, _, _ in columns]
    listed = _ENCODER.encode([_shown(dataset_id, labels, row) for row in rows])
    cursor = write_cursor(to_micros(rows[-1][0]), rows[-1][1]) if rows and len(rows) == limit else None
    return SmallPage(count, listed[1:-1], cursor)


def _shown(dataset_id: int, labels: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    at: datetime = row[0]
    values = dict(zip(labels, row[2:], strict=True))
    if None in row:
        values = {name: value for name, value in values.items() if value is not None}
    # Without a fraction, the encoder writes a time as `format_timestamp` does.
    return {"dataset": dataset_id, "timestamp": format_timestamp(at) if at.microsecond else at, "values": values}


@functools.lru_cache(512)
def _statement(schema: str, dataset_id: int, columns: tuple[str, ...], descending: bool) -> Statement:
    text = sql.SQL("SELECT {} FROM {} WHERE _seq >= $1::bigint AND _seq <= $2::bigint ORDER BY _seq {}").format(
        sql.SQL(", ").join(map(sql.Identifier, ("ts", "_seq", *columns))),
        table_of(schema, dataset_id),
        sql.SQL("DESC" if descending else "ASC"),
    )
    return Statement(text.as_bytes(), 2)
