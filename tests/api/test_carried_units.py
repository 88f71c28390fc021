"""Units and descriptions of columns come back with a file that Atlas wrote, and come from the headers of others."""

from __future__ import annotations

import io
from typing import Any

import httpx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.test_column_notes import note, noted
from tests.api.test_imports import get, post, send
from tests.conftest import make_dataset

pytestmark = pytest.mark.anyio
SPEEDS = b"station,speed [km/h],Distance (mi),share (%)\nA,27.5,3,10 %\nB,12.5,4,20 %\n"


async def as_file(owner: httpx.AsyncClient, instruction: str, name: str, content: bytes) -> Any:
    answer = await owner.post(
        "/api/v1/smart-import", files={"file": (name, content)}, data={"instruction": instruction}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_headers_say_units_of_new_columns(owner: httpx.AsyncClient) -> None:
    done = await send(owner, "Import into trips", SPEEDS)
    # Hundredths are stored of `10 %`, so that is no unit of the column.
    assert await noted(owner, "trips") == {"speed": ("km/h", ""), "distance_mi": ("mi", "")}
    assert "units that the file says: speed km/h, distance_mi mi" in done["response_summary"]
    # The same file goes into the same columns, and says nothing new.
    again = await send(owner, "Import into trips, keep all duplicates", SPEEDS)
    assert not again["new_columns"]
    assert "km/h" not in again["response_summary"]
    # What somebody says of a column stays, and another unit is asked about rather than mixed.
    await note(owner, "trips", "speed", unit="mph")
    changed = await send(owner, "Import into trips, keep all duplicates", SPEEDS)
    assert "speed is in km/h in the file, in mph in the table" in changed["response_summary"]
    assert (await noted(owner, "trips"))["speed"] == ("mph", "")
    refused = await send(owner, "Import into trips", b"station,speed [m/s]\nA,3.5\n", status=400)
    assert "speed [m/s]" in str(refused)
    # A line of units below the names says the same.
    await send(owner, "Import into logged", b"time,voltage,current\ns,V,A\n0,4.14,0.1\n1,4.15,0.2\n")
    assert await noted(owner, "logged") == {"time": ("s", ""), "voltage": ("V", ""), "current": ("A", "")}


async def test_a_preview_shows_them(owner: httpx.AsyncClient) -> None:
    answer = await owner.post(
        "/api/v1/smart-import/preview", files={"file": ("a.csv", SPEEDS)}, data={"instruction": "Import into trips"}
    )
    assert [(c["name"], c["unit"]) for c in answer.json()["columns"]] == [
        ("station", ""),
        ("speed", "km/h"),
        ("distance_mi", "mi"),
        ("share_percent", ""),
    ]


async def test_tables_come_back_with_theirs(owner: httpx.AsyncClient) -> None:
    first = await send(owner, "Import into readings", b"station,temp,rain\nA,27.5,3\nB,12.5,4\n")
    await note(owner, "readings", "temp", unit="°C", description="On the roof,\nat noon")
    await note(owner, "readings", "station", description="Where it stands")
    said = await noted(owner, "readings")
    for name in ("xlsx", "parquet"):
        file = (await owner.get(f"/api/v1/tables/readings/export?format={name}")).content
        done = await as_file(owner, f"Import into from_{name}", f"a.{name}", file)
        assert await noted(owner, f"from_{name}") == said, name
        assert "units that the file says: temp °C" in done["response_summary"]
    # People see what programs read.
    file = (await owner.get("/api/v1/tables/readings/export?format=xlsx")).content
    header = next(openpyxl.load_workbook(io.BytesIO(file)).active.iter_rows())
    assert header[1].comment.text == "Unit: °C\nDescription: On the roof,\nat noon"
    assert header[2].comment is None
    # An undo takes away what the file said; what people said instead comes back with a redo.
    await note(owner, "from_parquet", "temp", unit="K")
    await post(owner, f"import/{done['import_id']}/undo", {})
    await post(owner, f"import/{done['import_id']}/redo", {"auto_execute": True})
    assert (await noted(owner, "from_parquet"))["temp"][0] == "K"
    assert first["import_id"] != done["import_id"]


async def dataset_notes(owner: httpx.AsyncClient, dataset: int) -> dict[str, tuple[str, str]]:
    columns = (await owner.get(f"/api/columns/?dataset={dataset}")).json()
    return {c["name"]: (c["unit"], c["description"]) for c in columns}


async def test_datasets_come_back_with_theirs(owner: httpx.AsyncClient) -> None:
    columns = [{"name": "temp", "dtype": "float", "unit": "°C", "description": "On the roof"}]
    made = (await owner.post("/api/datasets/", json={"name": "weather", "columns": columns})).json()["id"]
    rows = [{"timestamp": f"2026-01-0{n}T10:00:00Z", "values": {"temp": n + 0.5, "word": "x"}} for n in range(1, 4)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": made, "rows": rows})
    said = {"temp": ("°C", "On the roof"), "word": ("", "")}
    address = f"/api/rows/bulk_download/?dataset={made}&output="
    types = {"parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.stream"}
    for name, kind in types.items():
        file = (await owner.get(address + name)).content
        other = await make_dataset(owner, name=f"by {name}")
        answer = await owner.post(
            f"/api/rows/bulk_insert/?dataset={other}", content=file, headers={"Content-Type": kind}
        )
        assert answer.status_code == 200, answer.text
        assert await dataset_notes(owner, other) == said
        # Columns that are there keep what is said of them.
        await owner.patch("/api/columns/", json={"dataset": other, "name": "temp", "unit": "K", "description": ""})
        await owner.post(f"/api/rows/bulk_insert/?dataset={other}", content=file, headers={"Content-Type": kind})
        assert (await dataset_notes(owner, other))["temp"] == ("K", "")
    for name in ("parquet", "xlsx"):
        file = (await owner.get(address + name)).content
        done = await as_file(owner, f"Import as a dataset called again_{name}", f"a.{name}", file)
        assert await dataset_notes(owner, done["dataset_id"]) == said, name


async def test_metadata_that_other_programs_write(owner: httpx.AsyncClient) -> None:
    fields = [
        pa.field("depth", pa.float64(), metadata={"units": "m", "long_name": "Below the surface"}),
        pa.field("salt", pa.float64(), metadata={"unit": "x" * 41}),
        pa.field("name", pa.string(), metadata={"comment": "Of the buoy"}),
    ]
    target = io.BytesIO()
    pq.write_table(pa.table([[1.5, 2.5], [3.5, 4.5], ["a", "b"]], schema=pa.schema(fields)), target)
    await as_file(owner, "Import into buoys", "a.parquet", target.getvalue())
    assert await noted(owner, "buoys") == {"depth": ("m", "Below the surface"), "name": ("", "Of the buoy")}
    assert (await get(owner, "tables/buoys/samples"))["success"]
