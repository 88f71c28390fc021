"""Datasets of other organizations that a tag opens: what they answer, whose they are said to be, and what they cost."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest
from tests.api.test_imports import send
from tests.conftest import Client, People, make_dataset

from atlas.catalog.mentions import MOST_MENTIONED, find_mentioned, read_by
from atlas.catalog.model import CatalogColumn, CatalogTable

pytestmark = pytest.mark.anyio
WHOSE = "invoices is a dataset of stranger of other, another organization"


async def shared(client: httpx.AsyncClient, name: str, **values: Any) -> int:
    """A public dataset with one row."""
    dataset = await make_dataset(client, name=name)
    row = {"timestamp": "2026-01-01", "values": values}
    assert (await client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": [row]})).status_code == 200
    assert (await client.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})).status_code == 201
    return dataset


async def ask(client: httpx.AsyncClient, prompt: str, **more: Any) -> dict[str, Any]:
    response = await client.post("/api/v1/query", json={"prompt": prompt} | more)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_they_answer_where_they_are_named_or_chosen_and_say_whose_they_are(
    client: Client, people: People
) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    await owner.post("/api/tags/acquire/", json={"tag_name": "public"})
    await shared(stranger, "invoices", amount=666)
    assert "666" not in str(await ask(owner, "What is the total amount?"))
    named = await ask(owner, "What is the sum of amount in invoices?")
    assert (named["data_csv"].split()[-1], WHOSE in named["assumptions"]) == ("666", True), named
    further = await ask(owner, "and the average?", thread_id=named["thread_id"])
    assert ("666" in further["data_csv"], WHOSE in further["assumptions"]) == (True, True), further
    chosen = await ask(owner, "What is the total amount?", table_name="invoices")
    assert (chosen["data_csv"].split()[-1], WHOSE in chosen["assumptions"]) == ("666", True)
    body = {"prompt": "What is the total amount?", "table_hints": ["invoices"]}
    made = (await owner.post("/api/v1/generate-sql", json=body)).json()
    assert (made["tables_referenced"], WHOSE in made["assumptions"]) == (["invoices"], True)
    listed = (await owner.get("/api/v1/tables")).json()["tables"]
    assert [(t["table_name"], t["owner"]) for t in listed] == [("invoices", "stranger of other")]
    # To its owner it is a dataset like any other.
    own = await ask(stranger, "What is the total amount?")
    assert ("666" in own["data_csv"], WHOSE in own["assumptions"]) == (True, False)


@pytest.mark.parametrize("kind", ["table", "dataset"])
async def test_ones_own_of_the_same_name_wins(client: Client, people: People, kind: str) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    await owner.post("/api/tags/acquire/", json={"tag_name": "public"})
    dataset = await shared(stranger, "invoices", amount=666)
    if kind == "table":
        await send(owner, "Import into invoices", b"id,amount\n1,40\n2,2\n", "invoices.csv")
    else:
        await shared(owner, "invoices", amount=42)
    for prompt in ("What is the total amount?", "What is the sum of amount in invoices?"):
        answer = await ask(owner, prompt)
        assert (answer["data_csv"].split()[-1], answer["assumptions"]) == ("42", []), answer
    run = (await owner.post("/api/v1/sql", json={"sql": "SELECT sum(amount) AS a FROM invoices"})).json()
    assert run["data_csv"] == "a\n42\n"
    strange = f"SELECT sum(amount) AS a FROM invoices_{dataset}"
    assert (await owner.post("/api/v1/sql", json={"sql": strange})).json()["data_csv"] == "a\n666\n"


async def test_they_cost_the_asker_nothing(client: Client, people: People, database_url: str) -> None:
    """Nothing of them is profiled for a question that names none, however many there are."""
    owner, stranger = client(people.owner), client(people.stranger)
    await owner.post("/api/tags/acquire/", json={"tag_name": "public"})
    await send(owner, "Import into leads", b"name,amount\nAnn,1\nBob,2\n", "leads.csv")
    for number in range(12):
        await shared(stranger, f"leads {number}", amount=number, **{f"column {n}": n for n in range(20)})
    await shared(stranger, "total", leads=9)

    def profiled() -> set[str]:
        with psycopg.connect(database_url) as connection:
            return {row[0].split(".")[1] for row in connection.execute("SELECT relation FROM atlas.column_profiles")}

    answer = await ask(owner, "How many leads are there in total?")
    assert (answer["data_csv"].split()[-1], answer["tables"]) == ("2", ["leads"])
    assert profiled() == {"_view_1"}
    assert (await ask(owner, "What is the total amount of leads 7?"))["tables"] == ["leads_7"]
    assert profiled() == {"_view_1", "dataset_8"}


def test_what_a_question_mentions() -> None:
    own = [CatalogTable("orders", "s", "t", (CatalogColumn("unit_price", "double"), CatalogColumn("city", "text")))]
    names = ["btc_hourly", "orders_9", "order", "unit price", "price", "total", "how_many", "77", "by", "sensor_7"]
    for text, found in (
        ("the highest price of BTC-Hourly?", ["btc_hourly"]),
        ("How many orders by city in total?", []),
        ("show order 77 by unit price", []),
        ("orders 9 or sensor_7", ["orders_9", "sensor_7"]),
        ("btc hourlyish", []),
    ):
        assert sorted(find_mentioned(text, names, own)) == sorted(found), text
    assert len(find_mentioned("a1b a2b a3b a4b a5b a6b a7b", [f"a{n}b" for n in range(1, 8)], own)) == MOST_MENTIONED


def test_what_a_query_reads() -> None:
    sql = 'SELECT a.x AS total FROM "my ""data""" a, b JOIN c ON a.x = c.y WHERE EXISTS (SELECT 1 FROM d)'
    assert {'my "data"', "b", "c", "d"} <= set(read_by(sql))
    assert "total" not in read_by(sql)
