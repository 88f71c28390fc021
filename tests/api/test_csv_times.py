"""Timestamps of a CSV download: one precision a file, so that readers who look at the first cell read all of them."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import make_dataset

from atlas.timeseries.formats import second_digits, timestamp_text
from atlas.timeseries.read import service as reads

pytestmark = pytest.mark.anyio
START = datetime(2026, 1, 1, tzinfo=UTC)


async def filled(owner: httpx.AsyncClient, micros: list[int]) -> int:
    """A dataset of rows so many microseconds behind START."""
    dataset = await make_dataset(owner)
    start = int(START.timestamp()) * 1_000_000
    table = pa.table(
        {
            "timestamp": pa.array([start + n for n in micros]).cast(pa.timestamp("us", "UTC")),
            "a": range(len(micros)),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    media = {"Content-Type": "application/vnd.apache.parquet"}
    stored = await owner.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=out.getvalue(), headers=media)
    assert stored.status_code == 200, stored.text
    return dataset


@pytest.mark.parametrize(("odd", "digits"), [(0, 0), (250_000, 3), (123_456, 6)])
@pytest.mark.parametrize("where", ["first", "last"])
async def test_one_precision_a_file(
    owner: httpx.AsyncClient, odd: int, digits: int, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "LOOKED_AT_ROWS", 30_000)
    count = 120_000
    micros = [n * 1_000_000 for n in range(count)]
    place = 0 if where == "first" else count - 1
    micros[place] += odd
    dataset = await filled(owner, micros)
    text = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv")).text
    cells = [line.split(",")[0] for line in text.splitlines()[1:]]
    fraction = rf"[.]\d{{{digits}}}" if digits else ""
    form = re.compile(rf"2026-\d\d-\d\dT\d\d:\d\d:\d\d{fraction}Z")
    assert all(map(form.fullmatch, cells))
    frame = pd.read_csv(io.StringIO(text), parse_dates=["timestamp"])
    assert isinstance(frame["timestamp"].dtype, pd.DatetimeTZDtype)
    assert frame["timestamp"][place] == START + timedelta(microseconds=micros[place])
    assert pl.read_csv(io.StringIO(text), try_parse_dates=True).schema["timestamp"].is_temporal()
    # A range without that row needs none of its digits.
    cut = "end=2026-01-01T00:01:00" if where == "last" else "start=2026-01-01T00:00:01&end=2026-01-01T00:01:00"
    part = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}&output=csv&{cut}")).text
    assert part.splitlines()[1].split(",")[0] == f"2026-01-01T00:00:0{int(where == 'first')}Z"
    # JSON keeps what each needs.
    rows = (await owner.get(f"/api/rows/?dataset={dataset}&limit=2&offset=1")).json()["results"]
    assert rows[0]["timestamp"] == "2026-01-01T00:00:01Z"


async def test_only_files_of_several_parts_are_looked_at_twice(
    owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def digits(*args: object) -> int:
        asked.append(args)
        return 3

    dataset = await filled(owner, [n * 1_000_000 for n in range(2_000)] + [10**11 + 5] * 2)
    monkeypatch.setattr(reads.counts, "second_digits", digits)
    url = f"/api/rows/bulk_download/?dataset={dataset}&output=csv"
    for part, fraction in (("&end=2026-01-01T00:00:09", ""), ("&start=2026-01-02", ".000005"), ("", ".000005")):
        last = (await owner.get(url + part)).text.splitlines()[-1]
        assert f"{fraction}Z," in last, part
    assert asked == []


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=5), st.sampled_from([1, 1_000, 1_000_000]))
def test_digits_are_enough_and_not_more(values: list[int], step: int) -> None:
    micros = [value * step for value in values]
    table = pa.table({"ts": pa.array(micros).cast(pa.timestamp("us", "UTC"))})
    digits = second_digits(table)
    texts = timestamp_text(pl.Series("ts", pl.from_arrow(table)["ts"]), digits).to_list()  # type: ignore[index]
    assert [datetime.fromisoformat(text) for text in texts] == [
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value) for value in micros
    ]
    assert len({len(text) for text in texts}) == 1
    assert digits == max(0 if value % 1_000_000 == 0 else 3 if value % 1_000 == 0 else 6 for value in micros)
