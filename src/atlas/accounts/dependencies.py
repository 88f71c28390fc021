"""What handlers ask for of callers.

All of them are coroutines: FastAPI runs plain functions in a thread, which takes longer than any of these.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from atlas.accounts.access import Caller
from atlas.web.gatekeeper import gatekeeper_of
from atlas.web.provided import Provided, provided_to

_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="Your API key.")


async def admitted(request: Request) -> Caller:
    """The caller of a request, once it may be served."""
    found = await gatekeeper_of(request).admit(request)
    assert isinstance(found, Caller)
    return found


async def caller(request: Request, key: Annotated[str | None, Security(_key_header)]) -> Caller:
    """The user of the request's key. The parameter `key` stands here for the OpenAPI document."""
    return await admitted(request)


CallerDep = Annotated[Caller, Depends(caller)]


async def known(request: Request) -> tuple[Provided, Caller]:
    """The services and the caller of a request, as the dependencies give them."""
    return provided_to(request), await admitted(request)
