"""What comes out can be put in elsewhere, and is the same: rows in each format of a download, tables by way of CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import make_dataset

from atlas.timeseries.ingest.number_texts import gives_back

pytestmark = pytest.mark.anyio
FORMATS = {
    "json": "application/json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
STAMPS = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
FINITE = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)
# Among them one without a name, and what libraries call such a column.
KEYS = st.one_of(
    st.sampled_from(["", "column_0", "column_1"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)


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


DIGITS = st.one_of(
    WHOLE.map(str),
    st.integers(-(10**30), 10**30).map(str),
    FINITE.map(repr),
    st.decimals(-(10**6), 10**6, places=20, allow_nan=False).map("{:f}".format),
    st.builds("{}.{}e{}".format, st.integers(1, 9), st.integers(0, 10**20), st.integers(-400, 400)),
)


@st.composite
def written_numbers(draw: st.DrawFn) -> list[list[str | None]]:
    """Rows of two columns of numbers as somebody wrote them, some of them absent."""
    cell = st.one_of(DIGITS, st.none())
    return draw(st.lists(st.tuples(DIGITS, cell).map(list), min_size=1, max_size=6))


def as_body(form: str, rows: list[list[str | None]]) -> bytes:
    """The numbers as a body of JSON, NDJSON or CSV."""
    stamps = [f"2025-01-01T00:00:0{number}Z" for number in range(len(rows))]
    if form == "csv":
        lines = [f"{stamp},{','.join(cell or '' for cell in row)}" for stamp, row in zip(stamps, rows, strict=True)]
        return ("timestamp,a,b\n" + "\n".join(lines)).encode()
    made = [
        (stamp, "{" + ",".join(f'"{key}":{cell}' for key, cell in zip("ab", row, strict=True) if cell) + "}")
        for stamp, row in zip(stamps, rows, strict=True)
    ]
    if form == "ndjson":
        return "\n".join(f'{{"timestamp":"{stamp}",{values[1:]}' for stamp, values in made).encode()
    inner = ",".join(f'{{"timestamp":"{stamp}","values":{values}}}' for stamp, values in made)
    return f'{{"rows":[{inner}]}}'.encode()


def same(cell: str | None, found: Any) -> bool:
    """Whether what was downloaded is the number as it was written, or a float that gives it back."""
    if cell is None or found is None:
        return cell is found
    text = found.decode() if isinstance(found, bytes) else str(found)
    return Decimal(text) == Decimal(cell) or gives_back(cell, float(text))


async def downloaded(client: httpx.AsyncClient, dataset: int, output: str) -> list[list[Any]]:
    """Columns a and b of a download, as it has them."""
    body = await client.get("/api/rows/bulk_download/", params={"dataset": dataset, "output": output})
    assert body.status_code == 200, body.text
    if output == "csv":
        return [[row.get(key) or None for key in "ab"] for row in csv.DictReader(io.StringIO(body.text))]
    lines = (
        body.content.splitlines() if output == "ndjson" else msgspec.json.decode(body.content, type=list[msgspec.Raw])
    )
    rows = [msgspec.json.decode(bytes(line), type=dict[str, msgspec.Raw]) for line in lines]
    return [[bytes(row[key]) if key in row else None for key in "ab"] for row in rows]


async def test_numbers_of_any_digits_in_each_format(owner: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()

    async def check(rows: list[list[str | None]]) -> None:
        for form in ("json", "ndjson", "csv"):
            dataset = await make_dataset(owner, name=form)
            head = {"Content-Type": FORMATS[form]}
            sent = await owner.post(
                f"/api/rows/bulk_insert/?dataset={dataset}", content=as_body(form, rows), headers=head
            )
            assert sent.status_code == 200, sent.text
            for output in ("json", "ndjson", "csv"):
                found = await downloaded(owner, dataset, output)
                for row, told in zip(rows, found, strict=True):
                    assert all(map(same, row, told)), (form, output, row, told)
            stored = await downloaded(owner, dataset, "ndjson")
            for output in ("json", "ndjson", "csv"):
                shape = {"shape": "nested"} if output == "json" else {}
                at = {"dataset": dataset, "output": output, **shape}
                body = (await owner.get("/api/rows/bulk_download/", params=at)).content
                target = await make_dataset(owner, name=output)
                again = b'{"rows":' + body + b"}" if output == "json" else body
                head = {"Content-Type": FORMATS[output]}
                sent = await owner.post(f"/api/rows/bulk_insert/?dataset={target}", content=again, headers=head)
                assert sent.status_code == 200, sent.text
                copied = await downloaded(owner, target, "ndjson")
                for row, told in zip(stored, copied, strict=True):
                    assert all(same(cell and cell.decode(), one) for cell, one in zip(row, told, strict=True)), (
                        output,
                        row,
                    )

    @settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(rows=written_numbers())
    def run(rows: list[list[str | None]]) -> None:
        asyncio.run_coroutine_threadsafe(check(rows), loop).result(120)

    await asyncio.to_thread(run)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header and records of texts, whole numbers, fractions, dates and truth values."""
    word = st.text("abcdefgh XYZ'\"é,;|\n", min_size=1, max_size=12).map(lambda text: f"w{text}w")
    kinds = [
        word,
        st.integers(-(2**53), 2**53).map(str),
        st.integers(-(10**6), 10**6).map(lambda n: f"{n}.25"),
        st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31)).map(date.isoformat),
        st.sampled_from(["true", "false"]),
    ]
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
