"""Undo, redo and corrections lose nothing: each is whole or nothing, and each can be taken back."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send

pytestmark = pytest.mark.anyio

FLAGGED = b"name,city,note\nAnn Smith,Bonn,x\nSmith Ann,Bonn,y\nBob Brown,Ulm,z\n"


async def rows(client: httpx.AsyncClient, table: str, *, archived: bool = False) -> list[dict[str, Any]]:
    """Rows of a table without the numbers, in the order of their numbers."""
    found = (await get(client, f"tables/{table}/rows?archived={'true' if archived else 'false'}"))["rows"]
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in found]


async def test_a_redo_that_fails_changes_nothing(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into fr. Email is required", b"email,name\na@x.com,Ann\n,Bob\nb@x,Cyd\n")
    place = f"import/{done['import_id']}"
    failures = (await get(owner, f"{place}/issues"))["validation_failures"]
    await post(owner, f"{place}/issues/correct", {"validation_failures": [
        {"failure_id": failures[0]["failure_id"], "action": "insert_corrected",
         "corrected_data": {"email": "bob@x.com"}}]})  # fmt: skip
    before = await rows(owner, "fr")
    assert [row["name"] for row in before] == ["Ann", "Bob"]
    for mapping in ({"email": "Nope"}, {"email": "email", "name": "Nope Either"}):
        body = {"mapping": {"table_name": "fr", "mappings": mapping}, "auto_execute": True}
        answer = await owner.post(f"/api/v1/{place}/redo", json=body)
        if answer.status_code == 400:
            assert await rows(owner, "fr") == before
    assert (await get(owner, place))["status"] == "success"
    assert (await get(owner, f"{place}/issues"))["summary"]["validation_failures_count"] == 1


async def test_a_mapping_that_is_not_run_at_once_is_kept(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into lost", b"Email Address,Full Name\na@x.com,Ann\n")
    place = f"import/{done['import_id']}"
    mapping = {"table_name": "kept", "mappings": {"email": "Email Address"}}
    reset = await post(owner, f"{place}/redo", {"mapping": mapping, "auto_execute": False})
    assert reset["status"] == "reset"
    assert (await get(owner, f"import-history/{done['import_id']}"))["import"]["mapping"]["table_name"] == "kept"
    again = await post(owner, f"{place}/redo", {"auto_execute": True})
    assert (again["table_name"], await rows(owner, "kept")) == ("kept", [{"email": "a@x.com"}])
    await post(owner, f"{place}/clear-mapping", {})
    assert (await get(owner, f"import-history/{done['import_id']}"))["import"]["mapping"] is None
    assert (await post(owner, f"{place}/redo", {"auto_execute": True}))["table_name"] == "lost"


async def test_a_row_that_was_edited_is_not_skipped(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into flg and flag duplicates", FLAGGED)
    place = f"import/{done['import_id']}/issues"
    update = {"mode": "condition", "condition": "note = 'y'", "updates": {"note": "by hand"}}
    edited = await post(owner, "tables/flg/update", update)
    refused = await post(owner, f"{place}/correct", {"duplicates": [{"record_number": 2, "action": "skip"}]}, 400)
    assert "duplicates[0]: row 2 was changed since" in refused["detail"]
    await post(owner, f"import/{edited['import_id']}/undo", {})
    skipped = await post(owner, f"{place}/correct", {"duplicates": [{"record_number": 2, "action": "skip"}]})
    assert (skipped["rows_removed"], skipped["summary"]["has_issues"]) == (1, False)
    assert [row["note"] for row in await rows(owner, "flg")] == ["x", "z"]


async def test_a_correction_can_be_undone(owner: httpx.AsyncClient) -> None:
    file = b"id,name,age\n1,Ann,30\n1,Ann,31\n2,Bob,n/a\n3,Cyd,300\n"
    told = "Import into people. Id is the key. Age must be between 0 and 150."
    done = await send(owner, told, file)
    place = f"import/{done['import_id']}"
    found = await get(owner, f"{place}/issues")
    before = await rows(owner, "people")
    decided = await post(owner, f"{place}/issues/correct", {
        "duplicates": [{"record_number": 2, "action": "insert"}],
        "validation_failures": [{"failure_id": found["validation_failures"][0]["failure_id"],
                                 "action": "insert_corrected", "corrected_data": {"age": 40}}],
        "value_replacements": [{"replacement_id": found["value_replacements"][0]["replacement_id"],
                                "action": "set_custom", "custom_value": 50}],
    })  # fmt: skip
    assert (decided["rows_inserted"], decided["rows_updated"], decided["resolved"]) == (2, 1, 3)
    assert len(await rows(owner, "people")) == 4
    history = (await get(owner, "import-history"))["imports"][0]
    assert (history["kind"], history["records_inserted"]) == ("correction", 2)
    undone = await post(owner, f"import/{decided['correction_id']}/undo", {})
    assert (undone["complete"], undone["rows_removed"], undone["rows_restored"]) == (True, 2, 1)
    assert await rows(owner, "people") == before
    assert (await get(owner, f"{place}/issues"))["summary"] == found["summary"]
    assert (await get(owner, f"import-history/{done['import_id']}"))["import"]["records_inserted"] == 2
    # The same once more, then the whole import.
    await post(owner, f"{place}/issues/correct", {"duplicates": [{"record_number": 2, "action": "insert"}]})
    assert (await post(owner, f"{place}/undo", {}))["table_removed"] is True


async def test_decisions_made_before_are_no_correction(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into t, id is the key", b"id,a\n1,x\n1,y\n")
    path, body = f"import/{done['import_id']}/issues/correct", {"duplicates": [{"record_number": 2, "action": "skip"}]}
    first = await post(owner, path, body)
    again = await post(owner, path, body)
    assert first["correction_id"] is not None
    assert (again["already_resolved"], again["correction_id"]) == (1, None)


async def test_imports_at_once_into_a_new_table_all_arrive(owner: httpx.AsyncClient) -> None:
    files = 3
    answers = await asyncio.gather(
        *(send(owner, "Import into par, keep all duplicates", f"id,v\n{n},a\n".encode()) for n in range(files))
    )
    assert sum(answer["action_taken"] == "create" for answer in answers) == 1
    assert sorted(row["id"] for row in await rows(owner, "par")) == list(range(files))


async def test_new_columns_at_once_all_arrive(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into par, id is the key", b"id,v\n0,a\n")
    await asyncio.gather(*(send(owner, "Import into par", f"id,v,extra\n{n},a,{n}\n".encode()) for n in range(1, 4)))
    assert sorted(row["extra"] or 0 for row in await rows(owner, "par")) == [0, 1, 2, 3]
