"""Decodes CSV bodies to frames.

A file is read twice, block by block. The first pass finds the type that all cells of each column have, and checks
quotes and encoding. The second pass reads the rows. Arrow would change some values: digits past those of a float, a
plus sign, a date among texts. The first pass detects such values, so that the second pass reads their column as text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from atlas.errors import BadRequestError, RowError
from atlas.kit.csv_quotes import check_quotes, open_quote, rows_before
from atlas.kit.plurals import many
from atlas.timeseries.columns import EXACT_FLOAT
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest.number_texts import LEAST_NORMAL, has_long_numbers, has_tiny_numbers, read_numbers
from atlas.timeseries.ingest.tabular import TimeColumn, frame_of, reason_of, time_names

_BLOCK = 4 * 1024 * 1024
# A cell is at most as long as a block, because Arrow cannot read longer cells.
_LARGEST = 3 * _BLOCK
_HEADER = 1024 * 1024
_DIGIT = np.zeros(256, bool)
_DIGIT[list(b"0123456789xX")] = True
# Bytes that may stand before a cell, and before the digits of a number with a sign.
_BEFORE = np.zeros(256, bool)
_BEFORE[list(b',\n"')] = True
_SIGN = np.zeros(256, bool)
_SIGN[list(b"+-")] = True
_NUMBERS = (pa.int64(), pa.float64())
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_OTHER_DELIMITERS = (";", "\t", "|")
_PARSE = pv.ParseOptions(newlines_in_values=True)


@dataclass(slots=True)
class Guesses:
    """Parameters that a reader guessed because the request did not name them.

    - timestamp_format: a recognized format.
    - timestamp_column: the column of the times, when several columns have names of times.
    - found: the column of the times in any case.
    """

    timestamp_column: str | None = None
    timestamp_format: str | None = None
    found: str | None = None


@dataclass(slots=True)
class _Column:
    """Findings of the first pass on a column. type: None while all cells are empty.

    - past: an integer is beyond the integers that floats represent exactly.
    - lost: a number does not fit 64 bits.
    - fraction: a number has a fraction or an exponent.
    """

    type: pa.DataType | None = None
    past: bool = False
    lost: bool = False
    fraction: bool = False

    def add(self, found: pa.DataType) -> None:
        if pa.types.is_null(found):
            return
        if self.type is None or self.type == found:
            self.type = found
        else:
            self.type = pa.float64() if {self.type, found} == set(_NUMBERS) else pa.string()

    def note(self, cells: pa.Array, texts: pa.Array, *, odd: bool) -> bool:
        """Notes values of a numeric column that 64 bits cannot hold. Returns False when the cells are codes instead of
        numbers.

        `odd` states that the block contains codes.
        """
        if odd and pc.any(pc.match_substring_regex(texts, r"^\s*(\+|-?0[\dxX])"), min_count=0).as_py():
            return False
        if cells.type == pa.int64():
            bounds = pc.min_max(cells).as_py()
            self.past = self.past or (bounds["min"] is not None and max(-bounds["min"], bounds["max"]) > EXACT_FLOAT)
            return True
        self.fraction = (
            self.fraction
            or bool(pc.any(pc.not_equal(pc.floor(cells), cells), min_count=0).as_py())
            or bool(pc.any(pc.match_substring_regex(texts, "[.eE]"), min_count=0).as_py())
        )
        # Most numbers are as short as possible, and Arrow writes them in the same way.
        left = texts.filter(pc.not_equal(cells.cast(pa.string()), texts))
        try:
            self.lost = self.lost or (len(left) > 0 and read_numbers(left, as_float=True).rest is not None)
        except ValueError:
            # NaN or Infinity, which the second pass reports.
            self.lost = True
        return True

    @property
    def as_text(self) -> bool:
        """Whether the column has numbers that must be read from their texts."""
        return self.type in _NUMBERS and (self.lost or (self.past and self.fraction))


@dataclass(slots=True)
class _Scan:
    """The first pass over a file."""

    header: list[str]
    types: dict[str, pa.DataType]
    columns: dict[str, _Column] = field(default_factory=dict)
    rows: int = 0

    def add(self, block: bytes, *, first: bool) -> None:
        """Checks a block of whole rows.

        Raises RowError: when a row has invalid quotes or encoding.
        Raises ArrowException: when Arrow cannot read the block.
        """
        _check_utf8(block, self.rows, header=first)
        check_quotes(block, self.rows, header=first)
        if not first:
            block = b",".join(b'"' + n.replace('"', '""').encode() + b'"' for n in self.header) + b"\n" + block
        table = pv.read_csv(pa.BufferReader(block), parse_options=_PARSE, convert_options=_options(self.types))
        numeric = [name for name in self.header if table.column(name).type in _NUMBERS]
        odd = _may_lose_digits(block)
        careful = odd or has_long_numbers(block) or not all(_normal(table.column(n), block) for n in numeric)
        texts = _texts(block, numeric) if careful else None
        for name in self.header:
            column, cells = self.columns.setdefault(name, _Column()), table.column(name)
            found = cells.type
            if found in _NUMBERS and texts is not None:
                written = texts.column(name).combine_chunks()
                if not column.note(cells.combine_chunks(), written, odd=odd):
                    found = pa.string()
            elif found == pa.float64():
                column.fraction = True
            elif pa.types.is_temporal(found):
                # Keeps the cell's text instead of the text that Arrow would write.
                found = pa.string()
            column.add(found)
        self.rows += table.num_rows


def read_csv(
    file: IO[bytes],
    time_column: str | None,
    time_format: str | None,
    guesses: Guesses | None = None,
    texts: Collection[str] = (),
) -> Iterator[Frame]:
    """Yields the frames of a CSV with a header, and writes guessed parameters to `guesses`. An empty cell is an absent
    key. The cells of the columns `texts` stay texts, whatever they look like.

    A column is numeric only if every cell is a number without a leading zero or plus sign, which a number would lose.

    Raises BadRequestError: when the file cannot be read.
    Raises RowError: when a row is invalid.
    """
    header = _csv_header(file)
    clock = TimeColumn(time_column, time_format, guess=True)
    if time_column not in header:
        _refuse_delimiter(header)
    name = clock.find(header)
    guesses = guesses if guesses is not None else Guesses()
    guesses.found = name
    if time_column is None and len(time_names(header)) > 1:
        guesses.timestamp_column = name
    columns = _scan(file, header, dict.fromkeys([name, *(one for one in texts if one in header)], pa.string()))
    types = {
        one: pa.string() if column.as_text or column.type is None else column.type for one, column in columns.items()
    } | {name: pa.string()}
    numbers = {one: column.fraction for one, column in columns.items() if column.as_text}
    try:
        reader = pv.open_csv(
            file,
            read_options=pv.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=_PARSE,
            convert_options=_options(types),
        )
        first_row = 0
        for batch in reader:
            yield frame_of(pa.table(batch), clock, first_row, numbers)
            first_row += batch.num_rows
            guesses.timestamp_format = clock.guessed
    except pa.ArrowException as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> BadRequestError:
    """Builds the error for a file that Arrow cannot read. Arrow counts rows from the header, which is row 1."""
    reason = reason_of(error)
    if (found := _RAGGED.search(reason)) is None:
        return BadRequestError("Invalid CSV", reason)
    row, wanted, cells = map(int, found.groups())
    return RowError(row - 2, None, f"the header names {many(wanted, 'column')}; the row has {many(cells, 'cell')}")


def _refuse_delimiter(header: list[str]) -> None:
    """Checks the header's delimiter.

    Raises BadRequestError: when the header is a single name with other delimiters in it.
    """
    other = next((one for one in _OTHER_DELIMITERS if one in header[0]), None) if len(header) == 1 else None
    if other is not None:
        reason = f"the header has no comma, which stands between names; is it {other!r} that does?"
        raise BadRequestError("Invalid CSV", reason)


def _options(types: dict[str, pa.DataType]) -> pv.ConvertOptions:
    return pv.ConvertOptions(
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["true"],
        false_values=["false"],
        timestamp_parsers=[],
        column_types=types,
    )


def _csv_header(file: IO[bytes]) -> list[str]:
    line = file.readline(_HEADER)
    # A name in quotes may hold line breaks.
    while line.count(b'"') % 2 and len(line) < _HEADER and (more := file.readline(_HEADER)):
        line += more
    file.seek(0)
    if not line.strip():
        reason = "the first line is blank" if line else "the body is empty"
        raise BadRequestError("Invalid CSV", f"{reason}; a header line is required")
    if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadRequestError("Invalid CSV", "it is UTF-16; say so with charset=utf-16 in the Content-Type")
    try:
        names: list[str] = pv.read_csv(pa.BufferReader(line.rstrip(b"\r\n") + b"\n")).column_names
    except (pa.ArrowException, UnicodeDecodeError):
        raise BadRequestError("Invalid CSV", "the header line cannot be read as UTF-8 CSV") from None
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BadRequestError("Invalid CSV", f"column {repeated!r} appears twice in the header")
    return names


def _scan(file: IO[bytes], header: list[str], types: dict[str, pa.DataType]) -> dict[str, _Column]:
    """Scans all rows of a file for the types of its columns. Returns to the start of the file.

    `types` are those of columns that are known before.
    """
    scan = _Scan(header, types)
    first = True
    while block := file.read(_BLOCK):
        block += file.readline()
        while open_quote(block) and len(block) < _LARGEST and (more := file.read(_BLOCK // 4)):
            block += more + file.readline()
        try:
            scan.add(block, first=first)
        except pa.ArrowException:
            # The second pass meets the same error and reports it.
            break
        first = False
    file.seek(0)
    return scan.columns


def _check_utf8(block: bytes, first_row: int, *, header: bool) -> None:
    if block.isascii():
        return
    try:
        block.decode()
    except UnicodeDecodeError as error:
        row = first_row + rows_before(block, error.start) - header
        reason = f"byte {block[error.start]:#04x} is not UTF-8; name the encoding with charset= in the Content-Type"
        raise RowError(row, None, reason) from None


def _normal(cells: pa.ChunkedArray, block: bytes) -> bool:
    """Checks that every number is finite, and large enough for a float with all digits."""
    if cells.type != pa.float64() or cells.null_count == len(cells):
        return True
    sizes = pc.min_max(pc.abs(cells)).as_py()
    # No comparison with NaN is true.
    if not sizes["max"] < math.inf or not pc.all(pc.is_finite(cells)).as_py():
        return False
    return bool(sizes["min"] >= LEAST_NORMAL) or not has_tiny_numbers(block)


def _texts(block: bytes, names: list[str]) -> pa.Table:
    options = pv.ConvertOptions(
        include_columns=names,
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    return pv.read_csv(pa.BufferReader(block), parse_options=_PARSE, convert_options=options)


def _may_lose_digits(block: bytes) -> bool:
    """Checks whether a cell may begin with a plus sign, or with a zero before another digit. Fast for blocks without
    either.
    """
    # Two line ends in front give the first cell something before it.
    text = np.frombuffer(b"\n\n" + block + b"\n", np.uint8)
    zeros = np.flatnonzero(text == ord("0"))
    before = text[zeros - 1]
    zeros = zeros[_BEFORE[before] | (_SIGN[before] & _BEFORE[text[zeros - 2]])]
    pluses = np.flatnonzero(text == ord("+"))
    starts = np.concatenate([zeros, pluses[_BEFORE[text[pluses - 1]]]])
    return bool(_DIGIT[text[starts + 1]].any())
