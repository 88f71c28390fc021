"""Writes rows as an Excel workbook of one sheet, to a temporary file, each value as Excel can hold it.

A number in Excel is a double with 15 visible digits, so a number with more digits becomes a text. So does a time finer
than a millisecond, and a time before 1900-03-01, where Excel's calendar is wrong. No text becomes a formula.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import IO, Any

import pyarrow as pa

from atlas.errors import BadRequestError
from atlas.kit.query_csv import cell

# Excel's limits: rows of a sheet with the header, columns, characters of a cell, and characters of a sheet's name.
MAX_ROWS, MAX_COLUMNS, MAX_TEXT, MAX_NAME = 1_048_576, 16_384, 32_767, 31
DIGITS = 15
PIECE_ROWS, PIECE_BYTES, WIDTH_ROWS = 2_000, 256 * 1024, 200
FIRST_DAY = date(1900, 3, 1)
_WIDEST, _NARROWEST = 60, 8
_NO_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


class _Exact(float):
    """A double that is written with all of its digits. The library would cut the digits to 16."""

    def __format__(self, form: str) -> str:
        return float.__repr__(self)


def refuse_rows(count: int) -> None:
    """Raises BadRequestError when a sheet has no room for `count` rows."""
    if count >= MAX_ROWS:
        reason = f"a sheet of Excel takes {MAX_ROWS - 1:,} rows below its header, and these are {count:,}"
        raise BadRequestError("Too many rows", f"{reason}; take a range or a filter, CSV or Parquet")


class Workbook:
    """Writes tables of one schema into a sheet.

    title: the sheet's name. names: the columns' names, in order. notes: texts of `header_note` by name.
    """

    def __init__(self, title: str, names: Sequence[str], notes: Mapping[str, str] | None = None) -> None:
        import xlsxwriter

        if len(names) > MAX_COLUMNS:
            raise BadRequestError("Too many columns", f"a sheet of Excel takes {MAX_COLUMNS:,} columns")
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives this method, and is nowhere else
        # In this mode the library writes rows to its own file as they come.
        self._book = xlsxwriter.Workbook(self._file, {"constant_memory": True})
        self._book.use_zip64()
        self._sheet = self._book.add_worksheet(sheet_name(title))
        self._names, self._row, self._formats = list(names), 0, dict[str, Any]()
        self._lock, self._whole = threading.Lock(), False
        self._widths = [len(name) + 2 for name in names]
        bold = self._format("header")
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(names):
            self._text(column, name, bold)
            if note := (notes or {}).get(name):
                self._sheet.write_comment(0, column, note, {"x_scale": 2, "author": "Atlas"})

    def _format(self, form: str) -> Any:
        if form not in self._formats:
            made = {"bold": True} if form == "header" else {"num_format": form}
            self._formats[form] = self._book.add_format(made)
        return self._formats[form]

    def write(self, table: pa.Table) -> None:
        """Adds some thousand rows. Raises BadRequestError for a cell that no sheet can hold."""
        with self._lock:
            writers = [self._writer(field.type) for field in table.schema]
            cells = [column.to_pylist() for column in table.columns]
            for values in zip(*cells, strict=True):
                self._row += 1
                for column, (value, write) in enumerate(zip(values, writers, strict=True)):
                    if value is not None:
                        write(column, value)

    def write_rows(self, rows: Sequence[Sequence[Any]]) -> None:
        """Adds rows of a query, each value by its kind. Raises BadRequestError for a cell that no sheet can hold."""
        with self._lock:
            for values in rows:
                self._row += 1
                for column, value in enumerate(values):
                    if value is not None:
                        self._value(column, value)

    def _value(self, column: int, value: Any) -> None:
        if isinstance(value, bool):
            self._boolean(column, value)
        elif isinstance(value, int | float):
            self._number(column, value)
        elif isinstance(value, Decimal):
            digits = -int(value.as_tuple().exponent) if value.is_finite() else 0
            self._decimal(column, value, self._fixed(digits))
        elif isinstance(value, date | time):
            self._moment(column, value)
        else:
            self._text(column, cell(value))

    def _fixed(self, digits: int) -> Any:
        """Returns the format of numbers with `digits` decimal places."""
        return self._format("0." + "0" * digits if 0 < digits <= DIGITS else "0")

    def _writer(self, kind: pa.DataType) -> Callable[[int, Any], None]:
        if pa.types.is_boolean(kind):
            return self._boolean
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return self._number
        if pa.types.is_decimal(kind):
            form = self._fixed(kind.scale)
            return lambda column, value: self._decimal(column, value, form)
        if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
            return self._moment
        return self._text

    def _boolean(self, column: int, value: bool) -> None:
        self._sheet.write_boolean(self._row, column, value)

    def _number(self, column: int, value: int | float) -> None:
        if isfinite(value) and (isinstance(value, float) or abs(value) < 10**DIGITS):
            self._sheet.write_number(self._row, column, _Exact(value) if isinstance(value, float) else value)
            self._widen(column, len(repr(value)))
        else:
            self._text(column, str(value))

    def _decimal(self, column: int, value: Decimal, form: Any) -> None:
        if value.is_finite() and len(value.normalize().as_tuple().digits) <= DIGITS and abs(value) < 10**DIGITS:
            self._sheet.write_number(self._row, column, _Exact(value), form)
            self._widen(column, len(f"{value:f}"))
        else:
            self._text(column, f"{value:f}")

    def _moment(self, column: int, value: date | datetime | time) -> None:
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            fine = value.microsecond % 1000
            form = "yyyy-mm-dd hh:mm:ss.000" if value.microsecond else "yyyy-mm-dd hh:mm:ss"
            if not fine and value.date() >= FIRST_DAY:
                self._sheet.write_datetime(self._row, column, value, self._format(form))
                self._widen(column, len(form))
                return
        elif isinstance(value, date) and value >= FIRST_DAY:
            self._sheet.write_datetime(self._row, column, value, self._format("yyyy-mm-dd"))
            self._widen(column, 10)
            return
        self._text(column, value.isoformat())

    def _text(self, column: int, value: Any, form: Any = None) -> None:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if len(text.encode("utf-16-le")) // 2 > MAX_TEXT:
            where = f"row {self._row}, column {self._names[column]!r}"
            raise BadRequestError("Text too long", f"{where}: a cell of Excel takes {MAX_TEXT:,} characters; take CSV")
        if text.startswith("<r>") and text.endswith("</r>"):
            # In constant-memory mode the library would take such a text for its own markup.
            self._sheet.write_rich_string(self._row, column, "<", self._format("General"), text[1:])
        else:
            self._sheet.write_string(self._row, column, text, form)
        self._widen(column, len(text))

    def _widen(self, column: int, characters: int) -> None:
        if self._row <= WIDTH_ROWS:
            self._widths[column] = max(self._widths[column], characters + 1)

    def close(self) -> IO[bytes]:
        """Returns the finished file, at its beginning."""
        with self._lock:
            for column, width in enumerate(self._widths):
                self._sheet.set_column(column, column, min(_WIDEST, max(_NARROWEST, width)))
            self._whole = True
            self._book.close()
            self._file.seek(0)
            return self._file

    def discard(self) -> None:
        """Removes the files. A write that is under way in another thread ends first."""
        with self._lock:
            # Closing the book removes the library's own files.
            if not self._whole:
                self._whole = True
                self._book.close()
            self._file.close()


def sheet_name(title: str) -> str:
    """Converts a title to a name that Excel accepts for a sheet."""
    name = _NO_NAME.sub(" ", title)[:MAX_NAME].strip().strip("'")
    return "Sheet1" if not name or name.lower() == "history" else name


class Workbooks:
    """Makes workbooks one after another.

    Each value passes through Python, and parallel workbooks would delay all requests.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def pieces(
        self,
        title: str,
        names: Sequence[str],
        tables: AsyncIterator[pa.Table],
        notes: Mapping[str, str] | None = None,
    ) -> AsyncIterator[bytes]:
        """Yields the bytes of a workbook.

        The workbook is complete before its first piece, which may raise BadRequestError.
        """
        book = await asyncio.to_thread(Workbook, title, names, notes)
        try:
            async for table in tables:
                for start in range(0, len(table), PIECE_ROWS):
                    # Turns change between pieces, so that a small file need not wait for a large file.
                    async with self._turn:
                        await asyncio.to_thread(book.write, table.slice(start, PIECE_ROWS))
            async with self._turn:
                file = await asyncio.to_thread(book.close)
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece
        finally:
            await asyncio.shield(asyncio.to_thread(book.discard))

    async def of_rows(self, title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
        """Returns a workbook of a query's rows. Raises BadRequestError for rows that no sheet can hold."""
        book = await asyncio.to_thread(Workbook, title, names)
        try:
            async with self._turn:
                await asyncio.to_thread(book.write_rows, rows)
                return await asyncio.to_thread(lambda: book.close().read())
        finally:
            await asyncio.shield(asyncio.to_thread(book.discard))


async def begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Waits for the first of the pieces, then returns all of them. So an error is raised before an answer begins."""
    first = await anext(pieces, b"")
    return _rest(first, pieces)


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
