"""Collects all garbage of the process at moments of rest, since a full collection stops every request for 0.1 s."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

from atlas.kit.tasks import end_task

CHECK_SECONDS = 10.0
# Python's default of 700 collects young objects more often than requests end. The last has Python never collect
# everything by itself.
_THRESHOLDS = 2_000, 10, 2**31 - 1
# Collections of the middle generation after which a full one is due, and after which it waits for no rest. Between two
# of them at least 20,000 more objects were made than freed.
_DUE, _PRESSING = 10, 250
# Seconds after which a due collection waits for no rest.
_PATIENCE = 600.0
# Seconds of processor time in CHECK_SECONDS that a process at rest takes at most.
_REST = 0.2
# Full collections at rest after which the frozen objects are examined, too.
_ALL_AGAIN = 10


class GarbageCollector:
    """Replaces Python's automatic full collections.

    What survives a collection at rest is frozen, so that later collections examine only what is new.
    clock: seconds. processor: seconds of processor time that the process has taken.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, processor: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._processor = clock, processor
        self._before = gc.get_threshold()
        self._since: float | None = None
        self._taken = processor()
        self._rests = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Turns automatic full collections off, and checks from now on whether one is due."""
        gc.set_threshold(*_THRESHOLDS)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends the checks, and restores automatic collections."""
        await end_task(self._task)
        gc.set_threshold(*self._before)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.check()

    def check(self) -> bool:
        """Collects all garbage when that is due. Returns whether it was."""
        now, taken = self._clock(), self._processor()
        rests, self._taken = taken - self._taken <= _REST, taken
        grown = gc.get_count()[2]
        if grown < _DUE:
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        if not rests and grown < _PRESSING and now - self._since < _PATIENCE:
            return False
        self._since = None
        if rests and self._rests % _ALL_AGAIN == _ALL_AGAIN - 1:
            gc.unfreeze()
        gc.collect()
        if rests:
            self._rests += 1
            gc.freeze()
        # The collection itself is no work of requests.
        self._taken = self._processor()
        return True
