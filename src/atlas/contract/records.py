"""Rows of tables: pages, changes, histories, and instructions in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from atlas.contract.imports import ENGINE, ImportKind, InstructionEngine, Proposal
from atlas.contract.shape import Json, Moment, Shape, Success, absent


@dataclass(frozen=True)
class PageColumn(Shape):
    """A column."""

    _name: ClassVar = "ColumnPart"
    name: str
    type: str
    unit: str = field(
        default="", metadata={"description": "Of its values; empty where nobody said.", "examples": ["USD"]}
    )
    description: str = field(default="", metadata={"description": "What its values mean; empty where nobody said."})


@dataclass(frozen=True, kw_only=True)
class TablePage(Success):
    """A page of rows. Each has its number in `_row`."""

    _name: ClassVar = "RowsView"
    table_name: str
    columns: tuple[PageColumn, ...]
    total_count: int
    limit: int = 0
    offset: int = 0
    rows: tuple[Json, ...] = field(metadata={"examples": [[{"_row": 1, "email": "ann@x.com", "age": 30}]]})


@dataclass(frozen=True)
class ColumnValue(Shape):
    """A value of a column. rows: number of rows with the value."""

    value: Any
    rows: int


@dataclass(frozen=True)
class ColumnValues(Success):
    """The most frequent values of a column. distinct_count: number of all values, null among them."""

    _name: ClassVar = "ColumnValuesView"
    table_name: str
    column: str
    values: tuple[ColumnValue, ...] = field(metadata={"examples": [[{"value": "CA", "rows": 12}]]})
    distinct_count: int


@dataclass(frozen=True)
class RowChange(Success):
    """A row after a change. row: the number of the row; import_id: the id that undoes the change."""

    _name: ClassVar = "ChangedRowView"
    table_name: str
    import_id: str
    row: int
    values: Json
    archived: bool
    notes: tuple[str, ...] = field(metadata={"description": "How texts were read that are no plain values."})


@dataclass(frozen=True)
class PastChange(Shape):
    """A change of a row: what changed, before and after it."""

    _name: ClassVar = "RowChange"
    import_id: str
    kind: ImportKind
    action: str = field(metadata={"examples": ["insert", "update", "archive", "restore"]})
    at: Moment | None
    user: str | None
    before: Json | None
    after: Json | None
    undone: bool


@dataclass(frozen=True)
class RowHistory(Success):
    """Changes of a row, newest first."""

    _name: ClassVar = "RowHistoryView"
    table_name: str
    row: int
    changes: tuple[PastChange, ...]


@dataclass(frozen=True)
class DeletedTable(Success):
    """A table that is gone."""

    _name: ClassVar = "DeletedTableView"
    table_name: str
    deleted: bool
    rows_removed: int


@dataclass(frozen=True, kw_only=True)
class MissingRow(Shape):
    """An update whose keys no row has: its place in the batch, or its record in the file."""

    _name: ClassVar = "NotFoundItem"
    index: int | None = field(default_factory=absent)
    record_number: int | None = field(default_factory=absent)
    keys: Json


@dataclass(frozen=True)
class Updated(Success):
    """The result of an update. import_id: the id that undoes the update; not_found: the first 100 keys."""

    _name: ClassVar = "UpdatedView"
    table_name: str
    rows_updated: int = field(metadata={"description": "Rows that matched."})
    rows_changed: int
    import_id: str
    rows_not_found: int
    not_found: tuple[MissingRow, ...]
    validation_failures: int = field(
        default_factory=absent, metadata={"description": "Records of the file that failed, if any did."}
    )
    value_replacements: int = field(
        default_factory=absent, metadata={"description": "Of a file: cells that are no values, if there are any."}
    )
    unknown_columns: tuple[str, ...] = field(
        default_factory=absent, metadata={"description": "Of a file: headers that the table has no column for."}
    )
    notes: tuple[str, ...] = field(
        default_factory=absent,
        metadata={"description": "Of a file: what was decided. Else how texts were read that are no plain values."},
    )
    proposals: tuple[Proposal, ...] = field(
        default_factory=absent, metadata={"description": "Of a file: columns that headers may mean."}
    )


@dataclass(frozen=True)
class RecordedEntity(Shape):
    """The result for one record of an instruction."""

    _name: ClassVar = "EntityView"
    entity_type: str
    table_name: str
    success: bool
    operation: str = field(metadata={"examples": ["INSERT"]})
    record_count: int
    inserted_ids: tuple[str, ...] = field(default_factory=absent, metadata={"description": "Of an insert."})
    affected_ids: tuple[str, ...] = field(default_factory=absent, metadata={"description": "Of anything else."})


@dataclass(frozen=True)
class ShownRow(Shape):
    """A row that would change. before: what identifies the row and its present values; after: the new values."""

    row: int
    before: Json
    after: Json


@dataclass(frozen=True)
class InstructionPreview(Shape):
    """What a change of many rows would do. row_count: all rows; rows: the first ten."""

    table_name: str
    intent: str
    row_count: int
    rows: tuple[ShownRow, ...]


@dataclass(frozen=True)
class Recorded(Shape):
    """The result of an instruction. With `success` false nothing was written, and `question` asks back."""

    _name: ClassVar = "InstructionView"
    success: bool
    intent: str | None
    entities: tuple[RecordedEntity, ...]
    tables_affected: tuple[str, ...]
    total_records_processed: int
    question: str | None = field(default_factory=absent)
    preview: InstructionPreview | None = field(
        default_factory=absent, metadata={"description": "The rows that a yes would change."}
    )
    thread_id: str | None = field(
        default_factory=absent, metadata={"description": "Of a question: the conversation in which to answer."}
    )
    message: str | None = field(default_factory=absent, metadata={"description": "What was undone, or not done."})
    language_engine: InstructionEngine | None = field(default_factory=absent, metadata=ENGINE)
    notes: tuple[str, ...] = field(
        default_factory=absent, metadata={"description": "What happened to the model, where there is one."}
    )
