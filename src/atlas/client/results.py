"""Rows of questions and SQL, as the server's CSV and as typed values."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from atlas.client import _reading
from atlas.client.errors import DataError
from atlas.client.types import Json, Record
from atlas.contract.questions import ResultColumn, SqlResult

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Cell = Callable[[str], Any]


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


# Readers of PostgreSQL's types. Values of other types stay text.
READERS: dict[str, Cell] = {
    "int2": int,
    "int4": int,
    "int8": int,
    "float4": float,
    "float8": float,
    "numeric": Decimal,
    "bool": _boolean,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
    "time": time.fromisoformat,
    "json": json.loads,
    "jsonb": json.loads,
}
# Patterns for a column without a known type, when all values match. Only plain notations count as numbers, so that
# leading zeros and ids of many digits stay text.
_PATTERNS: list[tuple[re.Pattern[str], Cell]] = [
    (re.compile(r"true|false"), _boolean),
    (re.compile(r"-?(0|[1-9]\d{0,17})"), int),
    (re.compile(r"-?(0|[1-9]\d{0,17})(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity"), float),
    (re.compile(r"\d{4}-\d\d-\d\d"), date.fromisoformat),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), datetime.fromisoformat),
]


class Rows:
    """Rows of a CSV answer. An empty cell is None, because CSV has one notation for an empty text and NULL."""

    def __init__(self, csv_text: str, columns: Sequence[ResultColumn] | None = None) -> None:
        self.csv = csv_text
        self._known_columns = columns

    @cached_property
    def _cells(self) -> tuple[list[str], list[list[str]]]:
        lines = [*csv.reader(io.StringIO(self.csv, newline=""), strict=True)] if self.csv else []
        names = lines[0] if lines else [column.name for column in self._known_columns or ()]
        # csv writes a row with one empty cell as "", and reads a blank line as no cell.
        return names, [line or [""] for line in lines[1:]]

    @cached_property
    def _columns(self) -> list[list[Any]]:
        names, rows = self._cells
        found = []
        for number in range(len(names)):
            texts = [row[number] for row in rows]
            read = self._reader(number, texts)
            try:
                found.append([None if text == "" else read(text) for text in texts])
            except (ValueError, KeyError, ArithmeticError):
                # Python has no value for some texts, such as a date before the year 1.
                found.append([text or None for text in texts])
        return found

    def _reader(self, number: int, texts: list[str]) -> Cell:
        type_name = None if self._known_columns is None else self._known_columns[number].type
        if type_name is not None:
            return READERS.get(type_name, str)
        filled = [text for text in texts if text]
        for pattern, read in _PATTERNS:
            if filled and all(pattern.fullmatch(text) for text in filled):
                return read
        return str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, which may repeat."""
        return tuple(self._cells[0])

    def tuples(self) -> list[tuple[Any, ...]]:
        """Returns the rows as tuples."""
        return [*zip(*self._columns, strict=True)] if self._columns else []

    def dicts(self) -> list[Json]:
        """Returns the rows as dicts by name."""
        return [dict(zip(self.names, row, strict=True)) for row in self.tuples()]

    def __len__(self) -> int:
        return len(self._cells[1])

    def to_arrow(self) -> pa.Table:
        """Converts the rows to an Arrow table, with JSON columns as text.

        Raises MissingExtra: when pyarrow is not installed.
        """
        from atlas.client._dataframes import library

        pa = library("pyarrow")
        arrays = [_array(pa, values) for values in self._columns]
        return pa.Table.from_arrays(arrays, names=[*self.names])

    def to_polars(self) -> pl.DataFrame:
        """Converts the rows to a polars data frame.

        Raises MissingExtra: when polars is not installed.
        """
        from atlas.client._dataframes import library, to_polars

        library("polars")
        return to_polars(self.to_arrow())

    def to_pandas(self) -> pd.DataFrame:
        """Converts the rows to a pandas data frame like `rows.to_pandas`.

        Raises MissingExtra: when pandas is not installed.
        """
        from atlas.client._dataframes import library, to_pandas

        library("pandas")
        return to_pandas(self.to_arrow())


def _array(pa: Any, values: list[Any]) -> Any:
    if all(value is None for value in values):
        return pa.nulls(len(values), pa.string())
    if any(isinstance(value, dict | list) for value in values):
        values = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    kind = pa.timestamp("us", tz="UTC") if any(isinstance(v, datetime) and v.tzinfo for v in values) else None
    try:
        return pa.array(values, type=kind)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError("No Arrow column can hold this", str(error)) from None


class HasRows:
    """An answer with rows, which converts the rows to other forms."""

    rows: Rows

    def dicts(self) -> list[Json]:
        """Returns the rows as dicts by name."""
        return self.rows.dicts()

    def to_arrow(self) -> pa.Table:
        """Converts the rows to an Arrow table. An answer infers types from its values; a result of SQL has
        exact types.
        """
        return self.rows.to_arrow()

    def to_polars(self) -> pl.DataFrame:
        """Converts the rows to a polars data frame."""
        return self.rows.to_polars()

    def to_pandas(self) -> pd.DataFrame:
        """Converts the rows to a pandas data frame."""
        return self.rows.to_pandas()


@dataclass(frozen=True)
class Result(HasRows, Record):
    """Rows of SQL. truncated: whether there are more rows; seconds: time in the database."""

    sql: str
    columns: tuple[ResultColumn, ...]
    rows: Rows
    truncated: bool = False
    seconds: float = 0.0
    tables: tuple[str, ...] = ()


def read_result(data: Json) -> Result:
    """Reads the answer of /api/v1/sql."""
    found = _reading.read(SqlResult, {"rows_returned": 0, "truncated": False, "execution_time_seconds": 0.0, **data})
    rows = Rows(found.data_csv, found.columns)
    return Result(found.executed_sql, found.columns, rows, found.truncated, found.execution_time_seconds, found.tables)
