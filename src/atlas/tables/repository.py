"""SQL of organizations' tables: catalog rows, physical tables and views."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from psycopg import sql
from psycopg.types.json import Jsonb

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.kit.identifiers import table_identifier
from atlas.tables.model import POSTGRES_TYPES, ROW_TIMES, FileFormat, Table, TableColumn


class ReadableDataset(NamedTuple):
    """A dataset as a table.

    - columns: name, dtype, physical name, unit and description of each column.
    - version: changes with every write.
    - cold: whether the dataset has packed rows.
    - samples: whose models may receive values of cells.
    - keys: names of the columns that tell series apart.
    """

    id: int
    name: str
    schema: str
    row_count: int
    columns: list[dict[str, Any]]
    version: int
    cold: bool
    samples: str
    keys: list[str]


class DatasetName(NamedTuple):
    """A readable dataset without its columns. owner: the owner, when in another organization."""

    id: int
    name: str
    row_count: int
    owner: str


async def find_tables(
    database: Database | Connection, caller: Caller, *, name: str | None = None, table_id: int | None = None
) -> list[Table]:
    """Returns the organization's tables, by name."""
    parameters = {"organization": caller.organization_id, "name": name, "id": table_id}
    rows = await executor.rows(database, queries("tables/tables")["list_tables"], parameters)
    return [
        Table(
            row[0],
            row[1],
            caller.schema_name,
            tuple(msgspec.convert(row[5], list[TableColumn])),
            tuple(row[2]),
            row[3],
            row[4],
            row[6],
            row[7],
        )
        for row in rows
    ]


async def lock(connection: Connection, caller: Caller, table_id: int) -> Table | None:
    """Locks a table against other writers until the transaction ends. Returns the current table, or None when it is
    gone.
    """
    cursor = await connection.execute(queries("tables/tables")["lock_table"], {"id": table_id})
    if await cursor.fetchone() is None:
        return None
    return (await find_tables(connection, caller, table_id=table_id))[0]


async def lock_names(connection: Connection, caller: Caller) -> None:
    """Keeps other sessions from creating tables in the organization until the transaction ends."""
    await connection.execute(queries("tables/tables")["lock_organization"], {"organization": caller.organization_id})


def physical(table: Table) -> sql.Identifier:
    """Returns the identifier of the physical table."""
    return sql.Identifier(table.schema, table.physical)


async def create(
    connection: Connection, caller: Caller, name: str, columns: Sequence[TableColumn], key: Sequence[str]
) -> Table:
    """Creates a table with its view. The index follows after the first rows (see `add_indexes`)."""
    parameters = {"organization": caller.organization_id, "name": name, "key": list(key)}
    row = await executor.row(connection, queries("tables/tables")["insert_table"], parameters)
    assert row is not None
    table = Table(row[0], name, caller.schema_name, tuple(columns), tuple(key))
    definitions = [sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(_type(column))) for column in columns]
    body = sql.SQL(", ").join(
        [
            sql.SQL("_row bigint NOT NULL, _import integer NOT NULL, _key bigint, _archived timestamptz"),
            sql.SQL("_created timestamptz DEFAULT now(), _updated timestamptz"),
            *definitions,
        ]
    )
    owner, reader = (sql.Identifier(f"{caller.schema_name}_{role}") for role in ("owner", "reader"))
    await connection.execute(sql.SQL("CREATE TABLE {} ({})").format(physical(table), body))
    await connection.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(physical(table), owner))
    await _insert_columns(connection, table.id, columns)
    await _make_view(connection, table, owner, reader)
    return table


def _type(column: TableColumn) -> Any:
    return POSTGRES_TYPES[column.type]


async def _insert_columns(connection: Connection, table_id: int, columns: Sequence[TableColumn]) -> None:
    parameters = {"table": table_id, "columns": Jsonb([_record(column) for column in columns])}
    await connection.execute(queries("tables/tables")["insert_columns"], parameters)


def _record(column: TableColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "header": column.header,
        "semantic": column.semantic,
        "required": column.required,
        "rules": msgspec.to_builtins(column.rules),
        "format": None if column.format is None else msgspec.to_builtins(column.format),
    }


def view(table: Table) -> sql.Identifier:
    """Returns the identifier of the view for readers.

    The view's name reveals nothing, because users of other organizations can look up the name by its oid.
    """
    return sql.Identifier(table.schema, f"_view_{table.id}")


async def _make_view(connection: Connection, table: Table, owner: sql.Identifier, reader: sql.Identifier) -> None:
    names = sql.SQL(", ").join(
        [
            *(sql.Identifier(column.name) for column in table.columns),
            *(sql.SQL(ROW_TIMES[name] + " AS {}").format(sql.Identifier(name)) for name in table.row_times),
        ]
    )
    await connection.execute(
        sql.SQL("CREATE VIEW {} AS SELECT {} FROM {} WHERE _archived IS NULL").format(
            view(table), names, physical(table)
        )
    )
    # The view reads with its owner's rights, so the reader needs no right on the rows behind the view.
    await connection.execute(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view(table), owner))
    await connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(view(table), reader))


