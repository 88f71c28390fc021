"""What the OpenAPI document says of files and streams, beside what is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import CONTACTS, send
from tests.callers import app_of, stream_start
from tests.conftest import Client, People, make_dataset

from atlas.kit.file_formats import Output
from atlas.web.media_types import BYTES

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
    assert seen | {BYTES} == set(declared(client, path)["content"])
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
    assert seen | {BYTES} == set(declared(client, path)["content"])
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


@pytest.mark.parametrize(
    ("accept", "as_bytes"),
    [
        (BYTES, True),
        (f"{BYTES};q=0.9, text/html", True),
        (f"{BYTES}, */*", False),
        ("*/*", False),
        ("text/csv", False),
        (f"text/csv, {BYTES}", False),
        (f"{BYTES}, text/*", False),
    ],
)
async def test_who_asks_for_bytes_gets_them(client: Client, people: People, accept: str, as_bytes: bool) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": ROWS})
    await send(owner, "Import into leads", CONTACTS)
    for path in (f"/api/rows/bulk_download/?dataset={dataset}&output=csv", "/api/v1/tables/leads/export"):
        file = await owner.get(path, headers={"Accept": accept})
        assert file.headers["content-type"] == (BYTES if as_bytes else "text/csv; charset=utf-8")
        assert "Accept" in file.headers["vary"]
        assert file.content == (await owner.get(path)).content
        assert as_declared(file, declared(client, path.partition("?")[0].replace("leads", "{table_name}")))


CSV = b"timestamp,a\n2025-12-16T10:00:00Z,1\n"


@pytest.mark.parametrize(
    ("media", "form", "status"),
    [
        (BYTES, "csv", 200),
        (BYTES.title(), "csv", 200),
        (None, "csv", 200),
        ("text/csv", "csv", 200),
        ("text/csv", None, 200),
        (BYTES, None, 400),
        ("text/csv", "json", 400),
        (BYTES, "xls", 400),
        (BYTES, "parquet", 400),
    ],
)
async def test_bytes_are_read_in_the_format_that_is_named(
    client: Client, people: People, media: str | None, form: str | None, status: int
) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    named = "" if form is None else f"&format={form}"
    headers = {} if media is None else {"Content-Type": media}
    answer = await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}{named}", content=CSV, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 400 and form != "parquet":
        assert "format" in answer.json()["details"]


@pytest.mark.parametrize("end", ["", "rows/live/", "rows/latest/"])
async def test_a_dataset_that_is_not_named(client: Client, people: People, end: str) -> None:
    answer = await client(people.owner).get(f"/api/{end or 'rows/'}")
    assert answer.status_code == 400
    assert "dataset" in answer.json()["details"]


async def test_an_instruction_in_words_as_json(client: Client, people: People) -> None:
    owner = client(people.owner)
    await send(owner, "Import into leads, email is the key", CONTACTS)
    path, words = "/api/v1/smart-data-instruction", "Update the lead with email ann@x.com: set name to Anna"
    told = (await owner.post(path, json={"text": words})).json()
    assert (told["success"], told["total_records_processed"]) == (True, 1)
    again = (await owner.post(path, content=words, headers={"Content-Type": "text/plain"})).json()
    assert again["success"] is True
    for wrong in ({"text": 5}, {"text": None}, {"texts": words}, {"text": words, "entities": []}, [words], "text"):
        answer = await owner.post(path, json=wrong)
        assert 400 <= answer.status_code < 500, (wrong, answer.text)
