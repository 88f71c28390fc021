"""Answers on tables: names, columns, and statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from atlas.contract.shape import Shape, Success, absent

TableSamples = Literal["nobody", "organization"]


@dataclass(frozen=True)
class Table(Shape):
    """A table in a list."""

    _name: ClassVar = "TableView"
    table_name: str
    row_count: int
    kind: Literal["table", "dataset"]
    dataset_id: int | None = field(default_factory=absent)
    owner: str | None = field(
        default_factory=absent,
        metadata={
            "description": "Whose dataset it is, where it is another organization's.",
            "examples": ["ann of acme"],
        },
    )


@dataclass(frozen=True)
class TablesView(Success):
    """Tables of an organization."""

    tables: tuple[Table, ...]


@dataclass(frozen=True)
class TableColumn(Shape):
    """A column of a table."""

    _name: ClassVar = "ColumnSchema"
    name: str
    type: str
    nullable: bool
    unit: str = field(
        default="", metadata={"description": "Of its values; empty where nobody said.", "examples": ["USD"]}
    )
    description: str = field(default="", metadata={"description": "What its values mean; empty where nobody said."})


@dataclass(frozen=True)
class DescribedView(Success):
    """A column after a change."""

    table_name: str
    column: TableColumn


@dataclass(frozen=True)
class SchemaView(Success):
    """Columns of a table."""

    table_name: str
    columns: tuple[TableColumn, ...]
    system_columns: tuple[TableColumn, ...] = field(
        default=(),
        metadata={"description": "Times of rows that SQL and questions may name; `*` and exports leave them out."},
    )


@dataclass(frozen=True)
class TableStats(Success):
    """Statistics of a table. columns: name to type; statistics: by column."""

    _name: ClassVar = "StatsView"
    table_name: str
    row_count: int
    column_count: int
    columns: dict[str, str]
    statistics: dict[str, dict[str, Any]] = field(default_factory=absent)
    key_columns: tuple[str, ...] = field(default_factory=absent)
    encoding: str | None = field(
        default_factory=absent,
        metadata={
            "description": "Of the table's last text file; a later one that may be in several is read in it.",
            "examples": ["cp1252"],
        },
    )
    delimiter: str | None = field(
        default_factory=absent,
        metadata={"description": "Between the cells of the table's last CSV; decides as `encoding` does."},
    )


@dataclass(frozen=True)
class TableSamplesView(Success):
    """Whose model may receive values of a table's cells."""

    table_name: str
    samples: TableSamples
