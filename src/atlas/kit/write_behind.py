"""Counts that are kept in memory and stored in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import structlog

from atlas.kit.tasks import end_task

log = structlog.get_logger()


class Count(Protocol):
    """What grows while it waits."""

    def add(self, other: Self) -> None: ...


K = TypeVar("K")
V = TypeVar("V", bound=Count)


class WriteBehind(Generic[K, V]):
    """Adds up by key what is noted, and stores it every few seconds; a killed process loses what waits.

    What `store` raises for is kept and stored later with what came meanwhile, up to `most` keys: a database that is
    away must not fill the memory. `also` runs once in a while beside it.
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
        """Adds to what waits for `key`; `count` may be kept. It costs a dictionary lookup."""
        known = self._waiting.get(key)
        if known is not None:
            known.add(count)
        elif len(self._waiting) < self._most:
            self._waiting[key] = count

    def start(self) -> None:
        """Stores what was noted every few seconds from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stores what is left."""
        await end_task(self._task)
        await self.flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.flush()
            if self._also is not None:
                await self._also()

    async def flush(self) -> None:
        """Stores what was noted. What cannot be stored now is kept; nothing is ever raised."""
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
            # Also where the task was cancelled meanwhile.
            if not stored:
                later, self._waiting = self._waiting, taken
                for key, count in later.items():
                    self.add(key, count)
