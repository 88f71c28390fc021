"""Clients that write, import, read and listen all the time, and note in the ledger what they were told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
import pyarrow as pa

from atlas.client import ApiError, AsyncClient, AtlasClientError, ConnectionFailed, RateLimited, Unavailable
from faulting.ledger import Import, Ledger

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = ("arrivals", "returns")


class Traffic:
    """Everybody who uses the server. Each rests `pace` times as long between requests as with 1."""

    def __init__(self, url: str, key: str, ledger: Ledger, rng: random.Random, pace: float = 1.0) -> None:
        self.url, self.key, self.ledger, self.rng, self.pace = url, key, ledger, rng, pace
        self.datasets: list[int] = []
        self.hook_url = ""
        self.last_event: dict[int, int] = {}
        self._active = asyncio.Event()
        self._ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._streams: list[asyncio.Task[None]] = []
        self._http: list[httpx2.AsyncClient] = []

    def client(self, retries: int = 6) -> AsyncClient:
        http = httpx2.AsyncClient(event_hooks={"response": [self.ledger.note]})
        self._http.append(http)
        return AsyncClient(self.url, self.key, http_client=http, retries=retries, timeout=30)

    async def prepare(self, streams: int) -> None:
        """Datasets and tables, and a listener for each dataset from its first event on."""
        client = self.client()
        for name in ("singles", "bulks", "wide"):
            made = await client.datasets.create(name)
            for column in ("w", "n"):
                await client.datasets.add_column(made, column, "int")
            self.datasets.append(made.id)
        for table in TABLES:
            await client.imports.run(
                (f"{table}.csv", _csv("first", 3)), f"Import into a new table {table}, keep all duplicates"
            )
        self._streams = [
            asyncio.create_task(self._listen(number, self.datasets[number % len(self.datasets)]))
            for number in range(streams)
        ]

    def start(self) -> None:
        singles, bulks, wide = self.datasets
        makers: list[Callable[[], Awaitable[None]]] = [
            *(lambda w=w: self._write(w, singles, "single") for w in range(3)),
            lambda: self._write(10, bulks, "json"),
            lambda: self._write(11, bulks, "csv"),
            lambda: self._write(12, bulks, "arrow"),
            lambda: self._write(20, wide, "wide"),
            lambda: self._write(21, wide, "csv"),
            self._import_now,
            self._import_now,
            self._import_later,
            *(self._read for _ in range(3)),
        ]
        self._active.set()
        self._tasks = [asyncio.create_task(self._guarded(make)) for make in makers]

    async def _guarded(self, make: Callable[[], Awaitable[None]]) -> None:
        try:
            await make()
        except Exception as error:
            self.ledger.violate(f"a client failed: {type(error).__name__}: {error}")
            raise

    async def stop(self) -> None:
        """Lets each finish what it has begun, which it repeats until it is acknowledged."""
        self._ending = True
        await asyncio.wait(self._tasks, timeout=150)
        for task in self._tasks:
            if not task.done():
                self.ledger.violate("a client did not come to an end within 150 s of quiet")
                task.cancel()
        self._ending = False

    async def close(self) -> None:
        for task in self._streams:
            task.cancel()
        await asyncio.wait(self._streams) if self._streams else None
        for http in self._http:
            await http.aclose()

    async def _write(self, writer: int, dataset: int, kind: str) -> None:
        """Sends rows that carry the writer and a number, each batch until it is acknowledged."""
        client = self.client(retries=1)
        taken = self.ledger.acknowledged[dataset][writer]
        number = len(taken)
        with tempfile.TemporaryDirectory() as folder:
            while not self._ending:
                count = 1 if kind == "single" else self.rng.randint(5, 400)
                numbers = range(number, number + count)
                key = f"w{writer}-{number}-{count}"
                while True:
                    try:
                        await _send(client, dataset, writer, numbers, kind, key, Path(folder) / "rows.csv")
                        break
                    except (ConnectionFailed, RateLimited, Unavailable):
                        await asyncio.sleep(self.rng.uniform(0.1, 0.5))
                taken.update(numbers)
                number += count
                await self._rest(0.02, 0.1 if kind == "single" else 0.6)

    async def _rest(self, least: float, most: float) -> None:
        await asyncio.sleep(self.rng.uniform(least, most) * self.pace)

    async def _import_now(self) -> None:
        await self._imports(asynchronous=False)

    async def _import_later(self) -> None:
        await self._imports(asynchronous=True)

    async def _imports(self, *, asynchronous: bool) -> None:
        client = self.client(retries=1)
        while not self._ending:
            rows, tag, table = self.rng.randint(20, 800), uuid4().hex, self.rng.choice(TABLES)
            one = Import(tag, str(uuid4()), table, rows, asynchronous)
            self.ledger.imports.append(one)
            await self.send_import(client, one)
            await self._rest(0.2, 1.5)

    async def send_import(self, client: AsyncClient, one: Import) -> None:
        """Imports a file with rows of the import's tag, and notes what is told of it."""
        tag = one.tag
        more = {"callback_url": f"{self.hook_url}/{tag}", "callback_metadata": {"tag": tag}} if one.asynchronous else {}
        try:
            result = await client.imports.run(
                (f"{one.table}.csv", _csv(tag, one.rows)),
                f"Import into {one.table}, keep all duplicates",
                import_id=one.import_id,
                **more,
            )
            one.told = result.status
            one.accepted = result.status in ("pending", "success")
            one.acknowledged = result.status == "success"
        except AtlasClientError as error:
            one.told = str(error)
            self.ledger.look("an import", one.told) if isinstance(error, ApiError) else None

    async def _read(self) -> None:
        client = self.client(retries=0)
        looks = (self._count, self._download, self._figures, self._table, self._latest)
        while not self._ending:
            look = self.rng.choice(looks)
            try:
                await look(client)
                self.ledger.reads["answered"] += 1
            except (ConnectionFailed, RateLimited, Unavailable):
                self.ledger.reads["unavailable"] += 1
            await self._rest(0.02, 0.3)

    async def _count(self, client: AsyncClient) -> None:
        dataset = self.rng.choice(self.datasets)
        least = self.ledger.rows(dataset)
        found = (await client.rows.page(dataset, limit=100)).count
        if found < least:
            self.ledger.violate(f"dataset {dataset} counted {found} rows after {least} were acknowledged")

    async def _download(self, client: AsyncClient) -> None:
        dataset = self.rng.choice(self.datasets)
        least = self.ledger.rows(dataset)
        table = await client.rows.to_arrow(dataset, columns=["w", "n"])
        if "w" not in table.column_names:
            return
        distinct = await asyncio.to_thread(lambda: table.group_by(["w", "n"]).aggregate([]).num_rows)
        if len(table) < least or distinct != len(table):
            self.ledger.violate(f"dataset {dataset}: {len(table)} rows, {distinct} distinct, {least} acknowledged")

    async def _figures(self, client: AsyncClient) -> None:
        dataset = self.rng.choice(self.datasets)
        least = self.ledger.rows(dataset)
        found = await client.rows.aggregate(dataset, bucket="1d", functions="count", columns=["n"])
        total = sum(bucket.count for bucket in found.results)
        if total < least:
            self.ledger.violate(f"dataset {dataset}: figures of {total} rows after {least} were acknowledged")

    async def _table(self, client: AsyncClient) -> None:
        table = self.rng.choice(TABLES)
        sure = {one.tag for one in self.ledger.imports if one.acknowledged and one.table == table}
        # As many as there are, so that an answer that is cut short shows.
        result = await client.sql(f"SELECT tag, count(*) AS n FROM {table} GROUP BY tag", 10_000)
        found = {row["tag"]: int(row["n"]) for row in result.dicts()}
        known = {one.tag: one for one in self.ledger.imports}
        for tag, count in found.items():
            if tag != "first" and count != known[tag].rows:
                self.ledger.violate(f"half an import is visible in {table}: {count} of {known[tag].rows} rows")
        if missing := sure - found.keys():
            self.ledger.violate(f"{len(missing)} acknowledged imports are not visible in {table}")

    async def _latest(self, client: AsyncClient) -> None:
        await client.rows.recent(self.rng.choice(self.datasets), 50)

    async def _listen(self, number: int, dataset: int) -> None:
        """A stream from the first row on; ids have no gaps, since a cut-off insert takes no numbers."""
        headers = {"X-API-Key": self.key}
        last = 0
        async with httpx2.AsyncClient(headers=headers, event_hooks={"response": [self.ledger.note]}) as http:
            while True:
                with contextlib.suppress(httpx2.HTTPError):
                    told = {"Last-Event-ID": str(last)}
                    async with http.stream(
                        "GET",
                        f"{self.url}/api/rows/stream/?dataset={dataset}&poll_interval=1",
                        headers=told,
                        timeout=20,
                    ) as response:
                        self.ledger.resumed += 1
                        if response.status_code == 200:
                            async for event in httpx2.EventSource(response, max_event_size=None):
                                last = self._heard(number, dataset, last, event)
                await asyncio.sleep(0.2)

    def _heard(self, number: int, dataset: int, last: int, event: httpx2.ServerSentEvent) -> int:
        if event.event == "error":
            self.ledger.look("a stream", event.data)
        if event.event != "data":
            return last
        found = int(event.id or 0)
        if found != last + 1:
            self.ledger.violate(f"stream {number} of dataset {dataset}: event {found} after {last}")
        json.loads(event.data)
        self.ledger.events += 1
        self.last_event[number] = found
        return found


