"""The catalog of a question: readable tables and datasets, by logical and physical names."""

from __future__ import annotations

import msgspec


class CatalogColumn(msgspec.Struct, frozen=True):
    """A column.

    - name: the name for users.
    - type: one of `POSTGRES_TYPES`.
    - physical: the name in the relation.
    - unit: the unit of the values, as people write it, such as °C.
    - values: occurring values, most frequent first.
    - complete: whether `values` holds all values.
    - low, high: least and greatest value as text, if known.
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
        """The column's name in the relation."""
        return self.physical or self.name


class CatalogTable(msgspec.Struct, frozen=True):
    """A table or dataset.

    - schema, relation: the relation in PostgreSQL that holds the rows.
    - key: the columns that identify a row.
    - cold: whether the dataset has packed rows.
    - row_times: names of further columns with the times of rows, which `*` leaves out.
    - samples: whether a model of the asker's organization may receive values of cells.
    - owner: the owner, when the dataset belongs to another organization.
    - series: the declared keys of a dataset, which tell its series apart.
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
    series: tuple[str, ...] = ()

    def column(self, name: str) -> CatalogColumn | None:
        return next((column for column in self.columns if column.name == name), None)


class Join(msgspec.Struct, frozen=True):
    """Two columns with the same meaning. The right column identifies a row of its table."""

    left_table: str
    left_column: str
    right_table: str
    right_column: str


class Catalog(msgspec.Struct, frozen=True):
    """All tables and datasets for questions, with different names, and the joins between them."""

    tables: tuple[CatalogTable, ...] = ()
    joins: tuple[Join, ...] = ()

    def table(self, name: str) -> CatalogTable | None:
        return next((table for table in self.tables if table.name == name), None)
