"""TEMPORARY until the merge: no wall at all, only a read-only transaction on the pool."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import set_json_loads

from atlas.core.access import Caller
from atlas.errors import BadRequestError
from atlas.store.database import Database


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows of a query. columns: (name, PostgreSQL type); truncated: whether there were more; seconds: in the database."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]
    truncated: bool
    seconds: float


class QueryRunner:
    """Runs queries."""

    def __init__(self, database: Database, secret: Callable[[], str]) -> None:
        self._database = database

    async def run(
        self, caller: Caller, sql: str, datasets: Collection[int] = (), *, max_rows: int = 1000
    ) -> QueryResult:
        """The rows of one SELECT with physical names. Raises BadRequestError with PostgreSQL's reason."""
        started = time.perf_counter()
        try:
            async with self._database.transaction() as connection:
                await connection.execute("SET TRANSACTION READ ONLY")
                cursor = await connection.execute(sql.encode())
                set_json_loads(lambda data: data if isinstance(data, str) else bytes(data).decode(), cursor)
                rows = await cursor.fetchall()
                known = [connection.adapters.types.get(c.type_code) for c in cursor.description or ()]
                names = [c.name for c in cursor.description or ()]
        except (psycopg.ProgrammingError, psycopg.DataError) as error:
            raise BadRequestError("Query failed", (error.diag.message_primary or "?")[:200]) from error
        columns = tuple((name, kind.name if kind else "text") for name, kind in zip(names, known, strict=True))
        return QueryResult(columns, rows[:max_rows], len(rows) > max_rows, time.perf_counter() - started)

    async def explain(self, caller: Caller, sql: str, datasets: Collection[int] = ()) -> str | None:
        """Why PostgreSQL would not run the query; None where it would."""
        try:
            await self.run(caller, f"EXPLAIN {sql}")
        except BadRequestError as error:
            return error.details
        return None
