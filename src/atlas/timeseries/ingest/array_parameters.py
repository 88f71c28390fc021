"""Columns of few rows as parameters of a statement: arrays, which `unnest` makes rows again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from psycopg.types.numeric import Int8

from atlas.kit.timestamps import from_micros
from atlas.timeseries.columns import SQL_TYPES
from atlas.timeseries.frames import dtype_of


def array_type(field: pa.Field) -> str:
    """Returns the SQL type of an array of a column's values."""
    if field.name == "ts":
        return "timestamptz[]"
    if field.name == "_extra":
        return "json[]"
    return f"{SQL_TYPES[dtype_of(field)]}[]"


def array_values(column: pa.ChunkedArray) -> list[Any]:
    """Returns the values of a column. All integers have one type, because a statement is prepared for its types."""
    if pa.types.is_timestamp(column.type):
        return [from_micros(micros) for micros in column.cast(pa.int64()).to_pylist()]
    values: list[Any] = column.to_pylist()
    if pa.types.is_integer(column.type):
        return [None if value is None else Int8(value) for value in values]
    return values
