"""Keeps the latest row of each series while rows are written; see `series/tables.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
from psycopg import sql

from atlas.db.copy import copy_table
from atlas.db.database import Connection
from atlas.timeseries.columns import Column
from atlas.timeseries.ingest.array_parameters import array_type, array_values
from atlas.timeseries.repository import series_of
from atlas.timeseries.series.tables import merge, names_of

# More rows are copied to a temporary table, which a statement for few rows is not worth.
FEW_SERIES = 500


@dataclass(frozen=True, slots=True)
class Series:
    """The table of a dataset's latest rows, with the physical names of its keys and of all columns."""

    schema: str
    dataset_id: int
    keys: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def table(self) -> sql.Identifier:
        return series_of(self.schema, self.dataset_id)


def series_with(schema: str, dataset_id: int, keys: Sequence[str], columns: Mapping[str, Column]) -> Series | None:
    """Returns the table of latest rows, or None when the dataset has no keys, or no column yet for one of them."""
    found = [columns[name].physical for name in keys if name in columns]
    names = tuple(name for name in found if name)
    if not keys or len(names) < len(keys):
        return None
    physical = tuple(column.physical for column in columns.values() if column.physical)
    return Series(schema, dataset_id, names, physical)


def newest(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Returns the latest row of each series, by time and number."""
    if len(rows) < 2:
        return rows
    frame = pl.DataFrame(
        {
            **{f"k{index}": pl.Series(rows.column(name)) for index, name in enumerate(keys)},
            "ts": pl.Series(rows.column("ts")),
            "seq": pl.Series(rows.column("_seq")),
        }
    ).with_row_index("at")
    named = [f"k{index}" for index in range(len(keys))]
    last = frame.sort("ts", "seq").unique(subset=named, keep="last")
    return rows.take(pa.array(last["at"].to_numpy()))


def joined(held: pa.Table | None, rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Returns the latest row of each series of both tables. The columns may differ."""
    rows = newest(rows, keys)
    if held is None:
        return rows
    return newest(pa.concat_tables([held, rows], promote_options="permissive"), keys)


async def keep(connection: Connection, series: Series, rows: pa.Table) -> None:
    """Puts rows, at most one of each series, into the table of latest rows where they are later than its own."""
    names = rows.column_names
    if len(rows) > FEW_SERIES:
        staged = sql.Identifier("pg_temp", "_latest_rows")
        await connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE _latest_rows (LIKE {}) ON COMMIT DROP").format(series.table)
        )
        await copy_table(connection, staged, rows, inline=False)
        source = sql.SQL("SELECT {} FROM {}").format(names_of(names), staged)
        await connection.execute(merge(series.table, series.keys, series.columns, names, source))
        await connection.execute(sql.SQL("DROP TABLE {}").format(staged))
        return
    arrays = sql.SQL(", ").join([sql.SQL(f"%s::{array_type(field)}") for field in rows.schema])
    source = sql.SQL("SELECT {} FROM unnest({}) AS given ({})").format(names_of(names), arrays, names_of(names))
    statement = merge(series.table, series.keys, series.columns, names, source)
    await connection.execute(statement, [array_values(column) for column in rows.columns])
