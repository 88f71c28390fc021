"""Runs statements on a database or within a transaction alike, after procrastinate's connector."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import TupleRow, dict_row

from atlas.db.database import Connection, Database

Executor = Database | Connection
Record = dict[str, Any]


@contextlib.asynccontextmanager
async def connected(executor: Executor) -> AsyncIterator[Connection]:
    """Yields the connection of a transaction, or a pool connection in autocommit mode."""
    if isinstance(executor, Database):
        async with executor.connection() as connection:
            yield connection
    else:
        yield executor


async def rows(executor: Executor, statement: LiteralString, parameters: Mapping[str, Any] = {}) -> list[TupleRow]:
    """Returns all rows of a statement as tuples; an empty list for a statement without a result."""
    async with connected(executor) as connection:
        cursor = await connection.execute(statement, parameters)
        return await cursor.fetchall() if cursor.description else []


async def row(
    executor: Executor, statement: LiteralString | sql.Composed, parameters: Mapping[str, Any] = {}
) -> TupleRow | None:
    """Returns the first row of a statement as a tuple, or None."""
    async with connected(executor) as connection:
        return await (await connection.execute(statement, parameters)).fetchone()


async def records(executor: Executor, statement: LiteralString, parameters: Mapping[str, Any] = {}) -> list[Record]:
    """Returns all rows of a statement as dicts by column name; an empty list for a statement without a result."""
    async with connected(executor) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(statement, parameters)
        return await cursor.fetchall() if cursor.description else []


async def record(executor: Executor, statement: LiteralString, parameters: Mapping[str, Any] = {}) -> Record | None:
    """Returns the first row of a statement as a dict by column name, or None."""
    async with connected(executor) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(statement, parameters)
        return await cursor.fetchone()
