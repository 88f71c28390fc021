"""`atlas serve` as a process: first start, stops of all kinds, and several on one database."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psutil
import psycopg
import pytest
from tests.conftest import open_folder

from atlas.db.embedded import EmbeddedPostgres

ATLAS = Path(sys.executable).parent / ("atlas.exe" if os.name == "nt" else "atlas")
WAIT_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(check: object) -> None:
    """Waits until `check()` is true."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        try:
            if check():  # type: ignore[operator]
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("it never came true")


def refused(port: int) -> bool:
    """Whether nobody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Serving:
    """A server process and its data folder."""

    started: ClassVar[list[Serving]] = []

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.started.append(self)
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"serve-{self.port}.log"
        self.url = f"http://127.0.0.1:{self.port}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [ATLAS, "serve", "--port", str(self.port), *options],
                stdout=log,
                stderr=log,
                env={**os.environ, "ATLAS_DATA_DIR": str(folder / "data"), **environment},
            )

    def ready(self) -> Serving:
        # Without the certificates that each call would load, 30 ms of work.
        eventually(lambda: httpx.get(f"{self.url}/health", verify=False).status_code == 200)
        return self

    def key(self) -> str:
        found = re.search(r"atlas_live_sk_\w{32}", self.log.read_text())
        assert found, self.log.read_text()
        return found[0]

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"X-API-Key": key}, timeout=30)

    def cli(self, *command: str) -> Any:
        """What an `atlas` command on this server's data folder prints, read as JSON where it prints any."""
        environment = {**os.environ, "ATLAS_DATA_DIR": str(self.folder / "data")}
        done = subprocess.run([ATLAS, *command], env=environment, check=True, capture_output=True, text=True)
        return json.loads(done.stdout) if "--json" in command else done.stdout

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(WAIT_SECONDS)


def postgres_pid(folder: Path) -> int | None:
    path = folder / "data" / "postgres" / "postmaster.pid"
    return int(path.read_text().splitlines()[0]) if path.exists() else None


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path
        stop_all(path)


def stop_all(folder: Path) -> None:
    for server in Serving.started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    Serving.started.clear()
    pid = postgres_pid(folder)
    if pid is not None:
        os.kill(pid, signal.SIGINT)


def insert(client: httpx.Client, dataset: int, count: int) -> None:
    rows = [{"timestamp": f"2025-01-01T00:00:{n:02d}Z", "values": {"n": n}} for n in range(count)]
    response = client.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": rows})
    assert response.status_code == 200, response.text


def count(client: httpx.Client, dataset: int) -> int:
    return int(client.get(f"/api/rows/?dataset={dataset}").json()["count"])


def test_data_survives_a_clean_stop_and_a_kill(folder: Path) -> None:
    first = Serving(folder).ready()
    key = first.key()
    with first.client(key) as client:
        dataset = client.post("/api/datasets/", json={"name": "d"}).json()["id"]
        insert(client, dataset, 10)
    assert first.stop() == 0
    assert postgres_pid(folder) is None

    second = Serving(folder).ready()
    assert "atlas_live_sk" not in second.log.read_text()
    with second.client(key) as client:
        assert count(client, dataset) == 10
        insert(client, dataset, 5)
    second.process.kill()
    second.process.wait()

    third = Serving(folder).ready()
    with third.client(key) as client:
        assert count(client, dataset) == 15
    third.process.kill()
    third.process.wait()
    os.kill(postgres_pid(folder) or 0, signal.SIGKILL)

    fourth = Serving(folder).ready()
    with fourth.client(key) as client:
        assert count(client, dataset) == 15
    assert fourth.stop() == 0


def test_killed_postgres_is_started_again(folder: Path) -> None:
    server = Serving(folder).ready()
    with server.client(server.key()) as client:
        os.kill(postgres_pid(folder) or 0, signal.SIGKILL)
        eventually(lambda: client.get("/api/tags/").status_code == 200)
    assert server.stop() == 0


