"""Series keys: declared, needed by every insert, and what is read of single series, beside a model in Python."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from tests.conftest import Client, People, caller_of, make_dataset

from atlas.consistency.service import ConsistencyService
from atlas.db.database import Database
from atlas.timeseries.cold import mover

pytestmark = pytest.mark.anyio
SYMBOLS = ("MSFT", "AAPL", "A,B", "C:D", 'say "x"', "", " E", "ÄÖ", "000001", "600519")
START = datetime(2024, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def made(seed: int, count: int) -> list[Row]:
    """Rows of many series, some at equal times and some late."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        at = START + timedelta(minutes=number // 3 - chance.choice((0, 0, 0, 7)))
        values = {"symbol": chance.choice(SYMBOLS), "exchange": chance.randrange(3), "price": chance.randrange(999) / 8}
        rows.append({"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "values": values})
    return rows


async def insert(client: httpx.AsyncClient, dataset: int, rows: list[Row]) -> None:
    response = await client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    assert response.status_code == 200, response.text


async def get(client: httpx.AsyncClient, path: str, dataset: int, **query: object) -> httpx.Response:
    return await client.get(f"/api/rows/{path}", params={"dataset": dataset, **query})  # type: ignore[dict-item]


def ordered(rows: list[Row], **wanted: tuple[object, ...]) -> list[Row]:
    """The rows of a selection in the API's order: by time, then as inserted."""
    chosen = [row for row in rows if all(row["values"][key] in values for key, values in wanted.items())]
    return sorted(chosen, key=lambda row: row["timestamp"])


def plain(results: list[Row]) -> list[Row]:
    return [{"timestamp": row["timestamp"], "values": row["values"]} for row in results]


def written(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@pytest.mark.parametrize("cold", [False, True])
async def test_selected_series_are_those_of_a_model(owner: httpx.AsyncClient, database: Database, cold: bool) -> None:
    dataset = await make_dataset(owner, keys=["symbol", "exchange"])
    rows = made(1, 30)
    for row in rows[:20]:
        response = await owner.post("/api/rows/", json={"dataset": dataset, **row})
        assert response.status_code == 201, response.text
    await insert(owner, dataset, rows[20:])
    more = made(2, 4000)
    await insert(owner, dataset, more)
    rows += more
    if cold:
        assert await mover.pack_next(database, dataset, 1_704_300_000_000_000, 10**9) == len(rows)
        more = made(3, 50)
        await insert(owner, dataset, more)
        rows += more
    for symbols, exchanges in ((("MSFT",), (0, 1, 2)), (SYMBOLS[:6], (1,)), (("000001", "600519", "none"), (0, 2))):
        said = ",".join(written(one) for one in symbols)
        where = [f"symbol:{said}", f"exchange:{','.join(map(str, exchanges))}"]
        wanted = ordered(rows, symbol=symbols, exchange=exchanges)
        page = (await get(owner, "", dataset, where=where, limit=7, offset=3)).json()
        assert page["count"] == len(wanted)
        assert plain(page["results"]) == wanted[3:10]
        last = (await get(owner, "", dataset, where=where, limit=9, ordering="-timestamp")).json()
        assert plain(last["results"]) == wanted[::-1][:9]
        walked: list[Row] = []
        cursor = None
        while True:
            query = {"where": where, "limit": 100} | ({"cursor": cursor} if cursor else {})
            page = (await get(owner, "", dataset, **query)).json()
            walked += plain(page["results"])
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert walked == wanted
        flat = [{"timestamp": row["timestamp"], **row["values"]} for row in wanted]
        assert (await get(owner, "bulk_download/", dataset, where=where)).json() == flat
        live = (await get(owner, "live/", dataset, where=where, limit=11)).text
        assert [json.loads(line) for line in live.splitlines()] == flat[-11:]
        parquet = (await get(owner, "bulk_download/", dataset, where=where, output="parquet")).content
        assert pq.read_table(io.BytesIO(parquet)).column("price").to_pylist() == [row["price"] for row in flat]
        for some, chosen in ((where, wanted), (where[:1], ordered(rows, symbol=symbols))):
            await check_latest(owner, dataset, some, chosen)
            await check_buckets(owner, dataset, some, chosen)
        part = {"start": "2024-01-01T02:00:00Z", "end": "2024-01-01T05:00:00Z"}
        inside = [row for row in wanted if part["start"] <= row["timestamp"] <= part["end"]]
        assert plain((await get(owner, "", dataset, where=where, limit=1000, **part)).json()["results"]) == inside


def key_of(row: Row, *names: str) -> tuple[Any, ...]:
    values = row["values"]
    return tuple(values[name].encode() if isinstance(values[name], str) else values[name] for name in names)


async def check_latest(owner: httpx.AsyncClient, dataset: int, where: list[str], wanted: list[Row]) -> None:
    response = await get(owner, "latest/", dataset, where=where)
    if wanted:
        assert plain([response.json()]) == wanted[-1:]
    else:
        assert response.status_code == 404
    for by in (("symbol", "exchange"), ("exchange",), ("symbol",)):
        newest = {key_of(row, *by): row for row in wanted}
        found = (await get(owner, "latest/", dataset, where=where, by=",".join(by))).json()
        assert found["count"] == len(newest)
        assert plain(found["results"]) == [newest[key] for key in sorted(newest)]
        part = (await get(owner, "latest/", dataset, where=where, by=list(by), limit=2, offset=1)).json()
        assert (part["count"], part["results"]) == (len(newest), found["results"][1:3])
        listed = (await get(owner, "series/", dataset, where=where, by=",".join(by), limit=1000)).json()
        assert listed["count"] == len(newest)
        assert listed["results"] == [
            {"key": {name: row["values"][name] for name in by}, "timestamp": row["timestamp"]}
            for row in (newest[key] for key in sorted(newest))
        ]


async def check_buckets(owner: httpx.AsyncClient, dataset: int, where: list[str], wanted: list[Row]) -> None:
    bys: tuple[tuple[str, ...], ...] = ((), ("symbol",), ("symbol", "exchange"))
    for by in bys:
        buckets: dict[tuple[Any, ...], list[Row]] = {}
        for row in wanted:
            buckets.setdefault((*key_of(row, *by), row["timestamp"][:13] + ":00:00Z"), []).append(row)
        query = {"functions": "sum,first,last", "bucket": "1h", "columns": "price", "where": where, "by": list(by)}
        found = (await get(owner, "aggregate/", dataset, **query)).json()["results"]
        assert found == [
            {
                "timestamp": key[-1],
                "count": len(rows),
                "values": {
                    "price": {
                        "sum": sum(row["values"]["price"] for row in rows),
                        "first": rows[0]["values"]["price"],
                        "last": rows[-1]["values"]["price"],
                    }
                },
            }
            | ({"series": {name: rows[0]["values"][name] for name in by}} if by else {})
            for key, rows in sorted(buckets.items())
        ]


async def test_files_of_different_series_have_different_tags(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    await insert(owner, dataset, made(4, 200))
    tags = set()
    for query in ({}, {"where": "symbol:MSFT"}, {"where": "symbol:AAPL"}, {"where": "symbol:MSFT,AAPL"}):
        for output in ("csv", "json", "parquet"):
            tags.add((await get(owner, "bulk_download/", dataset, output=output, **query)).headers["ETag"])
    assert len(tags) == 12
    first = await get(owner, "bulk_download/", dataset, where="symbol:MSFT", output="csv")
    etag = first.headers["ETag"]
    path = f"/api/rows/bulk_download/?dataset={dataset}&output=csv&where=symbol:"
    assert (await owner.get(f"{path}MSFT", headers={"If-None-Match": etag})).status_code == 304
    assert (await owner.get(f"{path}AAPL", headers={"If-None-Match": etag})).status_code == 200
    parts = [await owner.get(f"{path}{one}", headers={"Range": "bytes=0-400"}) for one in ("MSFT", "AAPL")]
    assert parts[0].content == first.content[:401] != parts[1].content


def bodies(rows: list[Row]) -> list[tuple[str, bytes]]:
    """The same rows in each format."""
    flat = [{"timestamp": row["timestamp"], **row["values"]} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    lines = [",".join(names)] + [",".join(str(row.get(name) or "") for name in names) for row in flat]
    table = pa.table({name: [row.get(name) for row in flat] for name in names})
    parquet, arrow = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    with pa.ipc.new_stream(arrow, table.schema) as writer:
        writer.write_table(table)
    return [
        ("text/csv", "\n".join(lines).encode()),
        ("application/x-ndjson", "\n".join(json.dumps(row) for row in flat).encode()),
        ("application/vnd.apache.parquet", parquet.getvalue()),
        ("application/vnd.apache.arrow.stream", arrow.getvalue()),
        ("application/json", json.dumps({"rows": rows}).encode()),
    ]


@pytest.mark.parametrize("count", [6, 3000])
async def test_a_row_without_its_key_stores_nothing_in_any_format(owner: httpx.AsyncClient, count: int) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    good = [
        {"timestamp": f"2024-01-01T00:00:{59 - n % 60:02d}Z", "values": {"symbol": "A", "n": n}} for n in range(count)
    ]
    await insert(owner, dataset, good)
    bad = [*good[: count - 2], {"timestamp": "2023-01-01T00:00:00Z", "values": {"n": 5}}, good[-1]]
    before = (await get(owner, "bulk_download/", dataset)).text
    for media, body in bodies(bad):
        response = await owner.post(
            f"/api/rows/bulk_insert/?dataset={dataset}", content=body, headers={"Content-Type": media}
        )
        assert response.status_code == 400, (media, response.text)
        field = "values.symbol" if media == "application/json" else "symbol"
        assert response.json()["error"] == "Invalid row data"
        assert response.json()["details"].startswith(f"rows[{count - 2}].{field}: missing; it is a key"), media
    assert (await get(owner, "bulk_download/", dataset)).text == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n": 1}, "values.symbol: missing; it is a key of the dataset, and needs a text"),
        ({"n": 1, "symbol": None}, "values.symbol: the dataset's key; it needs a text, not null"),
        ({"n": 1, "symbol": {"a": 1}}, "values.symbol: the dataset's key; it needs a text, not null"),
        ({"n": 1, "symbol": 7}, "values.symbol: the dataset's key is a text, not 7"),
        ({"n": 1, "symbol": True}, "values.symbol: the dataset's key is a text, not true"),
        ({"n": 1, "symbol": "x" * 601}, "values.symbol: a key has at most 600 bytes"),
        ({}, "values.symbol: missing"),
    ],
)
async def test_single_rows_need_their_key(owner: httpx.AsyncClient, values: Row, said: str) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    row = {"dataset": dataset, "timestamp": "2024-01-01T00:00:00Z", "values": {"symbol": "A", "n": 1}}
    for _ in range(3):
        assert (await owner.post("/api/rows/", json=row)).status_code == 201
    response = await owner.post("/api/rows/", json={**row, "values": values})
    assert response.status_code == 400
    assert response.json()["details"].startswith(said)
    assert (await get(owner, "", dataset)).json()["count"] == 3
    # The first row that a dataset gets is refused alike.
    empty = await make_dataset(owner, keys=["symbol"])
    if "symbol" not in values:
        assert (await owner.post("/api/rows/", json={**row, "dataset": empty, "values": values})).status_code == 400
        assert (await owner.get(f"/api/datasets/{empty}/")).json()["columns"] == []


async def test_cells_of_a_csv_are_texts_where_the_key_is_one(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, keys=["code"])
    for body in ("timestamp,code,n\n2024-01-01,00700,1", "timestamp,code,n\n2024-01-02,600519,2\n2024-01-03,1e5,3"):
        response = await owner.post(
            f"/api/rows/bulk_insert/?dataset={dataset}", content=body, headers={"Content-Type": "text/csv"}
        )
        assert response.status_code == 200, response.text
    rows = (await get(owner, "", dataset, where="code:600519,1e5")).json()["results"]
    assert [row["values"]["code"] for row in rows] == ["600519", "1e5"]


async def test_integers_and_booleans_are_keys(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, keys=["station", "indoor"])
    rows = [{"timestamp": f"2024-01-0{n}", "values": {"station": n % 2, "indoor": n > 3, "t": n}} for n in range(1, 8)]
    await insert(owner, dataset, rows)
    found = (await get(owner, "", dataset, where=["station:1", "indoor:TRUE"])).json()["results"]
    assert [row["values"]["t"] for row in found] == [5, 7]
    for where, said in (
        ("station:x", "where: 'station' is a 64-bit integer, not 'x'"),
        ("station:99999999999999999999", "where: 'station' is a 64-bit integer"),
        ("indoor:yes", "where: 'indoor' is true or false, not 'yes'"),
    ):
        response = await get(owner, "", dataset, where=where)
        assert (response.status_code, response.json()["details"][: len(said)]) == (400, said)
    # An integer key never becomes a float.
    for value in (1.5, "1"):
        row = {"dataset": dataset, "timestamp": "2024-01-01", "values": {"station": value, "indoor": True}}
        assert (await owner.post("/api/rows/", json=row)).status_code == 400
    response = await owner.post("/api/columns/", json={"dataset": dataset, "name": "station", "dtype": "float"})
    assert response.status_code == 400
    assert (await owner.get(f"/api/columns/?dataset={dataset}")).json()[0]["dtype"] == "int"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("symbol", "write a key, a colon and values, as in symbol:MSFT,AAPL"),
        (":x", "write a key"),
        ("symbol:", "'symbol' has an empty value; an empty text is written \"\""),
        ("symbol:A,,B", "'symbol' has an empty value"),
        ('symbol:"A', "a double quote is not closed"),
        ('symbol:"A"B', "'B' stands behind a closing double quote"),
        ("price:5", "'price' is no key of the dataset; its keys are 'symbol'"),
        ("symbol:A\0", "the NUL character"),
    ],
)
async def test_wrong_conditions_are_told(owner: httpx.AsyncClient, where: str, said: str) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    await insert(owner, dataset, [{"timestamp": "2024-01-01", "values": {"symbol": "A", "price": 5}}])
    for path in ("", "bulk_download/", "live/"):
        response = await get(owner, path, dataset, where=where)
        assert response.status_code == 400, path
        assert said in response.json()["details"]


async def test_conditions_on_an_empty_dataset_and_on_one_without_keys(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    assert (await get(owner, "", dataset, where="symbol:A")).json()["count"] == 0
    response = await get(owner, "", await make_dataset(owner), where="symbol:A")
    assert response.status_code == 400
    assert "it has none" in response.json()["details"]


async def test_keys_of_a_dataset_with_rows(owner: httpx.AsyncClient, database: Database) -> None:
    dataset = await make_dataset(owner)
    rows = made(5, 60_000)
    # Fewer at once than go straight to chunks, so that some rows are packed and others are not.
    for first in (0, 30_000):
        await insert(owner, dataset, rows[first : first + 30_000])
    assert await mover.pack_next(database, dataset, 1_705_000_000_000_000, 10**9)
    changed = await owner.patch(f"/api/datasets/{dataset}/", json={"keys": ["symbol"]})
    assert (changed.status_code, changed.json()["keys"]) == (200, ["symbol"])
    wanted = ordered(rows, symbol=("MSFT",))
    assert (await get(owner, "", dataset, where="symbol:MSFT")).json()["count"] == len(wanted)
    body = {"name": "stocks", "description": "", "metadata": {}}
    assert (await owner.put(f"/api/datasets/{dataset}/", json=body)).json()["keys"] == ["symbol"]
    assert (await owner.put(f"/api/datasets/{dataset}/", json={**body, "keys": ["exchange"]})).json()["keys"] == [
        "exchange"
    ]
    assert (await get(owner, "", dataset, where="symbol:MSFT")).status_code == 400
    for keys, said in (
        (["none"], "keys: the dataset has no column 'none'"),
        (["price"], "keys: 'price' holds float values; a key is a text, an integer or a boolean"),
        (["symbol", "symbol"], "keys: 'symbol' is there twice"),
        ([""], "keys[0]: 1 to 1000 characters"),
        (["a", "b", "c", "d", "e"], "keys: at most 4 keys"),
    ):
        response = await owner.patch(f"/api/datasets/{dataset}/", json={"keys": keys})
        assert response.status_code == 400
        assert response.json()["details"].startswith(said), response.text
    assert (await owner.get(f"/api/datasets/{dataset}/")).json()["keys"] == ["exchange"]
    await owner.patch(f"/api/datasets/{dataset}/", json={"keys": []})
    await insert(owner, dataset, [{"timestamp": "2024-02-02T00:00:00Z", "values": {"price": 1}}])
    response = await owner.patch(f"/api/datasets/{dataset}/", json={"keys": ["symbol"]})
    assert response.status_code == 400
    said = "keys: 1 row of the dataset without 'symbol', the first at 2024-02-02T00:00:00Z"
    assert response.json()["details"] == said
    assert (await owner.get(f"/api/datasets/{dataset}/")).json()["keys"] == []


async def test_who_may_declare_keys_and_read_series(client: Client, people: People) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner, keys=["symbol"])
    await insert(owner, dataset, [{"timestamp": "2024-01-01", "values": {"symbol": "A", "n": 1}}])
    callers = {None: 401, people.revoked: 401, people.expired: 401, people.holder: 403, people.stranger: 403}
    for key, status in callers.items():
        assert (await client(key).patch(f"/api/datasets/{dataset}/", json={"keys": []})).status_code == status
        assert (await get(client(key), "", dataset, where="symbol:A")).status_code == status
    await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    reader = client(people.stranger)
    await reader.post("/api/tags/acquire/", json={"tag_name": "public"})
    assert (await get(reader, "", dataset, where="symbol:A")).json()["count"] == 1
    assert (await reader.patch(f"/api/datasets/{dataset}/", json={"keys": []})).status_code == 403
    assert (await owner.patch(f"/api/datasets/{dataset}/", json={"keys": []})).status_code == 200


async def latest(owner: httpx.AsyncClient, dataset: int) -> list[Row]:
    return plain((await get(owner, "latest/", dataset, by="symbol")).json()["results"])


@pytest.mark.parametrize("seed", range(3))
async def test_latest_rows_follow_every_history(
    owner: httpx.AsyncClient, people: People, database: Database, database_url: str, seed: int
) -> None:
    """Single rows, groups, large bodies, late rows, new and widened columns, deletes and packing, in any order."""
    chance = random.Random(seed)
    dataset = await make_dataset(owner, keys=["symbol"])
    rows: list[Row] = []
    for step in range(14):
        kind = chance.choice(("one", "one", "few", "few", "many", "delete", "pack"))
        if kind in ("delete", "pack") and rows:
            stamps = sorted(row["timestamp"] for row in rows)
            low, high = sorted(chance.choices(stamps, k=2))
            if kind == "pack":
                before = int(datetime.fromisoformat(high).timestamp() * 1_000_000)
                await mover.pack_next(database, dataset, before, 10**9)
                continue
            response = await owner.delete(f"/api/rows/?dataset={dataset}&start={low}&end={high}")
            assert response.status_code == 200, response.text
            rows = [row for row in rows if not low <= row["timestamp"] <= high]
        else:
            count = {"one": 1, "few": 40, "many": 2500}.get(kind, 3)
            made = []
            for number in range(count):
                at = START + timedelta(minutes=step * 50 + chance.randrange(-60, 100))
                values: Row = {"symbol": f"S{chance.randrange(5 if count < 2500 else 700)}", "n": number}
                if chance.random() < 0.2:
                    values[f"more{chance.randrange(3)}"] = chance.choice((1, 2.5)) if step > 6 else 1
                made.append({"timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "values": values})
            if kind == "one":
                assert (await owner.post("/api/rows/", json={"dataset": dataset, **made[0]})).status_code == 201
            else:
                await insert(owner, dataset, made)
            rows += made
        newest = {row["values"]["symbol"]: row for row in ordered(rows)}
        assert await latest(owner, dataset) == [newest[key] for key in sorted(newest)], (step, kind)
    before_keys = await latest(owner, dataset)
    for keys in ([], ["symbol"]):
        assert (await owner.patch(f"/api/datasets/{dataset}/", json={"keys": keys})).status_code == 200
    assert await latest(owner, dataset) == before_keys
    assert ConsistencyService(database_url).check().findings == ()
    async with database.connection() as connection:
        schema = (await caller_of(database, people.owner)).schema_name
        await connection.execute(f"UPDATE {schema}._series_{dataset} SET _seq = 0 WHERE symbol = 'S1'".encode())
    (found,) = ConsistencyService(database_url).check().findings
    assert "of its series" in found.problem


async def test_series_are_searched(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, keys=["symbol", "lot"])
    rows = [{"timestamp": "2024-01-01", "values": {"symbol": f"S{n:04}", "lot": n % 2}} for n in range(3000)]
    rows += [{"timestamp": "2024-01-02", "values": {"symbol": name, "lot": 7}} for name in ("50%", "a_b", "ÄB")]
    await insert(owner, dataset, rows)
    for search, names in (("s001", [f"S001{n}" for n in range(10)]), ("%", ["50%"]), ("_", ["a_b"]), ("äb", ["ÄB"])):
        page = (await get(owner, "series/", dataset, search=search)).json()
        assert [one["key"]["symbol"] for one in page["results"]] == names
        assert page["count"] == len(names)
    page = (await get(owner, "series/", dataset, by="lot")).json()
    assert [one["key"] for one in page["results"]] == [{"lot": 0}, {"lot": 1}, {"lot": 7}]
    page = (await get(owner, "series/", dataset, limit=10, offset=20)).json()
    assert (page["count"], page["results"][0]["key"]["symbol"]) == (3003, "S0019")
    assert "offset=30" in page["next"]
    following = (await owner.get(page["next"])).json()
    assert following["results"][0]["key"]["symbol"] == "S0029"


@pytest.mark.parametrize("path", ["latest/", "aggregate/", "series/"])
async def test_grouping_by_what_is_no_key_is_told(owner: httpx.AsyncClient, path: str) -> None:
    dataset = await make_dataset(owner, keys=["symbol"])
    response = await get(owner, path, dataset, by="price")
    assert response.status_code == 400
    assert response.json()["details"] == "by: 'price' is no key of the dataset; its keys are 'symbol'"
    assert (await get(owner, path, await make_dataset(owner), by="symbol")).status_code == 400
