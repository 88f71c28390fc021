"""Lets requests in by their API keys."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Scope

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.accounts.credentials import key_of
from atlas.kit.admission import Lanes, serving
from atlas.web.admission import admit, lane_of
from atlas.web.rate_limit import RateLimiter


class KeyGatekeeper:
    """Knows callers by their API keys, and lets them in within rate limits and lanes."""

    def __init__(self, access: AccessService, limiter: RateLimiter, lanes: Lanes) -> None:
        self._access, self._limiter, self._lanes = access, limiter, lanes

    async def identify(self, scope: Scope) -> Caller:
        """The caller behind the key of a request. Raises AuthenticationError and BadRequestError."""
        return await self._access.authenticate(key_of(Headers(scope=scope)))

    async def admit(self, request: Request, *, upload: bool = False) -> Caller:
        """The user of the request's key, within its rate limit, once the request may be served; may be asked again.

        upload: whether the body is a form with a file, of which few are received at once. Raises AuthenticationError,
        RateLimitedError and OverloadedError.
        """
        state: dict[str, Any] = request.scope["state"]
        found: Caller | None = state.get("caller")
        if found is None:
            # The middleware has asked already, unless the application is mounted without it.
            found = state.get("known") or await self.identify(request.scope)
            state["key_id"], state["caller"] = found.key_id, found
            state["extra_headers"] = await self._limiter.hit(found)
            await admit(request.scope, self._lanes.uploads if upload else lane_of(request.scope, self._lanes), found)
        serving(found)
        return found
