"""A preview of rows tells what an insert of the same body then does, and stores nothing."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import httpx
import polars as pl
import pytest
from tests.conftest import Client, People

pytestmark = pytest.mark.anyio

ROWS = [
    {
        "timestamp": f"2026-01-0{day}T10:00:00Z",
        "values": {"open": day * 1.5, "n": day, "note": f"day {day}", "ok": True},
    }
    for day in range(1, 9)
]


def _parquet() -> bytes:
    target = io.BytesIO()
    pl.DataFrame([{"ts": row["timestamp"], **row["values"]} for row in ROWS]).with_columns(  # type: ignore[dict-item]
        pl.col("ts").str.to_datetime(time_zone="UTC")
    ).write_parquet(target)
    return target.getvalue()


CSV = "date,open,n,note,ok\n" + "".join(
    f"{row['timestamp']},{','.join(str(value).lower() for value in row['values'].values())}\n"  # type: ignore[attr-defined]
    for row in ROWS
)
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "csv": (CSV.encode(), {"Content-Type": "text/csv"}),
    "gzip": (gzip.compress(CSV.encode()), {"Content-Type": "text/csv", "Content-Encoding": "gzip"}),
    "ndjson": ("\n".join(map(json.dumps, ROWS)).encode(), {"Content-Type": "application/x-ndjson"}),
    "json": (json.dumps({"rows": ROWS}).encode(), {"Content-Type": "application/json"}),
    "parquet": (_parquet(), {"Content-Type": "application/vnd.apache.parquet"}),
}


async def _made(owner: httpx.AsyncClient, name: str) -> int:
    return int((await owner.post("/api/datasets/", json={"name": name})).json()["id"])


@pytest.mark.parametrize("form", BODIES)
async def test_a_preview_is_what_is_stored_then(owner: httpx.AsyncClient, form: str) -> None:
    body, headers = BODIES[form]
    made = await _made(owner, f"from {form}")
    for dataset in ("", f"?dataset={made}"):
        answer = await owner.post(f"/api/rows/preview/{dataset}", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        summary = (await owner.get(f"/api/datasets/{made}/summary/")).json()
        assert (summary["row_count"], (await owner.get(f"/api/columns/?dataset={made}")).json()) == (0, [])
    if form in ("csv", "gzip"):
        assert told["timestamp_column"] == "date"
    assert all(column["new"] for column in told["columns"])
    stored = await owner.post(f"/api/rows/bulk_insert/?dataset={made}", content=body, headers=headers)
    assert stored.json()["inserted"] == told["rows"] == len(ROWS)
    summary = (await owner.get(f"/api/datasets/{made}/summary/")).json()
    assert (told["first_timestamp"], told["last_timestamp"]) == (summary["first_timestamp"], summary["last_timestamp"])
    columns = (await owner.get(f"/api/columns/?dataset={made}")).json()
    assert {c["name"]: c["dtype"] for c in told["columns"]} == {c["name"]: c["dtype"] for c in columns}
    found = (await owner.get(f"/api/rows/?dataset={made}&limit=5")).json()["results"]
    assert [(row["timestamp"], row["values"]) for row in told["sample"]] == [
        (r["timestamp"], r["values"]) for r in found
    ]
    again = (await owner.post(f"/api/rows/preview/?dataset={made}", content=body, headers=headers)).json()
    assert not any(column["new"] for column in again["columns"])


async def test_what_an_insert_refuses_a_preview_refuses(client: Client, people: People) -> None:
    owner, stranger = client(people.owner), client(people.stranger)
    made = await _made(owner, "refused")
    csv = {"Content-Type": "text/csv"}
    for body in (b"day,a\nsoon,1\n", b"a,b\n1,2\n", b'ts,a\n2026-01-01,"open\n'):
        preview = await owner.post("/api/rows/preview/", content=body, headers=csv)
        insert = await owner.post(f"/api/rows/bulk_insert/?dataset={made}", content=body, headers=csv)
        assert insert.status_code == 400
        assert (preview.status_code, preview.json()) == (400, insert.json())
    body, headers = BODIES["csv"]
    denied = await stranger.post(f"/api/rows/preview/?dataset={made}", content=body, headers=headers)
    assert denied.status_code == 403
    assert (await stranger.post("/api/rows/preview/", content=body, headers=headers)).status_code == 200
