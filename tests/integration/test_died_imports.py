"""An import whose server is killed again and again: it has failed in the end, says so, and holds up nobody."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import People

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")
DEADLINE = 90


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """An address, and what is posted to it."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", seen
    server.shutdown()
    server.server_close()


class Server:
    """`atlas serve` on a database that is there."""

    def __init__(self, url: str, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            **os.environ,
            "ATLAS_DATABASE_URL": url,
            "ATLAS_WEBHOOK_LOOPBACK": "true",
            "ATLAS_DATA_DIR": str(data),
            "ATLAS_JOBS": "1",
            "ATLAS_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-c", "from atlas.cli.main import main; main()", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        wait(self._up)

    def _up(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/health", verify=False).status_code == 200
        return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def wait(until: Any) -> None:
    end = time.monotonic() + DEADLINE
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_import_whose_process_dies_fails_at_last(database_url: str, people: People, tmp_path: Path) -> None:
    with (
        receiver() as (callback, seen),
        psycopg.connect(database_url, autocommit=True) as watch,
        psycopg.connect(database_url) as lock,
    ):

        def starts() -> int:
            row = watch.execute("SELECT max(starts) FROM atlas.imports").fetchone()
            return 0 if row is None or row[0] is None else int(row[0])

        def submit(server: Server, table: str) -> None:
            form = {"instruction": f"Import into {table}", "callback_url": callback}
            done = httpx.post(
                f"http://127.0.0.1:{server.port}/api/v1/smart-import",
                data=form,
                timeout=60,
                files={"file": ("people.csv", b"name,age\nAnn,30\n")},
                headers={"X-API-Key": people.owner},
            )
            assert done.json()["status"] == "pending", done.text

        server = Server(database_url, tmp_path)
        # What an import into a new table writes to.
        lock.execute("LOCK TABLE atlas.tables IN SHARE MODE")
        submit(server, "people")
        wait(lambda: starts() == 1)
        # As if it had been killed twice before.
        watch.execute("UPDATE atlas.imports SET starts = 3")
        server.kill()
        (left,) = [path for path in (tmp_path / "scratch").iterdir() if path.is_dir()]
        assert list(left.iterdir())
        # As if half a minute had gone by since.
        watch.execute("DELETE FROM atlas_jobs.procrastinate_workers")
        server = Server(database_url, tmp_path)
        try:
            assert not left.exists()
            wait(lambda: seen)
            assert seen[0]["status"] == "failed"
            assert seen[0]["error"] == "the process that ran it died 3 times; it is not tried again"
            lock.rollback()
            submit(server, "others")
            wait(lambda: len(seen) == 2)
            assert (seen[1]["status"], seen[1]["table_name"]) == ("success", "others")
        finally:
            server.kill()
