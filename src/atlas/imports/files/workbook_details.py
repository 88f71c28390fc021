"""Finds details of an xlsx sheet that calamine omits, in the XML of the sheet's part.

The part is read in pieces and searched by patterns. A pattern runs only on pieces that contain one of its words, so
large sheets stay cheap.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from atlas.imports.files.number_formats import ShownAs, shown_formats

_CHUNK = 1024 * 1024
# A longer row is searched in parts.
_LONGEST_ROW = 16 * _CHUNK
# The parts with the names of sheets are small.
_MAX_NAMES = 4 * _CHUNK
# Beyond this number, cells are counted but not kept.
_MOST_CELLS = 200_000
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s([^>]*\bt\s*=\s*[\"']e[\"'][^>]*)(?<!/)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>(#[^<]{1,40})<",
    re.DOTALL,
)
_EMPTY_FORMULA = re.compile(
    rb"<(?:\w+:)?c\s([^>]*)(?<!/)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']""")
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass(slots=True)
class SheetDetails:
    """Details of a sheet besides its values. Rows and columns count from 0.

    errors: texts of error cells by (row, column).
    uncalculated: places of formulas without a value.
    merged: areas as (first row, first column, last row, last column).
    shown: numbers that are displayed differently than they are stored.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    uncalculated: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    shown: dict[tuple[int, int], ShownAs] = field(default_factory=dict)


def sheet_details(path: Path, title: str) -> SheetDetails:
    """Returns the details of a sheet. A workbook that is no xlsx file has no details."""
    found = SheetDetails()
    try:
        if not zipfile.is_zipfile(path):
            return found
        with zipfile.ZipFile(path) as archive:
            part = part_of(archive, title)
            if part is not None:
                formats = _formats(archive)
                cells = _formatted(formats)
                for piece in _pieces(archive, part):
                    _search(piece, found)
                    for place, style in cells.findall(piece) if cells is not None else ():
                        at = place_of_cell(place.decode())
                        if at is not None and len(found.shown) < _MOST_CELLS:
                            found.shown[at] = formats[int(style)]
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError, OSError):
        # Calamine has read the values. The details are optional.
        return found
    return found


def _formats(archive: zipfile.ZipFile) -> dict[int, ShownAs]:
    """Returns the formats of cells, by number, that display more than the number."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    with archive.open("xl/styles.xml") as part:
        return shown_formats(part.read(_MAX_NAMES).decode("utf-8", "replace"))


def _formatted(formats: Mapping[int, ShownAs]) -> re.Pattern[bytes] | None:
    """Builds a pattern for places and formats of numbers with one of the formats. None: no formats."""
    if not formats:
        return None
    numbers = "|".join(map(str, formats)).encode()
    return re.compile(
        rb"""<(?:\w+:)?c\s(?![^>]*\bt\s*=\s*["'](?!n["']))(?=[^>]*\br\s*=\s*["']([A-Z]{1,3}\d{1,7})["'])[^>]*\bs\s*=\s*["']("""
        + numbers
        + rb""")["']"""
    )


def _attributes(text: bytes) -> dict[str, str]:
    return {
        key.decode("ascii", "replace"): html.unescape((one or two).decode("utf-8", "replace"))
        for key, one, two in _ATTRIBUTE.findall(text)
    }


def part_of(archive: zipfile.ZipFile, title: str) -> str | None:
    """Returns the name of the part with the sheet `title`, or None."""
    names = set(archive.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    with archive.open("xl/workbook.xml") as part:
        sheets = [_attributes(text) for text in _SHEET.findall(part.read(_MAX_NAMES))]
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        relations = [_attributes(text) for text in _RELATION.findall(part.read(_MAX_NAMES))]
    wanted = next((sheet for sheet in sheets if sheet.get("name") == title), None)
    if wanted is None:
        return None
    number = next((value for key, value in wanted.items() if key.rpartition(":")[2] == "id"), None)
    target = next((item.get("Target", "") for item in relations if item.get("Id") == number), "")
    place = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
    return place if place in names else None


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yields the part in pieces that end behind a row."""
    rest = b""
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK):
            rest += chunk
            cut = max(rest.rfind(b"</row>"), rest.rfind(b":row>"))
            if cut > 0 or len(rest) > _LONGEST_ROW:
                end = cut + 6 if cut > 0 else len(rest)
                yield rest[:end]
                rest = rest[end:]
    yield rest


def _search(piece: bytes, found: SheetDetails) -> None:
    if b"hidden" in piece:
        for text in _ROW.findall(piece):
            row = _attributes(text) if b"hidden" in text else {}
            if row.get("hidden") in ("1", "true") and row.get("r", "").isdigit():
                found.hidden_rows.append(int(row["r"]) - 1)
        for text in _COLUMN.findall(piece):
            column = _attributes(text) if b"hidden" in text else {}
            if column.get("hidden") in ("1", "true") and column.get("min", "").isdigit():
                first, last = int(column["min"]), int(column.get("max", column["min"]))
                found.hidden_columns += range(first - 1, min(last, first + 20_000))
    if b't="e"' in piece or b"t='e'" in piece:
        for text, value in _ERROR.findall(piece):
            place = place_of_cell(_attributes(text).get("r", ""))
            if place is not None and len(found.errors) < _MOST_CELLS:
                found.errors[place] = html.unescape(value.decode("utf-8", "replace"))
    if b"<f" in piece or b":f" in piece:
        for text in _EMPTY_FORMULA.findall(piece):
            cell = _attributes(text)
            place = place_of_cell(cell.get("r", ""))
            # A formula with an empty text as value declares its value to be a text.
            if place is not None and cell.get("t") != "str" and len(found.uncalculated) < _MOST_CELLS:
                found.uncalculated.append(place)
    if b"mergeCell " in piece:
        for left, top, right, bottom in _MERGED.findall(piece):
            if len(found.merged) < _MOST_CELLS:
                found.merged.append((int(top) - 1, _column(left), int(bottom) - 1, _column(right)))


def place_of_cell(text: str) -> tuple[int, int] | None:
    """Returns row and column, from 0, of a cell such as `B7`, or None."""
    match = _PLACE.fullmatch(text)
    return (int(match[2]) - 1, _column(match[1].encode())) if match else None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
