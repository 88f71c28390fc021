"""A pool of connections that read rows as Arrow, by binary COPY."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO, Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import dbapi as adbc

from atlas.db.backend_process import process_numbered
from atlas.errors import UNREACHABLE, NotFoundError, OverloadedError, UnavailableError


class _Kept:
    """Stands in for the database of a connection.

    A closing connection closes its database, too; the real database is shared and stays open.
    """

    def close(self) -> None:
        pass


class _Connection(adbc.Connection):
    """A connection that shares its database with the other connections of a pool.

    The driver counts connections without a lock (apache/arrow-adbc#4753). A wrong count would keep the database open.
    changing: a lock held while any connection of the pool opens or closes.
    """

    def __init__(self, opened: adbc_driver_manager.AdbcConnection, changing: AbstractContextManager[object]) -> None:
        self._changing = changing
        # Whether other processes go before the connection's backend.
        self.lowered = False
        super().__init__(cast(Any, _Kept()), opened, autocommit=True)

    def close(self) -> None:
        """Closes the connection, one at a time with other connections that open or close."""
        with self._changing:
            super().close()


class ArrowReaders:
    """A pool of connections, for use in threads. options: PostgreSQL session options in the form of `-c`.

    The connections share the driver's type catalog. Loading the catalog reads all types, and each table has two.
    Loading takes some 90 ms with few tables and 0.8 s with 4,000 tables; a connection alone takes 10 ms.
    """

    def __init__(self, url: str, options: str, *, size: int, wait: float) -> None:
        parts = urlsplit(url)
        given = f"options={quote(options)}"
        self._url = urlunsplit(parts._replace(query=f"{parts.query}&{given}" if parts.query else given))
        self._shared: Any = None
        self._size, self._wait = size, wait
        self._free = threading.BoundedSemaphore(size)
        # Idle connections. The connection returned last is lent first, because its caches are warm.
        self._idle: list[_Connection] = []
        # Those whose backends come behind other work of the machine.
        self._idle_behind: list[_Connection] = []
        # Reentrant, because the garbage collector may close a connection at any point.
        self._changing = threading.RLock()

    @contextlib.contextmanager
    def _connection(self, *, behind: bool = False) -> Iterator[_Connection]:
        """Lends a connection. An error in the block closes the connection; otherwise the pool keeps it.

        Raises OverloadedError when no connection is free within `wait` seconds.
        Raises UnavailableError when no connection can be made.
        """
        if not self._free.acquire(timeout=self._wait):
            raise OverloadedError(f"no connection for reads became free in {self._wait:g} seconds; try again")
        idle = self._idle_behind if behind else self._idle
        try:
            try:
                connection = idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                if behind and not connection.lowered:
                    connection.lowered = self._lower(connection)
                yield connection
            except BaseException:
                with contextlib.suppress(adbc.Error):
                    connection.close()
                raise
            idle.append(connection)
        finally:
            self._free.release()

    def _connect(self) -> _Connection:
        try:
            with self._changing:
                if self._shared is None:
                    self._shared = adbc_driver_postgresql.connect(self._url)
                return _Connection(adbc_driver_manager.AdbcConnection(self._shared), self._changing)
        except adbc.Error as error:
            raise UnavailableError(*UNREACHABLE) from error

    def _lower(self, connection: _Connection) -> bool:
        """Gives other processes the processor before the backend. Returns whether no further attempt is needed."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            row = cursor.fetchone()
        process = None if row is None else process_numbered(self._url, int(row[0]))
        return process is None or process.lower_priority()

    def warm_up(self) -> None:
        """Makes the first connection, so that the first read does not wait for a connection. Blocks; raises nothing."""
        with contextlib.suppress(UnavailableError), self._connection():
            pass

    def read(self, query: str, *, behind: bool = False) -> pa.Table:
        """Runs `query` and returns its rows, behind other work of the machine if asked. Blocks.

        A dead pooled connection is replaced and the query is tried again, since all pooled connections may be dead.
        Raises UnavailableError when the query is stopped or the database is out of reach or resources.
        Raises NotFoundError when the table has been deleted.
        """
        for attempt in range(self._size + 1):
            try:
                with self._connection(behind=behind) as connection, connection.cursor() as cursor:
                    cursor.execute(query)
                    return cursor.fetch_arrow_table()
            except adbc.Error as error:
                state = getattr(error, "sqlstate", None) or "08000"
                if state == "57014":
                    raise UnavailableError("The query took too long", "it was stopped; ask for less") from error
                if state == "0A000" and attempt < self._size:
                    # A column has changed between the planning of the query and the description of its result.
                    continue
                if state == "42P01":
                    raise NotFoundError("Dataset not found", "it has just been deleted") from error
                # Connections, resources such as disk space, operators, and the system itself.
                if state[:2] not in ("08", "53", "57", "58"):
                    raise
                if attempt == self._size or (attempt and state[:2] in ("53", "58")):
                    raise UnavailableError(*UNREACHABLE) from error
        raise AssertionError("unreachable")

    def write(self, snapshot: str, statements: Sequence[str], sink: IO[bytes]) -> None:
        """Writes the rows of SELECT statements as Arrow IPC streams, one behind the other. Blocks.

        snapshot: the name of an exported snapshot, in which all of the statements run. Raises NotFoundError for a
        table that is gone, and UnavailableError for every other failure. Nothing is tried twice.
        """
        try:
            with self._connection() as connection, connection.cursor() as cursor:
                connection.adbc_connection.set_autocommit(False)
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
                for statement in statements:
                    cursor.execute(statement)
                    reader = cursor.fetch_record_batch()
                    with pa.ipc.new_stream(sink, reader.schema) as writer:
                        for batch in reader:
                            writer.write_batch(batch)
                connection.rollback()
                connection.adbc_connection.set_autocommit(True)
        except adbc.Error as error:
            if getattr(error, "sqlstate", None) == "42P01":
                raise NotFoundError("Dataset not found", "it has just been deleted") from error
            raise UnavailableError(*UNREACHABLE) from error

    def close(self) -> None:
        """Closes the idle connections."""
        for idle in (self._idle, self._idle_behind):
            while idle:
                idle.pop().close()
        if self._shared is not None:
            self._shared.close()
            self._shared = None
