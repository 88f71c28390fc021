"""Checks the sizes that a file declares, before memory of that size is allocated.

These checks are quick and name the excess precisely. A file that passes still meets the limits of the reader's process.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.errors import BadRequestError, TooLargeError
from atlas.imports.files.csv import MAX_RECORD
from atlas.imports.files.sniffing import FileKind, Upload
from atlas.imports.files.source import MAX_COLUMNS
from atlas.imports.files.text import looks_like_utf16

# The memory of a sheet's cell, empty or not.
_CELL_BYTES = 32
# The bytes of a part that show whether the part is a sheet, and the largest part that is searched.
_SHEET_BYTES = 4096
_SMALL_PART = 64 * 1024 * 1024
_MAX_HEADER = 16 * 1024 * 1024
_FIRST_LINES = 50
_MIB = 1024 * 1024
# XML allows both quotes, and blanks around the equals sign. Readers accept lower case as well.
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\sr\s*=\s*["'](\d{1,12})["']""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,7})(\d{1,12})["']""")
_TWO_LETTERS = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{2}""")
_THREE_LETTERS = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{3}""")
_SHARED = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>(\d{1,9})<""")
_SHEET = re.compile(rb"<(?:\w+:)?worksheet\b")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".bmp", ".tif", ".tiff")


def refuse_large(upload: Upload, *, memory: int, output: int) -> None:
    """Refuses a file that declares a larger size than its reading may have.

    memory: the bytes that the reader may take.
    output: the bytes that may be written.
    Raises BadRequestError: when the file has too many columns or cells.
    Raises TooLargeError: when the rows exceed `output`.
    """
    if upload.kind is FileKind.CSV:
        _refuse_wide(upload.path, upload.name)
    elif upload.kind is FileKind.PARQUET:
        _refuse_parquet(upload.path, upload.name, output)
    elif upload.kind is FileKind.EXCEL and zipfile.is_zipfile(upload.path):
        _refuse_workbook(upload.path, upload.name, memory)


def _refuse_wide(path: Path, name: str) -> None:
    """Refuses a CSV whose header has too many columns, as finding the dialect takes longer with each column."""
    with path.open("rb") as file:
        lines = [file.readline(_MAX_HEADER) for _ in range(_FIRST_LINES)]
    if looks_like_utf16(lines[0][:8192]):
        return
    for number, line in enumerate(lines, 1):
        # Old Macs end lines with a carriage return only.
        if len(line) > MAX_RECORD and b"\r" not in line[:-2]:
            told = f"line {number} is longer than {MAX_RECORD // _MIB} MiB, which a record may not be"
            raise BadRequestError("Invalid file", f"{name}: {told}")
    widths: list[tuple[bytes, int]] = []
    for line in lines:
        delimiter = max((b",", b";", b"\t", b"|"), key=line.count)
        wide = line.count(delimiter) >= MAX_COLUMNS
        count = _cells(line, delimiter) if wide else 0
        widths.append((delimiter, count if count > MAX_COLUMNS else 0))
    # Below titles, a header is as wide as the line behind the header.
    found = widths[0] if widths[0][1] else next((one for one in widths if one[1] and widths.count(one) > 1), None)
    if found is not None:
        reason = f"{name}: the file has {found[1]:,} columns; at most {MAX_COLUMNS:,} are possible"
        raise BadRequestError("Invalid file", reason)


def _cells(line: bytes, delimiter: bytes) -> int:
    csv.field_size_limit(_MAX_HEADER)
    text = io.StringIO(line.decode("utf-8", "replace"), newline="")
    return len(next(csv.reader(text, delimiter=delimiter.decode()), []))


def _refuse_parquet(path: Path, name: str, output: int) -> None:
    try:
        found = pq.read_metadata(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        # The reader reports the error.
        return
    # Each cell has an offset of 4 bytes, whatever the cell holds.
    least = found.num_rows * found.num_columns * 4
    if least > output:
        reason = f"{name}: it says that it has {found.num_rows:,} rows of {found.num_columns:,} columns"
        raise TooLargeError("File too large", f"{reason}, which are over the limit of {output} bytes")


def _refuse_workbook(path: Path, name: str, memory: int) -> None:
    """Refuses an xlsx whose outermost cells or shared texts need more memory than allowed."""
    with zipfile.ZipFile(path) as archive:
        parts = {one.filename: one for one in archive.infolist()}
        texts: list[int] | None = None
        for part in parts.values():
            if part.filename.lower().endswith(_PICTURES) or part.file_size > _SMALL_PART:
                continue
            # The name of a sheet's part is up to the program that wrote the workbook.
            with archive.open(part) as file:
                if _SHEET.search(begin := file.read(_SHEET_BYTES)) is None:
                    continue
                data = begin + file.read()
            _refuse_far_cells(data, f"{name}: {part.filename.rsplit('/', 1)[-1]}", memory)
            cells = data.count(b't="s"') + data.count(b"t='s'")
            if texts is None and cells:
                shared = parts.get("xl/sharedStrings.xml")
                small = shared is not None and shared.file_size <= _SMALL_PART
                texts = list(_lengths(archive.read("xl/sharedStrings.xml"))) if small else []
            if texts and max(texts) * cells > memory:
                _refuse_texts(data, texts, name, memory)


def _refuse_far_cells(data: bytes, where: str, memory: int) -> None:
    most = memory // _CELL_BYTES
    rows = max(map(int, _ROW.findall(data)), default=0)
    two = _TWO_LETTERS.search(data) is not None
    if rows * (702 if two else 26) <= most and not (two and _THREE_LETTERS.search(data)):
        return
    top = left = 1 << 62
    bottom = right = 0
    for name, digits in _PLACE.findall(data):
        row, column = int(digits), _column(name.upper())
        top, bottom, left, right = min(top, row), max(bottom, row), min(left, column), max(right, column)
    cells = (bottom - top + 1) * (right - left + 1)
    if bottom and cells > most:
        reason = f"its cells span {bottom - top + 1:,} rows and {right - left + 1:,} columns, {cells:,} cells"
        told = f"{where}: {reason}; at most {most:,} fit the limit of {memory // _MIB} MiB"
        raise TooLargeError("File too large", told)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _lengths(data: bytes) -> Iterator[int]:
    """Yields the approximate length of each shared text: its element without tags."""
    for item in re.split(rb"<(?:\w+:)?si\b", data)[1:]:
        yield len(re.sub(rb"^[^>]*>|<[^>]*>", b"", item))


def _refuse_texts(data: bytes, texts: list[int], name: str, memory: int) -> None:
    total = sum(texts[index] for index in map(int, _SHARED.findall(data)) if index < len(texts))
    if total > memory:
        told = f"{name}: the texts of its cells come to {total:,} bytes; the limit is {memory // _MIB} MiB"
        raise TooLargeError("File too large", told)
