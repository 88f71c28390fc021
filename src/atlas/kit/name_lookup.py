"""Looks up the addresses of hosts that users name, in threads that nothing else needs.

A lookup cannot be stopped, and the owner of a zone can let its name servers wait. So lookups do not use libuv's two
lookup threads, which a whole process shares. Nor can the lookups of one zone, or those of one organization in many
zones, take all the threads here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from atlas.kit.admission import served

# The maximum number of concurrent lookups in a process, for one organization, and in one zone such as `example.com`.
MOST = 64
MOST_OF_ORGANIZATION = 16
MOST_OF_ZONE = 4

# Lookups under way, by zone, and by organization.
_busy: Counter[str | int] = Counter()
_total = 0
_organization: ContextVar[int | None] = ContextVar("organization", default=None)
_lock = threading.Lock()
# Seconds between checks of a lookup that waits for room.
_AGAIN = 0.05


@contextlib.contextmanager
def looking_up_for(organization: int) -> Iterator[None]:
    """Counts the lookups of the block for an organization, where no request is served."""
    token = _organization.set(organization)
    try:
        yield
    finally:
        _organization.reset(token)


async def look_up(host: str, port: int) -> list[Any]:
    """Returns the result of `socket.getaddrinfo` for a host, for streams.

    Waits while too many lookups are under way, for as long as the caller waits. Raises the errors of
    `socket.getaddrinfo`.
    """
    who = served()
    organization = _organization.get() if who is None else who.organization_id
    counted: list[str | int] = [".".join(host.lower().rstrip(".").rsplit(".", 2)[-2:])]
    counted += [] if organization is None else [organization]
    while not _begin(counted):  # noqa: ASYNC110 - the room is of all event loops of a process.
        await asyncio.sleep(_AGAIN)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Any]] = loop.create_future()
    # Not a thread of an executor, because a process waits for an executor's threads when it ends.
    threading.Thread(target=_find, args=(loop, found, host, port, counted), name="lookup", daemon=True).start()
    return await found


def _begin(counted: list[str | int]) -> bool:
    global _total  # noqa: PLW0603
    with _lock:
        most = (MOST_OF_ZONE if isinstance(one, str) else MOST_OF_ORGANIZATION for one in counted)
        if _total >= MOST or any(_busy[one] >= limit for one, limit in zip(counted, most, strict=True)):
            return False
        _busy.update(counted)
        _total += 1
        return True


def _end(counted: list[str | int]) -> None:
    global _total  # noqa: PLW0603
    with _lock:
        _total -= 1
        for one in counted:
            _busy[one] -= 1
            if not _busy[one]:
                del _busy[one]


def _find(
    loop: asyncio.AbstractEventLoop,
    found: asyncio.Future[list[Any]],
    host: str,
    port: int,
    counted: list[str | int],
) -> None:
    result: list[Any] | Exception
    try:
        result = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        result = error
    _end(counted)
    try:
        loop.call_soon_threadsafe(_set_result, found, result)
    except RuntimeError:
        # The loop has ended meanwhile.
        return


def _set_result(found: asyncio.Future[list[Any]], result: list[Any] | Exception) -> None:
    if found.done():
        return
    if isinstance(result, Exception):
        found.set_exception(result)
    else:
        found.set_result(result)
