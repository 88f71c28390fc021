"""The key in `Authorization: Bearer`, beside `X-API-Key`."""

from __future__ import annotations

from base64 import b64encode

import httpx
import pytest
from tests.api.test_imports import CONTACTS
from tests.callers import OURS, app_of, cookie, signed_in, stream_start
from tests.conftest import Client, People, make_dataset

pytestmark = pytest.mark.anyio
CHALLENGE = 'Bearer realm="Atlas"'


async def test_wherever_a_key_is_taken(client: Client, people: People) -> None:
    dataset = await make_dataset(client(people.owner))
    bearer = {"Authorization": f"Bearer {people.owner}"}
    anybody = client(None)
    row = {"timestamp": "2026-01-01T00:00:00Z", "values": {"a": 1}}
    for method, path, options in (
        ("GET", "/api/v1/me", {}),
        ("POST", "/api/rows/", {"json": {"dataset": dataset, **row}}),
        ("POST", "/api/rows/bulk_insert/", {"json": {"dataset": dataset, "rows": [row]}}),
        ("GET", f"/api/rows/?dataset={dataset}", {}),
        ("GET", f"/api/rows/bulk_download/?dataset={dataset}", {}),
        (
            "POST",
            "/api/v1/smart-import",
            {"data": {"instruction": "Import into people"}, "files": {"file": ("a.csv", CONTACTS)}},
        ),
    ):
        answer = await anybody.request(method, path, headers=bearer, **options)
        assert answer.status_code in (200, 201), (path, answer.text)
        refused = await anybody.request(method, path, **options)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, CHALLENGE)
    stream = f"/api/rows/stream/?dataset={dataset}"
    assert (await stream_start(client, stream, bearer))[0] == 200
    status, headers = await stream_start(client, stream, {"Authorization": f"Bearer {people.stranger}"})
    assert status == 403
    assert (await anybody.get("/api/v1/me", headers=bearer)).json()["user"]["name"] == "owner"
    assert "www-authenticate" not in headers


@pytest.mark.parametrize("text", ["bearer {}", "BEARER {}", "Bearer   {}", " Bearer {} "])
async def test_how_it_may_be_written(client: Client, people: People, text: str) -> None:
    answer = await client(None).get("/api/v1/me", headers={"Authorization": text.format(people.owner)})
    assert answer.status_code == 200, text


async def test_what_it_is_not(client: Client, people: People) -> None:
    basic = "Basic " + b64encode(f"{people.owner}:x".encode()).decode()
    for authorization, told in (
        (basic, "Basic (a name and a password) is not taken"),
        (people.owner, "the word Bearer before"),
        ("Bearer", "there is no key after Bearer"),
        ("Bearer ", "there is no key after Bearer"),
        ("Token", "there is no key after Token"),
        (f"Token {people.revoked}", "unknown, revoked or expired"),
        (f"New {people.owner}", "its scheme is not Bearer"),
        ("Bearer nonsense", "unknown, revoked or expired"),
        (f"Bearer {people.revoked}", "unknown, revoked or expired"),
        ("", "its scheme is not Bearer"),
        ("Negotiate abc", "its scheme is not Bearer"),
        (f"Bearer\t{people.owner}", "its scheme is not"),
        (f"Bearer: {people.owner}", "its scheme is not Bearer"),
        (f'Bearer "{people.owner}"', "unknown"),
        (f"Bearer {people.owner}, Bearer {people.owner}", "unknown"),
        (f"Bearer {people.owner} more", "unknown"),
        ("Bearer " + "x" * 50_000, "unknown"),
    ):
        for path in ("/api/v1/me", "/api/datasets/"):
            answer = await client(None).get(path, headers={"Authorization": authorization})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, CHALLENGE), authorization
            assert told in answer.text, (authorization, answer.text)
            assert people.owner not in answer.text


async def test_two_keys(client: Client, people: People) -> None:
    anybody = client(None)
    for headers, status in (
        ({"X-API-Key": people.owner, "Authorization": f"Bearer {people.owner}"}, 200),
        ({"X-API-Key": people.owner, "Authorization": f"Bearer {people.holder}"}, 400),
        ({"X-API-Key": "nonsense", "Authorization": f"Bearer {people.owner}"}, 400),
        # A proxy in front may have a password of its own.
        ({"X-API-Key": people.owner, "Authorization": "Basic eDp5"}, 200),
    ):
        answer = await anybody.get("/api/v1/me", headers=headers)
        assert answer.status_code == status, (headers, answer.text)
        assert status == 200 or "different keys" in answer.json()["detail"]
    mine, other = f"Bearer {people.owner}", f"Bearer {people.holder}"
    for several, status in (
        ([("X-API-Key", people.owner), ("X-API-Key", people.holder)], 400),
        ([("Authorization", mine), ("Authorization", other)], 400),
        ([("Authorization", f"Bearer {people.revoked}"), ("X-API-Key", people.owner)], 400),
        ([("Authorization", mine), ("Authorization", mine)], 200),
        ([("Authorization", "Basic eDp5"), ("Authorization", mine)], 200),
        ([("Authorization", ""), ("X-API-Key", people.owner)], 200),
        ([("X-API-Key", "")], 401),
        ([("X-API-Key", f"{people.owner},{people.owner}")], 401),
        ([("X-API-Key", "\xff\xfe")], 401),
    ):
        for method in ("GET", "HEAD"):
            answer = await anybody.request(method, "/api/datasets/", headers=httpx.Headers(several, "latin-1"))
            assert answer.status_code == status, several


async def test_beside_a_session(client: Client, people: People) -> None:
    session = cookie(await signed_in(client, people.owner)) | OURS
    anybody = client(None)

    async def who(authorization: str) -> str:
        answer = await anybody.get("/api/v1/me", headers=session | {"Authorization": authorization})
        return str(answer.json()["user"]["name"])

    # The key that a program names counts; what a proxy adds does not.
    assert await who(f"Bearer {people.holder}") == "holder"
    assert await who("Basic eDp5") == await who("Bearer eyJhbGciOi.J9.x") == "owner"


def test_the_document_has_both(client: Client) -> None:
    document = app_of(client).openapi()
    assert {one["type"] for one in document["components"]["securitySchemes"].values()} == {"apiKey", "http"}
    assert len(document["paths"]["/api/datasets/"]["get"]["security"]) == 2
    assert "security" not in document["paths"]["/health"]["get"]
