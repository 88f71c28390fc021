"""Connections that read rows as Arrow, by binary COPY."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import dbapi as adbc

from atlas.errors import UNREACHABLE, NotFoundError, OverloadedError, UnavailableError


class _Kept:
    """Given to a connection as its database, which it would close together with itself."""

    def close(self) -> None:
        pass


class _Connection(adbc.Connection):
    """A connection of those that share a database. changing: held while one is opened or closed.

    The driver counts them without a lock of its own (apache/arrow-adbc#4753); a wrong count keeps the database open.
    """

    def __init__(self, opened: adbc_driver_manager.AdbcConnection, changing: AbstractContextManager[object]) -> None:
        self._changing = changing
        super().__init__(cast(Any, _Kept()), opened, autocommit=True)

    def close(self) -> None:
        """Closes the connection, after others that are being opened or closed."""
        with self._changing:
            super().close()


class ArrowReaders:
    """A pool of connections, for use in threads. options: of PostgreSQL's sessions, as `-c` takes them.

    They share what the driver knows of the database. It reads all types for that, and each table has two: that takes
    some 90 ms where there are few tables and 0.8 s where there are 4,000, and a connection itself 10 ms.
    """

    def __init__(self, url: str, options: str, *, size: int, wait: float) -> None:
        parts = urlsplit(url)
        given = f"options={quote(options)}"
        self._url = urlunsplit(parts._replace(query=f"{parts.query}&{given}" if parts.query else given))
        self._shared: Any = None
        self._size, self._wait = size, wait
        self._free = threading.BoundedSemaphore(size)
        # Those that nobody uses; the last one given back is lent first, as its caches are warm.
        self._idle: list[_Connection] = []
        # Reentrant, as the garbage collector may close a connection at any place.
        self._changing = threading.RLock()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[_Connection]:
        """Lends a connection. After an error inside it is closed, and otherwise kept for the next.

        Raises OverloadedError where none is free within `wait` seconds, and UnavailableError where none can be made.
        """
        if not self._free.acquire(timeout=self._wait):
            raise OverloadedError(f"no connection for reads became free in {self._wait:g} seconds; try again")
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect()
            try:
                yield connection
            except BaseException:
                with contextlib.suppress(adbc.Error):
                    connection.close()
                raise
            self._idle.append(connection)
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

    def warm_up(self) -> None:
        """Makes the first connection, so that the first read does not wait for it. Blocks; raises nothing."""
        with contextlib.suppress(UnavailableError), self._connection():
            pass

    def read(self, query: str) -> pa.Table:
        """Runs `query`; a pooled connection that turns out to be dead is replaced, as all of them may be. Blocks."""
        for attempt in range(self._size + 1):
            try:
                with self._connection() as connection, connection.cursor() as cursor:
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

    def close(self) -> None:
        """Closes the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()
        if self._shared is not None:
            self._shared.close()
            self._shared = None
