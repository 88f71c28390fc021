"""TEMPORARY until the merge: the real one profiles values, knows joins and keeps what it found."""

from __future__ import annotations

from psycopg import sql

from atlas.core.access import Caller
from atlas.core.catalog import Catalog, CatalogColumn, CatalogTable
from atlas.core.identifiers import table_identifier
from atlas.store import datasets, tables
from atlas.store.database import Database

_TYPES = {"int": "bigint", "float": "double", "boolean": "boolean", "string": "text"}


async def catalog_of(database: Database, caller: Caller) -> Catalog:
    """Tables of the caller's organization, and the datasets that the caller may read."""
    found: dict[str, CatalogTable] = {}
    for table in await tables.find_tables(database, caller):
        columns = []
        for column in table.columns:
            values: list[str] = []
            if column.type == "text":
                query = sql.SQL("SELECT DISTINCT {c} FROM {t} WHERE {c} IS NOT NULL ORDER BY 1 LIMIT 200").format(
                    c=sql.Identifier(column.name), t=tables.view(table)
                )
                async with database.connection() as connection:
                    values = [row[0] for row in await (await connection.execute(query)).fetchall()]
            columns.append(CatalogColumn(column.name, column.type, values=tuple(values), complete=len(values) < 200))
        found[table.name] = CatalogTable(
            table.name, table.schema, tables.view(table)._obj[-1], tuple(columns), row_count=table.row_count,
            key=table.key,
        )  # fmt: skip
    for row in await tables.readable_datasets(database, caller):
        name = table_identifier(row[1])
        if name in found:
            name = f"{name}_{row[0]}"
        async with database.connection() as connection:
            known = (await datasets.columns_of(connection, [row[0]]))[row[0]]
        found[name] = CatalogTable(
            name, row[2], f"dataset_{row[0]}",
            (CatalogColumn("ts", "timestamp"),
             *(CatalogColumn(c.name, _TYPES[c.dtype], c.physical) for c in known if c.physical)),
            kind="dataset", row_count=row[3], key=("ts",), dataset_id=row[0],
        )  # fmt: skip
    return Catalog(tuple(found.values()))
