"""A server on an embedded PostgreSQL in a temporary folder, for pages and tests that run what they show."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 90


@contextlib.contextmanager
def demo_server() -> Iterator[tuple[str, str, Path]]:
    """URL, first key and data folder of a new installation, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="atlas-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # PostgreSQL runs as another user where we are root.
        folder.chmod(0o755)
        log, data = folder / "log", folder / "data"
        command = [sys.executable, "-m", "atlas.cli.main", "serve", "--data-dir", str(data), "--port", str(port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
        with log.open("w") as output:
            process = subprocess.Popen(command, stderr=output, stdout=output, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process, log)
            found = re.search(r"atlas_live_sk_\w+", log.read_text(encoding="utf-8"))
            assert found is not None, log.read_text(encoding="utf-8")
            yield url, found[0], data
        finally:
            process.terminate()
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
