"""The time-series half beside what a user would pick instead, on the same rows, in turns, in one run.

    python dev.py run python bench/peers.py [--rows N] [--rounds N] [--python PYTHON] [--only NAME …]
        [--database-url URL]

Rows of 5 numeric columns, one a second. Each system loads the same CSV file, then answers the same five questions:
a range of 3,600 rows, buckets (least, greatest and average of one column, 500 over everything), the latest row, all
rows as CSV, and how many bytes a row takes on disk. Servers are asked over HTTP, as their users do; psql over a socket;
DuckDB, chDB and pandas run in the asking process, which saves them the way. `--python` is one with
`chdb duckdb datasette sqlite-utils pandas pyarrow`; influxd (Debian's package influxdb) is used where it is installed.
Atlas and psql are on the embedded PostgreSQL or on the one that is given; TimescaleDB joins where that has it. Of
what is packed or in a columnstore, the load is with that.

Figures: `bench/record.py peers` adds them to `bench/results/peers.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import httpx
import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv as pv
from cold import pack
from influx import Influx
from timeseries import START, Server, drain, fill, prices, psql, seconds

QUESTIONS = ("load", "range", "buckets", "latest", "export")
FIRST = int(START.timestamp())
System = Iterator[tuple[str, Callable[[], object] | float]]


def write_csv(path: Path, rows: int) -> None:
    """The rows of every system, in order of time."""
    micros = (FIRST + np.arange(rows)) * 1_000_000
    stamps = pa.array(micros).cast(pa.timestamp("us")).cast(pa.timestamp("s"))
    texts = pa.compute.strftime(stamps, "%Y-%m-%dT%H:%M:%SZ")
    pv.write_csv(pa.table({"timestamp": texts, **prices(rows)}), path)


def span(rows: int) -> tuple[int, int, int]:
    """First second of the range, its last, and the width of a bucket in seconds."""
    middle = FIRST + rows // 2
    return middle, middle + 3599, max(1, rows // 500)


def iso(second: int) -> str:
    return str(np.datetime64(second, "s")) + "Z"


def atlas(server: Server, path: Path, rows: int, *, packed: bool = False) -> System:
    dataset = server.dataset()
    first, last, width = span(rows)
    base = f"dataset={dataset}"
    key = f"X-API-Key: {server.client.headers['X-API-Key']}"
    curl = ["curl", "-sSf", "-o", os.devnull, "-H", key, "-H", "Content-Type: text/csv", "--data-binary", f"@{path}"]

    def load() -> None:
        subprocess.run([*curl, f"{server.url}/api/rows/bulk_insert/?{base}"], check=True)
        if packed:
            asyncio.run(pack(server.postgres.url(), [dataset]))

    yield "load", load
    download = f"/api/rows/bulk_download/?{base}&output=csv"
    yield "range", lambda: drain(server, f"{download}&start={iso(first)}&end={iso(last)}")
    functions = "functions=min,max,avg&columns=close"
    yield "buckets", lambda: drain(server, f"/api/rows/aggregate/?{base}&bucket={width}s&{functions}")
    yield "latest", lambda: drain(server, f"/api/rows/latest/?{base}")
    yield "export", lambda: drain(server, download)
    summary = server.client.get(f"/api/datasets/{dataset}/summary/").json()
    yield "bytes", summary["bytes"] / rows


def postgres(server: Server, path: Path, rows: int, *, timescaledb: Literal["rows", "columns"] | None = None) -> System:
    """A typed table with a btree on the time, and psql: what somebody who knows PostgreSQL would write.

    timescaledb: as a hypertable with the same index, and in its columnstore.
    """
    first, last, width = span(rows)

    def query(text: str) -> Callable[[], object]:
        return lambda: psql(server, f"COPY ({text}) TO STDOUT CSV")

    def load() -> None:
        psql(server, "COPY peer FROM STDIN CSV HEADER", path.read_bytes())
        if timescaledb == "columns":
            psql(server, "SELECT compress_chunk(chunk) FROM show_chunks('peer') AS chunk")
            psql(server, "VACUUM ANALYZE peer")

    columns = ", ".join(f"{name} double precision" for name in prices(1))
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        database.execute(
            f"DROP TABLE IF EXISTS peer; CREATE TABLE peer (ts timestamptz, {columns}); CREATE INDEX ON peer (ts)"
        )  # type: ignore[arg-type]
        if timescaledb:
            database.execute("SELECT create_hypertable('peer', by_range('ts'), create_default_indexes => false)")
        if timescaledb == "columns":
            database.execute("ALTER TABLE peer SET (timescaledb.enable_columnstore, timescaledb.orderby = 'ts')")
    yield "load", load
    yield "range", query(f"SELECT * FROM peer WHERE ts BETWEEN '{iso(first)}' AND '{iso(last)}' ORDER BY ts")
    yield (
        "buckets",
        query(
            f"SELECT date_bin('{width} seconds', ts, '2000-01-03'), min(close), max(close), avg(close) FROM peer "
            "GROUP BY 1 ORDER BY 1"
        ),
    )
    yield "latest", query("SELECT * FROM peer ORDER BY ts DESC LIMIT 1")
    yield "export", query("SELECT * FROM peer ORDER BY ts")
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        size = "hypertable_size" if timescaledb else "pg_total_relation_size"
        row = database.execute(f"SELECT {size}('peer')").fetchone()  # type: ignore[arg-type]
        assert row is not None
        yield "bytes", row[0] / rows
        database.execute("DROP TABLE peer")


def has_timescaledb(server: Server) -> bool:
    with psycopg.connect(server.postgres.url()) as database:
        return bool(database.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone())


def influx(folder: Path, path: Path, rows: int) -> System:
    first, last, width = span(rows)
    with Influx(folder) as server:
        yield "load", lambda: server.load(path)
        where = f"time >= {first}s AND time <= {last}s"
        yield "range", lambda: server.query(f"SELECT * FROM prices WHERE {where}")
        yield (
            "buckets",
            lambda: server.query(
                "SELECT min(close), max(close), mean(close) FROM prices "
                f"WHERE time >= {FIRST}s AND time < {FIRST + rows}s "
                f"GROUP BY time({width}s)"
            ),
        )
        yield "latest", lambda: server.query("SELECT * FROM prices ORDER BY time DESC LIMIT 1")
        yield "export", lambda: server.query("SELECT * FROM prices")
        yield "bytes", server.size() / rows


def in_process(python: str, name: str, folder: Path, path: Path, rows: int) -> System:
    """DuckDB, chDB, pandas or Datasette, by a program of its own that takes a question a line."""
    first, last, width = span(rows)
    program = Path(__file__).with_name("peers_other.py")
    command = [python, str(program), name, str(folder), str(path), iso(first), iso(last), str(width), str(FIRST)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(question: str) -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(question + "\n")
            process.stdin.flush()
            return float(json.loads(process.stdout.readline()))

        ask("ready")
        for question in QUESTIONS:
            yield question, lambda question=question: ask(question)  # type: ignore[misc]
        yield "bytes", ask("bytes") / rows
        process.stdin.close()


def measure(system: System, rounds: int) -> dict[str, float]:
    """Median seconds of each question, loading once; and bytes a row."""
    found: dict[str, float] = {}
    for question, action in system:
        if isinstance(action, int | float):
            found[question] = float(action)
            continue
        times = [seconds(action) for _ in range(1 if question == "load" else rounds)]
        found[question] = statistics.median(times)
        print(f"  {question}: {found[question]:.3f} s", flush=True)
    return found


def table(results: dict[str, dict[str, float]], rows: int) -> str:
    """Markdown: rows a second for loading and exporting, milliseconds for the rest."""
    lines = [
        "| System | Load, rows/s | Range of 3,600 | 500 buckets | Latest row | All as CSV, rows/s | Bytes a row |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in results.items():
        waits = [f"{found[question] * 1000:,.1f} ms" for question in ("range", "buckets", "latest")]
        cells = [f"{rows / found['load']:,.0f}", *waits, f"{rows / found['export']:,.0f}", f"{found['bytes']:,.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--database-url")
    options = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "prices.csv"
        write_csv(path, options.rows)
        os.environ["ATLAS_COLD_AFTER_DAYS"] = "inf"
        server = Server(folder, options.database_url)
        fill(server, server.dataset(), 20_000)  # what a first request pays is not what is compared
        systems: dict[str, Callable[[], System]] = {
            "Atlas (HTTP)": lambda: atlas(server, path, options.rows),
            "Atlas, rows packed (HTTP)": lambda: atlas(server, path, options.rows, packed=True),
            "PostgreSQL 18 (psql, btree)": lambda: postgres(server, path, options.rows),
        }
        if has_timescaledb(server):
            for kind in ("rows", "columns"):
                systems[f"TimescaleDB, {kind} (psql, btree)"] = functools.partial(
                    postgres, server, path, options.rows, timescaledb=kind
                )
        if shutil.which("influxd"):
            systems["InfluxDB 1.6 (HTTP)"] = lambda: influx(folder / "influx", path, options.rows)
        for label, kind in (
            ("DuckDB (in process)", "duckdb"),
            ("chDB (in process)", "chdb"),
            ("pandas, Parquet (in process)", "pandas"),
            ("Datasette (HTTP)", "datasette"),
        ):
            systems[label] = functools.partial(in_process, options.python, kind, folder / kind, path, options.rows)
        try:
            for label, make in systems.items():
                if options.only and not any(part.lower() in label.lower() for part in options.only):
                    continue
                print(label, flush=True)
                try:
                    results[label] = measure(make(), options.rounds)
                except (OSError, ValueError, subprocess.SubprocessError, httpx.HTTPError) as error:
                    print(f"  left out: {error!r}", flush=True)
        finally:
            server.stop()
    print(table(results, options.rows))


if __name__ == "__main__":
    main()
