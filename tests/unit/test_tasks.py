"""A task is ended although it loses a cancellation."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from atlas.kit.tasks import end_task

pytestmark = pytest.mark.anyio


async def test_a_task_that_loses_a_cancellation_is_ended() -> None:
    lost = 0

    async def forgetful() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    task = asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    await asyncio.wait_for(end_task(task), 5)
    assert (task.cancelled(), lost) == (True, 2)


async def test_a_task_that_has_ended_or_fails_is_no_matter() -> None:
    async def fails() -> None:
        raise ValueError("no")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    await end_task(task)
    await end_task(None)
    with contextlib.suppress(ValueError):
        await task
