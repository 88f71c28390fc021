"""Every route, tried by every kind of caller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.callers import NEVER, PUBLIC, Callers, Headers, mounted, stream_start
from tests.conftest import Client, People, make_dataset

pytestmark = pytest.mark.anyio
ROWS = [{"timestamp": "2025-12-16T10:00:00Z", "values": {"a": 1}}]

# method, path, body, who may: `any` with a key, `read` or `write` access to the dataset.
ROUTES: list[tuple[str, str, Any, str]] = [
    ("GET", "/api/datasets/", None, "any"),
    ("GET", "/api/datasets/search/?source=x", None, "any"),
    ("POST", "/api/datasets/", {"name": "n"}, "any"),
    ("GET", "/api/datasets/{id}/", None, "read"),
    ("GET", "/api/datasets/{id}/summary/", None, "read"),
    ("GET", "/api/datasets/{id}/samples/", None, "read"),
    ("PUT", "/api/datasets/{id}/samples/", {"samples": "readers"}, "write"),
    ("PUT", "/api/datasets/{id}/", {"name": "n"}, "write"),
    ("PATCH", "/api/datasets/{id}/", {"keys": ["a"]}, "write"),
    ("PATCH", "/api/datasets/{id}/metadata/", {"k": 1}, "write"),
    ("PUT", "/api/datasets/{id}/metadata/", {"k": 1}, "write"),
    ("GET", "/api/datasets/{id}/tags/", None, "read"),
    ("POST", "/api/datasets/{id}/tags/", {"tag_name": "test"}, "write"),
    ("DELETE", "/api/datasets/{id}/tags/2/", None, "write"),
    ("GET", "/api/columns/?dataset={id}", None, "read"),
    ("POST", "/api/columns/", {"dataset": "{id}", "name": "c", "dtype": "float"}, "write"),
    ("PATCH", "/api/columns/", {"dataset": "{id}", "name": "a", "unit": "kg"}, "write"),
    ("GET", "/api/tags/", None, "any"),
    ("POST", "/api/tags/acquire/", {"tag_name": "test"}, "any"),
    ("POST", "/api/access/check/", {"dataset_id": "{id}"}, "any"),
    ("GET", "/api/rows/?dataset={id}", None, "read"),
    ("POST", "/api/rows/", {"dataset": "{id}", **ROWS[0]}, "write"),
    ("POST", "/api/rows/bulk_insert/", {"dataset": "{id}", "rows": ROWS}, "write"),
    ("POST", "/api/rows/preview/", {"dataset": "{id}", "rows": ROWS}, "write"),
    ("GET", "/api/rows/bulk_download/?dataset={id}", None, "read"),
    ("GET", "/api/rows/live/?dataset={id}", None, "read"),
    ("GET", "/api/rows/stream/?dataset={id}", None, "stream"),
    ("GET", "/api/rows/latest/?dataset={id}", None, "read"),
    ("GET", "/api/rows/aggregate/?dataset={id}", None, "read"),
    ("GET", "/api/rows/series/?dataset={id}", None, "read"),
    ("GET", "/api/rows/history/?dataset={id}", None, "read"),
    ("POST", "/api/v2/write/?bucket=b", None, "any"),
    ("POST", "/api/write/?db=b", None, "any"),
    ("POST", "/api/rows/align/", {"clock": "{id}", "datasets": ["{id}"], "by": ["a"]}, "read"),
    ("DELETE", "/api/rows/?dataset={id}&start=2020-01-01T00:00:00Z", None, "write"),
    ("DELETE", "/api/datasets/{id}/", None, "write"),
]


def tried() -> set[tuple[str, str]]:
    """Methods and paths of ROUTES, as the application writes them."""
    return {
        (method, path.split("?")[0].replace("{id}", "{dataset_id}").replace("tags/2/", "tags/{tag_id}/"))
        for method, path, _, _ in ROUTES
    }


def test_no_route_is_left_out() -> None:
    known = {(m, p) for m, p in mounted() if p.startswith("/api/") and not p.startswith("/api/v1/")}
    # Those without a key are tried in test_access_public.py.
    assert tried() == known - set(PUBLIC) - NEVER


def filled(value: Any, dataset: int) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, dataset) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, dataset) for item in value]
    return dataset if value == "{id}" else value


async def shared_dataset(owner: httpx.AsyncClient) -> int:
    """Id of a dataset with a row, that holders of `public` and of `test` may read."""
    dataset = await make_dataset(owner, metadata={"source": "x"}, keys=["a"])
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": ROWS})
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_id": 2})
    return dataset


@pytest.mark.parametrize(("method", "path", "body", "need"), ROUTES)
async def test_callers(
    client: Client, people: People, callers: Callers, method: str, path: str, body: Any, need: str
) -> None:
    dataset = await shared_dataset(client(people.owner))
    anybody, by_key = client(None), {name: {"X-API-Key": getattr(people, name)} for name in ("owner", "stranger")}

    async def call(headers: Headers, dataset: int = dataset) -> httpx.Response:
        filled_path = path.replace("{id}", str(dataset))
        return await anybody.request(method, filled_path, json=filled(body, dataset), headers=headers)

    for name, headers in callers.refused(method).items():
        refused = await call(headers)
        assert (refused.status_code, set(refused.json())) == (401, {"error", "details"}), name
    holder: Headers = {"X-API-Key": people.holder}
    everybody = [
        by_key["stranger"],
        callers.admin,
        callers.operator,
        holder,
        callers.holder,
        by_key["owner"],
        callers.owner,
    ]
    if need == "any":
        assert {(await call(headers)).status_code for headers in everybody} <= {200, 201, 204}
        return
    # Roles manage people and keys; they open nobody's datasets.
    for headers in everybody[:3]:
        refused = await call(headers)
        assert (refused.status_code, set(refused.json())) == (403, {"error", "details"})
    if need == "stream":
        asked = [await stream_start(client, path.replace("{id}", str(dataset)), headers) for headers in everybody[3:]]
        assert [status for status, _ in asked] == [200] * 4
        return
    for headers in (holder, callers.holder):
        held = await call(headers)
        assert held.status_code == (200 if need == "read" else 403), held.text
    for headers in (by_key["owner"], callers.owner):
        owned = await call(headers, await shared_dataset(client(people.owner)))
        assert owned.status_code in (200, 201, 204), owned.text
    missing = await call(by_key["owner"], 999_999)
    assert (missing.status_code, missing.json()["details"]) == (404, "No dataset with ID 999999")


async def test_private_means_invisible(client: Client, people: People) -> None:
    owner, holder = client(people.owner), client(people.holder)
    dataset = await make_dataset(owner, name="secret plan", metadata={"source": "secret"})
    for path in ("/api/datasets/", "/api/datasets/?search=secret", "/api/datasets/search/?source=secret"):
        assert (await owner.get(path)).json()["count"] == 1
        assert (await holder.get(path)).json() == {"count": 0, "next": None, "previous": None, "results": []}
    put = {"tag_name": "premium"}
    refused = await owner.post(f"/api/datasets/{dataset}/tags/", json=put)
    assert (refused.status_code, "you do not hold it" in refused.json()["details"]) == (403, True)
    assert (await owner.get(f"/api/datasets/{dataset}/tags/")).json() == []
    for secret in ({"secret": "open sesame"}, {}, {}):
        assert (await owner.post("/api/tags/acquire/", json=put | secret)).status_code == 200
    assert (await owner.post("/api/tags/acquire/", json=put | {"secret": "guess"})).status_code == 403
    assert (await owner.post(f"/api/datasets/{dataset}/tags/", json=put)).status_code == 201
    wrong = await holder.post("/api/tags/acquire/", json={"tag_name": "premium", "secret": "guess"})
    assert wrong.status_code == 403
    assert (await holder.post("/api/tags/acquire/", json={"tag_name": "premium"})).status_code == 403
    right = await holder.post("/api/tags/acquire/", json={"tag_name": "premium", "secret": "open sesame"})
    assert right.status_code == 200
    assert "secret_hash" not in right.text
    tag = right.json()["id"]
    assert (await holder.get("/api/datasets/?search=SECRET")).json()["count"] == 1
    for who, owned, found in ((holder, "true", 0), (holder, "false", 1), (owner, "true", 1), (owner, "false", 0)):
        assert (await who.get(f"/api/datasets/?search=secret&owned={owned}")).json()["count"] == found
    assert (await owner.get("/api/datasets/?owned=perhaps")).status_code == 400
    checked = await holder.post("/api/access/check/", json={"dataset_id": dataset, "require_write": True})
    assert checked.json() == {"has_access": False, "is_owner": False, "matching_tags": ["premium"]}
    assert (await owner.delete(f"/api/datasets/{dataset}/tags/{tag}/")).status_code == 204
    assert (await owner.delete(f"/api/datasets/{dataset}/tags/{tag}/")).status_code == 404
    assert (await holder.get(f"/api/rows/?dataset={dataset}")).status_code == 403
