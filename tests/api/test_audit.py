"""The audit log: changes, reads of shared data, refusals; who sees it, and what it must never hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.accounts.local_administration import KeyService
from atlas.db.database import Database

pytestmark = pytest.mark.anyio
ROWS = [{"timestamp": "2026-01-05T10:00:00Z", "values": {"a": 1}}, {"timestamp": "2026-01-05T11:00:00Z", "values": {}}]


async def promote(url: str, user: str, organization: str = "acme") -> None:
    database = Database(url, pool_size=2, statement_timeout=60)
    await database.open()
    try:
        await KeyService(database).set_role(organization, user, "admin")
    finally:
        await database.close()


async def entries(client: httpx.AsyncClient, **parameters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/admin/audit", params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


async def test_changes_and_shared_reads(client: Client, people: People, database_url: str) -> None:
    owner, holder, stranger = client(people.owner), client(people.holder), client(people.stranger)
    dataset = await make_dataset(owner)
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": ROWS})
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await owner.get(f"/api/rows/?dataset={dataset}")
    for reader in (holder, stranger):
        assert (await reader.get(f"/api/rows/?dataset={dataset}")).status_code == 403
        await reader.post("/api/tags/acquire/", json={"tag_name": "public"})
        for _ in range(3):
            assert (await reader.get(f"/api/rows/?dataset={dataset}")).status_code == 200
        await reader.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv")
        answer = await reader.post("/api/v1/sql", json={"sql": "SELECT count(*) FROM prices"})
        assert answer.status_code == 200, answer.text
    for key in (people.holder, people.stranger):
        refused = await client(key).get("/api/v1/admin/audit")
        assert (refused.status_code, set(refused.json())) == (403, {"detail"})

    await promote(database_url, "owner")
    writes = await entries(owner, user="owner", action="write")
    assert [(e["method"], e["path"], e["status"], e["rows"]) for e in writes] == [
        ("POST", f"/api/datasets/{dataset}/tags/", 201, 0),
        ("POST", "/api/rows/bulk_insert/", 200, 2),
        ("POST", "/api/datasets/", 201, 0),
    ]
    # The owner's own reads are nobody's business.
    assert await entries(owner, user="owner", action="read") == []
    for name, organization in (("holder", "acme"), ("stranger", "other")):
        reads = await entries(owner, user=name, action="read", dataset_id=dataset)
        # Those of a second are one entry, and where a second ends is chance.
        told: Counter[tuple[str, int]] = Counter()
        for entry in reversed(reads):
            told[entry["path"], entry["status"]] += entry["requests"]
        assert list(told.items()) == [
            (("/api/rows/", 403), 1),
            (("/api/rows/", 200), 3),
            (("/api/rows/bulk_download/", 200), 1),
            (("/api/v1/sql", 200), 1),
        ]
        assert {e["organization"] for e in reads} == {organization}
    page = await entries(owner, limit=1, offset=1)
    assert len(page) == 1
    beyond = (await owner.get("/api/v1/admin/audit?user=owner&action=write&offset=50")).json()
    assert (beyond["entries"], beyond["total_count"]) == ([], 3)

    # Another organization's admin sees what its own users did, and nothing of others.
    await promote(database_url, "stranger", "other")
    seen = await entries(stranger)
    assert {e["user"] for e in seen} == {"stranger"}


async def test_nothing_secret_is_kept(client: Client, people: People, database_url: str) -> None:
    owner = client(people.owner)
    await promote(database_url, "owner")
    await owner.post("/api/tags/acquire/", json={"tag_name": "premium", "secret": "open sesame"})
    await owner.get("/api/rows/?dataset=1&columns=token%3Dverysecret")
    await owner.delete("/api/rows/?dataset=1&start=2026-01-01&note=verysecret")
    text = (await owner.get("/api/v1/admin/audit")).text
    assert "/api/tags/acquire/" in text
    for secret in ("sesame", "verysecret", people.owner):
        assert secret not in text


async def test_answers_carry_what_protects_them(client: Client, people: People) -> None:
    for path in ("/api/datasets/", "/api/v1/tables", "/api/nothing", "/health"):
        headers = (await client(people.owner).get(path)).headers
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert ("cache-control" in headers) == path.startswith("/api/")
        assert "strict-transport-security" not in headers
    secure = await client(people.owner).get("https://atlas.test/api/datasets/")
    assert secure.headers["strict-transport-security"].startswith("max-age=31536000")
