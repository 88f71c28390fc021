"""Rows of tables: pages, single changes that can be undone, history, files, and tables that are removed."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.test_imports import get, post, send
from tests.conftest import Client, People, make_dataset

from atlas.tables import rows as tablerows

pytestmark = pytest.mark.anyio

ORDERS = (
    b"id,customer,email,amount,paid,day,at,note\n"
    b"1,Ann,ann@x.com,12.5,yes,2024-01-05,2024-01-05T10:00:00Z,50%_off\n"
    b"2,Bob,bob@x.com,100,no,2024-01-06,2024-01-06T10:00:00.5Z,\n"
    b"3,Cem,cem@x.com,7.25,yes,2024-02-01,2024-02-01T10:00:00Z,\xc3\x9cber\n"
    b'4,Dora,dora@x.com,,no,2024-02-02,2024-02-02T10:00:00Z,"a\nb, ""c"""\n'
)


async def orders(client: httpx.AsyncClient) -> None:
    await send(client, "Import into orders, id is the key", ORDERS, "orders.csv")


async def ids(client: httpx.AsyncClient, **query: Any) -> list[int]:
    response = await client.get("/api/v1/tables/orders/rows", params=query)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["rows"]]


async def change(client: httpx.AsyncClient, method: str, path: str, values: Any = None, status: int = 200) -> Any:
    body = None if values is None else {"values": values}
    response = await client.request(method, f"/api/v1/tables/orders/rows{path}", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def test_values_of_columns(owner: httpx.AsyncClient) -> None:
    await orders(owner)
    await send(
        owner, "Import into orders", b"id,customer,paid,at\n5,Ann,yes,2024-01-05T10:00:00Z\n6,Bob,yes,\n", "more.csv"
    )
    await change(owner, "DELETE", "/6")
    rows = (await get(owner, "tables/orders/rows"))["rows"]
    for filter_, chosen in (("", rows), ("paid = true", [row for row in rows if row["paid"]])):
        for column in rows[0].keys() - {"_row"}:
            counted = Counter(json.dumps(row[column]) for row in chosen)
            query = {"filter": filter_} if filter_ else {}
            answer = await owner.get(f"/api/v1/tables/orders/columns/{column}/values", params=query)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            assert {json.dumps(one["value"]): one["rows"] for one in found["values"]} == counted, (column, filter_)
            assert [one["rows"] for one in found["values"]] == sorted(counted.values(), reverse=True)
            assert (found["column"], found["distinct_count"]) == (column, len(counted))
    first = await get(owner, "tables/orders/columns/customer/values?limit=1")
    assert (first["values"], first["distinct_count"]) == ([{"value": "Ann", "rows": 2}], 4)
    none = await get(owner, "tables/orders/columns/paid/values?filter=id%20%3E%2099")
    assert (none["values"], none["distinct_count"]) == ([], 0)
    for path, status in (
        ("nope/values", 404),
        ("paid/values?filter=nope%20%3D%201", 400),
        ("paid/values?limit=0", 422),
    ):
        assert (await owner.get(f"/api/v1/tables/orders/columns/{path}")).status_code == status


async def test_pages(owner: httpx.AsyncClient) -> None:
    await orders(owner)
    page = await get(owner, "tables/orders/rows?limit=2&offset=1")
    assert (page["success"], page["table_name"], page["total_count"]) == (True, "orders", 4)
    assert (page["limit"], page["offset"]) == (2, 1)
    said = {"unit": "", "description": ""}
    assert page["columns"][0] == {"name": "id", "type": "BIGINT", **said}
    assert page["columns"][1] == {"name": "customer", "type": "VARCHAR", **said}
    assert page["rows"][0] == {
        "_row": 2,
        "id": 2,
        "customer": "Bob",
        "email": "bob@x.com",
        "amount": 100,
        "paid": False,
        "day": "2024-01-06",
        "at": "2024-01-06T10:00:00.5Z",
        "note": None,
    }
    assert await ids(owner, sort="-_row") == [4, 3, 2, 1]
    assert await ids(owner, sort="amount") == [3, 1, 2, 4]
    assert await ids(owner, sort="-amount") == [2, 1, 3, 4]
    assert await ids(owner, sort="-paid") == [1, 3, 2, 4]
    assert await ids(owner, sort="At") == [1, 2, 3, 4]
    assert await ids(owner, filter="amount > 10 AND paid") == [1]
    assert await ids(owner, filter="note LIKE '50%'") == [1]
    assert await ids(owner, search="ÜBER") == [3]
    assert await ids(owner, search="0%_O") == [1]
    assert await ids(owner, search="2024-02") == [3, 4]
    assert await ids(owner, search="x.com", filter="day < '2024-02-01'", sort="-id", limit=1) == [2]
    assert (await get(owner, "tables/orders/rows?search=x.com&limit=1"))["total_count"] == 4
    assert await ids(owner, search=" ", filter="") == [1, 2, 3, 4]
    assert await ids(owner, offset=10) == []


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"filter": "nope = 1"}, 400, "Invalid filter: filter: "),
        ({"filter": "1 = 1; DROP TABLE x"}, 400, "Invalid filter: filter: "),
        ({"filter": "id / 0 = 1"}, 400, "Invalid filter: filter: division by zero"),
        ({"filter": "customer::int > 1"}, 400, "Invalid filter: filter: invalid input"),
        ({"filter": "_row = 1"}, 400, "Invalid filter: filter: "),
        ({"filter": "id IN (SELECT 1)"}, 400, "Invalid filter: filter: "),
        ({"sort": "nope"}, 400, "sort: no column 'nope'; there is _row, id"),
        ({"limit": 1001}, 422, "limit"),
        ({"limit": 0}, 422, "limit"),
        ({"offset": -1}, 422, "offset"),
        ({"archived": "perhaps"}, 422, "archived"),
        ({"search": "x" * 1001}, 422, "search"),
    ],
)
async def test_bad_pages(owner: httpx.AsyncClient, query: dict[str, Any], status: int, told: str) -> None:
    await orders(owner)
    response = await owner.get("/api/v1/tables/orders/rows", params=query)
    assert (response.status_code, told in response.json()["detail"]) == (status, True), response.text
    if "filter" in query:
        again = await owner.get("/api/v1/tables/orders/export", params=query)
        assert (again.status_code, told in again.json()["detail"]) == (status, True), again.text


