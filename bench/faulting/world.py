"""The server under test: a process on a data folder that lies on a disk of limited size."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import psycopg

from atlas.db.embedded import EmbeddedPostgres
from faulting.clock import Clock

ATLAS = Path(sys.executable).parent / "atlas"
# Far more than it takes: machines that run tests are busy.
START_SECONDS = 240.0


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[tuple[Path, bool]]:
    """A folder for the server, and whether it is a disk of its own that can be filled."""
    folder = Path(tempfile.mkdtemp(prefix="atlas-faults-"))
    mounted = False
    try:
        if sys.platform == "linux" and os.geteuid() == 0:
            command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
            mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
            if not mounted:
                mounted = _loop_mount(folder, megabytes)
        folder.chmod(0o755)
        yield folder, mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".img").unlink(missing_ok=True)


def _loop_mount(folder: Path, megabytes: int) -> bool:
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(megabytes * 2**20)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=False, capture_output=True).returncode == 0
    mount = ["mount", "-o", "loop", str(image), str(folder)]
    return made and subprocess.run(mount, check=False, capture_output=True).returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class World:
    """A server, its PostgreSQL and its folder. `problems` collects what went wrong in starting and stopping."""

    def __init__(self, disk: Path, *, mounted: bool) -> None:
        self.disk, self.mounted = disk, mounted
        self.data = disk / "data"
        self.port = free_port()
        self.log = Path(tempfile.gettempdir()) / f"{disk.name}.log"
        self.log.touch()
        self.problems: list[str] = []
        self.key = ""
        self.workers = self.pool = 0
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._embedded = EmbeddedPostgres(self.data)
        self.clock = Clock(disk)
        temporary = disk / "tmp"
        temporary.mkdir(exist_ok=True)
        temporary.chmod(0o1777)
        self._temporary = temporary

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, workers: int, pool: int) -> None:
        """Starts the server and waits until it is healthy; again if it does not come up."""
        self.workers, self.pool = workers, pool
        for _ in range(3):
            self._await_port()
            if self._start_once():
                return
        raise RuntimeError(f"the server does not start; see {self.log}")

    def _start_once(self) -> bool:
        environment = {
            **os.environ,
            "ATLAS_POOL_SIZE": str(self.pool),
            "ATLAS_WEBHOOK_LOOPBACK": "true",
            # Rows are packed as soon as they are many, so that faults meet that, too.
            "ATLAS_COLD_AFTER_DAYS": "0",
            "ATLAS_COLD_SWEEP_SECONDS": "2",
            "TMPDIR": str(self._temporary),
            "ATLAS_WORKERS": str(self.workers),
            **self.clock.environment,
        }
        command = [str(ATLAS), "serve", "--port", str(self.port), "--data-dir", str(self.data)]
        begun = self.log.stat().st_size
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.starts += 1
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                self.problems.append(f"the server ended as it started: {self._tail(begun)}")
                return False
            if self.healthy():
                if not self.key:
                    self.key = re.findall(r"atlas_live_sk_\w{32}", self.log.read_text())[0]
                return True
            time.sleep(0.1)
        self.problems.append(f"the server was not healthy within {START_SECONDS:.0f} s")
        self.kill()
        return False

    def _await_port(self) -> None:
        """A killed server's workers hold its port until they notice."""
        begun = time.monotonic()
        while time.monotonic() < begun + 30:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", self.port))
                    break
            time.sleep(0.1)
        waited = time.monotonic() - begun
        if waited > 8:
            self.problems.append(f"the port was taken for {waited:.0f} s after the server had gone")

    def _tail(self, begun: int) -> str:
        with self.log.open("rb") as file:
            file.seek(begun)
            return file.read()[-600:].decode(errors="replace")

    def healthy(self) -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/health", timeout=5, verify=False).status_code == 200
        return False

    def wait_healthy(self, seconds: float = START_SECONDS) -> bool:
        """Whether it is healthy within so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.healthy():
                return True
            time.sleep(0.2)
        return False

    def kill(self) -> None:
        """SIGKILL to the server's first process."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and its end."""
        assert self._process is not None
        self._process.terminate()
        try:
            code = self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.problems.append("the server did not stop within 60 s of SIGTERM")
            self.kill()
            return
        if code not in (0, -signal.SIGTERM):
            self.problems.append(f"the server ended with {code} after SIGTERM")

    def worker_processes(self) -> list[psutil.Process]:
        """The processes that answer requests."""
        assert self._process is not None
        with contextlib.suppress(psutil.Error):
            first = psutil.Process(self._process.pid)
            if self.workers == 1:
                return [first]
            return [c for c in first.children() if "spawn_main" in " ".join(c.cmdline())]
        return []

    def postmaster(self) -> psutil.Process | None:
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            return psutil.Process(int((self.data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))
        return None

    def backends(self) -> list[psutil.Process]:
        """Server processes that serve a client."""
        server = self.postmaster()
        found = []
        with contextlib.suppress(psutil.Error):
            for child in server.children() if server else ():
                with contextlib.suppress(psutil.Error):
                    if "[local]" in " ".join(child.cmdline()):
                        found.append(child)
        return found

    def url_of_database(self) -> str:
        return self._embedded.url()

    def connect(self) -> psycopg.Connection:
        """A connection of the harness's own."""
        return psycopg.connect(self.url_of_database(), autocommit=True, connect_timeout=10)

    def memory(self) -> int:
        """Resident bytes of all processes that answer requests."""
        return sum(process.memory_info().rss for process in self.worker_processes())

    def backend_memory(self) -> int:
        """Bytes that the processes of PostgreSQL have each for themselves."""
        total = 0
        server = self.postmaster()
        for process in [server, *server.children()] if server else ():
            with contextlib.suppress(psutil.Error):
                total += int(process.memory_full_info().uss)
        return total

    def clean_up(self) -> None:
        """Ends what is left of it."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        server = self.postmaster()
        if server is not None:
            with contextlib.suppress(psutil.Error):
                server.send_signal(signal.SIGQUIT)
                server.wait(20)
        with contextlib.suppress(OSError):
            shutil.copyfile(self.data / "postgres.log", self.log.with_suffix(".postgres.log"))
