"""Bad input: a precise 4xx, and nothing half-written."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
from tests.conftest import People, make_dataset

from atlas.app import create_app
from atlas.settings import Settings

pytestmark = pytest.mark.anyio
ROW = '{"timestamp":"2025-12-16T10:00:00Z","values":{"a":1}}'


def body(dataset: int, *rows: str) -> str:
    return f'{{"dataset":{dataset},"rows":[{",".join(rows)}]}}'


async def post(client: httpx.AsyncClient, content: Any, path: str = "bulk_insert/", **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(
        f"/api/rows/{path}", content=content, headers={"Content-Type": "application/json", **names}
    )


BAD_ROWS = {
    '{"values":{"a":1}}': "rows[1].timestamp: missing",
    '{"timestamp":"2025-12-16T10:00:00Z"}': "rows[1].values: missing",
    '{"timestamp":5,"values":{}}': "rows[1].timestamp: must be an ISO 8601 string",
    '{"timestamp":null,"values":{}}': "rows[1].timestamp: must be an ISO 8601 string",
    '{"timestamp":"2025-12-16T10:00:00Z","values":[1]}': "rows[1].values: must be a JSON object",
    '{"timestamp":"2025-12-16T10:00:00Z","values":null}': "rows[1].values: must be a JSON object",
    '{"timestamp":"2025-12-16T10:00:00Z","values":{},"x":1}': "rows[1].x: not known; the keys",
    '{"timestamp":"2025-12-16T10:00:00Z","values":{"p":NaN}}': "rows[1].values.p: NaN is not a JSON number",
    '{"timestamp":"2025-12-16T10:00:00Z","values":{"p":-Infinity}}': "rows[1].values.p: -Infinity is not",
    '{"timestamp":"2025-12-16T10:00:00Z","values":{"p":01}}': "rows[1]: malformed at byte",
    '{"timestamp":"2025-12-16T10:00:00Z","values":{"p":}}': "rows[1]: malformed at byte",
    '"text"': "rows[1]",
}


@pytest.mark.parametrize("bad", BAD_ROWS)
async def test_a_bad_row_is_named_and_nothing_is_kept(owner: httpx.AsyncClient, bad: str) -> None:
    dataset = await make_dataset(owner)
    response = await post(owner, body(dataset, ROW, bad, ROW))
    assert response.status_code == 400, response.text
    assert response.json()["details"].startswith(BAD_ROWS[bad]), response.json()
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 0
    assert (await owner.get(f"/api/columns/?dataset={dataset}")).json() == []


async def test_a_bad_row_deep_in_a_large_body(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    rows = [ROW] * 100_000
    for number, bad, details in (
        (50_000, '{"values":{"a":1}}', "rows[50000].timestamp: missing"),
        (99_999, '{"timestamp":"x","values":{}}', "rows[99999].timestamp: 'x' is not an ISO 8601 timestamp"),
    ):
        response = await post(owner, body(dataset, *rows[:number], bad, *rows[number + 1 :]))
        assert (response.status_code, response.json()["details"]) == (400, details)
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 0
    assert (await post(owner, body(dataset, *rows))).json() == {"inserted": 100_000, "total": 100_000}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        '{"dataset":1}',
        '{"rows":[]}',
        '{"dataset":"1","rows":[]}',
        '{"dataset":1,"rows":{}}',
        '{"dataset":true,"rows":[]}',
        '{"dataset":1,"rows":[]}x',
        '{"dataset":1,"rows":[],"more":1}',
        b"\xff\xfe",
        '{"dataset":1.5,"rows":[]}',
        '{"dataset":1,"rows":[' + ROW,
    ],
)
async def test_broken_bodies(owner: httpx.AsyncClient, content: Any) -> None:
    await make_dataset(owner)
    for path in ("bulk_insert/", ""):
        response = await post(owner, content, path)
        assert response.status_code == 400, response.text
        assert set(response.json()) == {"error", "details"}


async def test_body_limit(settings: Settings, people: People) -> None:
    app = create_app(settings.model_copy(update={"max_body_bytes": 20_000}))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        headers = {"X-API-Key": people.owner}
        async with httpx.AsyncClient(transport=transport, base_url="http://atlas.test", headers=headers) as client:
            dataset = await make_dataset(client)
            large = body(dataset, *[ROW] * 1000).encode()

            async def chunks() -> Any:
                for start in range(0, len(large), 1000):
                    yield large[start : start + 1000]

            for response in (
                await post(client, large),
                await post(client, chunks()),
                await post(client, gzip.compress(large, mtime=0), Content_Encoding="gzip"),
                await client.post("/api/datasets/", content=b"x" * 30_000),
            ):
                assert response.status_code == 413, response.text
                assert "20000" in response.json()["details"]
            assert (await client.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=1000000000", "limit"),
        ("offset=-1", "offset"),
        ("ordering=price", "ordering"),
        ("start=yesterday", "start"),
        ("end=2025-02-30", "end"),
        ("start=2025-01-02T00:00:00Z&end=2025-01-01T00:00:00Z", "end"),
        ("cursor=zzz", "cursor"),
        ("columns=nope", "columns"),
    ],
)
async def test_bad_parameters(owner: httpx.AsyncClient, query: str, field: str) -> None:
    dataset = await make_dataset(owner)
    response = await owner.get(f"/api/rows/?dataset={dataset}&{query}")
    assert response.status_code == 400
    assert response.json()["details"].startswith(f"{field}: ")


async def test_dataset_must_be_named(owner: httpx.AsyncClient) -> None:
    for path in ("", "bulk_download/", "live/", "stream/", "latest/", "aggregate/"):
        for query in ("", "?dataset=", "?dataset=x", "?dataset=1.5"):
            response = await owner.get(f"/api/rows/{path}{query}")
            assert response.status_code == 400
            assert response.json()["details"].startswith("dataset: ")
        for number in ("0", "-1", "2147483648", "99999999999999999999"):
            assert (await owner.get(f"/api/rows/{path}?dataset={number}")).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": ""},
        {"name": 5},
        {"name": "x", "metadata": []},
        {"name": "x", "metadata": "y"},
        {"name": "x\0"},
        {"name": "x", "metadata": {"a": "\0"}},
        {"name": "x", "description": 1},
        {"name": "x" * 256},
    ],
)
async def test_bad_datasets(owner: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    response = await owner.post("/api/datasets/", json=fields)
    assert response.status_code == 400
    assert set(response.json()) == {"error", "details"}
    assert (await owner.get("/api/datasets/")).json()["count"] == 0


async def test_bad_columns_and_tags(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    column = {"dataset": dataset, "name": "c", "dtype": "int"}
    assert (await owner.post("/api/columns/", json=column | {"dtype": "text"})).status_code == 400
    assert (await owner.post("/api/columns/", json=column | {"name": "\0"})).status_code == 400
    assert (await owner.post("/api/columns/", json=column)).status_code == 201
    assert (await owner.post("/api/columns/", json=column)).status_code == 400
    tags = f"/api/datasets/{dataset}/tags/"
    for fields in ({}, {"tag_name": "public", "tag_id": 1}, {"tag_id": "1"}, {"tag_name": "a\0"}):
        assert (await owner.post(tags, json=fields)).status_code == 400
    for fields in ({"tag_name": "nope"}, {"tag_id": 99}, {"tag_id": 2**40}):
        assert (await owner.post(tags, json=fields)).status_code == 404
    assert (await owner.post("/api/tags/acquire/", json={"tag_name": "nope"})).status_code == 404


@pytest.mark.parametrize(
    ("media", "encoding", "content"),
    [
        ("text/csv", "", b""),
        ("text/csv", "", b"a,b\n1,2\n"),
        ("text/csv", "", b"timestamp,a,a\n"),
        ("text/csv", "", b"timestamp,a\n2025-01-01,1,2\n"),
        ("text/csv", "", b"timestamp,a\n,1\n"),
        ("text/csv", "", b"timestamp,a\n2025-01-01,NaN\n"),
        ("text/csv", "gzip", b"timestamp,a\n"),
        ("text/csv", "zstd", b"timestamp,a\n"),
        ("text/csv", "br", b"x"),
        ("image/png", "", b"x"),
        ("text/csv", "gzip", gzip.compress(b"timestamp,a\n2025-01-01,1\n" * 50, mtime=0)[:-9]),
        ("application/vnd.apache.parquet", "", b"PAR1 no"),
        ("application/vnd.apache.arrow.stream", "", b"ARROW1 no"),
        ("application/vnd.apache.arrow.stream", "", b"\xff\xff\xff\xff\x10"),
        ("application/x-ndjson", "", b"{"),
        ("application/x-ndjson", "", b'{"timestamp":"2025-01-01","values":{}}\n{"values":{}}\n'),
    ],
)
async def test_bad_files(owner: httpx.AsyncClient, media: str, encoding: str, content: bytes) -> None:
    dataset = await make_dataset(owner)
    headers = {"Content-Type": media} | ({"Content-Encoding": encoding} if encoding else {})
    response = await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=content, headers=headers)
    assert response.status_code == 400, response.text
    assert set(response.json()) == {"error", "details"}
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 0


async def test_sql_in_every_text_is_only_text(owner: httpx.AsyncClient) -> None:
    evil = "'; DROP SCHEMA atlas CASCADE; -- \" $$ \\"
    dataset = await make_dataset(owner, name=evil, description=evil, metadata={evil: evil})
    row = json.dumps({"timestamp": "2025-12-16T10:00:00Z", "values": {evil: evil}})
    assert (await post(owner, body(dataset, row))).status_code == 200
    await owner.post("/api/columns/", json={"dataset": dataset, "name": evil + "2", "dtype": "int"})
    for path, parameters in {
        "/api/datasets/": {"search": evil},
        "/api/datasets/search/": {evil: evil},
        "/api/rows/": {"dataset": str(dataset), "columns": evil},
        "/api/rows/bulk_download/": {"dataset": str(dataset), "columns": evil},
    }.items():
        assert evil in json.dumps((await owner.get(path, params=parameters)).json(), ensure_ascii=False).replace(
            '\\"', '"'
        ).replace("\\\\", "\\")
    for path, parameters in {
        "/api/rows/": {"ordering": evil, "start": evil},
        "/api/rows/aggregate/": {"functions": evil},
        "/api/rows/bulk_download/": {"output": evil},
    }.items():
        refused = await owner.get(path, params={"dataset": str(dataset), **parameters})
        assert refused.status_code == 400


async def test_unknown_paths_and_methods(owner: httpx.AsyncClient) -> None:
    for method, path, code in (("GET", "/api/nope", 404), ("PUT", "/api/tags/", 405), ("GET", "/nope", 404)):
        response = await owner.request(method, path)
        assert response.status_code == code
        assert set(response.json()) == {"error", "details"}


async def test_null_is_as_good_as_left_out(owner: httpx.AsyncClient) -> None:
    made = await owner.post("/api/datasets/", json={"name": "x", "description": None, "metadata": None})
    assert (made.status_code, made.json()["description"], made.json()["metadata"]) == (201, "", {})
    dataset = made.json()["id"]
    await owner.put(f"/api/datasets/{dataset}/", json={"name": "y", "description": "z", "metadata": {"a": None}})
    changed = (
        await owner.put(f"/api/datasets/{dataset}/", json={"name": "y", "metadata": {"a": None}, "description": None})
    ).json()
    assert (changed["description"], changed["metadata"]) == ("", {"a": None})
    asked = await owner.post("/api/access/check/", json={"dataset_id": dataset, "require_write": None})
    assert asked.json()["has_access"] is True
    assert (await owner.post("/api/datasets/", json={"name": None})).status_code == 400


@pytest.mark.parametrize("media", [None, "application/x-www-form-urlencoded", "application/json; charset=utf-8"])
async def test_json_needs_no_name(owner: httpx.AsyncClient, media: str | None) -> None:
    headers = {"Content-Type": media} if media else {}
    made = await owner.post("/api/datasets/", content=b'{"name":"x"}', headers=headers)
    assert made.status_code == 201, made.text
    dataset = made.json()["id"]
    for method, path, body in (
        ("POST", "/api/tags/acquire/", b'{"tag_name":"public"}'),
        ("PATCH", f"/api/datasets/{dataset}/metadata/", b'{"a":1}'),
        ("POST", "/api/access/check/", b'{"dataset_id":%d}' % dataset),
        ("POST", "/api/columns/", b'{"dataset":%d,"name":"c","dtype":"int"}' % dataset),
    ):
        done = await owner.request(method, path, content=body, headers=headers)
        assert done.status_code in (200, 201), (path, done.text)


@pytest.mark.parametrize("media", ["text/plain", "text/csv", "multipart/form-data"])
async def test_another_type_than_json_is_named(owner: httpx.AsyncClient, media: str) -> None:
    refused = await owner.post("/api/datasets/", content=b'{"name":"x"}', headers={"Content-Type": media})
    assert refused.status_code == 400
    assert "application/json" in refused.json()["details"]


async def test_half_of_a_surrogate_pair_in_a_name_is_told(owner: httpx.AsyncClient) -> None:
    for path in ("/api/datasets/", "/api/v1/sql", "/api/v1/glossary"):
        response = await owner.post(path, content=rb'{"\ud800":1}', headers={"Content-Type": "application/json"})
        assert (response.status_code, r"\ud800" in response.text) == (400, True), response.text


async def test_names_of_columns_stop_no_question(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, name="odd names")
    names = ["a", "\0", "x" * 100_000, "ab" * 50_000, "_" * 10_000, "\u202e", "'\";--"]
    rows = [{"timestamp": "2025-12-16T10:00:00Z", "values": dict.fromkeys(names, 1)}]
    assert (await post(owner, json.dumps({"dataset": dataset, "rows": rows}))).status_code == 200
    for _ in range(2):
        asked = await owner.post("/api/v1/query", json={"prompt": "how many rows are there in odd names?"})
        assert (asked.status_code, asked.json()["success"]) == (200, True), asked.text
    whole = await owner.post("/api/v1/sql", json={"sql": "SELECT * FROM odd_names"})
    assert (whole.status_code, whole.json()["rows_returned"]) == (200, 1), whole.text[:500]
    term = {"term": "odd", "meaning": "a > 0", "table_name": "odd_names"}
    assert (await owner.post("/api/v1/glossary", json=term)).status_code == 200
