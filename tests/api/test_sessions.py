"""Sessions of browsers end on the server: a copy of the cookie is good for nothing afterwards."""

from __future__ import annotations

import asyncio

import httpx
import psycopg
import pytest
from tests.callers import OURS, app_of, cookie
from tests.conftest import Client, People, make_dataset

from atlas.accounts import browser_sessions
from atlas.accounts.local_administration import KeyService
from atlas.db.database import Database
from atlas.ui import session as ui_session
from atlas.ui.session import COOKIE

pytestmark = pytest.mark.anyio


async def sign_in(client: Client, key: str, *, remember: bool = False) -> str:
    """The cookie of a browser that has signed in."""
    made = await client(None).post("/ui/session", json={"key": key, "remember": remember}, headers=OURS)
    assert made.status_code == 200, made.text
    return made.cookies[COOKIE]


async def status(client: Client, token: str) -> int:
    return (await client(None).get("/api/v1/me", headers=cookie(token) | OURS)).status_code


async def sign_out(client: Client, token: str, query: str = "") -> httpx.Response:
    return await client(None).delete(f"/ui/session{query}", headers=cookie(token) | OURS)


def rows(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*) FROM atlas.sessions").fetchone()
    assert found is not None
    return int(found[0])


async def test_a_copied_cookie_ends_with_its_session(client: Client, people: People, database_url: str) -> None:
    first, second = await sign_in(client, people.owner), await sign_in(client, people.owner, remember=True)
    other = await sign_in(client, people.holder)
    assert [await status(client, token) for token in (first, second, other)] == [200] * 3
    # Another site's request signs nobody out.
    refused = await client(None).delete("/ui/session", headers=cookie(first))
    assert (refused.status_code, await status(client, first)) == (403, 200)
    assert (await sign_out(client, first)).status_code == 204
    assert [await status(client, token) for token in (first, second, other)] == [401, 200, 200]
    # Again, and with what is no cookie, it does nothing.
    for token in (first, "nonsense", first[:-2], people.owner):
        assert (await sign_out(client, token)).status_code == 204
        assert (await sign_out(client, token, "?everywhere=true")).status_code == 204
    assert [await status(client, token) for token in (first, second, other)] == [401, 200, 200]
    third = await sign_in(client, people.owner)
    assert (await sign_out(client, third, "?everywhere=true")).status_code == 204
    assert [await status(client, token) for token in (second, third, other)] == [401, 401, 200]
    assert rows(database_url) == 1


async def test_a_revoked_key_ends_its_sessions_and_what_has_run_out_is_swept(
    client: Client, people: People, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url, pool_size=1, statement_timeout=60)
    await database.open()
    key = await KeyService(database).create_key("acme", "owner", "", None)
    token = await sign_in(client, key.key)
    assert await status(client, token) == 200
    await KeyService(database).revoke_key(key.id)
    await database.close()
    assert await status(client, token) == 401
    with monkeypatch.context() as patch:
        patch.setattr(browser_sessions, "SECONDS", -1)
        assert await status(client, await sign_in(client, people.owner)) == 401
    assert rows(database_url) == 2
    await sign_in(client, people.owner)
    assert rows(database_url) == 2


async def test_what_is_open_ends_too(client: Client, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that a session opened gets no row after it was signed out of."""
    monkeypatch.setattr(ui_session, "RECHECK_SECONDS", 0.0)
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    token = await sign_in(client, people.owner)
    sent: list[bytes] = []
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])
    gone = asyncio.Event()

    async def receive() -> dict[str, object]:
        for message in asked:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.body":
            sent.append(bytes(message["body"]))  # type: ignore[call-overload]
            if not message.get("more_body", False):
                gone.set()

    headers = [(b"cookie", f"{COOKIE}={token}".encode()), (b"x-atlas-ui", b"1"), (b"host", b"atlas.test")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/rows/stream/",
        "raw_path": b"/api/rows/stream/",
        "query_string": b"dataset=%d&poll_interval=3600" % dataset,
        "headers": headers,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("atlas.test", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    running = asyncio.create_task(app_of(client)(scope, receive, send))  # type: ignore[arg-type]
    row = {"dataset": dataset, "timestamp": "2026-01-01", "values": {"a": 1}}
    async with asyncio.timeout(20):
        while not any(b"connected" in body for body in sent):
            await asyncio.sleep(0.01)
        await owner.post("/api/rows/", json=row)
        while not any(b"event: data" in body for body in sent):
            await asyncio.sleep(0.01)
        await sign_out(client, token)
        await owner.post("/api/rows/", json=row | {"values": {"a": 2}})
        await running
    assert gone.is_set()
    assert not any(b'"a":2' in body for body in sent)
