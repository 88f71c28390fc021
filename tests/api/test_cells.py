"""Cells take what imports take, in the notation of their column, and tell how they were read."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send

pytestmark = pytest.mark.anyio

GERMAN = (
    "id;betrag;tag;anteil;zahl\n"
    "1;1.250,50 €;31.01.2025;12,5 %;1\n2;17.999,00 €;01.02.2025;3,0 %;2\n3;2.000,25 €;15.03.2025;50,0 %;3\n"
)
SLASHES = b"id,day,amount\n1,31/01/2025,1.5\n2,01/02/2025,2.25\n3,15/03/2025,3\n"


async def change(owner: httpx.AsyncClient, table: str, row: int, values: dict[str, Any], status: int = 200) -> Any:
    answer = await owner.patch(f"/api/v1/tables/{table}/rows/{row}", json={"values": values})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_cell_is_read_in_the_notation_of_its_column(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into rechnungen, the id is the key", GERMAN.encode(), name="r.csv")
    for given, column, stored in (
        ("1.999,50", "betrag", 1999.5),
        ("1.999,50 €", "betrag", 1999.5),
        ("-3,25", "betrag", -3.25),
        ("1999.5", "betrag", 1999.5),
        ("02.03.2025", "tag", "2025-03-02"),
        ("2025-03-04", "tag", "2025-03-04"),
        ("7,5 %", "anteil", 0.075),
        ("1.250", "zahl", None),
    ):
        if stored is None:
            continue
        done = await change(owner, "rechnungen", 1, {column: given})
        assert done["values"][column] == stored, (given, done)
        plain = given in ("1999.5", "2025-03-04")
        assert (done["notes"] == []) is plain, done["notes"]
        if not plain:
            assert repr(given) in done["notes"][0]
    # A plain number stays plain; that it means another one in the notation of its column is told.
    done = await change(owner, "rechnungen", 1, {"betrag": "1.250"})
    assert done["values"]["betrag"] == 1.25
    assert "decimal point" in done["notes"][0]
    # A JSON number means what it says.
    done = await change(owner, "rechnungen", 1, {"betrag": 1.25})
    assert (done["values"]["betrag"], done["notes"]) == (1.25, [])
    refused = await change(owner, "rechnungen", 1, {"betrag": "$ 5,00"}, 400)
    assert "is in $, but the column is in €" in refused["detail"]
    for column, given in (("betrag", "viel"), ("tag", "bald"), ("zahl", "1,5"), ("tag", "32.01.2025")):
        assert repr(given) in (await change(owner, "rechnungen", 1, {column: given}, 400))["detail"]


async def test_what_nothing_settles_is_refused(owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into fresh", b"id,day,amount\n1,2025-01-31,1\n2,2025-02-01,2\n")
    refused = await change(owner, "fresh", 1, {"day": "03/04/2025"}, 400)
    assert "day or month first" in refused["detail"]
    assert (await change(owner, "fresh", 1, {"day": "31/01/2025"}))["values"]["day"] == "2025-01-31"
    await send(owner, "Import into slashes", SLASHES)
    assert (await change(owner, "slashes", 1, {"day": "03/04/2025"}))["values"]["day"] == "2025-04-03"


async def test_rows_corrections_and_updates_take_the_same(owner: httpx.AsyncClient) -> None:
    text = GERMAN + "4;3.000,00 €;01.04.2025;1,0 %;viel\n"
    told = "Import into r, the id is the key, zahl as number"
    done = await send(owner, told, text.encode(), name="r.csv")
    failure = (await get(owner, f"import/{done['import_id']}/issues"))["validation_failures"][0]
    corrected = {"failure_id": failure["failure_id"], "action": "insert_corrected", "corrected_data": {"zahl": "7,5"}}
    decided = await post(owner, f"import/{done['import_id']}/issues/correct", {"validation_failures": [corrected]})
    assert decided["notes"] == ["zahl: '7,5' was read as 7.5"]
    made = await post(owner, "tables/r/rows", {"values": {"id": 9, "betrag": "5,00 €", "tag": "05.05.2025"}})
    assert (made["values"]["betrag"], made["values"]["tag"], len(made["notes"])) == (5, "2025-05-05", 2)
    updated = await post(
        owner, "tables/r/update", {"mode": "condition", "condition": "id = 9", "updates": {"betrag": "6,50 €"}}
    )
    assert updated["notes"] == ["betrag: '6,50 €' was read as 6.50"]
    batch = {"mode": "batch", "batch_updates": [{"keys": {"id": 9}, "values": {"betrag": "7,50"}}]}
    answer = await owner.post("/api/v1/tables/r/update", json=batch)
    assert answer.status_code == 200, answer.text
    assert answer.json()["notes"] == ["betrag: '7,50' was read as 7.50"]


async def test_updates_by_condition_store_what_was_checked(owner: httpx.AsyncClient) -> None:
    """PostgreSQL was given the text as it came, and knows neither `nein` nor an address within a text."""
    await send(owner, "Import into yes, id is the key", b"id,ok,email\n1,ja,a@x.com\n2,nein,b@x.com\n3,ja,c@x.com\n")
    body = {"mode": "condition", "condition": "id = 1", "updates": {"ok": "nein", "email": "Ann <ann@x.com>"}}
    await post(owner, "tables/yes/update", body)
    found = (await get(owner, "tables/yes/rows?filter=id%20%3D%201"))["rows"][0]
    assert (found["ok"], found["email"]) == (False, "ann@x.com")


async def test_a_cell_reads_as_an_import_of_it_would(owner: httpx.AsyncClient) -> None:
    """Numbers in any style: a cell of a column in that style is what the file's cell is."""
    choice = random.Random(20)
    styles = [(",", "."), (".", ","), (",", " "), (".", "'")]
    for n, (decimal, group) in enumerate(styles):
        numbers = [choice.randrange(1_000_000, 9_999_999_999) / 100 for _ in range(12)]
        texts = [f"{number:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", group) for number in numbers]
        lines = [f'{place}\t"{text}"' for place, text in enumerate(texts[:11])]
        await send(owner, f"Import into styled{n}", "\n".join(["id\tamount", *lines]).encode(), name="s.tsv")
        rows = (await get(owner, f"tables/styled{n}/rows"))["rows"]
        assert [row["amount"] for row in rows] == numbers[:11], texts
        assert (await change(owner, f"styled{n}", 1, {"amount": texts[11]}))["values"]["amount"] == numbers[11], texts
