"""Lists in an order that the caller chooses, and search that looks at metadata."""

from __future__ import annotations

import httpx
import pytest
from tests.conftest import Client, People

pytestmark = pytest.mark.anyio

NAMES = {"beta": 3, "Alpha": 0, "gamma": 2}


@pytest.fixture
async def three(owner: httpx.AsyncClient) -> dict[str, int]:
    """Three datasets with 3, 0 and 2 rows, and columns in the same number; their ids by name."""
    made = {}
    for name, rows in NAMES.items():
        body = {"name": name, "description": "d", "metadata": {"City": "Zürich" if rows else "Basel 100%", "n": rows}}
        made[name] = (await owner.post("/api/datasets/", json=body)).json()["id"]
        if rows:
            columns = {f"c{n}": n for n in range(rows)}
            lines = [{"timestamp": f"2026-01-0{5 - rows + n}T00:00:00Z", "values": columns} for n in range(rows)]
            done = await owner.post(f"/api/rows/bulk_insert/?dataset={made[name]}", json={"rows": lines})
            assert done.status_code == 200, done.text
    return made


async def _names(owner: httpx.AsyncClient, **params: object) -> list[str]:
    answer = await owner.get("/api/datasets/", params=params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["results"]]


@pytest.mark.usefixtures("three")
async def test_datasets_by_every_field(owner: httpx.AsyncClient) -> None:
    made, by_rows = list(NAMES), ["Alpha", "gamma", "beta"]
    for sort, expected in {
        "id": made,
        "name": ["Alpha", "beta", "gamma"],
        "row_count": by_rows,
        "columns": by_rows,
        "created_at": made,
        "updated_at": made,
    }.items():
        assert await _names(owner, sort=sort) == expected, sort
        assert await _names(owner, sort=f"-{sort}") == expected[::-1], sort
    # What has no rows has no last one, and comes last either way; equal ones keep the order of their ids.
    assert (await _names(owner, sort="last_timestamp"))[-1] == "Alpha"
    assert (await _names(owner, sort="-last_timestamp"))[-1] == "Alpha"
    assert await _names(owner, sort="owner") == await _names(owner, sort="-owner") == made
    # Pages of one order.
    pages = [(await _names(owner, sort="-row_count", limit=1, offset=n))[0] for n in range(3)]
    assert pages == by_rows[::-1]
    bad = await owner.get("/api/datasets/", params={"sort": "rows; DROP TABLE x"})
    assert bad.status_code == 400
    assert "sort: one of id, name, owner" in bad.text


@pytest.mark.usefixtures("three")
async def test_text_is_found_in_metadata(owner: httpx.AsyncClient, client: Client, people: People) -> None:
    assert await _names(owner, text="zürich") == ["beta", "gamma"]
    assert await _names(owner, text="CITY") == list(NAMES)
    assert await _names(owner, text="100%") == ["Alpha"]
    assert await _names(owner, text="%") == ["Alpha"]
    assert await _names(owner, text="ALPH") == ["Alpha"]
    # `search` is name and description alone, as its document says.
    assert await _names(owner, search="zürich") == []
    assert await _names(owner, metadata=["City=Zürich", "n=2"]) == ["gamma"]
    assert await _names(owner, metadata="City=Zürich", text="bet", sort="-name") == ["beta"]
    answer = await owner.get("/api/datasets/", params={"metadata": "City"})
    assert answer.status_code == 400
    assert "metadata: 'City' is not NAME=VALUE" in answer.text
    # Others' private datasets are found by nobody.
    stranger = client(people.stranger)
    assert await _names(stranger, text="zürich") == []
    assert await _names(stranger, metadata="City=Zürich") == []


async def test_imports_by_field(owner: httpx.AsyncClient) -> None:
    for name, rows in (("b", 2), ("a", 3), ("c", 1)):
        file = (f"{name}.csv", "x,y\n" + "".join(f"{n},{n + 10}\n" for n in range(rows)), "text/csv")
        done = await owner.post(
            "/api/v1/smart-import", files={"file": file}, data={"instruction": f"Import this into table_{name}"}
        )
        assert done.status_code == 200, done.text

    async def tables(sort: str) -> list[str]:
        found = (await owner.get("/api/v1/import-history", params={"sort": sort})).json()["imports"]
        return [one["table_name"][-1] for one in found]

    assert await tables("file_name") == ["a", "b", "c"]
    assert await tables("-table_name") == ["c", "b", "a"]
    assert await tables("records_inserted") == ["c", "b", "a"]
    assert await tables("created_at") == ["b", "a", "c"]
    assert await tables("") == ["c", "a", "b"]
    for text, expected in (("B.csv", ["b"]), ("TABLE_", ["c", "a", "b"]), ("%", []), ("_c", ["c"]), ("none", [])):
        found = (await owner.get("/api/v1/import-history", params={"search": text, "limit": 2})).json()
        assert ([one["table_name"][-1] for one in found["imports"]], found["total_count"]) == (
            expected[:2],
            len(expected),
        )
    assert (await owner.get("/api/v1/import-history", params={"search": "\0"})).status_code == 400
    bad = await owner.get("/api/v1/import-history", params={"sort": "size"})
    assert (bad.status_code, "sort: one of created_at" in bad.json()["detail"]) == (400, True)
