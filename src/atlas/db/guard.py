"""Keeps a process from a database that is no longer the database on which the process started.

A connection of its own watches. A newer Atlas may migrate the database while this process runs, and a backup may
replace the database while this process is disconnected. The process's caches of datasets would then be wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

import psycopg
import structlog

from atlas.db.migration_versions import NewerDatabaseError, known_migrations
from atlas.db.named_queries import queries
from atlas.errors import UNREACHABLE, UnavailableError
from atlas.kit.tasks import end_task

# Any constant works, as long as every Atlas on the database uses the same constant. Each server holds the lock shared;
# a restore holds it exclusively.
SERVERS_LOCK = 0x41544C54
# The random number of this process, which is locked while the process lives. Other processes see by the lock whose work
# was left behind. Clock changes and long work make no difference.
PROCESS = secrets.randbits(62)
CHANNEL = "atlas_schema"
LOOK_SECONDS = 5.0
RESTORE_SECONDS = 0.5
RECONNECT_SECONDS = 0.2
# As long as a request waits for a pool connection.
WAIT_SECONDS = 10.0

_RESTORING = ("The database is being restored", "a backup takes its place; try again later")
_REPLACED = ("The database has been replaced", "a backup was restored to it; restart this server")
_MIGRATING = ("The database is of an older Atlas", "a server that starts migrates it; restart this server")
log = structlog.get_logger()


class Gate:
    """The gate before each use of the database: open, shut for a moment, or refused with a reason."""

    def __init__(self) -> None:
        self._open, self._refused, self._settled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._reason: tuple[str, str] | None = None
        self.open()

    async def passed(self) -> None:
        """Returns when the gate is open.

        Raises UnavailableError when the gate is refused, or stays shut for 10 seconds.
        """
        if not self._settled.is_set():
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._settled.wait()
            except TimeoutError:
                raise UnavailableError(*UNREACHABLE) from None
        if self._reason is not None:
            raise UnavailableError(*self._reason)

    async def opened(self) -> None:
        """Returns when the gate is open, without a time limit."""
        await self._open.wait()

    async def refused(self) -> None:
        """Returns when the gate is refused."""
        await self._refused.wait()

    def open(self) -> None:
        self._set(None)

    def refuse(self, message: str, details: str) -> None:
        if self._reason != (message, details):
            log.warning("database refused", reason=message, details=details)
        self._set((message, details))

    def give_up(self) -> None:
        """Ends the wait of all callers at a shut gate with an error, because nobody is left to open the gate."""
        if not self._settled.is_set():
            self._set(UNREACHABLE)

    def shut(self) -> None:
        """Makes callers wait. A refused gate stays refused."""
        if self._reason is None:
            self._settled.clear()
            self._open.clear()

    def _set(self, reason: tuple[str, str] | None) -> None:
        self._reason = reason
        self._settled.set()
        now, before = (self._open, self._refused) if reason is None else (self._refused, self._open)
        now.set()
        before.clear()


class Guard:
    """Opens and shuts the gate of a database while the guard runs."""

    def __init__(self, url: str, gate: Gate) -> None:
        self._url, self._gate = url, gate
        self._task: asyncio.Task[None] | None = None
        # The OID of a table. A restore creates the table again, with another OID.
        self._table: int | None = None

    def start(self) -> None:
        self._gate.shut()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends the watch. Work during the server's shutdown then meets the gate open, or refused."""
        await end_task(self._task)
        self._gate.give_up()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, connect_timeout=10)
                async with connection:
                    await self._watch(connection)
            self._gate.shut()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _watch(self, connection: psycopg.AsyncConnection) -> None:
        known = queries("db/guard")
        while not (await _fetch_row(connection, known["enter"], lock=SERVERS_LOCK))[0]:
            self._gate.refuse(*_RESTORING)
            await asyncio.sleep(RESTORE_SECONDS)
        await connection.execute(known["live"], {"process": PROCESS})
        await connection.execute(f"LISTEN {CHANNEL}")
        while True:
            await self._look(connection)
            async for notice in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                if notice.payload not in known_migrations():
                    # The migration is about to be applied; the next look sees the result.
                    error = NewerDatabaseError(frozenset({notice.payload}))
                    self._gate.refuse(error.message, error.details or "")
                    await asyncio.sleep(RESTORE_SECONDS)

    async def _look(self, connection: psycopg.AsyncConnection) -> None:
        table, applied = await _fetch_row(connection, queries("db/guard")["look"])
        ours, found = known_migrations(), frozenset(applied)
        if found - ours:
            error = NewerDatabaseError(found - ours)
            self._gate.refuse(error.message, error.details or "")
        elif self._table not in (None, table):
            self._gate.refuse(*_REPLACED)
        elif ours - found:
            self._gate.refuse(*_MIGRATING)
        else:
            self._table = table
            self._gate.open()


async def _fetch_row(connection: psycopg.AsyncConnection, query: str, **parameters: int) -> tuple[Any, ...]:
    row = await (await connection.execute(query.encode(), parameters or None)).fetchone()
    assert row is not None
    return row
