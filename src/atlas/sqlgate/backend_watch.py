"""Watches the backends of callers' queries, beside whatever waits for their answers.

A query is told to stop by PostgreSQL's own `statement_timeout`. That holds only where PostgreSQL looks, so a backend
that takes longer, or too much memory, is cancelled here, then terminated, and where it is a process of this machine
killed in the end. Whoever counts queries learns when the backend is gone, not when nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import psycopg
import structlog

from atlas.db.backend_process import BackendProcess, process_of
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import UnavailableError
from atlas.kit.tasks import end_task, start_detached

# How often backends are looked at: one whose limits PostgreSQL or the system keeps, and any other.
_TICK_SECONDS, _LINGERING_SECONDS = 0.5, 0.1
# Seconds after which a query comes behind whatever else the machine does, quick queries among it.
_PROMPT_SECONDS = 0.2
# Times that the system is asked for that.
_LOWERINGS = 10
_TERMINATE_AFTER = 1.0
# Of the limit: the stack, which the system counts apart.
_STACK_BYTES = 8 * 2**20
log = structlog.get_logger()

Reason = Literal["", "time", "memory"]


@dataclass(slots=True, eq=False)
class Backend:
    """A backend that serves one query. passed: which of its limits it has passed."""

    pid: int
    role: str
    gone: Callable[[], None]
    process: BackendProcess | None
    limited: bool
    since: float = field(default_factory=time.monotonic)
    passed: Reason = ""
    left: bool = False
    # How often a lower priority is still to be asked for.
    lowerings: int = _LOWERINGS
    # When the next step against it is due, and which.
    due: float = math.inf
    step: int = 0


class BackendWatch:
    """Knows every reader's backend of this server process.

    seconds, memory: what one may take; most: seconds after which one that nothing else ends is killed.
    """

    def __init__(self, database: Database, *, seconds: float, most: float, memory: int) -> None:
        self._database, self._seconds, self._memory = database, seconds, memory
        # Not before the steps before it have had their time.
        self._most_seconds = max(most, seconds + 3 * _TERMINATE_AFTER)
        self._backends: set[Backend] = set()
        self._task: asyncio.Task[None] | None = None
        self._told = False

    async def enter(self, connection: Connection, role: str, gone: Callable[[], None]) -> Backend:
        """Limits and watches the backend of a connection. `gone` is called once, when there is no such backend."""
        process = process_of(connection)
        limited = process is not None and await asyncio.to_thread(process.limit, self._memory - _STACK_BYTES)
        if process is not None and not limited and not self._told:
            self._told = True
            log.warning("memory of queries is watched, not limited", reason="the system does not let Atlas limit it")
        backend = Backend(connection.info.backend_pid, role, gone, process, limited)
        self._backends.add(backend)
        if self._task is None or self._task.done():
            self._task = start_detached(self._watch())
        return backend

    def leave(self, backend: Backend, *, idle: bool) -> None:
        """Nobody waits for the backend any more. idle: it ran nothing when its connection was closed."""
        backend.left = True
        if idle:
            self._forget(backend)

    async def close(self) -> None:
        """Ends the watch, and every backend that still runs as far as PostgreSQL obeys."""
        await end_task(self._task)
        for backend in list(self._backends):
            await self._tell("terminate_backend", backend)
        for backend in list(self._backends):
            self._forget(backend)

    def _forget(self, backend: Backend) -> None:
        if backend in self._backends:
            self._backends.discard(backend)
            backend.gone()

    async def _watch(self) -> None:
        while self._backends:
            waits = any(backend.left or backend.lowerings for backend in self._backends)
            await asyncio.sleep(_LINGERING_SECONDS if waits else _TICK_SECONDS)
            try:
                await self._look()
            except UnavailableError:
                # PostgreSQL is busy or starts again; what it no longer knows then is gone.
                continue
            except Exception:
                log.exception("watching queries failed")

    async def _look(self) -> None:
        left = [backend for backend in self._backends if backend.left]
        if left:
            await self._forget_gone(left)
        now = time.monotonic()
        for backend in list(self._backends):
            if backend.lowerings and now - backend.since > _PROMPT_SECONDS:
                await self._lower(backend)
            if not backend.passed:
                self._judge(backend, now)
            if now >= backend.due:
                await self._step(backend, now)

    async def _forget_gone(self, left: list[Backend]) -> None:
        unsure = [backend for backend in left if backend.process is None]
        for backend in left:
            if backend.process is not None and not backend.process.lives:
                self._forget(backend)
        if unsure:
            pids, roles = [backend.pid for backend in unsure], [backend.role for backend in unsure]
            living = set(await self._database.look_up(queries("sqlgate/wall")["backends"], pids=pids, roles=roles))
            for backend in unsure:
                if (backend.pid, backend.role) not in living:
                    self._forget(backend)

    async def _lower(self, backend: Backend) -> None:
        """Lets other processes go before a query that is not quick."""
        done = backend.process is None or await asyncio.to_thread(backend.process.lower_priority)
        backend.lowerings = 0 if done else backend.lowerings - 1

    def _judge(self, backend: Backend, now: float) -> None:
        """Notes which limit a backend has passed."""
        if now - backend.since > self._seconds:
            backend.passed = "time"
        elif backend.process is not None and not backend.limited:
            backend.passed = "memory" if backend.process.private_bytes() > self._memory else ""
        if backend.passed or backend.left:
            backend.due = min(backend.due, now)

    async def _step(self, backend: Backend, now: float) -> None:
        """Cancels a backend, then terminates it, then kills it where nothing else ends it."""
        if backend.process is not None and backend.step <= 2:
            # Who gets no turn at the processor cannot end either.
            backend.lowerings = 0
            await asyncio.to_thread(backend.process.restore_priority)
        if backend.step == 0 and not backend.left:
            backend.step, backend.due = 1, now + _TERMINATE_AFTER
            await self._tell("cancel_backend", backend)
        elif backend.step <= 1:
            backend.step, backend.due = 2, now + _TERMINATE_AFTER
            await self._tell("terminate_backend", backend)
        elif backend.step == 2:
            memory = backend.passed == "memory" or (
                backend.process is not None and not backend.limited and backend.process.private_bytes() > self._memory
            )
            if not memory and now < backend.since + self._most_seconds:
                backend.due = now + _TERMINATE_AFTER
                return
            backend.step, backend.due = 3, math.inf
            killed = backend.process is not None and backend.process.kill()
            log.error("query not ended", passed=backend.passed or "time", killed=killed)

    async def _tell(self, what: Literal["cancel_backend", "terminate_backend"], backend: Backend) -> None:
        # A user of the database that may not do so leaves it to PostgreSQL's own timeout.
        with contextlib.suppress(UnavailableError, psycopg.Error):
            await self._database.look_up(queries("sqlgate/wall")[what], pid=backend.pid, role=backend.role)
