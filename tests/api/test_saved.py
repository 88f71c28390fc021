"""Saved queries and favourites, by every kind of caller."""

from __future__ import annotations

import httpx
import pytest
from tests.api.test_imports import CONTACTS, send
from tests.callers import Callers
from tests.conftest import Client, People, make_dataset

pytestmark = pytest.mark.anyio
PATH = "/api/v1/saved-queries"


async def _save(client: httpx.AsyncClient, name: str, **more: object) -> dict[str, object]:
    made = await client.post(PATH, json={"name": name, "sql": f"SELECT '{name}' AS n", **more})
    assert made.status_code == 200, made.text
    found: dict[str, object] = made.json()["saved_query"]
    return found


async def _names(client: httpx.AsyncClient, **params: str) -> list[str]:
    return [one["name"] for one in (await client.get(PATH, params=params)).json()["saved_queries"]]


async def test_saved_queries(client: Client, people: People, callers: Callers) -> None:
    """Private ones are their owner's; shared ones are read by the organization, and changed by their owner alone."""
    owner, holder, stranger = client(people.owner), client(people.holder), client(people.stranger)
    private, shared = await _save(owner, "Private 10%"), await _save(owner, " Leads  by state ", shared=True)
    assert shared["name"] == "Leads by state"
    await _save(holder, "Mine")
    assert await _names(owner) == ["Leads by state", "Private 10%"]
    assert await _names(holder) == ["Leads by state", "Mine"]
    assert await _names(stranger) == []
    assert await _names(owner, search="10%") == ["Private 10%"]
    assert await _names(owner, search="LEADS") == ["Leads by state"]
    assert (await owner.get(PATH, params={"limit": "1", "offset": "1"})).json()["total_count"] == 2
    anybody = client(None)
    operator_elsewhere = dict(callers.operator)
    for one, seen in ((private, 404), (shared, 403)):
        address = f"{PATH}/{one['id']}"
        assert (await holder.get(address)).status_code == (200 if seen == 403 else 404)
        assert (await stranger.get(address)).status_code == 404
        assert (await anybody.get(address, headers=operator_elsewhere)).status_code == 404
        for method, body in (("PUT", {"name": "taken over"}), ("DELETE", None)):
            assert (await holder.request(method, address, json=body)).status_code == seen
            assert (await stranger.request(method, address, json=body)).status_code == 404
            for key in (None, people.revoked, people.expired):
                assert (await client(key).request(method, address, json=body)).status_code == 401
    # Only what is given changes, and a query that is private again is gone for the others.
    address = f"{PATH}/{shared['id']}"
    changed = (await owner.put(address, json={"shared": False})).json()["saved_query"]
    assert (changed["name"], changed["sql"], changed["shared"]) == ("Leads by state", shared["sql"], False)
    assert await _names(holder) == ["Mine"]
    assert (await owner.delete(address)).json() == {"success": True, "id": shared["id"]}
    assert (await owner.get(address)).status_code == 404


async def test_what_cannot_be_saved(owner: httpx.AsyncClient) -> None:
    await _save(owner, "Once")
    for body, told in (
        ({"name": "oNCE", "sql": "SELECT 1"}, "name: you have a query 'oNCE' already"),
        ({"name": "  ", "sql": "SELECT 1"}, "name: required"),
        ({"name": "x", "sql": " "}, "sql: required"),
    ):
        refused = await owner.post(PATH, json=body)
        assert (refused.status_code, told in refused.json()["detail"]) == (400, True), refused.text
    assert (await owner.post(PATH, json={"name": "x"})).status_code == 422
    assert (await owner.get(f"{PATH}/nonsense")).status_code == 404


async def test_a_mark_of_many_may_be_set_again(owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas.saved.service.MAX_FAVOURITES", 2)
    await send(owner, "Import into leads", CONTACTS)
    paths = [f"dataset/{await make_dataset(owner, name=name)}" for name in ("a", "b")]
    marks = [(paths[0], 200), ("table/leads", 200), (paths[0], 200), ("table/leads", 200), (paths[1], 400)]
    for path, status in marks:
        assert (await owner.put(f"/api/v1/favourites/{path}")).status_code == status, path
    assert len((await owner.get("/api/v1/favourites")).json()["favourites"]) == 2


async def test_favourites(client: Client, people: People, callers: Callers) -> None:
    """A mark is its user's own, and gone with what is marked or may no longer be read."""
    owner, holder, stranger = client(people.owner), client(people.holder), client(people.stranger)
    dataset = await make_dataset(owner, name="Marked")
    await send(owner, "Import into leads", CONTACTS)

    async def marked(of: httpx.AsyncClient) -> list[str]:
        return [one["name"] for one in (await of.get("/api/v1/favourites")).json()["favourites"]]

    for path in (f"dataset/{dataset}", "table/leads", "table/leads"):
        done = await owner.put(f"/api/v1/favourites/{path}")
        assert (done.status_code, done.json()["favourite"]) == (200, True), done.text
    assert await marked(owner) == ["leads", "Marked"]
    assert await marked(holder) == await marked(stranger) == []
    # What may not be read cannot be marked; once it may, it can, and the mark ends with the right.
    address = f"/api/v1/favourites/dataset/{dataset}"
    assert (await holder.put(address)).status_code == (await stranger.put(address)).status_code == 403
    assert (await stranger.put("/api/v1/favourites/table/leads")).status_code == 404
    assert (await client(people.revoked).put(address)).status_code == 401
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
    assert (await holder.put(address)).status_code == 200
    assert await marked(holder) == ["Marked"]
    tag = (await owner.get(f"/api/datasets/{dataset}/tags/")).json()[0]["id"]
    await owner.delete(f"/api/datasets/{dataset}/tags/{tag}/")
    assert await marked(holder) == []
    for path, status in (
        ("dataset/999999", 404),
        ("dataset/x", 404),
        ("dataset/99999999999999999999", 404),
        ("table/nowhere", 404),
        ("query/x", 422),
    ):
        assert (await owner.put(f"/api/v1/favourites/{path}")).status_code == status, path
    assert (await owner.delete("/api/v1/favourites/table/leads")).json()["favourite"] is False
    assert (await owner.delete("/api/v1/favourites/table/leads")).status_code == 200
    await owner.delete(f"/api/datasets/{dataset}/")
    assert await marked(owner) == []
