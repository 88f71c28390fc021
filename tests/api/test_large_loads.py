"""Loads that go straight to chunks: stored, counted, streamed and refused like any rows, in each format."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import Client, People, make_dataset

from atlas.db.database import Database
from atlas.kit.timestamps import MAX_MICROS
from atlas.timeseries.cold import mover
from atlas.timeseries.ingest import chunk_appender, row_writer

pytestmark = pytest.mark.anyio
ROWS = 1_600
START = datetime(2030, 1, 1, tzinfo=UTC)
CITIES = ("Rome", "Oslo", "", "Bern")
PATHS = (
    "bulk_download/?output=csv",
    "?limit=5&offset=777",
    "?limit=5&ordering=-timestamp",
    "latest/",
    "live/?limit=7",
    "aggregate/?bucket=1h&functions=count,min,max,avg,sum,first,last",
)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has small bodies take the way of large ones, in several chunks."""
    monkeypatch.setattr(row_writer, "SMALL_ROWS", 10)
    monkeypatch.setattr(row_writer, "LEAST_ROWS", 100)
    monkeypatch.setattr(chunk_appender, "WAITING_ROWS", 600)


def rows_of(first: int, rows: int = ROWS) -> list[dict[str, Any]]:
    """Rows of which some come late, with a key that appears later and one of several kinds of values."""
    found = []
    for n in range(first, first + rows):
        second = n if n % 50 else max(0, n - 400)
        values: dict[str, Any] = {
            "n": n,
            "price": n / 100,
            "city": ("Rome", "Oslo", "", "Bern")[n % 4],
            "ok": n % 3 == 0,
        }
        if n > first + rows // 2:
            values["late"] = n
        found.append(
            {"timestamp": f"2030-01-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"} | values
        )
    return found


def bodies(rows: list[dict[str, Any]]) -> dict[str, tuple[str, bytes]]:
    """The same rows in each format, with their media types."""
    nested = [{"timestamp": r["timestamp"], "values": {k: v for k, v in r.items() if k != "timestamp"}} for r in rows]
    table = pa.Table.from_pylist(rows, schema=pa.Table.from_pylist([rows[-1]]).schema)
    names = list(rows[-1])
    lines = [",".join(names)]
    lines += [",".join(json.dumps(r[k]).strip('"') if k in r else "" for k in names) for r in rows]
    arrow, parquet = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(arrow, table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table, parquet)
    return {
        "json": ("application/json", json.dumps({"rows": nested}).encode()),
        "ndjson": ("application/x-ndjson", "\n".join(map(json.dumps, nested)).encode()),
        "csv": ("text/csv", "\n".join(lines).encode()),
        "arrow": ("application/vnd.apache.arrow.stream", arrow.getvalue()),
        "parquet": ("application/vnd.apache.parquet", parquet.getvalue()),
    }


async def load(owner: httpx.AsyncClient, dataset: int, media: str, body: bytes, **headers: str) -> httpx.Response:
    return await owner.post(
        f"/api/rows/bulk_insert/?dataset={dataset}", content=body, headers={"Content-Type": media, **headers}
    )


async def packed_rows(database: Database, dataset: int) -> int:
    rows = await database.fetch("SELECT rows FROM atlas.cold WHERE dataset_id = %(id)s", id=dataset)
    return int(rows[0][0]) if rows else 0


async def seen(owner: httpx.AsyncClient, dataset: int) -> list[bytes]:
    answers = [await owner.get(f"/api/rows/{path}{'&' if '?' in path else '?'}dataset={dataset}") for path in PATHS]
    assert {answer.status_code for answer in answers} == {200}
    return [
        one.content.replace(b'"dataset":%d' % dataset, b"").replace(b"dataset=%d" % dataset, b"") for one in answers
    ]


async def row_count(owner: httpx.AsyncClient, dataset: int) -> int:
    return int((await owner.get(f"/api/rows/?dataset={dataset}&limit=1")).json()["count"])


