"""Aligned reads: each time of a clock with the nearest rows of other datasets, as a model in Python finds them."""

from __future__ import annotations

import io
import random
from typing import Any

import httpx
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.test_cold import pack
from tests.conftest import Client, People, make_dataset

from atlas.db.database import Database
from atlas.kit.timestamps import format_micros
from atlas.timeseries.align import edges, service

pytestmark = pytest.mark.anyio
START = 1_767_600_000_000_000
SECOND = 10**6


async def fill(client: httpx.AsyncClient, name: str, rows: list[dict[str, Any]], keys: list[str]) -> int:
    dataset = await make_dataset(client, name=name, keys=keys)
    sent = [{"timestamp": format_micros(START + row["at"] * SECOND), **row["values"]} for row in rows]
    text = "\n".join(map(line, sent))
    head = {"Content-Type": "application/x-ndjson"}
    done = await client.post(f"/api/rows/bulk_insert/?dataset={dataset}", content=text, headers=head)
    assert done.status_code == 200, done.text
    return dataset


def line(row: dict[str, Any]) -> str:
    return pl.DataFrame([row]).write_ndjson().strip()


async def align(client: httpx.AsyncClient, status: int = 200, **body: Any) -> Any:
    answer = await client.post("/api/rows/align/", json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if status == 200 else answer.json()["details"]


def nearest(rows: list[tuple[int, float]], at: int, direction: str, tolerance: int | None) -> set[float | None]:
    """The values that may stand beside a time. Of rows at one time the last counts, of two as near either."""
    latest = dict(rows)
    fits = [t for t in latest if direction == "nearest" or (t <= at if direction == "backward" else t >= at)]
    fits = [t for t in fits if tolerance is None or abs(t - at) <= tolerance]
    if not fits:
        return {None}
    least = min(abs(t - at) for t in fits)
    return {latest[t] for t in fits if abs(t - at) == least}


@pytest.mark.parametrize("seed", range(4))
async def test_rows_are_those_of_a_model(
    client: Client, people: People, database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(service, "_WINDOW_ROWS", 40)
    monkeypatch.setattr(edges, "_LOOK_ROWS", 15)
    owner, dice = client(people.owner), random.Random(seed)
    symbols = ["A", "B", "C"]

    def drawn(count: int, names: list[str], column: str) -> list[dict[str, Any]]:
        rows = [(dice.randrange(400), dice.choice(names), float(n)) for n in range(count)]
        return [{"at": at, "values": {"symbol": name, column: value}} for at, name, value in sorted(rows)]

    trades = drawn(120, symbols, "price")
    quotes = drawn(150, symbols[: 2 + seed % 2], "bid")
    rates = [{"at": row["at"], "values": {"rate": row["values"]["rate"]}} for row in drawn(30, ["x"], "rate")]
    ids = [
        await fill(owner, "trades", trades, ["symbol"]),
        await fill(owner, "quotes", quotes, ["symbol"]),
        await fill(owner, "rates", rates, []),
    ]
    for packed in (False, True):
        if packed:
            for dataset in ids:
                await pack(database, dataset)
        for direction in ("backward", "forward", "nearest"):
            tolerance = dice.choice([None, 0, 7, 60])
            body = {"clock": ids[0], "datasets": ids, "by": ["symbol"], "direction": direction}
            found = await align(owner, **body, **({} if tolerance is None else {"tolerance": tolerance}))
            assert len(found) == len(trades)
            for row, trade in zip(found, trades, strict=True):
                at, values = trade["at"], trade["values"]
                assert row["timestamp"] == format_micros(START + at * SECOND)
                assert (row["symbol"], row["price"]) == (values["symbol"], values["price"])
                of_symbol = [(q["at"], q["values"]["bid"]) for q in quotes if q["values"]["symbol"] == values["symbol"]]
                of_all = [(r["at"], r["values"]["rate"]) for r in rates]
                assert row["quotes.bid"] in nearest(of_symbol, at, direction, tolerance), (row, direction, tolerance)
                assert row["rates.rate"] in nearest(of_all, at, direction, tolerance), (row, direction, tolerance)


async def test_a_grid_has_each_time_and_series(client: Client, people: People) -> None:
    owner = client(people.owner)
    rows = [{"at": at, "values": {"symbol": name, "price": at}} for at in (0, 50, 70, 130) for name in "AB"]
    trades = await fill(owner, "trades", rows[1:], ["symbol"])
    found = await align(
        owner, clock={"every": "1m"}, datasets=[trades], by="symbol", end=format_micros(START + 240 * SECOND)
    )
    told = [(row["timestamp"][14:19], row["symbol"], row["trades.price"]) for row in found]
    a, b = [None, 50, 70, 130, 130], [0, 50, 70, 130, 130]
    assert told == [
        (f"0{minute}:00", name, values[minute]) for minute in range(5) for name, values in (("A", a), ("B", b))
    ]


async def test_formats_have_the_same_rows(client: Client, people: People) -> None:
    owner = client(people.owner)
    trades = await fill(owner, "trades", [{"at": n, "values": {"price": n + 0.5}} for n in (0, 1, 5)], [])
    quotes = await fill(owner, "quotes", [{"at": n, "values": {"bid": n, "who": f"q{n}"}} for n in (1, 4)], [])
    body = {"clock": trades, "datasets": [{"dataset": quotes, "columns": ["who", "bid"]}], "tolerance": "1s"}
    json = await align(owner, **body)
    assert [list(row.values())[1:] for row in json] == [[0.5, None, None], [1.5, "q1", 1], [5.5, "q4", 4]]
    assert list(json[0]) == ["timestamp", "price", "quotes.who", "quotes.bid"]
    answers = {
        output: (await owner.post("/api/rows/align/", json={**body, "output": output})).content
        for output in ("ndjson", "csv", "arrow", "parquet")
    }
    assert answers["csv"].decode().splitlines() == [
        "timestamp,price,quotes.who,quotes.bid",
        "2026-01-05T08:00:00Z,0.5,,",
        "2026-01-05T08:00:01Z,1.5,q1,1",
        "2026-01-05T08:00:05Z,5.5,q4,4",
    ]
    arrow = pa.ipc.open_stream(answers["arrow"]).read_all()
    assert arrow.equals(pq.read_table(io.BytesIO(answers["parquet"])))
    assert arrow["quotes.bid"].to_pylist() == [None, 1, 4]
    assert pl.read_ndjson(answers["ndjson"])["quotes.who"].to_list() == [None, "q1", "q4"]


async def test_a_past_moment_and_a_range(client: Client, people: People) -> None:
    owner = client(people.owner)
    trades = await fill(owner, "trades", [{"at": n, "values": {"price": n}} for n in range(5)], [])
    quotes = await fill(owner, "quotes", [{"at": 2, "values": {"bid": 2}}], [])
    version = (await owner.get(f"/api/datasets/{quotes}/summary/")).json()
    assert version
    body = {"clock": trades, "datasets": [quotes], "start": format_micros(START + 3 * SECOND)}
    assert [(row["price"], row["quotes.bid"]) for row in await align(owner, **body)] == [(3, 2), (4, 2)]
    assert await align(owner, **{**body, "start": "2030-01-01"}) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tolerance": -5}, "tolerance: -5 is negative"),
        ({"tolerance": "-5m"}, "tolerance: -5m is negative"),
        ({"tolerance": "soon"}, "tolerance: 'soon'; write seconds"),
        ({"direction": "sideways"}, "direction"),
        ({"by": ["sector"]}, "by: "),
        ({"by": []}, "by: dataset 2 has the keys symbol; name them, or choose one series by where"),
        ({"datasets": [2, 2]}, "datasets: 2 is named twice"),
        ({"datasets": [{"dataset": 2, "columns": ["nope"]}]}, "columns: the dataset has no column 'nope'"),
        ({"where": ["sector:X"]}, "where: 'sector' is a key of none of the datasets"),
        ({"clock": {"every": "0s"}}, "clock.every: more than nothing"),
        ({"clock": {"every": "1us"}}, "clock: more than 50,000,000 rows"),
        ({"known_at": "2999-01-01T00:00:00Z"}, "known_at: 2999-01-01T00:00:00Z is yet to come"),
        ({"known_at": "3"}, "known_at: give a time, as versions are of one dataset"),
        ({"start": "2026-02-01", "end": "2026-01-01"}, "end: before start"),
        ({"clok": 1}, "clok"),
    ],
)
async def test_what_cannot_be_aligned_is_told(
    client: Client, people: People, change: dict[str, Any], told: str
) -> None:
    owner = client(people.owner)
    rows = [{"at": at * 86_400, "values": {"symbol": name, "price": at}} for at in (1, 2) for name in "AB"]
    ids = [await fill(owner, name, rows, ["symbol"]) for name in ("trades", "quotes")]
    assert ids == [1, 2]
    details = await align(owner, 400, **{"clock": 1, "datasets": [2], "by": ["symbol"], **change})
    assert told in str(details)


async def test_datasets_of_others_are_not_there(client: Client, people: People) -> None:
    owner, other = client(people.owner), client(people.stranger)
    trades = await fill(owner, "trades", [{"at": 1, "values": {"price": 1}}], [])
    mine = await fill(other, "mine", [{"at": 1, "values": {"price": 1}}], [])
    for clock, datasets in ((trades, [mine]), (mine, [trades]), (mine, [mine, 999])):
        answer = await other.post("/api/rows/align/", json={"clock": clock, "datasets": datasets})
        assert answer.status_code in (403, 404), answer.text
