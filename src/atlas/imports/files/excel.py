"""Reads workbooks (xlsx, xlsm, xlsb, xls, ods) by calamine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from atlas.errors import BadRequestError
from atlas.imports.files.behind_blanks import in_sheet
from atlas.imports.files.header_notes import header_notes
from atlas.imports.files.sheet_notes import Sheet, fill_merged, format_notes, sheet_notes
from atlas.imports.files.source import MAX_COLUMNS, ReadOptions, Source, text_table, unclear_rows
from atlas.imports.files.workbook_details import SheetDetails, sheet_details
from atlas.imports.infer.headers import SAMPLE_ROWS, stated_layout
from atlas.imports.infer.note_lines import lines_above
from atlas.kit.plurals import many

_BATCH_ROWS = 20_000
# Excel writes larger whole numbers with an exponent, as Python does.
_WHOLE = 10**21
# Excel keeps 15 digits of a number; the last digits of longer ones became zeros when they were typed.
_DIGITS = 10**15


def read_excel(path: Path, name: str, options: ReadOptions | None = None) -> Source:
    """Opens one sheet: the sheet with the requested name or number, else the visible sheet with the most filled rows.

    Cells are the values that formulas had when the file was saved.
    Raises BadRequestError: when the workbook or sheet cannot be read.
    """
    options = options or ReadOptions()
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        titles = _visible(book)
        sheet = _choose(book, titles, options.sheet, name)
    except calamine.PasswordError:
        reason = f"{name}: the workbook is protected with a password; save a copy without it and send that"
        raise BadRequestError("Invalid file", reason) from None
    except (calamine.CalamineError, OSError, ValueError, IndexError) as error:
        raise BadRequestError("Invalid file", f"{name}: it cannot be read as a workbook ({_reason(error)})") from None
    title, rows, above = sheet.title, sheet.rows, sheet.top
    details = sheet_details(path, title)
    _put_errors(sheet, details)
    codes = _put_codes(sheet, details)
    texts = [[_text(cell) for cell in row] for row in rows[: SAMPLE_ROWS * 2]]
    with unclear_rows():
        layout = stated_layout(
            [[cell or "" for cell in row] for row in texts],
            header=options.header,
            header_row=None if options.header_row is None else max(1, options.header_row - above),
            skip_rows=max(0, options.skip_rows - above),
        )
    if layout is None:
        raise BadRequestError("Invalid file", f"{name}: sheet {title!r} has no data")
    if layout.width > MAX_COLUMNS:
        reason = f"{name}: the sheet has {layout.width:,} columns; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)
    zeros = _without_zero_days(sheet, layout.skip, layout.names)
    filled = fill_merged(sheet, details, layout.names, layout.skip)
    source = Source(layout.names, [None] * layout.width, _batches(rows, layout.skip, layout.width))
    source.lines, source.behind_blanks = True, in_sheet(rows, layout.skip)
    said = header_notes(path, title, above + layout.skip - 1, sheet.left)
    source.units = {**layout.units, **{position: unit for position, (unit, _) in said.items() if unit}}
    source.descriptions = {position: description for position, (_, description) in said.items() if description}
    if len(titles) > 1:
        others = ", ".join(repr(other) for other in titles if other != title)
        source.notes.append(f"read sheet {title!r}, not {others}")
    if layout.above:
        source.notes.append(lines_above(texts[: layout.above]))
    source.notes += [*layout.notes, *zeros, *filled, *sheet_notes(sheet, details, layout.names, layout.skip)]
    source.notes += format_notes(sheet, details, codes, layout.names, layout.skip)
    source.notes += _long_numbers(sheet, layout.names, layout.skip)
    return source


def _visible(book: Any) -> list[str]:
    hidden = {
        meta.name
        for meta in book.sheets_metadata
        if meta.visible != calamine.SheetVisibleEnum.Visible or meta.typ != calamine.SheetTypeEnum.WorkSheet
    }
    names: list[str] = list(book.sheet_names)
    return [name for name in names if name not in hidden] or names


def _choose(book: Any, titles: list[str], wanted: str | None, name: str) -> Sheet:
    if wanted is not None:
        found = next((title for title in book.sheet_names if title.strip().lower() == wanted.strip().lower()), None)
        if found is None and wanted.strip().isdigit() and 0 < int(wanted) <= len(titles):
            found = titles[int(wanted) - 1]
        if found is None:
            listed = ", ".join(repr(title) for title in book.sheet_names)
            raise BadRequestError("Invalid file", f"{name}: no sheet {wanted!r}; it has {listed}")
        titles = [found]
    best = Sheet(titles[0], [], 0, 0)
    for title in titles:
        sheet = book.get_sheet_by_name(title)
        rows = sheet.to_python(skip_empty_area=True)
        if len(rows) > len(best.rows):
            best = Sheet(title, rows, *(sheet.start or (0, 0)))
    return best


def _put_errors(sheet: Sheet, details: SheetDetails) -> None:
    """Puts the texts of error cells where calamine leaves nothing, so that the import reports the errors."""
    for (row, column), text in details.errors.items():
        cells = sheet.rows[row - sheet.top] if 0 <= row - sheet.top < len(sheet.rows) else []
        position = column - sheet.left
        if 0 <= position < len(cells) and cells[position] in (None, ""):
            cells[position] = text


def _put_codes(sheet: Sheet, details: SheetDetails) -> dict[int, str]:
    """Replaces numbers by texts such as 01234 where a format shows them so. Returns the first text of each column."""
    first: dict[int, str] = {}
    for (row, column), shown in details.shown.items():
        cells = sheet.rows[row - sheet.top] if 0 <= row - sheet.top < len(sheet.rows) else []
        position = column - sheet.left
        cell = cells[position] if 0 <= position < len(cells) else None
        if isinstance(cell, float | int) and not isinstance(cell, bool) and (code := shown.code(cell)) is not None:
            if code != _text(cell):
                first.setdefault(position, code)
            cells[position] = code
    return first


def _without_zero_days(sheet: Sheet, skip: int, names: Sequence[str]) -> list[str]:
    """Empties zeros in columns of dates, where Excel shows day 0 of January 1900. Returns notes on these columns."""
    notes = []
    for position, name in enumerate(names):
        cells = [row[position] for row in sheet.rows[skip:] if position < len(row)]
        days = sum(isinstance(cell, date) for cell in cells)
        zeros = sum(isinstance(cell, time) and cell == time.min for cell in cells)
        if not days or not zeros:
            continue
        for row in sheet.rows[skip:]:
            if position < len(row) and isinstance(row[position], time) and row[position] == time.min:
                row[position] = None
        shown = name or f"column {position + 1}"
        notes.append(f"{shown} has {many(zeros, 'zero')} shown as a date, which is no day; taken as empty")
    return notes


def _long_numbers(sheet: Sheet, names: Sequence[str], skip: int) -> Iterator[str]:
    """Yields notes on whole numbers with more digits than Excel keeps, as ids and numbers of cards have."""
    for position, name in enumerate(names):
        cells = [row[position] for row in sheet.rows[skip:] if position < len(row)]
        long = sum(isinstance(cell, float) and _DIGITS <= abs(cell) < _WHOLE and cell.is_integer() for cell in cells)
        if long:
            shown = name or f"column {position + 1}"
            yield (
                f"{shown} has {many(long, 'number')} of over 15 digits, of which Excel keeps 15; "
                "check the last digits, and store such numbers as texts"
            )


def _batches(rows: list[list[Any]], skip: int, width: int) -> Iterator[pa.Table]:
    for start in range(skip, len(rows), _BATCH_ROWS):
        part = [[_text(cell) for cell in row[:width]] for row in rows[start : start + _BATCH_ROWS]]
        filled = [[*row, *[None] * (width - len(row))] for row in part if any(row)]
        if filled:
            yield text_table(filled, width)


def _text(cell: Any) -> str | None:
    """Converts a cell to a text that type inference reads in one way only."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _WHOLE else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return _duration(cell)
    return str(cell)


def _duration(cell: timedelta) -> str:
    """Formats a duration as Excel does by `[h]:mm:ss`: 36:00:00, not 1 day, 12:00:00."""
    seconds, sign = (cell, "") if cell >= timedelta() else (-cell, "-")
    whole, rest = divmod(seconds, timedelta(seconds=1))
    part = f".{rest.microseconds:06d}".rstrip("0") if rest else ""
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}{part}"


def _reason(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200]
