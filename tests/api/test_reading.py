"""Pages, ranges, counts, cursors, buckets, deletes and cache validators, against plain Python."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import make_dataset

pytestmark = pytest.mark.anyio
START = datetime(2025, 1, 1, tzinfo=UTC)


def stamp(second: int) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def fill(client: httpx.AsyncClient, dataset: int, seconds: list[int], first: int = 0) -> list[tuple[str, int]]:
    """Inserts one row a second given, numbered from `first`; gives (timestamp, number) pairs."""
    rows = [(stamp(second), first + index) for index, second in enumerate(seconds)]
    body = "timestamp,n,x\n" + "".join(f"{when},{n},{n / 4}\n" for when, n in rows)
    response = await client.post(
        f"/api/rows/bulk_insert/?dataset={dataset}", content=body, headers={"Content-Type": "text/csv"}
    )
    assert response.json() == {"inserted": len(rows), "total": len(rows)}, response.text
    return rows


@pytest.fixture
async def scattered(owner: httpx.AsyncClient) -> tuple[int, list[tuple[str, int]]]:
    """A dataset of 36,000 rows in three overlapping, shuffled inserts with equal times, and its rows in order."""
    dataset, rows, chance = await make_dataset(owner), [], random.Random(7)
    for part in range(3):
        seconds = [chance.randrange(part * 8_000, part * 8_000 + 12_000) for _ in range(12_000)]
        # Rows of one insert are numbered in order of time, so equal times keep the order in which they were sent.
        rows += sorted(await fill(owner, dataset, seconds, part * 12_000), key=lambda row: row[0])
    return dataset, sorted(rows, key=lambda row: row[0])


async def page(client: httpx.AsyncClient, path: str) -> tuple[int, list[tuple[str, int]], dict[str, Any]]:
    response = await client.get(path)
    assert response.status_code == 200, response.text
    found = response.json()
    return found["count"], [(row["timestamp"], row["values"]["n"]) for row in found["results"]], found


async def test_ranges_orders_and_offsets(
    owner: httpx.AsyncClient, scattered: tuple[int, list[tuple[str, int]]]
) -> None:
    dataset, rows = scattered
    chance = random.Random(1)
    for _ in range(40):
        low, high = sorted(chance.randrange(-100, 28_100) for _ in range(2))
        first, last = stamp(low), stamp(high)
        inside = [row for row in rows if first <= row[0] <= last]
        offset, limit = chance.choice([0, 5, 300, 11_000, 25_000, 40_000]), chance.choice([1, 250, 3_000])
        for ordering in ("timestamp", "-timestamp"):
            wanted = inside if ordering == "timestamp" else inside[::-1]
            query = f"start={stamp(low)}&end={stamp(high)}&ordering={ordering}&limit={limit}&offset={offset}"
            count, found, _ = await page(owner, f"/api/rows/?dataset={dataset}&{query}")
            assert count == len(inside)
            assert found == wanted[offset : offset + limit]


async def test_links_and_cursors_lead_through_all_rows(
    owner: httpx.AsyncClient, scattered: tuple[int, list[tuple[str, int]]]
) -> None:
    dataset, rows = scattered
    for ordering, wanted in (("timestamp", rows), ("-timestamp", rows[::-1])):
        base = f"/api/rows/?dataset={dataset}&ordering={ordering}&limit=7000"
        found, path, seen = [], base, 0
        while path:
            _, part, answer = await page(owner, path)
            found += part
            path, seen = answer["next"], seen + 1
        assert (found, seen) == (wanted, 6)
        _, _, second = await page(owner, f"{base}&offset=7000")
        assert "offset=0" in second["previous"]
        found, cursor = [], ""
        while cursor is not None:
            _, part, answer = await page(owner, base + (f"&cursor={cursor}" if cursor else ""))
            found += part
            cursor = answer["next_cursor"]
        assert found == wanted


async def test_zones_and_inclusive_ends(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    await fill(owner, dataset, [0, 60, 120])
    for start, end, numbers in (
        ("2025-01-01T00:00:00Z", "2025-01-01T00:01:00Z", [0, 1]),
        ("2025-01-01T01:01:00+01:00", "2025-01-01T01:02:00+01:00", [1, 2]),
        ("2024-12-31T19:01:00-05:00", "2024-12-31T19:01:00-05:00", [1]),
        ("2025-01-01T00:01:00.000001", "2025-01-02", [2]),
        ("2025-01-01 00:00:00", "2025-01-01 00:00:59.999999", [0]),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", [0, 1, 2]),
    ):
        for sent in ({"start": start, "end": end}, None):
            # Once escaped, and once as typed into an address, where + becomes a space.
            query = f"/api/rows/?dataset={dataset}" + ("" if sent else f"&start={start}&end={end}")
            response = await owner.get(query, params={"dataset": dataset, **sent} if sent else None)
            assert [row["values"]["n"] for row in response.json()["results"]] == numbers, (start, end)


async def test_downloads_are_the_same_rows(
    owner: httpx.AsyncClient, scattered: tuple[int, list[tuple[str, int]]]
) -> None:
    dataset, rows = scattered
    path = f"/api/rows/bulk_download/?dataset={dataset}&start={stamp(3_000)}&end={stamp(20_000)}"
    wanted = [row for row in rows if stamp(3_000) <= row[0] <= stamp(20_000)]
    flat = (await owner.get(path)).json()
    assert [(row["timestamp"], row["n"]) for row in flat] == wanted
    assert [row["x"] for row in flat] == [n / 4 for _, n in wanted]
    lines = (await owner.get(path + "&output=ndjson")).text.splitlines()
    assert [json.loads(line) for line in lines] == flat
    frames = {
        "csv": pl.read_csv(io.BytesIO((await owner.get(path + "&output=csv")).content), try_parse_dates=True),
        "parquet": pl.from_arrow(pq.read_table(io.BytesIO((await owner.get(path + "&output=parquet")).content))),
        "arrow": pl.from_arrow(pa.ipc.open_stream((await owner.get(path + "&output=arrow")).content).read_all()),
    }
    for name, frame in frames.items():
        assert frame["n"].to_list() == [n for _, n in wanted], name
        assert frame["x"].to_list() == [n / 4 for _, n in wanted], name
        assert frame["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list() == [when for when, _ in wanted], name
    only = await owner.get(path + "&columns=x&output=csv")
    assert only.text.startswith("timestamp,x\n")
    for count in (1, 250, 30_000, 10**9):
        live = (await owner.get(f"/api/rows/live/?dataset={dataset}&limit={count}")).text.splitlines()
        assert [json.loads(line)["n"] for line in live] == [n for _, n in rows[-count:]]


async def test_buckets(owner: httpx.AsyncClient, scattered: tuple[int, list[tuple[str, int]]]) -> None:
    dataset, rows = scattered
    functions = "count,min,max,sum,avg,first,last"
    answer = (await owner.get(f"/api/rows/aggregate/?dataset={dataset}&bucket=15m&functions={functions}")).json()
    groups: dict[str, list[int]] = {}
    for when, n in rows:
        second = int((datetime.fromisoformat(when) - START).total_seconds()) // 900 * 900
        groups.setdefault(stamp(second), []).append(n)
    assert [bucket["timestamp"] for bucket in answer["results"]] == list(groups)
    for bucket, numbers in zip(answer["results"], groups.values(), strict=True):
        assert bucket["count"] == len(numbers)
        found = bucket["values"]["n"]
        assert found.pop("avg") == pytest.approx(sum(numbers) / len(numbers))
        assert found == {
            "count": len(numbers),
            "min": min(numbers),
            "max": max(numbers),
            "sum": sum(numbers),
            "first": numbers[0],
            "last": numbers[-1],
        }
    auto = (await owner.get(f"/api/rows/aggregate/?dataset={dataset}&points=100&columns=x")).json()
    assert 0 < len(auto["results"]) <= 101
    for bad in ("bucket=0s", "bucket=x", "functions=mode", "functions=", "points=0"):
        assert (await owner.get(f"/api/rows/aggregate/?dataset={dataset}&{bad}")).status_code == 400


async def test_a_column_widens_between_equal_questions(owner: httpx.AsyncClient) -> None:
    """A statement that PostgreSQL keeps prepared has the types of its result from before."""
    dataset = await make_dataset(owner)
    await fill(owner, dataset, [0, 1])
    base = f"/api/rows/aggregate/?dataset={dataset}&bucket=1h"
    paths = [
        f"{base}&functions=min,max,sum,first,last",
        f"/api/rows/?dataset={dataset}",
    ]
    for _ in range(20):
        for path in paths:
            assert (await owner.get(path)).status_code == 200
    row = {"dataset": dataset, "timestamp": stamp(2), "values": {"n": 0.5}}
    assert (await owner.post("/api/rows/", json=row)).status_code == 201
    for path in paths:
        assert (await owner.get(path)).status_code == 200
    assert (await owner.get(paths[0])).json()["results"][0]["values"]["n"]["min"] == 0


async def test_deleting_a_range(owner: httpx.AsyncClient, scattered: tuple[int, list[tuple[str, int]]]) -> None:
    dataset, rows = scattered
    span = f"start={stamp(5_000)}&end={stamp(16_000)}"
    gone = {row for row in rows if stamp(5_000) <= row[0] <= stamp(16_000)}
    assert (await owner.delete(f"/api/rows/?dataset={dataset}")).status_code == 400
    assert (await owner.delete(f"/api/rows/?dataset={dataset}&{span}")).json() == {"deleted": len(gone)}
    assert (await owner.delete(f"/api/rows/?dataset={dataset}&{span}")).json() == {"deleted": 0}
    left = [row for row in rows if row not in gone]
    added = await fill(owner, dataset, list(range(5_000, 5_100)), 100_000)
    left = sorted(left + added, key=lambda row: row[0])
    count, found, _ = await page(owner, f"/api/rows/?dataset={dataset}&limit=50000")
    assert (count, found) == (len(left), left)
    download = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}")).json()
    assert [(row["timestamp"], row["n"]) for row in download] == left
    await owner.delete(f"/api/rows/?dataset={dataset}&start=0001-01-01")
    assert (await page(owner, f"/api/rows/?dataset={dataset}"))[0] == 0
    assert (await owner.get(f"/api/rows/latest/?dataset={dataset}")).status_code == 404


async def test_etags(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    await fill(owner, dataset, [0, 1])
    path = f"/api/rows/bulk_download/?dataset={dataset}&output=csv"
    tag = (await owner.get(path)).headers["etag"]
    again = await owner.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert (await owner.get(path + "&columns=n", headers={"If-None-Match": tag})).status_code == 200
    await fill(owner, dataset, [2])
    assert (await owner.get(path, headers={"If-None-Match": tag})).status_code == 200


async def test_paths_work_with_and_without_a_slash(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    for path in ("/api/datasets", f"/api/datasets/{dataset}", f"/api/rows?dataset={dataset}", "/api/tags"):
        head, _, query = path.partition("?")
        for variant in (path, f"{head}/" + (f"?{query}" if query else "")):
            assert (await owner.get(variant, follow_redirects=False)).status_code == 200
    created = await owner.post("/api/rows", json={"dataset": dataset, "timestamp": stamp(0), "values": {}})
    assert created.status_code == 201
