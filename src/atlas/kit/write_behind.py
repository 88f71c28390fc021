"""Counts in memory that are stored in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import structlog

from atlas.kit.tasks import end_task

log = structlog.get_logger()


class Count(Protocol):
    """A count that grows while it waits."""

    def add(self, other: Self) -> None: ...


K = TypeVar("K")
V = TypeVar("V", bound=Count)


class WriteBehind(Generic[K, V]):
    """Adds up counts by key, and stores the sums every few seconds. A killed process loses what waits.

    Counts that `store` fails to store are kept for later, up to `most` keys: an unreachable database must not fill the
    memory. `also` runs after each attempt to store.
    """

    def __init__(
        self,
        what: str,
        seconds: float,
        store: Callable[[Mapping[K, V]], Awaitable[None]],
        *,
        most: int = 50_000,
        also: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._what, self._seconds, self._store, self._most, self._also = what, seconds, store, most, also
        self._waiting: dict[K, V] = {}
        self._task: asyncio.Task[Any] | None = None

    def add(self, key: K, count: V) -> None:
        """Adds to the waiting count of `key`, and may keep `count`. The cost is a dictionary lookup."""
        known = self._waiting.get(key)
        if known is not None:
            known.add(count)
        elif len(self._waiting) < self._most:
            self._waiting[key] = count

    def start(self) -> None:
        """Starts storing the counts every few seconds."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stores the rest, and ends."""
        await end_task(self._task)
        await self.flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.flush()
            if self._also is not None:
                await self._also()

    async def flush(self) -> None:
        """Stores the waiting counts. Counts that cannot be stored now are kept; never raises."""
        if not self._waiting:
            return
        taken, self._waiting = self._waiting, {}
        stored = False
        try:
            await self._store(taken)
            stored = True
        except Exception as error:
            log.warning(f"{self._what} not stored", error=str(error)[:200])
        finally:
            # Also when the task was cancelled meanwhile.
            if not stored:
                later, self._waiting = self._waiting, taken
                for key, count in later.items():
                    self.add(key, count)
