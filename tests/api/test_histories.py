"""Whatever was done to a table is taken back in the reverse order, and the table is as it was after each step."""

from __future__ import annotations

import os
import random
from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send

pytestmark = pytest.mark.anyio

# A history takes two seconds.
SEEDS = int(os.environ.get("ATLAS_TEST_HISTORIES", "3"))
KEYED = "Import into twins, email is the key, flag duplicates"
FLAGGED = b"email,name,age\na@x.com,Ann,30\na@x.com,Anne,31\nb@x.com,Bob,n/a\nB@x.com,Bobby,300\nc@x.com,Cyd,40\n"


async def state(client: httpx.AsyncClient, table: str) -> Any:
    """Rows of a table, archived ones too, and its columns; None where there is no table."""
    answer = await client.get(f"/api/v1/tables/{table}/rows", params={"archived": "true", "limit": 1000})
    if answer.status_code == 404:
        return None
    every = answer.json()["rows"]
    hidden = (await get(client, f"tables/{table}/rows"))["rows"]
    return [[{name: _text(row[name]) for name in row} for row in part] for part in (every, hidden)]


def _text(value: Any) -> str | None:
    # A type that a change gave to a column stays, as the undo says.
    return None if value is None else str(value)


class History:
    """A table that is changed at random."""

    def __init__(self, client: httpx.AsyncClient, seed: int) -> None:
        self.client, self.random, self.table = client, random.Random(seed), f"h{seed}"
        self.imports: list[str] = []
        self.told: list[str] = []

    async def step(self) -> str | None:
        """Does something; gives the id of what an undo takes back, None where it was refused."""
        kind = self.random.choice(
            ["import", "import", "decide", "decide", "decide", "update", "archive", "insert", "edit"]
        )
        done: str | None = await getattr(self, f"_{kind}")()
        if done:
            self.told.append(kind)
        return done

    async def _import(self) -> str | None:
        policy = self.random.choice(
            ["flag duplicates", "update existing rows", "keep all duplicates", "skip duplicates"]
        )
        pick = self.random.choice
        cells = [(pick("abcde"), self.random.randrange(9), pick(["1", "55", "n/a", "300"])) for _ in range(4)]
        lines = "".join(f"{letter}@x.com,N{number},{age}\n" for letter, number, age in cells)
        told = f"Import into {self.table}, email is the key, {policy}"
        form = {"instruction": told}
        answer = await self.client.post(
            "/api/v1/smart-import", data=form, files={"file": ("f.csv", b"email,name,age\n" + lines.encode())}
        )
        if answer.status_code != 200:
            return None
        self.imports.append(answer.json()["import_id"])
        return self.imports[-1]

    async def _decide(self) -> str | None:
        if not self.imports:
            return None
        place = f"import/{self.random.choice(self.imports)}"
        answer = await self.client.get(f"/api/v1/{place}/issues")
        if answer.status_code != 200:
            return None
        found, pick = answer.json(), self.random.choice
        body: dict[str, Any] = {"allow_type_change": True}
        for one in found["duplicates"][:2]:
            body.setdefault("duplicates", []).append(
                {"record_number": one["record_number"], "action": pick(["skip", "insert"])}
            )
        for one in found["value_replacements"][:1]:
            body["value_replacements"] = [
                {
                    "replacement_id": one["replacement_id"],
                    "action": pick(["set_custom", "keep_replacement", "restore_original"]),
                    "custom_value": 7,
                }
            ]
            if body["value_replacements"][0]["action"] != "set_custom":
                del body["value_replacements"][0]["custom_value"]
        answer = await self.client.post(f"/api/v1/{place}/issues/correct", json=body)
        return answer.json()["correction_id"] if answer.status_code == 200 else None

    async def _update(self) -> str | None:
        letter = self.random.choice("abcde")
        values = self.random.choice([{"name": "set"}, {"email": f"{self.random.choice('abcdefgh')}@x.com"}, {"age": 3}])
        body = {"mode": "condition", "condition": f"email = '{letter}@x.com'", "updates": values}
        answer = await self.client.post(f"/api/v1/tables/{self.table}/update", json=body)
        found = answer.json()
        return found["import_id"] if answer.status_code == 200 else None

    async def _row(self) -> int | None:
        answer = await self.client.get(f"/api/v1/tables/{self.table}/rows")
        rows = answer.json()["rows"] if answer.status_code == 200 else []
        return self.random.choice(rows)["_row"] if rows else None

    async def _archive(self) -> str | None:
        row = await self._row()
        if row is None:
            return None
        answer = await self.client.delete(f"/api/v1/tables/{self.table}/rows/{row}")
        return answer.json()["import_id"] if answer.status_code == 200 else None

    async def _insert(self) -> str | None:
        values = {"email": f"{self.random.choice('abcdefgh')}@x.com", "name": "new"}
        answer = await self.client.post(f"/api/v1/tables/{self.table}/rows", json={"values": values})
        return answer.json()["import_id"] if answer.status_code < 300 else None

    async def _edit(self) -> str | None:
        row = await self._row()
        if row is None:
            return None
        answer = await self.client.patch(f"/api/v1/tables/{self.table}/rows/{row}", json={"values": {"name": "edited"}})
        return answer.json()["import_id"] if answer.status_code == 200 else None


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_history_is_taken_back_step_by_step(owner: httpx.AsyncClient, seed: int) -> None:
    history = History(owner, seed)
    before: list[tuple[Any, str]] = []
    for _ in range(10):
        was = await state(owner, history.table)
        if (done := await history.step()) is not None:
            before.append((was, done))
    assert before
    for was, done in reversed(before):
        answer = await owner.post(f"/api/v1/import/{done}/undo", json={})
        assert answer.status_code == 200, (history.told, answer.text)
        assert answer.json()["complete"], (history.told, answer.json())
        assert await state(owner, history.table) == was, history.told


