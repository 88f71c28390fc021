"""Rows of the year 0, which versions before 0.2 took for CSV dates without a day: seen, found and removed."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
from tests.conftest import make_dataset

from atlas.consistency import repository as consistency
from atlas.kit.timestamps import YEAR_0_MICROS, format_micros

pytestmark = pytest.mark.anyio
OLD = "0000-01-20T00:00:00Z"


@pytest.fixture
def direct(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def put_back(direct: psycopg.Connection, dataset: int) -> None:
    """Moves the row with `a` = 1 to the year 0, as an older version stored it."""
    found = direct.execute("SELECT table_schema FROM atlas.datasets WHERE id = %s", (dataset,)).fetchone()
    assert found is not None
    direct.execute(
        f"""UPDATE "{found[0]}"."dataset_{dataset}" SET ts = '0001-01-20 00:00+00 BC' WHERE a = 1""".encode()
    )
    direct.execute(
        "UPDATE atlas.row_blocks SET min_ts = %s, max_ts = CASE WHEN row_count = 1 THEN %s ELSE max_ts END"
        " WHERE dataset_id = %s",
        (YEAR_0_MICROS + 19 * 86_400_000_000, YEAR_0_MICROS + 19 * 86_400_000_000, dataset),
    )
    # The rows are no longer in order of time.
    direct.execute("UPDATE atlas.dataset_state SET rewritten = true WHERE dataset_id = %s", (dataset,))


@pytest.mark.parametrize("others", [[], ["0001-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]])
async def test_rows_of_the_year_0(
    owner: httpx.AsyncClient, direct: psycopg.Connection, database_url: str, others: list[str]
) -> None:
    dataset = await make_dataset(owner)
    rows = [{"timestamp": stamp, "values": {"a": n}} for n, stamp in enumerate(["0001-01-20T00:00:00Z", *others], 1)]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    put_back(direct, dataset)
    stamps = [OLD, *others]
    at = f"dataset={dataset}"
    for path, wanted in (
        (f"/api/rows/?{at}", stamps),
        (f"/api/rows/?{at}&ordering=-timestamp", stamps[::-1]),
        (f"/api/rows/?{at}&end=0001-01-01T00:00:00Z", stamps[:2]),
        (f"/api/rows/?{at}&start=0001-01-01", stamps[1:]),
    ):
        page = (await owner.get(path)).json()
        assert ([row["timestamp"] for row in page["results"]], page["count"]) == (wanted, len(wanted)), path
    first = (await owner.get(f"/api/rows/?{at}&limit=1")).json()
    following = await owner.get(f"/api/rows/?{at}&cursor={first['next_cursor']}")
    assert [row["timestamp"] for row in following.json()["results"]] == stamps[1:]
    for output in ("json", "ndjson", "csv"):
        assert (await owner.get(f"/api/rows/bulk_download/?{at}&output={output}")).text.count(OLD) == 1
    table = pq.read_table(io.BytesIO((await owner.get(f"/api/rows/bulk_download/?{at}&output=parquet")).content))
    assert len(table) == len(stamps)
    assert OLD in (await owner.get(f"/api/rows/live/?{at}")).text
    assert (await owner.get(f"/api/rows/latest/?{at}")).json()["timestamp"] == stamps[-1]
    summary = (await owner.get(f"/api/datasets/{dataset}/summary/")).json()
    assert (summary["first_timestamp"], summary["last_timestamp"], summary["row_count"]) == (
        OLD,
        stamps[-1],
        len(stamps),
    )
    for bucket in ("auto", "1h", "2w", "month", "year"):
        chart = await owner.get(f"/api/rows/aggregate/?{at}&bucket={bucket}")
        assert [one["count"] for one in chart.json()["results"]] == [1] * len(others), chart.text
    for query in ("SELECT * FROM prices", "SELECT min(timestamp) FROM prices"):
        assert (await owner.post("/api/v1/sql", json={"sql": query})).status_code < 500
    assert any("outside of the years 1 to 9999" in found.problem for found in consistency.check(database_url).findings)
    removed = await owner.delete(f"/api/rows/?{at}&end=0001-01-01T00:00:00Z")
    assert removed.json() == {"deleted": len(stamps[:2])}
    assert not consistency.check(database_url).findings
    assert (await owner.get(f"/api/rows/?{at}")).json()["count"] == len(stamps[2:])


def test_times_of_the_year_0_are_written() -> None:
    assert format_micros(YEAR_0_MICROS) == "0000-01-01T00:00:00Z"
    assert format_micros(YEAR_0_MICROS + 60 * 86_400_000_000 - 1) == "0000-02-29T23:59:59.999999Z"
