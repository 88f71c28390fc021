"""Shares of processor time: what the requests of each user take of it, and who waits while others want some.

A lane counts requests, whatever they cost. Some cost the event loop, or the lock of Python's interpreter, a thousand
times as much as others, and nobody else's request moves meanwhile. So the time is measured as requests run.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from atlas.errors import RateLimitedError
from atlas.kit.admission import Lane, Requester, served

P = ParamSpec("P")
T = TypeVar("T")
# Of one processor, which is what the event loop has: what an organization may take while others are present.
SHARE = 0.3
# Seconds of a share that may be saved up, and seconds that may be owed without a wait.
# The third is the time constant of the average that tells which organization takes the most.
_SAVED, _OWED, _LATELY = 0.5, 1.0, 5.0
# Seconds after its last request for which an organization counts as present.
_ABOUT = 30.0
# What a first request is taken to cost, and how much the next one's cost tells of those after it.
_FIRST_COST, _WEIGHT = 0.003, 0.2
# Seconds that a user has taken lately who has a part of the organization's share.
_SOMETHING = 0.01
_MOST_KNOWN = 1024


@dataclass(slots=True)
class ProcessorTime:
    """What one request has taken. seconds: of processor time, in the event loop and in threads that say so."""

    seconds: float = 0.0


# Threads that hold the interpreter's lock: two for an organization beside others. The event loop waits for each.
_holding_lock = Lane("requests to a parser", 4, 60.0)
_measured: ContextVar[ProcessorTime | None] = ContextVar("measured", default=None)


class _Metered(Awaitable[T]):
    """Measures each step of a coroutine."""

    def __init__(self, work: Coroutine[Any, Any, T], spent: ProcessorTime) -> None:
        self._work, self._spent = work, spent

    def __await__(self) -> Generator[Any, Any, T]:
        work, spent, clock = self._work, self._spent, time.thread_time
        step: Callable[[], Any] = functools.partial(work.send, None)
        while True:
            begun = clock()
            try:
                waits_for = step()
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            finally:
                spent.seconds += clock() - begun
            try:
                given = yield waits_for
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:
                step = functools.partial(work.throw, error)
            else:
                step = functools.partial(work.send, given)


async def metered(work: Coroutine[Any, Any, T], spent: ProcessorTime) -> T:
    """Runs `work` and adds the time of its steps to `spent`, and that of `charged` functions in threads."""
    token = _measured.set(spent)
    try:
        return await _Metered(work, spent)
    finally:
        _measured.reset(token)


async def metered_within(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` in a task of its own, at the cost of the request that starts the task."""
    spent = _measured.get()
    return await (work if spent is None else _Metered(work, spent))


def charged(function: Callable[P, T]) -> Callable[P, T]:
    """Makes the function's time in a thread count for the request that calls the function.

    Serves functions that hold the interpreter's lock throughout, such as parsers.
    """

    @functools.wraps(function)
    def measured(*arguments: P.args, **options: P.kwargs) -> T:
        with _counted():
            return function(*arguments, **options)

    return measured


