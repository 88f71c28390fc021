"""The result of every file reader: batches of texts, and facts about the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atlas.errors import BadRequestError
from atlas.tables.model import FileFormat

# More columns do not fit a PostgreSQL table together with Atlas's own columns.
MAX_COLUMNS = 1500


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is no row of the table.

    number: of the record, counted from 1.
    """

    number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """A person's statements on the reading of a file, and the format of the table's last file.

    sheet: its name or number.
    header: whether the file has a header.
    header_row: the row of the header, counted from 1.
    skip_rows: the number of rows above the table.
    encoding: by Python's name.
    delimiter: between cells.
    before: the format of the table's last files, for ambiguous files.
    """

    sheet: str | None = None
    header: bool | None = None
    header_row: int | None = None
    skip_rows: int = 0
    encoding: str | None = None
    delimiter: str | None = None
    before: FileFormat = field(default_factory=FileFormat)

    @property
    def speaks_of_rows(self) -> bool:
        return self.header is not None or self.header_row is not None or self.skip_rows > 0


@dataclass(slots=True)
class Source:
    """A file that is being read. `bad`, `fixed`, `notes` and `doubles` are complete once `batches` has ended.

    names: the texts of the header, "" for a column without a name.
    native: for each column the file's own type ("text", "number", "float", "boolean", "time", "json"), or None if the
    file has texts only.
    batches: tables of nullable string columns c0, c1, ….
    bad: ragged records that wait.
    withdrawn: whether lines were taken out of `bad` again, as they are no records.
    lines: whether the file has lines that may be no records, as CSV files and sheets have.
    behind_blanks: lines behind a blank line that look like names of another table's columns, or have a single cell.
    fixed: (record number, texts) of repaired ragged records, which are not in the batches.
    delimiter: of a CSV.
    written: the encoding and delimiter that the file shows.
    doubles: positions of columns whose fractions are all written as doubles are.
    declares_texts: whether an empty text differs from a missing value.
    units, descriptions: of columns by position, if the file has such texts beside the header.
    """

    names: Sequence[str]
    native: Sequence[str | None]
    batches: Iterator[pa.Table]
    bad: list[BadRecord] = field(default_factory=list)
    withdrawn: bool = False
    lines: bool = False
    behind_blanks: list[list[str]] = field(default_factory=list)
    fixed: list[tuple[int, list[str | None]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    delimiter: str | None = None
    doubles: frozenset[int] = frozenset()
    declares_texts: bool = False
    units: dict[int, str] = field(default_factory=dict)
    descriptions: dict[int, str] = field(default_factory=dict)
    written: FileFormat = field(default_factory=FileFormat)

    def __post_init__(self) -> None:
        # PostgreSQL texts cannot hold NUL, and messages quote names.
        self.names = [name.replace("\0", "") for name in self.names]

    def withdraw(self, numbers: Iterable[int]) -> None:
        """Takes lines out of the ragged records that wait, as the lines are no records."""
        gone = set(numbers)
        self.bad = [record for record in self.bad if record.number not in gone]
        self.withdrawn = True

    def numbers(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """Returns the next `count` record numbers from `first` on, without the numbers of ragged records."""
        taken = [number for number, _ in self.fixed] + [bad.number for bad in self.bad]
        span = np.arange(first, first + count + len(taken))
        return span[~np.isin(span, np.array(taken, np.int64))][:count] if taken else span


@contextlib.contextmanager
def unclear_rows() -> Iterator[None]:
    """Converts a question on the first rows of a file to a BadRequestError."""
    try:
        yield
    except ValueError as error:
        raise BadRequestError("Instruction is unclear", str(error)) from None


def physical(position: int) -> str:
    """Returns the name of a column within staging."""
    return f"c{position}"


def text_table(rows: Sequence[Sequence[str | None]], width: int) -> pa.Table:
    """Builds a table of strings from rows of `width` cells."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return pa.table({physical(n): pa.array(list(cells), pa.string()) for n, cells in enumerate(columns)})
