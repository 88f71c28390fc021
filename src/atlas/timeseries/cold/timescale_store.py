"""Cold rows in TimescaleDB's columnstore, for databases with the extension.

`_cold_<id>` is then a hypertable with a row for each row of the dataset, in parts that `timescale_codec.py` makes. The
hypertable is smaller than segments of arrays, and a query of one column reads one column. `_unpacked_<id>` decodes the
parts. The view is a security_barrier, so that PostgreSQL does not merge the view into the dataset's view. In a merged
view TimescaleDB 2.29 reads NULL where a query of a UNION ALL names a compressed column twice. Conditions still reach
the hypertable.

A transaction of several statements that must see one moment holds a ROW SHARE lock on the view, taken before the
snapshot. Without the lock, an older snapshot misses all rows that join a compressed chunk. Such a snapshot also misses
rows that are in another table for that snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import psycopg
from psycopg import sql

from atlas.db import executor
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold.segment_codec import EXTRA, SCALES, key_of
from atlas.timeseries.cold.timescale_codec import decimal_part
from atlas.timeseries.columns import SQL_TYPES, Column, Dtype
from atlas.timeseries.repository import keep_out

_COMMA = sql.SQL(", ")
# Bounds of the unit that is unpacked for a row. In a columnstore the unit is the row itself, so a condition on the
# bounds adds nothing to the condition on the row. The planner sees that these constants satisfy the condition.
_BOUNDS = sql.SQL(
    "timestamptz '0001-01-01 00:00:00Z' AS _low_ts, timestamptz '9999-12-31 23:59:59.999999Z' AS _high_ts, "
    "bigint '0' AS _low_seq, bigint '9223372036854775807' AS _high_seq"
)


async def schema_of(connection: Connection) -> str | None:
    """Returns the schema of TimescaleDB's functions, or None without TimescaleDB or its columnstore."""
    found = await (await connection.execute(queries("timeseries/cold/columnstore")["schema"])).fetchone()
    return str(found[0]) if found else None


async def create(connection: Connection, relation: sql.Identifier, schema: str) -> None:
    """Creates the hypertable. `schema` is the schema of TimescaleDB's functions."""
    await connection.execute(
        sql.SQL("CREATE TABLE {} (_seq bigint NOT NULL, ts timestamptz NOT NULL)").format(relation)
    )
    make = sql.SQL("SELECT {s}.create_hypertable({r}, {s}.by_range('ts'), create_default_indexes => false)")
    await connection.execute(make.format(s=sql.Identifier(schema), r=sql.Literal(relation.as_string())))
    options = "ALTER TABLE {} SET (timescaledb.enable_columnstore, timescaledb.orderby = 'ts, _seq')"
    await connection.execute(sql.SQL(options).format(relation))


async def set_span(connection: Connection, relation: sql.Identifier, span: timedelta) -> None:
    """Sets the time span of new chunks."""
    name = {"relation": relation.as_string()}
    found = await executor.row(connection, queries("timeseries/cold/columnstore")["span"], name)
    if found == (span,):
        return
    schema = await schema_of(connection)
    if schema is not None:
        change = sql.SQL("SELECT {}.set_chunk_time_interval({}, {})").format(
            sql.Identifier(schema), sql.Literal(name["relation"]), sql.Literal(span)
        )
        await connection.execute(change)


async def compress(connection: Connection, dataset_id: int, view: sql.Identifier, relation: sql.Identifier) -> bool:
    """Compresses chunks with uncompressed rows, each in its own transaction, and drops empty chunks.

    `view` is the relation that readers lock first. Returns False when chunks are left: another session held a lock for
    longer than `lock_timeout`, or was packing or deleting rows.
    """
    schema = await schema_of(connection)
    if schema is None:
        return True
    name = {"relation": relation.as_string()}
    chunks = await executor.rows(connection, queries("timeseries/cold/columnstore")["chunks"], name)
    complete = True
    for chunk_schema, chunk_name, done in chunks:
        chunk = sql.Identifier(chunk_schema, chunk_name)
        try:
            empty = await _is_empty(connection, chunk)
            if done and not empty:
                continue
            async with connection.transaction():
                if not await _lock_out_others(connection, dataset_id, relation):
                    return False
                await (_drop(connection, view, chunk) if empty else _compress(connection, schema, chunk))
            if not empty:
                await connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(chunk))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure):
            complete = False
        except (psycopg.errors.DuplicateObject, psycopg.errors.UndefinedTable):
            # Another process compressed or dropped the chunk first.
            continue
    return complete


