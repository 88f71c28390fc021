"""Writes notes on the contents of a sheet besides its values: errors, formulas without values, merged and hidden cells,
two tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas.imports.files.workbook_details import SheetDetails

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet.

    top, left: the numbers of blank rows and columns of the sheet before the rows.
    """

    title: str
    rows: list[list[Any]]
    top: int
    left: int


def fill_merged(sheet: Sheet, details: SheetDetails, names: Sequence[str], skip: int) -> list[str]:
    """Repeats the value of each merged area in its rows, and returns notes.

    skip: the rows before the first record.
    Across columns the value stays in the first column, as the other columns have other meanings.
    """
    filled: Counter[int] = Counter()
    across = 0
    for top, left, bottom, right in details.merged:
        first, last, column = top - sheet.top, min(bottom - sheet.top, len(sheet.rows) - 1), left - sheet.left
        if not 0 <= column < len(names) or first < 0 or last < skip:
            continue
        across += right > left
        if last <= first or first < skip or column >= len(sheet.rows[first]):
            continue
        value = sheet.rows[first][column]
        for row in sheet.rows[first + 1 : last + 1]:
            if column < len(row) and row[column] in (None, "") and value not in (None, ""):
                row[column] = value
                filled[column] += 1
    notes = []
    if filled:
        cells = f"{filled.total():,} cell{'s' if filled.total() > 1 else ''}"
        notes.append(
            f"merged cells: {cells} below the first of a merged area took its value, in {_listed(filled, names)}"
        )
    if across:
        areas = "area of merged cells spans" if across == 1 else "areas of merged cells span"
        notes.append(f"{across:,} {areas} several columns; the value stands in the first of them, the others are empty")
    return notes


def sheet_notes(sheet: Sheet, details: SheetDetails, names: Sequence[str], skip: int) -> list[str]:
    """Writes sentences on things that a reader of the sheet sees and its values do not show."""
    return [
        *_errors(sheet, details, names, skip),
        *_uncalculated(sheet, details, names, skip),
        *_hidden(sheet, details, names, skip),
        *_beside(sheet, names, skip),
    ]


def _columns(sheet: Sheet, places: Iterable[tuple[int, int]], width: int, skip: int) -> Counter[int]:
    """Counts the places in each column of the table."""
    return Counter(
        column - sheet.left
        for row, column in places
        if 0 <= column - sheet.left < width and skip <= row - sheet.top < len(sheet.rows)
    )


def _errors(sheet: Sheet, details: SheetDetails, names: Sequence[str], skip: int) -> Iterator[str]:
    found = _columns(sheet, details.errors, len(names), skip)
    if found:
        kinds = ", ".join(sorted(set(details.errors.values()))[:_SHOWN])
        yield f"{_cells(found)} an error of Excel ({kinds}) in place of a value, in {_listed(found, names)}"


def _uncalculated(sheet: Sheet, details: SheetDetails, names: Sequence[str], skip: int) -> Iterator[str]:
    found = _columns(sheet, details.uncalculated, len(names), skip)
    if found:
        yield (
            f"{_cells(found)} a formula whose value was never saved, so they are empty, in {_listed(found, names)}; "
            "open the file in Excel, save it and send it again"
        )


def _hidden(sheet: Sheet, details: SheetDetails, names: Sequence[str], skip: int) -> Iterator[str]:
    rows = sum(skip <= row - sheet.top < len(sheet.rows) for row in details.hidden_rows)
    columns = Counter(column - sheet.left for column in details.hidden_columns if 0 <= column - sheet.left < len(names))
    parts = []
    if rows:
        parts.append(f"{rows:,} hidden row{'s' if rows > 1 else ''}")
    if columns:
        parts.append(f"{len(columns)} hidden column{'s' if len(columns) > 1 else ''} ({_listed(columns, names)})")
    if parts:
        yield f"the sheet has {' and '.join(parts)}, imported like the others"


def _beside(sheet: Sheet, names: Sequence[str], skip: int) -> Iterator[str]:
    for column in range(1, len(names) - 1):
        if names[column] or not names[column - 1] or not any(names[column + 1 :]):
            continue
        if not any(column < len(row) and row[column] not in (None, "") for row in sheet.rows[skip:]):
            after = next(name for name in names[column + 1 :] if name)
            yield (
                f"an empty column is between {names[column - 1]!r} and {after!r}: these may be two tables side by "
                "side, which were read as one; if they are, send each in a sheet of its own"
            )


def format_notes(
    sheet: Sheet, details: SheetDetails, codes: Mapping[int, str], names: Sequence[str], skip: int
) -> list[str]:
    """Writes sentences on numbers that Excel displays differently.

    codes: the first text of each column that is read as displayed.
    """
    notes = [
        f"numbers in {_listed([column], names)} were read as Excel shows them, such as {code}"
        for column, code in codes.items()
        if column < len(names)
    ]
    marks: dict[int, Counter[str]] = {}
    for (row, column), shown in details.shown.items():
        if shown.mark and 0 <= column - sheet.left < len(names) and skip <= row - sheet.top < len(sheet.rows):
            marks.setdefault(column - sheet.left, Counter())[shown.mark] += 1
    for column, found in sorted(marks.items()):
        if list(found) == ["%"]:
            notes.append(f"Excel shows {_listed([column], names)} in percent; 12 % is stored as 0.12")
            continue
        told = (
            ", ".join(f"{mark} ({count:,})" for mark, count in found.items()) if len(found) > 1 else next(iter(found))
        )
        notes.append(f"Excel shows {_listed([column], names)} with {told}, which is left out")
    return notes


def _cells(found: Counter[int]) -> str:
    return "1 cell has" if found.total() == 1 else f"{found.total():,} cells have"


def _listed(columns: Iterable[int], names: Sequence[str]) -> str:
    shown = [repr(names[column]) if names[column] else f"column {column + 1}" for column in sorted(columns)]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
