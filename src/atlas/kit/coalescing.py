"""Look-ups that many requests need at the same time, asked of the database together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from itertools import chain
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
        # A future for each who waits: one for all would have to be shielded, which takes long where they are many.
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
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
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        return await answer

    def _next(self) -> None:
        """Goes on with what waits, in a task of nobody's that nobody's leaving ends."""
        if not self._waiting:
            self._asking -= 1
            return
        waiting, self._waiting = self._waiting, {}
        task = asyncio.get_running_loop().create_task(self._answer(waiting), context=Context())
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
