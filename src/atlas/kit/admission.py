"""Admission control: how many requests of a kind are served at once, whose turn is next, and how long others wait."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from atlas.errors import OverloadedError, RateLimitedError

# Requests of one user that may wait for a lane, as a multiple of its slots. Requests past the limit are refused at
# once.
MOST_WAITING = 4
# Seconds after its last request for which an organization counts as present.
REMEMBERED = 600.0
# Seconds that an admitted request waits for a connection.
CONNECTION_WAIT = 10.0
# The throughput of a lane is measured over this many of its last released slots.
PACE = 16
# Slots of lanes without a setting: their requests are cheap, or wait for something with slots of its own.
SMALL_INSERTS, QUESTIONS, UPLOADS = 64, 16, 32
# Bodies that worker processes decode at once; each takes a core.
DECODING = max(2, os.cpu_count() or 2)


class Requester(Protocol):
    """The user and organization by which requests are counted. All keys of a user count together."""

    @property
    def user_id(self) -> int: ...

    @property
    def organization_id(self) -> int: ...


class Neighbours:
    """The organizations that this process has served lately.

    A lone organization need not leave half of the slots to others.
    """

    def __init__(self) -> None:
        self.any = False
        self._seen: dict[int, float] = {}
        self._looked = 0.0

    def note(self, organization: int) -> None:
        """Records a request of an organization."""
        now = time.monotonic()
        self._seen[organization] = now
        if len(self._seen) > 1 and (not self.any or now - self._looked > REMEMBERED / 10):
            self._seen = {one: seen for one, seen in self._seen.items() if now - seen <= REMEMBERED}
            self.any, self._looked = len(self._seen) > 1, now


class Lane:
    """Serves `slots` requests of a kind at once.

    An organization gets a `share` of the slots, and a user three quarters of that share. While no other organization is
    present, each user may have three quarters of all slots. Requests past that wait at most `wait` seconds. A free slot
    goes to the organization that has the fewest slots, there to the user who has the fewest. Among equals the longest
    wait wins. So a user who sends too much waits for their own requests, with any number of keys. A user who sends
    little is served next.
    """

    def __init__(
        self, what: str, slots: int, wait: float, *, share: float = 0.5, neighbours: Neighbours | None = None
    ) -> None:
        self.what, self.slots, self.wait = what, slots, wait
        self._neighbours = neighbours or Neighbours()
        self._alone = max(1, slots - max(1, slots // 4))
        self._beside_others = max(1, int(slots * share))
        # Taken slots, by organization and by user.
        self._organizations: Counter[int] = Counter()
        self._users: Counter[int] = Counter()
        self._busy = 0
        # Waiting requests, by organization and user.
        self._queues: dict[int, dict[int, deque[asyncio.Future[None]]]] = {}
        # Times when slots became free, since the longest waiting request began to wait.
        self._freed: deque[float] = deque(maxlen=PACE)

    @property
    def organization_share(self) -> int:
        """The number of slots that one organization may have now."""
        return self._beside_others if self._neighbours.any else self._alone

    @property
    def user_share(self) -> int:
        """The number of slots that one user may have now."""
        return self._beside_others - self._beside_others // 4 if self._neighbours.any else self._alone

    async def enter(self, who: Requester, *, patient: bool = False) -> None:
        """Takes a slot, which `leave` gives back. patient: waits without a time limit.

        Raises RateLimitedError when the user or the organization has its share of slots.
        Raises OverloadedError when all slots are taken.
        """
        user, organization = who.user_id, who.organization_id
        self._neighbours.note(organization)
        queue = self._queues[organization].get(user) if organization in self._queues else None
        if queue is None and self._busy < self.slots and self._fits(organization, user):
            self._take(organization, user)
            return
        loop = asyncio.get_running_loop()
        if queue is None:
            if not self._queues:
                self._freed.append(loop.time())
            queue = self._queues.setdefault(organization, {})[user] = deque()
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

    def enter_at_once(self, who: Requester) -> None:
        """Takes a slot without waiting, which `leave` gives back. Raises the same errors as `enter`."""
        self._neighbours.note(who.organization_id)
        if self._busy >= self.slots or not self._fits(who.organization_id, who.user_id):
            raise self._refusal(who)
        self._take(who.organization_id, who.user_id)

    def taken(self, who: Requester) -> int:
        """Returns the number of slots that the user has."""
        return self._users[who.user_id]

    def leave(self, who: Requester) -> None:
        """Gives a slot back."""
        user, organization = who.user_id, who.organization_id
        self._busy -= 1
        for counts, one in ((self._users, user), (self._organizations, organization)):
            counts[one] -= 1
            if not counts[one]:
                del counts[one]
        if self._queues:
            self._freed.append(asyncio.get_running_loop().time())
            while self._queues and self._busy < self.slots and self._serve_next():
                pass

    @contextlib.asynccontextmanager
    async def slot(self, who: Requester, *, patient: bool = False) -> AsyncIterator[None]:
        """Takes a slot for the block, as `enter` does."""
        await self.enter(who, patient=patient)
        try:
            yield
        finally:
            self.leave(who)

    def _fits(self, organization: int, user: int) -> bool:
        return self._users[user] < self.user_share and self._organizations[organization] < self.organization_share

    def _serve_next(self) -> bool:
        """Gives a free slot to the next request. Returns False when all waiting users have their share."""
        found: tuple[int, int] | None = None
        fewest = self.slots, self.slots
        # In the order in which organizations and users began to wait, or had their last slot.
        for organization, users in self._queues.items():
            taken = self._organizations[organization]
            if taken >= self.organization_share or taken > fewest[0]:
                continue
            for user in users:
                count = taken, self._users[user]
                if count[1] < self.user_share and count < fewest:
                    fewest, found = count, (organization, user)
        if found is None:
            return False
        organization, user = found
        users = self._queues.pop(organization)
        queue = users.pop(user)
        self._take(organization, user)
        queue.popleft().set_result(None)
        if queue:
            users[user] = queue
        if users:
            self._queues[organization] = users
        elif not self._queues:
            self._freed.clear()
        return True

    def _too_long(self, ahead: int, now: float) -> bool:
        """Returns whether a new request would wait too long behind `ahead` requests of its user."""
        pace = (now - self._freed[0]) / len(self._freed)
        return ahead >= self.slots * MOST_WAITING or ahead * pace > self.wait

    def _take(self, organization: int, user: int) -> None:
        self._busy += 1
        self._organizations[organization] += 1
        self._users[user] += 1

    def _give_up(self, who: Requester, turn: asyncio.Future[None]) -> None:
        users = self._queues[who.organization_id]
        users[who.user_id].remove(turn)
        if not users[who.user_id]:
            del users[who.user_id]
        if not users:
            del self._queues[who.organization_id]
        if not self._queues:
            self._freed.clear()

    def _refusal(self, who: Requester) -> Exception:
        if self._users[who.user_id] >= self.user_share:
            reason = f"at most {self.user_share} {self.what} of one user are served at once; wait for your others"
        elif self._organizations[who.organization_id] >= self.organization_share:
            reason = f"at most {self.organization_share} {self.what} of one organization are served at once"
        else:
            return OverloadedError(f"{self.slots} {self.what} are served at once; try again in a moment")
        return RateLimitedError("Too many requests at once", reason, {"Retry-After": "1"})


class Pace:
    """Paces an action for each user: `rate` times a second, plus what a pause of up to a second has saved.

    A user within the pace never waits.
    """

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        # When the next action is due, for users ahead of their pace or active within the last second.
        self._due: dict[int, float] = {}

    async def wait(self, who: Requester) -> None:
        """Waits until the user may act once more."""
        now = asyncio.get_running_loop().time()
        due = self._due[who.user_id] = max(self._due.get(who.user_id, 0.0), now - 1) + self._interval
        if due > now:
            await asyncio.sleep(due - now)

    def forget(self, who: Requester) -> None:
        """Removes a user who no longer acts."""
        self._due.pop(who.user_id, None)


# The user of the current request, for code that has no reference to the request.
_served: ContextVar[Requester | None] = ContextVar("served", default=None)
_holding: ContextVar[bool] = ContextVar("holding", default=False)


def serving(who: Requester) -> None:
    """Attributes the rest of the current task's work to `who`."""
    _served.set(who)


