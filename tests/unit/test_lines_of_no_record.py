"""Lines of a file that are no records: another table below, notes behind a blank line, statements above a header."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.staged_tables import Rows, table

from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.staging import Staging

_OTHER = "another table below the first was left out, with"


def sheet(folder: Path, *rows: tuple[Any, ...]) -> tuple[Rows, list[str]]:
    """Returns the records of a sheet with some rows, and what is told."""
    book, stored, path = openpyxl.Workbook(), io.BytesIO(), folder / "book.xlsx"
    for row in rows:
        book.active.append(list(row))
    book.save(stored)
    path.write_bytes(stored.getvalue())
    source = read_file(open_upload(path, path.name, folder, 10**9), folder)
    staging = Staging(folder, source)
    records = staging.query("SELECT * EXCLUDE _n FROM raw ORDER BY _n")
    staging.close()
    return records, source.notes


BELOW = (
    ("id,qty\n1,2\n3,4\n\nday,mood\n5,6\n7,8\n", [("1", "2"), ("3", "4")], f"{_OTHER} 2 of its records: day, mood"),
    (
        "id,qty\r\n1,2\r\n3,4\r\n\r\nday,x,y\r\n5,6,7\r\n",
        [("1", "2"), ("3", "4")],
        f"{_OTHER} 1 of its records: day, x, y",
    ),
    (
        "id,qty,n\n1,2,3\n3,4,5\n,,\nday,x\n5,6\n",
        [("1", "2", "3"), ("3", "4", "5")],
        f"{_OTHER} 1 of its records: day, x",
    ),
    ("id,qty\n1,2\n3,4\n\nStand: heute\n", [("1", "2"), ("3", "4")], "1 line below the table left out: 'Stand: heute'"),
    (" id | name \n----+---\n 1 | a\n 2 | b\n(2 rows)\n", [("1", "a"), ("2", "b")], "'(2 rows)'"),
    (
        "| id | name |\n+---+---+\n| 1 | a |\n| 2 | b |\n2 rows in set (0.01 sec)\n",
        [("1", "a"), ("2", "b")],
        "'2 rows in",
    ),
)


@pytest.mark.parametrize(("text", "records", "told"), BELOW)
def test_what_is_below_a_table_is_left_out_and_told(tmp_path: Path, text: str, records: Rows, told: str) -> None:
    _, rows, source = table(tmp_path, text)
    assert (rows, source.bad) == (records, [])
    assert any(told in note for note in source.notes)


@pytest.mark.parametrize(
    "text",
    [
        "name,city\nAnn,Rome\nBob,Oslo\n\nCid,Bonn\nDan,Kiel\n",
        "id,qty\n1,2\n3,4\n\n5,6\n",
        "id,qty\n1,2\n\nn/a,-\n5,6\n",
        "id,name,qty\n1,a,2\n2,b,3\n\n3,c,4\n",
    ],
)
def test_records_behind_a_blank_line_stay_records(tmp_path: Path, text: str) -> None:
    _, rows, source = table(tmp_path, text)
    assert len(rows) == text.count("\n") - 2
    assert not any("left out" in note for note in source.notes)


def test_sheets_have_such_lines_as_well(tmp_path: Path) -> None:
    rows, notes = sheet(tmp_path, ("day", "n"), ("a", 1), ("b", 2), (), ("x", "y", "z"), ("p", 5, 6), ("q", 7, 8))
    assert [row[:2] for row in rows] == [("a", "1"), ("b", "2")]
    assert f"{_OTHER} 2 of its records: x, y, z" in notes
    rows, notes = sheet(tmp_path, ("day", "n"), ("a", 1), ("b", 2), (), ("Source: me",))
    assert (rows, notes[-1]) == ([("a", "1"), ("b", "2")], "1 line below the table left out: 'Source: me'")
    rows, _ = sheet(tmp_path, ("day", "n"), ("a", 1), (), ("b", 2), (), ("c", None))
    assert rows == [("a", "1"), ("b", "2"), ("c", None)]


def test_records_of_json_and_xml_are_all_records(tmp_path: Path) -> None:
    assert table(tmp_path, '[{"1": 1, "2": 2}, {"1": 3, "2": 4}]', "f.json")[1] == [("1", "2"), ("3", "4")]
    assert table(tmp_path, "<r><i><a>a</a></i><i><a>1</a></i></r>", "f.xml")[1] == [("a",), ("1",)]


ABOVE = (
    ("Konto;DE1\nZeitraum;1.1. - 31.1.\n\nTag;Text;Betrag\n01.01.2024;Miete;-500,00\n", 3, ["Tag", "Text", "Betrag"]),
    ("Device,X7\nSerial,\n\ntime,speed,temp\n0,1.5,20\n1,1.6,21\n", 3, ["time", "speed", "temp"]),
)


@pytest.mark.parametrize(("text", "lines", "names"), ABOVE)
def test_labels_and_values_above_a_blank_line_are_no_table(
    tmp_path: Path, text: str, lines: int, names: list[str]
) -> None:
    found, rows, source = table(tmp_path, text)
    assert (found, len(rows), source.bad) == (names, text.count("\n") - lines - 1, [])
    assert source.notes[0].startswith(f"{lines} lines above the table left out")


FORMS = (
    ('"id,name"\n"1,Ann"\n"2,Bob"\n', ["id", "name"], [("1", "Ann"), ("2", "Bob")], "quoted as a whole"),
    ('id,name\n"1,""Ann, A"""\n"2,Bob"\n', ["id", "name"], [("1", "Ann, A"), ("2", "Bob")], "quoted as a whole"),
    ("id:name:n\n1:x:2\n3:z:4\n", ["id", "name", "n"], [("1", "x", "2"), ("3", "z", "4")], "':' between the cells"),
    ("sep=,\nid;n\n1;2\n3;4\n", ["id", "n"], [("1", "2"), ("3", "4")], "says ',', but ';' is between the cells"),
    ('name\n"Doe, Jane"\n"Roe, Ann"\n', ["name"], [("Doe, Jane",), ("Roe, Ann",)], None),
    ("at:what\n10:20:30\n11:20:30\n", ["at:what"], [("10:20:30",), ("11:20:30",)], None),
)


