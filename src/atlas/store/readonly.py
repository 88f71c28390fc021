"""Runs SQL that came from outside: one SELECT, as its user's reader role, in a connection that ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import set_json_loads

from atlas.core.access import Caller
from atlas.errors import BadRequestError, UnavailableError
from atlas.store.database import UNREACHABLE, Connection, Database
from atlas.store.readers import ReaderRoles

_PIECE = 500
_SLOT_WAIT_SECONDS = 10.0
_GRACE_SECONDS = 5.0
_BUSY = ("Too many queries at once", "try again in a moment")


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows of a query. columns: (name, type); truncated: whether there were more; seconds: in the database."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]
    truncated: bool
    seconds: float


class QueryRunner:
    """Runs queries, `slots` at once. timeout: seconds for one; max_bytes: of its rows, as text."""

    def __init__(
        self, database: Database, secret: Callable[[], str], *, timeout: float = 30.0, slots: int = 4,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> None:  # fmt: skip
        self._roles = ReaderRoles(database, secret, timeout=timeout)
        self._timeout, self._max_bytes = timeout, max_bytes
        self._slots = asyncio.Semaphore(slots)

    async def run(
        self, caller: Caller, sql: str, datasets: Collection[int] = (), *, max_rows: int = 1000
    ) -> QueryResult:
        """The rows of one SELECT with physical names.

        Raises BadRequestError with PostgreSQL's reason, NotFoundError for a dataset that the caller may not read,
        UnavailableError where it takes too long or too many run already.
        """
        if "\0" in sql:
            raise BadRequestError("Query failed", "it has a NUL character")
        async with self._session(caller, datasets) as connection:
            started = time.perf_counter()
            # PostgreSQL declares cursors for nothing but SELECT and VALUES; prepared, it takes one statement only.
            await connection.execute(f"DECLARE _atlas NO SCROLL CURSOR FOR {sql}".encode(), prepare=True)
            rows: list[tuple[Any, ...]] = []
            size, more = 0, True
            cursor = connection.cursor()
            while more and len(rows) <= max_rows and size <= self._max_bytes:
                await cursor.execute(f"FETCH FORWARD {min(_PIECE, max_rows + 1 - len(rows))} FROM _atlas".encode())
                piece = await cursor.fetchall()
                rows += piece
                size += sum(len(str(cell)) for row in piece for cell in row)
                more = bool(piece) and len(rows) <= max_rows
            types = connection.adapters.types
            described = []
            for column in cursor.description or ():
                known = types.get(column.type_code)
                described.append((column.name, known.name if known else "text"))
            cut = len(rows) > max_rows or size > self._max_bytes
            return QueryResult(tuple(described), rows[:max_rows], cut, time.perf_counter() - started)

    async def explain(self, caller: Caller, sql: str, datasets: Collection[int] = ()) -> str | None:
        """Why PostgreSQL would not run the query; None where it would. Nothing is run."""
        try:
            async with self._session(caller, datasets) as connection:
                # Planned, as for EXPLAIN, but never fetched from.
                await connection.execute(f"DECLARE _atlas NO SCROLL CURSOR FOR {sql}".encode(), prepare=True)
        except BadRequestError as error:
            return error.details
        return None

    @contextlib.asynccontextmanager
    async def _session(self, caller: Caller, datasets: Collection[int]) -> AsyncIterator[Connection]:
        """A read-only transaction of the caller's role that is rolled back and closed, whatever happens."""
        try:
            await asyncio.wait_for(self._slots.acquire(), _SLOT_WAIT_SECONDS)
        except TimeoutError:
            raise UnavailableError(*_BUSY) from None
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._timeout + _GRACE_SECONDS):
                connection = await self._roles.connect(caller, datasets)
                # JSON stays the text that it is.
                set_json_loads(lambda data: bytes(data).decode() if not isinstance(data, str) else data, connection)
                await connection.execute("BEGIN READ ONLY")
                yield connection
        except TimeoutError:
            raise UnavailableError("The query took too long", "it was stopped; ask for less") from None
        except psycopg.errors.QueryCanceled as error:
            raise UnavailableError("The query took too long", "it was stopped; ask for less") from error
        except psycopg.Error as error:
            raise _refused(error) from error
        finally:
            self._slots.release()
            if connection is not None:
                await _end(connection)


async def _end(connection: Connection) -> None:
    """Stops what still runs and closes the connection; with it, its transaction is gone."""
    with contextlib.suppress(psycopg.Error, TimeoutError):
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            await connection.cancel_safe(timeout=_GRACE_SECONDS)
    await connection.close()


def _refused(error: psycopg.Error) -> Exception:
    """What the caller is told: PostgreSQL's reason where the SQL is wrong, else that the server is not there."""
    state = error.sqlstate or ""
    if state[:2] in ("08", "57", "53") or (isinstance(error, psycopg.OperationalError) and not state):
        return UnavailableError(*UNREACHABLE)
    reason = (error.diag.message_primary or "it cannot be run")[:200]
    if state == "42501" or "_table_" in reason or "_view_" in reason or "dataset_" in reason:
        reason = "it reads or calls what it may not"
    return BadRequestError("Query failed", reason)
