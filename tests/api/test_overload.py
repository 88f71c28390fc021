"""More requests than the server takes: who is refused, how soon, in which words, and that it goes on after."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from tests.conftest import People, make_dataset, serve

from atlas.app import create_app
from atlas.config import Settings
from atlas.http.admission import BULK_INSERT, DELETE, DOWNLOADS, INSERT, QUESTIONS, SMALL_BODY, SQL, STREAM

pytestmark = pytest.mark.anyio
SLOW = "SELECT count(*) FROM slow a JOIN slow b ON a.n < b.n JOIN slow c ON c.n < a.n"


def test_lanes_are_of_routes_that_there_are() -> None:
    paths = create_app(Settings(database_url="postgresql://nowhere")).openapi()["paths"]
    for method, path in {STREAM, INSERT, BULK_INSERT, DELETE, SQL} | DOWNLOADS | QUESTIONS:
        assert method.lower() in paths[path], path


async def test_a_flood_of_one_key(settings: Settings, people: People) -> None:
    """Slow SQL of one key is refused within the wait, another key is served all the while, and then it is over."""
    limited = settings.model_copy(update={"query_slots": 2, "queue_seconds": 0.4})
    async with serve(limited) as make:
        flood, other = make(people.owner), make(people.stranger)
        dataset = await make_dataset(flood, name="slow")
        rows = [{"timestamp": "2026-01-01", "values": {"n": n}} for n in range(2_000)]
        await flood.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
        mine = await make_dataset(other, name="mine")
        row = {"dataset": mine, "timestamp": "2026-01-01", "values": {"a": 1}}
        assert (await other.post("/api/rows/", json=row)).status_code == 201
        running = asyncio.create_task(flood.post("/api/v1/sql", json={"sql": SLOW}, timeout=60))
        await asyncio.sleep(0.5)

        async def refused() -> tuple[httpx.Response, float]:
            began = time.perf_counter()
            return await flood.post("/api/v1/sql", json={"sql": SLOW}), time.perf_counter() - began

        asked = asyncio.gather(*(refused() for _ in range(20)))
        for _ in range(3):
            assert (await flood.get("/health")).status_code == 200
            assert (await other.post("/api/rows/", json=row)).status_code == 201
            assert (await flood.get(f"/api/rows/?dataset={dataset}&limit=10")).status_code == 200
            quick = await other.post("/api/v1/sql", json={"sql": "SELECT max(a) AS a FROM mine"})
            assert quick.status_code == 200, quick.text
        for response, seconds in await asked:
            assert response.status_code == 429
            assert response.headers["Retry-After"] == "1"
            assert set(response.json()) == {"detail"}
            assert response.json()["detail"].startswith("Too many requests at once: at most 1 queries of one key")
            assert seconds < 2
        running.cancel()
        await asyncio.wait((running,))
        async with asyncio.timeout(40):
            while (await flood.post("/api/v1/sql", json={"sql": "SELECT max(n) FROM slow"})).status_code != 200:
                await asyncio.sleep(0.2)


async def test_each_kind_has_slots_of_its_own(settings: Settings, people: People) -> None:
    """A body that goes on arriving holds a large insert's slot; others of that kind are refused before theirs is read,
    and everything else is served."""
    limited = settings.model_copy(update={"insert_slots": 1, "queue_seconds": 0.2})
    async with serve(limited) as make:
        owner, stranger = make(people.owner), make(people.stranger)
        dataset = await make_dataset(owner)
        going = asyncio.Event()
        head = b'{"dataset":%d,"rows":[{"timestamp":"2026-01-01","values":{"a":1}}' % dataset

        async def slow():  # type: ignore[no-untyped-def]
            yield head
            await going.wait()
            yield b"]}"

        json = {"Content-Type": "application/json"}
        first = asyncio.create_task(owner.post("/api/rows/bulk_insert/", content=slow(), headers=json))
        await asyncio.sleep(0.3)
        large = head + b" " * SMALL_BODY + b"]}"
        own = await owner.post("/api/rows/bulk_insert/", content=large, headers=json)
        assert (own.status_code, own.json()["error"]) == (429, "Too many requests at once")
        others = await stranger.post("/api/rows/bulk_insert/", content=large, headers=json)
        assert (others.status_code, set(others.json())) == (503, {"error", "details"})
        assert others.headers["Retry-After"] == "1"
        small = await owner.post("/api/rows/bulk_insert/", content=head + b"]}", headers=json)
        assert small.status_code == 200
        assert (await owner.get(f"/api/rows/?dataset={dataset}")).json()["count"] == 1
        going.set()
        assert (await first).json() == {"inserted": 1, "total": 1}
        again = await owner.post("/api/rows/bulk_insert/", content=large, headers=json)
        assert again.status_code == 200
