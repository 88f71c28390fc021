"""Numbers that Excel shows in another way than it stores them: codes are read as seen, what is left out is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from atlas.imports.files.number_formats import shown_as
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.staging import Staging


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000", 1234, "01234"),
        ("00000", 123456, "123456"),
        ("000-00-0000", 12345678, "012-34-5678"),
        ('"AB-"000', 7, "AB-007"),
        ("000\\-000", 12345, "012-345"),
        ("(###) ###-####", 5551234567, "(555) 123-4567"),
        ("00\\.00\\.0000", 1022024, "01.02.2024"),
        ("[Blue]0000 0000", 12345678, "1234 5678"),
        ("(0##) ###-####;-0", 301234567, "(030) 123-4567"),
        ("00000", 1.5, None),
        ("00000", -3, None),
    ],
)
def test_formats_of_codes(code: str, number: float, shown: str | None) -> None:
    found = shown_as(code)
    assert found is not None
    assert found.code(number) == shown


@pytest.mark.parametrize(
    ("code", "mark"),
    [
        ("$#,##0.00", "$"),
        ('#,##0.00 "€"', "€"),
        ("[$€-407] #,##0.00", "€"),
        ("0.0 [$USD]", "USD"),
        ('0 "kg"', "kg"),
        ("0.0%", "%"),
        ("_($* #,##0.00_);_($* (#,##0.00)", "$"),
        ("#,##0.00\\ [$kr.-406]", "kr."),
        ('0"°C"', "°C"),
        ("General", None),
        ("#,##0.00", None),
        ("0.00E+00", None),
        ("yyyy-mm-dd", None),
        ("# ?/?", None),
        ("[h]:mm:ss", None),
        ("#,##0_);(#,##0)", None),
        ("[Red]0.0", None),
        ('0.0,,"M"', None),
        ("@", None),
        ("", None),
        ("_-* #,##0.00_-", None),
        ("+0;-0", None),
        ("[<=9999999]###-####;(###) ###-####", None),
    ],
)
def test_marks_beside_numbers(code: str, mark: str | None) -> None:
    found = shown_as(code)
    assert (found.mark if found else None) == mark


def staged(folder: Path, fill: Callable[[Any, Callable[[str], Any]], None]) -> tuple[list[Any], list[str]]:
    """Rows and notes of a sheet that `fill` writes."""
    path = folder / "book.xlsx"
    book = xlsxwriter.Workbook(str(path))
    fill(book.add_worksheet(), lambda code: book.add_format({"num_format": code}))
    book.close()
    source = read_file(open_upload(path, "book.xlsx", folder, 10**9), folder)
    staging = Staging(folder, source)
    rows = staging.query("SELECT * EXCLUDE _n FROM raw ORDER BY _n")
    staging.close()
    return rows, source.notes


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    def fill(sheet: Any, style: Callable[[str], Any]) -> None:
        sheet.write_row(0, 0, ["zip", "price", "weight", "took", "plain"])
        for row, values in enumerate([(1234, 5.5, 10, 1.5, 7), (90210, 7.25, 12, 25.25, 8)], 1):
            codes = ("00000", "$#,##0.00" if row == 1 else "[$€-407]0.00", '0 "kg"', "[h]:mm:ss", "0")
            for column, (value, code) in enumerate(zip(values, codes, strict=True)):
                sheet.write(row, column, value, style(code))

    rows, notes = staged(tmp_path, fill)
    assert rows == [("01234", "5.5", "10", "36:00:00", "7"), ("90210", "7.25", "12", "606:00:00", "8")]
    assert notes == [
        "numbers in 'zip' were read as Excel shows them, such as 01234",
        "Excel shows 'price' with $ (1), € (1), which is left out",
        "Excel shows 'weight' with kg, which is left out",
    ]


def test_a_sheet_tells_what_was_guessed_of_its_header(tmp_path: Path) -> None:
    rows, notes = staged(tmp_path, lambda sheet, _: [sheet.write_row(n, 0, [n, n * 2]) for n in range(1, 4)] and None)
    assert len(rows) == 3
    assert notes == ["no line with names of columns was found, so the first line is a record"]
