"""Figures of the import: 1 M rows of 10 columns, against PostgreSQL's COPY, dlt and pandas on the same server.

    python dev.py run python bench/imports.py [--quick] [--peers PYTHON]

`--peers` names a Python with what Atlas does not use: pip install "dlt[postgres,filesystem,duckdb]" pandas
pyarrow sqlalchemy psycopg2-binary. The reference is psql's COPY of the same clean file into a prepared table
with the same unique index; Atlas infers the types, validates, looks for duplicates and keeps the file besides.

Figures: `bench/record.py imports` adds them to `bench/results/imports.csv`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
from timeseries import Server, Watch, report, seconds

from atlas.db.postgres_programs import binary

COLUMNS = (
    "id bigint, name text, email text, country text, amount double precision, quantity bigint, active boolean, "
    "created_at timestamptz, birthday date, note text"
)
PEERS = {
    "dlt": """
import sys, dlt
from dlt.sources.filesystem import readers
pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(sys.argv[2]), dataset_name=sys.argv[3])
source = readers(bucket_url="file://" + sys.argv[1].rsplit("/", 1)[0], file_glob=sys.argv[1].rsplit("/", 1)[1])
pipeline.run(source.read_csv_duckdb(use_pyarrow=True).with_name("people"), loader_file_format="csv")
""",
    "pandas": """
import sys, pandas, sqlalchemy
frame = pandas.read_csv(sys.argv[1], parse_dates=["created_at", "birthday"])
engine = sqlalchemy.create_engine(sys.argv[2].replace("postgresql://", "postgresql+psycopg2://"))
frame.to_sql(sys.argv[3], engine, index=False, chunksize=10_000, method="multi")
""",
}


def make_file(path: Path, rows: int) -> None:
    """People with an id, an e-mail each, amounts, dates and notes; the same each time."""
    random = np.random.default_rng(1)
    first = np.array("Ann Bob Carla Dieter Eve Farid Gina Hugo Ines Jon".split())
    last = np.array("Smith Müller García Chen Okafor Rossi Dubois Novak Silva Khan".split())
    names = np.char.add(np.char.add(first[random.integers(0, 10, rows)], " "), last[random.integers(0, 10, rows)])
    moments = (1_700_000_000 + random.integers(0, 30_000_000, rows)).astype("datetime64[s]")
    days = (random.integers(0, 1_000_000_000, rows)).astype("datetime64[s]").astype("datetime64[D]")
    table = pa.table(
        {
            "id": np.arange(1, rows + 1),
            "name": names,
            "email": [f"user{n}@example.com" for n in random.permutation(rows)],
            "country": np.array(["US", "DE", "FR", "IN", "BR"])[random.integers(0, 5, rows)],
            "amount": np.round(random.random(rows) * 1000, 2),
            "quantity": random.integers(1, 100, rows),
            "active": np.array(["true", "false"])[random.integers(0, 2, rows)],
            "created_at": np.char.replace(np.datetime_as_string(moments), "T", " "),
            "birthday": np.datetime_as_string(days),
            "note": [f"some text {n % 977}" for n in range(rows)],
        }
    )
    pv.write_csv(table, path)


def upload(server: Server, path: Path, instruction: str) -> dict[str, object]:
    """The response of an import by curl."""
    key = f"X-API-Key: {server.client.headers['X-API-Key']}"
    form = ["-F", f"instruction={instruction}", "-F", f"file=@{path}"]
    command = ["curl", "-sS", "-H", key, *form, f"{server.url}/api/v1/smart-import"]
    found: dict[str, object] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert found.get("status") == "success", found
    return found


def psql(server: Server, *commands: str) -> None:
    arguments = [part for command in commands for part in ("-c", command)]
    subprocess.run([str(binary("psql")), server.postgres.url(), "-q", *arguments], check=True)


def bench_import(server: Server, path: Path, rows: int, rounds: int) -> None:
    """A new table, and the same file once more, whose records all are duplicates, against COPY."""
    ratios, times = [], []
    with Watch(server) as watch:
        for turn in range(rounds):
            mine = seconds(lambda turn=turn: upload(server, path, f"Import into a new table big{turn}, id is the key"))
            psql(server, "DROP TABLE IF EXISTS ref", f"CREATE TABLE ref ({COLUMNS})", "CREATE UNIQUE INDEX ON ref (id)")
            other = seconds(lambda: psql(server, f"\\copy ref FROM '{path}' CSV HEADER"))
            ratios.append(mine / other)
            times.append(mine)
    report(
        "import",
        f"{rows:,} rows in {statistics.median(times):.1f} s, {rows / statistics.median(times):,.0f} rows/s; "
        f"{statistics.median(ratios):.2f} times COPY (most {max(ratios):.2f}); server {watch}",
    )
    again = seconds(lambda: upload(server, path, "Import into big0, skip duplicates"))
    report("again", f"all {rows:,} records are duplicates, kept for review: {again:.1f} s")


def bench_peers(server: Server, path: Path, rows: int, python: str) -> None:
    """dlt and pandas, which have no review, on the same file and server."""
    mine = seconds(lambda: upload(server, path, "Import into a new table mine, id is the key"))
    for name, program in PEERS.items():
        # dlt wants a host before it looks at the socket.
        url = server.postgres.url().replace("@/", "@localhost/")
        run = [python, "-c", program, str(path), url, f"peer_{name}"]
        try:
            took = seconds(lambda run=run: subprocess.run(run, check=True, capture_output=True))
        except subprocess.CalledProcessError as error:
            report(name, f"failed: {error.stderr.decode().strip().splitlines()[-1][:200]}")
            continue
        report(name, f"{rows:,} rows in {took:.1f} s; Atlas {mine:.1f} s, {took / mine:.1f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    parser.add_argument("--peers", metavar="PYTHON", help="a Python with dlt and pandas, to measure them too")
    options = parser.parse_args()
    rows = 100_000 if options.quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "people.csv"
        make_file(path, rows)
        server = Server(Path(folder))
        try:
            bench_import(server, path, rows, 2 if options.quick else 3)
            if options.peers:
                bench_peers(server, path, rows, options.peers)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
