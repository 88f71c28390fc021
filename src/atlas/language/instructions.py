"""What an import's instruction says, whoever understood it: the offline engine or a model."""

from __future__ import annotations

from typing import Literal

import msgspec

from atlas.tables.model import Rules


class ImportInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction taken apart. Columns are named by the file's headers or the table's columns, as told.

    table: as told, or None; new: whether a new table was asked for; replace: whether the rows that are there go;
    only_existing: whether records that match no row stay out; keep: the only columns to import; types: column to type;
    every_type: the type of all columns; filters: as in ImportPlan; exclude: whether the filters name what stays out;
    header: whether the file has one; header_row: its row, from 1; skip_rows: rows above the table; mapping: pairs of a
    column and the header that is to fill it, to be obeyed to the letter; accept_proposals: whether columns that may be
    meant are taken (None: ask); understood: the instruction in Atlas's words; not_understood: the words that mean
    nothing to the engine; question: what to ask before anything is written.
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

    operator: one of = != > >= < <= between in contains starts ends empty filled; column: of the table.
    """

    column: str
    operator: str
    values: tuple[str, ...] = ()
    negated: bool = False


class Clause(msgspec.Struct, frozen=True):
    """A thing that an instruction asks for. kind: what of, such as "filter"; meaning: how it was read; words: of the
    instruction, where they are known.
    """

    kind: str
    meaning: str
    words: tuple[str, ...] = ()
