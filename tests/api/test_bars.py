"""Bars: functions of time buckets, by zones, filled and moving, beside a model in Python; rows plain and packed."""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
from tests.conftest import make_dataset

from atlas.db.database import Database
from atlas.timeseries.cold import mover
from atlas.timeseries.rollups import maintenance

pytestmark = pytest.mark.anyio
START = datetime(2024, 3, 29, 20, 10, tzinfo=UTC)
ALL = "count,min,max,avg,sum,first,last,ohlc,stddev,median,p95,quantile:0.1,delta,rate,twa,vwap"
Row = dict[str, Any]


def made(seed: int, count: int, hours: float) -> list[Row]:
    """Rows with missing values, equal times and late ones, across a change of the clocks in Europe."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        at = START + timedelta(seconds=round(hours * 3600 * number / count) - chance.choice((0, 0, 0, 900)))
        values: Row = {"symbol": chance.choice("AB"), "price": chance.randrange(10_000) / 8}
        values["volume"] = chance.randrange(99)
        if chance.random() < 0.2:
            values.pop(chance.choice(("price", "volume")))
        rows.append({"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "values": values})
    return rows


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def model(rows: list[Row], name: str, end: datetime, before: float | None, start: datetime) -> Row:
    """All functions of a column over the rows of a bucket, which are in order of time."""
    known = [(time_of(row["timestamp"]), row["values"][name]) for row in rows if name in row["values"]]
    values = [value for _, value in known]
    found: Row = {"count": len(values)}
    if not values:
        return found
    found |= {"min": min(values), "max": max(values), "avg": math.fsum(values) / len(values), "sum": math.fsum(values)}
    found |= {"first": values[0], "last": values[-1], "open": values[0], "close": values[-1]}
    found |= {"high": max(values), "low": min(values)}
    found["stddev"] = statistics.stdev(values) if len(values) > 1 else None
    for share, label in ((0.5, "median"), (0.95, "p95"), (0.1, "quantile:0.1")):
        found[label] = float(np.quantile(values, share))
    apart = (known[-1][0] - known[0][0]).total_seconds()
    found["delta"] = values[-1] - values[0] if apart else None
    found["rate"] = (values[-1] - values[0]) / apart if apart else None
    steps = ([] if before is None else [(start, before)]) + known
    held = [(later - time).total_seconds() for (time, _), (later, _) in zip(steps, [*steps[1:], (end, 0)], strict=True)]
    weighted = [value * seconds for (_, value), seconds in zip(steps, held, strict=True)]
    found["twa"] = math.fsum(weighted) / sum(held) if sum(held) else values[-1]
    both = [row["values"] for row in rows if {"price", "volume"} <= set(row["values"])]
    volume = sum(row["volume"] for row in both)
    if name == "price":
        found["vwap"] = math.fsum(row["price"] * row["volume"] for row in both) / volume if volume else None
    return found


def same(found: Any, wanted: Any) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-7)


async def aggregate(client: httpx.AsyncClient, dataset: int, **query: object) -> Row:
    response = await client.get("/api/rows/aggregate/", params={"dataset": dataset, **query})  # type: ignore[dict-item]
    assert response.status_code == 200, response.text
    answer: Row = response.json()
    return answer


def local_start(at: datetime, width: str) -> datetime:
    """The start of an hour or day in Berlin around 31 March 2024, when clocks go from 02:00 to 03:00 (01:00Z)."""
    change = datetime(2024, 3, 31, 1, tzinfo=UTC)
    if width == "1h":
        return at.replace(minute=0, second=0)
    shift = timedelta(hours=1 if at < change else 2)
    midnight = (at + shift).replace(hour=0, minute=0, second=0)
    return midnight - timedelta(hours=1 if midnight.date() <= change.date() else 2)


@pytest.mark.parametrize("cold", [False, True])
async def test_functions_are_those_of_a_model(owner: httpx.AsyncClient, database: Database, cold: bool) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    rows = made(5, 1500, 72)
    for part in (rows[:900], rows[900:]):
        response = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": part})
        assert response.status_code == 200, response.text
        if cold and part == rows[:900]:
            assert await mover.pack_next(database, dataset, 2**51, 10**9) == len(part)
    rows.sort(key=lambda row: row["timestamp"])
    for width, by in (("1h", ["symbol"]), ("day", []), ("day", ["symbol"])):
        answer = await aggregate(
            owner, dataset, bucket=width, functions=ALL, timezone="europe/berlin", by=by, columns="price,volume"
        )
        assert (answer["timezone"], answer["price"], answer["volume"]) == ("Europe/Berlin", "price", "volume")
        wanted: dict[tuple[Any, datetime], list[Row]] = defaultdict(list)
        for row in rows:
            key = row["values"]["symbol"] if by else None
            wanted[key, local_start(time_of(row["timestamp"]), width)].append(row)
        assert len(answer["results"]) == len(wanted)
        before: dict[tuple[Any, str], float] = {}
        for bucket in answer["results"]:
            key, start = bucket.get("series", {}).get("symbol"), time_of(bucket["timestamp"])
            some = wanted[key, start]
            assert bucket["count"] == len(some)
            end = local_start(start + timedelta(hours=1 if width == "1h" else 30), width)
            for name in ("price", "volume"):
                right = model(some, name, end, before.get((key, name)), start)
                for label, value in bucket["values"][name].items():
                    assert same(value, right.get(label)), (width, by, bucket["timestamp"], name, label)
                before[key, name] = right.get("last", before.get((key, name)))


async def test_rollups_serve_zones(owner: httpx.AsyncClient, database: Database) -> None:
    dataset = await make_dataset(owner)
    lines = ["timestamp,price"]
    for number in range(51_000):
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=number * 3)
        lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{number * 37 % 1001}")
    csv: Row = {"content": "\n".join(lines), "headers": {"Content-Type": "text/csv"}}
    response = await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", **csv)
    assert response.status_code == 200, response.text
    asked = [
        {"bucket": bucket, "timezone": zone, "functions": "count,ohlc,sum,delta,rate", "start": "2024-02-03T04:05:06Z"}
        for bucket, zone in (("day", "Europe/Berlin"), ("month", "Australia/Lord_Howe"), ("6h", "Asia/Kathmandu"))
    ] + [{"bucket": "week", "first_weekday": "sun", "functions": "count,ohlc"}]
    before = [await aggregate(owner, dataset, **query) for query in asked]
    while await maintenance.advance(database, dataset):
        pass
    assert [await aggregate(owner, dataset, **query) for query in asked] == before
    assert all(datetime.fromisoformat(one["timestamp"]).weekday() == 6 for one in before[-1]["results"])


async def test_gaps_are_filled_and_told(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    rows = [
        {"timestamp": "2024-01-02T10:00:00Z", "values": {"x": 10, "y": 1.0}},
        {"timestamp": "2024-01-04T10:00:00Z", "values": {"y": 2.0}},
        {"timestamp": "2024-01-06T10:00:00Z", "values": {"x": 30}},
    ]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    asked = {"bucket": "day", "functions": "count,last", "start": "2024-01-01T12:00:00Z", "end": "2024-01-07"}
    lasts = {
        "null": [None, 10, None, None, None, 30, None],
        "previous": [None, 10, 10, 10, 10, 30, 30],
        "linear": [None, 10, 15, 20, 25, 30, None],
        "zero": [0, 10, 0, 0, 0, 30, 0],
    }
    for fill, wanted in lasts.items():
        results = (await aggregate(owner, dataset, fill=fill, **asked))["results"]
        assert [one["timestamp"][8:10] for one in results] == ["01", "02", "03", "04", "05", "06", "07"]
        assert [one["values"]["x"]["last"] for one in results] == wanted, fill
        assert [one["count"] for one in results] == [0, 1, 0, 1, 0, 1, 0]
        assert [one["values"]["x"]["count"] for one in results] == [0, 1, 0, 0, 0, 1, 0]
        empty = [one.get("filled", False) and "filled_columns" not in one for one in results]
        assert empty == [True, False, True, False, True, False, True]
        part = ["x"] if fill != "null" else None
        assert results[3].get("filled_columns") == part
    plain = (await aggregate(owner, dataset, **asked))["results"]
    assert [one["timestamp"][8:10] for one in plain] == ["02", "04", "06"]
    assert not any("filled" in one for one in plain)
    nothing = await aggregate(owner, dataset, fill="null", bucket="day", start="2023-01-01", end="2023-01-03")
    assert [one["values"]["x"]["avg"] for one in nothing["results"]] == [None, None, None]


async def test_no_bucket_is_filled_in_at_a_change_of_the_clocks(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    rows = []
    for n in range(24 * 21):
        at = datetime(2013, 10, 24, tzinfo=UTC) + timedelta(hours=n)
        rows.append({"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "values": {"x": n}})
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    for bucket, fill in (("1d", "previous"), ("1h", "null"), ("6h", "linear"), ("week", "zero"), ("month", "null")):
        asked = {"bucket": bucket, "timezone": "America/New_York"}
        plain = await aggregate(owner, dataset, **asked)
        assert await aggregate(owner, dataset, fill=fill, **asked) == plain
    results = (await aggregate(owner, dataset, bucket="1d", timezone="America/New_York"))["results"]
    days = {one["timestamp"]: one["count"] for one in results}
    assert (days["2013-11-03T04:00:00Z"], days["2013-11-04T05:00:00Z"]) == (25, 24)


async def test_moving_windows(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    chance = random.Random(3)
    values = {day: [chance.randrange(100) for _ in range(chance.randrange(3))] for day in range(1, 29)}
    rows = [
        {"timestamp": f"2024-02-{day:02d}T0{n}:00:00Z", "values": {"x": x}}
        for day, xs in values.items()
        for n, x in enumerate(xs)
    ]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    asked = {"bucket": "1d", "window": 7, "functions": "count,avg,max,first,median,stddev,sum"}
    for query, first in (({}, 1), ({"start": "2024-02-10"}, 10), ({"start": "2024-02-10", "fill": "null"}, 10)):
        answer = await aggregate(owner, dataset, **asked, **query)
        results = {int(one["timestamp"][8:10]): one for one in answer["results"]}
        last = max(day for day in values if values[day])
        assert list(results) == [day for day in range(first, last + 1) if values[day] or "fill" in query]
        for day, one in results.items():
            some = [x for at in range(max(1, day - 6), day + 1) for x in values[at]]
            assert one["count"] == len(some)
            right = {"count": len(some), "avg": sum(some) / len(some), "max": max(some), "first": some[0]}
            right |= {"sum": sum(some), "median": statistics.median(some), "stddev": statistics.stdev(some)}
            assert all(same(one["values"]["x"][name], value) for name, value in right.items()), day


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"functions": "ohcl"}, "did you mean ohlc"),
        ({"functions": "p101"}, "p95"),
        ({"functions": "quantile:1.5"}, "from 0 to 1"),
        ({"functions": "quantile:"}, "from 0 to 1"),
        ({"functions": "vwap", "price": "pric"}, "did you mean 'price'"),
        ({"functions": "vwap", "volume": "price"}, "is the price already"),
        ({"functions": "avg", "price": "price"}, "only functions=vwap"),
        ({"timezone": "Europe/Berln"}, "Europe/Berlin"),
        ({"timezone": "Europe/Berlin", "bucket": "7m"}, "divides a day"),
        ({"fill": "prev"}, "did you mean previous"),
        ({"fill": ""}, "linear"),
        ({"first_weekday": "sonday", "bucket": "week"}, "did you mean sunday"),
        ({"first_weekday": "sunday", "bucket": "day"}, "whole weeks"),
        ({"window": 0}, "window"),
        ({"fill": "null", "bucket": "1s", "start": "2020-01-01", "end": "2024-01-01"}, "more than 100000 buckets"),
    ],
)
async def test_what_is_no_bar_is_refused(owner: httpx.AsyncClient, query: Row, reason: str) -> None:
    dataset = await make_dataset(owner)
    values = {"price": 1.5, "volume": 2, "name": "x"}
    await owner.post("/api/rows/", json={"dataset": dataset, "timestamp": "2024-01-01T00:00:00Z", "values": values})
    response = await owner.get("/api/rows/aggregate/", params={"dataset": dataset, **query})
    assert response.status_code == 400, response.text
    assert reason in response.json()["details"]