async def test_a_row_from_insert_to_undo(client: Client, people: People) -> None:
    owner, holder = client(people.owner), client(people.holder)
    await orders(owner)
    made = await change(owner, "POST", "", {"id": 5, "customer": "Eve", "at": "2024-03-01T12:00:00+02:00"})
    assert (made["row"], made["values"]["at"], made["archived"]) == (5, "2024-03-01T10:00:00Z", False)
    assert (await get(owner, "tables/orders/rows"))["total_count"] == 5
    set_ = await change(holder, "PATCH", "/5", {"amount": 3, "Customer": "Eva"})
    assert (set_["values"]["amount"], set_["values"]["customer"]) == (3, "Eva")
    await change(holder, "PATCH", "/5", {"amount": None})
    gone = await change(owner, "DELETE", "/5")
    assert gone["archived"] is True
    assert await ids(owner) == [1, 2, 3, 4]
    assert await ids(owner, archived=True) == [5]
    for method, status in (("PATCH", 404), ("DELETE", 404)):
        told = await change(owner, method, "/5", {"amount": 1} if method == "PATCH" else None, status)
        assert "archived; restore it first" in told["detail"]
    back = await change(holder, "POST", "/5/restore")
    assert (back["row"], back["archived"]) == (5, False)
    assert "is in use" in (await change(owner, "POST", "/5/restore", None, 400))["detail"]

    told = await get(owner, "tables/orders/rows/5/history")
    assert [(c["action"], c["user"], c["undone"]) for c in told["changes"]] == [
        ("restore", "holder", False),
        ("archive", "owner", False),
        ("update", "holder", False),
        ("update", "holder", False),
        ("insert", "owner", False),
    ]
    assert told["changes"][2]["before"] == {"amount": 3}
    assert told["changes"][2]["after"] == {"amount": None}
    assert told["changes"][3]["before"] == {"amount": None, "customer": "Eve"}
    first = told["changes"][-1]
    assert (first["before"], first["after"]["customer"], first["after"]["amount"]) == (None, "Eve", None)
    assert first["import_id"] == made["import_id"]
    assert all(c["at"].endswith("Z") and c["kind"] == "update" for c in told["changes"])

    # The newest change of the amount is taken back, and stays in the history.
    undone = await post(owner, f"import/{told['changes'][2]['import_id']}/undo", {})
    assert (undone["complete"], undone["rows_restored"]) == (True, 1)
    history = (await get(owner, "tables/orders/rows/5/history"))["changes"]
    assert [c["undone"] for c in history] == [False, False, True, False, False]
    assert history[-1]["after"] == first["after"]
    await post(owner, f"import/{set_['import_id']}/undo", {})
    assert (await get(owner, "tables/orders/rows?filter=id=5"))["rows"][0]["customer"] == "Eve"
    # Undone changes do not keep the insert from being undone; archiving and restoring still do.
    for import_id in (back["import_id"], gone["import_id"], made["import_id"]):
        assert (await post(owner, f"import/{import_id}/undo", {}))["complete"] is True
    assert await ids(owner) == [1, 2, 3, 4]
    await get(owner, "tables/orders/rows/5/history", 404)
    seen = (await get(owner, "import-history?limit=50"))["imports"]
    assert [i["action_taken"] for i in seen] == ["restore", "archive", "update", "update", "insert", "create"]


