"""Delimiters that are doubled, missing or behind the last cell move no value into another column."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.staged_tables import Rows, table

EMPTY_CELLS = (
    ("5;2024-01-01;;\n6;2024-01-01;;\n", ("5", "2024-01-01", None, None)),
    ("5;;\n6;;\n", ("5", None, None)),
    ("1|a||\n2|b||\n4|c||\n", ("1", "a", None, None)),
    (";;5\n;;6\n", (None, None, "5")),
    ("1;a;;\n2;b;;x\n", ("1", "a", None, None)),
    ("1~a~~\n2~b~~\n", ("1", "a", None, None)),
)


@pytest.mark.parametrize(("text", "first"), EMPTY_CELLS)
def test_two_delimiters_around_an_empty_cell_are_two(tmp_path: Path, text: str, first: tuple[str | None, ...]) -> None:
    assert table(tmp_path, text)[1][0] == first


DOUBLED = (
    ("name||age\nx|y||3\nb||4\n", ["name", "age"], ("x|y", "3")),
    ("a##b\n1##\n2##x\n", ["a", "b"], ("1", None)),
    ("a^^b\n1^^2\n", ["a", "b"], ("1", "2")),
)


@pytest.mark.parametrize(("text", "names", "first"), DOUBLED)
def test_a_doubled_delimiter_stays_one(
    tmp_path: Path, text: str, names: list[str], first: tuple[str | None, ...]
) -> None:
    found, rows, _ = table(tmp_path, text)
    assert (found, rows[0]) == (names, first)


HEADERS = (
    ('a,b,"c","d"e\n1,2,3,4,\n2,3,4,5,\n', ["a", "b", "c", '"d"e']),
    ('id,"full name","city"zip\n1,"Ann, Lee",Ulm,2\n2,"Bob",Bonn,3\n', ["", "id", "full name", '"city"zip']),
    ('id;"x;y";"z"w\n1;2;3;;\n2;3;4;;\n', ["id", "x;y", '"z"w']),
)


@pytest.mark.parametrize(("text", "names"), HEADERS)
def test_a_stray_quote_leaves_the_other_names_of_a_short_header(tmp_path: Path, text: str, names: list[str]) -> None:
    assert table(tmp_path, text)[0] == names


LINES = "".join(f"{n},x{n},{n * 3},\n" for n in range(1, 5))
PLAIN: Rows = [(str(n), f"x{n}", str(n * 3)) for n in range(1, 5)]
SPARE = (
    ("a,b,c\n" + LINES, PLAIN, []),
    ("a,b,c,\n" + LINES, PLAIN, []),
    ("a,b,c\n" + LINES.replace(",\n", ",,,\n"), PLAIN, []),
    ("a,b,c\n" + LINES + "5,y,9\n", [*PLAIN, ("5", "y", "9")], []),
    ("a,b,c\n" + LINES + "5,y,9,,\n", [*PLAIN, ("5", "y", "9")], []),
    # The row with a value behind is read with the usual ones, and the one that is short before.
    ("a,b,c\n" + LINES + '5,"y, ""z""",9,x\n6,y\n7,z,1,\n', [*PLAIN, ("7", "z", "1")], [5, 6]),
    ("a,b,c\n" + LINES + "5,,y,9,\n", PLAIN, [5]),
    ("a,b,c\n" + LINES + "5,z,y,9\n", PLAIN, [5]),
    ("a,b,c\n" + LINES + "5,,y,,\n", PLAIN, [5]),
)


@pytest.mark.parametrize(("text", "rows", "waiting"), SPARE)
def test_rows_that_end_with_delimiters(tmp_path: Path, text: str, rows: Rows, waiting: list[int]) -> None:
    names, found, source = table(tmp_path, text)
    assert (names, found) == (["a", "b", "c"], rows)
    assert [bad.number for bad in source.bad] == waiting
    assert all(bad.text.startswith(("5,", "6,")) for bad in source.bad)


def test_rows_that_end_with_delimiters_are_read_as_arrays(tmp_path: Path) -> None:
    count = 200_000
    text = "id,n\n" + "".join(f"{n},7,{'x' if n == 150_000 else ''}\n" for n in range(1, count + 1))
    _, rows, source = table(tmp_path, text)
    assert (len(rows), source.fixed) == (count - 1, [])
    assert [(bad.number, bad.text) for bad in source.bad] == [(150_000, "150000,7,x")]
    assert rows[149_999] == ("150001", "7")


SHORT = (
    # The names of another table stand in columns of values; a note, a zero or nothing may.
    ("a,b,c\n1,2,3\n4,5,6\n7,8,9\nx,y\n7,8\n9,10\n", [4]),
    ("name,qty,price\ntea,1,2\nrum,3,4\noil,2,2\nregion,total\nnorth,5\nsouth,7\n", [4]),
    (
        "id;when;n;note\n1;2024-01-02;5;x\n2;soon;3\n3;2024-01-03;4\n4;2024-01-04;5\n5;2024-01-05;1;\n6;2024-02-01;7;z\n",
        [2],
    ),
    ("id,name,qty,note\n1,a,5,x\n2,b,n/a\n3,c,\n4,,7\n5,e,8,y\n6,f,9,z\n", []),
)


@pytest.mark.parametrize(("text", "waiting"), SHORT)
def test_short_rows_wait_where_a_text_stands_among_values(tmp_path: Path, text: str, waiting: list[int]) -> None:
    assert [bad.number for bad in table(tmp_path, text)[2].bad] == waiting


NUMBERS = (
    ("price\n¥1,200\n￥3,000\n", ["¥1,200", "￥3,000"]),
    ("population\n950\n1,200,000\n", ["950", "1,200,000"]),
    ("Betrag\n1,50\n-12,75\n3\n", ["1,50", "-12,75", "3"]),
    ("total (EUR)\nEUR 1,250.50\nEUR 3.00\n", ["EUR 1,250.50", "EUR 3.00"]),
)


@pytest.mark.parametrize(("text", "cells"), NUMBERS)
def test_commas_in_the_numbers_of_one_column_divide_nothing(tmp_path: Path, text: str, cells: list[str]) -> None:
    _, rows, source = table(tmp_path, text)
    assert ([row[0] for row in rows], len(rows[0])) == (cells, 1)
    assert "read as one column of numbers, with commas in them" in source.notes


def test_two_columns_of_numbers_stay_two(tmp_path: Path) -> None:
    assert table(tmp_path, "x,y\n1,200\n3,400\n")[1][0] == ("1", "200")
    assert table(tmp_path, "points\n1,50\n3,75\n")[1][0] == ("1", "50")
