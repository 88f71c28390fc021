"""Routes of small, frequent requests, which read their parameters themselves where those are plain.

FastAPI's work to solve and check parameters takes 0.1 to 0.2 ms of a request, up to a third of it. What is read here
is read the same way; whatever is not plain (a parameter twice, one that nobody knows, a number with a sign, a value
that is wrong) is left to FastAPI, which also says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Coroutine
from typing import Any
from urllib.parse import unquote_plus

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
# A percent sign begins a character that is not plain; most of those that timestamps have are sent so.
_TEXT = re.compile(r"[\w.:,+%-]{1,500}", re.ASCII)


def plain_query(
    request: Request, *, numbers: Collection[str] = (), texts: Collection[str] = ()
) -> dict[str, Any] | None:
    """The parameters of a query string, of those that are named, numbers as such; None where one is not plain."""
    found: dict[str, Any] = {}
    query = request.scope["query_string"].decode("latin-1")
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name in found:
            return None
        if name in numbers and _NUMBER.fullmatch(value):
            found[name] = int(value)
        elif name in texts and _TEXT.fullmatch(value):
            found[name] = unquote_plus(value)
        else:
            return None
    return found


def direct(handler: Callable[[Request], Coroutine[Any, Any, Response | None]]) -> type[APIRoute]:
    """The class of a route that `handler` answers; where it gives None, before it has done anything, FastAPI does."""

    class Direct(APIRoute):
        def get_route_handler(self) -> Handler:
            usual = super().get_route_handler()

            async def handle(request: Request) -> Response:
                answer = await handler(request)
                return await usual(request) if answer is None else answer

            return handle

    return Direct
