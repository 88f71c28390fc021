"""Ends work that nobody waits for any more, because the client has gone away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from atlas.kit.processor_time import metered_within

T = TypeVar("T")


async def while_received_and_connected(
    request: Request, work: Callable[[AsyncIterator[bytes]], Coroutine[Any, Any, T]]
) -> T:
    """Runs work that receives the request's body. A disconnect ends the work at any time, as in `while_connected`."""
    received = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        async for piece in request.stream():
            yield piece
        received.set()

    return await _until(work(body()), _gone(request, received))


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Runs work for a request whose body has been received. A disconnect cancels the work and waits for its end.

    Raises ClientDisconnect when the client went away first.
    """
    return await _until(work, _gone(request))


async def _until(work: Coroutine[Any, Any, T], end: Coroutine[Any, Any, None]) -> T:
    """Runs work until `end` has ended, which cancels the work."""
    task = asyncio.ensure_future(metered_within(work))
    gone = asyncio.ensure_future(end)
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))
            if task.cancelled():
                raise ClientDisconnect
        return task.result()
    finally:
        gone.cancel()
        if not task.done():
            # The server is stopping.
            task.cancel()
            await asyncio.wait((task,))


async def _gone(request: Request, received: asyncio.Event | None = None) -> None:
    if received is not None:
        await received.wait()
    while (await request.receive())["type"] != "http.disconnect":
        pass