@pytest.mark.skipif(os.name == "nt", reason="the signal is POSIX")
def test_who_computes_as_postgres_dies_does_not_keep_the_next_from_starting(folder: Path) -> None:
    with EmbeddedPostgres(folder / "data").serve() as url:

        def compute() -> None:
            with pytest.raises(psycopg.OperationalError), psycopg.connect(url) as connection:
                connection.execute("SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) AS n")

        def asked(query: str) -> bool:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=5) as connection:
                return connection.execute(query).fetchone() is not None  # type: ignore[call-overload]
            return False

        computing = threading.Thread(target=compute)
        computing.start()
        busy = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%generate_series(1%' AND pid <> pg_backend_pid()"
        eventually(lambda: asked(busy))
        os.kill(postgres_pid(folder) or 0, signal.SIGKILL)
        eventually(lambda: asked("SELECT 1"))
        computing.join(5)
        assert not computing.is_alive()


def test_health_follows_the_database(folder: Path) -> None:
    external = folder / "external"
    with EmbeddedPostgres(external).serve() as url:
        server = Serving(folder, ATLAS_DATABASE_URL=url).ready()
        client = server.client(server.key())
        assert client.get("/health").json()["database"] == "connected"
    gone = client.get("/health")
    assert gone.status_code == 503
    assert gone.json()["database"] == "disconnected"
    refused = client.get("/api/tags/")
    assert (refused.status_code, refused.json()["error"]) == (503, "Database unavailable")
    with EmbeddedPostgres(external).serve():
        eventually(lambda: client.get("/health").status_code == 200)
        eventually(lambda: client.get("/api/tags/").status_code == 200)
        client.close()
        assert server.stop() == 0


def _health(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/health")
    with connection.getresponse() as response:
        response.read()
        return response.status


def test_a_second_server_on_the_folder_is_refused(folder: Path) -> None:
    first = Serving(folder).ready()
    idle = http.client.HTTPConnection("127.0.0.1", first.port, timeout=30)
    assert _health(idle) == 200
    since, used = time.monotonic(), idle.sock
    second = Serving(folder)
    assert second.process.wait(WAIT_SECONDS) == 1
    assert "another Atlas server is running" in second.log.read_text()
    # Longer than clients keep a connection by themselves, 5 s, so that none sends what the server no longer reads.
    time.sleep(max(0.0, since + 6 - time.monotonic()))
    assert _health(idle) == 200
    assert idle.sock is used
    idle.close()
    assert first.stop() == 0


def test_keys_by_command_with_and_without_a_server(folder: Path) -> None:
    command = [ATLAS, "admin", "key", "create", "--org", "acme", "--user", "ann", "--json"]
    environment = {**os.environ, "ATLAS_DATA_DIR": str(folder / "data")}
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    offline = json.loads(made.stdout)["key"]
    assert postgres_pid(folder) is None
    server = Serving(folder, "--workers", "2").ready()
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    online = json.loads(made.stdout)
    for key in (offline, online["key"]):
        with server.client(key) as client:
            assert client.get("/api/tags/").status_code == 200
    revoke = [ATLAS, "admin", "key", "revoke", str(online["id"])]
    subprocess.run(revoke, env=environment, check=True, capture_output=True)
    with server.client(online["key"]) as client:
        assert client.get("/api/tags/").status_code == 401
    password = (folder / "data" / "postgres.password").read_bytes()
    for child in psutil.Process(server.process.pid).children(recursive=True):
        if Path(f"/proc/{child.pid}/environ").exists():
            assert password not in Path(f"/proc/{child.pid}/environ").read_bytes(), child.cmdline()
    server.process.kill()
    server.process.wait()
    # Workers that outlived their parent would hold the port, and nobody would start PostgreSQL again.
    eventually(lambda: refused(server.port))


def test_two_servers_and_workers_share_one_database(folder: Path, database_url: str) -> None:
    servers = [Serving(folder, "--workers", "2", ATLAS_DATABASE_URL=database_url) for _ in range(2)]
    for server in servers:
        server.ready()
    keys = [found for s in servers for found in re.findall(r"atlas_live_sk_\w{32}", s.log.read_text())]
    assert len(keys) == 1
    with servers[0].client(keys[0]) as one, servers[1].client(keys[0]) as two:
        dataset = one.post("/api/datasets/", json={"name": "d"}).json()["id"]
        insert(two, dataset, 7)
        assert count(one, dataset) == 7
    assert [server.stop() for server in servers] == [0, 0]


def test_mistakes_at_the_start_are_told_plainly(folder: Path) -> None:
    environment = {**os.environ, "ATLAS_DATA_DIR": str(folder / "data")}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for more, message in (
            ({"ATLAS_PORT": port}, f"cannot listen on 127.0.0.1:{port}"),
            ({"ATLAS_PORT": "many"}, "ATLAS_PORT: "),
            ({"ATLAS_RATE_LIMIT": "often"}, "ATLAS_RATE_LIMIT: "),
            ({"ATLAS_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "Database unavailable"),
        ):
            settings = environment | {"ATLAS_PORT": str(free_port())} | more
            result = subprocess.run([ATLAS, "serve"], env=settings, capture_output=True, text=True, check=False)
            assert result.returncode == 1
            assert message in result.stderr
            assert "Traceback" not in result.stderr
    assert not (folder / "data" / "postgres").exists()
