"""Refuses unknown names in queries, forms and bodies, instead of ignoring them.

A filter that a server ignores looks as if it had been applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote_plus

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atlas.errors import BadRequestError, unknown_name
from atlas.web.gatekeeper import gatekeeper_of

# Each parameter that this route does not know is a metadata field.
FREE = "/api/datasets/search/"
# jQuery and some clients add this parameter to bypass caches.
IGNORED = "_"
# Empty bodies, which some programs send to routes without a body.
NOTHING = (b"", b"{}", b"[]", b"null", b'""')


class KnownParameters:
    """The application of a route, which refuses unknown query parameters, and a body where the route takes none."""

    def __init__(self, route: APIRoute) -> None:
        found = [field for field in get_flat_params(route.dependant) if isinstance(field.field_info, params.Query)]
        self._app: ASGIApp = route.app
        self._known = [*dict.fromkeys(field.alias for field in found)]
        self._many = {field.alias for field in found if "list[" in str(field.field_info.annotation)}
        self._free = route.path == FREE
        self._body = route.body_field is not None or "requestBody" in (route.openapi_extra or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        wrong = self._find_error(query.decode("latin-1")) if query else None
        if wrong is not None or not (self._body or _is_empty(scope)):
            # A caller without access, or over a rate limit, gets that error first.
            request = Request(scope, receive)
            await gatekeeper_of(request).admit(request)
            if wrong is not None:
                raise wrong
            await self._refuse_body(request)
            receive = _after_body(receive)
        await self._app(scope, receive, send)

    async def _refuse_body(self, request: Request) -> None:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > 1024:
                break
        if body.strip() not in NOTHING:
            where = f"send {', '.join(self._known)} in the query" if self._known else "nothing in it would be read"
            raise BadRequestError("Invalid request", f"{request.method} takes no body here; {where}")

    def _find_error(self, query: str) -> BadRequestError | None:
        seen: set[str] = set()
        unknown: list[str] = []
        for part in query.split("&"):
            name = unquote_plus(part.partition("=")[0])
            if name in self._known:
                if name in seen and name not in self._many:
                    return given_twice("parameter", name)
                seen.add(name)
            elif part and name != IGNORED and not self._free:
                unknown.append(name)
        return unknown_ones("parameter", unknown, self._known) if unknown else None


def _is_empty(scope: Scope) -> bool:
    """Returns whether a request declares no body."""
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return False
    return True


def _after_body(receive: Receive) -> Receive:
    """Returns a `receive` for a request without a body, so that a reader of the body does not wait."""
    is_sent = False

    async def after() -> Message:
        nonlocal is_sent
        if is_sent:
            return await receive()
        is_sent = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return after


def unknown_ones(kind: str, names: Iterable[str], known: Sequence[str]) -> BadRequestError:
    """Builds the error for unknown names, with suggestions from the known names."""
    reasons = [f"{name[:100]}: {unknown_name(name, known)}" for name in list(dict.fromkeys(names))[:5]]
    all_known = f"known: {', '.join(known)}" if known else f"there is no {kind} here"
    return BadRequestError(f"Unknown {kind}", "; ".join([*reasons, all_known]))


def given_twice(kind: str, name: str) -> BadRequestError:
    """Builds the error for a duplicate of a name that takes one value."""
    return BadRequestError(f"Invalid {kind}", f"{name}: given more than once")
