"""Exact decimals, and formats that a table remembers, from the file to every answer."""

from __future__ import annotations

import csv
import io
import json
import random
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from tests.api.test_imports import csv_of, get, post, send

BIG = "12345678901234567890123456789.25"


async def answered(client: httpx.AsyncClient, sql: str) -> list[list[str]]:
    found = await post(client, "sql", {"sql": sql})
    return list(csv.reader(io.StringIO(found["data_csv"])))[1:]


async def updated(client: httpx.AsyncClient, table: str, key: str, data: bytes) -> Any:
    response = await client.post(
        f"/api/v1/tables/{table}/update/file", data={"key_columns": key}, files={"file": ("u.csv", data)}
    )
    assert response.status_code == 200, response.text
    return response.json()


async def test_money_is_exact_everywhere(owner: httpx.AsyncClient) -> None:
    chance = random.Random(1)
    prices = [f"{chance.randrange(10**6) / 100:.2f}" for _ in range(800)]
    data = "id,price,balance\n" + "".join(f"{n},{price},{BIG}\n" for n, price in enumerate(prices))
    done = await send(owner, "Import into ledger, id is the key", data.encode())
    assert (done["records_inserted"], done["validation_failures"], done["value_replacements"]) == (800, 0, 0)
    schema = (await get(owner, "tables/ledger/schema"))["columns"]
    assert [column["type"] for column in schema][:3] == ["BIGINT", "NUMERIC", "NUMERIC"]
    total = sum(map(Decimal, prices))
    assert await answered(owner, "SELECT sum(price), sum(balance) FROM ledger") == [
        [str(total), "9876543120987654312098765431400.00"]
    ]
    rows = await answered(owner, "SELECT id, price, balance FROM ledger ORDER BY id")
    assert [row[1:] for row in rows] == [[price, BIG] for price in prices]
    assert [line.split(",")[:3] for line in await csv_of(owner, done["import_id"])][1:] == [
        [str(n), price, BIG] for n, price in enumerate(prices)
    ]
    for format_ in ("csv", "ndjson", "json", "parquet", "arrow"):
        response = await owner.get("/api/v1/tables/ledger/export", params={"format": format_})
        assert response.status_code == 200, response.text
        found: list[Any]
        if format_ == "csv":
            found = [row["balance"] for row in csv.DictReader(io.StringIO(response.text))]
        elif format_ in ("ndjson", "json"):
            lines = response.text if format_ == "json" else f"[{','.join(response.text.splitlines())}]"
            found = [str(row["balance"]) for row in json.loads(lines, parse_float=Decimal)]
        else:
            source = io.BytesIO(response.content)
            table = pq.read_table(source) if format_ == "parquet" else pa.ipc.open_stream(source).read_all()
            assert table.schema.field("price").type == pa.decimal128(38, 2)
            found = [str(value) for value in table.column("balance").to_pylist()]
        assert found == [BIG] * 800, format_
    page = await owner.get(
        "/api/v1/tables/ledger/rows", params={"filter": f"balance = {BIG} and price >= 0", "limit": 3}
    )
    assert page.text.count(f'"balance":{BIG}') == 3


async def test_exact_numbers_are_keys_rules_filters_and_can_be_undone(owner: httpx.AsyncClient) -> None:
    data = b"price,name\n1.10,a\n2.50,b\n2.5,c\n30.00,d\n"
    done = await send(owner, "Import into list, price is the key, price must be between 0 and 20", data)
    # 2.5 is 2.50.
    assert (done["records_inserted"], done["duplicates_skipped"], done["validation_failures"]) == (2, 1, 1)
    again = await send(
        owner, "Import into list, only rows where price is over 1.05", b"price,name\n1.1,a\n1.05,e\n3.25,f\n"
    )
    assert (again["records_inserted"], again["duplicates_skipped"]) == (1, 1)
    assert [row[0] for row in await answered(owner, "SELECT price FROM list ORDER BY price")] == [
        "1.10",
        "2.50",
        "3.25",
    ]
    long = "19.123456789012345678901"
    changed = await updated(owner, "list", "name", f"name,price\na,{long}\n".encode())
    assert changed.get("validation_failures") is None, changed
    assert (await answered(owner, "SELECT price FROM list WHERE name = 'a'"))[0] == [long]
    history = await owner.get("/api/v1/tables/list/rows/1/history")
    assert f'"price":{long}' in history.text
    assert '"price":1.10' in history.text
    await post(owner, f"import/{changed['import_id']}/undo", {})
    assert (await answered(owner, "SELECT price FROM list WHERE name = 'a'"))[0] == ["1.10"]
    await post(
        owner,
        "tables/list/update",
        {"mode": "batch", "batch_updates": [{"keys": {"name": "b"}, "values": {"price": "7.50"}}]},
    )
    assert (await answered(owner, "SELECT price FROM list WHERE name = 'b'"))[0] == ["7.50"]
    where = {"mode": "condition", "condition": "price = 7.5", "updates": {"price": 8.25}}
    assert (await post(owner, "tables/list/update", where))["rows_changed"] == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "nested"])
