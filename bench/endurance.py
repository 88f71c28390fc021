"""Many streams, more requests than the server can take, and hours of mixed load.

    python dev.py run python bench/endurance.py streams [--count 1000]
    python dev.py run python bench/endurance.py overload
    python dev.py run python bench/endurance.py mixed --minutes 120

Each starts its own server on a fresh embedded PostgreSQL. `mixed` prints memory and connections every ten seconds and
says at the end whether they stayed flat. The command ends with 1 where a figure misses what it should be.

Figures: `bench/record.py endurance` adds them to `bench/results/endurance.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx2
from faulting.checking import check_all, connections, wait_for_jobs
from faulting.ledger import Ledger
from faulting.traffic import Receiver, Traffic
from faulting.world import ATLAS, World, small_disk

from atlas.client import AsyncClient

STREAMS_P99 = 0.1
REFUSED_P99 = 2.0
# Some 4 seconds each on one core, within the limit of 30 seconds where a few run at once.
SLOW_SQL = "SELECT count(*) FROM slow a JOIN slow b ON a.n < b.n"
SLOW_ROWS = 10_000
# Memory of the last third over that of the third before, and connections likewise.
FLAT_FACTOR, FLAT_MORE = 1.05, 24 * 2**20
SAMPLE_SECONDS = 10.0


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def streams(world: World, arguments: argparse.Namespace) -> bool:
    """From before an insert is sent until its event is read, with so many streams of ten datasets open."""
    async with AsyncClient(world.url, world.key) as client:
        datasets = [(await client.datasets.create(f"d{n}")).id for n in range(10)]
        for dataset in datasets:
            await client.datasets.add_tag(dataset, "public")
        # One organization has half of the streams at most.
        keys = [world.key, await asyncio.to_thread(_other_key, world)]
        async with AsyncClient(world.url, keys[1]) as other:
            await other.tags.acquire("public")
        delays: list[float] = []
        ready = asyncio.Semaphore(0)
        follow = [(datasets[n % 10], keys[n // 10 % 2]) for n in range(arguments.count)]
        readers = [asyncio.create_task(_follow(world, dataset, key, ready, delays)) for dataset, key in follow]
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
    print(
        f"{arguments.count} streams, {arguments.events} inserts, {len(delays)} of {wanted} events: "
        f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"
    )
    return len(delays) == wanted and p99 <= STREAMS_P99


async def _follow(world: World, dataset: int, key: str, ready: asyncio.Semaphore, delays: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    path = f"/api/rows/stream/?dataset={dataset}&poll_interval=60"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"event: connected"):
                ready.release()
            elif line.startswith(b'data: {"timestamp":"2026-01-01T00:00:00Z","sent"'):
                delays.append(time.perf_counter() - json.loads(line[6:])["sent"])
    finally:
        writer.close()


async def overload(world: World, arguments: argparse.Namespace) -> bool:
    """500 connections of one key that ask for slow things: how soon those are refused that must be, how another key
    fares meanwhile, and when it is over."""
    async with AsyncClient(world.url, world.key) as client:
        dataset, slow = [(await client.datasets.create(name)).id for name in ("load", "slow")]
        await client.rows.bulk_insert(slow, [("2026-01-01", {"n": n}) for n in range(SLOW_ROWS)])
    other = await asyncio.to_thread(_other_key, world)
    rows = ",".join('{"timestamp":"2026-01-02","values":{"m":1}}' for _ in range(20_000))
    body = f'{{"dataset":{dataset},"rows":[{rows}]}}'.encode()
    sql = json.dumps({"sql": SLOW_SQL}).encode()
    asks = (
        ("SQL", "POST /api/v1/sql", sql),
        ("SQL", "POST /api/v1/sql", sql),
        ("insert", "POST /api/rows/bulk_insert/", body),
        ("page", f"GET /api/rows/?dataset={dataset}&limit=5000", b""),
    )
    answers: Counter[str] = Counter()
    refused: list[float] = []

    async def ask(number: int) -> None:
        what, target, content = asks[number % len(asks)]
        begun = time.perf_counter()
        status, again = await _answered(world, target, content)
        answers[f"{what} {status}"] += 1
        if again:
            refused.append(time.perf_counter() - begun)

    ended = asyncio.Event()
    watching = asyncio.create_task(_meanwhile(world, other, ended))
    await asyncio.sleep(1)
    begun = time.perf_counter()
    await asyncio.gather(*(ask(number) for number in range(500)))
    took = time.perf_counter() - begun
    begun = time.perf_counter()
    after, _ = await _answered(world, f"GET /api/rows/?dataset={dataset}&limit=10", b"")
    quick = time.perf_counter() - begun
    ended.set()
    meanwhile = await watching
    print(f"500 requests in {took:.1f} s: {dict(sorted(answers.items()))}")
    p99 = percentile(refused, 0.99) if refused else 0.0
    print(
        f"{len(refused)} refused after p50 {percentile(refused or [0.0], 0.5):.2f} s, p99 {p99:.2f} s; "
        f"then a page in {quick * 1000:.0f} ms"
    )
    good = p99 <= REFUSED_P99 and after == "200"
    for what, (times, failed) in meanwhile.items():
        p50, p99, longest = (round(percentile(times, share) * 1000) for share in (0.5, 0.99, 1.0))
        print(
            f"meanwhile {what} of another key: {len(times)}, p50 {p50} ms, p99 {p99} ms, longest {longest} ms, "
            f"{failed} failed"
        )
        good = good and not failed
    return good and {answer.split()[-1] for answer in answers} <= {"200", "429", "503"}


async def _answered(world: World, target: str, body: bytes) -> tuple[str, bool]:
    """The status of an answer, and whether it says when to try again. Without a library, whose work would be measured
    with so many requests at once."""
    try:
        async with asyncio.timeout(120):
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(
                f"{target} HTTP/1.1\r\nHost: x\r\nX-API-Key: {world.key}\r\nContent-Type: application/json\r\n"
                f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            )
            writer.write(body)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.read()
            writer.close()
    except (OSError, EOFError) as error:
        return type(error).__name__, False
    return head[9:12].decode(), b"retry-after:" in head.lower()


def _other_key(world: World) -> str:
    """The key of a user of another organization."""
    named = ["--org", "other", "--user", "other", "--data-dir", str(world.data)]
    made = subprocess.run([str(ATLAS), "admin", "key", "create", *named], check=True, capture_output=True, text=True)
    return re.findall(r"atlas_live_sk_\w{32}", made.stdout + made.stderr)[0]


async def _meanwhile(world: World, key: str, ended: asyncio.Event) -> dict[str, tuple[list[float], int]]:
    """What a user sees who asks for little, again and again: seconds of each answer, and how many were none."""
    async with httpx2.AsyncClient(base_url=world.url, headers={"X-API-Key": key}, timeout=60) as http:
        dataset = (await http.post("/api/datasets/", json={"name": "mine"})).json()["id"]
        row = {"dataset": dataset, "timestamp": "2026-01-01", "values": {"a": 1}}
        # SQL is asked for a column that is there.
        await http.post("/api/rows/", json=row)
        asks: dict[str, Callable[[], Awaitable[httpx2.Response]]] = {
            "health": lambda: http.get("/health"),
            "inserts of a row": lambda: http.post("/api/rows/", json=row),
            "pages": lambda: http.get(f"/api/rows/?dataset={dataset}&limit=100"),
            "quick SQL": lambda: http.post("/api/v1/sql", json={"sql": "SELECT max(a) FROM mine"}),
        }

        async def watch(ask: Callable[[], Awaitable[httpx2.Response]]) -> tuple[list[float], int]:
            times: list[float] = []
            failed = 0
            while not ended.is_set():
                begun = time.perf_counter()
                failed += (await ask()).status_code >= 300
                times.append(time.perf_counter() - begun)
                await asyncio.sleep(0.1)
            return times, failed

        found = await asyncio.gather(*(watch(ask) for ask in asks.values()))
    return dict(zip(asks, found, strict=True))


async def mixed(world: World, arguments: argparse.Namespace) -> bool:
    """The writers, importers, readers and streams of the fault harness, without faults."""
    ledger = Ledger()
    receiver = Receiver(ledger, random.Random(1))
    await receiver.start()
    traffic = Traffic(world.url, world.key, ledger, random.Random(2), arguments.pace)
    traffic.hook_url = receiver.url
    await traffic.prepare(streams=6)
    traffic.start()
    end = time.monotonic() + arguments.minutes * 60
    samples: list[tuple[int, int]] = []
    while time.monotonic() < end:
        await asyncio.sleep(SAMPLE_SECONDS)
        samples.append((await asyncio.to_thread(world.memory), await asyncio.to_thread(connections, world)))
        memory, opened = samples[-1]
        backends = await asyncio.to_thread(world.backend_memory)
        print(
            f"{len(samples) * SAMPLE_SECONDS:6.0f} s  {memory / 2**20:6.0f} MiB, PostgreSQL "
            f"{backends / 2**20:6.0f} MiB  {opened:3} connections  load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
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
    print(
        f"{arguments.minutes} min: {rows:,} rows, {len(ledger.imports)} imports, {ledger.events:,} events, answers "
        f"{dict(ledger.answers)}; memory {memory[0] / 2**20:.0f} then {memory[1] / 2**20:.0f} MiB, connections "
        f"{opened_max[0]} then {opened_max[1]}: {'flat' if flat else 'NOT flat'}; {left} jobs left, "
        f"{len(ledger.violations)} violations"
    )
    return flat and not ledger.violations and not left


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("streams", "overload", "mixed"))
    parser.add_argument("--count", type=int, default=1000, help="streams")
    parser.add_argument("--events", type=int, default=200, help="inserts while they are open")
    parser.add_argument("--minutes", type=float, default=120.0, help="of mixed load")
    parser.add_argument("--pace", type=float, default=1.0, help="its clients rest so many times as long")
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
