"""Data instructions: Markdown, plain text and JSON; questions instead of guesses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send
from tests.conftest import Client, People

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


PRODUCTS = b"sku,name,price,stock\nA1,Tea,12.50,5\nA2,Oolong,3.99,7\nB1,Rum,20.00,1\n"
CONTACTS = (
    b"name,email,company,city\nAnn Lee,ann@x.com,Fabrikam,Rome\nBob Roy,bob@x.com,Fabrikam,Oslo\n"
    b"Jo Carter,jo@x.com,Contoso,Bonn\nJo Carter,jo2@x.com,Contoso,Ulm\n"
)


async def rows_of(client: httpx.AsyncClient, sql: str) -> list[str]:
    answer = await post(client, "sql", {"sql": sql})
    return str(answer["data_csv"]).split("\n")[1:-1]


async def test_changes_of_many_rows_are_shown_and_wait_for_a_yes(
    owner: httpx.AsyncClient, client: Client, people: People
) -> None:
    await send(owner, "Import into products, sku is the key", PRODUCTS)
    await send(owner, "Import into contacts, email is the key", CONTACTS)
    cities = "SELECT city FROM contacts ORDER BY email"
    asked = await tell(owner, "set city to Berlin for everyone at Fabrikam")
    assert (asked["success"], asked["preview"]["row_count"], asked["total_records_processed"]) == (False, 2, 0)
    assert asked["preview"]["rows"][0]["before"] == {"name": "Ann Lee", "email": "ann@x.com", "city": "Rome"}
    assert asked["preview"]["rows"][0]["after"] == {"city": "Berlin"}
    thread = asked["thread_id"]
    # Nobody else answers for the user, and no other conversation does.
    for key in (people.stranger, people.holder):
        assert (await tell(client(key), "yes", thread_id=thread))["success"] is False
    assert (await tell(owner, "yes", thread_id="another"))["success"] is False
    assert await rows_of(owner, cities) == ["Rome", "Oslo", "Ulm", "Bonn"]
    done = await tell(owner, "yes", thread_id=thread)
    assert (done["success"], done["total_records_processed"]) == (True, 2)
    assert await rows_of(owner, cities) == ["Berlin", "Berlin", "Ulm", "Bonn"]
    assert (await tell(owner, "yes", thread_id=thread))["success"] is False
    assert (await tell(owner, "undo that", thread_id=thread))["success"] is True
    assert await rows_of(owner, cities) == ["Rome", "Oslo", "Ulm", "Bonn"]
    # Other rows than those that were shown are shown again.
    await tell(owner, "delete all products with stock below 6", thread_id="t")
    await post(
        owner, "tables/products/update", {"mode": "condition", "condition": "sku = 'A2'", "updates": {"stock": 2}}
    )
    again = await tell(owner, "ja", thread_id="t")
    assert (again["success"], again["preview"]["row_count"]) == (False, 3)
    assert (await tell(owner, "nein danke", thread_id="t"))["message"] == "Nothing was written."
    assert len(await rows_of(owner, "SELECT sku FROM products")) == 3


async def test_numbers_are_calculated_exactly(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into products, sku is the key", PRODUCTS)
    asked = await tell(owner, "raise all prices by 10 %", thread_id="t")
    assert "rounded to 2 digits" in asked["question"]
    assert (await tell(owner, "yes", thread_id="t"))["total_records_processed"] == 3
    prices = "SELECT price FROM products ORDER BY sku"
    assert await rows_of(owner, prices) == ["13.75", "4.39", "22.00"]
    assert (await tell(owner, "reduce the price of product A1 by 0.75"))["success"] is True
    assert (await rows_of(owner, prices))[0] == "13.00"
    assert "whole numbers" in (await tell(owner, "increase the stock of all products by 10 %"))["question"]


async def test_questions_are_answered_in_the_conversation(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into contacts, email is the key", CONTACTS)
    await send(owner, "Import into leads, email is the key", b"name,email\nZed,z@x.com\n")
    asked = await tell(owner, "Change the name of Jo Carter to Jo Smith", thread_id="t")
    assert "contacts or leads" in asked["question"]
    assert "2 rows" in (await tell(owner, "contacts", thread_id="t"))["question"]
    assert (await tell(owner, "the one in Ulm", thread_id="t"))["success"] is True
    assert await rows_of(owner, "SELECT name FROM contacts WHERE city = 'Ulm'") == ["Jo Smith"]
    assert (
        "already" in (await tell(owner, "Add a contact: Ann Lee, ann@x.com, lives in Paris", thread_id="t"))["question"]
    )
    assert (await tell(owner, "yes, update her", thread_id="t"))["intent"] == "update"
    assert await rows_of(owner, "SELECT city FROM contacts WHERE email = 'ann@x.com'") == ["Paris"]
