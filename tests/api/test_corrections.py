"""Undo, redo and corrections lose nothing: each is whole or nothing, and each can be taken back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send

from atlas.imports.file_stager import FileStager
from atlas.imports.staging import Staging

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
    await post(
        owner,
        f"{place}/issues/correct",
        {
            "validation_failures": [
                {
                    "failure_id": failures[0]["failure_id"],
                    "action": "insert_corrected",
                    "corrected_data": {"email": "bob@x.com"},
                }
            ]
        },
    )
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
    decided = await post(
        owner,
        f"{place}/issues/correct",
        {
            "duplicates": [{"record_number": 2, "action": "insert"}],
            "validation_failures": [
                {
                    "failure_id": found["validation_failures"][0]["failure_id"],
                    "action": "insert_corrected",
                    "corrected_data": {"age": 40},
                }
            ],
            "value_replacements": [
                {
                    "replacement_id": found["value_replacements"][0]["replacement_id"],
                    "action": "set_custom",
                    "custom_value": 50,
                }
            ],
        },
    )
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


async def test_a_table_made_while_a_file_is_read_takes_it(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging, waiting = FileStager.staging, [b"id;v\n1;b\n"]

    @contextlib.asynccontextmanager
    async def overtaken(stager: FileStager, *arguments: Any, **named: Any) -> AsyncIterator[Staging]:
        async with staging(stager, *arguments, **named) as made:
            if waiting:
                await send(owner, "Import into par, keep all duplicates", waiting.pop())
            yield made

    monkeypatch.setattr(FileStager, "staging", overtaken)
    await send(owner, "Import into par, keep all duplicates", b"id,v\n0,a\n")
    assert sorted(row["id"] for row in await rows(owner, "par")) == [0, 1]


async def test_new_columns_at_once_all_arrive(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into par, id is the key", b"id,v\n0,a\n")
    await asyncio.gather(*(send(owner, "Import into par", f"id,v,extra\n{n},a,{n}\n".encode()) for n in range(1, 4)))
    assert sorted(row["extra"] or 0 for row in await rows(owner, "par")) == [0, 1, 2, 3]


async def test_of_several_records_of_a_key_an_empty_cell_changes_nothing(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into ud, email is the key", b"email,name,city\nz@x.com,Zoe,Ulm\n")
    file = b"email,name,city\nq@x.com,First,\nq@x.com,Second,Bonn\nQ@X.com,,\nz@x.com,Zed,\nz@x.com,,Rom\n"
    await send(owner, "Import into ud, update existing rows", file)
    found = {row["email"].lower(): (row["name"], row["city"]) for row in await rows(owner, "ud")}
    assert found == {"q@x.com": ("Second", "Bonn"), "z@x.com": ("Zed", "Rom")}
    update = b"email,name,city\nZ@x.com,Zed 2,\nz@X.com,,Oslo\n"
    done = await owner.post(
        "/api/v1/tables/ud/update/file", data={"key_columns": "email"}, files={"file": ("u.csv", update)}
    )
    assert (done.json()["rows_updated"], done.json()["not_found"]) == (1, [])
    assert {row["email"]: (row["name"], row["city"]) for row in await rows(owner, "ud")}["z@x.com"] == ("Zed 2", "Oslo")


KEYED = b"email,name\na@x.com,Ann\nb@x.com,Bob\nc@x.com,Cyd\n"
TAKEN = (
    ("tables/keyed/update", {"mode": "condition", "condition": "name = 'Bob'", "updates": {"email": "A@x.com"}}),
    ("tables/keyed/update", {"mode": "condition", "condition": "email is not null", "updates": {"email": "d@x.com"}}),
    (
        "tables/keyed/update",
        {"mode": "batch", "batch_updates": [{"keys": {"email": "b@x.com"}, "values": {"email": "a@x.com"}}]},
    ),
    (
        "tables/keyed/update",
        {
            "mode": "batch",
            "batch_updates": [{"keys": {"email": n}, "values": {"email": "d@x.com"}} for n in ("a@x.com", "b@x.com")],
        },
    ),
)


@pytest.mark.parametrize(("path", "body"), TAKEN)
async def test_no_change_gives_two_rows_one_key(owner: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    await send(owner, "Import into keyed, email is the key", KEYED)
    before = await rows(owner, "keyed")
    refused = await post(owner, path, body, 400)
    assert "Key is taken" in refused["detail"]
    assert "has already" in refused["detail"]
    assert await rows(owner, "keyed") == before


async def test_no_single_change_gives_two_rows_one_key(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into keyed, email is the key", KEYED)
    changed = await owner.patch("/api/v1/tables/keyed/rows/2", json={"values": {"email": "a@x.com"}})
    assert (changed.status_code, "row 1 has already" in changed.text) == (400, True)
    told = await owner.post(
        "/api/v1/smart-data-instruction",
        content="Update the keyed with email b@x.com: set email to c@x.com",
        headers={"Content-Type": "text/plain"},
    )
    assert "success" not in told.json() or told.json()["success"] is False, told.text
    file = await owner.post(
        "/api/v1/tables/keyed/update/file",
        data={"key_columns": "name"},
        files={"file": ("u.csv", b"name,email\nBob,a@x.com\n")},
    )
    assert (file.status_code, "Key is taken" in file.text) == (400, True)
    # A key that was freed and used again does not come back by restoring.
    assert (await owner.delete("/api/v1/tables/keyed/rows/3")).status_code == 200
    await send(owner, "Import into keyed", b"email,name\nc@x.com,New\n")
    restored = await owner.post("/api/v1/tables/keyed/rows/3/restore")
    assert (restored.status_code, "row 4 has already" in restored.text) == (400, True)


async def test_swapped_and_unchanged_keys_are_no_collision(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into keyed, email is the key", KEYED)
    swap = {
        "mode": "batch",
        "batch_updates": [
            {"keys": {"name": "Ann"}, "values": {"email": "b@x.com"}},
            {"keys": {"name": "Bob"}, "values": {"email": "a@x.com"}},
            {"keys": {"name": "Cyd"}, "values": {"email": "C@x.com"}},
        ],
    }
    assert (await post(owner, "tables/keyed/update", swap))["rows_changed"] == 3
    assert [row["email"] for row in await rows(owner, "keyed")] == ["b@x.com", "a@x.com", "C@x.com"]


async def test_counts_of_an_import_follow_its_decisions(owner: httpx.AsyncClient) -> None:
    """Records are inserted, repeats, failures or left out, whatever is decided; open issues are counted."""
    people = ["Ann Smith", "Smith Ann", "Bob Brown", "Cyd Gray", "Dan Hill", "Eve Long"]
    lines = [f"{name},{n // 2 * 20},note {n // 2}" for n, name in enumerate(people)]
    file = "\n".join(["name,age,note", *lines, lines[2], "Fay Bad,900,x", "Gus Bad,901,y", "Hal Odd,n/a,z"]).encode()
    told = "Import into counted and flag duplicates. Age must be between 0 and 150."
    done = await send(owner, told, file)
    place = f"import/{done['import_id']}"

    async def now() -> dict[str, Any]:
        found: dict[str, Any] = (await get(owner, f"import-history/{done['import_id']}"))["import"]
        parts = ("records_inserted", "records_updated", "duplicates_found", "validation_failures", "records_left_out")
        assert sum(found[name] for name in parts) == found["records_processed"] == len(file.splitlines()) - 1
        table = await get(owner, "tables/counted/rows?limit=1")
        assert found["records_inserted"] == table["total_count"]
        waiting = (await get(owner, f"{place}/issues"))["summary"]
        assert found["issues_open"] == sum(waiting[name] for name in waiting if name.endswith("_count"))
        listed = await get(owner, "import-history?waiting=true")
        assert (done["import_id"] in [one["import_id"] for one in listed["imports"]]) == (found["issues_open"] > 0)
        assert listed["waiting_count"] == listed["total_count"]
        settled = await get(owner, "import-history?waiting=false&limit=1000")
        assert (done["import_id"] in [one["import_id"] for one in settled["imports"]]) == (found["issues_open"] == 0)
        return found

    first = await now()
    assert first["started_at"] is not None
    assert first["created_at"] <= first["started_at"] <= first["finished_at"]
    assert (first["duplicates_found"], first["validation_failures"], first["issues_resolved"]) == (1, 2, 0)
    found = await get(owner, f"{place}/issues")
    steps: list[dict[str, Any]] = []
    for issue in found["duplicates"]:
        action = "skip" if issue["row_id"] else "insert"
        steps.append({"duplicates": [{"record_number": issue["record_number"], "action": action}]})
    failures = [issue["failure_id"] for issue in found["validation_failures"]]
    steps.append({"validation_failures": [{"failure_id": failures[0], "action": "insert_as_is"}]})
    steps.append({"validation_failures": [{"failure_id": failures[1], "action": "discarded"}]})
    replaced = found["value_replacements"][0]["replacement_id"]
    steps.append({"value_replacements": [{"replacement_id": replaced, "action": "set_custom", "custom_value": 7}]})
    corrections = []
    for n, step in enumerate(steps):
        corrections.append((await post(owner, f"{place}/issues/correct", step))["correction_id"])
        assert (await now())["issues_resolved"] == n + 1
    last = await now()
    assert (last["validation_failures"], last["duplicates_found"], last["issues_open"]) == (1, 1, 0)
    for correction in reversed(corrections):
        assert (await post(owner, f"import/{correction}/undo", {}))["complete"]
        await now()
    names = ("records_inserted", "duplicates_found", "validation_failures", "issues_open", "issues_resolved")
    again = await now()
    assert [again[name] for name in names] == [first[name] for name in names]
    await post(owner, f"{place}/undo", {})
    undone = (await get(owner, f"import-history/{done['import_id']}"))["import"]
    assert (undone["issues_open"], undone["issues_resolved"]) == (0, 0)


async def test_a_type_that_an_undo_keeps_is_told(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into w, id is the key", b"id,n\n1,5\n2,6\n")
    wider = await send(owner, "Import into w", b"id,n\n3,7.5\n")
    text = await send(owner, "Import into w", b"id,n\n4,x9\n5,y8\n6,abc\n")
    told = "columns keep the types that they were given: n {}"
    for done, type_ in ((text, "VARCHAR"), (wider, None)):
        dry = await post(owner, f"import/{done['import_id']}/undo?dry_run=true", {})
        undone = await post(owner, f"import/{done['import_id']}/undo", {})
        for answer in (dry, undone):
            # What is wider by another import is none of this one's doing.
            assert (told.format(type_) in answer["message"]) if type_ else ("types" not in answer["message"])
    assert [row["n"] for row in await rows(owner, "w")] == ["5", "6"]


async def test_a_type_that_a_run_before_a_redo_made_is_told(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into w, id is the key", b"id,n\n1,5\n2,6\n")
    text = await send(owner, "Import into w", b"id,n\n4,x9\n5,y8\n6,abc\n")
    place = f"import/{text['import_id']}"
    for body in ({"auto_execute": True}, {"auto_execute": False}, {"auto_execute": True}):
        await post(owner, f"{place}/redo", body)
    undone = await post(owner, f"{place}/undo", {})
    assert "columns keep the types that they were given: n VARCHAR" in undone["message"]


async def test_a_type_that_a_correction_or_update_made_is_told_by_its_undo(owner: httpx.AsyncClient) -> None:
    lines = b"".join(b"%d,%d\n" % (n, n) for n in range(20)) + b"20,n/k\n"
    done = await send(owner, "Import into w, id is the key", b"id,n\n" + lines)
    place = f"import/{done['import_id']}/issues"
    issue = (await get(owner, place))["value_replacements"][0]["replacement_id"]
    body = {"value_replacements": [{"replacement_id": issue, "action": "restore_original"}], "allow_type_change": True}
    fixed = await post(owner, f"{place}/correct", body)
    undone = await post(owner, f"import/{fixed['correction_id']}/undo", {})
    assert "columns keep the types that they were given: n VARCHAR" in undone["message"]


@pytest.mark.parametrize(
    ("emails", "reason"),
    [
        (("A@X.com",), "would have email 'A@X.com', which row 1 has already"),
        (("q@x.com", "Q@x.com"), "would have email 'q@x.com', as validation_failures[1] has"),
    ],
)
async def test_a_record_that_was_mended_gives_no_key_twice(
    owner: httpx.AsyncClient, emails: tuple[str, ...], reason: str
) -> None:
    file = b"email,v\na@x.com,1\nc@x.com,99\nd@x.com,98\n"
    done = await send(owner, "Import into ce, email is the key. v must be between 0 and 10", file)
    place = f"import/{done['import_id']}/issues"
    failures = (await get(owner, place))["validation_failures"]
    mended = [{"email": email, "v": 3} for email in emails]
    body = [
        {"failure_id": failure["failure_id"], "action": "insert_corrected", "corrected_data": record}
        for failure, record in zip(failures, mended, strict=False)
    ]
    refused = await post(owner, f"{place}/correct", {"validation_failures": body}, 400)
    assert refused["detail"] == f"Key is taken: validation_failures[0]: the record {reason}"
    assert [row["email"] for row in await rows(owner, "ce")] == ["a@x.com"]
