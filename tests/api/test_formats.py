"""Bulk inserts in every format and encoding, and inserts that are safe to repeat."""

from __future__ import annotations

import csv
import gzip
import io
import sys
from importlib import resources

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.conftest import make_dataset

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.anyio
TABLE = pa.table(
    {
        "timestamp": pa.array([0, 1_000_000, 2_500_000]).cast(pa.timestamp("us", "UTC")),
        "price": [1.5, None, 3.25],
        "n": pa.array([1, 2, None], pa.int32()),
        "name": ["x", "", "007"],
        "ok": [True, None, False],
        "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
        "tags": [["p"], None, []],
    }
)
ROWS = [
    ("1970-01-01T00:00:00Z", {"price": 1.5, "n": 1, "name": "x", "ok": True, "kind": "a", "tags": '["p"]'}),
    ("1970-01-01T00:00:01Z", {"n": 2, "name": "", "kind": "b"}),
    ("1970-01-01T00:00:02.500Z", {"price": 3.25, "name": "007", "ok": False, "kind": "a", "tags": "[]"}),
]


def arrow(*, file: bool) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


NESTED = b"""{"timestamp":"1970-01-01T00:00:00Z",\
"values":{"price":1.5,"n":1,"name":"x","ok":true,"kind":"a","tags":"[\\"p\\"]"}}
{"timestamp":"1970-01-01T00:00:01Z","values":{"n":2,"name":"","kind":"b"}}

{"timestamp":"1970-01-01T00:00:02.5Z","values":{"price":3.25,"name":"007","ok":false,"kind":"a","tags":"[]"}}"""
FLAT = b"""{"timestamp":"1970-01-01T00:00:00Z","price":1.5,"n":1,"name":"x","ok":true,"kind":"a","tags":"[\\"p\\"]"}
{"n":2,"name":"","kind":"b","timestamp":"1970-01-01T00:00:01Z"}
{"timestamp":"1970-01-01T00:00:02.5Z","price":3.25,"name":"007","ok":false,"kind":"a","tags":"[]"}
"""
CSV = b"""price,n,name,timestamp,ok,kind,tags
1.5,1,x,1970-01-01T00:00:00Z,true,a,"[""p""]"
,2,"",1970-01-01T00:00:01Z,,b,
3.25,,007,1970-01-01T00:00:02.5Z,false,a,[]
"""
BODIES = {
    "application/x-ndjson nested": NESTED,
    "application/x-ndjson flat": FLAT,
    "text/csv": CSV,
    "application/vnd.apache.parquet": parquet(),
    "application/vnd.apache.arrow.stream": arrow(file=False),
    "application/vnd.apache.arrow.file": arrow(file=True),
}
ENCODINGS = {"": bytes, "gzip": gzip.compress, "zstd": zstd.compress}


async def send(
    client: httpx.AsyncClient, dataset: int, body: bytes, media: str, query: str = "", **more: str
) -> httpx.Response:
    headers = {"Content-Type": media} | {name.replace("_", "-"): value for name, value in more.items()}
    return await client.post(f"/api/rows/bulk_insert/?dataset={dataset}{query}", content=body, headers=headers)


async def rows_of(client: httpx.AsyncClient, dataset: int) -> list[tuple[str, dict[str, object]]]:
    results = (await client.get(f"/api/rows/?dataset={dataset}&limit=1000")).json()["results"]
    return [(row["timestamp"], row["values"]) for row in results]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", BODIES)
async def test_every_format(owner: httpx.AsyncClient, name: str, encoding: str) -> None:
    dataset = await make_dataset(owner)
    more = {"Content_Encoding": encoding} if encoding else {}
    response = await send(owner, dataset, ENCODINGS[encoding](BODIES[name]), name.split(maxsplit=1)[0], **more)
    assert response.json() == {"inserted": 3, "total": 3}, response.text
    found = await rows_of(owner, dataset)
    if name == "text/csv":
        assert {values["name"] for _, values in found} == {"x", "", "007"}
    assert found == ROWS


