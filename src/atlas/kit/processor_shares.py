"""Shares of processor time: what the requests of each user take of it, and who waits while others want some.

A lane counts requests, whatever they cost. So the time that requests take is measured (`kit/processor_time.py`).
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from atlas.errors import RateLimitedError
from atlas.kit.admission import Requester

# What an organization may take while others are present: of one processor, which is what the event loop has, and of
# all processors of the machine.
SHARE, MACHINE_SHARE = 0.2, 0.25
# Seconds of a share that may be saved up, and seconds that may be owed without a wait.
# The third is the time constant of the average that tells which organization takes the most.
_SAVED, _OWED, _LATELY = 0.5, 1.0, 5.0
# Seconds after its last request for which an organization counts as present.
_ABOUT = 10.0
# The same for the machine's processors, which an organization's long work is to have whenever others pause.
_MACHINE_ABOUT = 3.0
# Seconds of processor time up to which a request is not worth a wait for a share of the machine.
_MACHINE_SMALL = 0.01
# Seconds that a request may have to wait for the machine's share, however long the work before took.
_MACHINE_OWED = 10.0
# Seconds that a request waits at most which is its organization's only one. Long work is not followed by refusals.
_ALONE = 2.0
# What a first request is taken to cost, and how much the next one's cost tells of those after it.
_FIRST_COST, _WEIGHT = 0.003, 0.2
# Seconds that a user has taken lately who has a part of the organization's share.
_SOMETHING = 0.01
_MOST_KNOWN = 1024


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
    """An organization's use, and that of its users.

    seen: when its last request came. under_way: number of requests that wait or have entered.
    """

    seen: float
    use: _Use
    under_way: int = 0
    users: dict[int, _Use] = field(default_factory=dict)


class ProcessorShares:
    """Has the organization that takes the most processor time wait once it is past its share.

    An organization waits only while other organizations are present. Each user waits until the time of the user is
    paid. An organization that takes less than another never waits.

    share: of one processor; patience: seconds past which a request is refused; about: seconds after its last request
    for which an organization is present. A request of a user and kind that costs at most `small` seconds never waits.
    owed: seconds of wait past which debts are forgiven.
    """

    def __init__(
        self,
        *,
        patience: float,
        share: float = SHARE,
        about: float = _ABOUT,
        small: float = 0.0,
        owed: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share, self._patience, self._clock = share, patience, clock
        self._about, self._small, self._most_owed = about, small, owed
        self._organizations: dict[int, _Organization] = {}
        # The organization that has taken the most lately, while others are present.
        self.leader: int | None = None
        self._costs: dict[tuple[int, str], float] = {}

    @classmethod
    def of_machine(cls, *, patience: float) -> ProcessorShares:
        """Shares out the time of all processors of the machine, for requests that take more than a little of it."""
        return cls(
            patience=patience,
            share=MACHINE_SHARE * (os.cpu_count() or 1),
            about=_MACHINE_ABOUT,
            small=_MACHINE_SMALL,
            owed=_MACHINE_OWED,
        )

    async def enter(self, who: Requester, kind: str = "") -> float:
        """Waits until a request may begin; gives the seconds that were booked for it, which `settle` wants.

        kind: of the request; requests of a kind cost alike.

        Raises RateLimitedError where that would take too long, and other requests of the organization are under way.
        """
        booked, wait = self.book(who, kind)
        known = self._organizations[who.organization_id]
        if not known.under_way:
            wait = min(wait, max(self._patience, _ALONE))
        elif wait > self._patience:
            self._add(who, -booked)
            told = f"requests of one organization take {self._share:.0%} of a processor while others want it"
            raise RateLimitedError("Too many requests at once", told, {"Retry-After": str(math.ceil(wait))})
        known.under_way += 1
        if wait > 0:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                known.under_way -= 1
                self._add(who, -booked)
                raise
        return booked

    def book(self, who: Requester, kind: str = "") -> tuple[float, float]:
        """Books processor time for a request; returns seconds booked, and seconds to wait."""
        now = self._clock()
        known = self._seen(who, now)
        # More than nothing, so that `settle` knows it.
        booked = max(self._costs.get((who.user_id, kind), _FIRST_COST), 1e-6)
        own = known.users.setdefault(who.user_id, _Use(now, now - _SAVED))
        for use in (known.use, own):
            use.fade(now)
            use.free = min(max(use.free, now - _SAVED), now + self._most_owed)
        wait = 0.0
        leads = self._leads(who.organization_id, known, now)
        if leads or self.leader == who.organization_id:
            self.leader = who.organization_id if leads else None
        if booked > self._small and known.use.free > now:
            if leads:
                wait = max(0.0, own.free - now)
            else:
                known.use.free, own.free = min(known.use.free, now + _OWED), min(own.free, now + _OWED)
        self._add(who, booked)
        return booked, wait

    def settle(self, who: Requester, booked: float, spent: float, kind: str = "") -> None:
        """Notes what a request has taken, in place of what was booked for it; booked: 0 where that was settled."""
        if booked:
            known = self._organizations.get(who.organization_id)
            if known is not None:
                known.under_way = max(0, known.under_way - 1)
            usual = self._costs.get((who.user_id, kind), _FIRST_COST)
            self._costs[who.user_id, kind] = usual + _WEIGHT * (spent - usual)
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
            if number != organization and now - other.seen < self._about:
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
