"""Figures of the time-series half, each as a ratio to PostgreSQL's own tools on the same server.

    python dev.py run python bench/timeseries.py [--quick] [--only NAME …]

Starts its own server on a fresh embedded PostgreSQL. Ratios above 1 mean that Atlas is faster, but for
`page`, where the figure is how much slower the large dataset is.

Figures: `bench/record.py timeseries` adds them to `bench/results/timeseries.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import numpy as np
import psutil
import psycopg
import pyarrow as pa
from psycopg import sql

from atlas.db.embedded import EmbeddedPostgres
from atlas.db.postgres_programs import binary

COLUMNS = ("open", "high", "low", "close", "volume")
START = datetime(2025, 1, 1, tzinfo=UTC)


class Given:
    """A database of its own on a PostgreSQL that is there already."""

    def __init__(self, url: str) -> None:
        self._name = f"atlas_bench_{os.getpid()}"
        self._server = url
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._name)))

    def url(self) -> str:
        return urlunsplit(urlsplit(self._server)._replace(path=f"/{self._name}"))

    def drop(self) -> None:
        with psycopg.connect(self._server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self._name)))


class Server:
    """`atlas serve` on a data folder of its own. database_url: of a PostgreSQL to use instead of the embedded one."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.postgres: Given | EmbeddedPostgres = (
            Given(database_url) if database_url else EmbeddedPostgres(folder / "data")
        )
        given = {"ATLAS_DATABASE_URL": self.postgres.url()} if database_url else {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._log = (folder / "serve.log").open("w+b")
        self._process = subprocess.Popen(
            [
                str(Path(sys.executable).parent / "atlas"),
                "serve",
                "--port",
                str(self.port),
                "--data-dir",
                str(folder / "data"),
            ],
            stderr=self._log,
            stdout=self._log,
            env={**os.environ, "ATLAS_LOG_LEVEL": "warning", **given},
        )
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, headers={"X-API-Key": self._key(folder)}, timeout=600)

    def _key(self, folder: Path) -> str:
        for _ in range(600):
            found = re.search(r"atlas_live_sk_\w+", (folder / "serve.log").read_text())
            if found:
                key = found[0]
                break
            time.sleep(0.1)
        else:
            self.stop()
            raise RuntimeError("the server did not start")
        for _ in range(100):
            try:
                if httpx.get(f"{self.url}/health").status_code == 200:
                    return key
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def curl(self, path: str, *options: str, media: str = "application/json") -> None:
        """A request by curl, as plain a client as psql is."""
        key = f"X-API-Key: {self.client.headers['X-API-Key']}"
        command = [
            "curl",
            "-sSf",
            "-o",
            os.devnull,
            "-H",
            key,
            "-H",
            f"Content-Type: {media}",
            *options,
        ]
        subprocess.run([*command, self.url + path], check=True)

    def memory(self) -> int:
        """Resident bytes of the server process, without PostgreSQL."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def dataset(self) -> int:
        return int(self.client.post("/api/datasets/", json={"name": "bench"}).json()["id"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        if isinstance(self.postgres, Given):
            self.postgres.drop()


def prices(rows: int, first: int = 0) -> dict[str, np.ndarray]:
    """A random walk in cents, and volumes; the same each time."""
    random = np.random.default_rng(first)
    close = np.round(100 + np.cumsum(random.normal(size=rows)) / 10, 2)
    spread = random.random((3, rows))
    values = [np.round(close + part, 2) for part in (spread[0] - 0.5, spread[1], -spread[2])]
    return dict(zip(COLUMNS, [*values, close, random.integers(0, 10**6, rows)], strict=True))


def stamps(rows: int, first: int = 0) -> list[str]:
    return [(START + timedelta(seconds=first + i)).strftime("%Y-%m-%dT%H:%M:%SZ") for i in range(rows)]


def json_body(dataset: int, rows: int, first: int = 0) -> bytes:
    columns = {name: values.tolist() for name, values in prices(rows, first).items()}
    names = list(columns)
    data = [
        {"timestamp": stamp, "values": dict(zip(names, values, strict=True))}
        for stamp, values in zip(stamps(rows, first), zip(*columns.values(), strict=True), strict=True)
    ]
    return json.dumps({"dataset": dataset, "rows": data}).encode()


def copy_text(rows: int, first: int = 0) -> bytes:
    body = json.loads(json_body(1, rows, first))
    return "".join(f"1\t{row['timestamp']}\t{json.dumps(row['values'])}\n" for row in body["rows"]).encode()


def arrow_body(rows: int, first: int) -> bytes:
    micros = (int(START.timestamp()) + first + np.arange(rows)) * 1_000_000
    table = pa.table({"timestamp": pa.array(micros).cast(pa.timestamp("us", "UTC")), **prices(rows, first)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def fill(server: Server, dataset: int, rows: int, step: int = 500_000) -> None:
    for first in range(0, rows, step):
        body = arrow_body(min(step, rows - first), first)
        response = server.client.post(
            f"/api/rows/bulk_insert/?dataset={dataset}",
            content=body,
            headers={"Content-Type": "application/vnd.apache.arrow.stream"},
        )
        response.raise_for_status()


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def psql(server: Server, statement: str, data: bytes | None = None) -> None:
    with tempfile.TemporaryFile() as out:
        subprocess.run(
            [binary("psql"), "-q", server.postgres.url(), "-c", statement], input=data, stdout=out, check=True
        )


def report(name: str, text: str) -> None:
    print(f"{name:10} {text}", flush=True)


def bench_ingest(server: Server, quick: bool) -> None:
    """JSON bodies of 100,000 rows over HTTP against psql's text COPY of the same rows as jsonb."""
    rows, rounds = 100_000, 4 if quick else 10
    url = server.postgres.url()
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("CREATE TABLE reference (dataset_id int, ts timestamptz, values jsonb)")
        database.execute("CREATE INDEX ON reference (dataset_id, ts)")
    dataset = server.dataset()
    ours, theirs = [], []
    for turn in range(rounds + 1):
        body, text = json_body(dataset, rows, turn * rows), copy_text(rows, turn * rows)

        (server.folder / "body.json").write_bytes(body)
        mine = seconds(lambda: server.curl("/api/rows/bulk_insert/", "--data-binary", f"@{server.folder}/body.json"))
        other = seconds(lambda text=text: psql(server, "COPY reference FROM STDIN", text))  # type: ignore[misc]
        if turn:
            ours.append(rows / mine)
            theirs.append(rows / other)
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    report(
        "ingest",
        f"Atlas {statistics.median(ours):,.0f} rows/s, psql COPY jsonb {statistics.median(theirs):,.0f}; "
        f"ratio {statistics.median(ratios):.2f} (min {min(ratios):.2f})",
    )
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("DROP TABLE reference")


