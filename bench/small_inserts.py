"""Small inserts by many clients: requests and rows a second, and how long one takes.

    python dev.py run python bench/small_inserts.py [--quick] [--before SRC] [--rounds N] [--clients N …] …

Starts its own server on a fresh embedded PostgreSQL, and the clients in a process apart. With `--before` a second
server runs the sources of that folder, in turns with this one, for ratios between the two. The references run between:
on the same PostgreSQL, into a plain table with a btree on its timestamp, psycopg and pgbench (where it is installed)
insert single rows that are committed each, and psycopg copies as many rows at a time; InfluxDB (where `influxd` is
installed, with its default of syncing every write) takes the same rows as line protocol.

Figures: `bench/record.py small_inserts` adds them to `bench/results/small_inserts.csv`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
from load import maker
from timeseries import Server

TYPES = {"json": "application/json", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream"}
_first = itertools.count(0, 200_000)
Figures = tuple[float, float, float, float]


def _load(specification: dict[str, Any]) -> Figures:
    """Requests, seconds, and the 50th and 99th percentile of one client process."""
    command = [sys.executable, str(Path(__file__).with_name("load.py"))]
    text = json.dumps({**specification, "first": next(_first) % 20_000_000})
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
    found: Figures = tuple(json.loads(done.stdout))
    return found


class Atlas:
    """One server with 16 datasets that have their columns."""

    def __init__(self, folder: Path, source: str | None) -> None:
        folder.mkdir()
        folder.chmod(0o755)
        kept = os.environ.get("PYTHONPATH")
        if source is not None:
            os.environ["PYTHONPATH"] = source
        try:
            self.server = Server(folder)
        finally:
            os.environ.pop("PYTHONPATH", None) if kept is None else os.environ.update(PYTHONPATH=kept)
        self.datasets = [self.server.dataset() for _ in range(16)]
        for dataset in self.datasets:
            body = maker("json", 2, dataset)(0)
            self.server.client.post("/api/rows/bulk_insert/", content=body).raise_for_status()

    def run(self, seconds: float, clients: int, rows: int, form: str, datasets: int) -> Figures:
        path = "/api/rows/" if form == "json" and rows == 1 else "/api/rows/bulk_insert/"
        head = (
            f"POST {path}{'' if form == 'json' else '?dataset={dataset}'} HTTP/1.1\r\nHost: a\r\n"
            f"X-API-Key: {self.server.client.headers['X-API-Key']}\r\nContent-Type: {TYPES[form]}\r\n"
        )
        return _load(
            {
                "kind": "http",
                "port": self.server.port,
                "head": head,
                "datasets": self.datasets[:datasets],
                "clients": clients,
                "rows": rows,
                "form": form,
                "seconds": seconds,
            }
        )


class Postgres:
    """The references on the server of an Atlas."""

    def __init__(self, server: Server) -> None:
        self._url, self._folder = server.postgres.url(), server.folder
        with psycopg.connect(self._url, autocommit=True) as database:
            names = ", ".join(f"{n} double precision" for n in ("open", "high", "low", "close"))
            database.execute(f"CREATE TABLE plain (ts timestamptz, {names}, volume bigint)")
            database.execute("CREATE INDEX ON plain (ts)")

    def run(self, kind: str, seconds: float, clients: int, rows: int) -> Figures:
        return _load(
            {
                "kind": kind,
                "url": self._url,
                "table": "plain",
                "clients": clients,
                "rows": rows,
                "seconds": seconds,
            }
        )

    def pgbench(self, seconds: float, clients: int) -> Figures:
        script = self._folder / "insert.sql"
        script.write_text("INSERT INTO plain VALUES (clock_timestamp(), 100.25, 100.75, 99.5, 100.5, 123456);\n")
        counts = ["-c", str(clients), "-T", str(max(1, round(seconds)))]
        command = ["pgbench", "-n", "-M", "prepared", *counts, "-f", str(script), self._url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        lines = dict(line.split(" = ") for line in done.stdout.splitlines() if " = " in line)
        mean = float(lines["latency average"].split()[0]) / 1000
        return float(lines["tps"].split()[0]), 1.0, mean, float("nan")


class Influx:
    """InfluxDB 1 on a folder and port of its own."""

    PORT, RPC = 18086, 18088

    def __init__(self, folder: Path) -> None:
        text = (
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{self.RPC}"\n[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n[http]\nbind-address = "127.0.0.1:{self.PORT}"\n'
            "log-enabled = false\n"
        )
        folder.mkdir()
        (folder / "influxdb.conf").write_text(text)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(["influxd", "-config", str(folder / "influxdb.conf")], **quiet)
        for _ in range(100):
            time.sleep(0.2)
            if self._made():
                return
        raise RuntimeError("influxd did not start")

    def _made(self) -> bool:
        try:
            answer = httpx.post(f"http://127.0.0.1:{self.PORT}/query", params={"q": "CREATE DATABASE b"})
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def run(self, seconds: float, clients: int, rows: int, datasets: int) -> Figures:
        return _load(
            {
                "kind": "http",
                "port": self.PORT,
                "head": "POST /write?db=b&precision=ms HTTP/1.1\r\nHost: a\r\n",
                "datasets": list(range(datasets)),
                "clients": clients,
                "rows": rows,
                "form": "line",
                "seconds": seconds,
            }
        )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)


class Table:
    """Runs the competitors of each line in turns; prints medians, and ratios of rates to the first."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def line(self, title: str, rows: int, runs: dict[str, Callable[[], Figures]]) -> None:
        found: dict[str, list[Figures]] = {name: [] for name in runs}
        for _ in range(self._rounds):
            for name, run in runs.items():
                found[name].append(run())
        first = None
        for name, figures in found.items():
            rates = [count / seconds for count, seconds, _, _ in figures]
            first = first or rates
            ratio = statistics.median(mine / other for mine, other in zip(first, rates, strict=True))
            rate = statistics.median(rates)
            middle, late = (statistics.median(f[n] for f in figures) * 1000 for n in (2, 3))
            print(
                f"{title:34} {name:10} {rate:9,.0f} requests/s {rate * rows:11,.0f} rows/s  "
                f"p50 {middle:7.2f} ms  p99 {late:7.2f} ms  Atlas {ratio:5.2f} times as fast",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second for each figure")
    parser.add_argument("--before", help="a `src` folder of other sources to compare with")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16, 64])
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 10, 1000])
    parser.add_argument("--forms", nargs="*", default=list(TYPES), choices=TYPES)
    parser.add_argument("--datasets", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--alone", action="store_true", help="without the references")
    options = parser.parse_args()
    seconds = 1.0 if options.quick else 3.0
    with tempfile.TemporaryDirectory(prefix="atlas-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        servers = {"Atlas": Atlas(folder / "now", None)}
        if options.before:
            servers["before"] = Atlas(folder / "before", options.before)
        postgres = None if options.alone else Postgres(servers["Atlas"].server)
        influx = None if options.alone or not shutil.which("influxd") else Influx(folder / "influx")
        try:
            _all(options, seconds, servers, postgres, influx)
        finally:
            for one in servers.values():
                one.server.stop()
            if influx is not None:
                influx.stop()


def _all(
    options: argparse.Namespace,
    seconds: float,
    servers: dict[str, Atlas],
    postgres: Postgres | None,
    influx: Influx | None,
) -> None:
    table = Table(options.rounds)
    for cell in itertools.product(options.datasets, options.rows, options.forms, options.clients):
        datasets, rows, form, clients = cell
        runs: dict[str, Callable[[], Figures]] = {
            label: partial(one.run, seconds, clients, rows, form, datasets) for label, one in servers.items()
        }
        # The references know neither forms nor datasets, or hardly; once is enough.
        if form == "json" and postgres is not None and datasets == options.datasets[0]:
            if rows == 1:
                runs["INSERT"] = partial(postgres.run, "insert", seconds, clients, rows)
                if shutil.which("pgbench"):
                    runs["pgbench"] = partial(postgres.pgbench, seconds, clients)
            runs["COPY"] = partial(postgres.run, "copy", seconds, clients, rows)
        if form == "json" and influx is not None:
            runs["InfluxDB"] = partial(influx.run, seconds, clients, rows, datasets)
        table.line(f"{datasets} dataset(s) {form} {rows} row(s) {clients} client(s)", rows, runs)


if __name__ == "__main__":
    main()
