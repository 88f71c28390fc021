"""What an import's instruction says, whoever understood it: the offline engine or a model."""

from __future__ import annotations

import msgspec

from atlas.core.plans import Duplicates, Filter, Policy
from atlas.core.tables import Rules


class ImportInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction taken apart. Columns are named by the file's headers or the table's columns, as told.

    table: as told, or None; new: whether a new table was asked for; keep: the only columns to import;
    types: column to type; filters: as in ImportPlan; exclude: whether the filters name what stays out;
    not_understood: the words that mean nothing to the engine; question: what to ask before anything is written.
    """

    table: str | None = None
    new: bool = False
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    rename: dict[str, str] = msgspec.field(default_factory=dict)
    types: dict[str, str] = msgspec.field(default_factory=dict)
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
    dataset: bool = False
    time_column: str | None = None
    undo: bool = False
    same: bool = False
    not_understood: tuple[str, ...] = ()
    question: str | None = None
