"""Handles rows of a CSV with too few or too many cells: repaired where no value could move, else kept for review."""

from __future__ import annotations

import functools
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from atlas.errors import BadRequestError
from atlas.imports.files.csv_dialects import Dialect, shown_delimiter
from atlas.imports.files.source import BadRecord, Source
from atlas.imports.infer.cell_values import looks_like_value
from atlas.imports.infer.note_lines import counts_records, lines_below, reads_like_note
from atlas.imports.infer.types import is_null_text
from atlas.kit.plurals import many

# More rows than this that do not fit mean that the file was misread.
MAX_BAD = 100_000
# The least number of rows that show the contents of columns.
_LEAST_ROWS = 3
# The maximum number of ragged lines between two lines of another table.
_MOST_BETWEEN = 4


@dataclass(slots=True)
class _Below:
    """Another table below the first: its names, and the numbers of its lines."""

    names: list[str]
    numbers: list[int]


def usual_cells(rows: Sequence[Sequence[str]], width: int) -> int:
    """Returns the number of cells that most rows have, at least `width`. Rows may end with superfluous delimiters."""
    lengths = Counter(len(row) for row in rows if any(row) and not any(row[width:]))
    return max(width, lengths.most_common(1)[0][0]) if lengths else width


def leaves_out_last_cells(rows: list[list[str]], width: int) -> bool:
    """Checks whether short rows are the file's way to omit empty last cells, as some programs do, and no errors."""
    filled = [row for row in rows if any(row)]
    short = sum(1 < len(row) < width for row in filled)
    return short >= 3 and short * 10 >= len(filled)


class _Columns:
    """The contents of a table's columns, learned from the first rows.

    cells: the number of cells that most rows have.
    """

    def __init__(self, rows: Sequence[Sequence[str]], width: int, cells: int) -> None:
        full = [[cell.strip() for cell in row] for row in rows if len(row) == cells and not any(row[width:])]
        self._seen = len(full) >= _LEAST_ROWS
        columns = [[row[place] for row in full] for place in range(width)]
        self._filled = [all(cells) for cells in columns]
        self._empty = [not any(cells) for cells in columns]
        self._values = [any(cells) and all(looks_like_value(cell) for cell in cells if cell) for cells in columns]

    def take(self, cells: Sequence[str]) -> bool:
        """Checks whether each cell of a row may belong to its column."""
        if not self._seen:
            return True
        return self.take_first(cells) and not any(
            empty if cell.strip() else filled
            for cell, filled, empty in zip(cells, self._filled, self._empty, strict=True)
        )

    def take_first(self, cells: Sequence[str]) -> bool:
        """Checks that no first cell of a row is a text in a column of values."""
        return not self._seen or all(
            not (values and cell) or looks_like_value(cell) or is_null_text(cell)
            for cell, values in zip(map(str.strip, cells), self._values, strict=False)
        )


