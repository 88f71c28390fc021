"""Rate limits by user and by organization, with the RateLimit-* headers."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from atlas.errors import RateLimitedError
from atlas.kit.admission import Requester


class RateLimiter:
    """Counts requests of each user, with all their keys, and of each organization in this process.

    user, organization: rules such as `100/second;1000/minute`; None allows all.
    """

    def __init__(self, user: str | None, organization: str | None = None) -> None:
        self._rules: list[tuple[str, RateLimitItem]] = []
        for whose, rule in (("user", user), ("organization", organization)):
            self._rules += [(whose, item) for item in parse_many(rule)] if rule else []
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage()) if self._rules else None

    async def hit(self, who: Requester) -> dict[str, str]:
        """Counts one request and returns the headers for its answer.

        Raises RateLimitedError when a limit is exceeded.
        """
        headers: dict[str, str] = {}
        tightest = math.inf
        for whose, item in self._rules:
            assert self._counter is not None
            counted = whose, str(who.user_id if whose == "user" else who.organization_id)
            allowed = await self._counter.hit(item, *counted)
            stats = await self._counter.get_window_stats(item, *counted)
            wait = max(0, math.ceil(stats.reset_time - time.time()))
            if not allowed or stats.remaining < tightest:
                tightest = stats.remaining
                headers = {
                    "RateLimit-Limit": str(item.amount),
                    "RateLimit-Remaining": str(max(0, stats.remaining)),
                    "RateLimit-Reset": str(wait),
                }
            if not allowed:
                headers |= {"Retry-After": str(max(1, wait)), "RateLimit-Remaining": "0"}
                raise RateLimitedError("Rate limit exceeded", f"The limit of this {whose} is {item}", headers)
        return headers
