"""Figures by bucket: sums of integers to the last digit, and charts at both ends of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.conftest import make_dataset

pytestmark = pytest.mark.anyio


async def insert(client: httpx.AsyncClient, dataset: int, rows: list[tuple[str, dict[str, Any]]]) -> None:
    body = {"dataset": dataset, "rows": [{"timestamp": stamp, "values": values} for stamp, values in rows]}
    done = await client.post("/api/rows/bulk_insert/", json=body)
    assert done.status_code == 200, done.text


async def figures(client: httpx.AsyncClient, dataset: int, query: str) -> list[dict[str, Any]]:
    found = await client.get(f"/api/rows/aggregate/?dataset={dataset}&{query}")
    assert found.status_code == 200, (query, found.text)
    results: list[dict[str, Any]] = found.json()["results"]
    return results


@pytest.mark.parametrize(
    "values",
    [
        [2**53 + 1],
        [2**53 + 1, 2**53 + 1, 1],
        [2**63 - 1] * 3,
        [-(2**63)] * 5,
        [2**63 - 1, -(2**63)],
        [10**18 + 1] * 40,
        [1, 2, 4],
        [0],
    ],
)
async def test_a_sum_of_integers_is_exact(owner: httpx.AsyncClient, values: list[int]) -> None:
    dataset = await make_dataset(owner)
    await insert(owner, dataset, [("2025-01-01", {"a": value}) for value in values])
    (found,) = await figures(owner, dataset, "bucket=1d&functions=sum,avg,min,max,count")
    told = found["values"]["a"]
    assert told == {
        "sum": sum(values),
        "avg": sum(values) / len(values),
        "min": min(values),
        "max": max(values),
        "count": len(values),
    }
    assert type(told["sum"]) is int
    assert type(told["avg"]) is float


async def test_a_sum_goes_on_when_its_column_becomes_float(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    await insert(owner, dataset, [("2025-01-01", {"a": 5}), ("2025-01-02", {"a": 7})])
    await insert(owner, dataset, [("2025-01-01", {"a": 0.5})])
    assert [one["values"]["a"]["sum"] for one in await figures(owner, dataset, "bucket=1d&functions=sum")] == [5.5, 7.0]


BUCKETS = ["auto", "1s", "1h", "12h", "1d", "2d", "30d", "1w", "2w", "7w", "1000000w", "999999999w", "month", "year"]


@pytest.mark.parametrize(
    "ends",
    [
        ("0001-01-01T00:00:00Z",),
        ("0001-01-01T00:00:00.000001Z", "0001-01-03T00:00:00Z"),
        ("0002-01-01T00:00:00Z",),
        ("9999-12-31T23:59:59.999999Z",),
        ("0001-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
async def test_charts_at_both_ends_of_the_calendar(owner: httpx.AsyncClient, ends: tuple[str, ...]) -> None:
    dataset = await make_dataset(owner)
    await insert(owner, dataset, [(stamp, {"a": 1}) for stamp in ends])
    for bucket in BUCKETS:
        found = await figures(owner, dataset, f"bucket={bucket}&functions=sum")
        assert sum(one["count"] for one in found) == len(ends), bucket
        assert [one["timestamp"] for one in found] == sorted(one["timestamp"] for one in found)
        assert datetime.fromisoformat(found[0]["timestamp"]) <= datetime.fromisoformat(ends[0]), bucket
        if bucket == "2w":
            assert found[-1]["timestamp"] == start_of(ends[-1], timedelta(weeks=2))


def start_of(stamp: str, width: timedelta) -> str:
    """The start of the bucket of a timestamp, or the begin of the calendar."""
    moment, origin = datetime.fromisoformat(stamp), datetime(2000, 1, 3, tzinfo=UTC)
    back = (moment - origin) % width
    least = datetime(1, 1, 1, tzinfo=UTC)
    return max(least, moment - min(back, moment - least)).isoformat().replace("+00:00", "Z")