async def change_columns(
    connection: Connection,
    table: Table,
    *,
    add: Sequence[TableColumn] = (),
    change: Sequence[TableColumn] = (),
    drop: Sequence[str] = (),
) -> Table:
    """Adds columns, changes types or rules of columns, and drops columns. Returns the changed table."""
    if not (add or change or drop):
        return table
    changed = {column.name: column for column in change}
    columns = tuple(changed.get(c.name, c) for c in table.columns if c.name not in drop) + tuple(add)
    after = msgspec.structs.replace(table, columns=columns)
    owner, reader = (sql.Identifier(f"{table.schema}_{role}") for role in ("owner", "reader"))
    known = {column.name: column for column in table.columns}
    parts = [sql.SQL("ADD COLUMN {} {}").format(sql.Identifier(c.name), sql.SQL(_type(c))) for c in add]
    parts += [sql.SQL("DROP COLUMN {}").format(sql.Identifier(name)) for name in drop]
    parts += [
        # Converts by text, so that a double keeps its shown digits.
        sql.SQL("ALTER COLUMN {c} TYPE {type} USING {c}::text::{type}").format(
            c=sql.Identifier(c.name), type=sql.SQL(_type(c))
        )
        for c in change
        if known[c.name].type != c.type
    ]
    if parts:
        # Rules and notations change nothing in the view.
        await connection.execute(sql.SQL("DROP VIEW {}").format(view(table)))
        await connection.execute(sql.SQL("ALTER TABLE {} {}").format(physical(table), sql.SQL(", ").join(parts)))
        await _make_view(connection, after, owner, reader)
    if add:
        await _insert_columns(connection, table.id, add)
    for column in change:
        record = _record(column)
        parameters = record | {
            "table": table.id,
            "rules": Jsonb(record["rules"]),
            "format": Jsonb(record["format"]),
        }
        await connection.execute(queries("tables/tables")["change_column"], parameters)
    for name in drop:
        await connection.execute(queries("tables/tables")["delete_column"], {"table": table.id, "name": name})
    return after


async def last_file_format(database: Database, table: Table) -> FileFormat:
    """Finds how the last text files of a table were written, as far as they show it."""
    rows = await database.fetch(queries("tables/tables")["last_file_format"], table=table.id)
    return FileFormat(*rows[0])


async def add_indexes(connection: Connection, table: Table) -> None:
    """Creates the indexes of a table after its first rows: by number, and by key."""
    for column, unique in (("_row", sql.SQL("UNIQUE ")), ("_key", sql.SQL(""))):
        await connection.execute(
            sql.SQL("CREATE {}INDEX {} ON {} ({})").format(
                unique, sql.Identifier(f"{table.physical}{column}"), physical(table), sql.Identifier(column)
            )
        )


async def drop(connection: Connection, table: Table) -> None:
    """Drops a table with its rows."""
    await connection.execute(sql.SQL("DROP VIEW {}").format(view(table)))
    await connection.execute(sql.SQL("DROP TABLE {}").format(physical(table)))
    await connection.execute(queries("tables/column_notes")["forget_table"], {"table": table.id})
    await connection.execute(queries("tables/tables")["delete_table"], {"id": table.id})


async def count_rows(connection: Connection, table: Table, added: int, last_row: int = 0) -> None:
    """Adds `added` (may be negative) to the table's row count. `last_row` is the greatest number of a row."""
    parameters = {"id": table.id, "added": added, "last_row": last_row}
    await connection.execute(queries("tables/tables")["count_rows"], parameters)


async def last_row(connection: Connection, table_id: int) -> int:
    """Returns the greatest row number of a locked table."""
    row = await executor.row(connection, queries("tables/tables")["lock_table"], {"id": table_id})
    return 0 if row is None else int(row[1])


async def set_key(connection: Connection, table: Table, key: Sequence[str]) -> None:
    await connection.execute(queries("tables/tables")["set_key"], {"id": table.id, "key": list(key)})


async def readable_datasets(database: Database, caller: Caller, ids: list[int]) -> list[ReadableDataset]:
    """Returns those of the datasets `ids` that the caller may read, oldest first."""
    rows = await database.fetch(queries("tables/tables")["readable_datasets"], user=caller.user_id, ids=ids)
    return [ReadableDataset(*row) for row in rows]


async def dataset_names(database: Database, caller: Caller) -> list[DatasetName]:
    """Returns the readable datasets: the caller's own, then the organization's, then others'; the oldest
    first of each.
    """
    parameters = {"user": caller.user_id, "organization": caller.organization_id}
    return [DatasetName(*row) for row in await database.fetch(queries("tables/tables")["dataset_names"], **parameters)]


async def set_samples(connection: Connection, table_id: int, samples: str) -> None:
    """Sets whose models may receive values of a table's cells."""
    await connection.execute(queries("tables/tables")["set_table_samples"], {"id": table_id, "samples": samples})


def named_datasets(datasets: Iterable[DatasetName], tables: Collection[str]) -> dict[str, DatasetName]:
    """Names datasets as tables by their own names, with the id when the name is taken.

    The first dataset or table gets the name: a table before a dataset, the caller's own dataset before others'.
    """
    found: dict[str, DatasetName] = {}
    for each in datasets:
        plain = _identifier(each.name)
        found[f"{plain}_{each.id}" if plain in found or plain in tables else plain] = each
    return found


# Cached, because each question and each SQL needs the names of all readable datasets.
_identifier = lru_cache(maxsize=20_000)(table_identifier)
