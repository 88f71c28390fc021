"""Runs SQL from outside: one SELECT, as its user's reader role, in a connection of its own."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Any, cast

import psycopg

from atlas.accounts.access import Caller
from atlas.db.database import Connection, Database
from atlas.errors import UNREACHABLE, BadRequestError, UnavailableError
from atlas.kit.processor_time import OtherProcess
from atlas.sqlgate.backend_watch import Backend, BackendWatch, Reason
from atlas.sqlgate.physical_names import TOO_LONG_TEXT
from atlas.sqlgate.reader_roles import ReaderRoles

_GRACE_SECONDS = 5.0
_LEAST_BYTES = 64 * 1024
_TOO_LARGE = "a row of it is too large: "
_BUSY = ("Too many queries at once", "try again in a moment")
TOO_LONG = ("The query took too long", "it was stopped; ask for less")
_TOO_MUCH = "it needs too much memory or disk; ask for less"
_LOCKED = ("The data is being changed", "try again in a moment")
_GUARDED = re.compile(re.escape(TOO_LONG_TEXT) + "[0-9]+")
# Internal names that no message may reveal: schemas, roles and relations.
_INTERNAL = re.compile(
    r"_table_\d|_view_\d|_(?:rollup|hot|cold|chunks|unpacked|query)_\d|dataset_\d|org_[0-9a-f]{12}|\batlas(?:_jobs)?\b"
)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows of a query.

    columns: (name, type). truncated: whether there were more rows. seconds: time in the database.
    """

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]
    truncated: bool
    seconds: float


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """Limits of one query. seconds: its time. memory: bytes of its backend. rows: bytes of its rows as text."""

    seconds: float = 30.0
    memory: int = 512 * 2**20
    rows: int = 16 * 2**20


class QueryRunner:
    """Runs queries. Close it after use.

    `gone` is called once, when no backend works on the query any more. That may be long after the answer.
    """

    def __init__(self, database: Database, secret: Callable[[], str], limits: QueryLimits = QueryLimits()) -> None:
        self._roles = ReaderRoles(database, secret, timeout=limits.seconds)
        self._watch = BackendWatch(
            database, seconds=limits.seconds + _GRACE_SECONDS, most=1.5 * limits.seconds, memory=limits.memory
        )
        self._timeout, self._max_bytes = limits.seconds, limits.rows

    async def close(self) -> None:
        await self._watch.close()

    async def role_for(self, caller: Caller) -> str:
        """Returns the role that the caller's queries run as, made if it is not there yet."""
        return await self._roles.ensure(caller)

    async def run(
        self,
        caller: Caller,
        sql: str,
        datasets: Collection[int] = (),
        *,
        max_rows: int = 1000,
        gone: Callable[[], None] = _nothing,
    ) -> QueryResult:
        """Runs one SELECT with physical names, and returns its rows.

        Raises BadRequestError with PostgreSQL's reason.
        Raises NotFoundError for a dataset that the caller may not read.
        Raises UnavailableError when the query takes too long.
        """
        async with self._session(caller, datasets, gone) as connection:
            text = _encode(sql)
            started = time.perf_counter()
            await _check(connection, text)
            await _declare(connection, text, max(self._max_bytes, _LEAST_BYTES))
            cursor = connection.cursor()
            # Fetches no rows, for the columns: a stream without rows has no columns.
            await cursor.execute("FETCH FORWARD 0 FROM _atlas")
            columns = [
                (column.name, known.name if (known := connection.adapters.types.get(column.type_code)) else "text")
                for column in cursor.description or ()
            ]
            rows, cut = await self._rows(connection, max_rows)
            return QueryResult(tuple(columns), rows, cut, time.perf_counter() - started)

    async def _rows(self, connection: Connection, max_rows: int) -> tuple[list[tuple[Any, ...]], bool]:
        """Returns the cursor's rows up to the limits, and whether there are more.

        The rows come one by one, so that at most one row beyond the limit of bytes is ever held.
        """
        rows: list[tuple[Any, ...]] = []
        size = 0
        cursor = connection.cursor()
        fetch = cursor.stream(f"FETCH FORWARD {max_rows + 1} FROM _atlas".encode())
        async with contextlib.aclosing(cast("AsyncGenerator[tuple[Any, ...], None]", fetch)) as stream:
            async for row in stream:
                result = cursor.pgresult
                assert result is not None
                size += sum(len(result.get_value(0, position) or b"") for position in range(result.nfields))
                if len(rows) == max_rows or (rows and size > self._max_bytes):
                    # The connection ends here, because the stream would read all remaining rows.
                    connection.pgconn.finish()
                    return rows, True
                rows.append(row)
        return rows, False

    async def explain(
        self, caller: Caller, sql: str, datasets: Collection[int] = (), *, gone: Callable[[], None] = _nothing
    ) -> str | None:
        """Returns why PostgreSQL would refuse the query, or None. Runs nothing."""
        try:
            async with self._session(caller, datasets, gone) as connection:
                # The cursor is never fetched from. EXPLAIN would accept `ANALYZE SELECT …`, too.
                await _check(connection, _encode(sql))
        except BadRequestError as error:
            return error.details
        return None

    @contextlib.asynccontextmanager
    async def _session(
        self, caller: Caller, datasets: Collection[int], gone: Callable[[], None]
    ) -> AsyncIterator[Connection]:
        """Opens a read-only transaction of the caller's role, and always rolls it back and closes the connection."""
        connection: Connection | None = None
        backend: Backend | None = None
        try:
            async with asyncio.timeout(self._timeout + _GRACE_SECONDS):
                connection = await self._roles.connect(caller, datasets)
                backend = await self._watch.enter(connection, self._roles.role_of(caller), gone)
                await connection.execute("BEGIN READ ONLY")
                yield connection
        except TimeoutError:
            raise UnavailableError(*TOO_LONG) from None
        except psycopg.Error as error:
            raise _to_error(error, backend.passed if backend is not None else "") from error
        finally:
            if backend is not None and backend.process is not None:
                # The process was started for this query.
                OtherProcess(backend.process.pid).charge()
            try:
                idle = connection is None or await _end(connection)
            except BaseException:
                idle = False
                raise
            finally:
                if backend is not None:
                    self._watch.leave(backend, idle=idle)
                else:
                    gone()