def served() -> Requester | None:
    """Returns whose request the task works for; None for work that no request waits for."""
    return _served.get()


class Turns:
    """Turns at a scarce resource, such as connections, in a lane, for the user of the current task.

    Work without a user takes no turn. A task that holds a turn takes no second turn.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    @contextlib.asynccontextmanager
    async def turn(self, *, patient: bool = False) -> AsyncIterator[None]:
        """Takes a turn for the block. patient: waits without a time limit.

        Raises RateLimitedError or OverloadedError as `Lane.enter` does.
        """
        who = _served.get()
        if who is None or _holding.get():
            yield
            return
        await self._lane.enter(who, patient=patient)
        _holding.set(True)
        try:
            yield
        finally:
            _holding.set(False)
            self._lane.leave(who)


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of one process. The lanes up to `uploads` hold whole requests, the others a part of some requests."""

    reads: Lane
    small_inserts: Lane
    inserts: Lane
    downloads: Lane
    sql: Lane
    questions: Lane
    uploads: Lane
    queries: Lane
    storing: Lane
    decoding: Lane
    imports: Lane
    connections: Lane
    columnar: Lane
    streams: Lane

    @classmethod
    def of(
        cls,
        *,
        wait: float,
        patience: float,
        reads: int,
        inserts: int,
        downloads: int,
        queries: int,
        imports: int,
        storing: int,
        connections: int,
        columnar: int,
        streams: int,
    ) -> Lanes:
        """Builds lanes with these numbers of slots.

        wait: seconds that requests wait. patience: seconds that large inserts and bodies to be decoded wait, which is
        longer because their data has been received.
        storing: large inserts that may hold a database connection at once. connections, columnar: the database's
        connections.
        """
        lane = functools.partial(Lane, neighbours=Neighbours())
        return cls(
            reads=lane("requests", reads, wait),
            small_inserts=lane("small inserts", SMALL_INSERTS, wait),
            inserts=lane("large inserts", inserts, wait),
            downloads=lane("downloads", downloads, wait),
            sql=lane("queries", queries, wait),
            questions=lane("questions", QUESTIONS, wait),
            uploads=lane("uploads", UPLOADS, wait),
            queries=lane("queries", queries, wait),
            storing=lane("large inserts", storing, patience),
            decoding=lane("Parquet and Arrow bodies", DECODING, patience),
            imports=lane("imports", imports, wait),
            connections=lane("requests at the database", connections, CONNECTION_WAIT, share=0.75),
            columnar=lane("requests at the database", columnar, CONNECTION_WAIT),
            streams=lane("streams", streams, wait),
        )
