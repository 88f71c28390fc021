"""Values of every type in a workbook, as other programs read them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isnan
from typing import Any

import openpyxl
import pyarrow as pa
import python_calamine as calamine
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from atlas.kit import workbooks

TEXTS = st.one_of(
    st.sampled_from(
        ["=1+1", "+1", "-2", "@x", "\tx", '=HYPERLINK("x")', "<r>x</r>", "_x0041_", "1", "true", "'a", " a "]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)
DECIMALS = st.decimals(-(10**17), 10**17, places=3)
DAYS = st.dates(date(1850, 1, 1))
MOMENTS = st.datetimes(datetime(1850, 1, 1), timezones=st.just(UTC))
COLUMNS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.decimal128(38, 3): DECIMALS,
    pa.date32(): DAYS,
    pa.timestamp("us", "UTC"): MOMENTS,
    pa.string(): TEXTS,
}


@st.composite
def columns_of_values(draw: st.DrawFn) -> pa.Table:
    """A table with a column of each type, some cells of which are empty."""
    count = draw(st.integers(1, 5))
    cells = [draw(st.lists(st.none() | values, min_size=count, max_size=count)) for values in COLUMNS.values()]
    arrays = [pa.array(column, kind) for column, kind in zip(cells, COLUMNS, strict=True)]
    return pa.table(arrays, names=[str(kind) for kind in COLUMNS])


def same(value: Any, cell: Any) -> bool:
    """Whether a cell says a value: as a value of its kind, or as a text with all of its digits where Excel has none."""
    if isinstance(value, datetime):
        if isinstance(cell, datetime):
            return abs(cell.replace(tzinfo=UTC) - value) < timedelta(microseconds=1)
        return isinstance(cell, str) and datetime.fromisoformat(cell).replace(tzinfo=UTC) == value
    if isinstance(value, date):
        return cell == value.isoformat() or (isinstance(cell, datetime) and cell.date() == value)
    if value is None or isinstance(value, bool | str):
        return type(cell) is type(value) and cell == value
    if isinstance(value, float) and isnan(value):
        return cell == "nan"
    return Decimal(cell if isinstance(cell, str) else repr(cell)) == Decimal(str(value))


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(table=columns_of_values())
def test_every_value_is_read_back_by_other_programs(table: pa.Table) -> None:
    """By openpyxl and by calamine; what Excel has no number or moment for is a text that says it exactly."""
    book = workbooks.Workbook("values", table.column_names)
    book.write(table)
    with book.close() as file:
        content = file.read()
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    read = [list(line) for line in sheet.iter_rows(min_row=2)]
    assert all(cell.data_type != "f" for line in read for cell in line)
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert len(read) <= len(rows), "a last row of empty cells has none"
    for row, line in zip(rows, read, strict=False):
        # Excel's escapes within cells are left to the caller by openpyxl.
        cells = [unescape(cell.value) if isinstance(cell.value, str) else cell.value for cell in line]
        assert all(map(same, row, cells)), (row, cells)
    texts = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    for row, values in zip(rows, texts[1:], strict=False):
        assert row[-1] == (values[-1] or None), (row, values)
