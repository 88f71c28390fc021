"""Who a key stands for, a user's own keys, roles, and datasets at a glance."""

from __future__ import annotations

import pytest
from tests.api.test_imports import CONTACTS, get, post, send
from tests.conftest import Client, People, make_dataset

import atlas
from atlas.accounts.authorization import AccessService
from atlas.accounts.local_administration import KeyService
from atlas.accounts.usage import Tally, UsageService
from atlas.contract.accounts import DayUsage
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.settings import Settings

pytestmark = pytest.mark.anyio


async def test_me(client: Client, people: People) -> None:
    holder = client(people.holder)
    await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
    found = await get(holder, "me")
    assert (found["user"]["name"], found["user"]["role"]) == ("holder", "member")
    assert found["organization"]["name"] == "acme"
    assert found["tags"] == ["public"]
    assert found["version"] == atlas.__version__
    assert people.holder.startswith(found["key"]["prefix"])
    assert set(found["key"]) == {"id", "name", "prefix", "created_at", "expires_at", "last_used_at"}
    assert found["key"]["last_used_at"].endswith("Z")


async def test_own_keys_from_first_to_last(client: Client, people: People) -> None:
    owner, holder = client(people.owner), client(people.holder)
    made = await post(holder, "keys", {"name": "laptop", "expires_at": "2099-01-01T01:00:00+01:00"})
    assert made["expires_at"] == "2099-01-01T00:00:00Z"
    assert (await get(client(made["key"]), "me"))["key"]["name"] == "laptop"
    listed = (await get(holder, "keys"))["keys"]
    assert [key["name"] for key in listed] == ["", "laptop"]
    assert made["key"] not in str(listed)

    # Others' keys do not exist for the caller, whatever is asked of them.
    for who, number in ((owner, made["id"]), (holder, 2**31), (holder, 0)):
        assert (await who.delete(f"/api/v1/keys/{number}")).status_code == 404
        assert (await who.post(f"/api/v1/keys/{number}/rotate")).status_code == 404

    rotated = (await holder.post(f"/api/v1/keys/{made['id']}/rotate")).json()
    assert (rotated["name"], rotated["expires_at"], rotated["replaced"]) == ("laptop", made["expires_at"], made["id"])
    assert (await client(made["key"]).get("/api/v1/me")).status_code == 401
    again = await holder.post(f"/api/v1/keys/{made['id']}/rotate")
    assert (again.status_code, "has ended" in again.json()["detail"]) == (400, True)
    assert (await get(client(rotated["key"]), "me"))["user"]["name"] == "holder"
    gone = await client(rotated["key"]).delete(f"/api/v1/keys/{rotated['id']}")
    assert gone.json() == {"success": True, "id": rotated["id"], "revoked": True}
    assert (await client(rotated["key"]).get("/api/v1/me")).status_code == 401
    assert (await holder.delete(f"/api/v1/keys/{rotated['id']}")).status_code == 200
    assert [key["revoked_at"] is None for key in (await get(holder, "keys"))["keys"]] == [True, False, False]


async def test_keys_that_are_refused(client: Client, people: People) -> None:
    owner = client(people.owner)
    for ends in ("2020-01-01", "soon", ""):
        assert "expires_at" in (await post(owner, "keys", {"expires_at": ends}, 400))["detail"]
    for body in ({"name": "x" * 201}, {"name": "a\0b"}, {"name": 1}, {"expires_at": 5}):
        await post(owner, "keys", body, 422)
    assert (await owner.delete("/api/v1/keys/nonsense")).status_code == 422


async def test_roles(settings: Settings) -> None:
    """The user of the first key is the operator, and the last one stays it."""
    assert settings.database_url is not None
    database = Database(settings.database_url, pool_size=2, statement_timeout=60)
    await database.open()
    try:
        keys = KeyService(database)
        assert await keys.first_key() is not None
        assert [(u.name, u.role, u.keys) for u in await keys.users(None)] == [("admin", "operator", 1)]
        made = await keys.create_user("acme", "ann", role="operator")
        assert (made.role, made.organization) == ("operator", "acme")
        with pytest.raises(BadRequestError, match="Last operator"):
            # Ann has no key, so she could not take over.
            await keys.set_role("default", "admin", "member")
        await keys.create_key("acme", "ann", "", None)
        assert (await keys.set_role("default", "admin", "member")).role == "member"
        with pytest.raises(BadRequestError, match="Last operator"):
            await keys.set_role("acme", "ann", "admin")
        with pytest.raises(BadRequestError, match="Invalid role"):
            await keys.set_role("acme", "ann", "root")
        with pytest.raises(BadRequestError, match="Invalid role"):
            await keys.create_user("acme", "bob", role="root")
        with pytest.raises(NotFoundError):
            await keys.set_role("acme", "nobody", "admin")
    finally:
        await database.close()


