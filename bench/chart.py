"""Milliseconds of a chart's requests at any zoom level, at rest and while rows arrive.

    python dev.py run python bench/chart.py [--rows N] [--late] [--rounds N]

Starts its own server on a fresh embedded PostgreSQL and fills a dataset with about one row a second and five
numeric columns; with --late every tenth row arrives up to three hours after its time. Each zoom level is asked
for at places drawn anew, with 500 points, for three sets of functions, from a client that keeps its connection.

Figures: `bench/record.py chart` adds them to `bench/results/chart.csv`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
from timeseries import START, Server, prices, report

# 1/200 is the most that is read from rows: just too near for the narrowest buckets.
ZOOMS = (1, 10, 100, 200, 1_000, 10_000)
FUNCTIONS = ("count,min,max,avg", "count,min,max,avg,sum,first,last")
STEP = 500_000
ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}


def body(rows: int, first: int, *, late: bool) -> bytes:
    """Rows numbered from `first` as an Arrow stream; `late` gives every tenth an earlier time."""
    random = np.random.default_rng(first)
    seconds = first + np.arange(rows) + random.random(rows) * 0.9
    if late:
        seconds -= np.where(random.random(rows) < 0.1, random.random(rows) * 10_800, 0)
    micros = int(START.timestamp()) * 1_000_000 + (seconds * 1e6).astype(np.int64)
    table = pa.table({"timestamp": pa.array(micros).cast(pa.timestamp("us", "UTC")), **prices(rows, first)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def insert(server: Server, dataset: int, rows: int, first: int, *, late: bool) -> None:
    path = f"/api/rows/bulk_insert/?dataset={dataset}"
    server.client.post(path, content=body(rows, first, late=late), headers=ARROW).raise_for_status()


class Arriving:
    """Inserts 1,000 rows a second while the block runs."""

    def __init__(self, server: Server, dataset: int, first: int, *, late: bool) -> None:
        self._arguments = (server, dataset, first)
        self._late, self._stop = late, threading.Event()

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        server, dataset, first = self._arguments
        while not self._stop.wait(1):
            insert(server, dataset, 1_000, first, late=self._late)
            first += 1_000

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def measure(server: Server, dataset: int, rows: int, rounds: int, label: str) -> None:
    """Reports the median and the greatest time of each zoom level."""
    random = np.random.default_rng(7)
    for functions in FUNCTIONS:
        for zoom in ZOOMS:
            times = []
            for _ in range(rounds + 1):
                width = rows // zoom
                first = int(random.integers(0, rows - width + 1))
                start, end = (
                    (START + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (first, first + width)
                )
                span = "" if zoom == 1 else f"&start={start}&end={end}"
                path = f"/api/rows/aggregate/?dataset={dataset}&points=500&functions={functions}{span}"
                began = time.perf_counter()
                found = server.client.get(path).raise_for_status().json()
                times.append((time.perf_counter() - began) * 1000)
            report(
                "chart",
                f"{label} 1/{zoom} {functions}: "
                f"median {statistics.median(times[1:]):.1f} ms, most {max(times[1:]):.0f} "
                f"({len(found['results'])} buckets of {found['bucket']})",
            )


def sizes(server: Server, dataset: int) -> None:
    """Reports what the dataset's tables take on disk."""
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        found = database.execute(
            "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c WHERE c.relkind = 'r' AND c.relname "
            "IN (%s, %s) ORDER BY 1 DESC",
            (f"dataset_{dataset}", f"_rollup_{dataset}"),
        ).fetchall()
    text = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in found)
    report("size", text + (f"; {found[1][1] / found[0][1]:.2%}" if len(found) > 1 else ""))


def settle(server: Server, dataset: int) -> None:
    """Waits until the background has caught up with the rows, where it keeps rollups."""
    began = time.perf_counter()
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        if database.execute("SELECT to_regclass('atlas.rollups')").fetchone() == (None,):
            return time.sleep(5)
        query = "SELECT 1 FROM atlas.rollups r JOIN atlas.dataset_state s USING (dataset_id) WHERE r.upto = s.last_seq"
        while database.execute(query + " AND dataset_id = %s", (dataset,)).fetchone() is None:  # type: ignore[arg-type]
            time.sleep(0.2)
    report("settle", f"{time.perf_counter() - began:.1f} s after the last insert, the background had caught up")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--late", action="store_true", help="every tenth row arrives late")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder))
        try:
            dataset = server.dataset()
            for first in range(0, options.rows, STEP):
                insert(server, dataset, min(STEP, options.rows - first), first, late=options.late)
            settle(server, dataset)
            before = server.memory()
            measure(server, dataset, options.rows, options.rounds, "at rest")
            with Arriving(server, dataset, options.rows, late=options.late):
                time.sleep(3)
                measure(server, dataset, options.rows, options.rounds, "arriving")
            report("memory", f"{before / 1e6:.0f} MB before, {server.memory() / 1e6:.0f} MB after")
            sizes(server, dataset)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
