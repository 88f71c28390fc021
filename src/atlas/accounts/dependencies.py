"""Dependencies of handlers on the caller.

All of them are coroutines: FastAPI runs plain functions in a thread, which takes longer than these functions.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from atlas.accounts.access import Caller
from atlas.web.gatekeeper import gatekeeper_of

_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="Your API key.")


async def admitted(request: Request) -> Caller:
    """Returns the caller of a request, once the request may be served."""
    found = await gatekeeper_of(request).admit(request)
    assert isinstance(found, Caller)
    return found


async def caller(request: Request, key: Annotated[str | None, Security(_key_header)]) -> Caller:
    """Returns the user of the request's key. The parameter `key` is there for the OpenAPI document."""
    return await admitted(request)


CallerDep = Annotated[Caller, Depends(caller)]
