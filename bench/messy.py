"""Imports of clean and messy files beside pandas, dlt and sqlite-utils: how long they take, and what becomes of them.

    python dev.py run python bench/messy.py --peers PYTHON [--rows 100000] [--messy 1000] [--only NAME …]

`--peers` is a Python with `pandas sqlalchemy psycopg2-binary openpyxl lxml "dlt[postgres,filesystem]" sqlite-utils
psycopg`. Each loads the same file by the call that its documentation begins with: `read_csv`, `read_excel`, `read_json`
or `read_xml` and `to_sql`; dlt's file readers and PostgreSQL; `sqlite-utils insert --csv --sniff`.
Atlas gets the file by curl with the instruction "Import into a new table". A row is right when all six values are, a
column when it has its type (a number, a day, a yes or no, a text). Rows that are wrong should be told, and files that
are cut short be refused with a reason. Prints two Markdown tables.

Figures: `bench/record.py messy` adds them to `bench/results/messy.csv`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from messy_files import NAMES, TYPES, Messy, clean_files, messy_files
from timeseries import Server

PEERS = ("pandas", "dlt", "sqlite-utils")
# What systems call the types.
FAMILIES = {
    "int": ("bigint", "int8", "integer", "int"),
    "float": ("double", "float8", "double precision", "float", "real", "numeric"),
    "date": ("date", "timestamp", "timestamptz", "timestamp without time zone", "timestamp with time zone"),
    "bool": ("boolean", "bool"),
    "text": ("text", "character varying", "varchar"),
}
Found = dict[str, Any]


def by_atlas(server: Server, path: Path, number: int) -> Found:
    """Seconds, and the table as it is then; or the reason why it is refused."""
    table = f"messy{number}"
    key = f"X-API-Key: {server.client.headers['X-API-Key']}"
    form = ["-F", f"instruction=Import into a new table {table}, keep all duplicates", "-F", f"file=@{path}"]
    started = time.perf_counter()
    command = ["curl", "-sS", "-H", key, *form, f"{server.url}/api/v1/smart-import"]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    took = time.perf_counter() - started
    if answer.get("status") != "success":
        return {"refused": answer["detail"]}
    body = {"sql": f"SELECT * FROM {table}", "max_rows": 10_000}
    read = server.client.post("/api/v1/sql", json=body).raise_for_status().json()
    rows = list(csv.reader(io.StringIO(read["data_csv"])))[1:]
    columns = read["columns"]
    return {
        "seconds": took,
        "columns": [c["name"] for c in columns],
        "types": [c["type"] for c in columns],
        "rows": [[cell or None for cell in row] for row in rows],
        "told": answer["validation_failures"] + answer["value_replacements"],
    }


def by_peer(python: str, name: str, folder: Path, url: str, path: Path) -> Found:
    program = Path(__file__).with_name("messy_peers.py")
    command = [python, str(program), name, str(path), str(folder / name), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        return {"refused": (done.stderr.strip().splitlines() or ["no reason"])[-1]}
    found: Found = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def is_right(value: Any, wanted: Any) -> bool:
    """Whether a value of a system means what it should."""
    if wanted is None or value is None:
        return value is wanted
    text = str(value)
    if isinstance(wanted, bool):
        return text.lower() in (("true", "t", "1") if wanted else ("false", "f", "0"))
    if isinstance(wanted, int | float):
        try:
            return math.isclose(float(text), wanted, rel_tol=1e-9)
        except ValueError:
            return False
    return text[:10] == wanted.isoformat() if isinstance(wanted, date) else text == wanted


def reason(found: Found) -> str:
    text = " ".join(found["refused"].replace("|", "/").split())
    return text if len(text) <= 80 else text[:79] + "…"


def score(file: Messy, found: Found) -> str:
    """A cell of the table: rows right, columns right, and what was told."""
    if "refused" in found:
        return ("refused: " if file.readable else "rightly refused: ") + reason(found)
    if not file.readable:
        return f"taken as {len(found['rows'])} rows"
    at = {name.strip().lower(): index for index, name in enumerate(found["columns"])}
    places = [at.get(name) for name in NAMES]
    wanted = {str(row[0]): row for row in file.rows}
    right, unknown, wrong = 0, 0, dict.fromkeys(NAMES, 0)
    for row in found["rows"]:
        cells = [None if place is None else row[place] for place in places]
        expected = wanted.pop(str(cells[0]).removesuffix(".0"), None)
        if expected is None:
            unknown += 1
            continue
        right += all(map(is_right, cells, expected))
        for name, cell, value in zip(NAMES, cells, expected, strict=True):
            wrong[name] += not is_right(cell, value)
    types = sum(
        place is not None and found["types"][place].lower() in FAMILIES[TYPES[name]]
        for name, place in zip(NAMES, places, strict=True)
    )
    parts = [f"{right}/{len(file.rows)} rows", f"{types}/{len(NAMES)} types"]
    parts += [f"wrong: {', '.join(n for n in NAMES if wrong[n])}"] if any(wrong.values()) else []
    # Their cell that is no value is empty, and its text is kept for review; elsewhere nothing is told.
    parts += [f"{unknown} with an empty cell" if found.get("told", 0) >= unknown else f"{unknown} that are none"] * (
        unknown > 0
    )
    if file.bad:
        parts.append(f"{found.get('told', 0)}/{file.bad} told")
    return ", ".join(parts)


def line(cells: Iterable[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def head(cells: Sequence[str]) -> None:
    line(cells)
    print("|" + " --- |" * len(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the clean files; 0 leaves them out")
    parser.add_argument("--messy", type=int, default=1_000, help="rows of the messy files; 0 leaves them out")
    parser.add_argument("--only", nargs="*", default=list(PEERS), choices=PEERS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Server(folder)
        # dlt wants a host before it looks at the socket.
        url = server.postgres.url().replace("@/", "@localhost/")
        systems: dict[str, Callable[[Path, int], Found]] = {"Atlas": lambda p, n: by_atlas(server, p, n)}
        for peer in options.only:
            systems[peer] = lambda p, n, peer=peer: by_peer(options.peers, peer, folder, url, p)  # type: ignore[misc]
        try:
            run(systems, folder, options.rows, options.messy)
        finally:
            server.stop()


def run(systems: dict[str, Callable[[Path, int], Found]], folder: Path, clean: int, messy: int) -> None:
    loads = [os.getloadavg()[0]]
    if clean:
        head([f"{clean:,} rows", *systems])
        for number, (kind, path) in enumerate(clean_files(folder, clean).items()):
            cells = []
            for load in systems.values():
                found = load(path, number)
                cells.append(reason(found) if "refused" in found else f"{found['seconds']:.1f} s")
                loads.append(os.getloadavg()[0])
            line([f"{kind}, {path.stat().st_size / 1e6:.0f} MB", *cells])
        print()
    if messy:
        head([f"{messy:,} rows", *systems])
    for number, file in enumerate(messy_files(messy) if messy else (), 100):
        path = folder / file.name
        path.write_bytes(file.data)
        line([file.title, *(score(file, load(path, number)) for load in systems.values())])
        loads.append(os.getloadavg()[0])
    print(f"\nLoad average of the machine: {min(loads):.1f} to {max(loads):.1f}")


if __name__ == "__main__":
    main()
