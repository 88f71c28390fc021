"""The connections of a process: a limit to their number, and an end to connections that make no progress.

uvicorn waits for a head, a body, and a reader without a limit, and accepts connections until there are no files left.
One timer a second checks all connections, so that a request costs no timer of its own.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from atlas.web.exception_handlers import problem

try:
    import resource as _resource
except ImportError:  # pragma: no cover - on Windows, where there is no such limit
    resource: Any = None
else:
    resource = _resource

# The name of the `Connections` in the application's state.
STATE = "connections"
# A head is a request line and headers.
HEAD_BYTES = 64 * 1024
# A body must bring this many bytes within the time limit for a stalled body, or end.
BODY_LEAST_BYTES = 1024
SWEEP_SECONDS = 1.0
# The number of connections accepted past the limit, for `/health` alone.
SURPLUS = 64
# MOST: connections of a process; past some thousands the event loop is the bottleneck. RESERVED: the fewest files kept
# for everything else.
MOST, RESERVED = 8192, 128
_HEALTH = ("/health", "/health/")
BUSY = ("Too many connections", "this server has as many as it takes; try again in a moment")
# `tcpi_bytes_acked` of Linux: the bytes that the peer has acknowledged, a number that only grows.
_TCP_INFO, _ACKED = 11, struct.Struct("@120xQ")


class Connection(Protocol):
    """An open connection, as `Connections` needs it."""

    address: str
    transport: asyncio.Transport

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        ...

    def overdue(self, now: float) -> str | None:
        """Returns the part that is late (`head`, `body` or `write`), or None."""
        ...

    def end(self, reason: str) -> None:
        """Answers with the reason, where an answer is still possible, and closes the connection."""
        ...

    def answer_by(self, wrap: Callable[[Any], ASGIApp]) -> None:
        """Replaces the application by `wrap` of the application."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for a head, for progress of a body and of an answer. Connections in total and per address."""

    head: float
    body: float
    write: float
    most: int
    most_of_address: int


class Connections:
    """The open connections of a process, the oldest first."""

    def __init__(self, limits: Limits, note: Callable[[str], None] = lambda _: None) -> None:
        """note: called with the reason when a connection is ended."""
        self.limits = limits
        self._note = note
        self._all: dict[Connection, None] = {}
        # Connections that have not sent a whole request head yet.
        self._silent: dict[Connection, None] = {}
        self._addresses: dict[str, dict[Connection, None]] = {}
        self._surplus: set[Connection] = set()
        self._sweeping: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._all)

    def start(self) -> None:
        """Starts checking the connections, in the running event loop."""
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Stops checking the connections."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait((self._sweeping,))

    def add(self, one: Connection) -> None:
        """Adds a new connection. When there are too many, the oldest connection without a request is closed."""
        self._all[one] = self._silent[one] = None
        of_address = self._addresses.setdefault(one.address, {})
        of_address[one] = None
        if len(of_address) > self.limits.most_of_address:
            self._make_room(one, of_address)
        elif len(self._all) > self.limits.most:
            self._make_room(one, self._all)

    def asked(self, one: Connection) -> None:
        """Records that a connection has sent the head of a request."""
        self._silent.pop(one, None)

    def remove(self, one: Connection) -> None:
        """Removes a closed connection."""
        self._all.pop(one, None)
        self._silent.pop(one, None)
        self._surplus.discard(one)
        of_address = self._addresses.get(one.address)
        if of_address is not None:
            of_address.pop(one, None)
            if not of_address:
                del self._addresses[one.address]
        self._surplus = {other for other in self._surplus if not self._fits(other)}

    def _fits(self, one: Connection) -> bool:
        of_address = len(self._addresses.get(one.address, ()))
        return len(self._all) <= self.limits.most and of_address <= self.limits.most_of_address

    def _make_room(self, new: Connection, group: dict[Connection, None]) -> None:
        silent = self._silent if group is self._all else (one for one in group if one in self._silent)
        victim = next((one for one in silent if one is not new), None)
        if victim is None:
            victim = next((one for one in group if one is not new and one.idle), None)
        if victim is None:
            if len(self._surplus) >= SURPLUS:
                victim = next((one for one in self._surplus if one.idle), new)
            if victim is not new:
                self._surplus.add(new)
                new.answer_by(lambda app: self._only_health(new, app))
        if victim is not None:
            self._note("room")
            self.remove(victim)
            victim.transport.abort()

    def _only_health(self, one: Connection, app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] in _HEALTH or one not in self._surplus:
                await app(scope, receive, send)
            else:
                headers = {"Retry-After": "1", "Connection": "close"}
                await problem(scope["path"], 503, *BUSY, headers)(scope, receive, send)

        return answer

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = loop.time()
            for one in list(self._all):
                reason = one.overdue(now)
                if reason is not None:
                    self._note(reason)
                    one.end(reason)


def most_connections() -> int:
    """Returns the number of connections that leave enough files for the database, bodies on disk and libraries."""
    if resource is None:
        return MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, soft - max(RESERVED, soft // 4) - SURPLUS))


def taken(transport: asyncio.Transport) -> int:
    """Returns the number of bytes that the peer has acknowledged.

    Where the system does not report that, the result is minus the number of bytes that wait here.
    """
    if sys.platform == "linux":
        wire = transport.get_extra_info("socket")
        try:
            if wire is not None:
                found: int = _ACKED.unpack(wire.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ACKED.size))[0]
                return found
        except (OSError, struct.error):
            pass
    return -transport.get_write_buffer_size()
