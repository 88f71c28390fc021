"""The server under attack, in processes of its own, and what it uses."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import psutil
from faulting.world import ATLAS, free_port

START_SECONDS = 90.0
# Files that a service may usually open, by systemd's and Docker's defaults.
OPEN_FILES = 1024


class Server:
    """`atlas serve` with its embedded PostgreSQL. `deaths` counts ends that nobody asked for.

    settings: more of the environment.
    """

    def __init__(self, folder: Path, workers: int = 1, settings: Mapping[str, str] | None = None) -> None:
        self.folder, self.workers, self.settings = folder, workers, settings or {}
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.deaths: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and waits until `/health` answers. Raises RuntimeError where it does not."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        temporary.chmod(0o1777)
        command = [str(ATLAS), "serve", "--port", str(self.port), "--data-dir", str(self.data)]
        environment = {
            **os.environ,
            "TMPDIR": str(temporary),
            "ATLAS_WORKERS": str(self.workers),
            "ATLAS_LOG_LEVEL": "warning",
            **self.settings,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=environment,
                preexec_fn=_few_files,  # noqa: PLW1509
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.healthy(5):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError(f"the server does not start: {self.log.read_text(errors='replace')[-2000:]}")

    def admin(self, *arguments: str) -> str:
        """The output of `atlas admin`."""
        command = [str(ATLAS), "admin", *arguments, "--data-dir", str(self.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def key(self, organization: str, user: str) -> str:
        """A new key of a user, who is made where missing."""
        made = self.admin("key", "create", "--org", organization, "--user", user)
        return re.findall(r"atlas_live_sk_\w{32}", made)[0]

    def healthy(self, seconds: float = 2.0) -> bool:
        """Whether `/health` answers within so long."""
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.url}/health", timeout=seconds).status_code == 200
        return False

    def revive(self, what: str) -> bool:
        """Notes the server's death, if it has died, and starts it again. Gives whether it had."""
        assert self._process is not None
        if self._process.poll() is None:
            return False
        self.deaths.append(f"{what}: exit {self._process.returncode}")
        self._end_postgres()
        self.start()
        return True

    def stop(self) -> None:
        """Ends the server, by force if need be."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._end_postgres()

    def processes(self) -> list[psutil.Process]:
        """The server's processes and those of PostgreSQL."""
        assert self._process is not None
        found: dict[int, psutil.Process] = {}
        for pid in (self._process.pid, self._postmaster()):
            if pid is None:
                continue
            with contextlib.suppress(psutil.Error):
                first = psutil.Process(pid)
                for process in (first, *first.children(recursive=True)):
                    found[process.pid] = process
        return list(found.values())

    def _postmaster(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int((self.data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        return None

    def _end_postgres(self) -> None:
        pid = self._postmaster()
        # To psutil, None is the process that asks.
        if pid is not None:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                process.terminate()
                process.wait(30)


class Watch:
    """Samples the memory that each process has for itself, and how soon `/health` answers, until closed.

    `most` is the largest sum of a sample in bytes, `largest_backend` that of a single process of PostgreSQL,
    `slowest_health` in seconds.
    """

    def __init__(self, server: Server, period: float = 0.25) -> None:
        self._server, self._period = server, period
        self.most = self.largest_backend = self.last = 0
        self.slowest_health = 0.0
        self.samples: list[tuple[float, int]] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._memory, self._health)]
        for thread in self._threads:
            thread.start()

    def reset(self) -> None:
        """Forgets what has been seen."""
        self.most = self.largest_backend = 0
        self.slowest_health = 0.0

    def close(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(10)

    def _memory(self) -> None:
        while not self._ended.wait(self._period):
            total = 0
            for process in self._server.processes():
                with contextlib.suppress(psutil.Error):
                    own = _own_bytes(process)
                    total += own
                    if process.name() == "postgres":
                        self.largest_backend = max(self.largest_backend, own)
            self.last = total
            self.most = max(self.most, total)

    def _health(self) -> None:
        client = httpx2.Client(verify=False, timeout=30)
        while not self._ended.wait(0.2):
            begun = time.perf_counter()
            with contextlib.suppress(httpx2.HTTPError):
                client.get(f"{self._server.url}/health", headers={"Connection": "close"})
            self.slowest_health = max(self.slowest_health, time.perf_counter() - begun)


def _own_bytes(process: psutil.Process) -> int:
    """Resident bytes that are not shared, which PostgreSQL's processes have many of."""
    info = process.memory_info()
    return int(info.rss - getattr(info, "shared", 0))


def _few_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that the embedded PostgreSQL's own user may enter."""
    with tempfile.TemporaryDirectory(prefix="atlas-hostile-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