@pytest.mark.parametrize("action", ["skip", "insert"])
@pytest.mark.parametrize("partial", [False, True])
async def test_a_decision_on_a_duplicate_of_a_key_is_taken_back(
    owner: httpx.AsyncClient, action: str, partial: bool
) -> None:
    first = await send(owner, KEYED, FLAGGED)
    second = await send(owner, KEYED, b"email,name,age\na@x.com,Ada,1\nz@x.com,Zoe,2\n")
    for done in (first, second):
        before, place = await state(owner, "twins"), f"import/{done['import_id']}"
        found = (await get(owner, f"{place}/issues"))["duplicates"]
        decided = {"duplicates": [{"record_number": one["record_number"], "action": action} for one in found]}
        correction = await post(owner, f"{place}/issues/correct", decided)
        undone = await post(owner, f"import/{correction['correction_id']}/undo?partial={partial}", {})
        assert (undone["complete"], await state(owner, "twins")) == (True, before)
        await post(owner, f"{place}/issues/correct", decided)
    for done in (second, first):
        assert (await post(owner, f"import/{done['import_id']}/undo?partial={partial}", {}))["complete"]
    assert await state(owner, "twins") is None


async def test_rows_that_had_one_key_before_have_it_again(owner: httpx.AsyncClient) -> None:
    first = await send(owner, KEYED, FLAGGED)
    decided = {"duplicates": [{"record_number": 2, "action": "insert"}]}
    await post(owner, f"import/{first['import_id']}/issues/correct", decided)
    before = await state(owner, "twins")
    twin = next(int(row["_row"]) for row in before[1] if row["name"] == "Anne")
    for method, row, values in (
        ("DELETE", twin, None),
        ("PATCH", 1, {"name": "new"}),
        ("PATCH", twin, {"email": "d@x.com"}),
    ):
        body = None if values is None else {"values": values}
        change = await owner.request(method, f"/api/v1/tables/twins/rows/{row}", json=body)
        assert change.is_success, change.text
        assert (await post(owner, f"import/{change.json()['import_id']}/undo", {}))["complete"]
        assert await state(owner, "twins") == before
    assert (await post(owner, f"import/{first['import_id']}/undo", {}))["complete"]


async def test_a_key_that_another_row_has_got_since_is_not_given_back(owner: httpx.AsyncClient) -> None:
    await send(owner, KEYED, FLAGGED)
    archived = (await owner.delete("/api/v1/tables/twins/rows/3")).json()
    new = await owner.post("/api/v1/tables/twins/rows", json={"values": {"email": "c@x.com", "name": "Cy"}})
    row = new.json()["row"]
    for query in ("", "?partial=true"):
        refused = await post(owner, f"import/{archived['import_id']}/undo{query}", {}, 400)
        assert f"row {row} has got since: archive row {row} first" in refused["detail"]
    again = (await owner.delete(f"/api/v1/tables/twins/rows/{row}")).json()
    await post(owner, f"import/{archived['import_id']}/undo", {})
    # Now row 3 has the key, which it had not when the other row was archived.
    refused = await post(owner, f"import/{again['import_id']}/undo", {}, 400)
    assert "row 3 has got since" in refused["detail"]
