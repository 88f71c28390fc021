"""JSON that nests deeper than 200 levels: a 400 that says so, wherever it comes; nothing is stored, nothing ends."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import params
from fastapi.routing import APIRoute, iter_route_contexts
from tests.conftest import Client, People, make_dataset

from atlas.app import create_app
from atlas.kit.json_depth import MAX_DEPTH, TOO_DEEP
from atlas.settings import Settings
from atlas.ui.session import BODY_BYTES
from atlas.web.json_route import JsonRoute

pytestmark = pytest.mark.anyio
JSON = {"Content-Type": "application/json", "X-Atlas-UI": "1"}
DEPTHS = [MAX_DEPTH, 990, 3_000, 20_000]


def arrays(depth: int) -> str:
    return "[" * depth + "]" * depth


def objects(depth: int) -> str:
    return '{"]":' * depth + "null" + "}" * depth


def neighbours(depth: int) -> str:
    return '["}",[],' * depth + "1" + "]" * depth


KINDS = [arrays, objects, neighbours]


async def count(client: httpx.AsyncClient, dataset: int) -> int:
    return int((await client.get(f"/api/rows/?dataset={dataset}")).json()["count"])


def refused(response: httpx.Response) -> None:
    assert response.status_code == 400, response.text[:300]
    assert TOO_DEEP in response.text


@pytest.mark.parametrize("kind", KINDS)
async def test_rows(owner: httpx.AsyncClient, client: Client, people: People, kind: Any) -> None:
    dataset = await make_dataset(owner)
    async with client(people.stranger) as stranger:
        for depth in DEPTHS:
            await rows_are_refused(owner, stranger, dataset, kind, depth)
    assert await count(owner, dataset) == 0


async def rows_are_refused(
    owner: httpx.AsyncClient, stranger: httpx.AsyncClient, dataset: int, kind: Any, depth: int
) -> None:
    row = f'"timestamp":"2025-01-01T00:00:00Z","values":{{"n":1,"a b":{kind(depth)}}}'
    good = '{"timestamp":"2025-01-01T00:00:00Z","values":{"n":1}}'
    flat = f'{{"timestamp":"2025-01-01","x":{kind(depth)}}}'
    bodies = [
        ("", f'{{"dataset":{dataset},{row}}}', "application/json"),
        ("bulk_insert/", f'{{"dataset":{dataset},"rows":[{good},{{{row}}}]}}', "application/json"),
        ("bulk_insert/", f'{{"rows":[{good},{{{row}}}],"dataset":{dataset}}}', "application/json"),
        (f"bulk_insert/?dataset={dataset}", f"{good}\n{{{row}}}\n", "application/x-ndjson"),
        (f"bulk_insert/?dataset={dataset}", f'{{"timestamp":"2025-01-01","x":1}}\n{flat}\n', "application/x-ndjson"),
    ]
    for path, body, content_type in bodies:
        response = await owner.post(f"/api/rows/{path}", content=body, headers={"Content-Type": content_type})
        refused(response)
        if path.startswith("bulk") and "values" in body:
            assert response.json()["details"] == f"rows[1].values.a b: {TOO_DEEP}"
        # Who may not write is told that, before anything else; of the lines of NDJSON, too.
        response = await stranger.post(f"/api/rows/{path}", content=body, headers={"Content-Type": content_type})
        assert response.status_code == 403, response.text[:300]


@pytest.mark.parametrize("large", [False, True])
async def test_rows_deep_in_a_body(owner: httpx.AsyncClient, large: bool) -> None:
    dataset = await make_dataset(owner)
    row = '{"timestamp":"2025-01-01T00:00:00Z","values":{"n":1}}'
    rows = [row] * (100_000 if large else 100)
    rows[-2] = f'{{"timestamp":"2025-01-01T00:00:00Z","values":{{"n":{arrays(5_000)}}}}}'
    body = f'{{"dataset":{dataset},"rows":[{",".join(rows)}]}}'
    response = await owner.post("/api/rows/bulk_insert/", content=body, headers=JSON)
    refused(response)
    assert response.json()["details"].startswith(f"rows[{len(rows) - 2}].values.n")
    assert await count(owner, dataset) == 0


async def test_what_is_as_deep_as_allowed_comes_back_in_every_form(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    # The row's own two levels beside it.
    value = json.loads(neighbours(MAX_DEPTH - 3))
    row = {"timestamp": "2025-01-01T00:00:00Z", "values": {"a": value}}
    response = await owner.post("/api/rows/", json={"dataset": dataset, **row})
    assert response.status_code == 201, response.text
    assert response.json()["values"] == {"a": value}
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["results"][0]["values"] == {"a": value}
    for output in ("json", "ndjson", "csv", "parquet", "arrow"):
        response = await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output={output}")
        assert response.status_code == 200
    assert (await owner.get(f"/api/rows/live/?dataset={dataset}")).json()["a"] == value
    metadata = {"deep": json.loads(arrays(MAX_DEPTH - 1))}
    for method in ("PUT", "PATCH"):
        response = await owner.request(method, f"/api/datasets/{dataset}/metadata/", json=metadata)
        assert (response.status_code, response.json()["metadata"]) == (200, metadata)
    assert (await owner.get("/api/datasets/")).json()["results"][0]["metadata"] == metadata


async def test_json_bodies(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    before = (await owner.get("/api/datasets/")).json()
    for deep in (kind(depth) for kind in KINDS for depth in DEPTHS):
        await refused_everywhere(owner, dataset, deep)
    assert (await owner.get("/api/datasets/")).json() == before


async def refused_everywhere(owner: httpx.AsyncClient, dataset: int, deep: str) -> None:
    for method, path, body in (
        ("PUT", f"/api/datasets/{dataset}/metadata/", f'{{"a":{deep}}}'),
        ("PATCH", f"/api/datasets/{dataset}/metadata/", f'{{"a":{deep}}}'),
        ("POST", "/api/datasets/", f'{{"name":"x","metadata":{{"a":{deep}}}}}'),
        ("PUT", f"/api/datasets/{dataset}/", f'{{"name":"x","metadata":{deep}}}'),
        ("POST", "/api/tags/acquire/", f'{{"tag_name":{deep}}}'),
        ("POST", "/api/v1/sql", f'{{"sql":{deep}}}'),
        ("POST", "/api/v1/query", f'{{"question":"q","more":{deep}}}'),
        ("POST", "/api/v1/smart-data-instruction", f'{{"instruction":"q","x":{deep}}}'),
        ("POST", "/api/v1/keys", f"[{deep}]"),
        (
            "POST",
            "/api/v1/smart-import-b2",
            f'{{"file_name":"a","instruction":"x","callback_metadata":{{"a":{deep}}}}}',
        ),
    ):
        refused(await owner.request(method, path, content=body, headers=JSON))
    if len(deep) < BODY_BYTES - 10:
        refused(await owner.post("/ui/session", content=f'{{"key":{deep}}}', headers=JSON))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 200_000])
async def test_forms_files_and_parameters(owner: httpx.AsyncClient, depth: int) -> None:
    for path in ("smart-import", "smart-import/preview"):
        for text in (arrays(depth), f'{{"rows":{objects(depth)}}}', f'{{"a":1}}\n{{"a":{arrays(depth)}}}\n'):
            response = await owner.post(
                f"/api/v1/{path}", data={"instruction": "Import into my t table"}, files={"file": ("deep.json", text)}
            )
            refused(response)
    deep = f'{{"a":{arrays(min(depth, 4_900))}}}'
    response = await owner.post(
        "/api/v1/smart-import",
        files={"file": ("a.csv", "a,b\n1,2\n")},
        data={"instruction": "Import into my t table", "callback_metadata": deep, "callback_url": "https://8.8.8.8/"},
    )
    refused(response)
    assert (await owner.get("/api/v1/tables")).json()["tables"] == []
    response = await owner.get("/api/datasets/search/", params={"a": arrays(min(depth, 4_000))})
    assert (response.status_code, response.json()["count"]) == (200, 0)


async def test_metadata_that_was_stored_deeper_poisons_no_list(
    owner: httpx.AsyncClient, client: Client, people: People, database_url: str
) -> None:
    dataset, other = await make_dataset(owner), await make_dataset(owner)
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    for depth in (300, 1_500, 4_000):
        with psycopg.connect(database_url, autocommit=True) as admin:
            text = f'{{"kept":1,"a":{arrays(depth)}}}'
            admin.execute("UPDATE atlas.datasets SET metadata = %s::jsonb WHERE id = %s", (text, dataset))
        async with client(people.holder) as holder:
            await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
            for reader in (owner, holder):
                for path in (
                    "/api/datasets/",
                    "/api/datasets/?search=",
                    f"/api/datasets/{dataset}/",
                    "/api/datasets/search/?kept=1",
                ):
                    response = await reader.get(path)
                    assert response.status_code == 200, (path, response.text[:300])
                    assert TOO_DEEP in response.text
    assert (await owner.get("/api/datasets/")).json()["count"] == 2
    response = await owner.put(f"/api/datasets/{dataset}/metadata/", json={"kept": 2})
    assert response.json()["metadata"] == {"kept": 2}
    assert (await owner.get(f"/api/datasets/{other}/")).status_code == 200


NUMBERS = ["1e400", "-1E400", "1e309", "9" * 5_000, "-" + "1" * 400, "1e-400", "0." + "1" * 5_000, "1e131080"]


async def test_numbers_that_python_has_no_value_for(owner: httpx.AsyncClient) -> None:
    for number in NUMBERS:
        await kept_as_bulk_keeps_it(owner, number)


async def kept_as_bulk_keeps_it(owner: httpx.AsyncClient, number: str) -> None:
    dataset = await make_dataset(owner)
    values = f'{{"a":{number},"b":[{number}],"c":1}}'
    body = f'{{"dataset":{dataset},"timestamp":"2025-01-01T00:00:00Z","values":{values}}}'
    headers = JSON | {"Idempotency-Key": f"once {dataset}"}
    first = await owner.post("/api/rows/", content=body, headers=headers)
    assert first.status_code == 201, first.text[:300]
    again = await owner.post("/api/rows/", content=body, headers=headers)
    assert (again.status_code, again.text) == (201, first.text)
    if "e-" not in number and "." not in number:
        assert values in first.text
    row = await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=ndjson")
    bulk = f'{{"dataset":{dataset},"rows":[{{"timestamp":"2025-01-01T00:00:00Z","values":{values}}}]}}'
    assert (await owner.post("/api/rows/bulk_insert/", content=bulk, headers=JSON)).status_code == 200
    rows = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=ndjson")).text.splitlines()
    # Both ways keep the same.
    assert rows == [row.text.strip()] * 2
    metadata = await owner.put(f"/api/datasets/{dataset}/metadata/", content=values, headers=JSON)
    assert metadata.status_code in (200, 400), metadata.text[:300]
    assert (await owner.get("/api/datasets/")).status_code == 200


def test_every_route_with_a_json_body_measures_it() -> None:
    found = set()
    for context in iter_route_contexts(create_app(Settings(database_url="postgresql://nowhere")).routes):
        route = context.original_route
        field = route.body_field if isinstance(route, APIRoute) else None
        if field is not None and not isinstance(field.field_info, params.Form):
            assert isinstance(route, JsonRoute), route.path
            found.add(route.path)
    assert {"/api/v1/sql", "/api/datasets/"} <= found


def a_table(*cells: str) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerows([["id", "doc"], *([str(number), cell] for number, cell in enumerate(cells, 1))])
    return target.getvalue().encode()


def a_parquet(*cells: str) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"id": range(1, len(cells) + 1), "doc": cells}), target)
    return target.getvalue()


# What DuckDB takes for JSON and PostgreSQL does not, too.
NO_JSON = ["[NaN]", "-Infinity", "[1,]", '{"a":-inf}', '["a" , ]', '{"a":[Infinity]}', "[1, 2]]"]
FINE = ['["NaN, inf", "a,]", "\\",]"]', "[true, null, -1e5]", "[]", json.dumps("[" * 300), arrays(MAX_DEPTH)]


@pytest.mark.parametrize(("name", "made"), [("t.csv", a_table), ("t.parquet", a_parquet)])
async def test_json_in_cells(owner: httpx.AsyncClient, name: str, made: Any) -> None:
    deep = [kind(depth) for kind in KINDS for depth in (MAX_DEPTH + 1, 1_500, 20_000)]
    data = {"instruction": "Import into my t table, doc as JSON"}
    response = await owner.post("/api/v1/smart-import", data=data, files={"file": (name, made(*FINE, *NO_JSON, *deep))})
    assert response.status_code == 200, response.text[:300]
    assert (response.json()["records_inserted"], response.json()["validation_failures"]) == (
        len(FINE),
        len(NO_JSON) + len(deep),
    )
    found = await owner.post("/api/v1/sql", json={"sql": "SELECT doc FROM t ORDER BY id"})
    shown = [json.loads(row[0]) for row in list(csv.reader(io.StringIO(found.json()["data_csv"])))[1:]]
    assert shown == [json.loads(text) for text in FINE]
    import_id = response.json()["import_id"]
    issues = (await owner.get(f"/api/v1/import/{import_id}/issues")).json()
    assert TOO_DEEP in json.dumps(issues)