async def test_a_real_price_series(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner, name="stocks")
    stocks = (resources.files("vega_datasets") / "_data" / "stocks.csv").read_bytes()
    response = await send(owner, dataset, stocks, "text/csv")
    assert response.json()["inserted"] == stocks.count(b"\n") - 1 + (not stocks.endswith(b"\n"))
    rows = await rows_of(owner, dataset)
    assert rows[0] == ("2000-01-01T00:00:00Z", {"symbol": "MSFT", "price": 39.81})
    columns = {c["name"]: c["dtype"] for c in (await owner.get(f"/api/columns/?dataset={dataset}")).json()}
    assert columns == {"symbol": "string", "price": "float"}


async def test_csv_details(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    body = b'when;x\n"01.02.2025 13:00";1\n'.replace(b";", b",") + b'"02.02.2025 13:00","line\nbreak, ""quoted"""\n'
    query = "&timestamp_column=when&timestamp_format=%25d.%25m.%25Y %25H:%25M"
    assert (await send(owner, dataset, body, "text/csv", query)).status_code == 200
    assert await rows_of(owner, dataset) == [
        ("2025-02-01T13:00:00Z", {"x": "1"}),
        ("2025-02-02T13:00:00Z", {"x": 'line\nbreak, "quoted"'}),
    ]
    refused = await send(owner, dataset, b"when,x\n2025-02-01,1\n", "text/csv", query)
    assert refused.json()["details"].startswith("rows[0].when: '2025-02-01' does not match")


async def test_a_large_csv_changes_its_mind_late(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    lines = [f"2025-01-01T00:00:00Z,{n},{n}\n" for n in range(400_000)]
    lines[-1] = "2025-01-01T00:00:00Z,0.5,abc\n"
    body = ("timestamp,a,b\n" + "".join(lines)).encode()
    assert (await send(owner, dataset, body, "text/csv")).json()["inserted"] == 400_000
    last = (await owner.get(f"/api/rows/?dataset={dataset}&offset=399998")).json()["results"]
    assert [row["values"] for row in last] == [{"a": 399_998, "b": "399998"}, {"a": 0.5, "b": "abc"}]


async def test_a_repeated_insert_is_done_once(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    for _ in range(3):
        response = await send(owner, dataset, CSV, "text/csv", Idempotency_Key="one")
        assert response.json() == {"inserted": 3, "total": 3}
    assert len(await rows_of(owner, dataset)) == 3
    other = await send(owner, dataset, FLAT, "application/x-ndjson", Idempotency_Key="one")
    assert (other.status_code, other.json()["error"]) == (400, "Idempotency-Key reused")
    failed = await send(owner, dataset, b"timestamp\nx\n", "text/csv", Idempotency_Key="two")
    assert failed.status_code == 400
    assert (await send(owner, dataset, CSV, "text/csv", Idempotency_Key="two")).status_code == 200
    row = {"dataset": dataset, "timestamp": "2025-01-01T00:00:00Z", "values": {"n": 1}}
    answers = [await owner.post("/api/rows/", json=row, headers={"Idempotency-Key": "three"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await rows_of(owner, dataset)) == 7


async def test_a_charset_is_obeyed(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    text = "timestamp,tea\n2025-01-01,čaj\n"
    for number, charset in enumerate(("latin2", "windows-1250", "UTF-16", "utf-8")):
        done = await send(owner, dataset, text.encode(charset), f'text/csv; charset="{charset}"')
        assert done.json() == {"inserted": 1, "total": 1}, done.text
        assert [values["tea"] for _, values in await rows_of(owner, dataset)] == ["čaj"] * (number + 1)
    row = '{"timestamp":"2025-01-01","s":"Ł"}\n'.encode("cp1250")
    assert (await send(owner, dataset, row, "application/x-ndjson; charset=cp1250")).status_code == 200
    for media, body, reason in (
        ("text/csv; charset=nope", b"", "charset 'nope' is not known"),
        ("text/csv; charset=rot13", b"", "charset 'rot13' is not known"),
        ("application/json; charset=latin-1", b"{}", "JSON is UTF-8"),
        ("text/csv; charset=utf-16", b"timestamp,a\n1", "not text in utf-16"),
        ("text/csv", text.encode("latin2"), "UTF-8"),
    ):
        refused = await send(owner, dataset, body, media)
        assert refused.status_code == 400, refused.text
        assert reason in refused.json()["details"]


async def test_a_guessed_format_is_told(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    body = b"timestamp,a\nJan 1 2000,1\n"
    for _ in range(2):
        done = await send(owner, dataset, body, "text/csv", Idempotency_Key="once")
        assert done.json() == {"inserted": 1, "total": 1, "timestamp_format": "%b %d %Y"}
    many = b"date,time,a\n" + b"2025-01-01,2025-01-02,1\n" * 3000
    done = await send(owner, dataset, many, "text/csv")
    assert done.json() == {"inserted": 3000, "total": 3000, "timestamp_column": "time"}


async def test_an_end_that_is_a_day(owner: httpx.AsyncClient) -> None:
    dataset = await make_dataset(owner)
    stamps = ["2026-01-30T12:00:00Z", "2026-01-31T00:00:00Z", "2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00Z"]
    rows = [{"timestamp": stamp, "values": {"a": 1}} for stamp in stamps]
    await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    for query, count in (("end=2026-01-31", 3), ("end=2026-01-31T00:00:00Z", 2), ("start=20260131&end=20260131", 2)):
        found = await owner.get(f"/api/rows/?dataset={dataset}&{query}")
        assert found.json()["count"] == count
    assert (await owner.delete(f"/api/rows/?dataset={dataset}&end=2026-031")).json() == {"deleted": 3}


HOSTILE = ['=HYPERLINK("x")', "+1+1", "@SUM(A1)", "-2+3", "\tx", "-5", "+1,250.50", "a=b", "", "'=x"]
WIDE = [
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20SUM(A1)",
    "\ufe66x",
    "\ufe62x",
    "\ufe63x",
    "\ufe6bx",
    "\ufeff=1",
    "\uff11",
]
HOSTILE += ["=1", *WIDE]
HARMLESS = ['\'=HYPERLINK("x")', "'+1+1", "'@SUM(A1)", "'-2+3", "'\tx", "-5", "+1,250.50", "a=b", "", "'=x"]
HARMLESS += ["'=1", *("'" + text for text in WIDE[:-1]), WIDE[-1]]


@pytest.mark.parametrize("kind", ["dataset", "table"])
async def test_files_for_spreadsheets_run_nothing(owner: httpx.AsyncClient, kind: str) -> None:
    if kind == "dataset":
        dataset = await make_dataset(owner)
        rows = [
            {"timestamp": f"2026-01-01T00:00:{n:02}Z", "values": {"note": text, "@head": text, "n": -n}}
            for n, text in enumerate(HOSTILE)
        ]
        answer = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        assert answer.status_code == 200, answer.text
        path, names = f"/api/rows/bulk_download/?dataset={dataset}&output=csv", {"note", "@head"}
    else:
        target = io.StringIO()
        csv.writer(target).writerows([["id", "note"], *enumerate(HOSTILE)])
        files = {"file": ("t.csv", target.getvalue().encode())}
        said = {"instruction": "Import into notes, keep all duplicates, note is text"}
        assert (await owner.post("/api/v1/smart-import", files=files, data=said)).json()["status"] == "success"
        path, names = "/api/v1/tables/notes/export?format=csv", {"note"}
    raw, safe = await owner.get(path), await owner.get(path + "&safe=true")
    assert raw.headers.get("etag", "raw") != safe.headers.get("etag")
    wanted = {name: ("'" if name.startswith("@") else "") + name for name in names}
    found = list(csv.DictReader(io.StringIO(raw.text)))
    for name in names:
        # An import leaves out blanks around texts; what is there stands in the file as it is.
        cells = [row[name] for row in found]
        assert kind == "table" or cells == HOSTILE
        made = [row[wanted[name]] for row in csv.DictReader(io.StringIO(safe.text))]
        assert made == [HARMLESS[HOSTILE.index(c)] if c in HOSTILE else c for c in cells]
        assert not any(cell[:1] in "=@\t" for cell in made if cell)
