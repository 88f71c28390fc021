"""Timestamps that are numbers since 1970, whose unit the request names, and words for widths of buckets."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import make_dataset

from atlas.kit.timestamps import EPOCHS, MAX_MICROS, MIN_MICROS, parse_epoch
from atlas.timeseries.ingest.timestamp_columns import epoch_texts
from atlas.timeseries.read.bucket_requests import parse_width as _width

pytestmark = pytest.mark.anyio
BULK = "/api/rows/bulk_insert/"
MOMENT = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
# The same moment in each unit, as far as it goes.
NUMBERS = {"s": "1796040000.123456", "ms": "1796040000123.456", "us": "1796040000123456", "ns": "1796040000123456000"}
WHOLE = {"s": "1796040000", "ms": "1796040000000", "us": "1796040000000000", "ns": "1796040000000000000"}


async def stamps(owner: httpx.AsyncClient, dataset: int) -> list[str]:
    found = (await owner.get(f"/api/rows/?dataset={dataset}&limit=1000")).json()["results"]
    return [row["timestamp"] for row in found]


def parquet(unit: str, numbers: list[Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"timestamp": numbers, "a": range(len(numbers))}), out)
    return out.getvalue()


@pytest.mark.parametrize("unit", EPOCHS)
async def test_every_format(owner: httpx.AsyncClient, unit: str) -> None:
    dataset = await make_dataset(owner)
    where = f"dataset={dataset}&epoch={unit}"
    exact, whole = NUMBERS[unit], WHOLE[unit]
    rows = ",".join(f'{{"timestamp":{n},"values":{{"a":1}}}}' for n in (whole, exact, f'"{exact}"'))
    lines = f'{{"timestamp":{exact},"a":1}}\n{{"timestamp":{whole},"a":1}}\n'
    nested = f'{{"timestamp":{whole},"values":{{"a":1}}}}\n'
    text, binary = "text/csv", "application/vnd.apache.parquet"
    bodies: list[tuple[str, str | bytes, int]] = [
        ("application/json", f'{{"rows":[{rows}]}}', 3),
        ("application/x-ndjson", lines, 2),
        ("application/x-ndjson", nested, 1),
        (text, f"timestamp,a\n{whole},1\n{whole},2\n", 2),
        (text, f"time,a\n{exact},1\n", 1),
        (binary, parquet(unit, [int(whole)] * 3), 3),
    ]
    for media, body, count in bodies:
        preview = await owner.post(f"/api/rows/preview/?{where}", content=body, headers={"Content-Type": media})
        assert (preview.status_code, preview.json()["rows"]) == (200, count), preview.text
        stored = await owner.post(f"{BULK}?{where}", content=body, headers={"Content-Type": media})
        assert (stored.status_code, stored.json()["inserted"]) == (200, count), (media, stored.text)
    one = await owner.post(
        f"/api/rows/?epoch={unit}", content=f'{{"dataset":{dataset},"timestamp":{exact},"values":{{"a":1}}}}'
    )
    assert (one.status_code, one.json()["timestamp"]) == (201, "2026-11-30T12:00:00.123456Z")
    assert set(await stamps(owner, dataset)) == {"2026-11-30T12:00:00Z", "2026-11-30T12:00:00.123456Z"}


async def test_large_bodies_are_read_by_arrow(owner: httpx.AsyncClient) -> None:
    dataset, count = await make_dataset(owner), 60_000
    rows = [{"timestamp": 1_796_040_000_000 + n, "values": {"a": n, "text": "x" * 40}} for n in range(count)]
    stored = await owner.post(f"{BULK}?epoch=ms", json={"dataset": dataset, "rows": rows})
    assert (stored.status_code, stored.json()["inserted"]) == (200, count), stored.text
    asked = f"/api/rows/?dataset={dataset}&epoch=ms&start=1796040000005&end=1796040000007"
    assert [row["values"]["a"] for row in (await owner.get(asked)).json()["results"]] == [5, 6, 7]
    rows[40_000]["timestamp"] = 10**18
    refused = await owner.post(f"{BULK}?epoch=ms", json={"dataset": dataset, "rows": rows})
    assert refused.status_code == 400
    assert refused.json()["details"].startswith("rows[40000].timestamp: "), refused.text


async def test_without_a_unit_it_is_refused(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    told = "a number does not say its unit; say it with epoch=s, ms, us or ns in the query"
    row = {"timestamp": 1_796_040_000, "values": {}}
    for body in ({"rows": [row]}, {"rows": [{**row, "timestamp": "1796040000"}]}):
        answer = await owner.post(f"{BULK}?dataset={dataset}", json=body)
        assert (answer.status_code, told in answer.text) == (400, True), answer.text
        assert "rows[0].timestamp" in answer.text
    for media, content in (
        ("text/csv", b"timestamp,a\n1796040000,1\n"),
        ("application/x-ndjson", b'{"timestamp":1796040000,"a":1}\n'),
        ("application/vnd.apache.parquet", parquet("s", [1_796_040_000])),
    ):
        answer = await owner.post(f"{BULK}?dataset={dataset}", content=content, headers={"Content-Type": media})
        assert (answer.status_code, told in answer.text) == (400, True), answer.text
    assert told in (await owner.post("/api/rows/", json={"dataset": dataset, **row})).text
    assert told in (await owner.get(f"/api/rows/?dataset={dataset}&start=1796040000")).text
    assert await stamps(owner, dataset) == []


@pytest.mark.parametrize(
    ("unit", "stamp", "told"),
    [
        ("s", "1796040000000", "outside the years 1 to 9999"),
        ("s", "1.0000001", "finer than a microsecond"),
        ("ns", "1796040000123456001", "finer than a microsecond"),
        ("us", "0.5", "finer than a microsecond"),
        ("ms", '"2026-11-30"', "no number of ms since 1970"),
        ("ms", "1e12", "no number of ms since 1970"),
        ("ms", '""', "no number of ms"),
        ("ms", "null", "must be a number of ms"),
        ("ms", "true", "must be a number"),
        ("s", "-62135596801", "outside the years"),
        ("ms", "9" * 400, "outside the years"),
        ("s", '" 5"', "no number"),
    ],
)
async def test_what_is_no_such_number(owner: httpx.AsyncClient, unit: str, stamp: str, told: str) -> None:
    dataset = await make_dataset(owner)
    good = f'{{"timestamp":{WHOLE[unit]},"values":{{}}}}'
    body = f'{{"dataset":{dataset},"rows":[{good},{{"timestamp":{stamp},"values":{{}}}}]}}'
    answer = await owner.post(f"{BULK}?epoch={unit}", content=body)
    assert answer.status_code == 400, answer.text
    details = answer.json()["details"]
    assert details.startswith("rows[1].timestamp: "), details
    assert told in details
    text = json.loads(stamp)
    if isinstance(text, str | float | int) and not isinstance(text, bool) and stamp != '""':
        cell = stamp.strip('"')
        csv = await owner.post(
            f"{BULK}?dataset={dataset}&epoch={unit}",
            content=f'timestamp,a\n{WHOLE[unit]},1\n"{cell}",1\n',
            headers={"Content-Type": "text/csv"},
        )
        assert (csv.status_code, told in csv.text, "rows[1].timestamp" in csv.text) == (400, True, True), csv.text
    assert await stamps(owner, dataset) == []


async def test_ranges(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    rows = [{"timestamp": 1_796_040_000 + n, "values": {"a": n}} for n in range(10)]
    assert (await owner.post(f"{BULK}?epoch=s", json={"dataset": dataset, "rows": rows})).status_code == 200
    span = f"dataset={dataset}&epoch=s&start=1796040002&end=1796040004"
    assert (await owner.get(f"/api/rows/?{span}")).json()["count"] == 3
    assert len((await owner.get(f"/api/rows/bulk_download/?{span}")).json()) == 3
    assert len((await owner.get(f"/api/rows/live/?{span}")).text.splitlines()) == 3
    figures = await owner.get(f"/api/rows/aggregate/?{span}&bucket=day&functions=count")
    assert (figures.json()["bucket"], figures.json()["results"][0]["count"]) == ("1d", 3)
    half = await owner.get(f"/api/rows/?dataset={dataset}&epoch=ms&start=1796040002000.5&end=1796040004000")
    assert half.json()["count"] == 2
    assert (await owner.delete(f"/api/rows/?{span}")).json() == {"deleted": 3}
    for query in ("epoch=h", "epoch=s&start=2026-11-30", "epoch=s&end=soon", "epoch=s&start=1796040000000"):
        assert (await owner.get(f"/api/rows/?dataset={dataset}&{query}")).status_code == 400, query
    two = await owner.post(
        f"{BULK}?dataset={dataset}&epoch=s&timestamp_format=%25Y",
        content=b"timestamp\n1\n",
        headers={"Content-Type": "text/csv"},
    )
    assert (two.status_code, two.json()["details"].startswith("epoch: ")) == (400, True)


@given(st.integers(MIN_MICROS, MAX_MICROS), st.sampled_from(sorted(EPOCHS)))
def test_each_microsecond_is_exact(micros: int, unit: str) -> None:
    text = f"{Decimal(micros) * EPOCHS[unit] / 1_000_000:f}"
    assert parse_epoch(text, unit) == micros
    assert epoch_texts(pa.array([text]), unit).cast(pa.int64()).to_pylist() == [micros]


@pytest.mark.parametrize(
    ("words", "width"),
    [
        ("second", 1),
        ("5s", 5),
        ("30 sec", 30),
        ("minute", 60),
        ("15min", 900),
        ("15 minutes", 900),
        ("hour", 3600),
        ("1H", 3600),
        ("6 hours", 21_600),
        ("hourly", 3600),
        ("day", 86_400),
        ("1D", 86_400),
        ("daily", 86_400),
        ("7days", 604_800),
        ("week", 604_800),
        ("2weeks", 1_209_600),
        ("month", "month"),
        ("1mo", "month"),
        ("monthly", "month"),
        ("quarter", "quarter"),
        ("3 months", "quarter"),
        ("q", "quarter"),
        ("1y", "year"),
        ("Year", "year"),
        ("4 quarters", "year"),
        ("12mo", "year"),
    ],
)
async def test_words_of_widths(words: str, width: int | str) -> None:
    assert _width(words, 10**12, 500) == width


async def test_quarters_and_what_is_no_width(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    start = datetime(2025, 12, 31, tzinfo=UTC)
    rows = [{"timestamp": (start + timedelta(days=31 * n)).isoformat(), "values": {"a": n}} for n in range(8)]
    await owner.post(BULK, json={"dataset": dataset, "rows": rows})
    asked = f"/api/rows/aggregate/?dataset={dataset}&functions=sum&bucket="
    found = (await owner.get(asked + "quarter")).json()
    assert found["bucket"] == "quarter"
    assert [(one["timestamp"][:10], one["values"]["a"]["sum"]) for one in found["results"]] == [
        ("2025-10-01", 0),
        ("2026-01-01", 1 + 2),
        ("2026-04-01", 3 + 4 + 5),
        ("2026-07-01", 6 + 7),
    ]
    empty = f"/api/rows/aggregate/?dataset={await make_dataset(owner)}&bucket="
    assert (await owner.get(empty + "day")).json() == {"bucket": "1d", "results": []}
    for bucket, told in (
        ("5M", "M may be minutes or months"),
        ("fortnight", "month; quarter; year"),
        ("0d", "a number"),
        ("2 months", "of the calendar only a month"),
        ("", "a number"),
        ("1.5h", "a number"),
    ):
        assert (await owner.get(empty + bucket)).status_code == 400
        refused = await owner.get(asked + bucket)
        assert (refused.status_code, told in refused.json()["details"]) == (400, True), refused.text
