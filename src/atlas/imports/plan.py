"""The plan of an import: the use of each column and record. A plan can be shown, stored and run again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import msgspec

from atlas.column_formats.model import Kind, notation
from atlas.contract.imports import Clause, Proposal
from atlas.errors import BadRequestError
from atlas.kit.identifiers import is_cut
from atlas.language.instructions import Duplicates, Filter, Policy
from atlas.tables.model import FileFormat, Rules, Table, TableColumn

_TIME_NAMES = ("timestamp", "ts", "time", "datetime", "date")


class ColumnPlan(msgspec.Struct, frozen=True):
    """A column of the file that is imported.

    position: its place in the file, from 0.
    guessed: nobody stated the type, so a misfit empties its cell rather than keeping the record out.
    unit, description: of a new column's values, as the file states.
    """

    position: int
    header: str
    name: str
    type: str
    kind: Kind
    new: bool = True
    semantic: str | None = None
    required: bool = False
    rules: Rules = Rules()
    guessed: bool = False
    unit: str = ""
    description: str = ""

    def table_column(self) -> TableColumn:
        """Returns the column of a new table.

        A column of currencies does not keep the header, which the amounts have as well.
        """
        currencies = self.type == "text" and self.kind.own_currency
        return TableColumn(
            self.name,
            self.type,
            self.name if currencies else self.header,
            self.semantic,
            self.required,
            self.rules,
            self.kind if self.kind.strict else None,
        )

    def format_after(self, before: Kind | None) -> Kind | None:
        """Returns the notation that the table stores for a column: the last in a file, else `before`."""
        if not self.kind.strict:
            return before if self.type != "text" else None
        if before is None:
            return self.kind
        if all(new in (None, old) for new, old in zip(notation(self.kind), notation(before), strict=True)):
            return before
        return replace(self.kind, currency=self.kind.currency or before.currency)


class ImportPlan(msgspec.Struct, frozen=True):
    """The plan of an import.

    filters: groups of comparisons. A record must pass all comparisons of one group.
    widened: new types of the table's columns.
    discard_columns: places in the file whose values keep a record out (policy "discard_row").
    hidden: columns that filters compare but that are not imported.
    replace: whether present rows are archived.
    only_existing: whether records that match no row are left out.
    left_out: headers that are not imported.
    understood, not_understood: the parts of the instruction.
    proposals: columns that headers may mean.
    questions: what must be answered before anything is written.
    written: the encoding and delimiter that the file shows.
    """

    table: str
    exists: bool
    columns: tuple[ColumnPlan, ...]
    key: tuple[str, ...] = ()
    key_found: bool = False
    duplicates: Duplicates = "skip"
    policy: Policy = "evolve"
    filters: tuple[tuple[Filter, ...], ...] = ()
    exclude: bool = False
    widened: dict[str, str] = msgspec.field(default_factory=dict)
    discard_columns: tuple[int, ...] = ()
    dataset: bool = False
    time_column: str | None = None
    sheet: str | None = None
    notes: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    hidden: tuple[ColumnPlan, ...] = ()
    replace: bool = False
    first: int | None = None
    first_matching: bool = False
    only_existing: bool = False
    left_out: tuple[str, ...] = ()
    understood: tuple[Clause, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    questions: tuple[str, ...] = ()
    written: FileFormat = FileFormat()

    def column(self, name: str) -> ColumnPlan | None:
        return next((column for column in self.columns if column.name == name), None)

    def filtered(self, name: str) -> ColumnPlan:
        """Returns the column that a filter compares, imported or not."""
        return next(column for column in (*self.columns, *self.hidden) if column.name == name)

    @property
    def key_columns(self) -> Sequence[ColumnPlan]:
        """The columns whose values make two records equal. Without a key: all columns."""
        chosen = [column for column in self.columns if column.name in self.key]
        return chosen if self.key else self.columns


def with_guesses(columns: Sequence[ColumnPlan], key: Sequence[str], stated: Collection[int]) -> list[ColumnPlan]:
    """Marks columns with a guessed type, where a misfit costs no record. Keys and `stated` positions are not marked."""
    return [
        msgspec.structs.replace(
            column, guessed=not (column.required or column.name in key or column.position in stated)
        )
        for column in columns
    ]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the table that the plan found, None for a new table or a dataset."""

    plan: ImportPlan
    table: Table | None


def cut_names(columns: Sequence[ColumnPlan]) -> list[str]:
    """Writes notes on new columns whose headers are longer than a name can be."""
    return [
        f"the header {column.header!r} is too long for a column, which is called {column.name}"
        for column in columns
        if column.new and column.name != column.header and is_cut(column.header)
    ]


def find_time_column(columns: Sequence[ColumnPlan]) -> ColumnPlan:
    """Returns the column with the time of a dataset's rows.

    Raises BadRequestError: when no column has dates or times.
    """
    times = [column for column in columns if column.type in ("date", "timestamp")]
    named = [column for name in _TIME_NAMES for column in times if column.name == name]
    if not times:
        raise BadRequestError("No time column", "a dataset needs a column with dates or times; say which one it is")
    return (named or times)[0]