async def test_every_format(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows read the same whichever way they were stored, also beside small inserts before and after."""
    owner = client(people.owner)
    first, second = bodies(rows_of(0)), bodies(rows_of(ROWS, 1_000))
    one = json.dumps({"rows": [{"timestamp": "2030-01-01T00:10:00Z", "values": {"n": -1, "city": "Genoa"}}]}).encode()
    query = 'SELECT count(*), sum(n), max(late), min(city) FROM "{}"'
    for form in ("json", "csv", "arrow"):
        found = []
        for name, least in ((f"{form}_plain", 10**9), (f"{form}_packed", 100)):
            monkeypatch.setattr(row_writer, "LEAST_ROWS", least)
            dataset = await make_dataset(owner, name=name)
            for media, body in (("application/json", one), first[form], ("application/json", one), second[form]):
                answer = await load(owner, dataset, media, body)
                assert answer.status_code == 200, answer.text
            assert await packed_rows(database, dataset) == (ROWS + 1_000 if least == 100 else 0)
            assert await row_count(owner, dataset) == ROWS + 1_002
            sums = await owner.post("/api/v1/sql", json={"sql": query.format(name)})
            assert sums.status_code == 200, sums.text
            found.append([*await seen(owner, dataset), sums.json()["data_csv"]])
        assert found[0] == found[1], form


async def test_a_bad_row_stores_nothing(client: Client, people: People, database: Database) -> None:
    """A time past the calendar in the last of several parts of a body."""
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    assert (await load(owner, dataset, *bodies(rows_of(0))["json"])).status_code == 200
    before = await seen(owner, dataset)
    rows = [*rows_of(ROWS), {"timestamp": "2030-02-30T00:00:00Z", "n": 1}]
    refused = await load(owner, dataset, *bodies(rows)["ndjson"])
    assert refused.status_code == 400
    assert "2030-02-30" in refused.text
    assert await seen(owner, dataset) == before
    assert await packed_rows(database, dataset) == ROWS


async def test_rows_of_series_go_to_the_table(client: Client, people: People, database: Database) -> None:
    """Its index finds the rows of one series; also once rows of the dataset are packed."""
    owner = client(people.owner)
    dataset = (await owner.post("/api/datasets/", json={"name": "keyed", "keys": ["city"]})).json()["id"]
    rows = rows_of(0)
    assert (await load(owner, dataset, *bodies(rows)["json"])).status_code == 200
    assert await packed_rows(database, dataset) == 0
    packed = await mover.pack_next(database, dataset, MAX_MICROS, 10**9)
    assert packed == ROWS
    del rows[-1]["city"]
    refused = await load(owner, dataset, *bodies(rows)["ndjson"])
    assert refused.status_code == 400
    assert f"rows[{ROWS - 1}]" in refused.text
    assert (await load(owner, dataset, *bodies(rows[:-1])["json"])).status_code == 200
    assert await packed_rows(database, dataset) == ROWS
    assert await row_count(owner, dataset) == 2 * ROWS - 1


async def test_a_repetition_is_one_load(client: Client, people: People, database: Database) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    media, body = bodies(rows_of(0))["csv"]
    answers = [await load(owner, dataset, media, body, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert await packed_rows(database, dataset) == ROWS


async def test_a_reader_that_holds_the_table_delays_no_load(client: Client, people: People, database: Database) -> None:
    """The rows go to the table then, and chunks take the next load."""
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    media, body = bodies(rows_of(0))["csv"]
    # With all columns, since a new one waits for readers of the table, however rows are stored.
    await load(owner, dataset, *bodies(rows_of(0, 3))["csv"])
    schema = (await database.fetch("SELECT table_schema FROM atlas.datasets WHERE id = %(id)s", id=dataset))[0][0]
    async with database.transaction() as reader:
        await reader.execute(f"SELECT 1 FROM {schema}.dataset_{dataset}".encode())
        assert (await load(owner, dataset, media, body)).status_code == 200
        assert await packed_rows(database, dataset) == 0
    assert (await load(owner, dataset, media, body)).status_code == 200
    assert await packed_rows(database, dataset) == ROWS
    assert await row_count(owner, dataset) == 2 * ROWS + 3


@pytest.mark.parametrize("policy", ["replace", "keep_first", "reject"])
async def test_a_large_load_by_a_policy_meets_packed_rows(owner: httpx.AsyncClient, policy: str) -> None:
    dataset = await make_dataset(owner)
    lines = [{"timestamp": f"2030-01-01T00:{n // 60:02d}:{n % 60:02d}Z", "n": n} for n in range(700)]
    for shift, named in ((0, "append"), (1, policy)):
        sent = "\n".join(json.dumps(line | {"n": line["n"] + shift}) for line in lines)
        answer = await owner.post(
            f"/api/rows/bulk_insert/?dataset={dataset}&on_conflict={named}",
            content=sent,
            headers={"Content-Type": "application/x-ndjson"},
        )
    if policy == "reject":
        assert answer.status_code == 409
    else:
        assert answer.json()["replaced" if policy == "replace" else "kept"] == 700
    rows = (await owner.get(f"/api/rows/bulk_download/?dataset={dataset}")).json()
    assert [row["n"] for row in rows] == [n + (policy == "replace") for n in range(700)]
