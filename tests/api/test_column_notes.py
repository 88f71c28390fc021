"""Units and descriptions of columns: who says and who sees them, how long they stay, and where they are told."""

from __future__ import annotations

from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.test_imports import get, post, send
from tests.conftest import Client, People, make_dataset

pytestmark = pytest.mark.anyio
READINGS = b"station,temp,rain\nA,27.5,3\nB,12.5,4\n"


async def note(client: httpx.AsyncClient, table: str, column: str, status: int = 200, **said: Any) -> Any:
    answer = await client.patch(f"/api/v1/tables/{table}/columns/{column}", json=said)
    assert answer.status_code == status, answer.text
    return answer.json()


async def noted(client: httpx.AsyncClient, table: str) -> dict[str, tuple[str, str]]:
    """What is said of a table's columns, of those of which something is."""
    columns = (await get(client, f"tables/{table}/schema"))["columns"]
    return {c["name"]: (c["unit"], c["description"]) for c in columns if c["unit"] or c["description"]}


async def test_datasets(client: Client, people: People, owner: httpx.AsyncClient) -> None:
    """With a new dataset, with a declared column, later; all who read it see them, and nobody else."""
    declared = [
        {"name": "temp", "dtype": "float", "unit": " °C ", "description": "On the roof"},
        {"name": "n", "dtype": "int"},
    ]
    made = (await owner.post("/api/datasets/", json={"name": "weather", "columns": declared})).json()
    shown = [(c["name"], c["dtype"], c["inferred"], c["unit"], c["description"]) for c in made["columns"]]
    assert shown == [("temp", "float", False, "°C", "On the roof"), ("n", "int", False, "", "")]
    dataset = made["id"]
    column = {"dataset": dataset, "name": "wind", "dtype": "float", "unit": "m/s"}
    assert (await owner.post("/api/columns/", json=column)).json()["unit"] == "m/s"
    row = {"dataset": dataset, "timestamp": "2026-01-05T10:00:00Z", "values": {"temp": 1, "n": 2, "place": "x"}}
    assert (await owner.post("/api/rows/", json=row)).status_code == 201
    said = {"dataset": dataset, "name": "place", "description": "Where it stands"}
    assert (await owner.patch("/api/columns/", json=said)).json()["description"] == "Where it stands"
    # A part that is left out stays, also where the type changes and the dataset gets another name.
    for change in ({"description": "Above the roof"}, {"unit": "K"}, {"unit": None, "description": "Roof"}):
        await owner.patch("/api/columns/", json={"dataset": dataset, "name": "temp", **change})
    await owner.patch("/api/columns/", json={"dataset": dataset, "name": "n", "unit": "pieces"})
    await owner.post("/api/rows/", json=row | {"values": {"n": 2.5}})
    await owner.put(f"/api/datasets/{dataset}/", json={"name": "renamed"})
    expected = {"temp": ("K", "Roof"), "n": ("pieces", ""), "wind": ("m/s", ""), "place": ("", "Where it stands")}
    # Tag holders read them; nobody else sees or changes anything.
    holder = client(people.holder)
    assert (await holder.get(f"/api/columns/?dataset={dataset}")).status_code == 403
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    await holder.post("/api/tags/acquire/", json={"tag_name": "public"})
    for who in (owner, holder):
        columns = (await who.get(f"/api/columns/?dataset={dataset}")).json()
        assert {c["name"]: (c["unit"], c["description"]) for c in columns} == expected
        assert (await who.get(f"/api/datasets/{dataset}/")).json()["columns"] == columns
        assert await noted(who, "renamed") == expected
    assert (await holder.patch("/api/columns/", json=said)).status_code == 403
    await note(holder, "renamed", "temp", 403, unit="F")
    await note(client(people.stranger), "renamed", "temp", 404, unit="F")
    assert (await note(owner, "renamed", "temp", unit="°F"))["column"]["unit"] == "°F"
    # Texts and numbers that are refused, each by its field.
    bad: list[tuple[dict[str, Any], int, str]] = [
        ({"name": "none", "unit": "x"}, 404, "none"),
        ({"name": "temp"}, 400, "unit, description"),
        ({"name": "temp", "unit": "x" * 41}, 400, "unit"),
        ({"name": "temp", "description": "x" * 1001}, 400, "descr"),
        ({"name": "temp", "unit": "a\nb"}, 400, "unit"),
        ({"name": "temp", "unit": "\u202eC"}, 400, "unit"),
        ({"name": "temp", "unit": 5}, 400, "unit"),
        ({"name": "temp", "description": "a\0"}, 400, "description"),
    ]
    for body, status, told in bad:
        refused = await owner.patch("/api/columns/", json={"dataset": dataset, **body})
        assert (refused.status_code, told in refused.json()["details"]) == (status, True), refused.text
    twice = {"name": "x", "columns": [{"name": "a", "dtype": "int"}] * 2}
    assert (await owner.post("/api/datasets/", json=twice)).json()["details"] == "columns: 'a' is there twice"
    wrong = {"name": "x", "columns": [{"name": "a", "dtype": "int", "unit": "a\tb"}]}
    assert "columns[0].unit" in (await owner.post("/api/datasets/", json=wrong)).json()["details"]