async def test_numbers_of_json_are_exact(owner: httpx.AsyncClient, packed: bool) -> None:
    rows = [{"k": f"a{n}", "v": "@"} for n in range(3)]
    text = json.dumps({"items": rows} if packed else rows)
    for cell in ("1.10", BIG, "99999999999999999999"):
        text = text.replace('"@"', cell, 1)
    await send(owner, "Import into exact", text.encode(), "f.json")
    assert [row[0] for row in await answered(owner, "SELECT v FROM exact ORDER BY k")] == [
        "1.10",
        BIG,
        "99999999999999999999",
    ]


async def test_a_preview_tells_formats_and_what_is_unsettled(owner: httpx.AsyncClient) -> None:
    form = {"instruction": "Import into shop"}
    files = {"file": ("f.csv", b"sku;price\nA1;1,299\nA2;2,499\n")}
    found = (await owner.post("/api/v1/smart-import/preview", data=form, files=files)).json()
    column = found["columns"][1]
    assert (column["type"], column["format"]["decimal"], column["format"]["digits"]) == ("NUMERIC", ",", "fixed")
    assert any("not 1299 and 2499" in note for note in found["notes"])
    assert str(found["sample"][0]["price"]) == "1.299"


async def test_previews_and_duplicates_have_all_digits(owner: httpx.AsyncClient) -> None:
    data = f"id,price,f\n1,{BIG},0.5\n2,1.10,0.25\n".encode()
    form = {"instruction": "Import into doubled, id is the key"}
    found = await owner.post("/api/v1/smart-import/preview", data=form, files={"file": ("f.csv", data)})
    assert found.status_code == 200, found.text
    assert f'"sample":[{{"id":1,"price":{BIG},"f":0.5}},{{"id":2,"price":1.10,"f":0.25}}]' in found.text
    await send(owner, "Import into doubled, id is the key", data)
    again = await send(owner, "Import into doubled", data + b"3,2.20,1e-3\n")
    page = await owner.get(f"/api/v1/import/{again['import_id']}/issues/duplicates")
    assert page.text.count(f'"price":{BIG}') == 2
    assert page.text.count('"price":1.10') == 2
    assert [issue["match"] for issue in page.json()["issues"]] == ["exact", "exact"]
    corrected = {"duplicates": [{"record_number": 1, "action": "insert"}, {"record_number": 2, "action": "insert"}]}
    await post(owner, f"import/{again['import_id']}/issues/correct", corrected)
    assert await answered(owner, "SELECT price FROM doubled WHERE id < 3 ORDER BY id, price") == [
        [BIG],
        [BIG],
        ["1.10"],
        ["1.10"],
    ]


async def test_an_update_reads_as_the_table_does_and_tells(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into visits, id is the key", b"id,d,n\na1,31/01/2026,1\na2,15/01/2026,2\n")
    done = await send(owner, "Import into visits", b"id,d,n\nb1,01/02/2026,3\n", "feb.csv")
    assert await answered(owner, "SELECT d, n FROM visits WHERE id = 'b1'") == [["2026-02-01", "3"]]
    assert "could be read" not in done["response_summary"]
    told = await updated(owner, "visits", "id", b"id,d,n\na1,03/02/2026,2.50\na2,05/02/2026,A7\n")
    assert await answered(owner, "SELECT d, n FROM visits WHERE id = 'a1'") == [["2026-02-03", "2.50"]]
    assert "n was BIGINT and becomes VARCHAR" in " ".join(told["notes"])


async def test_a_type_that_an_instruction_names_is_obeyed(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into parts", b"code,qty\n1,5\n2,6\n")
    done = await send(owner, "Import into parts, treat code as text", b"code,qty\nA3,5\n07,6\n", "more.csv")
    assert (done["records_inserted"], done["validation_failures"]) == (2, 0)
    assert "code was BIGINT and becomes VARCHAR" in done["response_summary"]
    assert [row[0] for row in await answered(owner, "SELECT code FROM parts ORDER BY code")] == ["07", "1", "2", "A3"]
