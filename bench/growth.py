"""What changes as data grow: one dataset to 100 M rows, and one owner to 10,000 datasets.

    python dev.py run python bench/growth.py [--rows N …] [--datasets N …] [--rounds N]

Starts its own server on a fresh embedded PostgreSQL. Rows are loaded as Arrow bodies of 500,000 by the API; at each
size it stops, waits until the background has caught up, and asks the same questions as a client over HTTP, at places
drawn anew. Datasets are created one by one with a row and metadata each. 100 M rows take 9 GB of disk under the folder
for temporary files, which are deleted at the end. Prints two Markdown tables, sizes as columns; an empty list leaves
one out.

Figures: `bench/record.py growth` adds them to `bench/results/growth.csv`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import psutil
import psycopg
from chart import settle
from timeseries import START, Server, arrow_body, drain, report, seconds

STEP = 500_000
ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}
# Creations that are timed one by one before each size is reached.
LAST = 50


class Table:
    """Figures by size, printed as Markdown with a line for each question."""

    def __init__(self, unit: str) -> None:
        self._unit, self._sizes = unit, []
        self._lines: dict[str, list[str]] = {}

    def size(self, size: int) -> None:
        self._sizes.append(f"{size:,}")

    def add(self, name: str, text: str) -> None:
        report(self._sizes[-1], f"{name}: {text} (load {os.getloadavg()[0]:.1f})")
        self._lines.setdefault(name, []).append(text)

    def times(self, name: str, action: Callable[[], object], rounds: int) -> None:
        """Median and greatest time, and that of the first one, in milliseconds; or the status of what failed."""
        try:
            took = [seconds(action) * 1000 for _ in range(rounds + 1)]
        except httpx.HTTPStatusError as error:
            return self.add(name, f"status {error.response.status_code}")
        text = f"{statistics.median(took[1:]):,.1f} ms (most {max(took[1:]):,.0f}, first {took[0]:,.0f})"
        self.add(name, text)

    def show(self) -> None:
        print(f"| {self._unit} | {' | '.join(self._sizes)} |\n|{' --- |' * (len(self._sizes) + 1)}")
        for name, texts in self._lines.items():
            print(f"| {name} | {' | '.join(texts)} |", flush=True)


def memory(server: Server) -> str:
    """Resident memory of the server, and the greatest of one of PostgreSQL's processes without what they share."""
    backends = [0]
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "postgres" and str(server.folder) in " ".join(_ancestors(process)):
            found = process.memory_info()
            backends.append(found.rss - found.shared)
    return f"{server.memory() / 1e6:,.0f} MB (a connection's process at most {max(backends) / 1e6:,.0f} MB)"


def _ancestors(process: psutil.Process) -> list[str]:
    try:
        return [part for one in (process, *process.parents()[:1]) for part in one.cmdline()]
    except psutil.Error:
        return []


def query(server: Server, text: str) -> None:
    server.client.post("/api/v1/sql", json={"sql": text}).raise_for_status()


def stamp(second: float) -> str:
    return (START + timedelta(seconds=float(second))).strftime("%Y-%m-%dT%H:%M:%SZ")


def grow_rows(server: Server, sizes: list[int], rounds: int) -> None:
    """One dataset, a row a second with five numeric columns."""
    table, dataset, at = Table("Rows"), server.dataset(), 0
    random = np.random.default_rng(11)

    def load(rows: int) -> None:
        nonlocal at
        body = arrow_body(rows, at)
        path = f"/api/rows/bulk_insert/?dataset={dataset}"
        took.append(seconds(lambda: server.client.post(path, content=body, headers=ARROW).raise_for_status()))
        at += rows

    for size in sizes:
        took: list[float] = []
        while at < size:
            load(min(STEP, size - at))
        last = took[-2:]
        table.size(size)
        rate = min(size, STEP * len(last)) / sum(last)
        table.add("Loading the last million, rows/s", f"{rate:,.0f} (all of this size {size_rate(took, size):,.0f})")
        began = time.perf_counter()
        settle(server, dataset)
        table.add("Background caught up after", f"{time.perf_counter() - began:.0f} s")
        ask_rows(server, dataset, size, table, rounds, random)
    table.show()


def size_rate(took: list[float], size: int) -> float:
    """Rows a second over the bodies that brought the dataset to `size`."""
    return min(size, STEP * len(took)) / sum(took)


