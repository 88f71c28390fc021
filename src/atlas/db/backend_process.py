"""The server process behind a connection, where PostgreSQL runs on this machine: its memory limit, priority and end.

Only Linux reports which process listens behind a socket, and limits the memory of a running process.
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
from psycopg.conninfo import conninfo_to_dict

from atlas.db.database import Connection

# The niceness of long queries. At 10 a process gets a ninth of the weight of other processes.
_NICENESS = 10
# The deputy reads one command a line: an action, a process id, a number. The reply is a line: `1` for success, else
# `0`.
_DEPUTY = """
import os, resource, sys
for line in sys.stdin:
    try:
        what, pid, number = line.split()
        if what == "limit":
            resource.prlimit(int(pid), resource.RLIMIT_DATA, (int(number), int(number)))
        elif what == "nice":
            if int(number):
                os.setpriority(os.PRIO_PROCESS, int(pid), int(number))
            with open(f"/proc/{pid}/autogroup", "w") as file:
                file.write(number)
        else:
            os.kill(int(pid), 9)
        done = "1"
    except (OSError, ValueError):
        done = "0"
    print(done, flush=True)
"""


@dataclass(frozen=True, slots=True)
class BackendProcess:
    """A PostgreSQL process on this machine. started: distinguishes it from a later process with the same id."""

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
        """Returns the process's memory in bytes without shared memory; 0 when the system does not report it."""
        with contextlib.suppress(psutil.Error):
            memory = psutil.Process(self.pid).memory_info()
            return int(memory.rss - memory.shared)
        return 0

    def limit(self, size: int) -> bool:
        """Limits the private memory of the process to `size` bytes, and returns whether that succeeded.

        Past the limit PostgreSQL reports that it is out of memory, and goes on. The stack and shared memory do not
        count.
        """
        if sys.platform != "linux":
            return False
        import resource

        try:
            resource.prlimit(self.pid, resource.RLIMIT_DATA, (size, size))
        except ProcessLookupError:
            return False
        except PermissionError:
            # In many containers not even root may.
            return _deputy(self.user, self.group).do("limit", self.pid, size)
        return True

    def lower_priority(self) -> bool:
        """Lowers the process's priority below that of other processes. Returns whether that succeeded.

        Each backend is a session of its own. Where the system schedules sessions against each other (`autogroup`), the
        niceness of a process counts only within its session. The niceness of the session counts against the rest.
        """
        return self._be_nice(_NICENESS)

    def restore_priority(self) -> bool:
        """Restores the priority of the process's session, so that the process can end. Returns whether that succeeded.

        The niceness of the process stays, because only root could restore it.
        """
        return self._be_nice(0)

    def _be_nice(self, niceness: int) -> bool:
        if sys.platform != "linux":
            return False
        try:
            if niceness:
                os.setpriority(os.PRIO_PROCESS, self.pid, niceness)
            with open(f"/proc/{self.pid}/autogroup", "w") as file:
                file.write(str(niceness))
        except (FileNotFoundError, ProcessLookupError):
            # The system has no autogroups, or the process has ended.
            return True
        except PermissionError:
            return _deputy(self.user, self.group).do("nice", self.pid, niceness)
        except OSError:
            # Without root, the niceness of a session may change ten times a second only.
            return False
        return True

    def kill(self) -> bool:
        """Kills the process at once. PostgreSQL then ends all its other connections, too, and recovers.

        Returns whether the process was killed.
        """
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
    """Returns the process that serves a connection.

    Returns None when the server runs on another machine, or when a pooler stands between.
    """
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


def process_numbered(url: str, pid: int) -> BackendProcess | None:
    """Returns the process of a connection by its number. Returns None where the server is reached by no socket file."""
    host = conninfo_to_dict(url).get("host") or ""
    if sys.platform != "linux" or not str(host).startswith("/"):
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        with process.oneshot():
            if process.name() == "postgres":
                return BackendProcess(pid, process.create_time(), process.uids().real, process.gids().real)
    return None


class _Deputy:
    """A helper process of PostgreSQL's system user. Only that user may limit and kill PostgreSQL's processes."""

    def __init__(self, user: int, group: int) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        # PostgreSQL's user may have no access to root's Python.
        self._pythons = [path for path in (sys.executable, shutil.which("python3", path="/usr/bin:/bin")) if path]
        self._user, self._group = user, group

    def do(self, what: str, pid: int, number: int) -> bool:
        with self._lock:
            while self._process is not None or self._pythons:
                with contextlib.suppress(OSError, subprocess.SubprocessError):
                    answer = self._ask(f"{what} {pid} {number}\n")
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
            [python, "-I", "-S", "-c", _DEPUTY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd="/",
            env={},
            start_new_session=True,
            user=self._user,
            group=self._group,
            extra_groups=[],
        )


@cache
def _deputy(user: int, group: int) -> _Deputy:
    deputy = _Deputy(user, group)
    atexit.register(deputy.close)
    return deputy