async def test_history_of_an_imported_row(owner: httpx.AsyncClient) -> None:
    await orders(owner)
    body = {"mode": "condition", "condition": "id = 2", "updates": {"at": "2025-01-01T00:00:00Z"}}
    await post(owner, "tables/orders/update", body)
    newest, first = (await get(owner, "tables/orders/rows/2/history"))["changes"]
    assert (newest["kind"], newest["before"]) == ("update", {"at": "2024-01-06T10:00:00.5Z"})
    assert newest["after"] == {"at": "2025-01-01T00:00:00Z"}
    assert (first["kind"], first["action"], first["after"]["at"]) == ("import", "insert", "2024-01-06T10:00:00.5Z")


async def test_refused_changes_leave_nothing_behind(owner: httpx.AsyncClient) -> None:
    await orders(owner)
    before = await get(owner, "tables/orders/rows")
    for values, told in (
        ({"id": 2, "customer": "Bob again"}, "values: row 2 has id 2 already"),
        ({"id": 9, "email": "nonsense"}, "email"),
        ({"id": 9, "amount": "lots"}, "amount"),
        ({"id": 9, "nope": 1}, "values.nope"),
        ({}, "the record is empty"),
        ({"id": None}, "the record is empty"),
    ):
        assert told in (await change(owner, "POST", "", values, 400))["detail"]
    for values, told in (
        ({"email": "nonsense"}, "email"),
        ({"day": "someday"}, "day"),
        ({"nope": 1}, "values.nope"),
        ({}, "at least one column"),
    ):
        assert told in (await change(owner, "PATCH", "/1", values, 400))["detail"]
    for row in ("99", "0", "-1", str(2**62), str(2**70)):
        assert "has no row" in (await change(owner, "PATCH", f"/{row}", {"amount": 1}, 404))["detail"]
        await change(owner, "DELETE", f"/{row}", None, 404)
        await change(owner, "POST", f"/{row}/restore", None, 404)
        await get(owner, f"tables/orders/rows/{row}/history", 404)
    for body in ({"values": {"customer": "a\0b"}}, {"values": 1}, {}, [], {"values": {"amount": 1e999}}):
        response = await owner.post("/api/v1/tables/orders/rows", content=json.dumps(body))
        assert response.status_code == 422, response.text
    await change(owner, "PATCH", "/one", {"amount": 1}, 422)
    assert await get(owner, "tables/orders/rows") == before
    assert (await get(owner, "import-history"))["total_count"] == 1


async def test_key_of_an_archived_row_is_free(owner: httpx.AsyncClient) -> None:
    await orders(owner)
    await change(owner, "DELETE", "/2")
    assert (await change(owner, "POST", "", {"id": 2, "customer": "New Bob"}))["row"] == 5


async def exported(client: httpx.AsyncClient, format: str, **query: Any) -> bytes:
    response = await client.get("/api/v1/tables/orders/export", params={"format": format, **query})
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''orders.{format}"
    return response.content


