"""Coalesces concurrent requests' lookups into one query, after DataLoader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import chain
from typing import Generic, TypeVar

from atlas.kit.tasks import start_detached

K = TypeVar("K")
V = TypeVar("V")

# Batches under way at once. With a single batch, a slow batch would delay every caller.
MOST_BATCHES = 2


class Coalescer(Generic[K, V]):
    """Looks up keys in batches: keys that arrive while batches are under way form the next batch. Caches nothing.

    A batch starts after its keys arrived, so each answer is as recent as the answer of a separate query. A key that
    arrives alone is looked up at once. ask: returns the values of many keys, without keys that have no value.
    """

    def __init__(self, ask: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        # Each waiting caller has a future. A shared future would have to be shielded, which is slow with many callers.
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._asking = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """Returns the value of `key`, or None. Raises the errors of `ask`."""
        if self._asking < MOST_BATCHES:
            self._asking += 1
            try:
                return (await self._ask((key,))).get(key)
            finally:
                self._next()
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        return await answer

    def _next(self) -> None:
        """Starts the next batch in its own task, so that cancelling a caller does not cancel the batch."""
        if not self._waiting:
            self._asking -= 1
            return
        waiting, self._waiting = self._waiting, {}
        task = start_detached(self._answer(waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, waiting: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            found = await self._ask(tuple(waiting))
            for key, answers in waiting.items():
                for answer in answers:
                    # The caller may have gone.
                    if not answer.done():
                        answer.set_result(found.get(key))
        except Exception as error:
            for answer in chain.from_iterable(waiting.values()):
                if not answer.done():
                    answer.set_exception(error)
                    # Marks the exception as retrieved, because the caller may go before receiving it.
                    answer.exception()
        finally:
            for answer in chain.from_iterable(waiting.values()):
                answer.cancel()
            self._next()
