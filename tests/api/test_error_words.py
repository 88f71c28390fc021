"""Errors that say what to do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.conftest import make_dataset

pytestmark = pytest.mark.anyio
HEADER = "for JSON send the header `Content-Type: application/json`"


@pytest.mark.parametrize(
    ("media", "told"),
    [
        (None, "the body has no type"),
        ("application/x-www-form-urlencoded", "said to be 'application/x-www-form-"),
        ("text/plain", "said to be 'text/plain'"),
    ],
)
async def test_a_type_that_was_forgotten(owner: httpx.AsyncClient, media: str | None, told: str) -> None:
    headers = {"Content-Type": media} if media else {}
    for path in ("/api/v1/query", "/api/v1/sql", "/api/v1/tables/x/update", "/api/v1/import/1/redo"):
        answer = await owner.post(path, content=b'{"prompt": "how many?"}', headers=headers)
        assert (answer.status_code, set(answer.json())) == (422, {"detail"}), answer.text
        assert told in answer.json()["detail"]
        assert HEADER in answer.json()["detail"]
    form = await owner.post("/api/v1/smart-import", content=b"{}", headers=headers)
    assert "multipart/form-data" in form.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/v1/query", [], "must be a JSON object, not a list"),
        ("/api/v1/query", "x", "must be a JSON object, not text"),
        ("/api/v1/query", {"prompt": 5}, "prompt: must be text, not a number"),
        ("/api/v1/query", {"prompt": "x", "max_rows": "5"}, "max_rows: must be a whole number, not text"),
        ("/api/v1/generate-sql", {"prompt": "x", "table_hints": "a"}, "table_hints: must be a list, not text"),
        ("/api/datasets/", [{"name": "x"}], "must be a JSON object, not a list"),
        ("/api/datasets/", {"name": "x", "metadata": []}, "metadata: must be a JSON object, not a list"),
        ("/api/access/check/", {"dataset_id": 1, "require_write": "yes"}, "must be true or false, not text"),
        ("/api/v1/tables/x/update", {"condition": "a = 1"}, "mode: Field required"),
        ("/api/v1/tables/x/update", {"mode": "Batch"}, "mode: must be one of 'condition', 'batch', not 'Batch'"),
        ("/api/v1/tables/x/update", {"mode": 5}, "mode: must be one of 'condition', 'batch', not '5'"),
        ("/api/columns/", {"dataset": None, "name": "x", "dtype": "int"}, "dataset: must be a whole number, not null"),
    ],
)
async def test_what_was_wanted_and_given(owner: httpx.AsyncClient, path: str, body: Any, told: str) -> None:
    answer = await owner.post(path, json=body)
    assert answer.status_code == (422 if "/v1/" in path else 400), answer.text
    assert told in answer.text
    assert "Input should" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "[::1]:9", "127.1", "x.localhost"])
async def test_the_setting_for_webhooks_to_this_machine(owner: httpx.AsyncClient, host: str) -> None:
    form = {"instruction": "Import into leads", "callback_url": f"http://{host}/hook"}
    answer = await owner.post("/api/v1/smart-import", data=form, files={"file": ("a.csv", b"a\n1\n")})
    assert answer.status_code == 400, answer.text
    assert "ATLAS_WEBHOOK_LOOPBACK=true" in answer.json()["detail"]
    other = await owner.post(
        "/api/v1/smart-import",
        data=form | {"callback_url": "http://10.0.0.7/hook"},
        files={"file": ("a.csv", b"a\n1\n")},
    )
    assert (other.status_code, "ATLAS_" in other.text) == (400, False)


async def test_a_number_of_a_dataset_is_no_text(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    answer = await owner.get(f"/api/rows/?dataset={dataset}&limit=many")
    assert answer.json()["details"] == "limit: must be a valid integer, unable to parse string as an integer"
