"""An import that runs now, one that runs later, and a preview come to the same: table, counts, issues and notes.

ATLAS_SAME_FILES says how many files are made and tried, 6 by default.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.api.test_background import Receiver, _impatient, receiver, working
from tests.api.test_imports import get

pytestmark = pytest.mark.anyio
__all__ = ["_impatient", "receiver", "working"]
FILES = int(os.environ.get("ATLAS_SAME_FILES", "6"))
COUNTS = (
    "records_inserted",
    "records_updated",
    "duplicates_skipped",
    "validation_failures",
    "records_left_out",
    "value_replacements",
    "records_flagged",
)
COLUMNS = {
    "id": lambda c, n: str(n if c.random() < 0.95 else c.randrange(1, 9)),
    "email": lambda c, n: c.choice([f"u{n}@x.com", f"U{n % 7}@X.com", "none", "", f"<v{n}@x.com>"]),
    "name": lambda c, n: c.choice(["Müller", "Łódź", "Ann Smith", "Smith Ann", "O'Brien, Jr", "", "  padded "]),
    "amount": lambda c, n: c.choice([f"{n}.50", f"{n},25", f"1.{n % 10}00", f"${n}", f"{n} kr.", "n/a", "-", f"{n}"]),
    "price": lambda c, n: f"{n}.{c.randrange(10, 99)}",
    "day": lambda c, n: c.choice([f"{n % 28 + 1:02}.03.2024", f"{n % 12 + 1:02}.{n % 12 + 1:02}.2024", "31.02.2024"]),
    "when": lambda c, n: f"2024-03-{n % 28 + 1:02}T10:{n % 60:02}:00{c.choice(['', 'Z'])}",
    "paid": lambda c, n: c.choice(["yes", "no", "Yes"]),
    "code": lambda c, n: c.choice([f"{n:05}", f"{n}a", "1.10", "007"]),
    "country": lambda c, n: c.choice(["US", "DE", "us", ""]),
}
CLAUSES = (
    "id is the key",
    "skip duplicates",
    "flag duplicates",
    "update existing rows",
    "amount is a number",
    "email is required",
    "only rows where country is US",
    "only the first 5 rows of the file",
    "without name",
    "only US rows",
    "day first",
    "treat code as text",
    "numbers use a decimal comma",
    "price must be between 1 and 20",
)


def _file(choice: random.Random) -> tuple[str, bytes]:
    """A CSV with some of the columns, in some encoding, with lines that are none or are ragged."""
    names = choice.sample(sorted(COLUMNS), choice.randrange(2, 8))
    delimiter = choice.choice(",;\t|")
    lines = [delimiter.join(names)]
    for n in range(1, choice.randrange(3, 30)):
        cells = [COLUMNS[name](choice, n) for name in names]
        lines.append(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in cells))
    for odd in ("", delimiter.join("x" * (len(names) + 1)), "x", delimiter.join(["Total", *[""] * (len(names) - 1)])):
        if choice.random() < 0.2:
            lines.insert(choice.randrange(1, len(lines) + 1), odd)
    if choice.random() < 0.2:
        lines.insert(0, "Report of March")
    return "f.csv", "\n".join([*lines, ""]).encode(choice.choice(["utf-8", "cp1250", "utf-16"]), "replace")


def _plain(value: Any, table: str) -> Any:
    """What an import says, without ids and the name of its table."""
    if isinstance(value, dict):
        return {name: _plain(item, table) for name, item in value.items() if not name.endswith(("_id", "_name"))}
    if isinstance(value, list):
        return [_plain(item, table) for item in value]
    if not isinstance(value, str):
        return value
    # The id of a row names its table.
    return re.sub(r"^[0-9a-f]{8}-[0-9a-f]{4}-8000-8000-", "", re.sub(rf"\b{table}\b", "T", value))


async def _result(client: httpx.AsyncClient, table: str, import_id: str) -> dict[str, Any]:
    """All that an import has left."""
    entry = (await get(client, f"import-history/{import_id}"))["import"]
    if entry["status"] == "failed":
        return {"error": _plain(entry["error"], table)}
    told = (entry["status"], entry["response_summary"], *(entry.get(name) for name in COUNTS))
    stats = await get(client, f"tables/{table}/stats")
    return _plain(
        {
            "told": list(told),
            "issues": await get(client, f"import/{import_id}/issues"),
            "rows": (await get(client, f"tables/{table}/rows?limit=1000"))["rows"],
            "schema": (await get(client, f"tables/{table}/schema"))["columns"],
            "files": [stats["encoding"], stats["delimiter"], stats["key_columns"]],
        },
        table,
    )


@pytest.mark.timeout(300 + 20 * FILES)
async def test_now_later_and_a_preview_come_to_the_same(working: httpx.AsyncClient, receiver: Receiver) -> None:
    told = 0
    for seed in range(FILES):
        choice = random.Random(seed)
        first, second = _file(choice), _file(choice)
        clauses = [choice.sample(CLAUSES, choice.randrange(3)) for _ in range(2)]
        for number, (name, file) in enumerate((first, second)):
            now, later = (", ".join([f"Import into {kind}{seed}", *clauses[number]]) for kind in ("now", "later"))
            form = {"data": {"instruction": now, "accept_proposals": "false"}, "files": {"file": (name, file)}}
            preview = await working.post("/api/v1/smart-import/preview", **form)
            done = await working.post("/api/v1/smart-import", **form)
            case = (seed, number, now, file)
            queued = await working.post(
                "/api/v1/smart-import",
                data={"instruction": later, "accept_proposals": "false", "callback_url": receiver.url},
                files={"file": (name, file)},
            )
            assert queued.status_code == 200, case
            import_id = queued.json()["import_id"]
            await _ended(working, import_id)
            entry = (await get(working, f"import-history/{import_id}"))["import"]
            if done.status_code == 400:
                assert entry["status"] == "failed", case
                assert _plain(entry["error"], f"later{seed}") in _plain(done.json()["detail"], f"now{seed}"), case
                if preview.status_code == 200 and "unclear" in done.json()["detail"]:
                    assert preview.json()["questions"], case
                continue
            told += 1
            found = await _result(working, f"now{seed}", done.json()["import_id"])
            then = await _result(working, f"later{seed}", import_id)
            assert list(_different(found, then)) == [], case
            plan = preview.json()
            assert {name: plan[name] for name in COUNTS} == {name: done.json()[name] for name in COUNTS}, case
            assert all(note in done.json()["response_summary"] for note in plan["notes"]), case
    assert told


def _different(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two results differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            yield from _different(one[name], other[name], f"{place}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from _different(first, second, f"{place}[{number}]")
    elif one != other:
        yield place, one, other


async def _ended(client: httpx.AsyncClient, import_id: str) -> None:
    """Waits for the end of an import."""
    for _ in range(600):
        entry = (await get(client, f"import-history/{import_id}"))["import"]
        if entry["status"] not in ("pending", "running"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the import did not end")
