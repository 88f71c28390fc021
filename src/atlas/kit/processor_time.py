"""Processor time that requests take: in the event loop, in threads, in worker processes and in PostgreSQL.

Some requests cost a thousand times as much as others. So the time is measured as requests run.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from atlas.kit.admission import Lane, served

P = ParamSpec("P")
T = TypeVar("T")

# Threads that hold the interpreter's lock: two for an organization beside others. The event loop waits for each.
_holding_lock = Lane("requests to a parser", 4, 60.0)
_measured: ContextVar[ProcessorTime | None] = ContextVar("measured", default=None)


@dataclass(slots=True)
class ProcessorTime:
    """What one request has taken, in seconds of processor time.

    seconds: in the event loop, and in threads that hold the interpreter's lock. everywhere: also in other threads, in
    worker processes and in PostgreSQL on this machine.
    """

    seconds: float = 0.0
    everywhere: float = 0.0
    # What a step in the event loop waits for; None without turns.
    turn: Callable[[], asyncio.Future[None] | None] | None = None

    def take(self) -> tuple[float, float]:
        """Returns both, and begins anew."""
        taken = self.seconds, self.everywhere
        self.seconds = self.everywhere = 0.0
        return taken


class _Metered(Awaitable[T]):
    """Measures each step of a coroutine."""

    def __init__(self, work: Coroutine[Any, Any, T], spent: ProcessorTime) -> None:
        self._work, self._spent = work, spent

    def __await__(self) -> Generator[Any, Any, T]:
        work, spent, clock = self._work, self._spent, time.thread_time
        step: Callable[[], Any] = functools.partial(work.send, None)
        while True:
            if spent.turn is not None and (turn := spent.turn()) is not None:
                try:
                    yield from turn
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as error:
                    step = functools.partial(work.throw, error)
            begun = clock()
            try:
                waits_for = step()
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            finally:
                took = clock() - begun
                spent.seconds += took
                spent.everywhere += took
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


def take_turns(turn: Callable[[], asyncio.Future[None] | None]) -> None:
    """Has the steps of this context's request wait for their turns on the event loop from now on."""
    if (spent := _measured.get()) is not None:
        spent.turn = turn


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


class MeteredThreads(ThreadPoolExecutor):
    """Threads whose processor time counts for the request that has them work."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        spent = _measured.get()
        if spent is None:
            return super().submit(fn, *args, **kwargs)

        def measured() -> T:
            begun = time.thread_time()
            try:
                return fn(*args, **kwargs)
            finally:
                spent.everywhere += time.thread_time() - begun

        return super().submit(measured)


def process_seconds(pid: int) -> float:
    """Returns the processor time of a process of this machine so far; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0.0
    try:
        # What clock_getcpuclockid(3) returns, which Python has for threads only.
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


class OtherProcess:
    """Charges a process's time to the requests that it works for, one after another. pid: 0 is charged to nobody."""

    def __init__(self, pid: int) -> None:
        self._pid, self._seen = pid, 0.0

    def begin(self) -> None:
        """Leaves out what the process has taken until now."""
        self._seen = process_seconds(self._pid) if self._pid else 0.0

    def charge(self) -> None:
        """Charges what the process has taken since the last call to the request of this context."""
        spent = _measured.get()
        if self._pid and spent is not None and (now := process_seconds(self._pid)):
            spent.everywhere += max(0.0, now - self._seen)
            self._seen = now


@contextlib.contextmanager
def charged_process(pid: int) -> Iterator[None]:
    """Charges what a process takes in the block to the request of this context."""
    other = OtherProcess(pid)
    other.begin()
    try:
        yield
    finally:
        other.charge()
