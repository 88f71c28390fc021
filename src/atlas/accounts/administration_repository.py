"""Queries for the administration of an organization: its users' keys, tags, and jobs."""

from __future__ import annotations

from typing import Any

from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries

Row = dict[str, Any]


async def rows(database: Database | Connection, query: str, **parameters: Any) -> list[Row]:
    """Runs a query by itself or within a transaction, and returns its rows."""
    return await executor.records(database, queries("accounts/admin")[query], parameters)


async def one(database: Database | Connection, query: str, **parameters: Any) -> Row | None:
    """Runs a query and returns its first row, or None."""
    return await executor.record(database, queries("accounts/admin")[query], parameters)
