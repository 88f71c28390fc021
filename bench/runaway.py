"""Queries that would take all of a machine, against a server with its usual limits: what each of them gets.

python3 dev.py run python bench/runaway.py              # some five minutes, and up to 2 GB of memory
python3 dev.py run python bench/runaway.py --seconds 5  # a limit of 5 s instead of 30

Prints a table in Markdown of the answers, and how long the backend of a query lived at most, with the most memory
beside what PostgreSQL's processes share. The command ends with 1 where a backend passed 512 MiB or one and a half times
its time, where PostgreSQL restarted, or where another query was not answered afterwards.

Figures: `bench/record.py runaway` adds them to `bench/results/runaway.csv`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from attacking.queries import CROSS, all_queries
from attacking.server import Server, folder
from tests.hostile_queries import HOSTILE_QUERIES

ROWS, AT_ONCE, FLOOD = 2_000, 3, 24
MOST_BYTES = 512 * 2**20


@dataclass
class Lives:
    """What the backends of queries have taken. memory: private bytes, seconds: age, both by process."""

    server: Server
    memory: dict[int, int] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    living: set[int] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.ended.wait(0.1):
            living = set()
            for process in self.server.processes():
                with contextlib.suppress(psutil.Error, IndexError):
                    if process.cmdline()[0].startswith("postgres: org_"):
                        info = process.memory_info()
                        living.add(process.pid)
                        self.memory[process.pid] = max(self.memory.get(process.pid, 0), info.rss - info.shared)
                        self.seconds[process.pid] = time.time() - process.create_time()
            self.living = living


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--only", nargs="*", help="names of queries")
    options = parser.parse_args()
    with folder() as place:
        server = Server(place, settings={"ATLAS_QUERY_SECONDS": str(options.seconds), "ATLAS_QUERY_SLOTS": "8"})
        try:
            server.start()
            return run(server, options.seconds, options.only)
        finally:
            server.stop()


def run(server: Server, seconds: float, only: list[str] | None) -> int:
    key = server.key("acme", "mal")
    lives = Lives(server)
    threading.Thread(target=lives.watch, daemon=True).start()
    with httpx2.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=seconds * 4 + 60) as client:
        rows = "id,name,email,amount\n" + "".join(f"{n},name {n},n{n}@x.com,{n}.5\n" for n in range(ROWS))
        sent = client.post(
            "/api/v1/smart-import", files={"file": ("leads.csv", rows)}, data={"instruction": "Import into leads"}
        )
        sent.raise_for_status()
        before = started(server)
        queries = {**HOSTILE_QUERIES, **{f"attack: {name}": sql for name, sql in all_queries().items()}}
        queries = {name: sql for name, sql in queries.items() if not only or name in only}
        print("| Query | Answer | s |\n| --- | --- | ---: |")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for line in pool.map(lambda item: one(client, *item), queries.items()):
                print(line, flush=True)
        with ThreadPoolExecutor(FLOOD) as pool:
            answers = list(pool.map(lambda _: ask(client, CROSS)[0], range(FLOOD)))
        counted = ", ".join(f"{answers.count(answer)} × {answer}" for answer in sorted(set(answers)))
        print(f"| {FLOOD} cross joins at once | {counted} | |")
        end = time.monotonic() + 2 * seconds
        while lives.living and time.monotonic() < end:
            time.sleep(0.1)
        after = ask(client, "SELECT count(*) FROM leads")[0]
    lives.ended.set()
    most, longest = max(lives.memory.values(), default=0), max(lives.seconds.values(), default=0.0)
    fine = most <= MOST_BYTES and longest <= 1.5 * seconds and started(server) == before
    fine = fine and after.startswith("200") and not lives.living
    print(
        f"\n{len(lives.memory)} backends: at most {most / 2**20:.0f} MiB and {longest:.1f} s; {len(lives.living)} left"
    )
    print(f"PostgreSQL {'runs on' if started(server) == before else 'restarted'}; afterwards {after}")
    return 0 if fine else 1


def one(client: httpx2.Client, name: str, sql: str) -> str:
    answer, took = ask(client, sql)
    return f"| {name} | {answer} | {took:.1f} |"


def ask(client: httpx2.Client, sql: str) -> tuple[str, float]:
    """The answer of a query in a few words, and seconds."""
    begun = time.perf_counter()
    answer = client.post("/api/v1/sql", json={"sql": sql})
    took = time.perf_counter() - begun
    told = "" if answer.status_code == 200 else f" {str(answer.json().get('detail'))[:110]}"
    return f"{answer.status_code}{told}", took


def started(server: Server) -> tuple[int, float]:
    """Which PostgreSQL this is."""
    pid = int((server.data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    children = [one for one in psutil.Process(pid).children() if "checkpointer" in " ".join(one.cmdline())]
    return pid, children[0].create_time() if children else 0.0


if __name__ == "__main__":
    sys.exit(main())
