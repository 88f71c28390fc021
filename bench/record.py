"""Adds figures of a measurement to `bench/results/NAME.csv`.

    python dev.py run python bench/record.py NAME MEASURE FIGURE [MEASURE FIGURE …] [--commit COMMIT] [--machine TEXT]

NAME: the script that measured, without `.py`. FIGURE: a number with its unit. Date, commit and machine are those of
this moment and this machine, unless they are given.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

FOLDER = Path(__file__).parent
HEADER = ("date", "commit", "machine", "measure", "figure")


def commit() -> str:
    """Names the commit that is checked out, with `+` where files differ from it."""
    run = subprocess.run(
        ["git", "describe", "--always", "--abbrev=7", "--dirty=+"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def machine() -> str:
    """Describes this machine: cores, memory, system, Python, and its load now."""
    memory = psutil.virtual_memory().total / 2**30
    cores, load = os.cpu_count(), os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    return f"{cores} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}, load {load:.1f}"


def add(path: Path, rows: list[tuple[str, str, str, str, str]]) -> None:
    """Appends rows to a file, which begins with a header."""
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(HEADER)
        writer.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("figures", nargs="+", metavar="MEASURE FIGURE")
    parser.add_argument("--commit", default=None)
    parser.add_argument("--machine", default=None)
    given = parser.parse_args()
    if not (FOLDER / f"{given.name}.py").exists():
        parser.error(f"there is no bench/{given.name}.py")
    if len(given.figures) % 2:
        parser.error("each measure needs a figure")
    head = (f"{datetime.now(UTC):%Y-%m-%d}", given.commit or commit(), given.machine or machine())
    pairs = zip(given.figures[::2], given.figures[1::2], strict=True)
    add(FOLDER / "results" / f"{given.name}.csv", [(*head, measure, figure) for measure, figure in pairs])
    return 0


if __name__ == "__main__":
    sys.exit(main())
