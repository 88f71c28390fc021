"""SQL of datasets, their columns and tags in the catalog, and the names of a dataset's tables."""

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

# Small ranges limit how much a page of a few hundred rows reads beyond its rows; see docs/storage.md.
BRIN_PAGES = 32


def table_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the table of a dataset without packed rows, or the view of rows that an earlier version packed."""
    return sql.Identifier(schema, f"dataset_{dataset_id}")


def readable_of(schema: str, dataset_id: int, *, cold: bool, legacy: bool) -> sql.Identifier:
    """Returns the relation of all rows that are not in chunks."""
    return table_of(schema, dataset_id) if legacy else hot_of(schema, dataset_id, cold=cold)


def chunks_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the table of a dataset's chunks; see `timeseries/cold/store.py`."""
    return sql.Identifier(schema, f"_chunks_{dataset_id}")


def hot_of(schema: str, dataset_id: int, *, cold: bool) -> sql.Identifier:
    """Returns the table that writes use. `cold` states whether the dataset has another table of packed rows."""
    return sql.Identifier(schema, f"_hot_{dataset_id}" if cold else f"dataset_{dataset_id}")


def cold_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the table of rows that an earlier version packed; see `timeseries/cold/legacy_view.py`."""
    return sql.Identifier(schema, f"_cold_{dataset_id}")


def unpacked_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the view that unpacks rows from a columnstore; see `cold/timescale_store.py`."""
    return sql.Identifier(schema, f"_unpacked_{dataset_id}")


def rollup_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the table of a dataset's rollup."""
    return sql.Identifier(schema, f"_rollup_{dataset_id}")


def series_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the table of the latest row of each series; see `series/tables.py`."""
    return sql.Identifier(schema, f"_series_{dataset_id}")


def history_of(schema: str, dataset_id: int) -> sql.Identifier:
    """Returns the table of a dataset's replaced rows, which is there once a row was replaced."""
    return sql.Identifier(schema, f"_history_{dataset_id}")


async def keep_out(connection: Connection, view: sql.Identifier) -> None:
    """Waits for the readers of a view of two tables, and keeps new readers out until the transaction ends.

    Call `keep_out` before changing either table. Readers lock the view first, so the opposite order can deadlock.
    """
    await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(view))


def time_literal(micros: int) -> sql.Literal:
    """Converts microseconds since 1970 to a time in SQL. A time in the year 0 becomes a text, because Python lacks that
    year.
    """
    if micros >= MIN_MICROS:
        return sql.Literal(from_micros(micros))
    return sql.Literal(f"0001{format_micros(micros)[4:].removesuffix('Z')}+00 BC")


def between(span: Range, *, cold: bool) -> sql.Composed:
    """Builds a condition on `ts` for `span`.

    With `cold`, the condition includes the bounds of segments, so that no other segments are unpacked. The upper bound
    is inclusive, because Python has no time after the last microsecond of the year 9999.
    """
    bounds = time_literal(span.lo), time_literal(span.hi - 1)
    condition = sql.SQL("ts >= {} AND ts <= {}").format(*bounds)
    return condition + sql.SQL(" AND _high_ts >= {} AND _low_ts <= {}").format(*bounds) if cold else condition


def numbered(first: int, last: int, *, cold: bool) -> sql.Composed:
    """Builds a condition for rows numbered from `first` to `last`, with `cold` as in `between`."""
    bounds = sql.Literal(first), sql.Literal(last)
    condition = sql.SQL("_seq >= {} AND _seq <= {}").format(*bounds)
    return condition + sql.SQL(" AND _high_seq >= {} AND _low_seq <= {}").format(*bounds) if cold else condition


async def fetch_one(connection: Connection, query: str, **parameters: Any) -> Row | None:
    """Returns the first row of a dataset query, or None."""
    return await executor.record(connection, queries("timeseries/datasets")[query], parameters)


async def find_owned(connection: Connection, user_id: int, name: str) -> int | None:
    """Returns the id of a user's newest dataset with exactly this name, or None."""
    row = await fetch_one(connection, "find_owned", user=user_id, name=name)
    return None if row is None else int(row["id"])