class Mender:
    """Handles rows with too few or too many cells.

    rows: the first rows of the table, which show the contents of columns.
    cells: the cells of a usual row, cells behind the last column included.
    """

    def __init__(self, dialect: Dialect, rows: list[list[str]], source: Source, name: str) -> None:
        self._dialect, self._width, self._source, self._name = dialect, len(source.names), source, name
        self._fill = leaves_out_last_cells(rows, self._width)
        self.cells = usual_cells(rows, self._width)
        self._columns = _Columns(rows, self._width, self.cells)
        self._known = {text.strip().casefold() for text in source.names if text.strip()}
        self._others: list[_Below] = []
        self._joined = 0
        self.failure: BadRequestError | None = None

    def __call__(self, row: pv.InvalidRow) -> str:
        cells = next(self._dialect.rows(iter(io.StringIO(row.text, newline=""))), [])
        if self._width == 1 and self._dialect.quote not in row.text:
            # What would separate cells is part of the text in a file of one column.
            self._joined += 1
            cells = [row.text.rstrip("\r\n")]
        return self._take(row.number, cells, row.text)

    def without_spare(self, batch: pa.RecordBatch, read: int) -> pa.Table:
        """Returns the rows of a batch without the cells behind the last column. Rows with values there are ragged.

        read: the number of rows in the batches before.
        Raises BadRequestError: when too many rows are ragged.
        """
        table, columns = pa.table(batch), range(self._width)
        spare = table.columns[self._width :]
        if all(column.null_count == len(column) for column in spare):
            return table.select(columns)
        filled = functools.reduce(pc.or_, map(pc.is_valid, spare))
        numbers = self._source.numbers(1, read + len(table))[read:]
        rows = table.filter(filled).to_pylist()
        for number, row in zip(numbers[filled.to_numpy()].tolist(), rows, strict=True):
            cells = [cell or "" for cell in row.values()]
            self._take(number, cells, self._dialect.line(cells))
        if self.failure is not None:
            raise self.failure
        return table.filter(pc.invert(filled)).select(columns)

    def _take(self, number: int, cells: list[str], text: str) -> str:
        fits = len(cells) == self._width
        if not fits and not self._is_below(number, cells):
            fitting = cells
            while len(fitting) > self._width and not fitting[-1].strip():
                fitting = fitting[:-1]
            short = 1 < len(fitting) < self._width and self._fill and self._columns.take_first(fitting)
            if short or (len(fitting) == self._width and self._columns.take(fitting)):
                cells, fits = fitting, True
        if fits:
            self._source.fixed.append((number, [*cells, *[None] * (self._width - len(cells))]))
            return "skip"
        reason = f"it has {many(len(cells), 'cell')}, but the table has {self._width} columns"
        self._source.bad.append(BadRecord(number, reason, text[:10_000]))
        if len(self._source.bad) > MAX_BAD:
            self.failure = BadRequestError(
                "Invalid file", f"{self._name}: over {MAX_BAD:,} rows have not as many cells as the table has columns"
            )
            return "error"
        return "skip"

    def _is_note(self, record: BadRecord) -> bool:
        """Checks whether a last record with a single cell is a note. In two columns, the record may lack a cell."""
        text = record.text.strip()
        if self._width < 2 or not record.reason.startswith("it has 1 cell,"):
            return False
        if self._width > 2 or counts_records(text):
            return True
        apart = [text] in self._source.behind_blanks
        return reads_like_note(text) and (apart or not self._columns.take_first([text]))

    def _is_below(self, number: int, cells: list[str]) -> bool:
        """Checks whether a row belongs to another table below, which begins with names of the first table."""
        last = self._others[-1] if self._others else None
        if last is not None and 0 < number - last.numbers[-1] <= _MOST_BETWEEN and len(cells) == len(last.names):
            last.numbers.append(number)
            return True
        names = [cell.strip() for cell in cells]
        if names in self._source.behind_blanks and len(names) > 1:
            self._others.append(_Below(names, [number]))
            return True
        shared = sum(name.casefold() in self._known for name in names)
        if shared < 2 or shared * 2 < len(names) or not all(names) or any(map(looks_like_value, names)):
            return False
        self._others.append(_Below(names, [number]))
        return True

    def _notes_below(self, last: int) -> Iterator[BadRecord]:
        """Yields the lines with a single cell behind the last record, the last line first.

        last: the number of the last line.
        """
        for record in reversed(self._source.bad):
            if record.number != last or not self._is_note(record):
                return
            yield record
            last -= 1

    def finish(self, count: int) -> None:
        """Writes notes on the ragged rows after all rows are read.

        count: the number of rows with the right number of cells.
        Single-cell lines behind the last record are notes below the table and no records.
        """
        source, notes = self._source, self._source.notes
        source.bad.sort(key=lambda record: record.number)
        last_number = count + len(source.bad) + len(source.fixed)
        for other in self._others:
            source.withdraw(other.numbers)
            told = f"another table below the first was left out, with {len(other.numbers) - 1:,} of its records"
            notes.append(f"{told}: {', '.join(other.names)[:120]}")
        below = list(self._notes_below(last_number)) if count else []
        if below:
            source.withdraw(record.number for record in below)
            notes.append(lines_below([record.text.strip() for record in below[::-1]]))
        if self._joined:
            sign, have = shown_delimiter(self._dialect.delimiter), many(self._joined, "record has", "records have")
            notes.append(f"{have} {sign} in its only cell, which was kept")
        short = sum(None in cells for _, cells in source.fixed)
        if short:
            notes.append(f"{many(short, 'record has', 'records have')} no last cells, which were taken as empty")
