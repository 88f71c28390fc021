"""What a question may be about: the tables and datasets that a caller may read, by logical and physical names."""

from __future__ import annotations

import msgspec


class CatalogColumn(msgspec.Struct, frozen=True):
    """A column.

    name: as users see it; type: one of `POSTGRES_TYPES`; physical: its name in the relation; unit: of its values, as
    people say it, such as °C; values: values that
    occur, most frequent first; complete: whether `values` holds all of them; low, high: least and greatest value
    as text, where known.
    """

    name: str
    type: str
    physical: str = ""
    description: str = ""
    unit: str = ""
    values: tuple[str, ...] = ()
    complete: bool = False
    low: str | None = None
    high: str | None = None

    @property
    def stored(self) -> str:
        """Its name in the relation."""
        return self.physical or self.name


class CatalogTable(msgspec.Struct, frozen=True):
    """A table or dataset.

    schema, relation: where PostgreSQL has its rows; key: what identifies a row; cold: whether it has packed rows;
    row_times: names of further columns, with the times of its rows, which `*` does not stand for;
    samples: whether a model of the asker's organization may be sent values of its cells; owner: whose it is, where it
    is another organization's.
    """

    name: str
    schema: str
    relation: str
    columns: tuple[CatalogColumn, ...]
    kind: str = "table"
    row_count: int | None = None
    key: tuple[str, ...] = ()
    dataset_id: int | None = None
    description: str = ""
    cold: bool = False
    row_times: tuple[str, ...] = ()
    samples: bool = False
    owner: str = ""

    def column(self, name: str) -> CatalogColumn | None:
        return next((column for column in self.columns if column.name == name), None)


class Join(msgspec.Struct, frozen=True):
    """Two columns whose values mean the same. The right one identifies a row of its table."""

    left_table: str
    left_column: str
    right_table: str
    right_column: str


class Catalog(msgspec.Struct, frozen=True):
    """Everything that a question may be about. Names of tables differ."""

    tables: tuple[CatalogTable, ...] = ()
    joins: tuple[Join, ...] = ()

    def table(self, name: str) -> CatalogTable | None:
        return next((table for table in self.tables if table.name == name), None)