def _encode(sql: str) -> bytes:
    """Encodes the text for PostgreSQL. Raises BadRequestError for a text that PostgreSQL would see differently."""
    try:
        text = sql.encode()
    except UnicodeEncodeError:
        raise BadRequestError("Query failed", "it has a lone surrogate") from None
    if b"\0" in text:
        raise BadRequestError("Query failed", "it has a NUL character")
    return text


async def _check(connection: Connection, sql: bytes) -> None:
    """Makes PostgreSQL plan the query and check its rights.

    A prepared statement is a single statement, and cursors are declared for SELECT and VALUES only.
    """
    await connection.execute(b"DECLARE _check NO SCROLL CURSOR FOR " + sql, prepare=True)


async def _declare(connection: Connection, sql: bytes, max_bytes: int) -> None:
    """Declares the cursor of a checked query, which is therefore one query in parentheses, too.

    PostgreSQL can make rows of up to 1 GB, which would be received whole. So the cursor refuses rows over `max_bytes`.
    OFFSET keeps the test of the size separate from the query's own conditions.
    """
    await connection.execute(
        b"DECLARE _atlas NO SCROLL CURSOR FOR SELECT * FROM (SELECT * FROM (%b\n) AS q OFFSET 0) AS q WHERE CASE WHEN "
        b"length((q.*)::text) > %d THEN ('%b' || length((q.*)::text))::integer = 0 ELSE true END"
        % (sql, max_bytes, _TOO_LARGE.encode()),
        prepare=True,
    )


async def _end(connection: Connection) -> bool:
    """Closes the connection and its transaction. Returns whether nothing ran on the connection any more."""
    status = connection.info.transaction_status
    busy = (psycopg.pq.TransactionStatus.ACTIVE, psycopg.pq.TransactionStatus.UNKNOWN)
    await connection.close()
    return status not in busy


def _to_error(error: psycopg.Error, passed: Reason) -> Exception:
    """Returns the caller's error: PostgreSQL's reason for wrong SQL, or that the server is unavailable.

    passed: the limit for which the backend was stopped.
    """
    state = error.sqlstate or ""
    if passed == "memory":
        return BadRequestError("Query failed", _TOO_MUCH)
    if passed == "time":
        return UnavailableError(*TOO_LONG)
    if isinstance(error, psycopg.errors.QueryCanceled):
        return UnavailableError(*TOO_LONG)
    # Every name was resolved, so a missing relation is one whose rows have just been packed, or that was deleted.
    if isinstance(error, (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable)):
        return UnavailableError(*_LOCKED)
    if isinstance(error, psycopg.errors.TooManyConnections):
        return UnavailableError(*_BUSY)
    if _TOO_LARGE in (error.diag.message_primary or ""):
        return BadRequestError("Query failed", "a row of it is too large")
    if (guarded := _GUARDED.search(error.diag.message_primary or "")) is not None:
        return BadRequestError("Query failed", f"{guarded[0]} bytes; cut it by LEFT")
    if state[:2] in ("53", "54"):
        return BadRequestError("Query failed", _TOO_MUCH)
    if state[:2] in ("08", "57", "58") or (isinstance(error, psycopg.OperationalError) and not state):
        return UnavailableError(*UNREACHABLE)
    reason = (error.diag.message_primary or "it cannot be run")[:200]
    if state == "42501" or _INTERNAL.search(reason):
        reason = "it reads or calls what it may not"
    return BadRequestError("Query failed", reason)
