"""Every route of the content API, tried by every kind of caller. Tables belong to organizations."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import CONTACTS, send
from tests.callers import Callers, Headers, mounted
from tests.conftest import Client, People

from atlas.web.middleware import LINGER_STRANGER_BYTES

pytestmark = pytest.mark.anyio
FILE = {"file": ("c.csv", CONTACTS)}

# method, path, keyword arguments of the request, who may: `any` with a key, or `own` organizations only.
ROUTES: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/smart-import", {"data": {"instruction": "Import into other"}, "files": FILE}, "any"),
    ("POST", "/smart-import/preview", {"data": {"instruction": "Import into other"}, "files": FILE}, "any"),
    ("POST", "/smart-import-b2", {"json": {"file_name": "c.csv", "instruction": "Import"}}, "unset"),
    (
        "POST",
        "/smart-data-instruction",
        {"json": {"intent": "insert", "entities": [{"entity_type": "note", "data": {"text": "x"}}]}},
        "any",
    ),
    ("GET", "/tables", {}, "any"),
    ("GET", "/tables/{table_name}/schema", {}, "own"),
    ("GET", "/tables/{table_name}/stats", {}, "own"),
    ("GET", "/tables/{table_name}/columns/{column_name}/values", {}, "own"),
    ("GET", "/tables/{table_name}/samples", {}, "own"),
    ("PUT", "/tables/{table_name}/samples", {"json": {"samples": "nobody"}}, "admin"),
    ("PATCH", "/tables/{table_name}/columns/{column_name}", {"json": {"unit": "years"}}, "own"),
    (
        "POST",
        "/tables/{table_name}/update",
        {"json": {"mode": "condition", "condition": "age = 30", "updates": {"age": 31}}},
        "own",
    ),
    (
        "POST",
        "/tables/{table_name}/update/file",
        {"data": {"key_columns": "email_address"}, "files": {"file": ("u.csv", b"email_address,age\nann@x.com,1\n")}},
        "own",
    ),
    ("GET", "/tables/{table_name}/rows", {}, "own"),
    ("POST", "/tables/{table_name}/rows", {"json": {"values": {"email_address": "new@x.com"}}}, "undo"),
    ("PATCH", "/tables/{table_name}/rows/{row}", {"json": {"values": {"age": 31}}}, "own"),
    ("DELETE", "/tables/{table_name}/rows/{row}", {}, "undo"),
    ("POST", "/tables/{table_name}/rows/{row}/restore", {}, "bad"),
    ("GET", "/tables/{table_name}/rows/{row}/history", {}, "own"),
    ("GET", "/tables/{table_name}/export", {}, "own"),
    ("DELETE", "/tables/{table_name}?confirm=leads", {}, "undo"),
    ("GET", "/import-history", {}, "any"),
    ("GET", "/import-history/{import_id}", {}, "own"),
    ("GET", "/import/{import_id}", {}, "own"),
    ("GET", "/import/{import_id}/progress", {}, "own"),
    ("GET", "/import/{import_id}/export", {}, "own"),
    ("GET", "/import/{import_id}/issues", {}, "own"),
    ("GET", "/import/{import_id}/issues/{issue_type}", {}, "own"),
    ("POST", "/import/{import_id}/issues/correct", {"json": {}}, "own"),
    ("POST", "/import/{import_id}/redo", {"json": {}}, "own"),
    ("POST", "/import/{import_id}/clear-mapping", {}, "own"),
    ("POST", "/import/{import_id}/undo", {}, "undo"),
    ("GET", "/webhooks/secret", {}, "admin"),
    ("POST", "/webhooks/secret/rotate", {}, "admin"),
    ("GET", "/webhooks/deliveries", {}, "any"),
    ("POST", "/webhooks/deliveries/{delivery_id}/redeliver", {}, "none"),
    ("POST", "/query", {"json": {"prompt": "How many leads are there?", "table_name": "leads"}}, "own"),
    ("POST", "/generate-sql", {"json": {"prompt": "How many leads are there?", "table_hints": ["leads"]}}, "own"),
    ("POST", "/sql", {"json": {"sql": "SELECT 1 AS one"}}, "any"),
    ("POST", "/sql/export", {"json": {"sql": "SELECT 1 AS one"}}, "any"),
    ("GET", "/sql/words", {}, "any"),
    ("GET", "/questions", {}, "any"),
    ("GET", "/questions/{question_id}", {}, "none"),
    ("POST", "/questions/{question_id}/rating", {"json": {"rating": "up"}}, "none"),
    ("GET", "/verified-questions", {}, "any"),
    ("POST", "/verified-questions", {"json": {"question": "One?", "sql": "SELECT 1 AS one"}}, "once"),
    ("PUT", "/verified-questions/{verified_id}", {"json": {"status": "verified"}}, "none"),
    ("DELETE", "/verified-questions/{verified_id}", {}, "none"),
    ("GET", "/glossary", {}, "any"),
    ("POST", "/glossary", {"json": {"term": "churn", "meaning": "customers who left"}}, "once"),
    ("PUT", "/glossary/{term_id}", {"json": {"term": "churn", "meaning": "customers who left"}}, "none"),
    ("DELETE", "/glossary/{term_id}", {}, "none"),
    ("GET", "/saved-queries", {}, "any"),
    ("POST", "/saved-queries", {"json": {"name": "One", "sql": "SELECT 1 AS one"}}, "once"),
    ("GET", "/saved-queries/{query_id}", {}, "none"),
    ("PUT", "/saved-queries/{query_id}", {"json": {"shared": True}}, "none"),
    ("DELETE", "/saved-queries/{query_id}", {}, "none"),
    ("GET", "/favourites", {}, "any"),
    ("PUT", "/favourites/{kind}/{name}", {}, "own"),
    ("DELETE", "/favourites/{kind}/{name}", {}, "own"),
    ("GET", "/me", {}, "any"),
    ("GET", "/usage", {}, "any"),
    ("GET", "/admin/organizations", {}, "admin"),
    ("GET", "/admin/users", {}, "admin"),
    ("POST", "/admin/users", {"json": {"name": "carol"}}, "admin"),
    ("PATCH", "/admin/users/{user_id}", {"json": {"role": "admin"}}, "admin"),
    ("POST", "/admin/users/{user_id}/disable", {}, "admin"),
    ("GET", "/admin/keys", {}, "admin"),
    ("POST", "/admin/keys", {"json": {"user": "owner"}}, "admin"),
    ("DELETE", "/admin/keys/{key_id}", {}, "admin"),
    ("GET", "/admin/tags", {}, "admin"),
    ("POST", "/admin/tags", {"json": {"name": "gold"}}, "admin"),
    ("DELETE", "/admin/tags/{tag_id}", {}, "admin"),
    ("GET", "/admin/audit", {}, "admin"),
    ("GET", "/admin/jobs", {}, "admin"),
    ("POST", "/admin/jobs/{job_id}/cancel", {}, "admin"),
    ("POST", "/admin/jobs/{job_id}/retry", {}, "admin"),
    ("GET", "/keys", {}, "any"),
    ("POST", "/keys", {"json": {"name": "laptop"}}, "any"),
    ("DELETE", "/keys/{key_id}", {}, "none"),
    ("POST", "/keys/{key_id}/rotate", {}, "none"),
    ("GET", "/settings/model", {}, "any"),
    ("PUT", "/settings/model", {"json": {"provider": "openai", "model": "m"}}, "admin"),
    ("DELETE", "/settings/model", {}, "admin"),
    ("POST", "/settings/model/test", {}, "admin"),
]


# What admins and operators get of routes that are for them; 404 where the path names what does not exist.
STAFF = {
    # An operator of another organization has no such table.
    ("PUT", "/tables/{table_name}/samples"): (200, 404),
    ("GET", "/admin/organizations"): (403, 200),
    ("POST", "/admin/tags"): (403, 200),
    # Of its own organization, which has no such user.
    ("POST", "/admin/keys"): (200, 404),
    ("DELETE", "/admin/tags/{tag_id}"): (403, 404),
    ("POST", "/admin/users"): (200, 200),
    ("PATCH", "/admin/users/{user_id}"): (404, 404),
    ("POST", "/admin/users/{user_id}/disable"): (404, 404),
    ("DELETE", "/admin/keys/{key_id}"): (404, 404),
    ("POST", "/admin/jobs/{job_id}/cancel"): (404, 404),
    ("POST", "/admin/jobs/{job_id}/retry"): (404, 404),
}


def test_no_route_is_left_out() -> None:
    known = {(method, path) for method, path in mounted() if path.startswith("/api/v1/")}
    assert {(method, f"/api/v1{path.split('?')[0]}") for method, path, _, _ in ROUTES} == known


@pytest.mark.parametrize(("method", "path", "request_", "need"), ROUTES, ids=[f"{m} {p}" for m, p, _, _ in ROUTES])
async def test_callers(
    client: Client, people: People, callers: Callers, method: str, path: str, request_: dict[str, Any], need: str
) -> None:
    done = await send(client(people.owner), "Import into leads", CONTACTS)
    filled = f"/api/v1{path}".format(
        table_name="leads",
        column_name="age",
        import_id=done["import_id"],
        issue_type="duplicates",
        delivery_id=done["import_id"],
        question_id=done["import_id"],
        verified_id=done["import_id"],
        term_id=done["import_id"],
        query_id=done["import_id"],
        kind="table",
        name="leads",
        key_id=999_999,
        user_id=999_999,
        tag_id=999_999,
        job_id=999_999,
        row=1,
    )
    anybody = client(None)

    async def call(headers: Headers) -> httpx.Response:
        return await anybody.request(method, filled, headers=headers, **request_)

    for name, headers in callers.refused(method).items():
        refused = await call(headers)
        assert (refused.status_code, set(refused.json())) == (401, {"detail"}), name
    # An operator is a stranger to the tables of other organizations.
    for headers in ({"X-API-Key": people.stranger}, callers.operator):
        if need == "admin" and headers is callers.operator:
            continue
        stranger = await call(headers)
        assert stranger.status_code == {"any": 200, "once": 200, "unset": 400, "admin": 403}.get(need, 404)
        assert stranger.status_code != 404 or set(stranger.json()) == {"detail"}
    if need == "admin":
        found = tuple([(await call(headers)).status_code for headers in (callers.admin, callers.operator)])
        assert found == STAFF.get((method, path), (200, 200))
    # A tag grants nothing on tables; whoever is of the same organization may use them. What can be done only once is
    # done in a browser.
    members: list[Headers] = [callers.holder]
    if need not in ("undo", "once"):
        members += [{"X-API-Key": people.holder}, {"X-API-Key": people.owner}, callers.owner]
        members += [] if need == "admin" else [callers.admin]
    for headers in members:
        own = await call(headers)
        assert own.status_code == {"unset": 400, "bad": 400, "none": 404, "admin": 403}.get(need, 200), own.text


async def test_the_roles_of_two_organizations_share_nothing(client: Client, people: People, database_url: str) -> None:
    """PostgreSQL's wall alone: the owner and reader roles reach their own schema only."""
    import psycopg

    await send(client(people.owner), "Import into leads", CONTACTS)
    await send(client(people.stranger), "Import into leads", CONTACTS)
    with psycopg.connect(database_url, autocommit=True) as connection:
        schemas = [row[0] for row in connection.execute("SELECT schema_name FROM atlas.organizations ORDER BY id")]
        tables = {schemas[0]: "_table_1", schemas[1]: "_table_2"}
        views = {schemas[0]: "_view_1", schemas[1]: "_view_2"}
        for own, other in (schemas, schemas[::-1]):
            for role in ("owner", "reader"):
                with connection.transaction():
                    connection.execute(f'GRANT "{own}_{role}" TO CURRENT_USER')  # type: ignore[arg-type]
                    connection.execute(f'SET LOCAL ROLE "{own}_{role}"')  # type: ignore[arg-type]
                    own_rows = f'SELECT count(*) FROM "{own}"."{views[own]}"'
                    assert connection.execute(own_rows).fetchone() == (3,)  # type: ignore[arg-type]
                    for forbidden in (
                        f'SELECT * FROM "{other}"."{views[other]}"',
                        f'SELECT * FROM "{other}".{tables[other]}',
                        "SELECT * FROM atlas.api_keys",
                        "SELECT * FROM atlas.imports",
                        "SELECT * FROM atlas_jobs.procrastinate_jobs",
                        f'UPDATE "{other}".{tables[other]} SET age = 1',
                    ):
                        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                            connection.execute(forbidden)  # type: ignore[arg-type]
            with connection.transaction():
                connection.execute(f'SET LOCAL ROLE "{own}_reader"')  # type: ignore[arg-type]
                for forbidden in (f'DELETE FROM "{own}"."{views[own]}"', f'SELECT * FROM "{own}".{tables[own]}'):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                        connection.execute(forbidden)  # type: ignore[arg-type]


async def test_a_form_without_a_good_key_is_not_received(client: Client, people: People) -> None:
    for key in (None, "nonsense", people.revoked):
        sent = 0

        async def body() -> Any:
            nonlocal sent
            for _ in range(100_000):
                sent += 1
                yield b"x" * 1000

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        refused = await client(key).post("/api/v1/smart-import", content=body(), headers=headers)
        assert (refused.status_code, set(refused.json())) == (401, {"detail"})
        # What comes before the client has read that it is refused, thrown away.
        assert sent <= LINGER_STRANGER_BYTES // 1000 + 1
