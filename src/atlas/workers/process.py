"""The server's handle of a worker process: its pipes, and how the process ended."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from typing import IO, Literal

import msgspec
import psutil
import pyarrow as pa

from atlas.kit.processor_time import OtherProcess
from atlas.workers.limits import environment
from atlas.workers.protocol import Kind, Task, receive, send

Purpose = Literal["files", "texts"]
_PIPE_BYTES = 1024 * 1024
_PRINTED_BYTES = 16 * 1024


class WorkerProcess:
    """A worker process, with a pipe in each direction. purpose: the kind of its tasks."""

    def __init__(self, purpose: Purpose = "files") -> None:
        self.tasks = 0
        # Whether the process has reported that it is ready.
        self.ready = False
        self.idle_since = 0.0
        self._own = 0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # Only the server holds the other end, so the system notifies the worker when the server has ended.
        read, self._leash = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "atlas.worker", purpose, *([] if sys.platform == "win32" else [str(read)])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                pass_fds=() if sys.platform == "win32" else (read,),
                env=environment(dict(os.environ)),
                # Linux weighs sessions against each other, so that a worker comes behind the server.
                start_new_session=sys.platform != "win32",
            )
        finally:
            os.close(read)
        self.pid = self._process.pid
        self._spent = OtherProcess(self.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        _widen(self._output)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def swollen(self, most: int) -> bool:
        """Returns whether the process has grown by over `most` bytes since its first task, by fragmented memory."""
        if not self.tasks:
            return False
        try:
            # Address space, because the limit is on address space.
            now = psutil.Process(self.pid).memory_info().vms
        except psutil.Error:
            return True
        self._own = self._own or now
        return bool(now - self._own > most)

    def start(self, task: Task) -> None:
        self.tasks += 1
        self._spent.begin()
        with contextlib.suppress(OSError):
            # The end of a process is noticed when its answer is read.
            send(self._input, Kind.REQUEST, msgspec.msgpack.encode(task))

    def wait_until_ready(self) -> None:
        """Waits until the process is ready for a task, or has ended."""
        if not self.ready:
            self.ready = True
            self._receive()

    def ready_within(self, seconds: float) -> bool:
        """Waits at most so long until the process is ready. Where pipes cannot be watched, the wait is left out."""
        if not self.ready and sys.platform != "win32" and select.select([self._output], [], [], seconds)[0]:
            self.wait_until_ready()
        return self.ready

    def receive(self) -> tuple[Kind, pa.Buffer] | None:
        """Returns the next message of a task; None when the process has ended."""
        self.wait_until_ready()
        message = self._receive()
        self._spent.charge()
        return message

    def _receive(self) -> tuple[Kind, pa.Buffer] | None:
        try:
            return receive(self._output.readinto)  # type: ignore[attr-defined]
        except (OSError, ValueError):
            return None

    def kill(self) -> None:
        """Kills the process. A reader of its messages is notified of the end. May be called from any thread."""
        self._process.kill()

    def close(self) -> tuple[int, bytes]:
        """Kills the process and frees its resources. Returns its return code, and the last text that it printed."""
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._input, self._output):
            with contextlib.suppress(OSError):
                pipe.close()
        with contextlib.suppress(OSError):
            os.close(self._leash)
        self._errors.seek(0)
        printed = self._errors.read(_PRINTED_BYTES)
        self._errors.close()
        return code, printed

    def ended(self) -> tuple[int, bytes]:
        """Does what `close` does, for a process that has ended or is about to end by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        return self.close()


def _widen(pipe: IO[bytes]) -> None:
    """Enlarges the buffer of a pipe, so that each side waits for the other less often."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def signal_name(code: int) -> str:
    """Describes a process's return code: the signal's name, or `exit code 1`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
