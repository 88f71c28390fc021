"""Starting tasks outside of requests, and ending tasks for sure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

_AGAIN_SECONDS = 1.0
T = TypeVar("T")


def start_detached(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Starts a task in an empty context, not in that of the request which happens to start it.

    So the task takes no turns of the request's user (`atlas.kit.admission.Turns`), and its log names no request.
    """
    return asyncio.get_running_loop().create_task(work, context=Context())


async def end_task(task: asyncio.Task[Any] | None) -> None:
    """Cancels a task and waits until it has ended, in whatever way.

    Before Python 3.12 `asyncio.wait_for`, by which psycopg waits for a connection, could lose a cancellation that came
    with the answer (python/cpython#86296), and a loop that lost it went on for good. So it is cancelled until it ends.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