async def names_of(database: Database, ids: Sequence[int]) -> dict[int, str]:
    """Returns the names of datasets by id, in the order asked for."""
    rows = await database.fetch(queries("timeseries/datasets")["dataset_names"], ids=list(ids))
    found: dict[int, str] = {row[0]: row[1] for row in rows}
    return {one: found[one] for one in ids if one in found}


async def create(connection: Connection, caller: Caller, name: str, description: str, metadata: Row) -> Row:
    """Creates a dataset with its empty table, and returns the dataset's row."""
    row = await fetch_one(
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
    """Deletes a dataset and its tables. Returns False when there is no such dataset."""
    # The lock comes first, because it fixes which tables exist.
    state = await fetch_one(connection, "get_table", id=dataset_id)
    row = await fetch_one(connection, "delete_dataset", id=dataset_id)
    if state is None or row is None:
        return False
    schema, cold = state["table_schema"], state["cold"]
    if cold:
        for view in (table_of(schema, dataset_id), unpacked_of(schema, dataset_id)):
            await connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    for table in (
        hot_of(schema, dataset_id, cold=cold),
        cold_of(schema, dataset_id),
        chunks_of(schema, dataset_id),
        rollup_of(schema, dataset_id),
        series_of(schema, dataset_id),
        history_of(schema, dataset_id),
    ):
        await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
    return True


async def change(connection: Connection, query: str, dataset_id: int, **values: Any) -> Row:
    """Runs a query that changes a dataset, and returns the changed row.

    Raises NotFoundError: when there is no such dataset.
    """
    if values.get("metadata") is not None:
        values["metadata"] = Jsonb(values["metadata"])
    row = await fetch_one(connection, query, id=dataset_id, **values)
    if row is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    return row


async def summary(connection: Connection, dataset_id: int) -> Row:
    """Returns owner, tags, row count, first and last time (microseconds), and bytes on disk.

    Raises NotFoundError: when there is no such dataset.
    """
    row = await change(connection, "summarize_dataset", dataset_id)
    size = await fetch_one(connection, "relation_bytes", schema=row["table_schema"], id=dataset_id)
    return row | {"bytes": (size or {}).get("bytes") or 0}


# SQL in the list's statement for each field of `DATASET_FIELDS`.
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
    """Filters and order of a search for datasets.

    - pattern: a pattern of ILIKE for name or description.
    - anywhere: a pattern of ILIKE for name, description or metadata.
    - metadata: for each filter, a list of objects; the dataset's metadata must contain at least one of them.
    - owned: True for the user's own datasets, False for the datasets of others, None for all.
    """

    pattern: str | None = None
    anywhere: str | None = None
    metadata: Sequence[Sequence[Row]] | None = None
    owned: bool | None = None
    order: Order | None = None


async def search(database: Database, user_id: int, sought: Sought, limit: int, offset: int) -> tuple[int, list[Row]]:
    """Returns how many readable datasets match, and one page of them."""
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
    """Returns the columns of several datasets, in order of creation."""
    wanted = list(ids)
    cursor = await connection.execute(queries("timeseries/datasets")["list_columns"], {"ids": wanted})
    found: dict[int, list[Column]] = {dataset_id: [] for dataset_id in wanted}
    async for row in cursor:
        found[row[0]].append(column_of(row[1:]))
    return found


def column_of(row: Sequence[Any]) -> Column:
    """Builds a column from a row of the catalog: id, name, type, physical name, declared, and optionally unit and
    description.
    """
    column_id, name, dtype, physical, declared, *notes = row
    return Column(column_id, from_catalog(name), Dtype(dtype), physical, declared, *notes)


async def dataset_samples(database: Database, dataset_id: int) -> str | None:
    """Returns whose models may receive values of a dataset's cells, or None when the dataset is gone."""
    rows = await database.fetch(queries("timeseries/datasets")["dataset_samples"], id=dataset_id)
    return str(rows[0][0]) if rows else None


async def set_samples(connection: Connection, dataset_id: int, samples: str) -> None:
    """Sets whose models may receive values of a dataset's cells."""
    await connection.execute(
        queries("timeseries/datasets")["set_dataset_samples"], {"id": dataset_id, "samples": samples}
    )
