"""The first half's examples, one after the other, as a new user follows them."""

from __future__ import annotations

import json

import httpx
import pytest
from tests.conftest import Client, People

pytestmark = pytest.mark.anyio


async def test_create_insert_share_and_read(client: Client, people: People) -> None:
    owner, holder = client(people.owner), client(people.holder)
    created = await owner.post("/api/datasets/", json={"name": "my_btc_prices", "description": "Bitcoin"})
    assert created.status_code == 201
    assert created.json()["columns"] == []
    dataset = created.json()["id"]
    rows = [
        {"timestamp": "2025-12-16T10:00:00Z", "values": {"price": 104500}},
        {"timestamp": "2025-12-16T11:00:00Z", "values": {"price": 104600}},
    ]
    inserted = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    assert (inserted.status_code, inserted.json()) == (200, {"inserted": 2, "total": 2})
    assert (await holder.get("/api/datasets/")).json()["results"] == []
    assert (await holder.get(f"/api/rows/?dataset={dataset}")).status_code == 403
    shared = await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    assert shared.status_code == 201
    assert (await holder.get(f"/api/rows/?dataset={dataset}")).status_code == 403
    assert (await holder.post("/api/tags/acquire/", json={"tag_name": "public"})).status_code == 200
    page = (await holder.get(f"/api/rows/?dataset={dataset}&ordering=-timestamp")).json()
    assert page["count"] == 2
    assert [row["values"] for row in page["results"]] == [{"price": 104600}, {"price": 104500}]
    checked = await holder.post("/api/access/check/", json={"dataset_id": dataset})
    assert checked.json() == {"has_access": True, "is_owner": False, "matching_tags": ["public"]}


async def test_downloads(owner: httpx.AsyncClient) -> None:
    dataset = (await owner.post("/api/datasets/", json={"name": "d"})).json()["id"]
    rows = [{"timestamp": f"2025-12-16T1{n}:00:00Z", "values": {"close": n}} for n in range(3)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    csv = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv")).text
    assert csv == "timestamp,close\n" + "".join(f"2025-12-16T1{n}:00:00Z,{n}\n" for n in range(3))
    flat = [{"timestamp": f"2025-12-16T1{n}:00:00Z", "close": n} for n in range(3)]
    assert (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}")).json() == flat
    live = (await owner.get(f"/api/rows/live/?dataset={dataset}&limit=2")).text
    assert [json.loads(line) for line in live.splitlines()] == flat[1:]
