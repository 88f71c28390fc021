"""What managing an organization reads and changes: its users' keys, tags, and jobs."""

from __future__ import annotations

from typing import Any

from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries

Row = dict[str, Any]


async def rows(database: Database | Connection, query: str, **parameters: Any) -> list[Row]:
    """The rows of one of the queries, by itself or within a transaction; none of one that gives none."""
    return await executor.records(database, queries("accounts/admin")[query], parameters)


async def one(database: Database | Connection, query: str, **parameters: Any) -> Row | None:
    """The first row of one of the queries."""
    return await executor.record(database, queries("accounts/admin")[query], parameters)
