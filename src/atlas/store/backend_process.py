"""The process behind a connection, where PostgreSQL runs on this machine: how much memory it may take, and its end.

Only Linux tells who listens behind a socket, and limits the memory of a process that runs.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache

import psutil

from atlas.store.database import Connection

# A line each: what to do, a process, a number of bytes. Answers with a line, `1` where it was done.
_BEHIND_OTHERS = 10
_DEPUTY = """
import os, resource, sys
for line in sys.stdin:
    try:
        what, pid, size = line.split()
        if what == "limit":
            resource.prlimit(int(pid), resource.RLIMIT_DATA, (int(size), int(size)))
        else:
            os.kill(int(pid), 9)
        done = "1"
    except (OSError, ValueError):
        done = "0"
    print(done, flush=True)
"""


@dataclass(frozen=True, slots=True)
class BackendProcess:
    """A process of PostgreSQL on this machine. started: tells it from a later one of the same number."""

    pid: int
    started: float
    user: int
    group: int

    @property
    def lives(self) -> bool:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            return bool(process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE)
        return False

    def private_bytes(self) -> int:
        """Memory that it shares with no other process; 0 where that cannot be told."""
        with contextlib.suppress(psutil.Error):
            memory = psutil.Process(self.pid).memory_info()
            return int(memory.rss - memory.shared)
        return 0

    def limit(self, size: int) -> bool:
        """Lets it have so many bytes of memory of its own; past them PostgreSQL says that memory is out, and goes on.
        Its share of the processor comes behind those of other processes.

        The stack and memory shared with other processes do not count. Gives whether it could be done.
        """
        if sys.platform != "linux":
            return False
        import resource

        with contextlib.suppress(OSError):
            # What takes seconds may take a little longer, and what takes milliseconds is not behind it.
            os.setpriority(os.PRIO_PROCESS, self.pid, _BEHIND_OTHERS)
        try:
            resource.prlimit(self.pid, resource.RLIMIT_DATA, (size, size))
        except ProcessLookupError:
            return False
        except PermissionError:
            # Even root may not, in many a container.
            return _deputy(self.user, self.group).do("limit", self.pid, size)
        return True

    def kill(self) -> bool:
        """Ends it at once. PostgreSQL then ends all its other connections, too, and recovers."""
        if not self.lives or sys.platform == "win32":
            return False
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        except PermissionError:
            return _deputy(self.user, self.group).do("kill", self.pid, 0)
        return True


def process_of(connection: Connection) -> BackendProcess | None:
    """The process that serves a connection; None where that is not one of this machine, or a pooler stands between."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError, psutil.Error), socket.socket(fileno=os.dup(connection.fileno())) as peer:
        if peer.family != socket.AF_UNIX:
            return None
        listener = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        process = psutil.Process(connection.info.backend_pid)
        with process.oneshot():
            if listener > 0 and process.ppid() == listener:
                return BackendProcess(process.pid, process.create_time(), process.uids().real, process.gids().real)
    return None


class _Deputy:
    """A process of PostgreSQL's user, who may limit and end PostgreSQL's own."""

    def __init__(self, user: int, group: int) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        # PostgreSQL's user may not reach the Python that root has.
        self._pythons = [path for path in (sys.executable, shutil.which("python3", path="/usr/bin:/bin")) if path]
        self._user, self._group = user, group

    def do(self, what: str, pid: int, size: int) -> bool:
        with self._lock:
            while self._process is not None or self._pythons:
                with contextlib.suppress(OSError, subprocess.SubprocessError):
                    answer = self._ask(f"{what} {pid} {size}\n")
                    if answer:
                        return answer.strip() == "1"
                self.close()
        return False

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                process.communicate()

    def _ask(self, line: str) -> str:
        if self._process is None:
            self._process = self._start(self._pythons.pop(0))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def _start(self, python: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [python, "-I", "-S", "-c", _DEPUTY], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, cwd="/", env={}, start_new_session=True,
            user=self._user, group=self._group, extra_groups=[],
        )  # fmt: skip


@cache
def _deputy(user: int, group: int) -> _Deputy:
    deputy = _Deputy(user, group)
    atexit.register(deputy.close)
    return deputy
