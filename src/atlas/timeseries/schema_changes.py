"""Changes of a dataset's columns, in the catalog and in the tables of the dataset's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError
from atlas.timeseries.cold import chunk_changes, legacy_view, store
from atlas.timeseries.columns import MAX_PHYSICAL_COLUMNS, SQL_TYPES, Column, Dtype, physical_name, to_catalog
from atlas.timeseries.frames import SchemaChange
from atlas.timeseries.repository import chunks_of, history_of, hot_of, keep_out, readable_of, series_of, table_of


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset's storage, as read under the dataset's lock. cold: whether the dataset has packed rows."""

    schema: str
    cold: bool


async def apply_schema(
    connection: Connection,
    dataset_id: int,
    place: Place,
    columns: Mapping[str, Column],
    change: SchemaChange,
    *,
    declared: bool = False,
) -> dict[str, Column]:
    """Applies a schema change to the tables and the catalog, and returns all columns after the change.

    The caller holds the lock on the dataset's state.

    Raises BadRequestError: when the table would have too many columns.
    """
    result = dict(columns)
    await connection.execute(queries("timeseries/rows")["change_columns"], {"id": dataset_id})
    for column in change.widen:
        if await _widen(connection, dataset_id, place, column, declared=declared):
            result[column.name] = replace(column, dtype=Dtype.FLOAT)
    taken = {column.physical for column in columns.values() if column.physical}
    if not change.add:
        return result
    cursor = await connection.execute(queries("timeseries/datasets")["next_column"])
    row = await cursor.fetchone()
    assert row is not None
    additions: list[sql.Composed] = []
    fresh: list[Column] = []
    for position, (name, dtype) in enumerate(change.add.items(), row[0]):
        physical = None
        if dtype is not Dtype.JSON:
            physical = physical_name(name, position, taken)
            taken.add(physical)
            additions.append(sql.SQL("ADD COLUMN {} {}").format(sql.Identifier(physical), sql.SQL(SQL_TYPES[dtype])))
        old = columns.get(name)
        if old is None:
            fresh.append(Column(0, name, dtype, physical, declared))
        else:
            await _set(connection, old, dtype, physical, declared=declared)
            result[name] = replace(old, dtype=dtype, physical=physical, declared=old.declared or declared)
    for column in await _insert_columns(connection, dataset_id, fresh, declared=declared):
        result[column.name] = column
    if additions:
        await _add_columns(connection, dataset_id, place, additions)
    return result


async def _add_columns(
    connection: Connection, dataset_id: int, place: Place, additions: Sequence[sql.Composed]
) -> None:
    """Adds columns to the tables of a dataset's rows. Raises BadRequestError when there are too many."""
    legacy = await _is_legacy(connection, dataset_id, place)
    if legacy:
        await keep_out(connection, table_of(place.schema, dataset_id))
    added, table = sql.SQL(", ").join(additions), hot_of(place.schema, dataset_id, cold=place.cold)
    try:
        for one in (table, series_of(place.schema, dataset_id), history_of(place.schema, dataset_id)):
            await connection.execute(sql.SQL("ALTER TABLE IF EXISTS {} {}").format(one, added))
    except psycopg.errors.TooManyColumns:
        reason = f"a dataset can have {MAX_PHYSICAL_COLUMNS} typed columns"
        raise BadRequestError("Too many columns", reason) from None
    if legacy:
        await legacy_view.renew_view(connection, dataset_id)


async def _insert_columns(
    connection: Connection, dataset_id: int, fresh: Sequence[Column], *, declared: bool
) -> list[Column]:
    """Stores new columns by one statement, and returns the columns with their ids."""
    parameters = {
        "dataset": dataset_id,
        "names": [to_catalog(column.name) for column in fresh],
        "physicals": [column.physical for column in fresh],
        "dtypes": [column.dtype.value for column in fresh],
        "declared": declared,
    }
    cursor = await connection.execute(queries("timeseries/datasets")["insert_columns"], parameters)
    ids: dict[str, int] = dict(await cursor.fetchall())
    return [replace(column, id=ids[to_catalog(column.name)]) for column in fresh]


async def _set(connection: Connection, column: Column, dtype: Dtype, physical: str | None, *, declared: bool) -> None:
    parameters = {"id": column.id, "dtype": dtype, "physical": physical, "declared": declared}
    await connection.execute(queries("timeseries/datasets")["set_column"], parameters)


async def declare(connection: Connection, column: Column) -> None:
    """Marks an inferred column as declared."""
    await _set(connection, column, column.dtype, column.physical, declared=True)


async def _is_legacy(connection: Connection, dataset_id: int, place: Place) -> bool:
    """Tells whether rows are in the storage of an earlier version."""
    cold = await store.find(connection, dataset_id) if place.cold else None
    return cold is not None and cold.legacy


async def _history(connection: Connection, dataset_id: int, place: Place) -> list[sql.Identifier]:
    """Returns the table of replaced rows, if the dataset has one."""
    history = history_of(place.schema, dataset_id)
    cursor = await connection.execute("SELECT to_regclass(%s) IS NOT NULL", (history.as_string(),))
    return [history] if await cursor.fetchone() == (True,) else []


async def _widen(connection: Connection, dataset_id: int, place: Place, column: Column, *, declared: bool) -> bool:
    """Turns an int column into float, unless the column holds an integer that no float equals. Returns False in that
    case.
    """
    assert column.physical is not None
    name = sql.Identifier(column.physical)
    legacy = await _is_legacy(connection, dataset_id, place)
    table = hot_of(place.schema, dataset_id, cold=place.cold)
    inexact = sql.SQL("SELECT 1 FROM {} WHERE {} NOT BETWEEN -9007199254740992 AND 9007199254740992 LIMIT 1")
    for rows in (
        readable_of(place.schema, dataset_id, cold=place.cold, legacy=legacy),
        *await _history(connection, dataset_id, place),
    ):
        cursor = await connection.execute(inexact.format(rows, name))
        if await cursor.fetchone() is not None:
            return False
    if place.cold and not await chunk_changes.fits_float(
        connection, chunks_of(place.schema, dataset_id), str(column.id)
    ):
        return False
    # Dropping the view also waits for the view's readers before a table changes.
    readers = await legacy_view.drop_view(connection, dataset_id) if legacy else None
    for one in (table, series_of(place.schema, dataset_id), history_of(place.schema, dataset_id)):
        change = sql.SQL("ALTER TABLE IF EXISTS {} ALTER COLUMN {} TYPE double precision").format(one, name)
        await connection.execute(change)
    await _set(connection, column, Dtype.FLOAT, column.physical, declared=declared)
    if readers is not None:
        await legacy_view.make_view(connection, dataset_id, readers)
    return True
