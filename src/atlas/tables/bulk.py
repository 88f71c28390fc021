"""Bulk changes of tables by imports: inserts, lookups of keys, and updates with a log of changes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
from psycopg import sql

from atlas.db.copy import all_of, copy_batches
from atlas.db.database import Connection
from atlas.kit.decimals import to_wire
from atlas.tables.model import POSTGRES_TYPES, Table, TableColumn
from atlas.tables.repository import physical

_ARROW = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "numeric": pa.binary(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "json": pa.string(),
}
_INCOMING = sql.Identifier("_incoming")


async def begin(connection: Connection) -> None:
    """Prepares a transaction that moves many rows: no time limit, and plans for whole tables."""
    for setting in ("statement_timeout = 0", "enable_seqscan = on", "work_mem = '64MB'"):
        await connection.execute(sql.SQL("SET LOCAL ") + sql.SQL(setting))


def copy_schema(columns: Sequence[TableColumn]) -> pa.Schema:
    """Returns the Arrow types that COPY needs for columns. A numeric is PostgreSQL's own bytes; see `kit.decimals`."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns])


def convert_for_copy(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Converts values for COPY: texts of numbers become numerics if `kind` is binary."""
    return to_wire(values) if pa.types.is_binary(kind) else values.cast(kind)


async def insert(
    connection: Connection,
    table: Table,
    columns: Sequence[TableColumn],
    batches: AsyncIterator[pa.RecordBatch],
    import_number: int,
    first_row: int,
) -> int:
    """Inserts batches with `_n` before and `_key` after the columns, and returns the number of rows.

    Rows are numbered from `first_row` in the order of the batches.
    """
    schema = copy_schema(columns)
    full = pa.schema([("_row", pa.int64()), ("_import", pa.int32()), ("_key", pa.int64()), *schema])

    async def numbered() -> AsyncIterator[pa.RecordBatch]:
        row = first_row
        async for batch in batches:
            arrays = [
                pa.array(np.arange(row, row + len(batch))),
                pa.array(np.full(len(batch), import_number, dtype=np.int32)),
                batch.column("_key"),
                *(convert_for_copy(batch.column(field.name), field.type) for field in schema),
            ]
            row += len(batch)
            yield pa.RecordBatch.from_arrays(arrays, schema=full)

    return await copy_batches(connection, physical(table), full.names, full, numbered())


async def find_keys(connection: Connection, table: Table, keys: pa.Table) -> pa.Table:
    """Finds which of `keys` (n, h) rows of the table have, as (n, row). Archived rows do not count, and the oldest row
    wins.
    """
    await connection.execute("CREATE TEMP TABLE _incoming (n bigint, h bigint) ON COMMIT DROP")
    await copy_batches(connection, _INCOMING, ("n", "h"), keys.schema, all_of(keys))
    await connection.execute("ANALYZE _incoming")
    query = sql.SQL(
        "SELECT i.n, min(t._row) FROM _incoming i JOIN {} t ON t._key = i.h WHERE t._archived IS NULL GROUP BY i.n"
    ).format(physical(table))
    found = await copy_out(connection, query, {"n": pa.int64(), "row": pa.int64()})
    await connection.execute("DROP TABLE _incoming")
    return found


async def copy_out(connection: Connection, query: sql.Composable, types: dict[str, pa.DataType]) -> pa.Table:
    """Fetches the rows of a query in this transaction by COPY. An empty text stays different from NULL."""
    data = io.BytesIO()
    async with connection.cursor().copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(query)) as copy:
        async for chunk in copy:
            data.write(chunk)
    if not data.tell():
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    data.seek(0)
    return await asyncio.to_thread(_read_copy, data, types)


def _read_copy(data: io.BytesIO, types: dict[str, pa.DataType]) -> pa.Table:
    return pv.read_csv(
        data,
        read_options=pv.ReadOptions(column_names=list(types)),
        parse_options=pv.ParseOptions(newlines_in_values=True),
        convert_options=pv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


async def key_texts(connection: Connection, table: Table, rows: Sequence[int] | None) -> pa.Table:
    """Fetches the values of rows as texts, `_row` first: of the rows numbered `rows`, or of all rows."""
    names = [column.name for column in table.columns]
    cells = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
    where = sql.SQL("true") if rows is None else sql.SQL("_row = ANY({})").format(sql.Literal(list(rows)))
    query = sql.SQL("SELECT _row, {} FROM {} WHERE {}").format(cells, physical(table), where)
    return await copy_out(connection, query, {"_row": pa.int64(), **dict.fromkeys(names, pa.string())})


async def set_keys(connection: Connection, table: Table, keys: pa.Table) -> list[int]:
    """Stores new keys (row, h) of rows, and returns the numbers of rows with a changed key."""
    await connection.execute("CREATE TEMP TABLE _incoming (row bigint, h bigint) ON COMMIT DROP")
    await copy_batches(connection, _INCOMING, ("row", "h"), keys.schema, all_of(keys))
    cursor = await connection.execute(
        sql.SQL(
            "UPDATE {} t SET _key = i.h FROM _incoming i WHERE t._row = i.row AND t._key IS DISTINCT FROM i.h "
            "RETURNING t._row"
        ).format(physical(table))
    )
    changed = [row[0] for row in await cursor.fetchall()]
    await connection.execute("DROP TABLE _incoming")
    return changed


async def key_twin(connection: Connection, table: Table, rows: Sequence[int]) -> tuple[int, int] | None:
    """Returns the first of `rows` with another row's key, and that other row. Archived rows do not count."""
    query = sql.SQL(
        "SELECT t._row, o._row FROM {t} t JOIN {t} o ON o._key = t._key AND o._row <> t._row "
        "WHERE t._row = ANY({rows}) AND t._archived IS NULL AND o._archived IS NULL ORDER BY t._row, o._row LIMIT 1"
    ).format(t=physical(table), rows=sql.Literal(list(rows)))
    row = await (await connection.execute(query)).fetchone()
    return None if row is None else (row[0], row[1])


async def stage_updates(
    connection: Connection, columns: Sequence[TableColumn], batches: AsyncIterator[pa.RecordBatch]
) -> None:
    """Copies new values (`_row`, then the columns) into the temporary table of `apply_updates`."""
    await create_updates(connection, columns)
    schema = pa.schema([("_row", pa.int64()), *copy_schema(columns)])

    async def fitting() -> AsyncIterator[pa.RecordBatch]:
        async for batch in batches:
            arrays = [convert_for_copy(batch.column(field.name), field.type) for field in schema]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    await copy_batches(connection, sql.Identifier("_updates"), schema.names, schema, fitting())


async def create_updates(connection: Connection, columns: Sequence[TableColumn]) -> None:
    definitions = [sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(POSTGRES_TYPES[c.type])) for c in columns]
    body = sql.SQL(", ").join([sql.SQL("_row bigint"), *definitions])
    await connection.execute(sql.SQL("CREATE TEMP TABLE _updates ({}) ON COMMIT DROP").format(body))