async def in_charged_thread(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Runs a function in a thread, as `asyncio.to_thread`, at the cost of the request that it is called for."""
    who = served()
    if who is None:
        return await asyncio.to_thread(charged(function), *arguments, **options)
    async with _holding_lock.slot(who, patient=True):
        return await asyncio.to_thread(charged(function), *arguments, **options)


@contextlib.contextmanager
def _counted() -> Iterator[None]:
    begun = time.thread_time()
    try:
        yield
    finally:
        if (spent := _measured.get()) is not None:
            spent.seconds += time.thread_time() - begun


@dataclass(slots=True)
class _Use:
    """Processor time that has been used, as an average that fades. Seconds.

    free: when what was used is paid, at the rate of the share.
    """

    at: float
    free: float
    lately: float = 0.0

    def fade(self, now: float) -> None:
        if now > self.at:
            self.lately *= math.exp((self.at - now) / _LATELY)
            self.at = now

    def add(self, seconds: float) -> None:
        self.lately = max(0.0, self.lately + seconds)


@dataclass(slots=True)
class _Organization:
    """An organization's use, and that of its users. seen: when its last request came."""

    seen: float
    use: _Use
    users: dict[int, _Use] = field(default_factory=dict)


class ProcessorShares:
    """Has the organization that takes the most processor time wait once it is past its share.

    An organization waits only while other organizations are present. Each user waits until the time of the user is
    paid. An organization that takes less than another never waits.

    share: of one processor; patience: seconds past which a request is refused.
    """

    def __init__(self, *, patience: float, share: float = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._patience, self._clock = share, patience, clock
        self._organizations: dict[int, _Organization] = {}
        self._costs: dict[int, float] = {}

    async def enter(self, who: Requester) -> float:
        """Waits until a request may begin; gives the seconds that were booked for it, which `settle` wants.

        Raises RateLimitedError where that would take too long.
        """
        booked, wait = self.book(who)
        if wait > self._patience:
            self._add(who, -booked)
            told = f"requests of one organization take {self._share:.0%} of a processor while others wait for it"
            raise RateLimitedError("Too many requests at once", told, {"Retry-After": str(math.ceil(wait))})
        if wait > 0:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                self._add(who, -booked)
                raise
        return booked

    def book(self, who: Requester) -> tuple[float, float]:
        """Books processor time for a request; returns seconds booked, and seconds to wait."""
        now = self._clock()
        known = self._seen(who, now)
        booked = self._costs.get(who.user_id, _FIRST_COST)
        own = known.users.setdefault(who.user_id, _Use(now, now - _SAVED))
        for use in (known.use, own):
            use.fade(now)
            use.free = max(use.free, now - _SAVED)
        wait = 0.0
        if known.use.free > now:
            if self._leads(who.organization_id, known, now):
                wait = max(0.0, own.free - now)
            else:
                known.use.free, own.free = min(known.use.free, now + _OWED), min(own.free, now + _OWED)
        self._add(who, booked)
        return booked, wait

    def settle(self, who: Requester, booked: float, spent: float) -> None:
        """Notes what a request has taken, in place of what was booked for it; booked: 0 where that was settled."""
        if booked:
            usual = self._costs.get(who.user_id, _FIRST_COST)
            self._costs[who.user_id] = usual + _WEIGHT * (spent - usual)
        self._add(who, spent - booked)

    def _add(self, who: Requester, seconds: float) -> None:
        now = self._clock()
        known = self._seen(who, now, asks=False)
        own = known.users.setdefault(who.user_id, _Use(now, now - _SAVED))
        sharers = sum(one is own or one.lately > _SOMETHING for one in known.users.values())
        for use, paid in ((known.use, seconds / self._share), (own, seconds / self._share * sharers)):
            use.fade(now)
            use.add(seconds)
            use.free += paid

    def _seen(self, who: Requester, now: float, *, asks: bool = True) -> _Organization:
        known = self._organizations.get(who.organization_id)
        if known is None:
            self._forget(now)
            known = self._organizations[who.organization_id] = _Organization(now, _Use(now, now - _SAVED))
        elif asks:
            known.seen = now
        return known

    def _leads(self, organization: int, known: _Organization, now: float) -> bool:
        """Tells whether other organizations are present, and none of them has taken more lately."""
        others = False
        for number, other in self._organizations.items():
            if number != organization and now - other.seen < _ABOUT:
                other.use.fade(now)
                if other.use.lately > known.use.lately:
                    return False
                others = True
        return others

    def _forget(self, now: float) -> None:
        if len(self._costs) > _MOST_KNOWN:
            self._costs.clear()
        if len(self._organizations) >= _MOST_KNOWN // 16:
            gone = [number for number, one in self._organizations.items() if now - one.seen > 2 * _ABOUT]
            for number in gone:
                del self._organizations[number]
        for one in self._organizations.values():
            if len(one.users) > _MOST_KNOWN // 16:
                one.users = {user: use for user, use in one.users.items() if now - use.at < _ABOUT}