async def _lock_out_others(connection: Connection, dataset_id: int, relation: sql.Identifier) -> bool:
    """Locks out, until the transaction ends, sessions that pack or delete rows or must see one moment.

    Returns False when such a session is active.
    """
    # Compression takes a stronger lock on the chunk at its end, which would deadlock with another holder of a lock.
    free = await connection.execute(queries("timeseries/cold/cold")["lock_if_free"], {"id": dataset_id})
    if await free.fetchone() is None:
        return False
    alone = await (await connection.execute(queries("timeseries/cold/columnstore")["compress_alone"])).fetchone()
    if alone != (True,):
        return False
    await connection.execute(sql.SQL("LOCK TABLE ONLY {} IN EXCLUSIVE MODE").format(relation))
    return True


async def _compress(connection: Connection, schema: str, chunk: sql.Identifier) -> None:
    call = sql.SQL("CALL {}.convert_to_columnstore({})").format(sql.Identifier(schema), sql.Literal(chunk.as_string()))
    await connection.execute(call)


async def _is_empty(connection: Connection, chunk: sql.Identifier) -> bool:
    found = await connection.execute(sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(chunk))
    row = await found.fetchone()
    return bool(row and row[0])


async def _drop(connection: Connection, view: sql.Identifier, chunk: sql.Identifier) -> None:
    """Drops a chunk if the chunk is still empty under an exclusive lock."""
    await keep_out(connection, view)
    if await _is_empty(connection, chunk):
        await connection.execute(sql.SQL("DROP TABLE {}").format(chunk))


async def remove(
    connection: Connection, relation: sql.Identifier, bound: sql.Identifier, low: sql.Literal, high: sql.Literal
) -> int:
    """Deletes the rows with `bound` (`ts` or `_seq`) from `low` to `high`, and returns their number."""
    # The limit protects users from unpacking a table by mistake. Here the deletion is intended.
    await connection.execute("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
    gone = await connection.execute(
        sql.SQL("DELETE FROM {} WHERE {b} >= {} AND {b} <= {}").format(relation, low, high, b=bound)
    )
    return gone.rowcount


def view(
    name: sql.Identifier, relation: sql.Identifier, parts: Sequence[str], columns: Sequence[Column]
) -> sql.Composed:
    """Builds the statement that creates or replaces the view of decoded rows.

    The view has `_seq`, `ts`, `_extra`, bounds, and the physical columns.
    """
    held = set(parts)
    extra = sql.Identifier(f"c{EXTRA}") if f"c{EXTRA}" in held else sql.NULL
    cells: list[sql.Composable] = [sql.SQL("_seq, ts, {}::json AS _extra").format(extra), _BOUNDS]
    cells += [
        sql.SQL("{} AS {}").format(_value(column, held), sql.Identifier(column.physical or "")) for column in columns
    ]
    make = "CREATE OR REPLACE VIEW {} WITH (security_barrier) AS SELECT {} FROM {}"
    return sql.SQL(make).format(name, _COMMA.join(cells), relation)


def _value(column: Column, held: set[str]) -> sql.Composable:
    key, plain = key_of(column), sql.SQL("{}")
    if column.dtype is Dtype.FLOAT:
        parts = {
            decimal_part(key, digits): sql.SQL(f"{{}} / {scale}::double precision")
            for digits, scale in enumerate(SCALES)
        }
        # The "b" part dates from before the column's change from int to float.
        parts |= {f"f{key}": plain, f"b{key}": sql.SQL("{}::double precision")}
    else:
        letter = {Dtype.INT: "b", Dtype.BOOLEAN: "o"}.get(column.dtype, "c")
        parts = {f"{letter}{key}": plain}
    cells = [value.format(sql.Identifier(name)) for name, value in parts.items() if name in held]
    if not cells:
        return sql.SQL("NULL::{}").format(sql.SQL(SQL_TYPES[column.dtype]))
    return cells[0] if len(cells) == 1 else sql.SQL("coalesce({})").format(_COMMA.join(cells))
