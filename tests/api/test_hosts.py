"""What a client calls the server, and what links to pages are made of."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from tests.conftest import People, make_dataset, serve

from atlas.settings import Settings

pytestmark = pytest.mark.anyio
EVIL = "evil.example"


async def pages(owner: httpx.AsyncClient, dataset: int, **headers: str) -> list[str]:
    """`next` and `previous` of each route that has them."""
    found = []
    cut, rows = "limit=1&offset=1", f"/api/rows/?dataset={dataset}"
    for path in (
        f"/api/datasets/?{cut}",
        f"/api/datasets/search/?a=1&{cut}",
        f"{rows}&{cut}",
        f"{rows}&columns=a&start=2020-01-01T00%3A00%3A00%2B00%3A00&{cut}",
    ):
        page = (await owner.get(path, headers=headers)).json()
        found += [page["next"], page["previous"]]
    return found


async def prepared(owner: httpx.AsyncClient) -> int:
    for _ in range(3):
        dataset = await make_dataset(owner, metadata={"a": 1})
    rows = [{"timestamp": "2026-01-01", "values": {"a": n}} for n in range(3)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    return dataset


@pytest.mark.parametrize("public", ["https://data.example.com", "http://10.0.0.1:9000/atlas/"])
async def test_links_begin_with_the_public_url(settings: Settings, people: People, public: str) -> None:
    changed = Settings.model_validate(settings.model_dump() | {"public_url": public})
    async with serve(changed) as make:
        owner = make(people.owner)
        dataset = await prepared(owner)
        for link in await pages(owner, dataset, Host=EVIL):
            assert link.startswith(public.rstrip("/") + "/api/"), link
            assert EVIL not in link
            # It leads to a page, below whatever path the proxy takes away.
            assert (await owner.get(link.removeprefix(public.rstrip("/")))).status_code == 200


async def test_without_one_a_well_formed_host_is_taken(owner: httpx.AsyncClient) -> None:
    dataset = await prepared(owner)
    for host in ("data.example.com", "localhost:8000", "127.0.0.1", "[::1]:8000", "a-b.c_d"):
        for link in await pages(owner, dataset, Host=host):
            assert link.startswith(f"http://{host}/api/"), link
            assert (await owner.get(link)).status_code == 200
    for host in (
        "a b",
        "a/b",
        "a@b",
        "a?x=",
        "a:b",
        "a:99999999",
        "a:65536",
        "[::1]:70000",
        "a:" + "9" * 5_000,
        "[x]",
        "http://a",
        "a,b",
        "-",
        "a" * 300,
        'a"b',
        "a#",
    ):
        answer = await owner.get("/api/datasets/", headers={"Host": host})
        assert (answer.status_code, answer.json()["details"][:5]) == (400, "Host:"), host
        assert (await owner.get("/api/datasets/", headers={"Host": host, "X-API-Key": ""})).status_code == 401
        assert (await owner.get("/ui", headers={"Host": host})).status_code == 400


async def test_a_host_that_is_given_twice(owner: httpx.AsyncClient) -> None:
    headers: Any = [("Host", "a"), ("Host", EVIL)]
    assert (await owner.get("/api/datasets/", headers=headers)).status_code == 400


async def test_only_allowed_hosts(settings: Settings, people: People) -> None:
    allowed = settings.model_copy(update={"allowed_hosts": "Data.Example.com, localhost"})
    async with serve(allowed) as make:
        owner = make(people.owner)
        for host in ("data.example.com", "DATA.example.com:8000", "localhost"):
            assert (await owner.get("/api/datasets/", headers={"Host": host})).status_code == 200
        for host in (EVIL, "data.example.com.evil.example", "example.com", "xlocalhost"):
            answer = await owner.get("/api/v1/me", headers={"Host": host})
            assert (answer.status_code, set(answer.json())) == (400, {"detail"}), host
            assert (await owner.get("/docs", headers={"Host": host})).status_code == 400
            assert (await owner.get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("wrong", ["data.example.com", "ftp://x", "https://", "https://x/?a=1", "https://x/#a"])
async def test_a_public_url_that_is_none(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings(public_url=wrong)
