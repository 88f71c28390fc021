"""Threads whose work ends when nobody waits for the result any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread_until(stop: Callable[[], object], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a function in a thread. A cancellation calls `stop`, which should end the function, and waits for its end.

    So resources of the function, such as files, can be removed afterwards.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop()
        # The function's error is the effect of being stopped.
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()
        raise
