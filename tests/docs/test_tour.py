"""The tour of the README works as it is written, on a server started as it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
START_SECONDS = 60

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not (shutil.which("curl") and shutil.which("sh")), reason="needs sh and curl"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL and first key of a new installation."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    folder = tmp_path / "data"
    command = [sys.executable, "-m", "atlas.cli.main", "serve", "--data-dir", folder, "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
    with log.open("w") as output:
        process = subprocess.Popen(command, stderr=output, stdout=output, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process, log)
        found = re.search(r"atlas_live_sk_\w+", log.read_text(encoding="utf-8"))
        assert found is not None
        yield url, found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_SECONDS)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return
        except OSError:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < give_up, log.read_text(encoding="utf-8")
            time.sleep(0.1)


def tour(url: str, key: str) -> str:
    """The README's commands after those that start the server, for this server."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    script = "\n".join(blocks[1:])
    changes = {
        "http://127.0.0.1:8000": url,
        "atlas_live_sk_…": key,
        "python3 dev.py run python": f"'{sys.executable}'",
        "curl -N": "curl -N --max-time 2",
        "curl ": "curl -sS --fail-with-body -w '\\n' ",
    }
    for old, new in changes.items():
        assert old in script, f"the README has no {old!r} any more"
        script = script.replace(old, new)
    return script


def test_tour(server: tuple[str, str], tmp_path: Path) -> None:
    ran = subprocess.run(
        ["sh", "-c", tour(*server)], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"error":"' not in ran.stdout, ran.stdout
    assert '"detail"' not in ran.stdout, ran.stdout
    assert '{"inserted":2,"total":2}' in ran.stdout
    assert '{"inserted":560,"total":560}' in ran.stdout
    assert "event: connected" in ran.stdout
    assert '"bucket":"year"' in ran.stdout
    assert (tmp_path / "btc.csv").read_text().splitlines() == [
        "timestamp,open,close,note",
        "2026-01-05T10:00:00Z,104500,104600.5,",
        "2026-01-05T11:00:00Z,104600,104710.25,busy",
    ]
