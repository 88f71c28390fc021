"""Admits requests by their API keys."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Scope

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.accounts.credentials import key_of
from atlas.errors import RateLimitedError
from atlas.kit.admission import Lane, Lanes, serving
from atlas.kit.loop_turns import LoopTurns
from atlas.kit.processor_shares import ProcessorShares
from atlas.kit.processor_time import ProcessorTime, take_turns
from atlas.web.admission import admit, lane_of
from atlas.web.rate_limit import RateLimiter


class KeyGatekeeper:
    """Identifies callers by API keys, and admits them within rate limits, shares of processor time and lanes."""

    def __init__(self, access: AccessService, limiter: RateLimiter, lanes: Lanes, patience: float) -> None:
        """patience: seconds that a request waits for a share of processor time."""
        self._access, self._limiter, self._lanes = access, limiter, lanes
        self._shares, self._machine = ProcessorShares(patience=patience), ProcessorShares.of_machine(patience=patience)
        self._patience = patience
        self._turns = LoopTurns(lambda: self._shares.leader)

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
        try:
            await self._enter_at_once(scope, lane, who)
        except RateLimitedError:
            # An answer costs more than a wait. A client that asks again at once would get hundreds a second.
            if self._shares.leader == who.organization_id and "delayed" not in scope["state"]:
                scope["state"]["delayed"] = True
                await asyncio.sleep(self._patience)
            raise

    async def _enter_at_once(self, scope: Scope, lane: Lane | None, who: Caller) -> None:
        state: dict[str, Any] = scope["state"]
        state["extra_headers"] = await self._limiter.hit(who)
        take_turns(functools.partial(self._turns.wanted, who.organization_id))
        state["booked"] = await self._shares.enter(who)
        state["booked_everywhere"] = await self._machine.enter(who, _kind_of(scope))
        await admit(scope, lane, who)

    def settle(self, scope: Scope, spent: ProcessorTime) -> None:
        """Takes a note of the processor time that a request has spent, which begins anew."""
        state = scope["state"]
        who: Caller | None = state.get("caller") or state.get("known")
        loop, everywhere = spent.take()
        if who is not None:
            self._shares.settle(who, state.pop("booked", 0.0), loop)
            self._machine.settle(who, state.pop("booked_everywhere", 0.0), everywhere, _kind_of(scope))


def _kind_of(scope: Scope) -> str:
    return f"{scope['method']} {getattr(scope.get('route'), 'path', '')}"
