"""How many requests of a kind are served at once, whose turn is next, and how long the others wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass

from atlas.errors import OverloadedError, RateLimitedError

# Requests of one caller that may wait for a lane, as a multiple of its slots. Those past it are refused at once.
MOST_WAITING = 4
# The pace of a lane is that of so many slots that became free last.
PACE = 16
# Requests in lanes that nobody needs to set: they are cheap, or wait for something that has slots of its own.
SMALL_INSERTS, QUESTIONS, UPLOADS = 64, 16, 32


class Lane:
    """`slots` requests of a kind at once, three quarters of them for one caller; others wait at most `wait` seconds.

    A slot that becomes free goes to the caller who has the fewest, and among those to who has waited longest. So a
    caller who sends too much waits for themselves, and a caller who sends little is served next.
    """

    def __init__(self, what: str, slots: int, wait: float) -> None:
        self.what, self.slots, self.wait = what, slots, wait
        self.share = max(1, slots - max(1, slots // 4))
        self._running: Counter[Hashable] = Counter()
        self._busy = 0
        self._queues: dict[Hashable, deque[asyncio.Future[None]]] = {}
        # When slots became free since the first of those who wait began to.
        self._freed: deque[float] = deque(maxlen=PACE)

    async def enter(self, who: Hashable, *, patient: bool = False) -> None:
        """Takes a slot, which `leave` gives back. patient: waits as long as it takes.

        Raises RateLimitedError where the caller's own requests are in the way, else OverloadedError.
        """
        queue = self._queues.get(who)
        if queue is None and self._busy < self.slots and self._running[who] < self.share:
            self._take(who)
            return
        loop = asyncio.get_running_loop()
        if queue is None:
            if not self._queues:
                self._freed.append(loop.time())
            queue = self._queues[who] = deque()
        elif not patient and self._too_long(len(queue), loop.time()):
            raise self._refusal(who)
        turn: asyncio.Future[None] = loop.create_future()
        queue.append(turn)
        try:
            await asyncio.wait((turn,), timeout=None if patient else self.wait)
        except asyncio.CancelledError:
            if turn.done():
                self.leave(who)
            else:
                self._give_up(who, turn)
            raise
        if not turn.done():
            self._give_up(who, turn)
            raise self._refusal(who)

    def leave(self, who: Hashable) -> None:
        """Gives a slot back."""
        self._busy -= 1
        self._running[who] -= 1
        if not self._running[who]:
            del self._running[who]
        if self._queues:
            self._freed.append(asyncio.get_running_loop().time())
        while self._busy < self.slots:
            waiting = [one for one in self._queues if self._running[one] < self.share]
            if not waiting:
                return
            # In the order in which they began to wait, or had their last turn.
            following = min(waiting, key=lambda one: self._running[one])
            queue = self._queues.pop(following)
            self._take(following)
            queue.popleft().set_result(None)
            if queue:
                self._queues[following] = queue
            elif not self._queues:
                self._freed.clear()

    @contextlib.asynccontextmanager
    async def slot(self, who: Hashable, *, patient: bool = False) -> AsyncIterator[None]:
        """A slot for the block, as `enter` takes it."""
        await self.enter(who, patient=patient)
        try:
            yield
        finally:
            self.leave(who)

    def _too_long(self, ahead: int, now: float) -> bool:
        """Whether so many of a caller's own are too many to wait for."""
        pace = (now - self._freed[0]) / len(self._freed)
        return ahead >= self.slots * MOST_WAITING or ahead * pace > self.wait

    def _take(self, who: Hashable) -> None:
        self._busy += 1
        self._running[who] += 1

    def _give_up(self, who: Hashable, turn: asyncio.Future[None]) -> None:
        queue = self._queues[who]
        queue.remove(turn)
        if not queue:
            del self._queues[who]
        if not self._queues:
            self._freed.clear()

    def _refusal(self, who: Hashable) -> Exception:
        if self._running[who] >= self.share:
            told = f"at most {self.share} {self.what} of one key are served at once; wait for your others"
            return RateLimitedError("Too many requests at once", told, {"Retry-After": "1"})
        return OverloadedError(f"{self.slots} {self.what} are served at once; try again in a moment")


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of one process. Those up to `uploads` are of whole requests, the others of a part of some."""

    reads: Lane
    small_inserts: Lane
    inserts: Lane
    downloads: Lane
    sql: Lane
    questions: Lane
    uploads: Lane
    queries: Lane
    storing: Lane
    imports: Lane

    @classmethod
    def of(
        cls, *, wait: float, patience: float, reads: int, inserts: int, downloads: int, queries: int, imports: int,
        storing: int,
    ) -> Lanes:  # fmt: skip
        """Lanes with these numbers of slots.

        storing: large inserts that may hold a database connection; they have been received, so they wait longer, for
        `patience` seconds.
        """
        return cls(
            reads=Lane("requests", reads, wait),
            small_inserts=Lane("small inserts", SMALL_INSERTS, wait),
            inserts=Lane("large inserts", inserts, wait),
            downloads=Lane("downloads", downloads, wait),
            sql=Lane("queries", queries, wait),
            questions=Lane("questions", QUESTIONS, wait),
            uploads=Lane("uploads", UPLOADS, wait),
            queries=Lane("queries", queries, wait),
            storing=Lane("large inserts", storing, patience),
            imports=Lane("imports", imports, wait),
        )
