"""What the OpenAPI document says of files and streams, beside what is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import CONTACTS, send
from tests.callers import app_of, stream_start
from tests.conftest import Client, People, make_dataset

from atlas.core.formats import Output

pytestmark = pytest.mark.anyio
ROWS = [{"timestamp": "2025-12-16T10:00:00Z", "values": {"a": 1}}]


def declared(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    """What the document says of an answer to GET."""
    found: dict[str, Any] = app_of(client).openapi()["paths"][path]["get"]["responses"][str(status)]
    return found


def as_declared(response: httpx.Response, answer: dict[str, Any]) -> bool:
    """Whether an answer has a media type and all headers that the document names."""
    if not all(name in response.headers for name in answer.get("headers", {})):
        return False
    sent = response.headers.get("content-type", "").partition(";")[0]
    return sent in answer["content"] if "content" in answer else not response.content


async def test_downloads(client: Client, people: People) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": ROWS})
    path = "/api/rows/bulk_download/"
    seen = set()
    for output in Output:
        file = await owner.get(f"{path}?dataset={dataset}&output={output}")
        assert as_declared(file, declared(client, path)), output
        seen.add(file.headers["content-type"].partition(";")[0])
        same = await owner.get(
            f"{path}?dataset={dataset}&output={output}", headers={"If-None-Match": file.headers["etag"]}
        )
        assert (same.status_code, as_declared(same, declared(client, path, 304))) == (304, True)
    assert seen == set(declared(client, path)["content"])
    live = await owner.get(f"/api/rows/live/?dataset={dataset}")
    assert as_declared(live, declared(client, "/api/rows/live/"))
    same = await owner.get(
        f"/api/rows/live/?dataset={dataset}", headers={"If-None-Match": '"x", ' + live.headers["etag"]}
    )
    assert (same.status_code, as_declared(same, declared(client, "/api/rows/live/", 304))) == (304, True)
    status, headers = await stream_start(client, f"/api/rows/stream/?dataset={dataset}", {"X-API-Key": people.owner})
    assert status == 200
    assert headers["content-type"].partition(";")[0] in declared(client, "/api/rows/stream/")["content"]


async def test_files_of_tables(client: Client, people: People) -> None:
    owner = client(people.owner)
    done = await send(owner, "Import into leads", CONTACTS)
    path, seen = "/api/v1/tables/{table_name}/export", set()
    for output in Output:
        file = await owner.get(f"/api/v1/tables/leads/export?format={output}")
        assert as_declared(file, declared(client, path)), output
        seen.add(file.headers["content-type"].partition(";")[0])
    assert seen == set(declared(client, path)["content"])
    for end in ("export", "progress"):
        answer = await owner.get(f"/api/v1/import/{done['import_id']}/{end}")
        assert as_declared(answer, declared(client, f"/api/v1/import/{{import_id}}/{end}")), end
    figures = await client(None).get("/metrics")
    assert as_declared(figures, declared(client, "/metrics"))


async def test_every_answer_has_a_media_type(client: Client) -> None:
    for path, item in app_of(client).openapi()["paths"].items():
        for method, operation in item.items():
            for status, answer in operation["responses"].items():
                assert ("content" in answer) == (status not in ("204", "304")), (method, path, status)
