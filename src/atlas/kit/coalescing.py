"""Coalesces look-ups of concurrent requests into one query, after DataLoader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import chain
from typing import Generic, TypeVar

from atlas.kit.tasks import start_detached

K = TypeVar("K")
V = TypeVar("V")

# Batches under way at once: with one alone, a slow batch would delay every caller.
MOST_BATCHES = 2


class Coalescer(Generic[K, V]):
    """Looks keys up in batches: keys that arrive while a batch is under way form the next one. Caches nothing.

    A batch starts after its keys arrived, so each answer is as recent as that of a query of its own. A key that
    arrives alone is looked up at once. ask: gives the values of many keys, without those that have none.
    """

    def __init__(self, ask: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        # A future for each who waits: one for all would have to be shielded, which takes long where they are many.
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._asking = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """What there is for `key`, or None. Raises what `ask` raises."""
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
                    # Whoever asked may have gone.
                    if not answer.done():
                        answer.set_result(found.get(key))
        except Exception as error:
            for answer in chain.from_iterable(waiting.values()):
                if not answer.done():
                    answer.set_exception(error)
                    # Whoever asked may go before it hears of it.
                    answer.exception()
        finally:
            for answer in chain.from_iterable(waiting.values()):
                answer.cancel()
            self._next()
