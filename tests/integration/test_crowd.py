"""More connections than the system gives files to a process, none of which ever asks for anything."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest
from tests.conftest import People, clone
from tests.integration.test_server import ATLAS, eventually, free_port

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the limit is POSIX")
FILES, CROWD = 1024, 1_100
STARTS = (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"", b"POST /api/v1/sql HTTP/1.1\r\nContent-Length: 9\r\n")


@contextlib.contextmanager
def limited(url: str, workers: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server that may open so many files, and no more however it asks."""
    port = free_port()
    process = subprocess.Popen(
        ["sh", "-c", f'ulimit -n {FILES}; exec "{ATLAS}" serve --port {port} --workers {workers}'],
        env={**os.environ, "ATLAS_DATABASE_URL": url, "ATLAS_SECRET_KEY": "a secret for tests alone"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/health", verify=False).status_code == 200)
        yield port, process
    finally:
        process.terminate()
        process.wait(30)


def healthy(port: int) -> float:
    """Seconds that a new connection waits for an answer."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in line.recv(1000)
    return time.monotonic() - began


@pytest.mark.parametrize("workers", [2])
def test_health_answers_beside_a_crowd_that_asks_for_nothing(
    postgres_url: str, inhabited: tuple[str, People], workers: int
) -> None:
    with clone(postgres_url, inhabited[0]) as url, limited(url, workers) as (port, process):
        for start in (
            b"GET /health HTTP/1.1\r\nHost: x\r\n",
            b"",
            b"POST /api/v1/sql HTTP/1.1\r\nContent-Length: 9\r\n",
        ):
            with contextlib.ExitStack() as stack:
                for _ in range(CROWD * workers):
                    line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                    with contextlib.suppress(OSError):
                        line.sendall(start)
                # Ours, too, is one that has asked for nothing, for a moment.
                assert min(healthy(port) for _ in range(3)) < 1
                assert httpx.get(f"http://127.0.0.1:{port}/api/v1/me").status_code == 401
        assert process.poll() is None
