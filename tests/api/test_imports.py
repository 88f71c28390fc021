"""Imports of the content API: instructions, duplicates, failures, corrections, updates, undo."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.conftest import People, serve

from atlas.imports import service
from atlas.settings import Settings

pytestmark = pytest.mark.anyio

CONTACTS = (
    b"Full Name,Email Address,Age,Joined\n"
    b"Ann Smith,ann@x.com,30,2024-01-05\n"
    b"Bob,bob@x.com,n/a,2024-02-01\n"
    b"Ann S,ANN@x.com,31,2024-03-01\n"
    b"Carl,carl,40,2024-03-05\n"
)


async def send(
    client: httpx.AsyncClient, instruction: str, data: bytes, name: str = "contacts.csv", status: int = 200, **more: str
) -> dict[str, Any]:
    """The response of an import."""
    form = {"instruction": instruction, **more}
    response = await client.post("/api/v1/smart-import", data=form, files={"file": (name, data)})
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def get(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    response = await client.get(f"/api/v1/{path}")
    assert response.status_code == status, response.text
    return response.json()


async def post(client: httpx.AsyncClient, path: str, body: Any, status: int = 200) -> Any:
    response = await client.post(f"/api/v1/{path}", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def csv_of(client: httpx.AsyncClient, import_id: str, **query: str) -> list[str]:
    response = await client.get(f"/api/v1/import/{import_id}/export", params=query)
    assert response.status_code == 200, response.text
    lines = response.text.splitlines()
    assert response.headers["x-rows-count"] == str(len(lines) - 1)
    return lines


async def test_an_import_from_first_to_last(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import this into my leads table, email is the key", CONTACTS)
    assert done["status"] == "success"
    assert done["table_name"] == "leads"
    assert done["file_name"] == "contacts.csv"
    assert (done["records_processed"], done["duplicates_skipped"], done["validation_failures"]) == (4, 1, 1)
    assert done["value_replacements"] == 1
    assert done["has_correctable_issues"] is True
    assert "1 duplicate was skipped" in done["response_summary"]
    tables = await get(owner, "tables")
    assert tables == {"success": True, "tables": [{"table_name": "leads", "row_count": 2, "kind": "table"}]}
    schema = await get(owner, "tables/leads/schema")
    assert [(c["name"], c["type"]) for c in schema["columns"]] == [
        ("full_name", "VARCHAR"),
        ("email_address", "VARCHAR"),
        ("age", "BIGINT"),
        ("joined", "DATE"),
    ]
    stats = await get(owner, "tables/leads/stats")
    assert (stats["row_count"], stats["column_count"], stats["columns"]["age"]) == (2, 4, "BIGINT")
    lines = await csv_of(owner, done["import_id"])
    assert lines == [
        "full_name,email_address,age,joined",
        "Ann Smith,ann@x.com,30,2024-01-05",
        "Bob,bob@x.com,,2024-02-01",
    ]
    assert (await csv_of(owner, done["import_id"], include_metadata="true"))[0].startswith(
        "_row,_import,_archived,_created,_updated,full_name"
    )


async def test_issues_are_reviewed_and_corrected(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import this into my leads table, email is the key", CONTACTS)
    place = f"import/{done['import_id']}/issues"
    found = await get(owner, place)
    assert found["summary"] == {
        "duplicates_count": 1,
        "validation_failures_count": 1,
        "value_replacements_count": 1,
        "has_issues": True,
    }
    duplicate, failure = found["duplicates"][0], found["validation_failures"][0]
    replacement = found["value_replacements"][0]
    assert (duplicate["record_number"], duplicate["duplicate_of_record"]) == (3, 1)
    # Beside it the row that the first record became.
    assert duplicate["existing_row"]["email_address"] == "ann@x.com"
    assert failure["errors"] == [{"column": "email_address", "reason": "not a valid e-mail address", "value": "carl"}]
    assert (replacement["column"], replacement["original_value"], replacement["new_value"]) == ("age", "n/a", None)
    wrong = {
        "validation_failures": [
            {
                "failure_id": failure["failure_id"],
                "action": "insert_corrected",
                "corrected_data": {"email_address": "still wrong"},
            }
        ],
        "duplicates": [{"record_number": 3, "action": "insert"}],
    }
    refused = await post(owner, f"{place}/correct", wrong, 400)
    assert "validation_failures[0]: email_address: not a valid e-mail address" in refused["detail"]
    assert (await get(owner, place))["summary"] == found["summary"]
    right = {
        "duplicates": [{"record_number": 3, "action": "insert", "data": {"email_address": "new@example.com"}}],
        "validation_failures": [
            {
                "failure_id": failure["failure_id"],
                "action": "insert_corrected",
                "corrected_data": {"email_address": "carl@x.com"},
            }
        ],
        "value_replacements": [
            {"replacement_id": replacement["replacement_id"], "action": "set_custom", "custom_value": 44}
        ],
    }
    corrected = await post(owner, f"{place}/correct", right)
    assert (corrected["rows_inserted"], corrected["rows_updated"]) == (2, 1)
    assert corrected["summary"]["has_issues"] is False
    again = await post(owner, f"{place}/correct", right)
    assert (again["rows_inserted"], again["rows_updated"], again["already_resolved"]) == (0, 0, 3)
    assert await csv_of(owner, done["import_id"]) == [
        "full_name,email_address,age,joined",
        "Ann Smith,ann@x.com,30,2024-01-05",
        "Bob,bob@x.com,44,2024-02-01",
        "Ann S,new@example.com,31,2024-03-01",
        "Carl,carl@x.com,40,2024-03-05",
    ]
    page = await get(owner, f"{place}/duplicates?status=all")
    assert (page["total_count"], page["issues"][0]["status"]) == (1, "corrected")
    assert "issue_type" in (await get(owner, f"{place}/nonsense", 400))["detail"]


async def test_restoring_a_text_needs_leave_to_change_the_type(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into leads", CONTACTS)
    place = f"import/{done['import_id']}/issues"
    number = (await get(owner, place))["value_replacements"][0]["replacement_id"]
    body: dict[str, Any] = {"value_replacements": [{"replacement_id": number, "action": "restore_original"}]}
    assert "allow_type_change" in (await post(owner, f"{place}/correct", body, 400))["detail"]
    await post(owner, f"{place}/correct", body | {"allow_type_change": True})
    assert "Bob,bob@x.com,n/a,2024-02-01" in await csv_of(owner, done["import_id"])
    schema = await get(owner, "tables/leads/schema")
    assert {c["name"]: c["type"] for c in schema["columns"]}["age"] == "VARCHAR"


@pytest.mark.parametrize(
    ("instruction", "counts"),
    [
        ("Import into leads, skip duplicates by email", (1, 0, 1)),
        ("Import into leads and flag duplicates by email", (1, 0, 1)),
        ("Import into leads, update existing rows by email", (1, 1, 0)),
        ("Import into leads and keep all duplicates", (2, 0, 0)),
    ],
)
async def test_duplicates_of_rows(owner: httpx.AsyncClient, instruction: str, counts: tuple[int, int, int]) -> None:
    await send(
        owner, "Import into leads, the key is email", b"name,email,city\nAnn,ann@x.com,Bonn\nBob,bob@x.com,Ulm\n"
    )
    done = await send(owner, instruction, b"Name;E-Mail;City\nBobby;BOB@x.com;Berlin\nZoe;zoe@x.com;\n", "more.csv")
    assert (done["records_inserted"], done["records_updated"], done["duplicates_skipped"]) == counts
    issues = await get(owner, f"import/{done['import_id']}/issues")
    listed = [(d["record_number"], d["existing_row"]["name"], d["match"]) for d in issues["duplicates"]]
    assert listed == ([(1, "Bob", "normalized")] if "skip" in instruction or "flag" in instruction else [])
    if "update" in instruction:
        undone = await post(owner, f"import/{done['import_id']}/undo", {})
        assert (undone["complete"], undone["rows_removed"], undone["rows_restored"]) == (True, 1, 1)


async def test_replaced_values_of_updated_rows_belong_to_these_rows(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into stock, key is id", b"id,amount\n1,10\n2,20\n3,30\n")
    text = b"id,amount\n2,n/a\n4,40\n5,50\n6,n/a\n7,1\n7,2\n"
    done = await send(owner, "Import into stock, update existing rows by id", text)
    place = f"import/{done['import_id']}/issues"
    found = await get(owner, place)
    assert [d["existing_row"]["amount"] for d in found["duplicates"]] == [2]
    first, second = (issue["replacement_id"] for issue in found["value_replacements"])
    custom = [{"replacement_id": n, "action": "set_custom", "custom_value": v} for n, v in ((first, 21), (second, 61))]
    await post(owner, f"{place}/correct", {"value_replacements": custom})
    rows = (await get(owner, "tables/stock/rows"))["rows"]
    assert {row["id"]: row["amount"] for row in rows} == {1: 10, 2: 21, 3: 30, 4: 40, 5: 50, 6: 61, 7: 2}


async def test_undo_is_exact_and_says_what_it_cannot(owner: httpx.AsyncClient) -> None:
    first = await send(owner, "Import into people, key is id", b"id,name,city\n1,Ann,Bonn\n2,Bob,Ulm\n")
    second = await send(owner, "Upsert into people by id", b"id,name,age\n2,Robert,40\n3,Cyd,50\n")
    assert (second["records_inserted"], second["records_updated"], second["new_columns"]) == (1, 1, ["age"])
    path = f"import/{first['import_id']}/undo"
    refused = (await post(owner, path, {}, 400))["detail"]
    assert f"1 row changed since: undo import {second['import_id']} (1 row) first" in refused
    told = await post(owner, f"{path}?dry_run=true", {})
    assert (told["complete"], told["dry_run"], told["rows_removed"], told["rows_kept"]) == (False, True, 1, 1)
    assert told["changed_since"] == [{"import_id": second["import_id"], "kind": "import", "rows": 1}]
    assert len(await csv_of(owner, first["import_id"])) == 3
    blocked = await post(owner, f"{path}?partial=true", {})
    assert (blocked["complete"], blocked["rows_removed"], blocked["rows_kept"]) == (False, 1, 1)
    assert (await get(owner, f"import/{first['import_id']}"))["status"] == "partially_undone"
    undone = await post(owner, f"import/{second['import_id']}/undo", {})
    assert undone["complete"] is True
    assert undone["columns_removed"] == ["age"]
    assert await csv_of(owner, first["import_id"]) == ["id,name,city", "2,Bob,Ulm"]
    rest = await post(owner, f"import/{first['import_id']}/undo", {})
    assert (rest["complete"], rest["table_removed"]) == (True, True)
    assert (await get(owner, "tables"))["tables"] == []
    assert "undone" in (await post(owner, f"import/{first['import_id']}/undo", {}, 400))["detail"]


async def test_redo_with_another_mapping(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into leads", CONTACTS)
    place = f"import/{done['import_id']}"
    mapping = {
        "table_name": "people",
        "mappings": {"email": "Email Address", "name": "Full Name"},
        "check_duplicates": True,
    }
    again = await post(owner, f"{place}/redo", {"mapping": mapping, "auto_execute": True})
    assert (again["import_id"], again["table_name"]) == (done["import_id"], "people")
    assert (await csv_of(owner, done["import_id"]))[0] == "email,name"
    assert [t["table_name"] for t in (await get(owner, "tables"))["tables"]] == ["people"]
    cleared = await post(owner, f"{place}/clear-mapping", {})
    assert cleared["success"] is True
    assert (await get(owner, f"import-history/{done['import_id']}"))["import"]["plan"] is None
    reset = await post(owner, f"{place}/redo", {"auto_execute": False})
    assert reset["status"] == "reset"
    assert (await get(owner, "tables"))["tables"] == []


async def test_updates_by_condition_keys_and_file(owner: httpx.AsyncClient) -> None:
    data = b"email,status,plan,score\na@x.com,new,free,1\nb@x.com,new,free,2\nc@x.com,old,pro,3\n"
    await send(owner, "Import into customers, key is email", data)
    path = "tables/customers/update"
    done = await post(
        owner,
        path,
        {
            "mode": "condition",
            "condition": "status = 'new' and score > 1",
            "updates": {"status": "active", "score": 20},
        },
    )
    assert done == {
        "success": True,
        "table_name": "customers",
        "rows_updated": 1,
        "rows_changed": 1,
        "rows_not_found": 0,
        "not_found": [],
        "import_id": done["import_id"],
    }
    every = {"mode": "condition", "condition": "1 = 1", "updates": {"plan": "none"}}
    assert "confirm_all" in (await post(owner, path, every, 400))["detail"]
    assert (await post(owner, path, every | {"confirm_all": True}))["rows_updated"] == 3
    batch = {
        "mode": "batch",
        "batch_updates": [
            {"keys": {"email": "a@x.com"}, "values": {"plan": "pro", "status": None}},
            {"keys": {"email": "nobody@x.com"}, "values": {"plan": "pro"}},
        ],
    }
    done = await post(owner, path, batch)
    assert (done["rows_updated"], done["not_found"]) == (1, [{"index": 1, "keys": {"email": "nobody@x.com"}}])
    bad = {"mode": "batch", "batch_updates": [{"keys": {"email": "a@x.com"}, "values": {"score": "many"}}]}
    assert "batch_updates[0].values: score: not a whole number" in (await post(owner, path, bad, 400))["detail"]
    bad = {"mode": "batch", "batch_updates": [{"keys": {"email": "a@x.com"}, "values": {"nope": "1"}}]}
    assert "nope" in (await post(owner, path, bad, 400))["detail"]
    response = await owner.post(
        f"/api/v1/{path}/file",
        data={"key_columns": "email"},
        files={"file": ("u.csv", b"email,status,plan\na@x.com,active,\nz@x.com,x,y\nc@x.com,churned,free\n")},
    )
    done = response.json()
    assert (response.status_code, done["rows_updated"]) == (200, 2), response.text
    assert done["not_found"] == [{"record_number": 2, "keys": {"email": "z@x.com"}}]
    first = (await get(owner, "import-history?limit=50"))["imports"][-1]
    assert await csv_of(owner, first["import_id"]) == [
        "email,status,plan,score",
        "a@x.com,active,pro,1",
        "b@x.com,active,none,20",
        "c@x.com,churned,free,3",
    ]
    assert (await post(owner, f"import/{done['import_id']}/undo", {}))["complete"] is True
    assert "c@x.com,old,none,3" in await csv_of(owner, first["import_id"])


@pytest.mark.parametrize(
    "condition",
    [
        "status = 'x'; DROP TABLE t",
        "pg_sleep(10) IS NULL",
        "_row = 1",
        "ctid IS NOT NULL",
        "x.pg_read_file = 'a'",
        "status = (SELECT key_hash::text FROM atlas.api_keys LIMIT 1)",
        "status = 5",
        "score / 0 = 1",
        "",
    ],
)
async def test_conditions_that_are_refused(owner: httpx.AsyncClient, condition: str) -> None:
    await send(owner, "Import into customers", b"status,score\nnew,1\n")
    body = {"mode": "condition", "condition": condition, "updates": {"status": "hacked"}}
    refused = await post(owner, "tables/customers/update", body, 400)
    assert refused["detail"].startswith("Invalid condition: condition: ")
    first = (await get(owner, "import-history"))["imports"][-1]["import_id"]
    assert (await csv_of(owner, first))[1] == "new,1"


async def test_a_file_becomes_a_dataset_and_is_a_table_too(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import as a time series called visits", b"when,n\n2024-01-02,6\n2024-01-01,5\n", "v.csv")
    assert done["dataset_id"] is not None
    rows = (await owner.get(f"/api/rows/?dataset={done['dataset_id']}")).json()
    assert [(row["timestamp"], row["values"]) for row in rows["results"]] == [
        ("2024-01-01T00:00:00Z", {"n": 5}),
        ("2024-01-02T00:00:00Z", {"n": 6}),
    ]
    listed = (await get(owner, "tables"))["tables"]
    assert listed == [{"table_name": "visits", "row_count": 2, "kind": "dataset", "dataset_id": done["dataset_id"]}]
    schema = await get(owner, "tables/visits/schema")
    assert [c["name"] for c in schema["columns"]] == ["ts", "n"]
    more = await send(owner, "Import as a dataset called visits", b"when,n\n2024-01-01,7\n", "v.csv")
    assert more["dataset_id"] == done["dataset_id"]
    undone = await post(owner, f"import/{done['import_id']}/undo", {})
    assert (undone["complete"], undone["rows_removed"]) == (True, 2)
    left = (await owner.get(f"/api/rows/?dataset={done['dataset_id']}")).json()
    assert (left["count"], left["results"][0]["values"]) == (1, {"n": 7})
    refused = await send(owner, "Import as a dataset", b"when,n\n2024-01-01,5\n,6\n", "v.csv", 400)
    assert "record 2" in refused["detail"]


async def test_progress_is_streamed_until_the_end(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into leads", CONTACTS)
    response = await owner.get(f"/api/v1/import/{done['import_id']}/progress")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.startswith("event: progress\ndata: {")
    assert '"status":"success"' in response.text


async def test_preview_writes_nothing(owner: httpx.AsyncClient) -> None:
    form = {"instruction": "Import into leads, email is the key"}
    response = await owner.post("/api/v1/smart-import/preview", data=form, files={"file": ("c.csv", CONTACTS)})
    plan = response.json()
    assert (plan["table_name"], plan["table_exists"], plan["records"]) == ("leads", False, 4)
    assert (plan["duplicates_in_file"], plan["validation_failures"], plan["key_columns"]) == (1, 1, ["email_address"])
    assert [(c["source"], c["name"], c["type"]) for c in plan["columns"]][1] == (
        "Email Address",
        "email_address",
        "VARCHAR",
    )
    assert plan["sample"][0] == {
        "full_name": "Ann Smith",
        "email_address": "ann@x.com",
        "age": 30,
        "joined": "2024-01-05",
    }
    assert (await get(owner, "tables"))["tables"] == []
    assert (await get(owner, "import-history"))["total_count"] == 0


async def test_a_thread_goes_on(owner: httpx.AsyncClient) -> None:
    told = "Import into leads, only the columns name and email, key is email"
    await send(owner, told, b"name,email,x\nA,a@x.com,1\n", thread_id="t1")
    done = await send(
        owner, "now the same for this file", b"name,email,x\nB,b@x.com,2\nA,a@x.com,1\n", "b.csv", thread_id="t1"
    )
    assert (done["table_name"], done["records_inserted"], done["duplicates_skipped"]) == ("leads", 1, 1)
    assert await csv_of(owner, done["import_id"]) == ["name,email", "B,b@x.com"]
    refused = await send(owner, "the same again", b"a\n1\n", "b.csv", 400, thread_id="other")
    assert "no earlier import" in refused["detail"]


async def test_evolution_policies(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into items, key is id", b"id,name,price\n1,a,5\n")
    more = b"id,name,price,color\n2,b,7,red\n3,c,8,\n"
    frozen = await send(owner, "Import into items, freeze the schema", more, "m.csv", 400)
    assert "color" in frozen["detail"]
    done = await send(owner, "Import into items and ignore new columns", more, "m.csv")
    assert (done["records_inserted"], done["new_columns"]) == (2, [])
    done = await send(owner, "Import into items, discard rows with new columns", b"id,color\n4,red\n5,\n", "m.csv")
    assert (done["records_inserted"], done["validation_failures"]) == (1, 1)
    done = await send(owner, "Import into items", b"id,price,color\n6,7.5,red\n", "m.csv")
    assert done["new_columns"] == ["color"]
    schema = await get(owner, "tables/items/schema")
    assert {c["name"]: c["type"] for c in schema["columns"]} == {
        "id": "BIGINT",
        "name": "VARCHAR",
        "price": "NUMERIC",
        "color": "VARCHAR",
    }


async def test_organizations_share_nothing(owner: httpx.AsyncClient, client: Any, people: Any) -> None:
    done = await send(owner, "Import into leads", CONTACTS)
    stranger = client(people.stranger)
    assert (await get(stranger, "tables"))["tables"] == []
    other = await send(stranger, "Import into leads", b"name\nX\n")
    assert (await get(stranger, "tables"))["tables"][0]["row_count"] == 1
    place = f"import/{done['import_id']}"
    for path in ("", "/export", "/issues", "/issues/duplicates", "/progress"):
        await get(stranger, place + path, 404)
    await get(stranger, f"import-history/{done['import_id']}", 404)
    for path in ("/undo", "/redo", "/clear-mapping", "/issues/correct"):
        await post(stranger, place + path, {}, 404)
    assert (await get(stranger, "import-history"))["total_count"] == 1
    body = {"mode": "condition", "condition": "email_address IS NOT NULL", "updates": {"full_name": "x"}}
    await post(stranger, "tables/leads/update", body, 400)
    assert (await get(owner, f"import-history/{other['import_id']}", 404))["detail"].startswith("Import not found")


async def test_records_that_look_alike_are_flagged_and_kept(owner: httpx.AsyncClient) -> None:
    data = (
        b"id,company,city,phone\n1,Acme Corp,Ulm,1\n2,ACME Corporation,Ulm,2\n3,Smith John,Bonn,3\n"
        b"4,John Smith,Bonn,4\n5,John Smith,Kiel,5\n6,Beta Ltd,Ulm,6\n"
    )
    keyed = await send(owner, "Import into keyed_firms, id is the key", data)
    assert (keyed["records_flagged"], keyed["has_correctable_issues"]) == (0, False)
    done = await send(owner, "Import into firms", data)
    assert (done["records_inserted"], done["duplicates_skipped"], done["has_correctable_issues"]) == (6, 0, True)
    assert done["records_flagged"] == 2
    assert "2 records look like another" in done["response_summary"]
    place = f"import/{done['import_id']}/issues"
    found = (await get(owner, place))["duplicates"]
    assert [(d["record_number"], d["duplicate_of_record"], d["match"]) for d in found] == [
        (2, 1, "fuzzy"),
        (4, 3, "fuzzy"),
    ]
    again = await send(owner, "Import into firms", b"company,city\nBeta,Ulm\n", "more.csv")
    other = (await get(owner, f"import/{again['import_id']}/issues"))["duplicates"][0]
    assert (other["existing_row"]["company"], other["match"]) == ("Beta Ltd", "fuzzy")
    decided = {"duplicates": [{"record_number": 2, "action": "skip"}, {"record_number": 4, "action": "insert"}]}
    assert (await post(owner, f"{place}/correct", decided))["rows_removed"] == 1
    counts = {table["table_name"]: table["row_count"] for table in (await get(owner, "tables"))["tables"]}
    assert counts == {"firms": 6, "keyed_firms": 6}


async def test_addresses_are_cleaned_and_can_be_restored(owner: httpx.AsyncClient) -> None:
    data = b"name,email\nAnn,Ann <ann@x.com>\nBob,mailto:bob@x.com\nCyd,cyd@x.com;\nDan,dan@x.com\n"
    done = await send(owner, "Import into people", data)
    assert (done["records_inserted"], done["value_replacements"]) == (4, 3)
    place = f"import/{done['import_id']}/issues"
    found = (await get(owner, place))["value_replacements"]
    assert [(r["original_value"], r["new_value"]) for r in found] == [
        ("Ann <ann@x.com>", "ann@x.com"),
        ("mailto:bob@x.com", "bob@x.com"),
        ("cyd@x.com;", "cyd@x.com"),
    ]
    actions = ("restore_original", "keep_replacement", "set_custom")
    body = {
        "value_replacements": [
            {"replacement_id": r["replacement_id"], "action": action, "custom_value": "new@x.com"}
            for r, action in zip(found, actions, strict=True)
        ]
    }
    await post(owner, f"{place}/correct", body)
    lines = await csv_of(owner, done["import_id"])
    assert lines[1:] == ["Ann,Ann <ann@x.com>", "Bob,bob@x.com", "Cyd,new@x.com", "Dan,dan@x.com"]


async def test_insert_as_is_and_rules(owner: httpx.AsyncClient) -> None:
    told = "Import into people; email is required, age must be between 0 and 120"
    done = await send(owner, told, b"name,email,age\nA,a@x.com,30\nB,,40\nC,c@x.com,200\n")
    assert (done["records_inserted"], done["validation_failures"]) == (1, 2)
    place = f"import/{done['import_id']}/issues"
    found = (await get(owner, place))["validation_failures"]
    assert [f["errors"][0]["reason"] for f in found] == ["required, but empty", "more than 120"]
    body = {
        "validation_failures": [
            {"failure_id": found[1]["failure_id"], "action": "insert_as_is"},
            {"failure_id": found[0]["failure_id"], "action": "discarded"},
        ]
    }
    assert (await post(owner, f"{place}/correct", body))["rows_inserted"] == 1
    assert (await csv_of(owner, done["import_id"]))[1:] == ["A,a@x.com,30", "C,c@x.com,200"]
    again = await send(owner, "Import into people", b"name,email,age\nD,d@x.com,500\n", "more.csv")
    assert again["validation_failures"] == 1
    schema = await get(owner, "tables/people/schema")
    assert {c["name"]: c["nullable"] for c in schema["columns"]} == {"name": True, "email": False, "age": True}


async def test_formulas_are_exported_safely_on_request(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into notes", b"text,n\n=cmd|' /C calc'!A0,-5\n@SUM(A1),3\nplain,4\n")
    assert (await csv_of(owner, done["import_id"]))[1] == "=cmd|' /C calc'!A0,-5"
    safe = await csv_of(owner, done["import_id"], safe="true")
    assert safe[1:] == ["'=cmd|' /C calc'!A0,-5", "'@SUM(A1),3", "plain,4"]


async def test_files_over_the_limit_are_refused(settings: Any, people: Any) -> None:
    from tests.conftest import serve

    async with serve(settings.model_copy(update={"max_body_bytes": 10_000})) as make:
        refused = await send(make(people.owner), "Import", b"a\n" + b"1\n" * 10_000, status=413)
        assert refused["detail"].startswith("Request body too large")


async def test_instructions_that_ask_not_to(owner: httpx.AsyncClient) -> None:
    refused = await send(owner, "Do not import this", b"a\n1\n", status=400)
    assert "unclear" in refused["detail"]
    done = await send(owner, "Import into a, and sing a song", b"a\n1\n")
    assert "Not understood: sing song" in done["response_summary"]
    for missing in ({"instruction": "x"}, {}):
        response = await owner.post("/api/v1/smart-import", data=missing)
        assert response.status_code == 422
        assert set(response.json()) == {"detail"}


async def test_two_imports_make_one_table_once(settings: Settings, people: People) -> None:
    files = [{"file": ("a.csv", b"id,n\n%d,1\n" % n)} for n in range(4)]
    form = {"instruction": "Import into shared, id is the key"}
    # On a slow machine the last one waits for its turn longer than a request should.
    async with serve(settings.model_copy(update={"queue_seconds": 60})) as make:
        owner = make(people.owner)
        answers = await asyncio.gather(*(owner.post("/api/v1/smart-import", data=form, files=f) for f in files))
        found = (await get(owner, "tables"))["tables"]
    assert {a.status_code for a in answers} <= {200, 400}
    good = sum(a.status_code == 200 for a in answers)
    assert good >= 1
    assert found == [{"table_name": "shared", "row_count": good, "kind": "table"}]
    assert all("meanwhile" in a.json()["detail"] for a in answers if a.status_code == 400)


async def test_a_column_that_others_widen_after_the_plan(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(owner, "Import into stock", b"n\n1\n")
    usual = service.load

    async def late(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(service, "load", usual)
        await send(owner, "Import into stock", b"n\n1.5\n")
        return await usual(*given, **named)

    monkeypatch.setattr(service, "load", late)
    assert (await send(owner, "Import into stock", b"n\n2\n"))["records_inserted"] == 1
    rows = (await get(owner, "tables/stock/rows"))["rows"]
    assert [row["n"] for row in rows] == [1, 1.5, 2]


async def test_wide_files(owner: httpx.AsyncClient) -> None:
    names = ",".join(f"c{n}" for n in range(900))
    done = await send(owner, "Import into wide", f"{names}\n{','.join(['1'] * 900)}\n".encode())
    assert done["records_inserted"] == 1
    assert len((await get(owner, "tables/wide/stats"))["statistics"]) == 900
    names = ",".join(f"c{n}" for n in range(1100))
    refused = await send(owner, "Import into wider", f"{names}\n{','.join(['1'] * 1100)}\n".encode(), status=400)
    assert "too wide" in refused["detail"]
    assert len((await get(owner, "tables"))["tables"]) == 1


async def test_nul_characters_are_refused_everywhere(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into a\0b", b"a\n1\n", status=400)
    await send(owner, "Import", b"a\n1\n", status=400, thread_id="\0")
    await send(
        owner, "Import", b"a\n1\n", status=400, callback_url="https://example.com/", callback_metadata='{"a":"\\u0000"}'
    )
    for path in ("tables/a%00b/schema", "import-history?table_name=%00", "import/%00"):
        assert "NUL" in (await get(owner, path, 400))["detail"]
    body = {"mode": "batch", "batch_updates": [{"keys": {"a": "\0"}, "values": {"a": 1}}]}
    await post(owner, "tables/a/update", body, 422)


@pytest.mark.parametrize(
    ("instruction", "rows"),
    [
        ("Import into t only rows where n is at least 2", ["2", "3"]),
        ("Import into t where name contains a", ["1", "3"]),
        ("Import into t, exclude rows where name is empty", ["1", "3"]),
        ("Import into t only rows where n between 2 and 3 and name is not empty", ["3"]),
        ("Import into t only rows where day is after 2024-01-01", ["2", "3"]),
        ("Import into t only rows where name is Ann or n is 2", ["1", "2"]),
        ("Import into t only rows where n is not 2", ["1", "3"]),
        ("Import into t only rows where name starts with A", ["1"]),
    ],
)
async def test_filters(owner: httpx.AsyncClient, instruction: str, rows: list[str]) -> None:
    data = b"n,name,day\n1,Ann,2024-01-01\n2,,2024-01-02\n3,Carla,2024-01-03\n"
    done = await send(owner, instruction, data)
    assert "Not understood" not in done["response_summary"]
    assert [line.split(",")[0] for line in (await csv_of(owner, done["import_id"]))[1:]] == rows


async def test_filters_that_make_no_sense(owner: httpx.AsyncClient) -> None:
    refused = await send(owner, "Import into t only rows where n is over many", b"n\n1\n2\n", status=400)
    assert "the filter on n compares with 'many', which is not a whole number" in refused["detail"]
    refused = await send(owner, "Import into t only rows where color is red", b"n\n1\n2\n", status=400)
    assert "the filter names 'color'; the file has n" in refused["detail"]
    await send(owner, "Import into t; day must be at least 5", b"n,day\n1,2024-01-01\n")


async def test_an_id_of_the_callers_choice(owner: httpx.AsyncClient) -> None:
    """The import can be followed by it, and a repeated request imports nothing."""
    chosen = "0f9d5c1e-1f6b-4c57-9f0e-3a2f2c9f7a10"
    form = {"instruction": "Import into people", "import_id": chosen}
    files = {"file": ("people.csv", b"name,age\nAnn,3\nBob,4\n")}
    done = await owner.post("/api/v1/smart-import", data=form, files=files)
    assert (done.status_code, done.json()["import_id"]) == (200, chosen)
    assert (await owner.get(f"/api/v1/import/{chosen}")).json()["status"] == "success"
    again = await owner.post("/api/v1/smart-import", data=form, files=files)
    assert (again.status_code, again.json()) == (
        400,
        {"detail": f"Import already exists: import_id: {chosen} is taken"},
    )
    assert (await owner.get("/api/v1/tables")).json()["tables"][0]["row_count"] == 2
    bad = await owner.post("/api/v1/smart-import", data=form | {"import_id": "1"}, files=files)
    assert bad.status_code == 422
