"""What managing an organization reads and changes: its users' keys, tags, and jobs."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries

Row = dict[str, Any]


async def rows(database: Database | Connection, query: str, **parameters: Any) -> list[Row]:
    """The rows of one of the queries, by itself or within a transaction; none of one that gives none."""
    if isinstance(database, Database):
        async with database.connection() as connection:
            return await rows(connection, query, **parameters)
    cursor = database.cursor(row_factory=dict_row)
    await cursor.execute(queries("accounts/admin")[query], parameters)
    return await cursor.fetchall() if cursor.description else []


async def one(database: Database | Connection, query: str, **parameters: Any) -> Row | None:
    """The first row of one of the queries."""
    found = await rows(database, query, **parameters)
    return found[0] if found else None
