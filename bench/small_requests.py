"""CPU time of the server for one small request: inserts of 1, 10 and 1,000 rows, pages of 5 and 100.

    python dev.py run python bench/small_requests.py [--rounds 8] [--only WORD] [--against DIRECTORY]

CPU time depends less on what else the machine does than waiting does, so changes can be seen that wall times do not
show. Each figure is the least of the rounds, which are short. --against: the `src` of another commit, whose server is
measured in turns with this one's, so that both meet the same machine. --only: kinds of request with that word.

Figures: `bench/record.py small_requests` adds them to `bench/results/small_requests.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil
from faulting.world import World, small_disk

from atlas.client import Client

# Requests of a round by number of clients; of large inserts a tenth.
REQUESTS = {1: 60, 16: 320}
PAGED_ROWS = 10_000


def insert(dataset: int, rows: int) -> bytes:
    row = '{"timestamp":"2026-02-0%dT00:00:00Z","values":{"a":1.5,"b":%d,"c":"on","d":0.25,"e":7}}'
    if rows == 1:
        body = f'{{"dataset":{dataset},{row[1:]}' % (1, 1)
        return post("/api/rows/", body)
    listed = ",".join(row % (1 + n % 9, n) for n in range(rows))
    return post("/api/rows/bulk_insert/", f'{{"dataset":{dataset},"rows":[{listed}]}}')


def post(path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: KEY\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def page(dataset: int, rows: int) -> bytes:
    return f"GET /api/rows/?dataset={dataset}&limit={rows} HTTP/1.1\r\nHost: x\r\nX-API-Key: KEY\r\n\r\n".encode()


KINDS: dict[str, Callable[[int, int], bytes]] = {
    "insert of 1 row": lambda written, read: insert(written, 1),
    "insert of 10 rows": lambda written, read: insert(written, 10),
    "insert of 1,000 rows": lambda written, read: insert(written, 1_000),
    "page of 5 rows": lambda written, read: page(read, 5),
    "page of 100 rows": lambda written, read: page(read, 100),
}


class Measured:
    """A running server with a dataset to write to and one to read from."""

    def __init__(self, stack: ExitStack, source: Path) -> None:
        folder, mounted = stack.enter_context(small_disk(4096))
        self.world = World(folder, mounted=mounted)
        stack.callback(self.world.clean_up)
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = str(source)
        try:
            self.world.start(workers=1, pool=10)
        finally:
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before
        with Client(self.world.url, self.world.key) as client:
            self.written, self.read = (client.datasets.create(name).id for name in ("written", "read"))
            values = {"a": 1.5, "b": 2, "c": "on", "d": 0.25, "e": 7}
            rows = [(f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z", values) for n in range(PAGED_ROWS)]
            client.rows.bulk_insert(self.read, rows)
        self.process = self.world.worker_processes()[0]
        self.best: dict[tuple[str, int], tuple[float, float]] = {}

    def cpu(self) -> float:
        """Seconds of CPU of the server's threads; the process's own count has a tick of 10 ms."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        if not tasks.exists():
            times = self.process.cpu_times()
            return float(times.user + times.system)
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def measure(self, kind: str, clients: int) -> None:
        """Milliseconds of CPU and of waiting for one request, kept where they are the least so far."""
        times = REQUESTS[clients] // (10 if "1,000" in kind else 1)
        request = KINDS[kind](self.written, self.read).replace(b"KEY", self.world.key.encode())
        asyncio.run(ask(self.world.port, request, clients, clients * 2))
        cpu, begun = self.cpu(), time.perf_counter()
        asyncio.run(ask(self.world.port, request, clients, times))
        took = (time.perf_counter() - begun) * clients
        found = ((self.cpu() - cpu) / times * 1000, took / times * 1000)
        known = self.best.get((kind, clients), found)
        self.best[kind, clients] = (min(found[0], known[0]), min(found[1], known[1]))


async def ask(port: int, request: bytes, clients: int, times: int) -> None:
    """Sends a request so often, over so many connections, each waiting for its answers."""

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(times // clients):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if head[9:10] != b"2":
                raise RuntimeError(head.decode())
            length = head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(one() for _ in range(clients)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", default="", help="kinds that have this word")
    parser.add_argument("--against", type=Path, help="src of another commit")
    arguments = parser.parse_args()
    own = Path(__file__).resolve().parents[1] / "src"
    with ExitStack() as stack:
        servers = [Measured(stack, source) for source in (own, arguments.against) if source is not None]
        for _ in range(arguments.rounds):
            for kind in (kind for kind in KINDS if arguments.only in kind):
                for clients in REQUESTS:
                    for server in servers:
                        server.measure(kind, clients)
        print(f"load {os.getloadavg()[0]:.1f}, {psutil.cpu_count()} cores; ms of the server's CPU (of waiting)")
        for kind, clients in servers[0].best:
            cells = [server.best[kind, clients] for server in servers]
            shown = "   ".join(f"{cpu:6.2f} ({wait:6.1f})" for cpu, wait in cells)
            ratio = f"   {cells[0][0] / cells[1][0]:.2f}" if len(cells) == 2 else ""
            print(f"{kind:22} {clients:2} clients  {shown}{ratio}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
