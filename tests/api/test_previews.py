"""A preview tells which cells fail or are replaced, and which columns could be read in another way."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, send

pytestmark = pytest.mark.anyio


async def preview(client: httpx.AsyncClient, instruction: str, data: bytes, name: str = "p.csv") -> dict[str, Any]:
    """The plan of an import."""
    form = {"instruction": instruction}
    response = await client.post("/api/v1/smart-import/preview", data=form, files={"file": (name, data)})
    assert response.status_code == 200, response.text
    plan: dict[str, Any] = response.json()
    return plan


async def test_the_first_cells_that_fail_are_named(owner: httpx.AsyncClient) -> None:
    lines = [f"{n},{'no address' if n % 8 == 1 else f'p{n}@example.com'},{n}" for n in range(1, 201)]
    lines[9] = "10,p10@example.com,10,one,too many"
    file = "\n".join(["id,email,n", *lines]).encode()
    plan = await preview(owner, "Import into fails, the id is the key", file)
    assert (plan["validation_failures"], plan["failing_cells_more"], len(plan["failing_cells"])) == (26, 6, 20)
    first = {"record_number": 1, "column": "email", "value": "no address", "reason": "not a valid e-mail address"}
    assert plan["failing_cells"][0] == first
    line = next(cell for cell in plan["failing_cells"] if cell["column"] is None)
    assert (line["record_number"], line["value"]) == (10, "10,p10@example.com,10,one,too many")
    assert "5 cells" in line["reason"]
    assert (await get(owner, "import-history"))["total_count"] == 0


@pytest.mark.parametrize(
    ("file", "column", "reading", "other"),
    [
        (b"id,day\n1,01/02/2025\n2,03/04/2025\n3,05/06/2025\n", "day", "month first", "day first"),
        (b"id;amount\n1;1.250\n2;2.500\n3;7.125\n", "amount", "decimal comma", "decimal point"),
    ],
)
async def test_another_reading_can_be_chosen(
    owner: httpx.AsyncClient, file: bytes, column: str, reading: str, other: str
) -> None:
    plan = await preview(owner, "Import into ways", file)
    choice = plan["choices"][0]
    assert (choice["column"], {choice["reading"], choice["other"]}) == (column, {reading, other})
    again = await preview(owner, f"Import into ways, {choice['say']}", file)
    assert again["choices"] == []
    assert again["not_understood"] == []
    assert again["sample"] != plan["sample"]


async def test_what_is_in_the_table_already_is_told(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into known, the id is the key", b"id,name\n1,Ann\n2,Bob\n")
    file = b"id,name\n2,Bobby\n3,Cyd\n3,Cydney\n"
    plan = await preview(owner, "Import into known", file)
    assert (plan["records_inserted"], plan["duplicates_in_file"], plan["duplicates_in_table"]) == (1, 1, 1)
    plan = await preview(owner, "Import into known, update existing rows", file)
    assert (plan["records_inserted"], plan["records_updated"], plan["duplicates_skipped"]) == (1, 1, 1)
    # With another key the rows' keys would be made anew, which a preview does not.
    assert (await preview(owner, "Import into known, the name is the key", file))["duplicates_in_table"] is None


async def test_look_alikes_are_told_where_no_key_tells_records_apart(owner: httpx.AsyncClient) -> None:
    lines = [f"C{n},{name},Bonn" for n, name in enumerate(["Ann Smith", "Smith Ann", "Bob Brown"])]
    file = "\n".join(["code,name,city", *lines]).encode()
    for told, alike in (("flag duplicates, all columns are the key", 1), ("the code is the key", 0)):
        plan = await preview(owner, f"Import into looks, {told}", file)
        assert plan["records_flagged"] == alike, told
        assert plan["records_inserted"] == 3
