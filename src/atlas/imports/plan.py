"""The plan of an import: what becomes of each column and record. It can be shown, stored and run again."""

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
    """A column of the file that is imported. `position` is its place in the file, from 0.

    guessed: nobody stated the type, so what is no value of it leaves its cell empty rather than the record out.
    unit, description: what the file says of a new column's values.
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
        """The column of a new table. One for currencies is not found by the header that amounts have, too."""
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
        """What the table remembers of the notation of a column: the last that a file has shown, `before` till then."""
        if not self.kind.strict:
            return before if self.type != "text" else None
        if before is None:
            return self.kind
        if all(new in (None, old) for new, old in zip(notation(self.kind), notation(before), strict=True)):
            return before
        return replace(self.kind, currency=self.kind.currency or before.currency)


class ImportPlan(msgspec.Struct, frozen=True):
    """What an import does.

    filters: groups of comparisons, of which a record must pass all of one group; widened: new types of
    columns of the table; discard_columns: places in the file whose values keep a record out (policy
    "discard_row"); hidden: columns that filters compare and that are not imported; replace: whether the rows that are
    there are archived; only_existing: whether records that match no row stay out; left_out: headers that are not
    imported; understood, not_understood: the instruction; proposals: columns that headers may mean; questions: what
    must be answered before anything is written; written: what the file shows of its encoding and delimiter.
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
        """The column that a filter compares, which need not be imported."""
        return next(column for column in (*self.columns, *self.hidden) if column.name == name)

    @property
    def key_columns(self) -> Sequence[ColumnPlan]:
        """Columns whose values make two records the same; without a key, all."""
        chosen = [column for column in self.columns if column.name in self.key]
        return chosen if self.key else self.columns


def with_guesses(columns: Sequence[ColumnPlan], key: Sequence[str], stated: Collection[int]) -> list[ColumnPlan]:
    """Marks columns whose type is a guess that costs no record: not those of keys, and none of `stated` positions."""
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
    """Notes on new columns whose headers are longer than a name can be."""
    return [
        f"the header {column.header!r} is too long for a column, which is called {column.name}"
        for column in columns
        if column.new and column.name != column.header and is_cut(column.header)
    ]


def find_time_column(columns: Sequence[ColumnPlan]) -> ColumnPlan:
    """The column that holds the time of a dataset's rows. Raises BadRequestError where none has dates or times."""
    times = [column for column in columns if column.type in ("date", "timestamp")]
    named = [column for name in _TIME_NAMES for column in times if column.name == name]
    if not times:
        raise BadRequestError("No time column", "a dataset needs a column with dates or times; say which one it is")
    return (named or times)[0]
