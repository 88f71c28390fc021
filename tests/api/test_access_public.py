"""What is answered without a key, all of which is on a list; and signing in and out."""

from __future__ import annotations

import httpx
import pytest
from tests.callers import NEVER, OURS, PUBLIC, Callers, cookie, mounted, signed_in
from tests.conftest import Client, People, make_dataset

from atlas.ui.session import COOKIE

pytestmark = pytest.mark.anyio
SESSION = {("POST", "/ui/session"), ("DELETE", "/ui/session")}
NAME = "a name that nobody else may read"


def test_no_route_is_left_out() -> None:
    public = {(method, path) for method, path in mounted() if not path.startswith("/api/")}
    assert public == set(PUBLIC) | SESSION
    assert mounted() >= NEVER


async def test_public_routes_are_the_same_to_everybody(client: Client, people: People, callers: Callers) -> None:
    await make_dataset(client(people.owner), name=NAME)
    good = {"owner": callers.owner, "owner's key": {"X-API-Key": people.owner}, "admin": callers.admin}
    for (method, route), (path, status) in PUBLIC.items():
        for name, headers in (callers.refused(method) | good).items():
            plain = {"Accept-Encoding": "identity", **headers}
            answer = await client(None).request(method, path, headers=plain)
            assert answer.status_code == status, (method, route, name)
            assert not any(secret in answer.text for secret in (NAME, people.owner, people.holder)), (route, name)
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/api/datasets/search/", "/api", "/api/", "/api/nothing/", "/api/v1/nothing", "/api/v1"]
)
async def test_nothing_under_api_is_said_without_a_key(
    client: Client, people: People, callers: Callers, path: str
) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "PURGE"):
        for name, headers in (callers.keys | callers.sessions).items():
            answer = await client(None).request(method, path, headers=headers)
            assert answer.status_code == 401, (method, name)
            if method != "HEAD":
                assert set(answer.json()) == ({"detail"} if path.startswith("/api/v1") else {"error", "details"})
        holder = client(people.holder)
        known = await holder.request(method, path)
        # HEAD is answered as GET is.
        expected = {404, 405} if method != "HEAD" else {(await holder.get(path)).status_code}
        assert known.status_code in expected, method


async def test_folders_give_their_own_files_only(client: Client) -> None:
    for folder in [path[:-1] for _, path in PUBLIC if path.endswith("/*")]:
        for name in (
            "",
            ".",
            "../pages.py",
            "%2e%2e/pages.py",
            "%2e%2e%2fpages.py",
            "..%5cpages.py",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "nothing.js",
        ):
            answer = await client(None).get(f"{folder}{name}")
            # A path that leaves the folder may be the page of the interface, which has nothing of anybody's.
            assert answer.status_code == 404 or answer.headers["content-type"].startswith("text/html"), (folder, name)
            assert "APIRouter" not in answer.text
            assert "root:" not in answer.text
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            refused = await client(None).request(method, f"{folder}nothing.js", headers=OURS)
            assert refused.status_code in (404, 405)


async def test_signing_in_takes_a_good_key_and_our_page(client: Client, people: People, callers: Callers) -> None:
    async def sign_in(key: str, headers: dict[str, str]) -> httpx.Response:
        return await client(None).post("/ui/session", json={"key": key}, headers=headers)

    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, OURS | {"Sec-Fetch-Site": "cross-site"}):
        refused = await sign_in(people.owner, headers)
        assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    for key in ("", "nonsense", people.owner[:-1], people.revoked, people.expired, callers.owner["Cookie"]):
        refused = await sign_in(key, OURS)
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    done = await sign_in(people.owner, OURS)
    assert done.status_code == 200
    assert people.owner not in done.text + done.headers["set-cookie"]
    assert "HttpOnly" in done.headers["set-cookie"]
    assert "SameSite=strict" in done.headers["set-cookie"]


async def test_signing_out_takes_our_page(client: Client, people: People) -> None:
    browser = client(None)
    assert (await browser.post("/ui/session", json={"key": people.owner}, headers=OURS)).status_code == 200
    for headers in ({}, OURS | {"Sec-Fetch-Site": "cross-site"}):
        assert (await browser.delete("/ui/session", headers=headers)).status_code == 403
        assert (await browser.get("/api/v1/me")).status_code == 200
    assert (await browser.delete("/ui/session", headers=OURS)).status_code == 204
    assert COOKIE not in browser.cookies
    assert (await browser.get("/api/v1/me")).status_code == 401


async def test_a_session_is_no_more_than_its_key(client: Client, people: People) -> None:
    token = await signed_in(client, people.holder)
    reader = await client(None).get("/api/v1/me", headers=cookie(token))
    assert reader.json()["user"]["name"] == "holder"
    assert (await client(None).get("/api/v1/admin/users", headers=cookie(token))).status_code == 403
