"""Ending tasks for sure."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_SECONDS = 1.0


async def end_task(task: asyncio.Task[Any] | None) -> None:
    """Cancels a task and waits until it has ended, in whatever way.

    Before Python 3.12 `asyncio.wait_for`, by which psycopg waits for a connection, could lose a cancellation that came
    with the answer (python/cpython#86296), and a loop that lost it went on for good. So it is cancelled until it ends.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
