"""Bodies and answers about tables, for validation and for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class TableView(BaseModel):
    """A table in a list."""

    table_name: str
    row_count: int
    kind: Literal["table", "dataset"]
    dataset_id: int | None = None
    owner: str | None = Field(
        None, description="Whose dataset it is, where it is another organization's.", examples=["ann of acme"]
    )


class TablesView(BaseModel):
    """Tables of an organization."""

    success: bool
    tables: list[TableView]


class ColumnSchema(BaseModel):
    """A column of a table."""

    name: str
    type: str
    nullable: bool
    unit: str = Field("", description="Of its values; empty where nobody said.", examples=["USD"])
    description: str = Field("", description="What its values mean; empty where nobody said.")


class DescribedView(BaseModel):
    """A column as it is now."""

    success: bool
    table_name: str
    column: ColumnSchema


class SchemaView(BaseModel):
    """Columns of a table."""

    success: bool
    table_name: str
    columns: list[ColumnSchema]
    system_columns: list[ColumnSchema] = Field(
        default_factory=list,
        description="Times of rows that SQL and questions may name; `*` and exports leave them out.",
    )


class StatsView(BaseModel):
    """What a table is like."""

    success: bool
    table_name: str
    row_count: int
    column_count: int
    columns: dict[str, str]
    statistics: dict[str, dict[str, Any]] = Field(default_factory=dict)
    key_columns: list[str] = Field(default_factory=list)
