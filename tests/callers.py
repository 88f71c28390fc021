"""What the access matrix is made of: the routes that an application really has, and callers of every kind."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

from atlas.accounts import browser_sessions as sessions
from atlas.accounts.access import Caller
from atlas.accounts.browser_sessions import SessionService
from atlas.accounts.local_administration import KeyService
from atlas.app import create_app
from atlas.db.database import Database
from atlas.kit.admission import Lane
from atlas.settings import Settings
from atlas.ui.client_package import WHEEL
from atlas.ui.session import COOKIE
from atlas.web.path_index import PathIndex
from tests.conftest import Client, People

Headers = Mapping[str, str | bytes]
# Atlas's own pages send it with whatever changes something.
OURS = {"X-Atlas-UI": "1"}
SAFE = ("GET", "HEAD")
# Every route that needs no key: what is asked of it, and the status of its answer.
PUBLIC = {
    ("GET", "/"): ("/", 307),
    ("GET", "/ui"): ("/ui", 200),
    ("GET", "/ui/{path:path}"): ("/ui/datasets/1", 200),
    ("GET", "/ui/static/*"): ("/ui/static/main.js", 200),
    ("GET", "/ui/lib/*"): ("/ui/lib/vue/index.js", 200),
    ("GET", "/docs"): ("/docs", 200),
    ("GET", f"/client/{WHEEL}"): (f"/client/{WHEEL}", 200),
    ("GET", "/redoc"): ("/redoc", 200),
    ("GET", "/openapi.json"): ("/openapi.json", 200),
    ("HEAD", "/openapi.json"): ("/openapi.json", 200),
    ("GET", "/health"): ("/health", 200),
    ("GET", "/metrics"): ("/metrics", 200),
}
# Routes that only say that there is no such method, to whoever has a key.
NEVER = {(method, "/api/datasets/search/") for method in ("PUT", "PATCH", "DELETE")}


def mounted() -> set[tuple[str, str]]:
    """Method and path of every route of the application, of those that no document names too.

    A folder of files is `("GET", "/its/path/*")`.
    """
    return _mounted(create_app(Settings(database_url="postgresql://nowhere")).routes)


def _mounted(routes: Any, prefix: str = "") -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for context in iter_route_contexts(routes):
        route, path = context.original_route, f"{prefix}{context.path}"
        if isinstance(route, PathIndex):
            # It leads to routes that are listed themselves.
            assert {id(one) for one in route.routes} <= {id(one) for one in routes}
        elif isinstance(route, Mount):
            found |= _mounted(route.routes, path) if route.routes else {("GET", f"{path}/*")}
        elif isinstance(route, WebSocketRoute):
            found.add(("WEBSOCKET", path))
        else:
            # What has neither methods nor a path of its own must not pass unseen.
            assert context.methods, route
            found |= {(method, path) for method in context.methods}
    return found


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={token}"}


def app_of(client: Client) -> FastAPI:
    """The application that a test's clients talk to."""
    found: FastAPI = client(None)._transport.app  # type: ignore[attr-defined]
    return found


async def signed_in(client: Client, key: str) -> str:
    """The session cookie of a browser that has signed in."""
    sessions: SessionService = app_of(client).state.sessions
    return (await sessions.sign_in(key, remember=False)).token


@dataclass(frozen=True)
class Callers:
    """Headers of callers by what is wrong with them, and of those with whom nothing is.

    owner, holder: browser sessions. admin: an admin's key, of the owner's organization. operator: of another one.
    """

    owner: Headers
    holder: Headers
    admin: Headers
    operator: Headers
    keys: dict[str, Headers]
    sessions: dict[str, Headers]
    changing: dict[str, Headers]

    def refused(self, method: str) -> dict[str, Headers]:
        """Callers whom no route that needs a key may answer."""
        return self.keys | self.sessions | ({} if method in SAFE else self.changing)


async def make_callers(client: Client, people: People, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callers:
    """Signs everybody in whom it takes, and makes an admin of `acme` and an operator."""
    owner, holder = await signed_in(client, people.owner), await signed_in(client, people.holder)
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "SECONDS", -1)
        expired = await signed_in(client, people.owner)
    database = Database(database_url, pool_size=1, statement_timeout=60)
    await database.open()
    try:
        keys, staff = KeyService(database), []
        for organization, name, role in (("acme", "adam", "admin"), ("ops", "olga", "operator")):
            await keys.create_user(organization, name, role=role)
            staff.append((await keys.create_key(organization, name, "", None)).key)
        lost = await keys.create_key("acme", "owner", "lost", None)
        of_revoked = await signed_in(client, lost.key)
        await keys.revoke_key(lost.id)
    finally:
        await database.close()
    return Callers(
        owner=cookie(owner) | OURS,
        holder=cookie(holder) | OURS,
        admin={"X-API-Key": staff[0]},
        operator={"X-API-Key": staff[1]},
        keys={
            "no key": {},
            "empty key": {"X-API-Key": ""},
            "nonsense": {"X-API-Key": "nonsense"},
            "not ASCII": {"X-API-Key": "\u043a\u043b\u044e\u0447".encode()},
            "unknown": {"X-API-Key": "atlas_live_sk_" + "a" * 32},
            "key cut short": {"X-API-Key": people.owner[:-1]},
            "key and more": {"X-API-Key": people.owner + "0"},
            "key in capitals": {"X-API-Key": people.owner.upper()},
            "key without Bearer": {"Authorization": people.owner},
            "key as a password": {"Authorization": "Basic " + b64encode(f"{people.owner}:".encode()).decode()},
            "revoked as Bearer": {"Authorization": f"Bearer {people.revoked}"},
            "key as a cookie": cookie(people.owner) | OURS,
            "revoked key": {"X-API-Key": people.revoked},
            "expired key": {"X-API-Key": people.expired},
        },
        sessions={
            "expired session": cookie(expired) | OURS,
            "session of a revoked key": cookie(of_revoked) | OURS,
            "forged session": cookie(("B" if owner[0] == "A" else "A") + owner[1:]) | OURS,
            "session cut short": cookie(owner[:-2]) | OURS,
            "session beside a bad key": cookie(owner) | OURS | {"X-API-Key": "nonsense"},
            "session from another site": cookie(owner) | OURS | {"Sec-Fetch-Site": "cross-site"},
            "session from a sister site": cookie(owner) | OURS | {"Sec-Fetch-Site": "same-site"},
        },
        changing={
            "session without the pages' header": cookie(owner),
            "session by a form": cookie(owner) | {"Sec-Fetch-Site": "same-origin"},
        },
    )


async def stream_start(client: Client, path: str, headers: Headers) -> tuple[int, dict[str, str]]:
    """The status and headers that a stream begins with, which is then left."""
    app, request = app_of(client), client(None).build_request("GET", path, headers=dict(headers))
    begun, status, sent, got = asyncio.Event(), 0, False, {}

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            got.update({name.decode(): value.decode() for name, value in message["headers"]})
        else:
            begun.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": ("atlas.test", 80),
        "client": ("127.0.0.1", 1),
    }
    await asyncio.wait_for(app(scope, receive, send), 30)
    return status, got


@contextmanager
def share_of(lane: Lane, caller: Caller) -> Iterator[None]:
    """Has a user's share of a lane taken."""
    taken = 0
    try:
        while lane.taken(caller) < lane.user_share:
            lane.enter_at_once(caller)
            taken += 1
        yield
    finally:
        for _ in range(taken):
            lane.leave(caller)