async def test_exports(owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await orders(owner)
    await change(owner, "POST", "", {"id": 5, "customer": "Gone"})
    await change(owner, "DELETE", "/5")
    page = (await get(owner, "tables/orders/rows"))["rows"]
    expected = [{name: value for name, value in row.items() if name != "_row"} for row in page]
    assert json.loads(await exported(owner, "json")) == expected
    lines = (await exported(owner, "ndjson")).decode().splitlines()
    assert [json.loads(line) for line in lines] == expected
    table = list(csv.DictReader(io.StringIO((await exported(owner, "csv")).decode())))
    assert [row["note"] for row in table] == ["50%_off", "", "Über", 'a\nb, "c"']
    assert table[1]["at"] == "2024-01-06T10:00:00.5Z"
    assert json.loads(await exported(owner, "json", filter="id > 9")) == []
    assert await exported(owner, "ndjson", filter="id > 9") == b""
    # Windows of a few rows, so that several meet.
    monkeypatch.setattr(tablerows, "WINDOW_ROWS", 3)
    for found in (
        pq.read_table(io.BytesIO(await exported(owner, "parquet"))),
        pa.ipc.open_stream(await exported(owner, "arrow")).read_all(),
    ):
        assert found.schema.field("amount").type == pa.decimal128(38, 2)
        assert found.schema.field("at").type == pa.timestamp("us", "UTC")
        rows = found.to_pylist()
        assert [row["paid"] for row in rows] == [True, False, True, False]
        assert [row["note"] for row in rows] == [row["note"] for row in expected]
        assert [row["at"].isoformat().replace("+00:00", "Z") for row in rows[::2]] == [
            row["at"] for row in expected[::2]
        ]
    part = await owner.get("/api/v1/tables/orders/export", params={"filter": "paid", "format": "arrow"})
    assert (part.headers["x-rows-count"], part.headers["x-table-name"]) == ("2", "orders")
    assert pa.ipc.open_stream(part.content).read_all().column("id").to_pylist() == [1, 3]
    assert (await owner.get("/api/v1/tables/orders/export?format=pdf")).status_code == 422


async def test_json_and_awkward_names(owner: httpx.AsyncClient) -> None:
    """JSON columns stay JSON, on one line of a file; names of any script reach headers."""
    data = b'[{"id": 1, "tags": ["a", {"b": "x\\ny"}]}, {"id": 2, "tags": ["c"]}]'
    done = await send(owner, "Import into Übersicht, id is the key", data, "t.json")
    name = done["table_name"]
    await post(owner, f"tables/{name}/rows", {"values": {"id": 3, "tags": {"deep": [1, 2.50]}}})
    rows = (await get(owner, f"tables/{name}/rows?sort=tags"))["rows"]
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert rows[0]["tags"] == ["a", {"b": "x\ny"}]
    lines = (await owner.get(f"/api/v1/tables/{name}/export?format=ndjson")).text.splitlines()
    assert [json.loads(line)["tags"] for line in lines] == [row["tags"] for row in rows]
    assert (await owner.get(f"/api/v1/tables/{name}/export?format=parquet")).status_code == 200
    assert (await owner.get(f"/api/v1/import/{done['import_id']}/export")).status_code == 200


async def test_a_filter_reaches_nothing_else(client: Client, people: People, database_url: str) -> None:
    """The condition runs as the organization's role, which only its own schema knows, and cannot write."""
    owner = client(people.owner)
    await orders(owner)
    with psycopg.connect(database_url, autocommit=True) as connection:
        schema = connection.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = '_table_1'"
        ).fetchone()
        assert schema is not None
        connection.execute("GRANT EXECUTE ON FUNCTION current_setting(text) TO PUBLIC")
        # A superuser, as Atlas is here, passes by every policy; the organization's role does not.
        connection.execute(f'ALTER TABLE "{schema[0]}"._table_1 ENABLE ROW LEVEL SECURITY')  # type: ignore[call-overload]
        connection.execute(f'ALTER TABLE "{schema[0]}"._table_1 FORCE ROW LEVEL SECURITY')  # type: ignore[call-overload]
        connection.execute(
            f'CREATE POLICY p ON "{schema[0]}"._table_1 USING '  # type: ignore[call-overload]
            "(id <> 3 AND current_setting('transaction_read_only') = 'on')"
        )
    assert await ids(owner) == [1, 2, 4]
    assert await ids(owner, filter="id > 1") == [2, 4]
    for format in ("ndjson", "arrow"):
        found = await owner.get("/api/v1/tables/orders/export", params={"format": format, "filter": "id > 1"})
        assert found.headers["x-rows-count"] == "2"
        assert b"cem@x.com" not in found.content


async def test_datasets_are_told_apart(client: Client, people: People) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    dataset = await make_dataset(owner, name="prices")
    for path in ("rows", "export", "rows/1/history"):
        told = await get(owner, f"tables/prices/{path}", 400)
        assert f"dataset {dataset}" in told["detail"]
        assert "/api/rows/bulk_download/" in told["detail"]
        await get(stranger, f"tables/prices/{path}", 404)


async def test_a_table_is_removed_for_good(client: Client, people: People) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    await orders(owner)
    made = await change(owner, "POST", "", {"id": 5})
    for path, who, status in (
        ("orders", owner, 400),
        ("orders?confirm=order", owner, 400),
        ("orders?confirm=orders", stranger, 404),
        ("nope?confirm=nope", owner, 404),
    ):
        assert (await who.delete(f"/api/v1/tables/{path}")).status_code == status
    gone = await owner.delete("/api/v1/tables/orders?confirm=orders")
    assert gone.json() == {"success": True, "table_name": "orders", "deleted": True, "rows_removed": 5}
    assert (await get(owner, "tables"))["tables"] == []
    await get(owner, "tables/orders/rows", 404)
    history = (await get(owner, "import-history"))["imports"]
    assert [i["table_name"] for i in history] == ["orders", "orders"]
    assert (await post(owner, f"import/{made['import_id']}/undo", {}))["success"] is True
    await orders(owner)
    assert await ids(owner) == [1, 2, 3, 4]
