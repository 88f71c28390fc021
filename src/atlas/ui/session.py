"""Signs in with an API key, and lets a session cookie stand for the key afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atlas.accounts.api_keys import PREFIX
from atlas.accounts.browser_sessions import OpenSession, SessionService
from atlas.errors import AtlasError, BadRequestError, ForbiddenError, TooLargeError
from atlas.kit.json_depth import TOO_DEEP, too_deep

COOKIE = "atlas_session"
# Other sites cannot send this header without a CORS preflight, which Atlas never allows.
HEADER = "x-atlas-ui"
# The body holds a key and a flag. The sender is not authenticated yet, so a larger body is refused.
BODY_BYTES = 16 * 1024
# Builds the response to an error.
Refuse = Callable[[str, AtlasError], ASGIApp]
_SAFE = {"GET", "HEAD", "OPTIONS"}
_PREFIXES = ("/api/", "/ui/session")
# The interval at which a long response checks that its session is still open.
RECHECK_SECONDS = 10.0


def from_our_pages(request: Request) -> None:
    """Refuses requests that another site could make a browser send, such as signing a person in as another user.

    Raises ForbiddenError: for such a request.
    """
    if not _own_page(request.method, request.headers):
        raise ForbiddenError("Permission denied", "Sessions are for Atlas's own pages; programs send X-API-Key")


router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[Depends(from_our_pages)])


class SignInBody(BaseModel):
    """The API key to sign in with."""

    key: str = Field(max_length=200)
    remember: bool = False


def _sessions(request: Request) -> SessionService:
    found: SessionService = request.app.state.sessions
    return found


async def _receive_body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    size, body = int(length) if length.isdigit() else 0, b""
    if size <= BODY_BYTES:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_BYTES:
                break
    if max(size, len(body)) > BODY_BYTES:
        raise TooLargeError("Request body too large", f"the limit of this route is {BODY_BYTES} bytes")
    return body


def _parse_body(body: bytes) -> SignInBody:
    if too_deep(body):
        raise BadRequestError("Invalid request", f"the body is {TOO_DEEP}")
    try:
        return SignInBody.model_validate_json(body)
    except ValidationError:
        raise BadRequestError("Invalid request", "the body must be a JSON object with a key") from None


@router.post("/session")
async def sign_in(request: Request, response: Response) -> dict[str, Any]:
    """Sets the session cookie. Returns 401 for an invalid key."""
    body = _parse_body(await _receive_body(request))
    session = await _sessions(request).sign_in(body.key.strip(), remember=body.remember)
    response.set_cookie(
        COOKIE,
        session.token,
        max_age=session.seconds if body.remember else None,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return {"success": True, "user": session.caller.user_name}


@router.delete("/session", status_code=204)
async def sign_out(request: Request, everywhere: bool = False) -> Response:
    """Ends the session, wherever a copy of the cookie may be, and removes the cookie.

    everywhere: ends all sessions of the user.
    """
    token = token_of(request.headers.get("cookie", ""))
    if token is not None:
        await _sessions(request).sign_out(token, everywhere=everywhere)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


class SessionMiddleware:
    """Lets a browser's session stand for the API key that a request does not send.

    The cookie is SameSite=Strict. Besides, a changing request must carry a header that no other site can send. A
    browser that sends the origin of a request must name this origin.
    refuse: builds the response when the database cannot say whether a session is open.
    """

    def __init__(self, app: ASGIApp, sessions: SessionService, refuse: Refuse) -> None:
        self._app, self._sessions, self._refuse = app, sessions, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIXES):
            headers = Headers(scope=scope)
            if "cookie" in headers and not _sends_key(headers) and _own_page(scope["method"], headers):
                try:
                    session = await self._session(headers["cookie"])
                except AtlasError as error:
                    await self._refuse(scope["path"], error)(scope, receive, send)
                    return
                if session is not None:
                    scope = {**scope, "headers": list(scope["headers"])}
                    sent = MutableHeaders(scope=scope)
                    sent["x-api-key"] = session.key
                    # The header is a proxy's, which decides who may reach the server.
                    del sent["authorization"]
                    send = self._while_open(session.id, send)
        await self._app(scope, receive, send)

    async def _session(self, cookie: str) -> OpenSession | None:
        token = token_of(cookie)
        return None if token is None else await self._sessions.open_session(token)

    def _while_open(self, session: UUID, send: Send) -> Send:
        """Sends a long response, such as a stream, only while the session is open."""
        checked, ended = time.monotonic(), False

        async def sending(message: Message) -> None:
            nonlocal checked, ended
            goes_on = message["type"] == "http.response.body" and message.get("more_body", False)
            if goes_on and not ended and time.monotonic() - checked > RECHECK_SECONDS:
                checked = time.monotonic()
                with contextlib.suppress(AtlasError):
                    ended = not await self._sessions.lives(session)
                if ended:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            if not ended:
                await send(message)

        return sending


def token_of(cookie: str) -> str | None:
    """Returns the session's token in a Cookie header, or None."""
    try:
        found = SimpleCookie(cookie).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _sends_key(headers: Headers) -> bool:
    """Checks whether a request names a key itself. The key takes precedence over the session."""
    return "x-api-key" in headers or f"bearer {PREFIX}" in headers.get("authorization", "").lower()


def _own_page(method: str, headers: Headers) -> bool:
    # `none` is a person who follows a download link or types an address.
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return method in _SAFE or HEADER in headers