async def test_a_dataset_at_a_glance(client: Client, people: People) -> None:
    owner, holder = client(people.owner), client(people.holder)
    dataset = await make_dataset(owner)
    path = f"/api/datasets/{dataset}/summary/"
    empty = (await owner.get(path)).json()
    assert (empty["row_count"], empty["first_timestamp"], empty["last_timestamp"]) == (0, None, None)
    rows = [{"timestamp": f"2025-12-{day:02}T10:00:00.5Z", "values": {"a": day}} for day in (16, 3, 9)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    for tag in ("public", "test"):
        await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": tag})
    await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
    found = (await holder.get(path)).json()
    assert found.pop("bytes") >= empty["bytes"] > 0
    # Declared keys, and rows.
    assert found.pop("version") == 2
    assert found == {
        "dataset": dataset,
        "owner": "owner",
        "owner_organization": "acme",
        "is_owner": False,
        "tags": ["public", "test"],
        "matching_tags": ["public"],
        "row_count": 3,
        "first_timestamp": "2025-12-03T10:00:00.500Z",
        "last_timestamp": "2025-12-16T10:00:00.500Z",
    }
    await owner.delete("/api/rows/", params={"dataset": dataset, "start": "2025-12-10"})
    found = (await owner.get(path)).json()
    assert (found["is_owner"], found["row_count"], found["last_timestamp"]) == (True, 2, "2025-12-09T10:00:00.500Z")


async def test_usage(client: Client, people: People, settings: Settings) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    dataset = await make_dataset(owner)
    body = {"dataset": dataset, "rows": [{"timestamp": f"2025-12-0{d}", "values": {"a": d}} for d in (1, 2, 3)]}
    for _ in range(2):
        # The second is answered with what the first came to, and writes nothing.
        done = await owner.post("/api/rows/bulk_insert/", json=body, headers={"Idempotency-Key": "once"})
        assert done.json() == {"inserted": 3, "total": 3}
    await owner.post("/api/rows/", json={"dataset": dataset, "timestamp": "2025-12-09", "values": {"a": 9}})
    await send(owner, "Import into leads", CONTACTS)
    await post(owner, "tables/leads/rows", {"values": {"email_address": "new@x.com"}})
    await post(owner, "tables/leads/update", {"mode": "condition", "condition": "age = 30", "updates": {"age": 32}})
    assert (await owner.get("/api/v1/tables/nope/rows")).status_code == 404
    other = await post(owner, "keys", {"name": "other"})
    await get(client(other["key"]), "me")

    found = await get(owner, "usage?days=7")
    assert len(found["days"]) == 7
    today = found["days"][-1]
    assert (today["requests"], today["errors"]) == (10, 1)
    # 3 and 1 rows of the dataset, 3 imported, 1 inserted, 1 changed.
    assert today["rows_written"] == 9
    assert today["bytes_in"] > len(CONTACTS)
    assert today["bytes_out"] > 500
    assert all(day["requests"] == 0 for day in found["days"][:-1])
    assert [(key["name"], key["requests"]) for key in found["keys"]] == [
        ("revoked", 0),
        ("", 9),
        ("old", 0),
        ("other", 1),
    ]
    stored = found["storage"]
    assert (stored["datasets"], stored["dataset_rows"], stored["tables"], stored["table_rows"]) == (1, 4, 1, 4)
    assert min(stored["dataset_bytes"], stored["table_bytes"]) > 8000
    foreign = await get(stranger, "usage")
    assert (len(foreign["days"]), foreign["days"][-1]["requests"]) == (30, 0)
    assert foreign["storage"]["tables"] == foreign["storage"]["datasets"] == 0
    assert (await stranger.get("/api/v1/usage?days=0")).status_code == 422


async def test_processes_add_up_and_lose_nothing(settings: Settings, people: People) -> None:
    assert settings.database_url is not None
    early, late = (Database(settings.database_url, pool_size=2, statement_timeout=60) for _ in range(2))
    first, second = UsageService(late), UsageService(early)
    await early.open()
    try:
        caller = await AccessService(early).authenticate(people.holder)
        first.count(caller.key_id, Tally(requests=1, bytes_in=5))
        # Its database cannot be reached yet: the counts wait, and nobody hears of it.
        await first.tallies.flush()
        await late.open()
        second.count(caller.key_id, Tally(requests=1, errors=1, bytes_in=7))
        second.count(999_999, Tally(requests=1))
        await second.tallies.close()
        found = await first.report(caller, 1)
        (day,) = found.days
        assert day == DayUsage(day.date, requests=2, errors=1, bytes_in=12, bytes_out=0, rows_written=0)
    finally:
        await early.close()
        await late.close()
