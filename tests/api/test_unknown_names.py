"""What a request has that its route does not know: refused, with the nearest name that is known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.callers import app_of
from tests.conftest import Client, People, make_dataset

from atlas.errors import unknown_name

pytestmark = pytest.mark.anyio
FREE = {"/api/datasets/{dataset_id}/metadata/"}
FORM = "multipart/form-data"


def operations(client: Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with numbers for its parameters, and description of each operation of the API."""
    for path, item in app_of(client).openapi()["paths"].items():
        for method, operation in item.items():
            if path.startswith("/api"):
                yield method.upper(), path, operation


def told(response: httpx.Response) -> str:
    """The text of an error, in the shape of its half."""
    body = response.json()
    if "/api/v1/" in response.url.path:
        assert set(body) == {"detail"}
        return str(body["detail"])
    assert set(body) == {"error", "details"}
    return f"{body['error']}: {body['details']}"


def real(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


async def test_a_parameter_that_no_route_knows(client: Client, people: People) -> None:
    owner, tried = client(people.owner), 0
    for method, path, operation in operations(client):
        known = [*dict.fromkeys(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")]
        many = {p["name"] for p in operation.get("parameters", ()) if '"array"' in json.dumps(p["schema"])}
        answer = await owner.request(method, f"{real(path)}?symbl=MSFT")
        if path == "/api/datasets/search/":
            assert answer.status_code == 200
            continue
        assert answer.status_code == 400, (method, path, answer.text)
        assert "symbl: not known" in told(answer), (method, path)
        assert not known or f"known: {', '.join(known)}" in told(answer)
        tried += 1
        for name in known:
            answer = await owner.request(method, f"{real(path)}?{name}x=1")
            assert f"{name}x: not known; did you mean {name}?" in told(answer), (method, path)
            if name not in many:
                twice = await owner.request(method, f"{real(path)}?{name}=1&{name}=2")
                assert (twice.status_code, f"{name}: given more than once" in told(twice)) == (400, True), (path, name)
    assert tried > 90
    # Whoever has no key learns nothing of parameters.
    assert (await client(None).get("/api/datasets/?symbl=1")).status_code == 401


async def test_a_member_that_no_body_knows(client: Client, people: People) -> None:
    owner, tried = client(people.owner), 0
    schemas = app_of(client).openapi()["components"]["schemas"]

    async def refused(method: str, path: str, body: dict[str, Any], name: str) -> None:
        answer = await owner.request(method, real(path), json=body)
        assert answer.status_code == 400, (method, path, answer.text)
        assert f"{name}: not known" in told(answer), (method, path, answer.text)

    for method, path, operation in operations(client):
        content = operation.get("requestBody", {}).get("content", {})
        # Lines and files are no objects with members.
        if path in FREE or not content or not content.keys() & {"application/json", FORM}:
            continue
        tried += 1
        if FORM in content:
            form = schemas[content[FORM]["schema"]["$ref"].rpartition("/")[2]]["properties"]
            for name in form:
                fields = {f"{name}x": "1"}
                answer = await owner.request(method, real(path), data=fields, files={"file": ("a.csv", b"a\n1\n")})
                assert (answer.status_code, f"{name}x: not known; did you mean {name}?" in told(answer)) == (400, True)
            continue
        schema = content["application/json"]["schema"]
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        if "oneOf" in schema:
            for mode in ("condition", "batch"):
                await refused(method, path, {"mode": mode, "confrm_all": True}, "confrm_all")
            continue
        await refused(method, path, {"nobody_knows": 1}, "nobody_knows")
        # Of several shapes, what is neither is read as the first.
        kinds = [schemas[kind["$ref"].rpartition("/")[2]] for kind in schema.get("anyOf", ())] or [schema]
        assert all(kind.get("additionalProperties") is False for kind in kinds), (method, path)
        schema = kinds[0]
        for name in schema["properties"]:
            answer = await owner.request(method, real(path), json={f"{name}x": 1})
            assert f"{name}x: not known; did you mean {name}?" in told(answer), (method, path)
    assert tried > 25


async def test_members_inside_of_others(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    row = {"timestamp": "2025-12-16T10:00:00Z", "values": {"a": 1}}
    for path, body, name in (
        (
            "/api/v1/smart-data-instruction",
            {"intent": "insert", "entities": [{"table": "x", "data": {}}]},
            "entities.0.table: not known; did you mean table_hint?",
        ),
        (
            "/api/v1/import/1/issues/correct",
            {"duplicates": [{"record_number": 1, "action": "skip", "dat": {}}]},
            "duplicates.0.dat: not known; did you mean data?",
        ),
        (
            "/api/v1/import/1/redo",
            {"mapping": {"mappings": {"a": "b"}, "tablename": "x"}},
            "mapping.tablename: not known; did you mean table_name?",
        ),
        (
            "/api/v1/tables/x/update",
            {"mode": "batch", "batch_updates": [{"key": {}, "values": {}}]},
            "key: not known; did you mean keys?",
        ),
        (
            "/api/rows/bulk_insert/",
            {"dataset": dataset, "rows": [row, row | {"price": 1}]},
            "rows[1].price: not known; the keys of a row stand in its `values`",
        ),
        ("/api/rows/bulk_insert/", {"dataset": dataset, "row": [row]}, "row: not known; did you mean rows?"),
        ("/api/rows/bulk_insert/", {"dataset": dataset, "rows": [row], "upsert": True}, "upsert: not known"),
        ("/api/rows/", row | {"dataset": dataset, "value": 1}, "value: not known; did you mean values?"),
    ):
        answer = await owner.post(path, json=body)
        assert answer.status_code == 400, (path, answer.text)
        assert name in told(answer), (path, answer.text)
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 0


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/api/datasets/", '{"name": "a", "name": "b"}', "name"),
        ("/api/datasets/", '{"name": "a", "metadata": {"x": {"y": 1, "y": 1}}}', "y"),
        (
            "/api/datasets/",
            '{"name": "a", "columns": [{"name": "c", "dtype": "int", "unit": "m", "unit": "s"}]}',
            "unit",
        ),
        ("/api/v1/smart-data-instruction", '{"text": "Add one", "text": "Add two"}', "text"),
        ("/api/v1/smart-data-instruction", '{"intent": "insert", "entities": [{"data": {"a": 1, "a": 2}}]}', "a"),
        ("/api/v1/tables/x/update", '{"mode": "condition", "mode": "batch"}', "mode"),
        ("/api/v1/query", '{"prompt": "a", "pro\\u006dpt": "b"}', "prompt"),
        ("/api/v1/saved-queries", '{"name": "a", "sql": "SELECT 1", "sql": "%s"}' % ("x" * 5_000), "sql"),
    ],
)
async def test_a_member_given_twice(owner: httpx.AsyncClient, path: str, body: str, name: str) -> None:
    answer = await owner.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, f"{name}: given more than once" in told(answer)) == (400, True), answer.text


async def test_bodies_where_none_is_taken(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    for method, path in (
        ("DELETE", f"/api/rows/?dataset={dataset}&start=2025-01-01"),
        ("GET", f"/api/rows/?dataset={dataset}"),
        ("GET", "/api/datasets/"),
        ("DELETE", f"/api/datasets/{dataset}/"),
        ("POST", "/api/v1/import/1/undo"),
        ("POST", "/api/v1/import/1/clear-mapping"),
    ):
        answer = await owner.request(method, path, json={"dry_run": True})
        assert (answer.status_code, f"{method} takes no body here" in told(answer)) == (400, True), (method, path)
        assert (await owner.request(method, path, json={})).status_code in (200, 204, 404), (method, path)


async def test_short_lists_take_what_lists_take(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    for name in ("a", "b", "c"):
        await owner.post("/api/columns/", json={"dataset": dataset, "name": name, "dtype": "int"})
    for name in ("public", "test"):
        await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": name})
    for path in ("/api/tags/", f"/api/datasets/{dataset}/tags/", f"/api/columns/?dataset={dataset}"):
        more = "&" if "?" in path else "?"
        whole = (await owner.get(path)).json()
        assert len(whole) > 1
        assert (await owner.get(f"{path}{more}limit=1&offset=1")).json() == whole[1:2]
        assert (await owner.get(f"{path}{more}offset=1")).json() == whole[1:]


async def test_what_is_no_parameter_of_ours(owner: httpx.AsyncClient, client: Client) -> None:
    dataset = await make_dataset(owner)
    for query in ("&_=1764500000", "&", "&&", "&columns=a&columns=b"):
        assert (await owner.get(f"/api/rows/latest/?dataset={dataset}&_=1")).status_code == 404
        assert (await owner.get(f"/api/rows/?dataset={dataset}{query}")).status_code in (200, 400)
    for path in ("/health?probe=1", "/metrics?x=1"):
        assert (await client(None).get(path)).status_code == 200


def test_the_nearest_name() -> None:
    known = ["dataset", "start", "end", "ordering", "limit", "offset", "columns"]
    for name, meant in (
        ("Limit", "limit"),
        ("limt", "limit"),
        ("page_size", "limit"),
        ("from", "start"),
        ("to", "end"),
        ("sort", "ordering"),
        ("dataset_id", "dataset"),
        ("datset", "dataset"),
        ("column", "columns"),
    ):
        assert unknown_name(name, known) == f"not known; did you mean {meant}?", name
    assert unknown_name("symbol", known) == unknown_name("", known) == unknown_name("x", []) == "not known"