async def _send(
    client: AsyncClient, dataset: int, writer: int, numbers: range, kind: str, key: str, path: Path
) -> None:
    stamps = [(START + timedelta(seconds=n + writer / 100)).isoformat() for n in numbers]
    if kind == "single":
        await client.rows.insert(dataset, stamps[0], {"w": writer, "n": numbers[0]}, idempotency_key=key)
        return
    if kind in ("json", "wide"):
        # New keys appear as time goes on, so that columns are made under faults too.
        extra = {f"k{numbers[0] // 2000 % 40}": 1.5} if kind == "wide" else {}
        data: object = [(s, {"w": writer, "n": n, **extra}) for s, n in zip(stamps, numbers, strict=True)]
    elif kind == "arrow":
        data = pa.table({"timestamp": stamps, "w": [writer] * len(numbers), "n": list(numbers)})
    else:
        lines = [f"{s},{writer},{n}" for s, n in zip(stamps, numbers, strict=True)]
        await asyncio.to_thread(path.write_text, "\n".join(["timestamp,w,n", *lines, ""]))
        data = path
    await client.rows.bulk_insert(dataset, data, idempotency_key=key)


def _csv(tag: str, rows: int) -> bytes:
    return "\n".join(["tag,number,text", *(f"{tag},{n},text {n % 7}" for n in range(rows)), ""]).encode()


class Receiver:
    """Takes webhooks on loopback and counts them by import; some are refused at first, to be sent again."""

    def __init__(self, ledger: Ledger, rng: random.Random) -> None:
        self._ledger, self._rng = ledger, rng
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length")
            )
            body = await reader.readexactly(int(length))
            tag = head.split(" ", 2)[1].rsplit("/", 1)[-1]
            good = self._rng.random() < 0.9
            if good:
                self._ledger.hooks[tag] += 1
                self._ledger.look("a webhook", body.decode())
            status = "204 No Content" if good else "500 Not now"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()
