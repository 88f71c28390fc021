"""Starts tasks outside of requests, and ends tasks reliably."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

_AGAIN_SECONDS = 1.0
T = TypeVar("T")


def start_detached(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Starts a task in an empty context instead of the context of the current request.

    So the task takes no turns of the request's user (`atlas.kit.admission.Turns`), and its log names no request.
    """
    return asyncio.get_running_loop().create_task(work, context=Context())


async def end_task(task: asyncio.Task[Any] | None) -> None:
    """Cancels a task and waits until the task has ended, in whatever way.

    psycopg waits for connections by `asyncio.wait_for`. Before Python 3.12 `wait_for` could lose a cancellation that
    came together with the answer (python/cpython#86296). A loop that lost its cancellation went on for good. So the
    task is cancelled until it ends.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
