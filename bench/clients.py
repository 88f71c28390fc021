"""Ingest by 1, 4 and 16 clients as JSON, CSV and Arrow, beside the same rows by PostgreSQL's own means.

    python dev.py run python bench/clients.py [--quick] [--rounds N] [--seconds S] [--clients N …] [--rows N …]

Starts its own server on a fresh embedded PostgreSQL, and the clients in a process apart (`load.py`). Each cell of the
table is the median of rounds in which all competitors ran in turns: Atlas over HTTP into one dataset, and on the same
PostgreSQL psycopg into a plain table with a btree on its timestamp, by INSERT (up to 10 rows, prepared, committed for
each request) and by text COPY. Prints Markdown: rows a second, and in brackets the share of COPY's.

Figures: `bench/record.py clients` adds them to `bench/results/clients.csv`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from small_inserts import TYPES, Atlas, Figures, Postgres

LARGE = 100_000
HEAD = ("Rows a request", "Clients", "JSON", "CSV", "Arrow", "p50 of JSON, CSV, Arrow", "INSERT", "COPY", "p50 of COPY")


def cells(rows: list[int], clients: list[int]) -> Iterator[tuple[int, int]]:
    """Rows a request and clients; bodies of 100,000 rows by one client only."""
    yield from ((r, c) for r, c in itertools.product(rows, clients) if r < LARGE or c == min(clients))


def measure(runs: dict[str, Callable[[], Figures]], rounds: int) -> dict[str, list[Figures]]:
    """Figures by competitor, all of them once a round."""
    found: dict[str, list[Figures]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            found[name].append(run())
    return found


def line(rows: int, clients: int, found: dict[str, list[Figures]]) -> str:
    """One row of the table."""
    rates = {name: [count / took * rows for count, took, _, _ in all_] for name, all_ in found.items()}

    def cell(name: str) -> str:
        if name not in rates:
            return ""
        share = statistics.median(mine / other for mine, other in zip(rates[name], rates["copy"], strict=True))
        return f"{statistics.median(rates[name]):,.0f} ({share:.2f})"

    def wait(name: str) -> str:
        return f"{statistics.median(middle for _, _, middle, _ in found[name]) * 1000:,.2f}"

    waits = " / ".join(wait(form) for form in TYPES) + " ms"
    copy = f"{statistics.median(rates['copy']):,.0f}"
    parts = [f"{rows:,}", str(clients), *map(cell, TYPES), waits, cell("insert"), copy, f"{wait('copy')} ms"]
    return f"| {' | '.join(parts)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of a second for each figure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4, 16])
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 10, 1_000, LARGE])
    options = parser.parse_args()
    rounds, seconds = (1, 1.0) if options.quick else (options.rounds, options.seconds)
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="atlas-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        atlas = Atlas(folder / "atlas", None)
        try:
            postgres = Postgres(atlas.server)
            for rows, clients in cells(options.rows, options.clients):
                runs: dict[str, Callable[[], Figures]] = {
                    form: partial(atlas.run, seconds, clients, rows, form, 1) for form in TYPES
                }
                if rows <= 10:
                    runs["insert"] = partial(postgres.run, "insert", seconds, clients, rows)
                runs["copy"] = partial(postgres.run, "copy", seconds, clients, rows)
                print(line(rows, clients, measure(runs, rounds)), flush=True)
                loads.append(os.getloadavg()[0])
        finally:
            atlas.server.stop()
    print(f"\nLoad average of the machine: {loads[0]:.1f} at the start, then {min(loads[1:]):.1f} to {max(loads):.1f}")


if __name__ == "__main__":
    main()
