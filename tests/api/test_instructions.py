"""Data instructions: Markdown, plain text and JSON; questions instead of guesses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send

pytestmark = pytest.mark.anyio

CLIENT = "Add a new client:\n\n## Client\n- Name: Acme Corp\n- Email: billing@acme.com\n- Phone: +1-800-555-0100\n"


async def tell(client: httpx.AsyncClient, text: str, **query: str) -> dict[str, Any]:
    response = await client.post(
        "/api/v1/smart-data-instruction", content=text, params=query, headers={"Content-Type": "text/markdown"}
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def clients(client: httpx.AsyncClient) -> int:
    tables = (await get(client, "tables"))["tables"]
    return next((t["row_count"] for t in tables if t["table_name"] == "clients"), 0)


async def test_markdown_inserts_then_text_updates_archives_and_restores(owner: httpx.AsyncClient) -> None:
    done = await tell(owner, CLIENT)
    assert (done["success"], done["intent"], done["tables_affected"]) == (True, "insert", ["clients"])
    assert done["total_records_processed"] == 1
    entity = done["entities"][0]
    assert (entity["entity_type"], entity["operation"], entity["record_count"]) == ("client", "INSERT", 1)
    assert len(entity["inserted_ids"][0]) == 36
    changed = await tell(owner, "Update the client with email billing@acme.com: set phone to +49 30 1234567")
    assert (changed["success"], changed["entities"][0]["affected_ids"]) == (True, entity["inserted_ids"])
    assert (await tell(owner, "Archive the client Acme Corp"))["success"] is True
    assert await clients(owner) == 0
    again = await tell(owner, "Archive the client Acme Corp")
    assert (again["success"], again["question"][:17]) == (False, "No row of clients")
    assert (await tell(owner, "Restore the client Acme Corp"))["success"] is True
    assert await clients(owner) == 1
    assert (await tell(owner, "undo that"))["success"] is True
    assert await clients(owner) == 0


async def test_json(owner: httpx.AsyncClient) -> None:
    entity = {
        "entity_type": "client",
        "table_hint": "clients",
        "data": {"name": "Acme Corp", "email": "billing@acme.com"},
    }
    done = await post(owner, "smart-data-instruction", {"intent": "insert", "entities": [entity]})
    assert done["entities"][0]["table_name"] == "clients"
    await post(owner, "smart-data-instruction", {"intent": "insert", "entities": [entity | {"data": {"name": "Beta"}}]})
    assert await clients(owner) == 2
    update = {
        "intent": "update",
        "entities": [entity | {"data": {"email": "new@acme.com"}, "match": {"name": "Acme Corp"}}],
    }
    assert (await post(owner, "smart-data-instruction", update))["success"] is True
    await post(owner, "smart-data-instruction", {"intent": "explode", "entities": [entity]}, 422)
    await post(owner, "smart-data-instruction", {"intent": "insert", "entities": []}, 422)
    bad = entity | {"data": {"name": "X", "email": "nonsense"}}
    refused = await post(
        owner, "smart-data-instruction", {"intent": "insert", "entities": [entity | {"data": {"name": "Y"}}, bad]}, 400
    )
    assert "entities[1].data: email" in refused["detail"]
    assert await clients(owner) == 2


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "How many clients do we have?",
        "Delete all clients",
        "Don't add a client named X",
        "Archive everything",
        "Add a client if it is not there: name X",
        "## Client\n- Name: X",
        "Mark the client Acme Corp as churned",
        "Update the client Nobody: set phone to 5",
        "Change the client",
        "Add a client with favourite color red",
        "Update client\n- Name: Acme Corp\n- Phone: 2",
        "Archive the invoice 5",
        "Add a client",
        "Delete",
    ],
)
async def test_what_is_unclear_gets_a_question(owner: httpx.AsyncClient, text: str) -> None:
    await send(owner, "Import into clients, key is email", b"name,email,phone\nAcme Corp,a@acme.com,+1 800 5550100\n")
    done = await tell(owner, text)
    assert (done["success"], done["total_records_processed"]) == (False, 0)
    assert done["question"]
    assert await clients(owner) == 1
    assert (await get(owner, "import-history?status=success"))["total_count"] == 1


async def test_a_row_with_the_same_key_is_asked_about(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into clients, key is email", b"name,email\nAcme Corp,billing@acme.com\n")
    done = await tell(owner, "Add a client named Acme with email BILLING@acme.com")
    assert "already" in done["question"]
    assert await clients(owner) == 1


async def test_bodies_that_are_refused(owner: httpx.AsyncClient) -> None:
    for data, kind, status in (
        (b"\xff\xfe", "text/plain", 400),
        (b"x", "image/png", 400),
        (b"{", "application/json", 422),
    ):
        response = await owner.post("/api/v1/smart-data-instruction", content=data, headers={"Content-Type": kind})
        assert response.status_code == status, response.text
        assert set(response.json()) == {"detail"}
