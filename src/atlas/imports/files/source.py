"""What every reader of files gives: batches of texts, and what is known about them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from atlas.errors import BadRequestError
from atlas.tables.model import FileFormat

# Columns past this many do not fit a PostgreSQL table together with those of Atlas.
MAX_COLUMNS = 1500


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is no row of the table. `number` counts records from 1."""

    number: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What somebody says of how a file is to be read, and what the table's last file was.

    sheet: its name or number; header: whether there is one; header_row: the row that it is, from 1; skip_rows: rows
    above the table; encoding: as Python names it; delimiter: what stands between cells; before: of the table's last
    files, which decides where the file leaves it open.
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
    """A file being read. `bad`, `fixed`, `notes` and `doubles` are complete once `batches` has ended.

    names: texts of the header, "" for a column without; native: for each column what the file itself says
    about its type ("text", "number", "float", "boolean", "time", "json"), or None where it is only text; delimiter: of
    a CSV; written: what the file shows of its encoding and delimiter;
    batches: tables of nullable string columns c0, c1, …; fixed: (record number, texts) of records that
    had too few or too many cells and could be mended, which are not in the batches; doubles: positions of columns
    whose fractions are all written as doubles are; declares_texts: whether an empty text differs from no value;
    units, descriptions: of columns by their positions, where the file says them beside the header.
    """

    names: Sequence[str]
    native: Sequence[str | None]
    batches: Iterator[pa.Table]
    bad: list[BadRecord] = field(default_factory=list)
    fixed: list[tuple[int, list[str | None]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    delimiter: str | None = None
    doubles: frozenset[int] = frozenset()
    declares_texts: bool = False
    units: dict[int, str] = field(default_factory=dict)
    descriptions: dict[int, str] = field(default_factory=dict)
    written: FileFormat = field(default_factory=FileFormat)

    def __post_init__(self) -> None:
        # PostgreSQL has no text with a NUL, and messages quote names.
        self.names = [name.replace("\0", "") for name in self.names]

    def numbers(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """The next `count` record numbers from `first` on that are not those of ragged records."""
        taken = [number for number, _ in self.fixed] + [bad.number for bad in self.bad]
        span = np.arange(first, first + count + len(taken))
        return span[~np.isin(span, np.array(taken, np.int64))][:count] if taken else span


@contextlib.contextmanager
def unclear_rows() -> Iterator[None]:
    """Turns a question about the first rows of a file into a BadRequestError."""
    try:
        yield
    except ValueError as error:
        raise BadRequestError("Instruction is unclear", str(error)) from None


def physical(position: int) -> str:
    """Name of a column within staging."""
    return f"c{position}"


def text_table(rows: Sequence[Sequence[str | None]], width: int) -> pa.Table:
    """A table of strings from rows of `width` cells."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return pa.table({physical(n): pa.array(list(cells), pa.string()) for n, cells in enumerate(columns)})
