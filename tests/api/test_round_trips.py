"""What comes out can be put in elsewhere, and is the same: rows in each format of a download, tables by way of CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import make_dataset

pytestmark = pytest.mark.anyio
FORMATS = {
    "json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.stream",
}  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
STAMPS = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
FINITE = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)


@st.composite
def rows_of_columns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows whose keys have one type each, some of them absent."""
    kinds = draw(st.dictionaries(KEYS, st.sampled_from([WHOLE, FINITE, st.booleans(), TEXTS]), min_size=1, max_size=4))
    stamps = draw(st.lists(STAMPS, min_size=1, max_size=6, unique=True))
    return [
        {"timestamp": stamp, "values": {key: draw(kind) for key, kind in kinds.items() if draw(st.booleans())}}
        for stamp in stamps
    ]


async def all_rows(client: httpx.AsyncClient, dataset: int) -> list[dict[str, Any]]:
    found = await client.get("/api/rows/", params={"dataset": dataset, "limit": 1000})
    assert found.status_code == 200, found.text
    return [{"timestamp": row["timestamp"], "values": row["values"]} for row in found.json()["results"]]


async def copied(client: httpx.AsyncClient, source: int, output: str) -> list[dict[str, Any]]:
    """The rows of a dataset after a way through one format into another."""
    shape = {"shape": "nested"} if output == "json" else {}
    body = await client.get("/api/rows/bulk_download/", params={"dataset": source, "output": output, **shape})
    assert body.status_code == 200, body.text
    target = await make_dataset(client, name=output)
    content = b'{"rows":' + body.content + b"}" if output == "json" else body.content
    sent = await client.post(
        "/api/rows/bulk_insert/", params={"dataset": target}, content=content, headers={"Content-Type": FORMATS[output]}
    )
    assert sent.status_code == 200, sent.text
    return await all_rows(client, target)


async def test_rows_in_each_format(owner: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()

    async def check(rows: list[dict[str, Any]]) -> None:
        source = await make_dataset(owner)
        sent = await owner.post("/api/rows/bulk_insert/", json={"dataset": source, "rows": rows})
        assert sent.status_code == 200, sent.text
        stored = await all_rows(owner, source)
        assert len(stored) == len(rows)
        for output in FORMATS:
            assert await copied(owner, source, output) == stored, output

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(rows=rows_of_columns())
    def run(rows: list[dict[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(check(rows), loop).result(120)

    await asyncio.to_thread(run)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header and records of texts, whole numbers, fractions, dates and truth values."""
    word = st.text("abcdefgh XYZ'\"é,;|\n", min_size=1, max_size=12).map(lambda text: f"w{text}w")
    kinds = [
        word, st.integers(-(2**53), 2**53).map(str), st.integers(-(10**6), 10**6).map(lambda n: f"{n}.25"),
        st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31)).map(date.isoformat),
        st.sampled_from(["true", "false"]),
    ]  # fmt: skip
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5))
    names = ["id", *(f"col_{letter}" for letter in "abcde"[: len(chosen)])]
    count = draw(st.integers(1, 6))
    return names, [[str(number), *(draw(kind) for kind in chosen)] for number in range(1, count + 1)]


async def imported(client: httpx.AsyncClient, table: str, content: bytes) -> str:
    """The CSV of a table that a CSV was imported into."""
    form = {"instruction": f"Import into a new table {table}, keep duplicates"}
    done = await client.post("/api/v1/smart-import", data=form, files={"file": ("f.csv", content)})
    assert done.status_code == 200, done.text
    told = done.json()
    assert (told["table_name"], told["validation_failures"], told["duplicates_skipped"]) == (table, 0, 0), told
    exported = await client.get(f"/api/v1/tables/{table}/export")
    assert exported.status_code == 200, exported.text
    return exported.text


async def test_tables_by_way_of_csv(owner: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()
    numbers = itertools.count(1)

    async def check(names: list[str], records: list[list[str]]) -> None:
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(records)
        number = next(numbers)
        first = await imported(owner, f"first_{number}", sink.getvalue().encode())
        second = await imported(owner, f"second_{number}", first.encode())
        assert first == second
        # Truth values come out as PostgreSQL writes them.
        short = {"true": "t", "false": "f"}
        assert list(csv.reader(io.StringIO(first))) == [names, *([short.get(c, c) for c in row] for row in records)]

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(table=tables())
    def run(table: tuple[list[str], list[list[str]]]) -> None:
        asyncio.run_coroutine_threadsafe(check(*table), loop).result(120)

    await asyncio.to_thread(run)
