"""A short run of bench/faults.py: everything that it checks holds after a fault of each of the quicker kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(os.name == "nt", reason="the faults are POSIX signals")
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done() -> None:
    command = [sys.executable, "bench/faults.py", "--short", "--faults", "11", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=420, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "11 faults in" in done.stdout
    assert done.stdout.count("violations: 0") == 1
