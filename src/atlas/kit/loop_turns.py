"""Turns on the event loop: the steps of one organization's requests come one at a time, with those of others between.

The event loop runs what is ready in the order in which it became ready. So a request that has twenty steps waits twenty
times behind whatever the organization with the most requests has ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class LoopTurns:
    """Lets one step a round of the event loop run of the organization that takes the most of it.

    leader: returns that organization while others are present, or None. Belongs to one event loop.
    """

    def __init__(self, leader: Callable[[], int | None]) -> None:
        self._leader = leader
        self._queue: deque[asyncio.Future[None]] = deque()
        # Whether a step of the organization has run in this round.
        self._taken = False

    def wanted(self, organization: int) -> asyncio.Future[None] | None:
        """Returns what a step of an organization waits for, or None where the step may run now."""
        if organization != self._leader():
            return None
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next)
            return None
        turn: asyncio.Future[None] = loop.create_future()
        self._queue.append(turn)
        return turn

    def _next(self) -> None:
        """Gives the turn to the step that has waited longest. Runs once a round while steps wait."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                # Behind the step that this turn wakes.
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._taken = False
