"""Many streams, more requests than the server can take, and hours of mixed load.

    python dev.py run python bench/endurance.py streams [--count 1000]
    python dev.py run python bench/endurance.py overload
    python dev.py run python bench/endurance.py mixed --minutes 120

Each starts its own server on a fresh embedded PostgreSQL. `mixed` prints memory and connections every ten seconds and
says at the end whether they stayed flat. The command ends with 1 where a figure misses what it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx2
from faulting.checking import check_all, connections, wait_for_jobs
from faulting.ledger import Ledger
from faulting.traffic import Receiver, Traffic
from faulting.world import World, small_disk

from atlas.client import AsyncClient

STREAMS_P99 = 0.1
REFUSED_P99 = 2.0
SLOW_SQL = "SELECT count(*) FROM load a JOIN load b ON a.n < b.n"
# Memory of the last third over that of the third before, and connections likewise.
FLAT_FACTOR, FLAT_MORE = 1.05, 24 * 2**20
SAMPLE_SECONDS = 10.0


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def streams(world: World, arguments: argparse.Namespace) -> bool:
    """From before an insert is sent until its event is read, with so many streams of ten datasets open."""
    async with AsyncClient(world.url, world.key) as client:
        datasets = [(await client.datasets.create(f"d{n}")).id for n in range(10)]
        delays: list[float] = []
        ready = asyncio.Semaphore(0)
        readers = [asyncio.create_task(_follow(world, datasets[n % 10], ready, delays)) for n in range(arguments.count)]
        for _ in readers:
            await ready.acquire()
        print(f"{len(readers)} streams are open", flush=True)
        for number in range(arguments.events):
            await client.rows.insert(datasets[number % 10], "2026-01-01", {"sent": time.perf_counter()})
            await asyncio.sleep(0.05)
        wanted = arguments.events * arguments.count // 10
        end = time.monotonic() + 30
        while len(delays) < wanted and time.monotonic() < end:  # noqa: ASYNC110 - many tasks add to it
            await asyncio.sleep(0.1)
        for task in readers:
            task.cancel()
        await asyncio.wait(readers)
    p50, p99 = percentile(delays, 0.5), percentile(delays, 0.99)
    print(f"{arguments.count} streams, {arguments.events} inserts, {len(delays)} of {wanted} events: "
          f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms")  # fmt: skip
    return len(delays) == wanted and p99 <= STREAMS_P99


async def _follow(world: World, dataset: int, ready: asyncio.Semaphore, delays: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    path = f"/api/rows/stream/?dataset={dataset}&poll_interval=60"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {world.key}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"event: connected"):
                ready.release()
            elif line.startswith(b'data: {"timestamp":"2026-01-01T00:00:00Z","sent"'):
                delays.append(time.perf_counter() - json.loads(line[6:])["sent"])
    finally:
        writer.close()


async def overload(world: World, arguments: argparse.Namespace) -> bool:
    """500 connections that ask for slow things: how soon those are refused that must be, and when it is over."""
    async with AsyncClient(world.url, world.key) as client:
        dataset = (await client.datasets.create("load")).id
        await client.rows.bulk_insert(dataset, [("2026-01-01", {"n": n}) for n in range(40_000)])
    rows = ",".join('{"timestamp":"2026-01-02","values":{"n":1}}' for _ in range(20_000))
    body = f'{{"dataset":{dataset},"rows":[{rows}]}}'.encode()
    headers = {"X-API-Key": world.key}
    limits = httpx2.Limits(max_connections=500)
    statuses: Counter[str] = Counter()
    refused: list[float] = []
    async with httpx2.AsyncClient(base_url=world.url, headers=headers, timeout=120, limits=limits) as http:
        asks: tuple[Callable[[], Awaitable[httpx2.Response]], ...] = (
            lambda: http.post("/api/v1/sql", json={"sql": SLOW_SQL}),
            lambda: http.post("/api/v1/sql", json={"sql": SLOW_SQL}),
            lambda: http.post("/api/rows/bulk_insert/", content=body, headers={"Content-Type": "application/json"}),
            lambda: http.get(f"/api/rows/?dataset={dataset}&limit=5000"),
        )

        async def ask(number: int) -> None:
            begun = time.perf_counter()
            try:
                status = (await asks[number % len(asks)]()).status_code
            except httpx2.HTTPError as error:
                statuses[type(error).__name__] += 1
                return
            statuses[str(status)] += 1
            if status in (429, 503):
                refused.append(time.perf_counter() - begun)

        begun = time.perf_counter()
        await asyncio.gather(*(ask(number) for number in range(500)))
        took = time.perf_counter() - begun
        begun = time.perf_counter()
        after = await http.get(f"/api/rows/?dataset={dataset}&limit=10")
        quick = time.perf_counter() - begun
    p99 = percentile(refused, 0.99) if refused else 0.0
    p50 = percentile(refused, 0.5) if refused else 0.0
    print(f"500 requests in {took:.1f} s: {dict(statuses)}; refused after p50 {p50:.2f} s, p99 {p99:.2f} s; "
          f"then a page in {quick * 1000:.0f} ms")  # fmt: skip
    return p99 <= REFUSED_P99 and after.status_code == 200 and set(statuses) <= {"200", "429", "503"}


async def mixed(world: World, arguments: argparse.Namespace) -> bool:
    """The writers, importers, readers and streams of the fault harness, without faults."""
    ledger = Ledger()
    receiver = Receiver(ledger, random.Random(1))
    await receiver.start()
    traffic = Traffic(world.url, world.key, ledger, random.Random(2))
    traffic.hook_url = receiver.url
    await traffic.prepare(streams=6)
    traffic.start()
    end = time.monotonic() + arguments.minutes * 60
    samples: list[tuple[int, int]] = []
    while time.monotonic() < end:
        await asyncio.sleep(SAMPLE_SECONDS)
        samples.append((await asyncio.to_thread(world.memory), await asyncio.to_thread(connections, world)))
        memory, opened = samples[-1]
        print(f"{len(samples) * SAMPLE_SECONDS:6.0f} s  {memory / 2**20:6.0f} MiB  {opened:3} connections  load "
              f"{os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
    await traffic.stop()
    left = await asyncio.to_thread(wait_for_jobs, world, ledger, 120)
    await asyncio.to_thread(check_all, world, ledger, traffic, patient=True)
    await traffic.close()
    receiver.close()
    third = max(1, len(samples) // 3)
    before, last = samples[-2 * third : -third] or samples, samples[-third:]
    memory = [statistics.median(s[0] for s in part) for part in (before, last)]
    opened_max = [max(s[1] for s in part) for part in (before, last)]
    flat = memory[1] <= memory[0] * FLAT_FACTOR + FLAT_MORE and opened_max[1] <= opened_max[0] + 4
    rows = sum(ledger.rows(dataset) for dataset in traffic.datasets)
    print(f"{arguments.minutes} min: {rows:,} rows, {len(ledger.imports)} imports, {ledger.events:,} events, answers "
          f"{dict(ledger.answers)}; memory {memory[0] / 2**20:.0f} then {memory[1] / 2**20:.0f} MiB, connections "
          f"{opened_max[0]} then {opened_max[1]}: {'flat' if flat else 'NOT flat'}; {left} jobs left, "
          f"{len(ledger.violations)} violations")  # fmt: skip
    return flat and not ledger.violations and not left


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("streams", "overload", "mixed"))
    parser.add_argument("--count", type=int, default=1000, help="streams")
    parser.add_argument("--events", type=int, default=200, help="inserts while they are open")
    parser.add_argument("--minutes", type=float, default=120.0, help="of mixed load")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with small_disk(8192) as (folder, mounted):
        world = World(folder, mounted=mounted)
        try:
            world.start(workers=1, pool=10)
            run = {"streams": streams, "overload": overload, "mixed": mixed}[arguments.what]
            print(f"load of the machine {os.getloadavg()[0]:.1f}")
            good = asyncio.run(run(world, arguments))
        finally:
            world.clean_up()
    print("as wanted" if good else "NOT as wanted")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
