"""Few bytes that unpack to many, and lines without an end: others are served meanwhile."""

from __future__ import annotations

import asyncio
import gzip
import time

import httpx
import pytest
from tests.conftest import make_dataset

from atlas.kit.zstd import zstd

pytestmark = pytest.mark.anyio
ROW = b'{"timestamp":"2026-01-01T00:00:00Z","values":{"a":1}}\n'


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
async def test_what_unpacks_to_much_holds_nobody_up(owner: httpx.AsyncClient, packing: str) -> None:
    dataset = await make_dataset(owner)
    text = ROW + b" " * 200_000_000
    body = gzip.compress(text, 1) if packing == "gzip" else zstd.compress(text, 1)
    assert len(body) < 2_000_000
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": packing}
    path = f"/api/rows/bulk_insert/?dataset={dataset}"
    sending = asyncio.create_task(owner.post(path, content=body, headers=headers))
    longest = 0.0
    while not sending.done():
        begun = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - begun)
    assert sending.result().status_code == 400
    assert "longer than 32 MiB" in sending.result().json()["details"]
    # In one step of the loop, 200 MB took 0.4 s of its time.
    assert longest < 0.15


async def test_a_line_without_an_end_is_named(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    long = b'{"timestamp":"2026-01-01T00:00:00Z","values":{"a":"' + b"x" * (37 * 2**20) + b'"}}\n'
    answer = await owner.post(
        f"/api/rows/bulk_insert/?dataset={dataset}",
        content=ROW + b"\n" + ROW + long,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert answer.status_code == 400
    assert answer.json()["details"] == "rows[2]: the line is longer than 32 MiB"
    assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["results"] == []


async def test_many_new_columns_are_one_statement(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    values = {f"k{n}": n for n in range(1_200)}
    row = {"dataset": dataset, "timestamp": "2026-01-01T00:00:00Z", "values": values}
    assert (await owner.post("/api/rows/", json=row)).status_code == 201
    found = (await owner.get(f"/api/rows/?dataset={dataset}")).json()["results"]
    assert found[0]["values"] == values
    more = {**row, "values": {"k5": 1.5, "new one": "x", "k7": None, "and another": True}}
    assert (await owner.post("/api/rows/", json=more)).status_code == 201
    described = (await owner.get(f"/api/datasets/{dataset}/")).json()
    names = [column["name"] for column in described["columns"]]
    assert names[-2:] == ["new one", "and another"]
    assert names[:1_200] == list(values)
