"""Look-ups that are asked together: who gets which answer, whoever else leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import pytest

from atlas.kit.coalescing import MOST_BATCHES, Coalescer

pytestmark = pytest.mark.anyio


async def test_answers_reach_all_who_wait_whoever_leaves() -> None:
    asked: list[Collection[int]] = []
    going = asyncio.Event()

    async def ask(keys: Collection[int]) -> Mapping[int, str]:
        asked.append(keys)
        await going.wait()
        if 13 in keys:
            raise ValueError("no luck")
        return {key: str(key) for key in keys if key < 5}

    coalescer = Coalescer(ask)
    first = [asyncio.create_task(coalescer.get(1)) for _ in range(MOST_BATCHES)]
    await asyncio.sleep(0)
    later = [asyncio.create_task(coalescer.get(key)) for key in (2, 2, 2, 3, 9)]
    await asyncio.sleep(0)
    later[0].cancel()
    going.set()
    assert await asyncio.gather(*first) == ["1"] * MOST_BATCHES
    assert await asyncio.gather(*later[1:]) == ["2", "2", "3", None]
    assert later[0].cancelled()
    assert asked == [(1,)] * MOST_BATCHES + [(2, 3, 9)]
    going.clear()
    first = [asyncio.create_task(coalescer.get(1)) for _ in range(MOST_BATCHES)]
    await asyncio.sleep(0)
    failing = [asyncio.create_task(coalescer.get(13)) for _ in range(3)]
    await asyncio.sleep(0)
    failing[0].cancel()
    going.set()
    assert await asyncio.gather(*first) == ["1"] * MOST_BATCHES
    for task in failing[1:]:
        with pytest.raises(ValueError, match="no luck"):
            await task
    assert await coalescer.get(4) == "4"