def ask_rows(server: Server, dataset: int, size: int, table: Table, rounds: int, random: np.random.Generator) -> None:
    def get(path: str) -> None:
        server.client.get(path).raise_for_status()

    def anywhere(width: int) -> str:
        first = int(random.integers(0, size - width))
        return f"start={stamp(first)}&end={stamp(first + width - 1)}"

    rows, base = f"/api/rows/?dataset={dataset}", f"dataset={dataset}"
    hour = f"/api/rows/bulk_download/?{base}&output=csv"
    table.times("An hour (3,600 rows) as CSV", lambda: drain(server, f"{hour}&{anywhere(3_600)}"), rounds)
    table.times("Newest page of 250 with the count", lambda: get(f"{rows}&limit=250&ordering=-timestamp"), rounds)
    table.times("Page at an offset", lambda: get(f"{rows}&limit=250&offset={random.integers(0, size)}"), rounds)
    table.times("Count of a range of half the rows", lambda: get(f"{rows}&limit=1&{anywhere(size // 2)}"), rounds)
    table.times("Latest row", lambda: get(f"/api/rows/latest/?{base}"), rounds)
    chart = f"/api/rows/aggregate/?{base}&functions=min,max,avg&columns=close"
    table.times("500 points over everything", lambda: get(f"{chart}&points=500"), rounds)
    width = size // 500
    table.times("500 buckets of a width no level divides", lambda: get(f"{chart}&bucket={width | 1}s"), min(rounds, 3))

    def ask() -> None:
        first = int(random.integers(0, size - 3_600))
        where = f"ts >= '{stamp(first)}' AND ts < '{stamp(first + 3_600)}'"
        query(server, f"SELECT count(*), max(close) FROM bench WHERE {where}")

    table.times("SQL over an hour", ask, rounds)
    found = server.client.get(f"/api/datasets/{dataset}/summary/").json()
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        named = "SELECT pg_total_relation_size(oid) FROM pg_class WHERE relname = %s"
        rollup = database.execute(named, (f"_rollup_{dataset}",)).fetchone()
    share = f", rollup {rollup[0] / size:.1f}" if rollup is not None else ""
    table.add("Bytes a row", f"{found['bytes'] / size:.1f}{share}")
    table.add("Memory of the server", memory(server))


def grow_datasets(server: Server, sizes: list[int], rounds: int) -> None:
    """Datasets of one owner with a row each, every one in ten of a source of its own."""
    table, ids = Table("Datasets"), []
    random = np.random.default_rng(12)

    def create() -> None:
        number = len(ids)
        body = {"name": f"sensor_{number}", "metadata": {"source": f"site {number // 10}", "number": number}}
        ids.append(server.client.post("/api/datasets/", json=body).raise_for_status().json()["id"])

    def insert(dataset: int, second: int) -> None:
        body = {"dataset": dataset, "timestamp": stamp(second), "values": {"speed": 1.5, "count": second}}
        server.client.post("/api/rows/", json=body).raise_for_status()

    for size in sizes:
        created, first_rows = [], []
        while len(ids) < size:
            created.append(seconds(create) * 1000)
            first_rows.append(seconds(lambda: insert(ids[-1], 0)) * 1000)
        table.size(size)
        for name, took in (
            ("Creating one", created[-LAST:]),
            ("Its first row, which makes two columns", first_rows[-LAST:]),
        ):
            table.add(name, f"{statistics.median(took):,.1f} ms (most {max(took):,.0f})")
        ask_datasets(server, ids, table, rounds, random, insert)
    table.show()


def ask_datasets(
    server: Server,
    ids: list[int],
    table: Table,
    rounds: int,
    random: np.random.Generator,
    insert: Callable[[int, int], None],
) -> None:
    def get(path: str) -> None:
        server.client.get(path).raise_for_status()

    def one() -> int:
        return int(random.integers(0, len(ids)))

    def sql() -> None:
        query(server, f"SELECT count(*), max(speed) FROM sensor_{one()}")

    def question() -> None:
        prompt = f"What is the average speed of sensor {one()}?"
        answer = server.client.post("/api/v1/query", json={"prompt": prompt}).raise_for_status().json()
        assert answer["success"], answer

    table.times("A row into any", lambda: insert(ids[one()], 1 + one()), rounds)
    table.times("Page of one's rows", lambda: get(f"/api/rows/?dataset={ids[one()]}"), rounds)
    table.times("Latest row of one", lambda: get(f"/api/rows/latest/?dataset={ids[one()]}"), rounds)
    table.times("One dataset", lambda: get(f"/api/datasets/{ids[one()]}/"), rounds)
    table.times("List of 25", lambda: get("/api/datasets/?limit=25"), rounds)
    table.times("List of 250", lambda: get("/api/datasets/?limit=250"), rounds)
    table.times("Search by name", lambda: get(f"/api/datasets/?search=SENSOR_{one()}&limit=25"), rounds)
    table.times("Search by metadata", lambda: get(f"/api/datasets/search/?number={one()}"), rounds)
    table.times("SQL over one", sql, rounds)
    table.times("Question in English about one", question, rounds)
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        found = database.execute("SELECT pg_database_size(current_database())").fetchone()
        assert found is not None
    table.add("Disk a dataset", f"{found[0] / len(ids) / 1e3:,.0f} kB")
    table.add("Memory of the server", memory(server))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 10_000_000, 100_000_000])
    parser.add_argument("--datasets", type=int, nargs="*", default=[10, 100, 1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    for grow, sizes in ((grow_datasets, options.datasets), (grow_rows, options.rows)):
        if not sizes:
            continue
        with tempfile.TemporaryDirectory(prefix="atlas-bench-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o755)
            server = Server(Path(folder))
            try:
                grow(server, sorted(sizes), options.rounds)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
