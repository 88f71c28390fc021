"""Queries of the usage of keys, by UTC day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.database import Database
from atlas.db.named_queries import queries

Row = dict[str, Any]
Counted = tuple[int, date, int, int, int, int, int]


async def add(database: Database, counted: Sequence[Counted]) -> None:
    """Adds counts: (key id, day, requests, errors, bytes in, bytes out, rows written) each."""
    names = ("keys", "days", "requests", "errors", "bytes_in", "bytes_out", "rows")
    columns = dict(zip(names, map(list, zip(*counted, strict=True)), strict=True))
    await database.fetch(queries("accounts/usage")["add_usage"], **columns)


async def report(database: Database, caller: Caller, days: int) -> tuple[list[Row], list[Row], Row]:
    """Returns the usage of the caller's keys by day and by key, and what is stored."""
    parameters = {"user": caller.user_id, "organization": caller.organization_id, "days": days}
    found = []
    async with database.connection() as connection:
        for query in ("usage_by_day", "usage_by_key", "storage"):
            found.append(await executor.records(connection, queries("accounts/usage")[query], parameters))
    by_day, by_key, stored = found
    return by_day, by_key, stored[0]
