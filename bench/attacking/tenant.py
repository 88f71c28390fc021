"""The quiet organization: it asks, inserts, reads and listens at a steady pace, and notes how long each takes.

    python bench/attacking/tenant.py URL KEY DATASET SECONDS

Prints a JSON line for each request: `[when, kind, status, seconds]`. It is a process of its own, so that what the
attackers do in theirs does not count as the server's time. A request that gets no answer within a minute has status 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable

import httpx2

# Seconds between two requests of a kind; one that is still under way delays the next.
PACE = {"insert": 0.1, "page": 0.2, "sql": 0.5, "question": 1.0, "latest": 0.25, "import": 5.0}
SQL = "SELECT count(*) AS rows, avg(amount) AS amount FROM quiet_orders"
QUESTION = "How many quiet orders are there?"
CSV = b"id,amount\n" + b"".join(b"%d,%d.5\n" % (n, n) for n in range(10))


class Tenant:
    def __init__(self, url: str, key: str, dataset: int) -> None:
        self._url, self._dataset, self._key = url, dataset, key
        limits = httpx2.Limits(max_connections=20, max_keepalive_connections=20)
        self._http = httpx2.AsyncClient(base_url=url, headers={"X-API-Key": key}, timeout=60, limits=limits)
        self._sent: dict[int, float] = {}
        self._number = 0

    async def insert(self) -> int:
        self._number += 1
        self._sent[self._number] = time.perf_counter()
        body = {"dataset": self._dataset, "timestamp": "2026-01-01T00:00:00Z", "values": {"n": self._number}}
        return (await self._http.post("/api/rows/", json=body)).status_code

    async def page(self) -> int:
        return (await self._http.get(f"/api/rows/?dataset={self._dataset}&limit=100")).status_code

    async def latest(self) -> int:
        return (await self._http.get(f"/api/datasets/{self._dataset}/")).status_code

    async def sql(self) -> int:
        return (await self._http.post("/api/v1/sql", json={"sql": SQL})).status_code

    async def question(self) -> int:
        answer = await self._http.post("/api/v1/query", json={"prompt": QUESTION})
        # An answer that is not understood is a failure here: it was understood when nobody attacked.
        understood = answer.status_code != 200 or answer.json().get("success")
        return answer.status_code if understood else 422

    async def import_file(self) -> int:
        form = {"instruction": "Import into quiet_orders, keep all duplicates"}
        files = {"file": ("orders.csv", CSV, "text/csv")}
        return (await self._http.post("/api/v1/smart-import", data=form, files=files)).status_code

    async def listen(self) -> None:
        """Notes the time from before an insert is sent until its event is read. An end of the stream is status 0."""
        path = f"/api/rows/stream/?dataset={self._dataset}&poll_interval=60"
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                async with self._http.stream("GET", path, timeout=httpx2.Timeout(60, read=None)) as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("data:") and '"n":' in line:
                            number = json.loads(line[5:]).get("n")
                            if (sent := self._sent.pop(number, None)) is not None:
                                note("event", 200, time.perf_counter() - sent)
            note("event", 0, 0.0)
            await asyncio.sleep(0.5)

    async def run(self, seconds: float) -> None:
        """Does everything at its pace for so long."""
        listening = asyncio.create_task(self.listen())
        await asyncio.sleep(0.5)
        work: dict[str, Callable[[], Awaitable[int]]] = {
            "insert": self.insert,
            "page": self.page,
            "sql": self.sql,
            "question": self.question,
            "latest": self.latest,
            "import": self.import_file,
        }
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._repeat(kind, make, end) for kind, make in work.items()))
        await asyncio.sleep(0.5)
        listening.cancel()

    async def _repeat(self, kind: str, make: Callable[[], Awaitable[int]], end: float) -> None:
        following = time.monotonic()
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                status = await make()
            except httpx2.HTTPError:
                status = 0
            note(kind, status, time.perf_counter() - begun)
            following = max(time.monotonic(), following + PACE[kind])
            await asyncio.sleep(following - time.monotonic())


def note(kind: str, status: int, seconds: float) -> None:
    print(json.dumps([time.time(), kind, status, round(seconds, 5)]), flush=True)


if __name__ == "__main__":
    asyncio.run(Tenant(sys.argv[1], sys.argv[2], int(sys.argv[3])).run(float(sys.argv[4])))