@pytest.mark.parametrize("output", ["parquet", "arrow"])
async def test_files_tell_them(owner: httpx.AsyncClient, output: str) -> None:
    """In the metadata of each field, of what is downloaded after the change."""

    def told(content: bytes) -> dict[str, dict[bytes, bytes]]:
        file = pa.BufferReader(content)
        schema = pq.read_schema(file) if output == "parquet" else pa.ipc.open_stream(file).schema
        own = {field.name: dict(field.metadata or {}) for field in schema}
        return {name: {k: v for k, v in said.items() if not k.startswith(b"PARQUET:")} for name, said in own.items()}

    declared = [{"name": "temp", "dtype": "float", "unit": "°C", "description": "On the roof"}]
    dataset = (await owner.post("/api/datasets/", json={"name": "roof", "columns": declared})).json()["id"]
    row = {"dataset": dataset, "timestamp": "2026-01-05T10:00:00Z", "values": {"temp": 1, "place": "x"}}
    assert (await owner.post("/api/rows/", json=row)).status_code == 201
    path = f"/api/rows/bulk_download/?dataset={dataset}&output={output}"
    first = await owner.get(path)
    said = {b"unit": "°C".encode(), b"description": b"On the roof"}
    assert told(first.content) == {"timestamp": {}, "temp": said, "place": {}}
    await owner.patch("/api/columns/", json={"dataset": dataset, "name": "place", "description": "Where"})
    second = await owner.get(f"{path}&columns=place,temp")
    assert [*told(second.content).items()][1:] == [("place", {b"description": b"Where"}), ("temp", said)]
    held = {"If-None-Match": first.headers["etag"]}
    assert (await owner.get(path, headers=held)).status_code == 200, "it tells more now"
    await send(owner, "Import into readings", READINGS)
    await note(owner, "readings", "rain", unit="mm")
    exported = await owner.get(f"/api/v1/tables/readings/export?format={output}")
    assert told(exported.content) == {"station": {}, "temp": {}, "rain": {b"unit": b"mm"}}


async def test_tables(client: Client, people: People, owner: httpx.AsyncClient) -> None:
    await send(owner, "Import into readings", READINGS)
    await note(owner, "readings", "temp", unit="°C", description="Mean of the hour")
    assert (await note(client(people.holder), "readings", "rain", unit="mm"))["column"] == {
        "name": "rain",
        "type": "BIGINT",
        "nullable": True,
        "unit": "mm",
        "description": "",
    }
    said = {"temp": ("°C", "Mean of the hour"), "rain": ("mm", "")}
    page = await get(owner, "tables/readings/rows")
    assert {c["name"]: c["unit"] for c in page["columns"]} == {"station": "", "temp": "°C", "rain": "mm"}
    await note(client(people.stranger), "readings", "temp", 404, unit="K")
    await note(owner, "readings", "nothing", 404, unit="K")
    await note(owner, "readings", "temp", 400)
    # Imports, wider types and archived rows change nothing of them.
    await send(owner, "Import into readings", b"station,temp,rain\nC,1,4.5\n")
    assert await noted(owner, "readings") == said
    # An answer tells the unit of what it gives; a number of rows has none, and SQL tells none.
    hottest = await post(owner, "query", {"prompt": "What is the average temp in readings?", "table_name": "readings"})
    assert hottest["response"] == "The average temp is 13.67 °C."
    assert list(hottest["units"].values()) == ["°C"]
    counted = await post(owner, "query", {"prompt": "How many readings are there?", "table_name": "readings"})
    assert counted["units"] == {}
    by = await post(owner, "query", {"prompt": "average temp per station in readings", "table_name": "readings"})
    assert "27.50 °C for A" in by["response"], by
    assert "units" not in await post(owner, "sql", {"sql": "SELECT temp FROM readings"})
    await note(owner, "readings", "temp", unit="", description="")
    assert await noted(owner, "readings") == {"rain": ("mm", "")}


async def test_undo_and_redo_keep_them(owner: httpx.AsyncClient) -> None:
    first = await send(owner, "Import into readings", READINGS)
    await note(owner, "readings", "temp", unit="°C")
    second = await send(owner, "Import into readings", b"station,wind\nC,5\n")
    await note(owner, "readings", "wind", unit="m/s")
    said = {"temp": ("°C", ""), "wind": ("m/s", "")}
    assert await noted(owner, "readings") == said
    await post(owner, f"import/{second['import_id']}/undo", {})
    assert await noted(owner, "readings") == {"temp": ("°C", "")}
    await post(owner, f"import/{second['import_id']}/redo", {"auto_execute": True})
    assert await noted(owner, "readings") == said
    await post(owner, f"import/{second['import_id']}/undo", {})
    # Another import's column of the same name is another column.
    third = await send(owner, "Import into readings", b"station,wind\nD,6\n")
    assert await noted(owner, "readings") == {"temp": ("°C", "")}
    await post(owner, f"import/{third['import_id']}/undo", {})
    # The same for a table as a whole.
    await post(owner, f"import/{first['import_id']}/undo", {})
    await get(owner, "tables/readings/schema", 404)
    await post(owner, f"import/{first['import_id']}/redo", {"auto_execute": True})
    assert await noted(owner, "readings") == {"temp": ("°C", "")}
    assert (await owner.delete("/api/v1/tables/readings?confirm=readings")).status_code == 200
    await send(owner, "Import into readings", READINGS)
    assert await noted(owner, "readings") == {}


async def test_datasets_answer_with_units(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, name="weather")
    rows = [{"timestamp": f"2026-01-0{n}T10:00:00Z", "values": {"humidity": 50 + n}} for n in range(1, 6)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    asked = {"prompt": "What is the average humidity in weather?", "table_name": "weather"}
    assert (await post(owner, "query", asked))["response"].endswith("53.")
    await owner.patch("/api/columns/", json={"dataset": dataset, "name": "humidity", "unit": "%"})
    assert (await post(owner, "query", asked))["response"].endswith("53 %.")
