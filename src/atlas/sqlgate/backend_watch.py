"""Watches the backends of callers' queries, independently of the requests that wait for the answers.

PostgreSQL's own `statement_timeout` stops a query only at places where PostgreSQL checks. So a backend that takes too
long, or too much memory, is cancelled here, and then terminated. A backend on this machine is killed in the end. A slot
is given back when the backend is gone, not when its caller stops waiting.
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

# Seconds between checks: for backends whose limits PostgreSQL or the system enforces, and for others.
_TICK_SECONDS, _LINGERING_SECONDS = 0.5, 0.1
# Seconds after which a query gets a lower priority than other work on the machine, quick queries included.
_PROMPT_SECONDS = 0.2
# Attempts to lower the priority.
_LOWERINGS = 10
_TERMINATE_AFTER = 1.0
# The part of the limit for the stack, which the system counts separately.
_STACK_BYTES = 8 * 2**20
log = structlog.get_logger()

Reason = Literal["", "time", "memory"]


@dataclass(slots=True, eq=False)
class Backend:
    """A backend that serves one query. passed: the limit that the backend has exceeded."""

    pid: int
    role: str
    gone: Callable[[], None]
    process: BackendProcess | None
    limited: bool
    since: float = field(default_factory=time.monotonic)
    passed: Reason = ""
    left: bool = False
    # Remaining attempts to lower the priority.
    lowerings: int = _LOWERINGS
    # When the next step against the backend is due, and which step: cancel, terminate, kill.
    due: float = math.inf
    step: int = 0


class BackendWatch:
    """Watches every reader backend of this server process.

    seconds, memory: the limits of one backend. most: seconds after which a backend that nothing else ends is killed.
    """

    def __init__(self, database: Database, *, seconds: float, most: float, memory: int) -> None:
        self._database, self._seconds, self._memory = database, seconds, memory
        # The kill comes only after the earlier steps have had their time.
        self._most_seconds = max(most, seconds + 3 * _TERMINATE_AFTER)
        self._backends: set[Backend] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_warned = False

    async def enter(self, connection: Connection, role: str, gone: Callable[[], None]) -> Backend:
        """Limits and watches the backend of a connection. `gone` is called once, when the backend has ended."""
        process = process_of(connection)
        limited = process is not None and await asyncio.to_thread(process.limit, self._memory - _STACK_BYTES)
        if process is not None and not limited and not self._is_warned:
            self._is_warned = True
            log.warning("memory of queries is watched, not limited", reason="the system does not let Atlas limit it")
        backend = Backend(connection.info.backend_pid, role, gone, process, limited)
        self._backends.add(backend)
        if self._task is None or self._task.done():
            self._task = start_detached(self._watch())
        return backend

    def leave(self, backend: Backend, *, idle: bool) -> None:
        """Records that no request waits for the backend.

        idle: the backend ran nothing when its connection was closed.
        """
        backend.left = True
        if idle:
            self._forget(backend)

    async def close(self) -> None:
        """Stops watching, and terminates every running backend as far as PostgreSQL obeys."""
        await end_task(self._task)
        for backend in list(self._backends):
            await self._signal("terminate_backend", backend)
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
                # PostgreSQL is busy or restarts. Backends that a restarted PostgreSQL does not know are gone.
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
                self._check_limits(backend, now)
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
        """Lowers the priority of a query that is not quick."""
        done = backend.process is None or await asyncio.to_thread(backend.process.lower_priority)
        backend.lowerings = 0 if done else backend.lowerings - 1

    def _check_limits(self, backend: Backend, now: float) -> None:
        """Records which limit a backend has exceeded."""
        if now - backend.since > self._seconds:
            backend.passed = "time"
        elif backend.process is not None and not backend.limited:
            backend.passed = "memory" if backend.process.private_bytes() > self._memory else ""
        if backend.passed or backend.left:
            backend.due = min(backend.due, now)

    async def _step(self, backend: Backend, now: float) -> None:
        """Cancels a backend, then terminates the backend, then kills it when nothing else helps."""
        if backend.process is not None and backend.step <= 2:
            # A backend that gets no processor time cannot end either.
            backend.lowerings = 0
            await asyncio.to_thread(backend.process.restore_priority)
        if backend.step == 0 and not backend.left:
            backend.step, backend.due = 1, now + _TERMINATE_AFTER
            await self._signal("cancel_backend", backend)
        elif backend.step <= 1:
            backend.step, backend.due = 2, now + _TERMINATE_AFTER
            await self._signal("terminate_backend", backend)
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

    async def _signal(self, what: Literal["cancel_backend", "terminate_backend"], backend: Backend) -> None:
        # A database user without this right leaves the query to PostgreSQL's own timeout.
        with contextlib.suppress(UnavailableError, psycopg.Error):
            await self._database.look_up(queries("sqlgate/wall")[what], pid=backend.pid, role=backend.role)
