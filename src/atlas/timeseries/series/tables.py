"""The storage of series: an index by key and time on unpacked rows, and a table with the latest row of each series.

`_series_<id>` has the columns of the dataset's table and one row for each key. Every write keeps it in its own
transaction, so the latest rows of thousands of series are one short read, wherever the rows themselves lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from atlas.db import executor
from atlas.db.binary_values import int4
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.db.prepared import statement_of
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.like_patterns import containing
from atlas.kit.plurals import many
from atlas.kit.timestamps import format_timestamp
from atlas.timeseries.cold import store, unpacking
from atlas.timeseries.columns import Column, Dtype, from_catalog, to_catalog
from atlas.timeseries.repository import columns_of, hot_of, readable_of, series_of
from atlas.timeseries.series.checks import KEY_BYTES, refuse_column
from atlas.timeseries.series.conditions import Selection

_COMMA = sql.SQL(", ")
# Parts of the table that every dataset has.
_ROW = ("_seq", "ts", "_extra")


def names_of(names: Sequence[str]) -> sql.Composed:
    """Builds a list of columns."""
    return _COMMA.join(map(sql.Identifier, names))


def condition_of(selection: Selection) -> sql.Composed:
    """Builds the condition on rows of a selection that is not empty."""
    parts: list[sql.Composable] = []
    for one in selection.conditions:
        if one.column is None or one.column.physical is None:
            return sql.SQL("false").format()
        name, values = sql.Identifier(one.column.physical), one.values
        if one.column.dtype is Dtype.BOOLEAN:
            choices = [sql.SQL("{} = {}").format(name, sql.Literal(value)) for value in values]
            parts.append(sql.SQL("({})").format(sql.SQL(" OR ").join(choices)))
        elif len(values) == 1:
            parts.append(sql.SQL("{} = {}").format(name, sql.Literal(values[0])))
        else:
            parts.append(sql.SQL("{} IN ({})").format(name, _COMMA.join(map(sql.Literal, values))))
    return sql.SQL(" AND ").join(parts)


def merge(
    series: sql.Identifier, keys: Sequence[str], columns: Sequence[str], given: Sequence[str], source: sql.Composable
) -> sql.Composed:
    """Builds the statement that puts rows into the table of latest rows where they are later than its own.

    - keys, columns: physical names of the keys and of all columns.
    - given: the columns of `source`, a query with at most one row for each key. Other columns become null.
    """
    rest = [name for name in (*_ROW, *columns) if name not in keys]
    changes = [sql.SQL("{n} = EXCLUDED.{n}").format(n=sql.Identifier(name)) for name in rest]
    return sql.SQL(
        "INSERT INTO {} AS held ({}) {} ON CONFLICT ({}) DO UPDATE SET {} "
        "WHERE (EXCLUDED.ts, EXCLUDED._seq) > (held.ts, held._seq)"
    ).format(series, names_of(given), source, names_of(keys), _COMMA.join(changes))


@dataclass(frozen=True, slots=True)
class LatestQuery:
    """A query of latest rows. Columns are physical names.

    - by: one row for each value of these keys, in their order; without them, the latest row of all.
    - texts: those of `by` that are texts, which are sorted by their bytes.
    - columns: the columns to read.
    - search: a text that one of `by` has within it, in any case.
    - start, stop: the part to read.
    """

    schema: str
    dataset_id: int
    by: Sequence[str]
    texts: Sequence[str]
    columns: Sequence[str]
    selection: Selection
    search: str | None
    start: int
    stop: int

    @property
    def where(self) -> sql.Composable:
        conditions: list[sql.Composable] = [condition_of(self.selection)] if self.selection else []
        if self.search:
            like = sql.Literal(containing(self.search))
            within = [sql.SQL("{}::text ILIKE {}").format(sql.Identifier(name), like) for name in self.by]
            conditions.append(sql.SQL("({})").format(sql.SQL(" OR ").join(within)))
        return sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(conditions)) if conditions else sql.SQL("")


def latest_statement(query: LatestQuery) -> sql.Composed:
    """Builds the statement that reads latest rows."""
    order = [
        sql.SQL('{} COLLATE "C"' if name in query.texts else "{}").format(sql.Identifier(name)) for name in query.by
    ]
    distinct = sql.SQL("DISTINCT ON ({})").format(_COMMA.join(order)) if order else sql.SQL("")
    stop = query.stop if order else min(query.stop, 1)
    return sql.SQL("SELECT {} {} FROM {} {} ORDER BY {} LIMIT {} OFFSET {}").format(
        distinct,
        names_of(query.columns),
        series_of(query.schema, query.dataset_id),
        query.where,
        _COMMA.join([*order, sql.SQL("ts DESC"), sql.SQL("_seq DESC")]),
        sql.Literal(max(0, stop - query.start)),
        sql.Literal(query.start),
    )


def count_statement(query: LatestQuery) -> sql.Composed:
    """Builds the statement that counts the rows of `latest_statement` without its bounds."""
    series = series_of(query.schema, query.dataset_id)
    return sql.SQL("SELECT count(*) FROM (SELECT DISTINCT {} FROM {} {}) AS series").format(
        names_of(query.by), series, query.where
    )


async def keys_of(connection: Connection, dataset_id: int) -> list[str]:
    """Returns the keys of a dataset."""
    row = await executor.row(connection, queries("timeseries/series/series")["find_keys"], {"id": dataset_id})
    return [] if row is None else [from_catalog(text) for text in row[2]]


_TEXT_KEYS = statement_of(queries("timeseries/series/series")["text_keys"], "id")


async def text_keys(database: Database, dataset_id: int) -> frozenset[str]:
    """Returns the keys of a dataset whose column holds texts."""
    rows = await database.find(_TEXT_KEYS, int4(dataset_id))
    return frozenset(from_catalog(row[0]) for row in rows)


async def settle(connection: Connection, dataset_id: int) -> None:
    """Makes the storage of series once every key of the dataset has a column, or removes it without keys.

    The caller holds the lock on the dataset's state.

    Raises BadRequestError: when a column may not be a key, or a row lacks one.
    """
    row = await executor.row(connection, queries("timeseries/series/series")["find_keys"], {"id": dataset_id})
    if row is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    schema, cold, texts, made = row
    keys = [from_catalog(text) for text in texts]
    columns = {column.name: column for column in (await columns_of(connection, [dataset_id]))[dataset_id]}
    found = [columns[name] for name in keys if name in columns and columns[name].physical]
    for column in found:
        refuse_column(column.name, column)
    if made or not keys or len(found) < len(keys):
        return
    await _make(connection, dataset_id, schema, cold, found, [c.physical for c in columns.values() if c.physical])


async def _make(
    connection: Connection, dataset_id: int, schema: str, cold: bool, keys: Sequence[Column], columns: Sequence[str]
) -> None:
    hot, series = hot_of(schema, dataset_id, cold=cold), series_of(schema, dataset_id)
    names = [column.physical or "" for column in keys]
    await connection.execute(queries("timeseries/series/series")["settings"])
    rows = await _rows(connection, dataset_id, names)
    for column in keys:
        await _refuse_rows(connection, rows, column)
    key, cells = names_of(names), names_of([*_ROW, *columns])
    index = sql.Identifier(f"dataset_{dataset_id}_keys")
    owner = sql.Identifier(f"{schema}_owner")
    for statement in (
        sql.SQL("CREATE INDEX {} ON {} ({}, ts, _seq)").format(index, hot, key),
        sql.SQL("CREATE TABLE {} (LIKE {}) WITH (fillfactor = 70)").format(series, hot),
        sql.SQL("ALTER TABLE {} OWNER TO {}").format(series, owner),
        sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(series, key),
        sql.SQL(
            "INSERT INTO {} ({}) SELECT DISTINCT ON ({}) {} FROM {} AS rows ORDER BY {}, ts DESC, _seq DESC"
        ).format(series, cells, key, cells, rows, key),
        sql.SQL("ANALYZE {}").format(series),
    ):
        await connection.execute(statement)


async def _rows(connection: Connection, dataset_id: int, keys: Sequence[str]) -> sql.Composable:
    """Returns a relation with the latest row of each series, and every row that may have no key of a series.

    Chunks give no more than that into a temporary table. keys: physical names of the keys.
    """
    cold = await store.find(connection, dataset_id)
    if cold is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    plain = readable_of(cold.schema, dataset_id, cold=cold.frozen, legacy=cold.legacy)
    if not cold.frozen:
        return plain
    known = [column for column in (await columns_of(connection, [dataset_id]))[dataset_id] if column.physical]
    unpacked = sql.Identifier("pg_temp", "_latest")
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(unpacked))
    await unpacking.create_table(connection, unpacked, known, extra=True)
    await unpacking.unpack_latest(connection, cold.chunks, unpacked, known, keys, KEY_BYTES)
    cells = names_of([*_ROW, *(column.physical or "" for column in known)])
    query = "(SELECT {} FROM {} UNION ALL SELECT {} FROM {})"
    return sql.SQL(query).format(cells, plain, cells, unpacked)


async def _refuse_rows(connection: Connection, rows: sql.Composable, column: Column) -> None:
    """Checks that every row has the key.

    Raises BadRequestError: when a row lacks the key, or has one that is too long.
    """
    name = sql.Identifier(column.physical or "")
    query = sql.SQL("SELECT count(*), min(ts) FROM {} AS everything WHERE {}")
    row = await (await connection.execute(query.format(rows, sql.SQL("{} IS NULL").format(name)))).fetchone()
    if row is not None and row[0]:
        raise BadRequestError(
            "Invalid parameter",
            f"keys: {many(row[0], 'row')} of the dataset without {column.name!r}, the first at "
            f"{format_timestamp(row[1])}",
        )
    if column.dtype is not Dtype.STRING:
        return
    long = sql.SQL("octet_length({}) > {}").format(name, KEY_BYTES)
    row = await (await connection.execute(query.format(rows, long))).fetchone()
    if row is not None and row[0]:
        raise BadRequestError(
            "Invalid parameter",
            f"keys: {many(row[0], 'row')} of the dataset with {column.name!r} of more than {KEY_BYTES} bytes, the "
            f"first at {format_timestamp(row[1])}",
        )


async def set_keys(connection: Connection, dataset_id: int, keys: Sequence[str]) -> None:
    """Declares the keys of a dataset in place of those that it has. No keys are an empty list.

    The caller holds the lock on the dataset's state.

    Raises BadRequestError: when a column does not exist or may not be a key, or a row lacks one.
    """
    statements = queries("timeseries/series/series")
    row = await executor.row(connection, statements["find_keys"], {"id": dataset_id})
    if row is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    schema, _, before, _ = row
    wanted = [to_catalog(name) for name in keys]
    if wanted == before:
        return
    columns = {column.name for column in (await columns_of(connection, [dataset_id]))[dataset_id]}
    missing = next((name for name in keys if name not in columns), None)
    if missing is not None and await _has_rows(connection, dataset_id):
        raise BadRequestError("Invalid parameter", f"keys: the dataset has no column {missing!r}")
    index = sql.Identifier(schema, f"dataset_{dataset_id}_keys")
    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(series_of(schema, dataset_id)))
    await connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(index))
    await connection.execute(statements["set_keys"], {"id": dataset_id, "keys": wanted})
    await connection.execute(queries("timeseries/rows")["change_columns"], {"id": dataset_id})
    await settle(connection, dataset_id)


async def _has_rows(connection: Connection, dataset_id: int) -> bool:
    cold = await store.find(connection, dataset_id)
    return cold is not None and cold.row_count > 0


async def forget(
    connection: Connection, dataset_id: int, schema: str, keys: Sequence[str], gone: sql.Composable
) -> None:
    """Finds the latest rows anew of series whose own was deleted. Call it after rows are deleted.

    - keys: the names of the keys.
    - gone: the condition of deleted rows, on `ts` or `_seq`.
    """
    columns = {column.name: column.physical for column in (await columns_of(connection, [dataset_id]))[dataset_id]}
    names = [columns.get(key) for key in keys]
    if not names or None in names:
        return
    series = series_of(schema, dataset_id)
    cursor = await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(series, gone))
    if not cursor.rowcount:
        return
    held = [name for name in names if name]
    rows = await _rows(connection, dataset_id, held)
    cells = names_of([*_ROW, *(name for name in columns.values() if name)])
    same = sql.SQL(" AND ").join([sql.SQL("held.{n} = rows.{n}").format(n=sql.Identifier(name)) for name in held])
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute(
        sql.SQL(
            "INSERT INTO {series} ({cells}) SELECT DISTINCT ON ({keys}) {cells} FROM {rows} AS rows "
            "WHERE NOT EXISTS (SELECT FROM {series} AS held WHERE {same}) ORDER BY {keys}, ts DESC, _seq DESC"
        ).format(series=series, cells=cells, keys=names_of(held), rows=rows, same=same)
    )
