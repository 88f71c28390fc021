"""Queries of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atlas.db import executor
from atlas.db.database import Database
from atlas.db.named_queries import queries

Row = dict[str, Any]


async def add(database: Database, entries: Sequence[Row]) -> None:
    """Adds entries, which all have the same names."""
    columns = {name: [entry[name] for entry in entries] for name in entries[0]}
    await database.fetch(queries("accounts/audit")["add_entries"], **columns)


async def listed(database: Database, **filters: Any) -> list[Row]:
    """Returns a page of entries, newest first, each with the `total` of all pages."""
    return await executor.records(database, queries("accounts/audit")["list_entries"], filters)


async def forget(database: Database, days: int) -> None:
    """Deletes entries older than `days`."""
    await database.fetch(queries("accounts/audit")["forget_entries"], days=days)
