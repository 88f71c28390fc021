"""Headers match columns only where the name means the same; anything looser is proposed, and decided by the caller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_import_instructions import rows, send, tables

pytestmark = pytest.mark.anyio

PRICES = b"sku,price,stock\nA1,10.5,5\nB2,20.5,6\n"


async def update(
    client: httpx.AsyncClient, table: str, data: bytes, status: int = 200, key: str = "sku", **more: str
) -> Any:
    response = await client.post(
        f"/api/v1/tables/{table}/update/file", data={"key_columns": key, **more}, files={"file": ("u.csv", data)}
    )
    assert response.status_code == status, response.text
    return response.json()


async def redo(client: httpx.AsyncClient, import_id: str, mapping: dict[str, Any], status: int = 200) -> Any:
    body = {"mapping": mapping, "auto_execute": True}
    response = await client.post(f"/api/v1/import/{import_id}/redo", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def prices(client: httpx.AsyncClient) -> list[Any]:
    return [(row["price"], row["stock"]) for row in await rows(client, "prices")]


async def test_another_word_is_proposed_and_never_taken_silently(owner: httpx.AsyncClient) -> None:
    await send(owner, "into prices, sku is the key", PRICES)
    for header in ("cost", "rate", "Prise", "New price", "Preis"):
        file = f"sku,{header}\nA1,1.5\n".encode()
        refused = await update(owner, "prices", file, 400)
        assert f"{header!r} may mean price" in refused["detail"]
        assert "accept_proposals=true" in refused["detail"]
        refused = await send(owner, "into prices, update existing rows", file, 400)
        assert f"{header!r} may mean price" in refused["detail"]
        assert "/redo" in refused["detail"]
    assert await prices(owner) == [(10.5, 5), (20.5, 6)]
    seen = await send(owner, "into prices, update existing rows", b"sku,cost\nA1,1.5\n", path="/preview")
    assert [(p["header"], p["column"]) for p in seen["proposals"]] == [("cost", "price")]
    assert 0 < seen["proposals"][0]["confidence"] < 1
    assert len(seen["questions"]) == 1
    done = await update(owner, "prices", b"sku,cost\nA1,1.5\n", accept_proposals="true")
    assert (done["rows_changed"], done["unknown_columns"], done["proposals"][0]["column"]) == (1, [], "price")
    assert "'cost' goes into price" in done["notes"]
    assert await prices(owner) == [(1.5, 5), (20.5, 6)]


async def test_a_proposal_can_be_declined_or_said(owner: httpx.AsyncClient) -> None:
    await send(owner, "into prices, sku is the key", PRICES)
    file = b"sku,cost\nB2,7.5\n"
    done = await send(owner, "into prices, update existing rows, rename cost to price", file)
    assert (done["new_columns"], await prices(owner)) == ([], [(10.5, 5), (7.5, 6)])
    # The table has had that header now.
    await send(owner, "into prices, update existing rows", b"sku,price\nB2,8.5\n")
    assert (await prices(owner))[1] == (8.5, 6)
    done = await send(owner, "into prices, update existing rows", b"sku,rate\nA1,0.19\n", accept_proposals="false")
    assert done["new_columns"] == ["rate"]
    assert (await prices(owner))[0] == (10.5, 5)


async def test_columns_that_the_table_lacks_are_told(owner: httpx.AsyncClient) -> None:
    await send(owner, "into prices, sku is the key", PRICES)
    done = await update(owner, "prices", b"sku,stock,color,shop\nA1,9,red,x\n")
    assert (done["rows_changed"], done["unknown_columns"]) == (1, ["color", "shop"])
    assert any("left out color, shop" in note for note in done["notes"])
    refused = await update(owner, "prices", b"sku,stokc\nA1,9\n", 400)
    assert "'stokc' may mean stock" in refused["detail"]
    done = await update(owner, "prices", b"sku,stokc,stock\nA1,8,7\n")
    # The column has its own header, so a misspelled one is only unknown.
    assert (done["unknown_columns"], await prices(owner)) == (["stokc"], [(10.5, 7), (20.5, 6)])


async def test_the_same_name_written_otherwise_matches(owner: httpx.AsyncClient) -> None:
    await send(owner, "into flights", b"flight_no,Distance (mi),carrier\n1,100,UA\n")
    done = await send(owner, "into flights", b"FlightNo;DISTANCE;Carrier\n2;200;AA\n")
    assert done["new_columns"] == []
    assert [tuple(row.values()) for row in await rows(owner, "flights")] == [(1, 100, "UA"), (2, 200, "AA")]
    refused = await send(owner, "into flights", b"Flight Number,Distance (km),Carrier Code\n3,300,DL\n", status=400)
    for header in ("Distance (km)", "Carrier Code"):
        assert repr(header) in refused["detail"]


async def test_renames_as_people_write_them(owner: httpx.AsyncClient) -> None:
    file = b"From,To,Dep. Delay (min)\nJFK,LAX,3\nEWR,SFO,0\n"
    for number, told in enumerate(
        (
            "rename From to origin, rename To to dest",
            "rename From to origin and To to dest",
            "rename From to origin. Rename To to dest",
            'rename "From" to origin and rename "To" to dest',
            "map From to origin, To to dest",
        )
    ):
        await send(owner, f"Import into rt{number} table, {told}, rename Dep. Delay (min) to dep_delay", file)
        assert await rows(owner, f"rt{number}") == [
            {"origin": "JFK", "dest": "LAX", "dep_delay": 3},
            {"origin": "EWR", "dest": "SFO", "dep_delay": 0},
        ], told
    # The next file needs no rename, as the table has had these headers.
    done = await send(owner, "Import into rt0 table", file)
    assert (done["new_columns"], done["proposals"]) == ([], [])


async def test_a_mapping_is_obeyed_to_the_letter(owner: httpx.AsyncClient) -> None:
    await send(owner, "into ex", b"email_address,full_name\nz@x.com,Z\n")
    file = b"Email Address,Full Name,Age\na@x.com,A,3\n"
    done = await send(owner, "into ex", file)
    wrong = {"table_name": "fr", "mappings": {"email": "Nope Header", "name": "E-Mail"}}
    refused = await redo(owner, done["import_id"], wrong, 400)
    assert "'Nope Header', 'E-Mail'" in refused["detail"]
    turned = await redo(owner, done["import_id"], {"mappings": {"Email Address": "email"}}, 400)
    assert "mappings are column to header" in turned["detail"]
    # Whatever is like a name of the table: the mapping says which column.
    again = await redo(
        owner, done["import_id"], {"table_name": "ex", "mappings": {"email": "Email Address", "name": "Full Name"}}
    )
    assert again["new_columns"] == ["email", "name"]
    assert "left out Age, which the mapping does not name" in again["response_summary"]
    assert (await rows(owner, "ex"))[1] == {
        "email_address": None,
        "full_name": None,
        "email": "a@x.com",
        "name": "A",
    }
    twice = await redo(
        owner,
        done["import_id"],
        {"table_name": "ex2", "mappings": {"email": "Email Address", "mail2": "Email Address"}},
    )
    assert twice["records_inserted"] == 1
    assert await rows(owner, "ex2") == [{"email": "a@x.com", "mail2": "a@x.com"}]
    assert "ex2" in await tables(owner)


async def test_a_refused_file_is_taken_with_a_mapping(owner: httpx.AsyncClient) -> None:
    await send(owner, "into flights", b"carrier,flight,date\nUA,1,2026-01-01\n")
    file = b"Carrier Code,Flight No.,Flight Date\nAA,2,2026-02-01\n"
    refused = await send(owner, "into flights", file, status=400)
    import_id = refused["detail"].rpartition("/import/")[2].partition("/")[0]
    done = await redo(
        owner,
        import_id,
        {
            "table_name": "flights",
            "mappings": {"carrier": "Carrier Code", "flight": "Flight No.", "date": "Flight Date"},
        },
    )
    assert (done["records_inserted"], done["new_columns"]) == (1, [])
    seen = await send(owner, "into flights", file, path="/preview", accept_proposals="true")
    assert [column["name"] for column in seen["columns"]] == ["carrier", "flight", "date"]


async def test_types_that_contradict_a_table_are_told(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into tc table", b"code,v\n1,a\n2,b\n")
    done = await send(owner, "Import into tc table, treat code as text", b"code,v\n003,c\n")
    assert (done["records_inserted"], done["validation_failures"]) == (1, 0)
    assert "code was BIGINT and becomes VARCHAR" in done["response_summary"]
    assert [row["code"] for row in await rows(owner, "tc")] == ["1", "2", "003"]
