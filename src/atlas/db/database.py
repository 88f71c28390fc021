"""Connections to PostgreSQL: a pool for statements, a pool for columnar reads, and migrations."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib import resources
from typing import IO, TYPE_CHECKING, Any, LiteralString, Protocol, TypeVar

import msgspec
import psycopg
import psycopg_pool
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps, set_json_loads

from atlas.db import job_queue
from atlas.db.addresses import one_host, refuse_pooler
from atlas.db.guard import CHANNEL, Gate
from atlas.db.hardening import harden
from atlas.db.migration_versions import refuse_newer
from atlas.db.prepared import PreparedStatements, Statement
from atlas.errors import UNREACHABLE, UnavailableError
from atlas.kit.json_depth import pruned
from atlas.kit.processor_time import MeteredThreads, charged_process

if TYPE_CHECKING:
    import pyarrow as pa

    from atlas.db.arrow_pool import ArrowReaders

Connection = psycopg.AsyncConnection[TupleRow]
T = TypeVar("T")

# Any constant works, as long as every Atlas on the database uses the same constant.
MIGRATION_LOCK = 0x41544C53
POOL_WAIT_SECONDS = 10.0
MIN_VERSION = 150000
# Concurrent columnar reads per process. Each has its own thread and connection.
ARROW_READERS = 8
_NO_TURN = contextlib.nullcontext()
# Connections for looking up keys and rights, beside those of the pool.
LOOKUP_CONNECTIONS = 3
# Connections for statements that write a few rows. A statement that waits longer for a lock is left to the pool.
WRITE_CONNECTIONS = 8
WRITE_LOCK_MILLISECONDS = 300


class Turns(Protocol):
    """Decides who gets the next free connection. patient: waits without a time limit."""

    def turn(self, *, patient: bool = False) -> contextlib.AbstractAsyncContextManager[None]: ...


class Database:
    """One database. Open it before use, close it after.

    turns: the order in which requests get the pool's connections; None is first come, first served. reading: the same
    for columnar reads.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        statement_timeout: float,
        turns: Turns | None = None,
        reading: Turns | None = None,
    ) -> None:
        self.url = url
        self.gate = Gate()
        self._turns, self._reading = turns, reading
        self._timeout_ms = int(statement_timeout * 1000)
        self._pool, self._lookups = self._new_pool(pool_size), self._new_pool(LOOKUP_CONNECTIONS)
        lookups, writes = LOOKUP_CONNECTIONS, WRITE_CONNECTIONS
        self._quick = PreparedStatements(url, self._options(), lookups, self.gate.passed, _configure)
        limit = f"{self._options()} -c lock_timeout={WRITE_LOCK_MILLISECONDS}"
        self._writes = PreparedStatements(url, limit, writes, self.gate.passed, _configure)
        # Where PostgreSQL is reached by a socket file, its processes are those of this machine.
        self._near = str(conninfo_to_dict(url).get("host") or "").startswith("/")
        self._threads = MeteredThreads(ARROW_READERS, thread_name_prefix="arrow")
        self._arrow: ArrowReaders | None = None
        self._making = threading.Lock()

    def _new_pool(self, size: int) -> psycopg_pool.AsyncConnectionPool[Connection]:
        return psycopg_pool.AsyncConnectionPool(
            self.url,
            min_size=1,
            max_size=size,
            timeout=POOL_WAIT_SECONDS,
            open=False,
            check=_check,
            kwargs={"autocommit": True, "options": self._options()},
            configure=_configure,
        )

    def _options(self) -> str:
        # Reads are planned from row blocks, so an index is always better than a scan of the whole table. PostgreSQL
        # cannot know that of a freshly loaded table, which has no statistics. For the same reason PostgreSQL would
        # start parallel workers, some 10 ms, for what one process reads in 2 ms.
        return (
            f"-c statement_timeout={self._timeout_ms} -c timezone=UTC -c enable_seqscan=off"
            " -c max_parallel_workers_per_gather=0"
        )

    async def open(self) -> None:
        await self._pool.open()
        await self._lookups.open()

    def warm_up(self) -> None:
        """Starts making the first connection for columnar reads, which takes some 0.1 s."""
        self._threads.submit(lambda: self._readers().warm_up())

    def _readers(self) -> ArrowReaders:
        """Makes the columnar pool on first use.

        Administration commands need no pool, and loading its library takes half a second.
        """
        with self._making:
            if self._arrow is None:
                from atlas.db.arrow_pool import ArrowReaders

                self._arrow = ArrowReaders(self.url, self._options(), size=ARROW_READERS, wait=POOL_WAIT_SECONDS)
            return self._arrow

    async def close(self) -> None:
        await self._pool.close()
        await self._lookups.close()
        await self._quick.close()
        await self._writes.close()
        self._threads.shutdown(cancel_futures=True)
        if self._arrow is not None:
            self._arrow.close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lends a connection in autocommit mode. Raises UnavailableError when the server is lost or absent."""
        async with self._turn(), self._connection(self._pool) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def connection_behind(self) -> AsyncIterator[Connection]:
        """Makes a connection for the block, in autocommit mode, that comes behind other work of the machine.

        Serves long work that no request waits for. Raises the same errors as `connection`.
        """
        from atlas.db.backend_process import process_of

        await self.gate.passed()
        with _mapped_errors():
            connection = await Connection.connect(self.url, autocommit=True, options=self._options())
            async with connection:
                await _configure(connection)
                process = process_of(connection)
                if process is not None:
                    await asyncio.to_thread(process.lower_priority)
                yield connection

    def _turn(self) -> contextlib.AbstractAsyncContextManager[None]:
        return _NO_TURN if self._turns is None else self._turns.turn()

    @contextlib.asynccontextmanager
    async def _connection(self, pool: psycopg_pool.AsyncConnectionPool[Connection]) -> AsyncIterator[Connection]:
        await self.gate.passed()
        with _mapped_errors():
            async with pool.connection() as connection:
                # While the caller waited for a connection, a backup may have taken the place of the database.
                await self.gate.passed()
                with charged_process(connection.info.backend_pid if self._near else 0):
                    yield connection

    @contextlib.asynccontextmanager
    async def transaction(self, *, keep: bool = True) -> AsyncIterator[Connection]:
        """Lends a connection in a transaction that commits when the block succeeds. keep=False always rolls back."""
        async with self.connection() as connection, connection.transaction(force_rollback=not keep):
            yield connection

    async def fetch(self, query: LiteralString, **parameters: Any) -> list[TupleRow]:
        """Runs one statement and returns all its rows."""
        async with self._turn():
            return await self._fetch(self._pool, query, parameters)

    async def look_up(self, query: LiteralString, **parameters: Any) -> list[TupleRow]:
        """Does what `fetch` does, for the first lookups of every request, on connections that nothing slow holds."""
        return await self._fetch(self._lookups, query, parameters)

    async def find(self, statement: Statement, *values: bytes | None) -> list[TupleRow]:
        """Does what `look_up` does by a prepared statement, with a third of the work."""
        with _mapped_errors():
            return await self._quick.run(statement, values)

    async def write(self, statement: Statement, *values: bytes | None) -> list[TupleRow]:
        """Runs a prepared statement that writes a few rows, and commits.

        Raises UnavailableError when the statement was stopped, or the connection was lost.
        Raises psycopg.Error otherwise, such as LockNotAvailable when another transaction holds what is needed.
        """
        try:
            return await self._writes.run(statement, values)
        except psycopg.OperationalError as error:
            # The effect of a lost connection is unknown, and a stopped statement would be stopped again.
            if (error.sqlstate or "57").startswith("57"):
                raise unavailable(error) from error
            raise

    async def _fetch(
        self, pool: psycopg_pool.AsyncConnectionPool[Connection], query: LiteralString, parameters: dict[str, Any]
    ) -> list[TupleRow]:
        async with self._connection(pool) as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def fetch_arrow(self, query: str, then: Callable[[pa.Table], T], *, behind: bool = False) -> T:
        """Reads the rows of `query` by binary COPY and returns what `then` makes of them, in the thread that read.

        behind: whether the read comes behind other work of the machine, for what is large and not waited for.
        """
        await self.gate.passed()
        loop = asyncio.get_running_loop()
        # A started answer cannot be refused any more, so a read waits as long as necessary.
        async with _NO_TURN if self._reading is None else self._reading.turn(patient=True):
            # As in `_connection`: a backup may have taken the place of the database while the read waited.
            await self.gate.passed()
            return await loop.run_in_executor(self._threads, lambda: then(self._readers().read(query, behind=behind)))

    async def write_arrow(self, snapshot: str, statements: Sequence[str], sink: IO[bytes]) -> None:
        """Writes the rows of SELECT statements as Arrow IPC streams; see `ArrowReaders.write`.

        Raises UnavailableError where the database is not there, and where it refuses a statement.
        """
        loop = asyncio.get_running_loop()
        async with _NO_TURN if self._reading is None else self._reading.turn(patient=True):
            await loop.run_in_executor(self._threads, lambda: self._readers().write(snapshot, statements, sink))

    def migrate(self) -> None:
        """Applies the missing migrations, one Atlas at a time. Blocks: call it in a thread.

        Raises UnavailableError when there is no database.
        Raises NewerDatabaseError when a newer Atlas has migrated the database.
        Raises RuntimeError when PostgreSQL is older than 15, or a pooler shares its sessions.
        """
        import yoyo

        try:
            lock = psycopg.connect(self.url, autocommit=True)
        except psycopg.OperationalError as error:
            raise UnavailableError("Database unavailable", str(error).split("\n", 1)[0]) from error
        with lock:
            refuse_pooler(self.url, lock)
            if lock.info.server_version < MIN_VERSION:
                raise RuntimeError(f"PostgreSQL 15 or newer is needed; the server is {lock.info.server_version}")
            lock.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
            refuse_newer(lock)
            # yoyo's own lock is a row, which a killed process leaves behind. An advisory lock ends with its session.
            with (
                yoyo.get_backend(f"postgresql+psycopg://{one_host(self.url, lock)}") as backend,
                resources.as_file(resources.files("atlas.db") / "migrations") as folder,
            ):
                missing = backend.to_apply(yoyo.read_migrations(str(folder)))
                # This notification stops running servers of an older version.
                for migration in missing:
                    lock.execute("SELECT pg_notify(%s, %s)", (CHANNEL, migration.id))
                backend.apply_migrations(missing)
            job_queue.install(lock)
            harden(lock)


@contextlib.contextmanager
def _mapped_errors() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        # Only a statement with its own lock timeout raises LockNotAvailable, and its caller handles the error.
        raise
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed) as error:
        raise unavailable(error) from error


async def _configure(connection: Connection) -> None:
    set_json_loads(_loads, connection)
    set_json_dumps(_dumps, connection)


def _loads(data: str | bytes) -> Any:
    # JSON stored by an earlier version may be nested deeper than the limit, and would make every list with it
    # unreadable.
    text = pruned(data.encode() if isinstance(data, str) else data)
    try:
        # msgspec takes a fifth of the time of `json`, and this code holds up the event loop.
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        # msgspec refuses numbers past 64 bits.
        return json.loads(text)


def _dumps(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (OverflowError, ValueError, TypeError):
        return json.dumps(value).encode()


async def _check(connection: Connection) -> None:
    """Raises psycopg.Error when the server has ended the connection.

    A health query would cost as much as many requests. An idle connection becomes readable only when the server closes
    it. So the socket is polled first, and the server is asked only when there is data.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if not poll.poll(0):
            return
    await psycopg_pool.AsyncConnectionPool.check_connection(connection)


def unavailable(error: Exception) -> Exception:
    """Returns the error for the caller: 503 for a query that took too long, or for a database out of reach."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return UnavailableError("The query took too long", "it was stopped; ask for less")
    return UnavailableError(*UNREACHABLE)
