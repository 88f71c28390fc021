"""Counts of imports are true: every record is inserted, updated, skipped, waiting or left out, and nothing else."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import httpx
import openpyxl
import pytest
from tests.api.test_imports import get, post, send

pytestmark = pytest.mark.anyio

PARTS = ("records_inserted", "records_updated", "duplicates_skipped", "validation_failures", "records_left_out")
EXPECTED = (*PARTS, "value_replacements", "records_flagged")
DUPLICATES = ("skip duplicates", "flag duplicates", "update existing rows", "keep all duplicates", None)


def _record(choice: random.Random) -> str:
    email = choice.choice([f"u{choice.randrange(12)}@x.com", f"U{choice.randrange(12)}@X.com", "no address", ""])
    name = choice.choice(["Ann Smith", "Smith Ann", "Bob", "", "Cyd Jones"])
    return f"{email},{name},{choice.choice(['US', 'DE', ''])},{choice.randrange(40)}"


def _file(choice: random.Random) -> bytes:
    lines = [_record(choice) for _ in range(choice.randrange(1, 40))]
    for _ in range(choice.randrange(3)):
        lines.insert(choice.randrange(len(lines) + 1), choice.choice(["", "x@x.com,too,many,1,cells,here", "only"]))
    return ("email,name,country,score\n" + "\n".join(lines) + "\n").encode()


def _instruction(choice: random.Random) -> str:
    parts = ["Import into people"]
    if choice.random() < 0.6:
        parts.append("The email is the key")
    if (duplicates := choice.choice(DUPLICATES)) is not None:
        parts.append(duplicates.capitalize())
    if choice.random() < 0.4:
        parts.append("Score must be between 0 and 30")
    if choice.random() < 0.4:
        parts.append("Import only rows where country is US")
    return ". ".join(parts) + "."


@pytest.mark.parametrize("seed", range(8))
async def test_every_record_is_counted_once(owner: httpx.AsyncClient, seed: int) -> None:
    choice = random.Random(seed)
    before = 0
    for _ in range(5):
        told, file = _instruction(choice), _file(choice)
        sent = {"data": {"instruction": told}, "files": {"file": ("p.csv", file)}}
        preview = await owner.post("/api/v1/smart-import/preview", **sent)
        answer = await owner.post("/api/v1/smart-import", **sent)
        if answer.status_code == 400:
            continue
        done: dict[str, Any] = answer.json()
        plan = preview.json()
        if plan["duplicates_in_table"] is not None:
            assert {part: plan[part] for part in EXPECTED} == {part: done[part] for part in EXPECTED}, (told, file)
        shown = [cell for cell in plan["failing_cells"] if cell["column"]]
        waiting = (await get(owner, f"import/{done['import_id']}/issues"))["validation_failures"]
        errors = [
            (one["record_number"], error["column"], error["value"] or None, error["reason"])
            for one in waiting
            for error in one["errors"]
            if error["column"]
        ]
        found_cells = [(one["record_number"], one["column"], one["value"] or None, one["reason"]) for one in shown]
        assert found_cells == errors[: len(shown)], (told, file)
        every = sum(len(one["errors"]) for one in waiting)
        assert len(plan["failing_cells"]) == min(20, every)
        assert len(plan["failing_cells"]) + plan["failing_cells_more"] == every
        assert done["records_processed"] == sum(done[part] for part in PARTS), (told, file, done)
        rows = (await get(owner, "tables/people/rows?limit=1"))["total_count"]
        assert rows == before + done["records_inserted"], (told, file, done)
        before = rows
        found = (await get(owner, f"import/{done['import_id']}/issues"))["summary"]
        assert found["duplicates_count"] == done["duplicates_skipped"] + done["records_flagged"], (told, file, done)
        assert found["validation_failures_count"] == done["validation_failures"], (told, file, done)
        kept = (await get(owner, f"import-history/{done['import_id']}"))["import"]
        assert {part: kept[part] for part in PARTS if part in kept} == {p: done[p] for p in PARTS if p in kept}


async def test_an_undone_import_says_so_in_its_counts(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into t, id is the key", b"id,a\n1,x\n2,y\n")
    await post(owner, f"import/{done['import_id']}/undo", {})
    kept = (await get(owner, "import-history"))["imports"][0]
    assert (kept["status"], kept["records_inserted"]) == ("undone", 0)
    assert kept["response_summary"] == "Taken back: 2 rows removed; 0 rows restored; table t removed."


async def test_duplicates_that_are_asked_for_are_found(owner: httpx.AsyncClient) -> None:
    file = b"email,name\na@x.com,Ann\nb@x.com,Bob\nA@x.com,Ann Smith\n"
    done = await send(owner, "Import into one and skip duplicates", file)
    assert (done["duplicates_skipped"], "same email count as duplicates" in done["response_summary"]) == (1, True)
    none = await send(owner, "Import into two and skip duplicates", b"a,b\n1,x\n1,y\n1,y\n")
    assert none["duplicates_skipped"] == 1
    assert "no column was found that tells records apart" in none["response_summary"]
    more = await send(owner, "Import into two", b"a\n1\n")
    assert "two has no key and the file lacks b" in more["response_summary"]


ODD = [("id", "email", "n"), (1, "a@x.com", 5), (1, "a@x.com", 5), (2, "bad", 6), (3, None, None), (4, "d@x.com", 99)]
INSTRUCTIONS = (
    "",
    ", id is the key, skip duplicates",
    ", update existing rows, id is the key",
    ", flag duplicates",
    ". n must be between 0 and 10. Import only rows where id is over 1",
)


def _files() -> list[tuple[str, bytes]]:
    """The same records in files of each kind, some with more that is no record or not whole."""
    book = openpyxl.Workbook()
    for row in [*ODD, (None, None, None), ("Total", None, 115)]:
        book.active.append(row)
    saved = io.BytesIO()
    book.save(saved)
    records = [dict(zip(ODD[0], row, strict=True)) for row in ODD[1:]]
    parts = ("".join(f"<{k}>{v}</{k}>" for k, v in each.items() if v is not None) for each in records)
    xml = f"<r>{''.join(f'<o>{part}</o>' for part in parts)}</r>"
    ragged = b"id,email,n\n1,a@x.com,5\n1,a@x.com,5\n2,b@x.com\n3,c@x.com,7,8\n\n,,\n4,d@x.com,9\nTotal,,26\n"
    return [
        ("a.xlsx", saved.getvalue()),
        ("a.json", json.dumps([*records, {"id": 9, "more": {"a": 1}}]).encode()),
        ("a.xml", xml.encode()),
        ("a.csv", ragged),
    ]


@pytest.mark.parametrize("told", INSTRUCTIONS)
async def test_files_of_every_kind_are_counted_once(owner: httpx.AsyncClient, told: str) -> None:
    for number, (name, file) in enumerate(_files()):
        before = 0
        into, replace = f"Import into t{number}{told}", f"Replace everything in the t{number} table with this file"
        for instruction in (into, into, replace):
            done = await send(owner, instruction, file, name)
            assert done["records_processed"] == sum(done[part] for part in PARTS), (instruction, name)
            rows = (await get(owner, f"tables/t{number}/rows?limit=1"))["total_count"]
            before = done["records_inserted"] + (0 if "Replace" in instruction else before)
            assert rows == before
    only = await send(owner, "Update the n in the t1 table, match on id", b"id,n\n1,7\n1,8\n77,5\n,3\nxx,4\n")
    assert only["records_processed"] == sum(only[part] for part in PARTS)
    assert only["records_inserted"] == 0
