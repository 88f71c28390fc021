"""What every reader of files gives: batches of texts, and what is known about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

# Columns past this many do not fit a PostgreSQL table together with those of Atlas.
MAX_COLUMNS = 1500


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that is no row of the table. `number` counts records from 1."""

    number: int
    reason: str
    text: str


@dataclass(slots=True)
class Source:
    """A file being read. `bad`, `fixed` and `notes` are complete once `batches` has ended.

    names: texts of the header, "" for a column without; native: for each column what the file itself says
    about its type ("text", "number", "float", "boolean", "time", "json"), or None where it is only text; delimiter: of
    a CSV;
    batches: tables of nullable string columns c0, c1, …; fixed: (record number, texts) of records that
    had too few or too many cells and could be mended, which are not in the batches.
    """

    names: Sequence[str]
    native: Sequence[str | None]
    batches: Iterator[pa.Table]
    bad: list[BadRecord] = field(default_factory=list)
    fixed: list[tuple[int, list[str | None]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    delimiter: str | None = None


def physical(position: int) -> str:
    """Name of a column within staging."""
    return f"c{position}"


def text_table(rows: Sequence[Sequence[str | None]], width: int) -> pa.Table:
    """A table of strings from rows of `width` cells."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * width
    return pa.table({physical(n): pa.array(list(cells), pa.string()) for n, cells in enumerate(columns)})
