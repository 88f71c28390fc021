"""Every table can be asked when its rows came and changed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import csv_of, get, post, send

pytestmark = pytest.mark.anyio

LEADS = b"name,email,state\nAnn,ann@x.com,CA\nBob,bob@x.com,NY\n"


async def lines(client: httpx.AsyncClient, sql: str) -> list[str]:
    found: list[str] = (await post(client, "sql", {"sql": sql}))["data_csv"].splitlines()
    return found[1:]


async def test_rows_have_the_times_of_their_import_and_change(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import this into my leads table", LEADS)
    recent = "created_at >= NOW() - INTERVAL '30 days'"
    assert await lines(owner, f"SELECT * FROM leads WHERE state = 'CA' AND {recent}") == ["Ann,ann@x.com,CA"]
    assert await lines(owner, f"SELECT count(*) FROM leads l WHERE l.{recent} AND l.updated_at = l.created_at") == ["2"]
    assert await lines(owner, "SELECT count(*) FROM leads WHERE created_at < now() - interval '1 day'") == ["0"]
    await post(
        owner, "tables/leads/update", {"mode": "condition", "condition": "name = 'Bob'", "updates": {"state": "TX"}}
    )
    assert await lines(owner, "SELECT name FROM leads WHERE updated_at > created_at") == ["Bob"]
    assert await lines(
        owner, "SELECT count(DISTINCT created_at) FROM leads GROUP BY date_trunc('day', created_at)"
    ) == ["1"]
    schema = await get(owner, "tables/leads/schema")
    assert [column["name"] for column in schema["columns"]] == ["name", "email", "state"]
    assert [column["name"] for column in schema["system_columns"]] == ["created_at", "updated_at"]
    assert (await csv_of(owner, done["import_id"]))[0] == "name,email,state"
    assert "_created" in (await csv_of(owner, done["import_id"], include_metadata="true"))[0]


async def test_questions_name_them(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import this into my leads table", LEADS)
    asked = {"prompt": "Show me all leads from CA added in the last 30 days", "table_name": "leads"}
    answer = await post(owner, "query", asked)
    assert (answer["success"], answer["rows_returned"]) == (True, 1), answer
    assert "created_at" in answer["executed_sql"]
    assert any("created_at is when Atlas got the row" in told for told in answer["assumptions"])


async def test_columns_of_a_file_with_these_names_are_the_table_s_own(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into old", b"id,created_at\n1,2020-01-31\n")
    await send(owner, "Import into other", b"id,v\n1,x\n")
    joined = "SELECT created_at FROM old o JOIN other t ON o.id = t.id"
    assert await lines(owner, joined) == ["2020-01-31"]
    assert await lines(owner, "SELECT t.created_at > o.created_at FROM old o JOIN other t ON o.id = t.id") == ["true"]
    schema = await get(owner, "tables/old/schema")
    assert [column["name"] for column in schema["system_columns"]] == ["updated_at"]
    # A file that brings one later makes it the table's own.
    await send(owner, "Import into other", b"id,v,created_at\n2,y,2021-05-01\n")
    assert await lines(owner, "SELECT created_at FROM other ORDER BY id") == ['""', "2021-05-01"]


@pytest.mark.parametrize("sql", ["SELECT created_at FROM leads a, leads b", "SELECT _created FROM leads"])
async def test_what_is_not_clear_is_refused(owner: httpx.AsyncClient, sql: str) -> None:
    await send(owner, "Import this into my leads table", LEADS)
    answer: dict[str, Any] = await post(owner, "sql", {"sql": sql}, 400)
    assert answer["detail"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(u.created_at) FROM (SELECT created_at FROM a UNION ALL SELECT created_at FROM b) u", ["4"]),
        ("WITH c AS (SELECT id, updated_at FROM a) SELECT updated_at IS NULL, count(*) FROM c GROUP BY 1", ["false,2"]),
        ("SELECT id FROM a WHERE created_at = (SELECT max(created_at) FROM a) ORDER BY id", ["1", "2"]),
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.created_at >= a.created_at)", ["1"]),
        ("SELECT id, row_number() OVER (ORDER BY created_at, id) FROM a", ["1,1", "2,2"]),
        ("SELECT a.*, b.created_at IS NULL FROM a LEFT JOIN b USING (id) ORDER BY id", ["1,x,false", "2,y,true"]),
        ("SELECT count(*) FILTER (WHERE CREATED_AT <= now()) FROM A GROUP BY date_trunc('year', A.Created_At)", ["2"]),
        ("SELECT * FROM a WHERE id IN (SELECT id FROM b WHERE created_at > now() - interval '1 hour')", ["1,x"]),
    ],
)
async def test_times_of_rows_wherever_a_query_names_them(
    owner: httpx.AsyncClient, sql: str, expected: list[str]
) -> None:
    await send(owner, "Import into a, id is the key", b"id,v\n1,x\n2,y\n")
    await send(owner, "Import into b, id is the key", b"id,w\n1,x\n3,y\n")
    assert await lines(owner, sql) == expected


async def test_undo_and_archive_keep_when_rows_came(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into a, id is the key", b"id,v\n1,x\n2,y\n")
    came = await lines(owner, "SELECT created_at FROM a WHERE id = 1")
    update = {"mode": "condition", "condition": "id = 1", "updates": {"v": "z"}}
    changed = [(await post(owner, "tables/a/update", update))["import_id"]]
    await post(owner, f"import/{changed[0]}/undo", {})
    archived = (await owner.request("DELETE", "/api/v1/tables/a/rows/1")).json()["import_id"]
    assert await lines(owner, "SELECT count(*), count(created_at) FROM a") == ["1,1"]
    await post(owner, f"import/{archived}/undo", {})
    assert await lines(owner, "SELECT created_at FROM a WHERE id = 1 AND updated_at > created_at") == came
