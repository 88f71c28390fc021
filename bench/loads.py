"""Large loads over HTTP beside PostgreSQL's own text COPY of the same rows, in turns, in one run.

    python dev.py run python bench/loads.py [--rows N] [--rounds N] [--only FORMAT …]

Each round loads the same rows of 5 numeric columns, one a second, into a dataset of its own, as one request: Arrow,
Parquet, CSV, NDJSON and JSON. psql copies the rows as text into a table with a column for each, with an index on the
times. Prints the median rows a second of each, the share of COPY's, and what a load writes to the write-ahead log. Then
it asks for 500 buckets of the rows that have just been loaded, beside psql's time for the same query over its table.

Figures: `bench/record.py loads` adds them to `bench/results/loads.csv`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
from timeseries import COLUMNS, Server, arrow_body, drain, json_body, psql, report, seconds

_TYPES = {
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
}
_BUCKETS = 500


def _csv(table: pa.Table, **options: bool) -> bytes:
    times = pa.compute.strftime(table["timestamp"].cast(pa.timestamp("s", "UTC")), "%Y-%m-%dT%H:%M:%SZ")
    sink = pa.BufferOutputStream()
    chosen = pv.WriteOptions(quoting_style="none", **options)
    pv.write_csv(table.set_column(0, "timestamp", times), sink, chosen)
    return bytes(sink.getvalue())


def _bodies(folder: Path, rows: int, wanted: list[str]) -> dict[str, Path]:
    """Writes the bodies, and returns their files by format."""
    table = pa.ipc.open_stream(arrow_body(rows, 0)).read_all()
    made = {"copy": _csv(table, include_header=False)}
    if "arrow" in wanted:
        made["arrow"] = arrow_body(rows, 0)
    if "csv" in wanted:
        made["csv"] = _csv(table)
    if "parquet" in wanted:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        made["parquet"] = bytes(sink.getvalue())
    if {"json", "ndjson"} & set(wanted):
        body = json_body(0, rows)
        start = body.index(b"[") + 1
        if "json" in wanted:
            made["json"] = b'{"rows": [' + body[start:]
        if "ndjson" in wanted:
            made["ndjson"] = body[start:-2].replace(b"}}, {", b"}}\n{")
    paths = {}
    for name, content in made.items():
        paths[name] = folder / name
        paths[name].write_bytes(content)
    return paths


def _written(server: Server) -> int:
    """Returns the position in the write-ahead log, in bytes."""
    with psycopg.connect(server.postgres.url(), autocommit=True) as database:
        row = database.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=list(_TYPES), default=list(_TYPES))
    options = parser.parse_args()
    rates: dict[str, list[float]] = defaultdict(list)
    shares: dict[str, list[float]] = defaultdict(list)
    log: dict[str, list[float]] = defaultdict(list)
    buckets: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        server = Server(folder)
        bodies = _bodies(folder, options.rows, options.only)
        columns = ", ".join(f"{name} double precision" for name in COLUMNS)
        psql(server, f"CREATE TABLE reference (ts timestamptz, {columns}); CREATE INDEX ON reference (ts)")
        width = max(1, options.rows // _BUCKETS)
        for turn in range(options.rounds + 1):
            psql(server, "TRUNCATE reference")
            before = _written(server)
            text = bodies["copy"].read_bytes()
            took = seconds(lambda text=text: psql(server, "COPY reference FROM STDIN (FORMAT csv)", text))
            copied = options.rows / took
            query = (
                f"SELECT date_bin('{width} seconds', ts, '2000-01-01'), min(close), max(close), avg(close) "
                "FROM reference GROUP BY 1 ORDER BY 1"
            )
            asked = seconds(lambda query=query: psql(server, query))
            if turn:
                rates["copy"].append(copied)
                log["copy"].append((_written(server) - before) / options.rows)
                buckets["copy"].append(asked)
            for form in options.only:
                dataset, before = server.dataset(), _written(server)
                took = seconds(
                    lambda form=form, dataset=dataset: server.curl(
                        f"/api/rows/bulk_insert/?dataset={dataset}",
                        "--data-binary",
                        f"@{bodies[form]}",
                        media=_TYPES[form],
                    )
                )
                path = f"/api/rows/aggregate/?dataset={dataset}&columns=close&functions=min,max,avg&bucket={width}s"
                asked = seconds(lambda path=path: drain(server, path))
                if turn:
                    rates[form].append(options.rows / took)
                    shares[form].append(options.rows / took / copied)
                    log[form].append((_written(server) - before) / options.rows)
                    buckets[form].append(asked)
                server.client.delete(f"/api/datasets/{dataset}/")
        server.stop()
    for form, found in rates.items():
        share = f", {statistics.median(shares[form]):.2f} of COPY" if form in shares else ""
        report(
            form,
            f"{statistics.median(found):,.0f} rows/s{share}; log {statistics.median(log[form]):.1f} bytes a row; "
            f"500 buckets {statistics.median(buckets[form]) * 1000:.0f} ms",
        )


if __name__ == "__main__":
    main()
