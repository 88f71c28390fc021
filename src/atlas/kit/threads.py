"""Threads whose work ends when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread_until(stop: Callable[[], object], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a function in a thread. A cancellation calls `stop`, which is to end it, and waits until it has ended.

    So what it uses, files for example, can be removed afterwards.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop()
        # What it raises now is what being stopped looks like to it.
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()
        raise
