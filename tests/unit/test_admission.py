"""Lanes: how many are served at once, whose turn is next, and who is refused."""

from __future__ import annotations

import asyncio
import time

import pytest

from atlas.errors import OverloadedError, RateLimitedError
from atlas.service.admission import MOST_WAITING, Lane

pytestmark = pytest.mark.anyio


async def entered(lane: Lane, who: str, order: list[str]) -> None:
    await lane.enter(who)
    order.append(who)


async def test_one_key_leaves_a_slot_to_others_and_is_told_so() -> None:
    lane = Lane("queries", 4, 0.05)
    for _ in range(3):
        await lane.enter("flood")
    began = time.perf_counter()
    with pytest.raises(RateLimitedError, match="Too many requests at once") as told:
        await lane.enter("flood")
    assert 0.04 < time.perf_counter() - began < 1
    assert told.value.headers == {"Retry-After": "1"}
    await lane.enter("other")
    with pytest.raises(OverloadedError, match="Server is busy") as busy:
        await lane.enter("other")
    assert busy.value.headers == {"Retry-After": "1"}
    lane.leave("flood")
    await lane.enter("other")
    for who in ("flood", "flood", "other", "other"):
        lane.leave(who)
    # Nothing is left of it.
    for who in ("a", "b", "a", "b"):
        await lane.enter(who)


async def test_a_queue_is_bounded_for_each_key() -> None:
    lane = Lane("queries", 1, 5)
    await lane.enter("flood")
    waiting = [asyncio.create_task(lane.enter("flood")) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    began = time.perf_counter()
    with pytest.raises(RateLimitedError):
        await lane.enter("flood")
    assert time.perf_counter() - began < 0.1
    other = asyncio.create_task(lane.enter("other"))
    await asyncio.sleep(0)
    assert not other.done()
    for task in (*waiting, other):
        task.cancel()
    await asyncio.wait((*waiting, other))
    lane.leave("flood")
    await lane.enter("other")


async def test_who_has_least_is_next_and_keys_take_turns() -> None:
    lane = Lane("queries", 2, 5)
    await lane.enter("a")
    await lane.enter("b")
    order: list[str] = []
    tasks = [asyncio.create_task(entered(lane, who, order)) for who in "aaabbc"]
    await asyncio.sleep(0)
    for leaving in "abcabab":
        lane.leave(leaving)
        await asyncio.sleep(0.001)
    await asyncio.wait(tasks, timeout=1)
    assert sorted(order) == sorted("aaabbc")
    # `a` had left, so of `a` and `c`, who both have none, the one who waited longest; `c` before a second of any.
    assert order.index("c") <= 2


async def test_who_goes_away_takes_no_slot() -> None:
    lane = Lane("queries", 1, 5)
    await lane.enter("a")
    waiting = asyncio.create_task(lane.enter("b"))
    await asyncio.sleep(0)
    # Granted and cancelled at the same moment.
    lane.leave("a")
    waiting.cancel()
    await asyncio.wait((waiting,))
    async with asyncio.timeout(1):
        async with lane.slot("a"):
            pass
        await lane.enter("c", patient=True)


async def test_who_would_wait_too_long_is_refused_at_once() -> None:
    lane = Lane("queries", 1, 0.5)
    await lane.enter("a")
    waiting = [asyncio.create_task(lane.enter("a", patient=True)) for _ in range(3)]
    await asyncio.sleep(0.3)
    # No slot has become free for so long; three of its own are ahead of it.
    began = time.perf_counter()
    with pytest.raises(RateLimitedError):
        await lane.enter("a")
    assert time.perf_counter() - began < 0.1
    # Another waits for none of its own.
    other = asyncio.create_task(lane.enter("b"))
    await asyncio.sleep(0)
    lane.leave("a")
    await asyncio.sleep(0)
    lane.leave("a")
    await asyncio.wait((other,), timeout=1)
    lane.leave("b")
    for _ in range(2):
        await asyncio.sleep(0)
        lane.leave("a")
    await asyncio.wait(waiting, timeout=1)
    # What was slow is forgotten once nobody waits.
    async with lane.slot("a"):
        quick = [asyncio.create_task(lane.enter("a")) for _ in range(3)]
        await asyncio.sleep(0.01)
    for task in quick:
        await task
        lane.leave("a")
