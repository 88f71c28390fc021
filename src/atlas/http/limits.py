"""Rate limits by key, with the RateLimit-* headers."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from atlas.errors import RateLimitedError


class RateLimiter:
    """Counts requests of each key in this process; `rule` None allows all."""

    def __init__(self, rule: str | None) -> None:
        self._items: list[RateLimitItem] = parse_many(rule) if rule else []
        self._counter = SlidingWindowCounterRateLimiter(MemoryStorage()) if rule else None

    async def hit(self, key_id: int) -> dict[str, str]:
        """Counts one request; gives the headers to answer with. Raises RateLimitedError."""
        headers: dict[str, str] = {}
        tightest = math.inf
        for item in self._items:
            assert self._counter is not None
            allowed = await self._counter.hit(item, str(key_id))
            stats = await self._counter.get_window_stats(item, str(key_id))
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
                raise RateLimitedError("Rate limit exceeded", f"The limit of this key is {item}", headers)
        return headers
