"""Tables of an organization, and the datasets that a caller may read as tables."""

from __future__ import annotations

from typing import Any

from atlas.accounts.access import Caller
from atlas.accounts.authorization import require_admin
from atlas.contract.tables import SchemaView, TableColumn, TableSamples, TableSamplesView, TableStats, TablesView
from atlas.contract.tables import Table as ListedTable
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.identifiers import table_identifier
from atlas.tables import export
from atlas.tables import repository as tables
from atlas.tables.model import SHOWN_TYPES, Table, public_columns
from atlas.tables.repository import DatasetName, named_datasets

Row = dict[str, Any]
_DATASET_TYPES = {
    "int": "BIGINT",
    "float": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "json": "JSON",
}


def dataset_column(column: Row) -> TableColumn:
    """A dataset's column as that of a table."""
    return TableColumn(column["name"], _DATASET_TYPES[column["dtype"]], True, column["unit"], column["description"])


class TableService:
    """What callers see of tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, caller: Caller, name: str) -> Table:
        """A table of the organization by its name. Raises NotFoundError."""
        found = await self._table(caller, name)
        if found is None:
            raise NotFoundError("Table not found", f"no table {name[:100]!r}")
        return found

    async def with_rows(self, caller: Caller, name: str) -> Table:
        """As `find`; that a dataset's rows are elsewhere is told by BadRequestError."""
        found = await self._table(caller, name)
        if found is None:
            number = (await self._dataset(caller, name)).id
            told = f"{name[:100]!r} is dataset {number}; use /api/rows/?dataset={number}, or /api/rows/bulk_download/"
            raise BadRequestError("Not a table", told)
        return found

    async def _table(self, caller: Caller, name: str) -> Table | None:
        for spelled in (name, table_identifier(name)):
            found = await tables.find_tables(self._database, caller, name=spelled)
            if found:
                return found[0]
        return None

    async def list(self, caller: Caller) -> TablesView:
        """Tables with their row counts, then the datasets that the caller may read."""
        own = await tables.find_tables(self._database, caller)
        listed = [ListedTable(t.name, t.row_count, "table") for t in own]
        for name, dataset in (await self._datasets(caller, {t.name for t in own})).items():
            owner = {"owner": dataset.owner} if dataset.owner else {}
            listed.append(ListedTable(name, dataset.row_count, "dataset", dataset.id, **owner))
        return TablesView(tuple(listed))

    async def _datasets(self, caller: Caller, taken: set[str]) -> dict[str, DatasetName]:
        """Readable datasets by the name that they have as tables."""
        return named_datasets(await tables.dataset_names(self._database, caller), taken)

    async def samples(self, caller: Caller, name: str) -> TableSamplesView:
        """Whose model may be sent values of a table of the organization."""
        table = await self.find(caller, name)
        return TableSamplesView(table.name, table.samples)

    async def set_samples(self, caller: Caller, name: str, samples: TableSamples) -> TableSamplesView:
        """Says whose model may be sent values of a table. Raises ForbiddenError for who does not administer it."""
        require_admin(caller, "say what a model is sent of the organization's tables")
        table = await self.find(caller, name)
        async with self._database.connection() as connection:
            await tables.set_samples(connection, table.id, samples)
        return TableSamplesView(table.name, samples)

    async def schema(self, caller: Caller, name: str) -> SchemaView:
        """Columns of a table."""
        table = await self._table(caller, name)
        if table is None:
            dataset = await self._dataset(caller, name)
            time = TableColumn("ts", SHOWN_TYPES["timestamp"], False)
            return SchemaView(name, (time, *map(dataset_column, dataset.columns)))
        times = tuple(TableColumn(one, SHOWN_TYPES["timestamp"], False) for one in table.row_times)
        return SchemaView(table.name, public_columns(table.columns), times)

    async def table_or_dataset(self, caller: Caller, name: str) -> Table | tables.ReadableDataset:
        """What `schema` is of. Raises NotFoundError."""
        return await self._table(caller, name) or await self._dataset(caller, name)

    async def _dataset(self, caller: Caller, name: str) -> tables.ReadableDataset:
        own = {table.name for table in await tables.find_tables(self._database, caller)}
        found = (await self._datasets(caller, own)).get(name)
        readable = await tables.readable_datasets(self._database, caller, [found.id]) if found is not None else ()
        if not readable:
            raise NotFoundError("Table not found", f"no table {name[:100]!r}")
        return readable[0]

    async def stats(self, caller: Caller, name: str) -> TableStats:
        """Row count, column count, and for each column its type and what its values are like."""
        table = await self._table(caller, name)
        if table is None:
            dataset = await self._dataset(caller, name)
            types = {"ts": "TIMESTAMP WITH TIME ZONE"} | {
                c["name"]: _DATASET_TYPES[c["dtype"]] for c in dataset.columns
            }
            return TableStats(name, dataset.row_count, len(types), types)
        found = await export.column_stats(self._database, table)
        types = {column.name: SHOWN_TYPES[column.type] for column in table.columns}
        return TableStats(table.name, table.row_count, len(types), types, found, table.key)