async def apply_updates(
    connection: Connection, table: Table, columns: Sequence[TableColumn], import_number: int, *, keep_on_null: bool
) -> list[int]:
    """Updates rows from the staged values, logs the changes, and returns the numbers of changed rows.

    With `keep_on_null`, an absent value leaves the row's own value.
    """
    await connection.execute("CREATE INDEX ON _updates (_row)")
    await connection.execute("ANALYZE _updates")
    names = [sql.Identifier(column.name) for column in columns]
    new = [sql.SQL("coalesce(u.{c}, t.{c})" if keep_on_null else "u.{c}").format(c=name) for name in names]
    olds = sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in names)
    news = sql.SQL(", ").join(sql.SQL("{} AS {}").format(value, name) for value, name in zip(new, names, strict=True))
    logged = await connection.execute(
        sql.SQL(
            "INSERT INTO atlas.row_changes (table_id, row_id, import_number, before, after) "
            "SELECT {table_id}, t._row, {number}, d.before, d.after FROM _updates u JOIN {table} t ON t._row = u._row "
            "CROSS JOIN LATERAL (SELECT {olds}) _old CROSS JOIN LATERAL (SELECT {news}) _new "
            "CROSS JOIN LATERAL (SELECT jsonb_object_agg(a.key, a.value) AS before, "
            "jsonb_object_agg(a.key, b.value) AS after "
            "FROM jsonb_each(to_jsonb(_old)) a JOIN jsonb_each(to_jsonb(_new)) b USING (key) "
            "WHERE a.value IS DISTINCT FROM b.value) d "
            "WHERE d.before IS NOT NULL AND t._archived IS NULL RETURNING row_id"
        ).format(
            table_id=sql.Literal(table.id),
            number=sql.Literal(import_number),
            table=physical(table),
            olds=olds,
            news=news,
        )
    )
    changed = [row[0] for row in await logged.fetchall()]
    if changed:
        sets = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(name, value) for name, value in zip(names, new, strict=True)
        )
        await connection.execute(
            sql.SQL(
                "UPDATE {} t SET {}, _updated = now() FROM _updates u WHERE t._row = u._row AND t._archived IS NULL"
            ).format(physical(table), sets)
        )
    await connection.execute("DROP TABLE _updates")
    return changed
