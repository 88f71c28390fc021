"""Finds lines behind a blank line that begin something other than records: the names of another table, or a note."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from atlas.imports.files.csv_dialects import Dialect
from atlas.imports.infer.cell_values import looks_like_value
from atlas.imports.infer.types import is_null_text

# Where more lines than this stand behind blank lines, the blank lines divide groups of records.
_MOST = 20
_LONGEST_NAME = 60
_LONGEST_LINE = 10_000
_CHUNK = 4 * 1024 * 1024


def in_sheet(rows: Sequence[Sequence[Any]], skip: int) -> list[list[str]]:
    """Returns such lines of a sheet, cells as texts. Cells of other types are no names.

    skip: the rows before the first record.
    """
    found: list[list[str]] = []
    blank = False
    for number, row in enumerate(rows[skip:], skip):
        empty = not any(cell not in (None, "") for cell in row)
        if blank and not empty and all(cell is None or isinstance(cell, str) for cell in row):
            below = rows[number + 1] if number + 1 < len(rows) else []
            found.append(_other(row, [str(cell or "") for cell in below]))
        blank = empty
        if len(found) > _MOST:
            return []
    return [cells for cells in found if cells]


def in_text(path: Path, offset: int, dialect: Dialect, width: int) -> list[list[str]]:
    """Returns such lines of a CSV. Lines within a quoted cell may be among them; no record is like those.

    offset: the place of the first record.
    width: the number of columns; a line of delimiters only is blank as well.
    """
    found: list[list[str]] = []
    for number, text in enumerate(_lines(path, offset, dialect.delimiter * (width - 1))):
        if number == _MOST:
            return []
        rows = list(dialect.rows(iter(text.splitlines(keepends=True)[:2])))
        if rows:
            found.append(_other(rows[0], rows[1] if len(rows) > 1 else []))
    return [cells for cells in found if cells]


def _lines(path: Path, offset: int, delimiters: str) -> Iterator[str]:
    """Yields the text behind each run of blank lines."""
    blank = re.compile(rb"\n(?:(?:" + re.escape(delimiters.encode()) + rb")?\r?\n)+(?=[^\r\n])")
    signs = [b"\n\n", b"\n\r\n", b"\n" + delimiters.encode() + b"\n", b"\n" + delimiters.encode() + b"\r\n"]
    with path.open("rb") as file:
        file.seek(offset)
        rest = b"\n"
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            # Most files have no blank line, and a plain search is the fastest.
            for place in blank.finditer(data) if any(sign in data for sign in signs) else ():
                part = data[place.end() : place.end() + _LONGEST_LINE]
                yield part.decode("utf-8", "ignore")
            # A blank line at the border of two chunks shows with the next one.
            rest = data[len(data.rstrip(b"\r\n" + delimiters[:1].encode())) :] or data[-1:]


def _other(row: Sequence[str | None], below: Sequence[str]) -> list[str]:
    """Returns the cells of a line if it may begin another table, or is a note. Otherwise an empty list.

    below: the cells of the next line, if any.
    """
    cells = [(cell or "").strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    filled = [cell for cell in cells if cell]
    if len(filled) == 1:
        return filled
    if len(filled) < 2 or sum(1 for cell in below if cell.strip()) < 2 or any(cell in filled for cell in below):
        return []
    return cells if len({cell.casefold() for cell in filled}) == len(filled) and all(map(_is_name, filled)) else []


def _is_name(cell: str) -> bool:
    plain = len(cell) <= _LONGEST_NAME and any(letter.isalpha() for letter in cell)
    return plain and not looks_like_value(cell) and not is_null_text(cell)
