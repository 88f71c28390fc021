"""Small requests that read their parameters themselves answer as FastAPI does, asked by one more that is ignored."""

from __future__ import annotations

import itertools

import httpx
import pytest
from tests.conftest import Client, make_dataset

pytestmark = pytest.mark.anyio

MORE = "&_=1"
QUERIES = [
    "limit=2",
    "limit=0",
    "limit=-1",
    "limit=%2B2",
    "limit=2.0",
    "limit=",
    "limit",
    "limit=1&limit=2",
    "limit=100000",
    "limit=5000000000000000000000",
    "limit=%D9%A3",
    "limit=2&offset=1",
    "offset=9",
    "offset=99999999999999999999",
    "offset=-1",
    "ordering=-timestamp",
    "ordering=time",
    "ordering=",
    "columns=a",
    "columns=a,b",
    "columns=",
    "columns=a&columns=b",
    "columns=none",
    "columns=%C3%BC",
    "columns=%zz",
    "columns=x+y",
    "cursor=nonsense",
    "cursor=",
    "start=2026-01-01T00:00:02Z",
    "start=2026-01-01T01:00:02+01:00",
    "start=2026-01-01T01:00:02%2B01:00",
    "start=2026-01-01T00%3A00%3A02&end=2026-01-01T00:00:03Z",
    "end=2025",
    "start=2026-01-02&end=2026-01-01",
    "start=soon",
    "start=",
    "dataset=1",
    "dataset=x",
    "=1",
    "&",
    "limit=2&",
]


def _told(response: httpx.Response) -> tuple[int, str, str | None]:
    text = response.text.replace(MORE, "").replace("_=1", "")
    return response.status_code, text.replace("&&", "&"), response.headers.get("content-type")


@pytest.fixture
async def dataset(owner: httpx.AsyncClient) -> int:
    number = await make_dataset(owner)
    rows = [{"timestamp": f"2026-01-01T00:00:0{n}Z", "values": {"a": n, "b": n / 2, "ü": "x"}} for n in range(5)]
    stored = await owner.post("/api/rows/bulk_insert/", json={"dataset": number, "rows": rows})
    assert (stored.status_code, stored.text) == (200, '{"inserted":5,"total":5}')
    return number


async def test_pages(owner: httpx.AsyncClient, client: Client, dataset: int) -> None:
    first = (await owner.get(f"/api/rows/?dataset={dataset}&limit=2")).json()
    for query in (*QUERIES, f"cursor={first['next_cursor']}", f"cursor={first['next_cursor']}&limit=2"):
        asked = f"/api/rows/?dataset={dataset}&{query}"
        direct, usual = await owner.get(asked), await owner.get(asked + MORE)
        assert direct.status_code in (200, 400), query
        assert _told(direct) == _told(usual), query
    for query in ("", "?limit=2", "?dataset=999999", "?dataset="):
        more = MORE if query else "?" + MORE[1:]
        assert _told(await owner.get(f"/api/rows/{query}")) == _told(await owner.get(f"/api/rows/{query}{more}")), query
    nobody = client("atlas_live_sk_" + "x" * 32)
    for query, key in itertools.product((f"?dataset={dataset}&limit=2", "?dataset=x"), (nobody, client(None))):
        assert _told(await key.get(f"/api/rows/{query}")) == _told(await key.get(f"/api/rows/{query}{MORE}"))


async def test_inserts(owner: httpx.AsyncClient, client: Client, dataset: int) -> None:
    other = await make_dataset(owner)
    row = {"timestamp": "2026-01-02", "values": {"a": 1}}
    queries = (
        "",
        f"dataset={dataset}",
        f"dataset={other}",
        "dataset=x",
        "dataset=-1",
        f"dataset={dataset}&dataset=1",
        "dataset=",
        "dataset=999999",
        f"dataset={dataset}&timestamp_column=t",
    )
    for query in queries:
        for body in ({"dataset": dataset, "rows": [row]}, {"rows": [row]}, {"dataset": dataset}):
            asked = f"/api/rows/bulk_insert/?{query}"
            direct, usual = await owner.post(asked, json=body), await owner.post(asked + MORE, json=body)
            assert _told(direct) == _told(usual), (query, body)
    body = {"dataset": dataset, "rows": [row]}
    for key in (client("atlas_live_sk_" + "x" * 32), client(None)):
        direct, usual = [await key.post(f"/api/rows/bulk_insert/{more}", json=body) for more in ("", "?" + MORE[1:])]
        assert _told(direct) == _told(usual)
        assert direct.status_code == 401
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        stored = await owner.post("/api/rows/bulk_insert/", json=body, headers=headers)
        assert (stored.status_code, stored.json()) == (200, {"inserted": 1, "total": 1})
    csv = await owner.post(
        f"/api/rows/bulk_insert/?dataset={dataset}",
        content="timestamp,a\n2026-01-03,1\n",
        headers={"Content-Type": "text/csv"},
    )
    assert (csv.status_code, csv.json()) == (200, {"inserted": 1, "total": 1})
