"""Admits requests by their API keys."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Scope

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.accounts.credentials import key_of
from atlas.kit.admission import Lane, Lanes, serving
from atlas.kit.processor_shares import ProcessorShares
from atlas.web.admission import admit, lane_of
from atlas.web.rate_limit import RateLimiter


class KeyGatekeeper:
    """Identifies callers by API keys, and admits them within rate limits, shares of processor time and lanes."""

    def __init__(self, access: AccessService, limiter: RateLimiter, lanes: Lanes, shares: ProcessorShares) -> None:
        self._access, self._limiter, self._lanes, self._shares = access, limiter, lanes, shares

    async def identify(self, scope: Scope) -> Caller:
        """Returns the caller of a request's key. Raises AuthenticationError or BadRequestError."""
        return await self._access.authenticate(key_of(Headers(scope=scope)))

    async def admit(self, request: Request, *, upload: bool = False) -> Caller:
        """Returns the user of the request's key, within its rate limit, once the request may be served.

        The method may be called again. upload: whether the body is a form with a file; few such bodies are received at
        once.
        Raises AuthenticationError, RateLimitedError or OverloadedError.
        """
        state: dict[str, Any] = request.scope["state"]
        found: Caller | None = state.get("caller")
        if found is None:
            # The middleware has already identified the caller, unless the application is mounted without the
            # middleware.
            found = state.get("known") or await self.identify(request.scope)
            state["key_id"], state["caller"] = found.key_id, found
            if state.pop("admitted", None) != found:
                lane = self._lanes.uploads if upload else lane_of(request.scope, self._lanes)
                await self._enter(request.scope, lane, found)
        serving(found)
        return found

    def remembered(self, key: str) -> Caller | None:
        """Returns the caller of a key that was live a moment ago, or None."""
        return self._access.remembered(key)

    async def admit_remembered(self, scope: Scope, caller: Caller) -> None:
        """Admits a remembered caller's request, which `admit` then does not do again.

        Raises RateLimitedError or OverloadedError.
        """
        scope["state"]["known"] = caller
        await self._enter(scope, lane_of(scope, self._lanes), caller)
        scope["state"]["admitted"] = caller
        serving(caller)

    async def _enter(self, scope: Scope, lane: Lane | None, who: Caller) -> None:
        state: dict[str, Any] = scope["state"]
        state["extra_headers"] = await self._limiter.hit(who)
        state["booked"] = await self._shares.enter(who)
        await admit(scope, lane, who)

    def settle(self, scope: Scope, seconds: float) -> None:
        """Notes processor time that a request has taken since the last note."""
        state = scope["state"]
        who: Caller | None = state.get("caller") or state.get("known")
        if who is not None:
            self._shares.settle(who, state.pop("booked", 0.0), seconds)
