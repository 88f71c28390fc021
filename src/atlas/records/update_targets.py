"""Finds the rows of an update: by a checked condition, by keys, or by the keys of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from atlas.db.copy import copy_batches
from atlas.db.database import Connection
from atlas.errors import BadRequestError
from atlas.tables.bulk import copy_out, create_updates
from atlas.tables.model import POSTGRES_TYPES, Table, TableColumn
from atlas.tables.repository import physical

_CONDITION_TIMEOUT = "30s"
_ORDERS = {">": ">", ">=": ">=", "<": "<", "<=": "<="}


async def stage_matching(
    connection: Connection,
    table: Table,
    columns: Sequence[TableColumn],
    values: Mapping[str, str | None],
    condition: str,
) -> int:
    """Stages the same new values for all rows that a checked condition matches. Returns the number of rows.

    The condition runs as the organization's owner role, which can reach no other organization's data.
    Raises BadRequestError when the condition cannot be evaluated.
    """
    await create_updates(connection, columns)
    owner = sql.Identifier(f"{table.schema}_owner")
    await connection.execute(sql.SQL("GRANT SELECT, INSERT ON _updates TO {}").format(owner))
    new = sql.SQL(", ").join(
        sql.SQL("{}::text::{}").format(sql.Literal(values[c.name]), sql.SQL(POSTGRES_TYPES[c.type])) for c in columns
    )
    statement = sql.SQL("INSERT INTO _updates SELECT _row, {} FROM {} WHERE _archived IS NULL AND ({})").format(
        new, physical(table), sql.SQL(condition)
    )
    await connection.execute(sql.SQL("SET LOCAL ROLE {}").format(owner))
    await connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(_CONDITION_TIMEOUT)))
    try:
        # A prepared statement uses the extended protocol: one statement and no more.
        cursor = await connection.execute(statement, prepare=True)
    except (psycopg.DataError, psycopg.ProgrammingError) as error:
        reason = (error.diag.message_primary or "it cannot be evaluated")[:200]
        raise BadRequestError("Invalid condition", f"condition: {reason}") from None
    await connection.execute("RESET ROLE")
    await connection.execute("SET LOCAL statement_timeout = 0")
    return cursor.rowcount


async def find_rows(
    connection: Connection, table: Table, key: Mapping[str, str | None], *, archived: bool = False
) -> list[int]:
    """Returns numbers of the rows that have the values. Case is ignored when no row matches exactly.

    archived: searches archived rows instead of the others. Raises BadRequestError for values of the wrong type.
    """
    known = {column.name: column for column in table.columns}
    exact, alike = [], []
    for name, value in key.items():
        column = sql.Identifier(name)
        given = sql.SQL("{}::text::{}").format(sql.Literal(value), sql.SQL(POSTGRES_TYPES[known[name].type]))
        exact.append(sql.SQL("{} = {}").format(column, given))
        alike.append(_alike(known[name], column, given))
    query = sql.SQL("SELECT _row, {} FROM {} WHERE _archived IS {} AND {}").format(
        sql.SQL(" AND ").join(exact),
        physical(table),
        sql.SQL("NOT NULL" if archived else "NULL"),
        sql.SQL(" AND ").join(alike),
    )
    try:
        cursor = await connection.execute(query)
    except psycopg.DataError as error:
        raise BadRequestError("Invalid update", f"keys: {(error.diag.message_primary or '')[:200]}") from None
    found = await cursor.fetchall()
    return [row[0] for row in found if row[1]] or [row[0] for row in found]


async def find_where(
    connection: Connection,
    table: Table,
    conditions: Sequence[tuple[str, str, str | None]],
    columns: Sequence[str],
    limit: int,
    rows: Sequence[int] | None = None,
) -> list[tuple[Any, ...]]:
    """Returns number and values of the rows that meet conditions (column, operator, value), at most `limit`.

    rows: the rows to choose from. Texts are compared without case and outer blanks.
    Raises BadRequestError for values of the wrong type.
    """
    known = {column.name: column for column in table.columns}
    tests = [_test(known[name], operator, value) for name, operator, value in conditions]
    tests.append(sql.SQL("{} IS NULL").format(sql.Identifier("_archived")))
    if rows is not None:
        tests.append(sql.SQL("_row = ANY({})").format(sql.Literal(list(rows))))
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY _row LIMIT {} FOR UPDATE").format(
        sql.SQL(", ").join(map(sql.Identifier, ["_row", *columns])),
        physical(table),
        sql.SQL(" AND ").join(tests),
        sql.Literal(limit),
    )
    try:
        return await (await connection.execute(query)).fetchall()
    except psycopg.DataError as error:
        raise BadRequestError("Invalid condition", f"{(error.diag.message_primary or '')[:200]}") from None


def _test(column: TableColumn, operator: str, value: str | None) -> sql.Composed:
    name = sql.Identifier(column.name)
    if operator == "empty":
        return sql.SQL("({} IS NULL)").format(name)
    if operator == "contains":
        return sql.SQL("(position(lower({}) in lower({}::text)) > 0)").format(sql.Literal(value), name)
    given = sql.SQL("{}::text::{}").format(sql.Literal(value), sql.SQL(POSTGRES_TYPES[column.type]))
    if operator == "=":
        return sql.SQL("({})").format(_alike(column, name, given))
    if operator == "!=":
        return sql.SQL("({}) IS NOT TRUE").format(_alike(column, name, given))
    return sql.SQL("({} {} {})").format(name, sql.SQL(_ORDERS[operator]), given)


def _alike(column: TableColumn, ours: sql.Composable, theirs: sql.Composable) -> sql.Composed:
    """Builds the comparison of two keys as imports compare them: ignoring case and outer blanks."""
    if column.type != "text":
        return sql.SQL("{} = {}").format(ours, theirs)
    return sql.SQL("lower(btrim({})) = lower(btrim({}))").format(ours, theirs)


async def find_rows_by_file(
    connection: Connection, table: Table, key: Sequence[str], batches: AsyncIterator[pa.RecordBatch], schema: pa.Schema
) -> pa.Table:
    """Returns (n, row) for the rows whose keys a file's records have. batches: n, then the key columns."""
    known = {column.name: column for column in table.columns}
    definitions = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(POSTGRES_TYPES[known[name].type])) for name in key
    ]
    await connection.execute(
        sql.SQL("CREATE TEMP TABLE _incoming (_n bigint, {}) ON COMMIT DROP").format(sql.SQL(", ").join(definitions))
    )
    await copy_batches(connection, sql.Identifier("_incoming"), schema.names, schema, batches)
    await connection.execute("ANALYZE _incoming")
    sides = [(known[name], sql.Identifier("t", name), sql.Identifier("i", name)) for name in key]
    alike = sql.SQL(" AND ").join(_alike(*side) for side in sides)
    exact = sql.SQL(" AND ").join(sql.SQL("{} = {}").format(ours, theirs) for _, ours, theirs in sides)
    # Exact matches take precedence over matches that differ by case. Of several records with one key, the last counts.
    query = sql.SQL(
        "SELECT max(_n), _row FROM (SELECT i._n, t._row, {exact} AS exact, "
        "bool_or({exact}) OVER (PARTITION BY i._n) AS any_exact "
        "FROM _incoming i JOIN {table} t ON {alike} WHERE t._archived IS NULL) m "
        "WHERE exact OR NOT any_exact GROUP BY _row"
    ).format(table=physical(table), alike=alike, exact=exact)
    found = await copy_out(connection, query, {"n": pa.int64(), "row": pa.int64()})
    await connection.execute("DROP TABLE _incoming")
    return found
