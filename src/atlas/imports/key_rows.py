"""Computes the keys of present rows in the same way as the keys of imported records."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from atlas.imports.duckdb_casts import DUCKDB_TYPES, quote
from atlas.imports.row_keys import key_value
from atlas.tables.model import TableColumn


def row_keys(rows: pa.Table, columns: Sequence[TableColumn], key: Sequence[str]) -> pa.Table:
    """Returns (row, h) for rows with `_row` and texts by column."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "2"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET memory_limit = '256MB'")
        connection.register("rows", rows)
        values = {column.name: f"CAST({quote(column.name)} AS {DUCKDB_TYPES[column.type]})" for column in columns}
        hashed = key_value(values, columns, key)
        found: pa.Table = connection.sql(f"SELECT _row AS row, {hashed} AS h FROM rows").to_arrow_table()
        return found
