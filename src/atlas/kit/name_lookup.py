"""Looks up the addresses of hosts that users name, in threads that nothing else needs.

A lookup cannot be stopped, and the owner of a zone can let its name servers wait. So lookups do not use libuv's two
lookup threads, which a whole process shares. Nor can the lookups of one zone take all the threads here.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from typing import Any

# The maximum number of concurrent lookups in a process, and in one zone such as `example.com`.
MOST = 64
MOST_OF_ZONE = 4

_busy: Counter[str] = Counter()
_lock = threading.Lock()
# Seconds between checks of a lookup that waits for room.
_AGAIN = 0.05


async def look_up(host: str, port: int) -> list[Any]:
    """Returns the result of `socket.getaddrinfo` for a host, for streams.

    Waits while too many lookups are under way, for as long as the caller waits. Raises the errors of
    `socket.getaddrinfo`.
    """
    zone = ".".join(host.rsplit(".", 2)[-2:])
    while not _begin(zone):  # noqa: ASYNC110 - the room is of all event loops of a process.
        await asyncio.sleep(_AGAIN)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Any]] = loop.create_future()
    # Not a thread of an executor, because a process waits for an executor's threads when it ends.
    threading.Thread(target=_find, args=(loop, found, host, port, zone), name="lookup", daemon=True).start()
    return await found


def _begin(zone: str) -> bool:
    with _lock:
        if _busy.total() >= MOST or _busy[zone] >= MOST_OF_ZONE:
            return False
        _busy[zone] += 1
        return True


def _find(loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[Any]], host: str, port: int, zone: str) -> None:
    result: list[Any] | Exception
    try:
        result = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        result = error
    with _lock:
        _busy[zone] -= 1
        if not _busy[zone]:
            del _busy[zone]
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
