"""What a file's values lose in a column, or cannot be, is told: types of JSON, empty texts, times, names, amounts."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.errors import BadRequestError
from atlas.imports.checked import check
from atlas.imports.checks import Staged
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.files.source import ReadOptions
from atlas.imports.infer.column_matching import match_columns
from atlas.imports.inspection import inspect
from atlas.imports.plan import ImportPlan
from atlas.imports.planner import make_plan
from atlas.imports.staging import Staging
from atlas.imports.target_table import target_of
from atlas.kit.identifiers import MAX_BYTES, identifier, is_cut
from atlas.language.instructions import ImportInstruction
from atlas.tables.model import Table, TableColumn

Read = Callable[..., tuple[ImportPlan, list[list[Any]]]]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """Plans a file for a new table, or `into` one: the plan and the values of each column."""
    opened: list[Staging] = []
    numbers = itertools.count()

    def run(
        data: bytes | str,
        name: str = "f.csv",
        options: ReadOptions | None = None,
        into: Table | None = None,
        **told: Any,
    ) -> Any:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        path = folder / "upload"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        said = ImportInstruction(table="t", duplicates="keep", **told)
        staging = Staging(folder, read_file(open_upload(path, name, folder, 1 << 26), folder, options))
        opened.append(staging)
        plan = make_plan(staging, inspect(staging, said, into), said, [into] if into else [], name)
        planned = check(Staged(staging, plan))
        columns = [staging.arrow(f"SELECT {planned.file.value(c)} AS v FROM raw ORDER BY _n") for c in plan.columns]
        return plan, [column.column("v").to_pylist() for column in columns]

    yield run
    for staging in opened:
        staging.close()


MIXED = [
    ([1, "1", True], "numbers (1), texts (1) and true or false (1)"),
    ([1, "x"], "numbers (1) and texts (1)"),
    ([1, "2", "3"], "texts (2) and numbers (1)"),
    ([True, "yes"], "texts (1) and true or false (1)"),
    ([True, 1, 1.5], "numbers (2) and true or false (1)"),
    ([{"b": 1}, "x"], "objects (1) and texts (1)"),
    ([[1], 5, None], "lists (1) and numbers (1)"),
    (["2024-01-01", 20240101, "x"], "texts (2) and numbers (1)"),
    ([1.10, "1.10", False, [0]], "lists (1), numbers (1), texts (1) and true or false (1)"),
]
PURE: list[list[Any]] = [
    [1, 2.5, None],
    ["a", "1"],
    [True, None],
    [None, None],
    [{"b": 1}, None],
    [[1], ["x"]],
    ["", 1],
]


@pytest.mark.parametrize("form", ["array", "lines", "two keys", "rows"])
def test_types_of_a_json_key_are_counted(read: Read, form: str) -> None:
    def file_of(values: list[Any]) -> str:
        if form == "rows":
            return json.dumps([["k", "a"], *([f"k{n}", value] for n, value in enumerate(values))])
        records = [
            {"k": f"k{n}", "a": value} | ({"A": n} if form == "two keys" else {}) for n, value in enumerate(values)
        ]
        return "\n".join(map(json.dumps, records)) if form == "lines" else json.dumps(records)

    for values, told in MIXED:
        plan, _ = read(file_of(values), "f.json")
        assert f"'a' holds {told} in the file, which become one column of one type" in plan.notes, (values, plan.notes)
    for values in PURE:
        plan, _ = read(file_of(values), "f.json")
        assert not any("in the file, which become" in note for note in plan.notes), (values, plan.notes)


def test_empty_texts_that_a_file_declares_are_told(read: Read) -> None:
    plan, columns = read(json.dumps([{"k": 1, "a": ""}, {"k": 2, "a": " "}, {"k": 3, "a": "x"}]), "f.json")
    assert columns[1] == [None, None, "x"]
    assert "empty texts in 2 values stored as no value" in plan.notes
    sink = io.BytesIO()
    pq.write_table(pa.table({"k": [1, 2], "a": ["", "x"]}), sink)
    assert "empty texts in 1 value stored as no value" in read(sink.getvalue(), "f.parquet")[0].notes
    for data, name in ((json.dumps([{"k": 1, "a": None}, {"k": 2, "a": "x"}]), "f.json"), ("k,a\n1,\n2,x\n", "f.csv")):
        assert read(data, name)[0].notes == ()


def test_midnight_at_the_end_of_a_day_is_told(read: Read) -> None:
    for end in ("2024-01-02 24:00:00", "2024-01-02T24:00", "2024-01-02T24:00:00Z"):
        plan, columns = read(f"k,t\n1,{end}\n2,{end.replace('24:', '23:')}\n")
        assert columns[1][0] == datetime(2024, 1, 3, tzinfo=UTC)
        assert "t has 1 time of 24:00, stored as midnight of the next day" in plan.notes
    assert read("k,t\n1,2024-01-24 00:00\n2,2024-01-02 23:24\n")[0].notes == ()


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%Y/%m/%d %H:%M", "%d-%b-%Y %H:%M"])
def test_midnight_at_the_end_of_a_day_keeps_other_times_text(read: Read, form: str) -> None:
    times = [datetime(2024, 12, 31, hour).strftime(form) for hour in (0, 12, 23)]
    ended = [times[0].replace(" 00:", " 24:"), *times[1:]]
    plan, columns = read("k,t\n" + "".join(f"{n},{text}\n" for n, text in enumerate(ended)))
    assert columns[1] == ended
    assert "t stays text: it has times of 24:00, which are read in ISO 8601 alone" in plan.notes
    plan, _ = read("k,t\n" + "".join(f"{n},{text}\n" for n, text in enumerate(times)))
    assert plan.columns[1].type == "timestamp"


@pytest.mark.parametrize(
    ("first", "second"), [("Name", "name"), ("a b", "a_b"), ("n" * 70, "n" * 63), ("é" * 40, "é" * 31), ("A-1", "a 1")]
)
def test_headers_that_make_one_name_go_where_they_went(read: Read, first: str, second: str) -> None:
    plan, _ = read(f"k,{first},{second}\n1,5,6\n")
    table = Table(1, "t", "s", tuple(column.table_column() for column in plan.columns))
    names = [column.name for column in plan.columns]
    assert len(set(names)) == 3
    again, columns = read(f"{second},{first},k\n6,5,1\n", into=table)
    assert {column.name: cells for column, cells in zip(again.columns, columns, strict=True)} == {
        names[0]: [1],
        names[1]: [5],
        names[2]: [6],
    }
    # An exported file has the names.
    again, _ = read(f"{','.join(reversed(names))}\n6,5,1\n", into=table)
    assert [column.name for column in again.columns] == names[::-1]


RENAMED = [
    ({"amount": "Country"}, ("Country",)),
    ({"amount": "x", "country": "X"}, ("x", "X")),
    ({"amount": "id"}, ("id",)),
    ({"amount": "country", "country": "amount"}, ()),
    ({"amount": "total"}, ()),
]


@pytest.mark.parametrize(("rename", "asked"), RENAMED)
@pytest.mark.parametrize("exists", [False, True])
def test_a_new_name_that_another_column_has_is_asked_about(
    read: Read, rename: dict[str, str], asked: tuple[str, ...], exists: bool
) -> None:
    data = "id,amount,country\n1,5,US\n"
    made = read(data)[0].columns
    table = Table(1, "t", "s", tuple(column.table_column() for column in made)) if exists else None
    plan, _ = read(data, into=table, rename=rename)
    assert plan.questions == tuple(
        f"{name!r} is the name of another column, too. What shall that be called?" for name in asked
    )
    plan, _ = read(data, into=table, rename={"amount": "country"}, drop=("country",))
    assert plan.questions == ()


@pytest.mark.parametrize(
    ("first", "second", "zone"),
    [
        ("2024-01-02 10:00 CET", "2024-01-03 11:00 CET", "CET"),
        ("2024-01-02 10:00:00 Europe/Berlin", "2024-01-03 11:00:00 Europe/Berlin", "Europe/Berlin"),
        ("2024-01-02T10:00:00+01:00[Europe/Berlin]", "2024-01-02T11:00:00+01:00[Europe/Berlin]", "Europe/Berlin"),
        ("31/01/2024 10:00 GMT", "01/02/2024 10:00 GMT", "GMT"),
        ("01/31/2024 10:00 AM PST", "02/01/2024 10:00 PM PDT", "PST"),
    ],
)
def test_zones_by_name_are_said_to_be_what_keeps_times_text(read: Read, first: str, second: str, zone: str) -> None:
    plan, columns = read(f"k,t\n1,{first}\n2,{second}\n")
    assert columns[1] == [first, second]
    told = (
        f"t stays text: its times have zones by name, such as {zone!r}, which are not read; offsets such as +01:00 are"
    )
    assert told in plan.notes


def test_zeros_that_excel_shows_as_dates_are_told(read: Read) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["k", "day", "clock"])
    for row, day in enumerate([45000, 0, 45001, 45002], 2):
        sheet.append([row, day, 0 if row == 2 else 0.5])
        sheet.cell(row, 2).number_format = "yyyy-mm-dd"
        sheet.cell(row, 3).number_format = "hh:mm"
    sink = io.BytesIO()
    book.save(sink)
    plan, columns = read(sink.getvalue(), "f.xlsx")
    assert plan.columns[1].type == "date"
    assert columns[1][1] is None
    assert "day has 1 zero shown as a date, which is no day; taken as empty" in plan.notes
    # A time of day may be midnight.
    assert columns[2] == ["00:00:00", "12:00:00", "12:00:00", "12:00:00"]


@pytest.mark.parametrize("letter", ["x", "ä", "日"])
def test_names_that_are_cut_are_told(read: Read, letter: str) -> None:
    first, second = (letter * 70 + end for end in "ab")
    plan, columns = read(f"k,{first},{second}\n1,2,3\n")
    names = [column.name for column in plan.columns]
    assert len(set(names)) == 3
    assert columns == [[1], [2], [3]]
    for header, name in ((first, names[1]), (second, names[2])):
        assert len(name.encode()) <= MAX_BYTES
        assert is_cut(header)
        assert f"the header {header!r} is too long for a column, which is called {name}" in plan.notes
    assert not any("too long" in note for note in read(f"k,{identifier(first)}\n1,2\n")[0].notes)
    # A later file's columns go by their whole headers, in any order.
    known = [column.table_column() for column in plan.columns]
    kinds = [column.kind for column in plan.columns]
    matched = match_columns([(second, kinds[2]), ("k", kinds[0]), (first, kinds[1])], known).matched
    assert matched == {0: names[2], 1: "k", 2: names[1]}
    assert match_columns([(letter * 70 + "c", kinds[1])], known).matched == {}


def test_a_table_is_not_taken_for_another_whose_name_is_cut_alike() -> None:
    first, second = ("n" * 70 + end for end in "ab")
    made = target_of(ImportInstruction(), [], f"{first}.csv")
    assert f"the name {first!r} is too long for a table, which is called {made.table}" in made.notes
    assert made.question is None
    table = Table(1, str(made.table), "s", (TableColumn("k", "bigint"),), (), 1, 1)
    for said, file_name in ((ImportInstruction(), f"{second}.csv"), (ImportInstruction(table=second), "f.csv")):
        assert "is longer than the 63 bytes of a table's name" in str(target_of(said, [table], file_name).question)
    assert target_of(ImportInstruction(table=table.name), [table], "f.csv").question is None


SPLIT = [
    ("name,price,qty\nA,1,50,3\nB,2,75,4\n", "1,50"),
    ("name,price\nA,1,05\nB,12,75\n", "1,05"),
    ("name,net,gross\nA,1,50,1,79\nB,2,75,3,27\n", "1,50"),
    ("id,Betrag,Datum\n7,-1,50,2024-01-01\n9,12,75,2024-01-02\n", "-1,50"),
    # Names of rows have none, as R writes them.
    ("mpg,cyl,disp\nMazda,21,6,160\nDatsun,22,4,108\n", None),
    ("a,b\nx,1,50\ny,2,75\n", None),
    ("k,montant\na,1 234,50\nb,12 000,00\n", "1 234,50"),
    ("k,betrag\na,1.234,50\nb,12,00\n", "1.234,50"),
    ("name,price\nA,1,50\nB,3\n", None),
    ("name,price,qty\nA,1,500,3\nB,2,750,4\n", None),
]


def test_amounts_without_quotes_in_a_file_with_commas_are_refused(read: Read) -> None:
    for text, amount in SPLIT:
        if amount is None:
            read(text)
            continue
        with pytest.raises(BadRequestError) as refused:
            read(text)
        number = amount.replace(" ", "").replace(".", "").replace(",", ".")
        assert f"{amount!r} seems to be {number} with a decimal comma" in str(refused.value.details)
        read(text, options=ReadOptions(header=True))
        read(text.replace(",", "\t"))
