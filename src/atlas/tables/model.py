"""Tables of the content half: their columns, types, and the ids of their rows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from atlas.column_formats.model import Kind
from atlas.contract.tables import TableColumn as ShownColumn
from atlas.contract.tables import TableSamples

# Columns that Atlas keeps beside a table's own, in the physical table only.
SYSTEM_COLUMNS = ("_row", "_import", "_key", "_archived", "_created", "_updated")
# What SQL and questions may name besides a table's own columns, and how it is computed.
ROW_TIMES = {"created_at": "_created", "updated_at": "coalesce(_updated, _created)"}
# What a schema shows, what PostgreSQL is told, and how wide a type is when two must agree.
SHOWN_TYPES = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "numeric": "NUMERIC",
    "double": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
}
POSTGRES_TYPES = {
    "text": "text",
    "bigint": "bigint",
    "numeric": "numeric",
    "double": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "json": "json",
}
# Types whose values the other holds as they are.
WIDENINGS = {("bigint", "numeric"), ("double", "numeric"), ("date", "timestamp")}


class Rules(msgspec.Struct, frozen=True, omit_defaults=True):
    """What values of a column must obey. Bounds are inclusive."""

    minimum: float | str | None = None
    maximum: float | str | None = None
    above: float | None = None
    values: tuple[str, ...] = ()

    @property
    def bounded(self) -> bool:
        """Whether a bound is a number, so that values are numbers, too."""
        return any(isinstance(bound, int | float) for bound in (self.minimum, self.maximum, self.above))


class TableColumn(msgspec.Struct, frozen=True):
    """A column of a table.

    format: how the last file wrote its values, where that is known; unit, description: what people say of its values.
    """

    name: str
    type: str
    header: str = ""
    semantic: str | None = None
    required: bool = False
    rules: Rules = Rules()
    format: Kind | None = None
    unit: str = ""
    description: str = ""


class Table(msgspec.Struct, frozen=True):
    """A table of an organization.

    changed: when its catalog rows last changed, as a text to compare; samples: whose model may be sent values of its
    cells, `nobody`'s or the `organization`'s.
    """

    id: int
    name: str
    schema: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...] = ()
    row_count: int = 0
    last_row: int = 0
    changed: str = ""
    samples: TableSamples = "organization"

    @property
    def physical(self) -> str:
        return f"_table_{self.id}"

    @property
    def row_times(self) -> tuple[str, ...]:
        """Names under which it has the times of its rows: those that no column of its own has."""
        return tuple(name for name in ROW_TIMES if self.column(name) is None)

    def column(self, name: str) -> TableColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    def find_column(self, name: str) -> TableColumn | None:
        """A column by its name in any case, or by the header that brought it."""
        lowered = name.strip().lower()
        by_name = {column.header.strip().lower(): column for column in self.columns}
        by_name |= {column.name.lower(): column for column in self.columns}
        return self.column(name) or by_name.get(lowered)


_VERSION_BITS, _VARIANT_BITS = 0x8 << 76, 0x2 << 62


def row_uuid(table_id: int, row: int) -> str:
    """The id of a row as others see it: a version 8 UUID that holds the table and the row's number."""
    return str(uuid.UUID(int=(table_id << 80) | _VERSION_BITS | _VARIANT_BITS | row))


def parse_row_uuid(text: str, table_id: int) -> int | None:
    """The row's number in a table's row id; None for any other text."""
    try:
        value = uuid.UUID(text).int
    except (ValueError, AttributeError, TypeError):
        return None
    row = value & ((1 << 62) - 1)
    return row if value == (table_id << 80) | _VERSION_BITS | _VARIANT_BITS | row else None


def public_columns(columns: Sequence[TableColumn]) -> tuple[ShownColumn, ...]:
    """Columns as `schema` shows them."""
    return tuple(
        ShownColumn(column.name, SHOWN_TYPES[column.type], not column.required, column.unit, column.description)
        for column in columns
    )
