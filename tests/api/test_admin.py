"""What admins and operators manage, and what each of them may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from tests.api.test_imports import CONTACTS, get, post
from tests.conftest import Client, People, make_dataset

from atlas.accounts.local_administration import KeyService
from atlas.db.database import Database

pytestmark = pytest.mark.anyio


@dataclass
class Staff:
    """Clients of an operator (of `ops`), an admin of `acme`, and a member of `acme`."""

    operator: httpx.AsyncClient
    admin: httpx.AsyncClient
    member: httpx.AsyncClient


@pytest.fixture
async def staff(client: Client, people: People, database_url: str) -> Staff:
    database = Database(database_url, pool_size=2, statement_timeout=60)
    await database.open()
    keys = KeyService(database)
    made = []
    for organization, name, role in (("ops", "olga", "operator"), ("acme", "adam", "admin")):
        await keys.create_user(organization, name, role=role)
        made.append((await keys.create_key(organization, name, "", None)).key)
    await database.close()
    return Staff(client(made[0]), client(made[1]), client(people.holder))


async def patch(client: httpx.AsyncClient, user: int, role: str, status: int = 200) -> Any:
    response = await client.patch(f"/api/v1/admin/users/{user}", json={"role": role})
    assert response.status_code == status, response.text
    return response.json()


async def users(client: httpx.AsyncClient, organization: str = "acme") -> dict[str, Any]:
    return {u["name"]: u for u in (await get(client, f"admin/users?organization={organization}"))["users"]}


async def test_users(staff: Staff, client: Client, people: People) -> None:
    await make_dataset(client(people.owner))
    found = await users(staff.admin)
    assert list(found) == ["owner", "holder", "adam"]
    assert set(found["owner"]) == {
        "id",
        "name",
        "organization",
        "role",
        "created_at",
        "keys",
        "datasets",
        "last_used_at",
    }
    assert [(u["keys"], u["datasets"], u["role"]) for u in found.values()] == [
        (1, 1, "member"),
        (1, 0, "member"),
        (1, 0, "admin"),
    ]
    assert found["owner"]["last_used_at"].endswith("Z")
    made = await post(staff.admin, "admin/users", {"name": "carol"})
    assert (made["organization"], made["role"]) == ("acme", "member")
    await post(staff.admin, "admin/users", {"name": "carol"}, 400)
    await post(staff.admin, "admin/users", {"name": " "}, 400)
    await post(staff.admin, "admin/users", {"name": "dan", "role": "root"}, 422)
    assert (await patch(staff.admin, made["id"], "admin"))["role"] == "admin"
    key = await post(staff.admin, "admin/keys", {"user": "carol", "name": "first", "expires_at": "2099-01-01"})
    assert (key["user"], key["organization"]) == ("carol", "acme")
    assert (await get(client(key["key"]), "me"))["user"]["role"] == "admin"
    gone = await post(staff.admin, f"admin/users/{made['id']}/disable", {})
    assert gone == {"success": True, "id": made["id"], "revoked_keys": 1}
    assert (await client(key["key"]).get("/api/v1/me")).status_code == 401
    assert (await users(staff.admin))["carol"]["keys"] == 0


async def test_an_admin_stays_within_the_organization(staff: Staff) -> None:
    theirs = (await users(staff.operator, "other"))["stranger"]["id"]
    foreign = (await get(staff.operator, "admin/keys?organization=other"))["keys"][0]["id"]
    for path in ("users", "keys", "jobs"):
        await get(staff.admin, f"admin/{path}?organization=acme")
        assert "Only operators" in (await get(staff.admin, f"admin/{path}?organization=other", 403))["detail"]
        await get(staff.operator, f"admin/{path}?organization=nowhere", 404)
    await post(staff.admin, "admin/users?organization=other", {"name": "eve"}, 403)
    await post(staff.admin, "admin/keys?organization=other", {"user": "stranger"}, 403)
    await post(staff.admin, "admin/keys", {"user": "stranger"}, 404)
    await patch(staff.admin, theirs, "admin", 404)
    await patch(staff.operator, 2**40, "admin", 404)
    await post(staff.admin, f"admin/users/{theirs}/disable", {}, 404)
    assert (await staff.admin.delete(f"/api/v1/admin/keys/{foreign}")).status_code == 404
    assert (await staff.operator.delete(f"/api/v1/admin/keys/{foreign}")).json()["revoked"] is True
    assert (await staff.operator.delete("/api/v1/admin/keys/999999")).status_code == 404
    await get(staff.admin, "admin/organizations", 403)
    listed = (await get(staff.operator, "admin/organizations"))["organizations"]
    assert [(o["name"], o["users"]) for o in listed] == [("acme", 3), ("other", 1), ("ops", 1)]
    assert "schema_name" not in listed[0]
    assert (await post(staff.operator, "admin/users?organization=other", {"name": "eve"}))["organization"] == "other"
    assert [k["user"] for k in (await get(staff.operator, "admin/keys"))["keys"]] == ["olga"]
    assert [k["user"] for k in (await get(staff.admin, "admin/keys?user=adam"))["keys"]] == ["adam"]


async def test_nobody_becomes_an_operator_by_an_admin(staff: Staff) -> None:
    """No way leads from admin to operator, and somebody always is one."""
    known = await users(staff.admin)
    olga = (await users(staff.operator, "ops"))["olga"]["id"]
    await patch(staff.admin, known["adam"]["id"], "operator", 403)
    await post(staff.admin, "admin/users", {"name": "eve", "role": "operator"}, 403)
    assert "Last operator" in (await patch(staff.operator, olga, "member", 400))["detail"]
    assert "Last operator" in (await post(staff.operator, f"admin/users/{olga}/disable", {}, 400))["detail"]
    # An operator in the admin's organization is out of the admin's reach.
    await patch(staff.operator, known["owner"]["id"], "operator")
    await patch(staff.admin, known["owner"]["id"], "member", 403)
    await post(staff.admin, f"admin/users/{known['owner']['id']}/disable", {}, 403)
    await post(staff.admin, "admin/keys", {"user": "owner"}, 403)
    owned = [k["id"] for k in (await get(staff.admin, "admin/keys?user=owner"))["keys"] if k["revoked_at"] is None]
    assert (await staff.admin.delete(f"/api/v1/admin/keys/{owned[0]}")).status_code == 403
    await patch(staff.operator, olga, "member")
    await get(staff.operator, "admin/users", 403)


async def test_tags(staff: Staff, client: Client, people: People) -> None:
    await post(staff.admin, "admin/tags", {"name": "gold"}, 403)
    made = await post(staff.operator, "admin/tags", {"name": "gold", "description": "Best", "secret": "open"})
    assert (made["is_public"], made["description"]) == (False, "Best")
    await post(staff.operator, "admin/tags", {"name": "gold"}, 400)
    await post(staff.operator, "admin/tags", {"name": "empty", "secret": ""}, 400)
    owner, holder = client(people.owner), client(people.holder)
    dataset = await make_dataset(owner)
    for one in (owner, holder):
        await one.post("/api/tags/acquire/", json={"tag_name": "gold", "secret": "open"})
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "gold"})
    listed = {tag["name"]: tag for tag in (await get(staff.admin, "admin/tags"))["tags"]}
    assert (listed["gold"]["datasets"], listed["gold"]["holders"], listed["public"]["datasets"]) == (1, 3, 0)
    assert "secret_hash" not in listed["gold"]
    assert (await holder.get(f"/api/datasets/{dataset}/")).status_code == 200
    path = f"/api/v1/admin/tags/{made['id']}"
    assert (await staff.admin.delete(path)).status_code == 403
    assert (await staff.operator.delete(path)).json()["deleted"] is True
    assert (await staff.operator.delete(path)).status_code == 404
    assert (await holder.get(f"/api/datasets/{dataset}/")).status_code == 403
    for name in ("public", "test"):
        assert (await staff.operator.delete(f"/api/v1/admin/tags/{listed[name]['id']}")).status_code == 400


async def test_jobs(staff: Staff, client: Client, people: People, database_url: str) -> None:
    ids = []
    for who in (people.owner, people.stranger):
        form = {"instruction": "Import into leads", "callback_url": "https://example.com/hook"}
        done = await client(who).post("/api/v1/smart-import", data=form, files={"file": ("c.csv", CONTACTS)})
        assert done.json()["status"] == "pending", done.text
        ids.append(done.json()["import_id"])
    found = await get(staff.admin, "admin/jobs?status=todo")
    assert found["total_count"] == 1
    job = found["jobs"][0]
    assert (job["task"], job["status"], job["import_id"], job["delivery_id"]) == ("import", "todo", ids[0], None)
    assert job["created_at"].endswith("Z")
    assert job["started_at"] is None
    assert (await get(staff.admin, "admin/jobs?offset=5"))["total_count"] == 1
    await get(staff.admin, "admin/jobs?status=nope", 400)
    theirs = (await get(staff.operator, "admin/jobs?organization=other"))["jobs"][0]["id"]
    everybody = (await get(staff.operator, "admin/jobs"))["jobs"]
    assert {(one["id"], one["organization"]) for one in everybody} == {(job["id"], "acme"), (theirs, "other")}
    for action in ("cancel", "retry"):
        await post(staff.admin, f"admin/jobs/{theirs}/{action}", {}, 404)
        await post(staff.member, f"admin/jobs/{job['id']}/{action}", {}, 403)
        await post(staff.operator, f"admin/jobs/{2**63}/{action}", {}, 404)
    assert "is todo" in (await post(staff.admin, f"admin/jobs/{job['id']}/retry", {}, 400))["detail"]
    await post(staff.admin, f"admin/jobs/{job['id']}/cancel", {})
    # The webhook that says so waits beside it, from the same moment on.
    told, cancelled = (await get(staff.admin, "admin/jobs"))["jobs"]
    assert (cancelled["id"], cancelled["status"]) == (job["id"], "cancelled")
    assert (told["task"], told["status"]) == ("deliver", "todo")
    # What was not written is its user's alone.
    owner = client(people.owner)
    (delivery,) = (await get(owner, f"webhooks/deliveries?import_id={ids[0]}"))["deliveries"]
    assert (delivery["id"], delivery["type"]) == (told["delivery_id"], "import.failed")
    assert (await get(owner, f"import/{ids[0]}"))["error"] == "cancelled"
    assert "is cancelled" in (await post(staff.admin, f"admin/jobs/{job['id']}/cancel", {}, 400))["detail"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET search_path = atlas_jobs")
        connection.execute("UPDATE atlas_jobs.procrastinate_jobs SET status = 'failed' WHERE id = %s", (job["id"],))
    assert (await post(staff.admin, f"admin/jobs/{job['id']}/retry", {}))["status"] == "todo"
    assert [one["attempts"] for one in (await get(staff.admin, "admin/jobs?status=todo"))["jobs"]] == [0, 1]
    assert (await get(owner, f"import/{ids[0]}"))["status"] == "pending"
    # One that runs, but whose process is gone.
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET search_path = atlas_jobs")
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", (theirs,))
        connection.execute("UPDATE atlas.imports SET status = 'running' WHERE id = %s", (ids[1],))
    await post(staff.admin, f"admin/jobs/{theirs}/cancel", {}, 404)
    assert (await post(staff.operator, f"admin/jobs/{theirs}/cancel", {}))["status"] == "aborted"
    assert (await get(staff.operator, "admin/jobs?status=aborted"))["jobs"][0]["id"] == theirs
    assert (await get(client(people.stranger), f"import/{ids[1]}"))["error"] == "cancelled"
    await post(staff.operator, f"admin/jobs/{theirs}/cancel", {}, 400)