def drain(server: Server, path: str, timeout: float = 600) -> int:
    size = 0
    with server.client.stream("GET", path, timeout=timeout) as response:
        response.raise_for_status()
        for chunk in response.iter_raw(1 << 20):
            size += len(chunk)
    return size


def bench_download(server: Server, quick: bool) -> None:
    """CSV download against psql's COPY (SELECT …) TO STDOUT of the same table, both to nowhere."""
    rows, rounds = (1_000_000, 3) if quick else (2_000_000, 5)
    dataset = server.dataset()
    fill(server, dataset, rows)
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        found = database.execute("SELECT table_schema FROM atlas.datasets WHERE id = %s", (dataset,)).fetchone()
        assert found is not None
        table = f'"{found[0]}"."dataset_{dataset}"'
        database.execute(f"VACUUM ANALYZE {table}")
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    statement = f"COPY (SELECT ts, {names} FROM {table} ORDER BY ts) TO STDOUT CSV"
    plain = f"COPY (SELECT ts, {names} FROM {table}) TO STDOUT CSV"
    ratios, unsorted, speed = [], [], []
    path = f"/api/rows/bulk_download/?dataset={dataset}&output=csv"
    for turn in range(rounds + 1):
        mine = seconds(lambda: server.curl(path))
        other, bare = seconds(lambda: psql(server, statement)), seconds(lambda: psql(server, plain))
        if turn:
            ratios.append(other / mine)
            unsorted.append(bare / mine)
            speed.append(rows / mine)
    report(
        "download",
        f"Atlas CSV {statistics.median(speed):,.0f} rows/s; ratio to psql COPY unsorted "
        f"{statistics.median(unsorted):.2f}, sorted as ours {statistics.median(ratios):.2f}",
    )


