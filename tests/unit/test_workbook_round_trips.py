"""A workbook that Atlas wrote, read by an import of its own: types and values are equal, or it is told what is not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.unit.test_workbook_values import COLUMNS

from atlas.column_formats.rendering import write
from atlas.imports.checked import check
from atlas.imports.checks import Staged
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.plan import ColumnPlan, ImportPlan
from atlas.imports.planner import inspect, make_plan
from atlas.imports.staging import Staging
from atlas.kit import workbooks
from atlas.language.instructions import ImportInstruction

NAMES = dict(zip(COLUMNS, ["flag", "count_of", "measure", "amount", "day_of", "at_time", "words"], strict=True))
# What a column of each type becomes where all of its values are ones that a sheet holds.
TYPES = {
    "flag": {"boolean"},
    "count_of": {"bigint"},
    "measure": {"double", "bigint", "numeric"},
    "amount": {"numeric", "bigint", "double"},
    "day_of": {"date"},
    "at_time": {"timestamp", "date"},
}


def imported(table: pa.Table) -> tuple[ImportPlan, dict[str, list[Any]]]:
    """The plan and the values of an import of the table's workbook, numerics as texts."""
    book = workbooks.Workbook("values", table.column_names)
    book.write(table)
    with tempfile.TemporaryDirectory() as name, book.close() as file:
        folder = Path(name)
        path = folder / "upload"
        path.write_bytes(file.read())
        staging = Staging(folder, read_file(open_upload(path, "t.xlsx", folder, 1 << 26), folder))
        try:
            instruction = ImportInstruction(table="t", duplicates="keep")
            plan = make_plan(staging, inspect(staging, instruction, None), instruction, [], "t.xlsx")
            checked = check(Staged(staging, plan))
            found = {
                column.name: staging.arrow(f"SELECT {checked.file.value(column)} AS v FROM raw ORDER BY _n")
                .column("v")
                .to_pylist()
                for column in plan.columns
            }
        finally:
            staging.close()
    return plan, found


def equal(value: Any, cell: Any, column: ColumnPlan) -> bool:
    """Whether an imported value is the one that was written, or the text that says it."""
    if value is None or (isinstance(value, float) and not isfinite(value)):
        return cell is None or str(value) == cell
    if cell is None:
        return False
    if isinstance(value, bool):
        return cell is value or cell == str(value).lower()
    if isinstance(value, datetime):
        if isinstance(cell, datetime):
            return cell.replace(tzinfo=cell.tzinfo or UTC) == value
        if isinstance(cell, date):
            return datetime(cell.year, cell.month, cell.day, tzinfo=UTC) == value
        return datetime.fromisoformat(cell).replace(tzinfo=UTC) == value
    if isinstance(value, date):
        cell = cell.date() if isinstance(cell, datetime) else cell
        return cell == value or cell == value.isoformat()
    if isinstance(value, str):
        return cell == value or (column.type != "text" and write(column.kind, cell) == value)
    return Decimal(str(cell)) == Decimal(str(value))


def is_told(plan: ImportPlan, column: ColumnPlan, value: Any) -> bool:
    """Whether a note is about the column, or about blanks that its value has around it."""
    blank = isinstance(value, str) and value.strip() != value
    return any(column.name in note or (blank and note.startswith("blanks around")) for note in plan.notes)


def compared(columns: dict[pa.DataType, Sequence[Any]]) -> ImportPlan:
    """Writes and imports columns, and compares every cell."""
    count = len(next(iter(columns.values())))
    arrays = [pa.array([f"k{n}" for n in range(count)]), *(pa.array(cells, kind) for kind, cells in columns.items())]
    table = pa.table(arrays, names=["k", *(NAMES[kind] for kind in columns)])
    plan, found = imported(table)
    for kind, cells in columns.items():
        column = plan.column(NAMES[kind])
        if column is None:
            # A column without any value is none.
            assert all(cell is None for cell in cells), NAMES[kind]
            continue
        for value, cell in zip(cells, found[column.name], strict=True):
            assert equal(value, cell, column) or is_told(plan, column, value), (column.name, value, cell, plan.notes)
    return plan


@settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(st.data(), st.integers(2, 6))
def test_every_value_is_imported_as_it_was_or_told(data: st.DataObject, count: int) -> None:
    cells = {
        kind: data.draw(st.lists(st.none() | values, min_size=count, max_size=count), label=NAMES[kind])
        for kind, values in COLUMNS.items()
    }
    compared(cells)


HELD: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int64(): st.integers(-(10**15) + 1, 10**15 - 1),
    pa.float64(): st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-9),
    pa.decimal128(38, 3): st.decimals(-(10**11), 10**11, places=3),
    pa.date32(): st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    pa.timestamp("us", "UTC"): st.datetimes(datetime(1900, 3, 1), datetime(9999, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
}


@settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(st.data(), st.integers(3, 8))
def test_types_are_those_that_were_written(data: st.DataObject, count: int) -> None:
    """Where a sheet has numbers, moments and truth for all values, so has the table."""
    cells = {
        kind: data.draw(st.lists(values, min_size=count, max_size=count, unique=kind != pa.bool_()), label=NAMES[kind])
        for kind, values in HELD.items()
    }
    plan = compared(cells)
    for name, types in TYPES.items():
        column = plan.column(name)
        assert column is not None
        assert column.type in types, (column, plan.notes)


@pytest.mark.parametrize("zero", ["0", "007", "1e5", "=1+1", "2024-01-31", "true", "1.10"])
def test_texts_stay_what_they_were(zero: str) -> None:
    compared({pa.string(): [zero, "x y", "é"]})
