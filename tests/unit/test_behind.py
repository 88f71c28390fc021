"""What is noted in memory is stored once, also where storing fails, is cancelled, or more comes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from atlas.kit.write_behind import WriteBehind

pytestmark = pytest.mark.anyio


@dataclass
class Number:
    n: int

    def add(self, other: Number) -> None:
        self.n += other.n


class Store:
    """A store that first fails so many times, and waits in each call until it may go on."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.stored, self.go = failures, dict[str, int](), asyncio.Event()
        self.go.set()

    async def __call__(self, counts: Mapping[str, Number]) -> None:
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        for key, count in counts.items():
            self.stored[key] = self.stored.get(key, 0) + count.n


async def test_what_fails_is_added_to_what_came_meanwhile() -> None:
    store = Store(failures=1)
    behind = WriteBehind[str, Number]("numbers", 60, store)
    store.go.clear()
    behind.add("a", Number(1))
    flushing = asyncio.create_task(behind.flush())
    await asyncio.sleep(0)
    behind.add("a", Number(2))
    behind.add("b", Number(5))
    store.go.set()
    await flushing
    assert store.stored == {}
    await behind.flush()
    await behind.flush()
    assert store.stored == {"a": 3, "b": 5}


async def test_closing_in_the_middle_loses_nothing() -> None:
    store = Store()
    behind = WriteBehind[str, Number]("numbers", 0.001, store)
    store.go.clear()
    behind.start()
    behind.add("a", Number(1))
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(behind.close())
    await asyncio.sleep(0.01)
    store.go.set()
    await closing
    assert store.stored == {"a": 1}


async def test_what_waits_is_bounded_by_keys() -> None:
    store = Store(failures=1)
    behind = WriteBehind[str, Number]("numbers", 60, store, most=2)
    for key in "abc":
        behind.add(key, Number(1))
    await behind.flush()
    for key in "abc":
        behind.add(key, Number(1))
    await behind.flush()
    assert store.stored == {"a": 2, "b": 2}


async def test_more_runs_beside_it() -> None:
    seen: list[int] = []

    async def also() -> None:
        seen.append(1)

    behind = WriteBehind[str, Number]("numbers", 0.001, Store(), also=also)
    behind.start()
    while len(seen) < 3:
        await asyncio.sleep(0.001)
    await behind.close()
