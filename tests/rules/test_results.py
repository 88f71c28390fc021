"""Figures of measurements: one file for each script, with the columns that `bench/record.py` writes."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
RESULTS = sorted((BENCH / "results").glob("*.csv"))
HEADER = ["date", "commit", "machine", "measure", "figure"]


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_results_belong_to_a_script_that_says_so(path: Path) -> None:
    script = (BENCH / f"{path.stem}.py").read_text(encoding="utf-8")
    assert f"bench/results/{path.name}" in script
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == HEADER
    for row in rows:
        date, commit, machine, measure, figure = row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", date), row
        assert re.fullmatch(r"([0-9a-f]{7}\+?)?", commit), row
        assert machine, row
        assert measure, row
        assert figure, row
    assert [row[0] for row in rows] == sorted(row[0] for row in rows), "the newest stand at the end"


def test_figures_are_added_to_a_file_of_a_script(tmp_path: Path) -> None:
    for name in ("record.py", "chart.py"):
        (tmp_path / name).write_bytes((BENCH / name).read_bytes())
    (tmp_path / "results").mkdir()
    command = [sys.executable, str(tmp_path / "record.py")]
    given = ["chart", "all, first", "16 ms", "all, second", "21 ms", "--commit", "abcdef1", "--machine", "here"]
    for _ in range(2):
        subprocess.run([*command, *given], check=True)
    lines = (tmp_path / "results" / "chart.csv").read_text(encoding="utf-8").splitlines()
    assert [lines[0], len(lines), lines[1][10:], lines[4][10:]] == [
        ",".join(HEADER),
        5,
        ',abcdef1,here,"all, first",16 ms',
        ',abcdef1,here,"all, second",21 ms',
    ]
    for wrong in (["nothing", "a", "1 ms"], ["chart", "a"]):
        assert subprocess.run([*command, *wrong], capture_output=True, check=False).returncode == 2
