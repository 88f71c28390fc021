"""Tables of an organization, and datasets that a caller may read as tables."""

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
    """Converts a dataset's column to a column of a table."""
    return TableColumn(column["name"], _DATASET_TYPES[column["dtype"]], True, column["unit"], column["description"])


class TableService:
    """Reads of tables for callers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, caller: Caller, name: str) -> Table:
        """Returns a table of the organization by name.

        Raises NotFoundError: when there is no such table.
        """
        found = await self._table(caller, name)
        if found is None:
            raise NotFoundError("Table not found", f"no table {name[:100]!r}")
        return found

    async def with_rows(self, caller: Caller, name: str) -> Table:
        """Returns a table like `find`.

        Raises BadRequestError: when the name is that of a dataset, whose rows have other endpoints.
        """
        found = await self._table(caller, name)
        if found is None:
            number = (await self._dataset(caller, name)).id
            reason = f"{name[:100]!r} is dataset {number}; use /api/rows/?dataset={number}, or /api/rows/bulk_download/"
            raise BadRequestError("Not a table", reason)
        return found

    async def _table(self, caller: Caller, name: str) -> Table | None:
        for spelled in (name, table_identifier(name)):
            found = await tables.find_tables(self._database, caller, name=spelled)
            if found:
                return found[0]
        return None

    async def list(self, caller: Caller) -> TablesView:
        """Lists tables with their row counts, then the datasets that the caller may read."""
        own = await tables.find_tables(self._database, caller)
        listed = [ListedTable(t.name, t.row_count, "table") for t in own]
        for name, dataset in (await self._datasets(caller, {t.name for t in own})).items():
            owner = {"owner": dataset.owner} if dataset.owner else {}
            listed.append(ListedTable(name, dataset.row_count, "dataset", dataset.id, **owner))
        return TablesView(tuple(listed))

    async def _datasets(self, caller: Caller, taken: set[str]) -> dict[str, DatasetName]:
        """Returns readable datasets by their names as tables."""
        return named_datasets(await tables.dataset_names(self._database, caller), taken)

    async def samples(self, caller: Caller, name: str) -> TableSamplesView:
        """Returns whose model may receive values of the organization's table."""
        table = await self.find(caller, name)
        return TableSamplesView(table.name, table.samples)

    async def set_samples(self, caller: Caller, name: str, samples: TableSamples) -> TableSamplesView:
        """Sets whose model may receive values of a table.

        Raises ForbiddenError: when the caller is no administrator.
        """
        require_admin(caller, "say what a model is sent of the organization's tables")
        table = await self.find(caller, name)
        async with self._database.connection() as connection:
            await tables.set_samples(connection, table.id, samples)
        return TableSamplesView(table.name, samples)

    async def schema(self, caller: Caller, name: str) -> SchemaView:
        """Returns the columns of a table or dataset."""
        table = await self._table(caller, name)
        if table is None:
            dataset = await self._dataset(caller, name)
            time = TableColumn("ts", SHOWN_TYPES["timestamp"], False)
            return SchemaView(name, (time, *map(dataset_column, dataset.columns)))
        times = tuple(TableColumn(one, SHOWN_TYPES["timestamp"], False) for one in table.row_times)
        return SchemaView(table.name, public_columns(table.columns), times)

    async def table_or_dataset(self, caller: Caller, name: str) -> Table | tables.ReadableDataset:
        """Returns the table or dataset of a name.

        Raises NotFoundError: when there is neither.
        """
        return await self._table(caller, name) or await self._dataset(caller, name)

    async def _dataset(self, caller: Caller, name: str) -> tables.ReadableDataset:
        own = {table.name for table in await tables.find_tables(self._database, caller)}
        found = (await self._datasets(caller, own)).get(name)
        readable = await tables.readable_datasets(self._database, caller, [found.id]) if found is not None else ()
        if not readable:
            raise NotFoundError("Table not found", f"no table {name[:100]!r}")
        return readable[0]

    async def stats(self, caller: Caller, name: str) -> TableStats:
        """Returns row count, column count, and types and statistics of the columns."""
        table = await self._table(caller, name)
        if table is None:
            dataset = await self._dataset(caller, name)
            types = {"ts": "TIMESTAMP WITH TIME ZONE"} | {
                c["name"]: _DATASET_TYPES[c["dtype"]] for c in dataset.columns
            }
            return TableStats(name, dataset.row_count, len(types), types)
        found = await export.column_stats(self._database, table)
        types = {column.name: SHOWN_TYPES[column.type] for column in table.columns}
        last = await tables.last_file_format(self._database, table)
        files = (last.encoding, last.delimiter)
        return TableStats(table.name, table.row_count, len(types), types, found, table.key, *files)