@pytest.mark.parametrize(("text", "names", "records", "told"), FORMS)
def test_odd_forms_of_records_are_read_and_told(
    tmp_path: Path, text: str, names: list[str], records: Rows, told: str | None
) -> None:
    found, rows, source = table(tmp_path, text)
    assert (found, rows) == (names, records)
    assert told is None or any(told in note for note in source.notes)


def test_long_numbers_of_a_sheet_are_whole_and_told(tmp_path: Path) -> None:
    rows, notes = sheet(tmp_path, ("name", "card"), ("a", 4111111111111110), ("b", 12345678901234567), ("c", 12))
    assert [row[1] for row in rows] == ["4111111111111110", "12345678901234570", "12"]
    assert any(note.startswith("card has 2 numbers of over 15 digits, of which Excel keeps 15") for note in notes)


def test_lists_that_describe_the_records_are_not_read_for_them(tmp_path: Path) -> None:
    text = '{"schema": {"fields": [{"name": "a", "type": "integer"}]}, "data": [{"a": 1}, {"a": 2}]}'
    names, rows, source = table(tmp_path, text, "f.json")
    assert (names, rows) == (["a"], [("1",), ("2",)])
    assert any("not the 1 in 'schema.fields'" in note for note in source.notes)


def test_joined_elements_are_told(tmp_path: Path) -> None:
    source = table(tmp_path, "<r><i><t>a</t><t>b</t></i><i><t>c</t></i></r>", "f.xml")[2]
    assert "elements that repeat within a record are joined by '; ', in 't'" in source.notes
