"""Tables of the content half: columns, types, and the ids of rows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from atlas.column_formats.model import Kind
from atlas.contract.tables import TableColumn as ShownColumn
from atlas.contract.tables import TableSamples

# Columns that Atlas keeps beside a table's own columns, in the physical table only.
SYSTEM_COLUMNS = ("_row", "_import", "_key", "_archived", "_created", "_updated")
# Columns that SQL and questions may name besides a table's own columns, with their expressions.
ROW_TIMES = {"created_at": "_created", "updated_at": "coalesce(_updated, _created)"}
# SHOWN_TYPES: names in a schema. POSTGRES_TYPES: names in PostgreSQL.
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
# Pairs of types whose second type holds all values of the first.
WIDENINGS = {("bigint", "numeric"), ("double", "numeric"), ("date", "timestamp")}


class Rules(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules for the values of a column. Bounds are inclusive."""

    minimum: float | str | None = None
    maximum: float | str | None = None
    above: float | None = None
    values: tuple[str, ...] = ()

    @property
    def bounded(self) -> bool:
        """Whether a bound is a number, so that values are also numbers."""
        return any(isinstance(bound, int | float) for bound in (self.minimum, self.maximum, self.above))


class TableColumn(msgspec.Struct, frozen=True):
    """A column of a table.

    `format` is the notation of the values in the last file, if known. `unit` and `description` are texts of users.
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


class FileFormat(msgspec.Struct, frozen=True):
    """How a text file is written. Each is None where nothing shows it, as for a file in ASCII or with one column.

    encoding: as Python names it; delimiter: what stands between cells.
    """

    encoding: str | None = None
    delimiter: str | None = None


class Table(msgspec.Struct, frozen=True):
    """A table of an organization.

    - changed: the last change of its catalog rows, as a text to compare.
    - samples: whose model may receive values of cells, `nobody`'s or the `organization`'s.
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
        """Names of the columns with the times of rows, without names that the table's own columns have."""
        return tuple(name for name in ROW_TIMES if self.column(name) is None)

    def column(self, name: str) -> TableColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    def find_column(self, name: str) -> TableColumn | None:
        """Returns a column by its name in any case, or by the header of its file, or None."""
        lowered = name.strip().lower()
        by_name = {column.header.strip().lower(): column for column in self.columns}
        by_name |= {column.name.lower(): column for column in self.columns}
        return self.column(name) or by_name.get(lowered)


_VERSION_BITS, _VARIANT_BITS = 0x8 << 76, 0x2 << 62


def row_uuid(table_id: int, row: int) -> str:
    """Builds the public id of a row: a version 8 UUID of the table's id and the row's number."""
    return str(uuid.UUID(int=(table_id << 80) | _VERSION_BITS | _VARIANT_BITS | row))


def parse_row_uuid(text: str, table_id: int) -> int | None:
    """Returns the row's number in a row id of a table, or None for another text."""
    try:
        value = uuid.UUID(text).int
    except (ValueError, AttributeError, TypeError):
        return None
    row = value & ((1 << 62) - 1)
    return row if value == (table_id << 80) | _VERSION_BITS | _VARIANT_BITS | row else None


def public_columns(columns: Sequence[TableColumn]) -> tuple[ShownColumn, ...]:
    """Converts columns to those of a schema answer."""
    return tuple(
        ShownColumn(column.name, SHOWN_TYPES[column.type], not column.required, column.unit, column.description)
        for column in columns
    )
