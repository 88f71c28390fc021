"""Datasets, their columns and their tags in the catalog, and the table of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import ordered, queries
from atlas.errors import NotFoundError
from atlas.kit.sorting import Order
from atlas.kit.timestamps import MIN_MICROS, format_micros, from_micros
from atlas.timeseries.columns import Column, Dtype, from_catalog
from atlas.timeseries.zone_map import Range

Row = dict[str, Any]

# Small ranges keep a page of a few hundred rows near to what it reads; see docs/storage.md.
BRIN_PAGES = 32


def table_of(schema: str, dataset_id: int) -> sql.Identifier:
    """What a dataset's rows are read from: their table, or a view of those that are packed and those that are not."""
    return sql.Identifier(schema, f"dataset_{dataset_id}")


def hot_of(schema: str, dataset_id: int, *, cold: bool) -> sql.Identifier:
    """The table that rows are written to. cold: whether the dataset has another one with packed rows."""
    return sql.Identifier(schema, f"_hot_{dataset_id}" if cold else f"dataset_{dataset_id}")


def cold_of(schema: str, dataset_id: int) -> sql.Identifier:
    """The table with a dataset's packed rows, where it has some; see `timeseries/cold/view.py`."""
    return sql.Identifier(schema, f"_cold_{dataset_id}")


def unpacked_of(schema: str, dataset_id: int) -> sql.Identifier:
    """The view of packed rows as they were, where those are in a columnstore; see `cold/timescale_store.py`."""
    return sql.Identifier(schema, f"_unpacked_{dataset_id}")


def rollup_of(schema: str, dataset_id: int) -> sql.Identifier:
    """The table that holds a dataset's rollup, where it has one."""
    return sql.Identifier(schema, f"_rollup_{dataset_id}")


async def keep_out(connection: Connection, view: sql.Identifier) -> None:
    """Waits for the readers of a view of two tables, and lets no new ones in until the transaction ends.

    To be called before either table is changed: readers take the view first, so the other way round is a deadlock.
    """
    await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(view))


def time_literal(micros: int) -> sql.Literal:
    """Microseconds since 1970 as a time in SQL; those of the year 0 as a text, as Python has none."""
    if micros >= MIN_MICROS:
        return sql.Literal(from_micros(micros))
    return sql.Literal(f"0001{format_micros(micros)[4:].removesuffix('Z')}+00 BC")


def between(span: Range, *, cold: bool) -> sql.Composed:
    """A condition on `ts` for `span`; cold: and on the bounds of segments, so that no others are unpacked.

    The last microsecond of year 9999 has no successor in Python.
    """
    bounds = time_literal(span.lo), time_literal(span.hi - 1)
    condition = sql.SQL("ts >= {} AND ts <= {}").format(*bounds)
    return condition + sql.SQL(" AND _high_ts >= {} AND _low_ts <= {}").format(*bounds) if cold else condition


def numbered(first: int, last: int, *, cold: bool) -> sql.Composed:
    """A condition for rows numbered from `first` to `last`, as `between` is one on their times."""
    bounds = sql.Literal(first), sql.Literal(last)
    condition = sql.SQL("_seq >= {} AND _seq <= {}").format(*bounds)
    return condition + sql.SQL(" AND _high_seq >= {} AND _low_seq <= {}").format(*bounds) if cold else condition


async def one(connection: Connection, query: str, **parameters: Any) -> Row | None:
    """The first row of one of the dataset queries."""
    return await executor.record(connection, queries("timeseries/datasets")[query], parameters)


async def find_owned(connection: Connection, user_id: int, name: str) -> int | None:
    """The newest dataset of a user's with exactly this name; None where there is none."""
    row = await one(connection, "find_owned", user=user_id, name=name)
    return None if row is None else int(row["id"])


async def create(connection: Connection, caller: Caller, name: str, description: str, metadata: Row) -> Row:
    """A new dataset with its empty table."""
    row = await one(
        connection,
        "insert_dataset",
        owner=caller.user_id,
        name=name,
        description=description,
        metadata=Jsonb(metadata),
        schema=caller.schema_name,
    )
    assert row is not None
    await connection.execute(queries("timeseries/datasets")["insert_state"], {"id": row["id"]})
    table = table_of(caller.schema_name, row["id"])
    index = sql.Identifier(f"dataset_{row['id']}_brin")
    owner = sql.Identifier(f"{caller.schema_name}_owner")
    for statement in (
        sql.SQL("CREATE TABLE {} (_seq bigint NOT NULL, ts timestamptz NOT NULL, _extra json)").format(table),
        sql.SQL("CREATE INDEX {} ON {} USING brin (ts, _seq) WITH (pages_per_range = {})").format(
            index, table, sql.Literal(BRIN_PAGES)
        ),
        sql.SQL("ALTER TABLE {} OWNER TO {}").format(table, owner),
    ):
        await connection.execute(statement)
    return row


