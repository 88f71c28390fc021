"""What answering a question costs beyond its query: 1 M rows of 10 columns, questions of many kinds.

    python dev.py run python bench/asking.py [--quick]

The overhead is the response's time less `execution_time_seconds`, the time that the query took in the database; it
holds the key check, the catalog, the reading, both walls, a connection of its own, the sentence and the CSV.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

from imports import make_file, upload
from timeseries import Server, report

COUNTRIES = ("US", "DE", "FR", "IN", "BR")
KINDS = (
    "How many people are from {a}?",
    "How many people are from {a} vs {b}?",
    "average amount per country",
    "top 5 people by amount in {a}",
    "people named 'Ann Smith' with quantity over {n}",
    "total amount by month since January 2024",
    "what percentage of people in {a} are active?",
    "people with id {n}",
    "show all people from {a} with amount between {n} and {m} who are active",
    "how many people have quantity at least {n} by country",
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    rows = 100_000 if parser.parse_args().quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="atlas-asking-") as name:
        Path(name).chmod(0o755)
        server = Server(Path(name))
        path = Path(name) / "people.csv"
        make_file(path, rows)
        upload(server, path, "Import into people")
        with server.postgres.join() as url:
            import psycopg

            with psycopg.connect(url, autocommit=True) as database:
                schema = database.execute("SELECT schema_name FROM atlas.organizations").fetchone()
                assert schema is not None
                for column in ("id", "country", "name"):
                    database.execute(f'CREATE INDEX ON "{schema[0]}"._table_1 ({column})'.encode())
                database.execute("VACUUM ANALYZE")
        measure(server)
        server.stop()


def measure(server: Server) -> None:
    """Asks each kind of question with several values."""
    started = time.perf_counter()
    server.client.post("/api/v1/query", json={"prompt": "How many people are there?"})
    report("first", f"{1000 * (time.perf_counter() - started):.0f} ms, with the profile of the table")
    overheads, queries, refused = [], [], 0
    for kind, (number, country) in itertools.product(KINDS, enumerate(COUNTRIES * 2)):
        other = COUNTRIES[(number + 2) % 5]
        prompt = kind.format(a=country, b=other, n=10 + number, m=40 + number)
        started = time.perf_counter()
        answer = server.client.post("/api/v1/query", json={"prompt": prompt, "max_rows": 100}).json()
        took = time.perf_counter() - started
        refused += not answer["success"]
        overheads.append(took - answer["execution_time_seconds"])
        queries.append(answer["execution_time_seconds"])
    overheads.sort()
    late = overheads[int(0.95 * len(overheads))]
    report("overhead", f"median {1000 * statistics.median(overheads):.0f} ms, p95 {1000 * late:.0f} ms")
    report("queries", f"median {1000 * statistics.median(queries):.0f} ms, most {1000 * max(queries):.0f} ms")
    report("questions", f"{len(overheads)}, {refused} refused")


if __name__ == "__main__":
    main()
