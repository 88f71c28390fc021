"""Look-ups that many requests need at the same time, asked of the database together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# Questions under way at once: with one alone, a slow one would have everybody wait for it.
MOST_QUESTIONS = 2


class Together(Generic[K, V]):
    """What is wanted while others are looked up is looked up next, in one question. Nothing is kept.

    A look-up always starts after it was asked for, so its answer is as new as one of its own; one alone is asked at
    once. `ask` gives what it finds of many.
    """

    def __init__(self, ask: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._ask = ask
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._asking = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """What there is for `key`, or None. Raises what `ask` raises."""
        if self._asking < MOST_QUESTIONS:
            self._asking += 1
            try:
                return (await self._ask((key,))).get(key)
            finally:
                self._next()
        answer = self._waiting.get(key)
        if answer is None:
            answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        # Others may wait for the same.
        return await asyncio.shield(answer)

    def _next(self) -> None:
        """Goes on with what waits, in a task of nobody's that nobody's leaving ends."""
        if not self._waiting:
            self._asking -= 1
            return
        waiting, self._waiting = self._waiting, {}
        task = asyncio.get_running_loop().create_task(self._answer(waiting), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, waiting: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._ask(tuple(waiting))
            for key, answer in waiting.items():
                answer.set_result(found.get(key))
        except Exception as error:
            for answer in waiting.values():
                answer.set_exception(error)
                # Whoever asked may have gone.
                answer.exception()
        finally:
            for answer in waiting.values():
                answer.cancel()
            self._next()