def bench_page(server: Server, quick: bool) -> None:
    """A page of 250 rows with its count, newest first and by range, at 100 K and at 10 M rows."""
    small, large = server.dataset(), server.dataset()
    fill(server, small, 100_000)
    rows = 2_000_000 if quick else 10_000_000
    fill(server, large, rows)
    time.sleep(5)
    paths = {
        "newest": lambda count: "ordering=-timestamp",
        "range": lambda count: "start={}&end={}".format(
            *((START + timedelta(seconds=count // 2 + 123 + s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (0, 20_000))
        ),
        "deep": lambda count: f"offset={count // 2}",
    }
    for name, query in paths.items():
        times: dict[int, list[float]] = {small: [], large: []}
        for _ in range(60):
            for dataset, count in ((small, 100_000), (large, rows)):
                path = f"/api/rows/?dataset={dataset}&limit=250&{query(count)}"
                times[dataset].append(seconds(lambda path=path: server.client.get(path).raise_for_status()))  # type: ignore[misc]
        low, high = (statistics.median(times[dataset][5:]) * 1000 for dataset in (small, large))
        report("page", f"{name}: {low:.1f} ms at 100 K rows, {high:.1f} ms at {rows:,}; {high / low:.2f} times")


class Watch:
    """Greatest memory of the server while a block runs, over what it had before."""

    def __init__(self, server: Server) -> None:
        self._server, self._stop = server, threading.Event()

    def __enter__(self) -> Watch:
        self.before = self.peak = self._server.memory()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, self._server.memory())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __str__(self) -> str:
        return f"memory {self.before / 1e6:.0f} MB, at most {(self.peak - self.before) / 1e6:.0f} MB more"


def bench_memory(server: Server, quick: bool) -> None:
    """Server memory over a 200 MB JSON insert and a download of 10 M rows."""
    dataset = server.dataset()
    body = json_body(dataset, 1_600_000)
    with Watch(server) as watch:
        took = seconds(
            lambda: server.client.post(
                "/api/rows/bulk_insert/", content=body, headers={"Content-Type": "application/json"}
            ).raise_for_status()
        )
    report("memory", f"insert of {len(body) / 1e6:.0f} MB JSON in {took:.1f} s: {watch}")
    rows = 2_000_000 if quick else 10_000_000
    large = server.dataset()
    fill(server, large, rows)
    for output in ("csv", "json"):
        with Watch(server) as watch:
            took = seconds(
                lambda output=output: drain(server, f"/api/rows/bulk_download/?dataset={large}&output={output}")
            )  # type: ignore[misc]
        report("memory", f"{output} download of {rows:,} rows in {took:.1f} s: {watch}")


async def _follow(server: Server, dataset: int, ready: asyncio.Semaphore, delays: list[float], events: int) -> None:
    headers = {"X-API-Key": server.client.headers["X-API-Key"]}
    path = f"{server.url}/api/rows/stream/?dataset={dataset}&poll_interval=60"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {headers['X-API-Key']}\r\n\r\n".encode())
    seen = 0
    while seen < events:
        line = await reader.readline()
        if line.startswith(b"event: connected"):
            ready.release()
        elif line.startswith(b"data: ") and b'"sent"' in line:
            delays.append(time.time() - json.loads(line[6:])["committed"])
            seen += 1
    writer.close()


async def _streams(server: Server, datasets: list[int], streams: int, events: int) -> list[float]:
    ready, delays = asyncio.Semaphore(0), []
    tasks = [
        asyncio.create_task(_follow(server, datasets[n % len(datasets)], ready, delays, events)) for n in range(streams)
    ]
    for _ in range(streams):
        await ready.acquire()
    # The first row of a dataset makes its columns; it is told apart in the report.
    async with httpx.AsyncClient(base_url=server.url, headers=dict(server.client.headers)) as client:
        for number in range(events):
            for dataset in datasets:
                values = {"sent": number, "committed": time.time()}
                row = {"dataset": dataset, "timestamp": "2025-01-01T00:00:00Z", "values": values}
                (await client.post("/api/rows/", json=row)).raise_for_status()
                await asyncio.sleep(0.2 / len(datasets))
    await asyncio.gather(*tasks)
    return delays


def bench_stream(server: Server, quick: bool) -> None:
    """Milliseconds from before an insert is sent until its event arrives, with 200 streams open."""
    for count in (1, 20):
        datasets = [server.dataset() for _ in range(count)]
        delays = asyncio.run(_streams(server, datasets, 200, 20 if quick else 100))
        first, delays = max(delays[:200]), sorted(delays[200:])
        middle, late = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
        report(
            "stream",
            f"200 streams of {count} dataset(s): insert sent to event read p50 {middle * 1000:.1f} ms, "
            f"p99 {late * 1000:.1f} ms of {len(delays)} events; a dataset's first row at most {first * 1000:.1f} ms",
        )


BENCHES = {
    "stream": bench_stream,
    "ingest": bench_ingest,
    "download": bench_download,
    "page": bench_page,
    "memory": bench_memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller data")
    parser.add_argument("--only", nargs="*", choices=BENCHES, default=list(BENCHES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder))
        try:
            for name in options.only:
                BENCHES[name](server, options.quick)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