async def delete(connection: Connection, dataset_id: int) -> bool:
    """Removes a dataset and its table. False where there is no such dataset."""
    # First the lock that decides which tables there are.
    state = await one(connection, "get_table", id=dataset_id)
    row = await one(connection, "delete_dataset", id=dataset_id)
    if state is None or row is None:
        return False
    schema, cold = state["table_schema"], state["cold"]
    if cold:
        for view in (table_of(schema, dataset_id), unpacked_of(schema, dataset_id)):
            await connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    for table in (hot_of(schema, dataset_id, cold=cold), cold_of(schema, dataset_id), rollup_of(schema, dataset_id)):
        await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    return True


async def change(connection: Connection, query: str, dataset_id: int, **values: Any) -> Row:
    """Runs one of the queries that change a dataset, and gives the changed row."""
    if "metadata" in values:
        values["metadata"] = Jsonb(values["metadata"])
    row = await one(connection, query, id=dataset_id, **values)
    if row is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    return row


async def summary(connection: Connection, dataset_id: int) -> Row:
    """Owner, tags, row count, first and last time (microseconds), and bytes on disk. Raises NotFoundError."""
    row = await change(connection, "summarize_dataset", dataset_id)
    size = await one(connection, "relation_bytes", schema=row["table_schema"], id=dataset_id)
    return row | {"bytes": (size or {}).get("bytes") or 0}


# What each field of `DATASET_FIELDS` is in the list's statement.
_ORDERS: dict[str, LiteralString] = {
    "id": "d.id",
    "name": "lower(d.name)",
    "created_at": "d.created_at",
    "updated_at": "d.updated_at",
    "owner": "(SELECT lower(u.name) FROM atlas.users u WHERE u.id = d.owner_id)",
    "row_count": "(SELECT s.row_count FROM atlas.dataset_state s WHERE s.dataset_id = d.id)",
    "columns": "(SELECT count(*) FROM atlas.dataset_columns c WHERE c.dataset_id = d.id)",
    "last_timestamp": "(SELECT max(b.max_ts) FROM atlas.row_blocks b WHERE b.dataset_id = d.id)",
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which datasets a user looks for.

    pattern: in name or description; anywhere: there or in metadata (both patterns of ILIKE). metadata: for each filter,
    the objects of which the dataset's metadata must contain one. owned: whether the user owns them, or only others do.
    """

    pattern: str | None = None
    anywhere: str | None = None
    metadata: Sequence[Sequence[Row]] | None = None
    owned: bool | None = None
    order: Order | None = None


async def search(database: Database, user_id: int, sought: Sought, limit: int, offset: int) -> tuple[int, list[Row]]:
    """How many datasets a user may read that match, and one page of them."""
    metadata, order = sought.metadata, sought.order
    wanted = None if metadata is None else [Jsonb(list(choices)) for choices in metadata]
    first = [Jsonb(choice) for choice in metadata[0]] if metadata else None
    parameters = {
        "user": user_id,
        "pattern": sought.pattern,
        "anywhere": sought.anywhere,
        "metadata": wanted,
        "first": first,
        "owned": sought.owned,
    }
    by = _ORDERS[order.field] if order else None
    listing = ordered(
        queries("timeseries/datasets")["list_datasets"], by, descending=order is not None and order.descending
    )
    async with database.transaction() as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor = await connection.execute(queries("timeseries/datasets")["count_datasets"], parameters)
        counted = await cursor.fetchone()
        assert counted is not None
        return counted[0], await executor.records(connection, listing, parameters | {"limit": limit, "offset": offset})


async def columns_of(connection: Connection, ids: Iterable[int]) -> dict[int, list[Column]]:
    """Columns of several datasets, in the order in which they came to be."""
    wanted = list(ids)
    cursor = await connection.execute(queries("timeseries/datasets")["list_columns"], {"ids": wanted})
    found: dict[int, list[Column]] = {dataset_id: [] for dataset_id in wanted}
    async for row in cursor:
        found[row[0]].append(column_of(row[1:]))
    return found


def column_of(row: Sequence[Any]) -> Column:
    """A column from its id, name, type, physical name, and whether it is declared, as the catalog has them.

    Unit and description follow where they are wanted.
    """
    column_id, name, dtype, physical, declared, *notes = row
    return Column(column_id, from_catalog(name), Dtype(dtype), physical, declared, *notes)


async def dataset_samples(database: Database, dataset_id: int) -> str | None:
    """Whose models may be sent values of a dataset's cells; None where it is gone."""
    rows = await database.fetch(queries("timeseries/datasets")["dataset_samples"], id=dataset_id)
    return str(rows[0][0]) if rows else None


async def set_samples(connection: Connection, dataset_id: int, samples: str) -> None:
    """Says whose models may be sent values of a dataset's cells."""
    await connection.execute(
        queries("timeseries/datasets")["set_dataset_samples"], {"id": dataset_id, "samples": samples}
    )
