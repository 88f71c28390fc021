"""The values that an import instruction is read into, for the offline engine and for models alike."""

from __future__ import annotations

from typing import Literal

import msgspec

from atlas.contract.imports import Clause
from atlas.tables.model import Rules


class ImportInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """An import instruction taken apart.

    Columns are named by the file's headers or by the table's columns, as the instruction has them.

    table: the table's name as the instruction has it, or None.
    new: whether the instruction asks for a new table.
    replace: whether the table's present rows are removed.
    only_existing: whether records that match no row are left out.
    keep: the only columns to import.
    types: the type of each column by name.
    every_type: the type of all columns.
    filters: as in ImportPlan.
    exclude: whether the filters name the records to leave out.
    header: whether the file has a header row.
    header_row: the row of the header, counted from 1.
    skip_rows: the number of rows above the table.
    encoding: the encoding of a text file by its name in Python.
    delimiter: the character between the cells of a text file.
    first: the number of records to import from the start. None: all.
    first_of: whether `first` counts the records of the file or those that pass the filters. None: there are no filters.
    mapping: pairs of a column and the header that must fill the column, to be followed to the letter.
    accept_proposals: whether likely matches of columns are accepted. None: ask.
    understood: the instruction in Atlas's words.
    not_understood: the words that the engine does not know.
    question: what to ask before anything is written.
    """

    table: str | None = None
    new: bool = False
    replace: bool = False
    only_existing: bool = False
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    rename: dict[str, str] = msgspec.field(default_factory=dict)
    types: dict[str, str] = msgspec.field(default_factory=dict)
    every_type: str | None = None
    key: tuple[str, ...] = ()
    duplicates: Duplicates | None = None
    filters: tuple[tuple[Filter, ...], ...] = ()
    exclude: bool = False
    required: tuple[str, ...] = ()
    rules: dict[str, Rules] = msgspec.field(default_factory=dict)
    policy: Policy | None = None
    day_first: bool | None = None
    decimal_comma: bool | None = None
    sheet: str | None = None
    header: bool | None = None
    header_row: int | None = None
    skip_rows: int = 0
    encoding: str | None = None
    delimiter: str | None = None
    first: int | None = None
    first_of: Literal["file", "matching"] | None = None
    dataset: bool = False
    time_column: str | None = None
    undo: bool = False
    same: bool = False
    mapping: tuple[tuple[str, str], ...] = ()
    accept_proposals: bool | None = None
    understood: tuple[Clause, ...] = ()
    not_understood: tuple[str, ...] = ()
    question: str | None = None


Duplicates = Literal["skip", "flag", "update", "keep"]


Policy = Literal["evolve", "discard_value", "freeze", "discard_row"]


class Filter(msgspec.Struct, frozen=True):
    """A comparison that a record must pass.

    operator: one of = != > >= < <= between in contains starts ends empty filled.
    column: a column of the table.
    """

    column: str
    operator: str
    values: tuple[str, ...] = ()
    negated: bool = False
