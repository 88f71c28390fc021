"""A pool of worker processes that read files or parse texts: started once, reused, and ended past their limits."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
import pyarrow as pa
import structlog

from atlas.errors import AtlasError, BadRequestError, TooLargeError
from atlas.workers.process import Purpose, WorkerProcess, signal_name
from atlas.workers.protocol import Failure, Kind, Task

log = structlog.get_logger()
_MIB = 1024 * 1024
# _HARMLESS_BYTES: every file may unpack to this size, whatever the ratio.
_HARMLESS_BYTES, _MAX_RATIO = 256 * _MIB, 200
# Tasks after which a worker is replaced, because its allocators have fragmented its memory.
_MOST_TASKS = 500
# Seconds between checks of a worker, where the system does not enforce its limits.
_WATCH_SECONDS = 0.1
# Seconds for which surplus idle processes are kept, in case a burst of tasks comes again.
_IDLE_SECONDS = 60.0
# Longest wait for a new process after a cancelled reading, in seconds. A process starts within this time unless the
# machine is busy.
_CANCELLED_SECONDS = 1.0
# Seconds after which a task counts as long. A spare process is then started, so that the next task does not wait.
_LONG_SECONDS = 0.3
# Messages of libraries that abort the process for lack of memory.
_NO_MEMORY = re.compile(
    rb"memory allocation of (\d+) bytes failed|bad_alloc|out of memory|Cannot allocate memory|MemoryError"
)
# What is logged of the messages of a process that ended.
_SAID = re.compile(
    rb"memory allocation of \d+ bytes failed|bad_alloc|out of memory|Cannot allocate memory|MemoryError"
    rb"|panicked at [\w./\\-]{1,200}:\d+|Fatal Python error: [\w ]{1,60}"
)


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """Limits for reading one file.

    memory: bytes beyond those of an idle process. cpu_seconds: processor time, plus one second for each MiB of the
    file. wall_seconds: time until the last row is taken. output_bytes: bytes of Arrow data made from the file.
    """

    memory: int = 1024 * _MIB
    cpu_seconds: float = 60.0
    wall_seconds: float = 600.0
    output_bytes: int = 2048 * _MIB

    def output_of(self, size: int) -> int:
        """Returns the maximum number of output bytes for a file of `size` bytes."""
        return min(self.output_bytes, max(_HARMLESS_BYTES, size * _MAX_RATIO))


class WorkerPool:
    """Gives each task its own process. Keeps `spare` idle processes for later tasks, and up to `most` for a while.

    The caller bounds the number of concurrent tasks. Methods may be called from any thread.
    """

    def __init__(
        self, limits: ReaderLimits | None = None, *, spare: int = 1, most: int = 4, purpose: Purpose = "files"
    ) -> None:
        self.limits = limits or ReaderLimits()
        self.purpose = purpose
        self._spare, self._most = spare, most
        # Ordered by last use. The process used last is taken first.
        self._idle: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._filling = threading.Lock()
        self._closed = False

    def warm(self, after: float = 0.0) -> None:
        """Starts the spare processes in a thread, so that the next task does not wait for a start. after: seconds."""
        starting = threading.Timer(after, self._fill)
        starting.daemon = True
        starting.start()

    def is_ready(self) -> bool:
        """Returns whether a process has started and is idle. Without processes, starts the spare ones."""
        with self._lock:
            found = any(process.alive and process.ready_within(0) for process in self._idle)
            none = not self._idle
        if none and not self._closed and not self._filling.locked():
            self.warm()
        return found

    def replace(self, seconds: float | None = None) -> None:
        """Starts a process in place of a dead process, and waits until the new process is ready.

        So a user whose files kill workers waits for the next worker, and does not take workers from other users.
        seconds: the longest wait; None has no limit.
        """
        if self._closed or len(self._idle) > self._spare:
            return
        with contextlib.suppress(OSError):
            process = WorkerProcess(self.purpose)
            if seconds is None:
                process.wait_until_ready()
            else:
                process.ready_within(seconds)
            self.give(process)

    def close(self) -> None:
        """Ends the idle processes. A process with a task ends with its task."""
        with self._lock:
            self._closed = True
        with self._filling, self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def reading(self) -> Reading:
        """Returns a context for reading one file. At its end the process is idle again, or ended."""
        return Reading(self)

    def take(self) -> WorkerProcess:
        """Takes an idle process from the pool, or starts a process."""
        found = None
        with self._lock:
            while self._idle and found is None:
                process = self._idle.pop()
                if process.alive:
                    found = process
                else:
                    process.close()
            few = len(self._idle) < self._spare
        if few:
            timer = threading.Timer(_LONG_SECONDS, self._fill)
            timer.daemon = True
            timer.start()
        return found or WorkerProcess(self.purpose)

    def give(self, process: WorkerProcess) -> None:
        """Takes back a process that is ready for another task."""
        swollen = process.swollen(self.limits.memory // 2)
        dropped = [process]
        with self._lock:
            if not self._closed and process.tasks < _MOST_TASKS and not swollen:
                process.idle_since = time.monotonic()
                # A process that may still be starting is taken last.
                self._idle.insert(len(self._idle) if process.ready else 0, process)
                dropped = self._idle[: -self._most]
                self._idle = self._idle[-self._most :]
            many = len(self._idle) > self._spare
        for one in dropped:
            one.close()
        if many:
            timer = threading.Timer(_IDLE_SECONDS, self._trim)
            timer.daemon = True
            timer.start()

    def _trim(self) -> None:
        """Ends surplus processes that have been idle for a while."""
        latest = time.monotonic() - _IDLE_SECONDS * 0.9
        with self._lock:
            many = len(self._idle) - self._spare
            old = [process for process in self._idle[: max(0, many)] if process.idle_since < latest]
            self._idle = [process for process in self._idle if process not in old]
        for process in old:
            process.close()

    def _fill(self) -> None:
        with contextlib.suppress(OSError), self._filling:
            while not self._closed and len(self._idle) < self._spare:
                self.give(WorkerProcess(self.purpose))


class Reading:
    """The reading of one file by a worker. Only `cancel` may be called concurrently with another method."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._limits = pool.limits
        self._process: WorkerProcess | None = None
        self._lock = threading.Lock()
        self._name = ""
        self._over: AtlasError | None = None
        self._cancelled = False
        self._timer: threading.Timer | None = None
        self._task: Task | None = None
        self._finished = threading.Event()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        # A reading that is complete has given its process back already.
        self._end()

    @property
    def pid(self) -> int:
        """Id of the reading process; 0 without a process."""
        process = self._process
        return 0 if process is None else process.pid

    def cancel(self) -> None:
        """Ends the worker. Its reader gets a BadRequestError."""
        self._cancelled = True
        self._stop(BadRequestError("Reading was cancelled", self._name))

    def most_of(self, path: Path) -> int:
        """Returns the maximum number of output bytes for a file."""
        return self._limits.output_of(path.stat().st_size)

    def counted(self, seen: int, most: int) -> int:
        """Returns `seen`, the number of received bytes.

        Raises TooLargeError, and ends the reading, when `seen` is over `most`.
        """
        if seen > most:
            self._end()
            raise TooLargeError("File too large", f"{self._name}: unpacked it is over the limit of {most} bytes")
        return seen

    def start(self, request: msgspec.Struct, path: Path, name: str, file_bytes: int, mapped: int = 0) -> None:
        """Gives a task to a process.

        path, name: the file to read. file_bytes: the maximum size of a file that the task writes. mapped: bytes of
        files that the task maps, which do not count as its memory.
        """
        limits = self._limits
        seconds = int(limits.cpu_seconds + path.stat().st_size / _MIB) + 1
        self._name = name
        encoded = msgspec.Raw(msgspec.msgpack.encode(request))
        self._task = Task(encoded, limits.memory + mapped, seconds, file_bytes + 64 * _MIB)
        process = self._pool.take()
        with self._lock:
            self._process = process
            if self._over is not None:
                process.kill()
        # A process of the pool may have ended since the last check.
        process.start(self._task)
        details = f"{name}: reading it took longer than the limit of {limits.wall_seconds:g} seconds"
        self._timer = threading.Timer(limits.wall_seconds, self._stop, (BadRequestError("Invalid file", details),))
        self._timer.daemon = True
        self._timer.start()
        if sys.platform != "linux":
            threading.Thread(target=self._watch, args=(process.pid, seconds), daemon=True).start()

    def _stop(self, why: AtlasError) -> None:
        with self._lock:
            self._over = self._over or why
            if self._process is not None:
                self._process.kill()

    def receive(self) -> tuple[Kind, pa.Buffer]:
        """Returns the next message of the task.

        Raises BadRequestError or TooLargeError when the task failed or ended.
        """
        process = self._process
        message = None if process is None else process.receive()
        if message is None:
            raise self._explain_end()
        kind, content = message
        if kind is not Kind.FAILURE:
            return kind, content
        failure = msgspec.msgpack.decode(content, type=Failure)
        found = failure.raised()
        if failure.error == "nested":
            found = BadRequestError("Invalid file", f"{self._name}: its values are nested too deeply")
        if found is not None:
            self.give_back()
            raise found
        printed = self._end()
        self._pool.replace()
        if failure.error == "memory" or _NO_MEMORY.search(printed):
            raise self._out_of_memory()
        raise self._damaged_file(failure.reason)

    def out_of_step(self) -> AtlasError:
        """Ends the reading, and returns the error for a message that was not expected."""
        self._end()
        return self._damaged_file("its answer")

    def _out_of_memory(self) -> TooLargeError:
        details = f"{self._name}: reading it takes more memory than the limit of {self._limits.memory // _MIB} MiB"
        return TooLargeError("File too large", details)

    def _damaged_file(self, why: str) -> BadRequestError:
        return BadRequestError("Invalid file", f"{self._name}: the reader ended ({why}); the file may be damaged")

    def _explain_end(self) -> AtlasError:
        """Returns the error for a process that ended before its task."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return self._over or self._damaged_file("it was closed")
        self._finish()
        code, printed = process.ended()
        # On a busy machine a process takes long to start. The caller's next request needs the slot of this one.
        self._pool.replace(_CANCELLED_SECONDS if self._cancelled else None)
        if self._over is not None:
            return self._over
        self._log(code, printed)
        if found := _NO_MEMORY.search(printed):
            error = self._out_of_memory()
            if found[1]:
                error.details = f"{error.details}; it asks for {int(found[1]):,} bytes at once"
            return error
        name = signal_name(code)
        if name == "SIGXCPU":
            assert self._task is not None
            details = f"reading it took more than the limit of {self._task.cpu_seconds} seconds of processor time"
            return BadRequestError("Invalid file", f"{self._name}: {details}")
        return self._damaged_file(name)

    def _log(self, code: int, printed: bytes) -> None:
        # What else a library prints, and the file's name, may be texts of users.
        said = [one.decode("ascii", "replace") for one in _SAID.findall(printed)][:5]
        log.warning("reader ended", code=code, said=said)

    def give_back(self) -> None:
        """Returns the process to the pool, after its task has succeeded."""
        with self._lock:
            process, self._process = self._process, None
            cancelled = self._over is not None
        self._finish()
        if process is not None:
            if cancelled:
                process.close()
            else:
                self._pool.give(process)

    def _end(self) -> bytes:
        """Kills the process of an unfinished task. Returns the text that the process printed."""
        with self._lock:
            process, self._process = self._process, None
        self._finish()
        if process is not None:
            _, printed = process.close()
            if printed:
                self._log(0, printed)
            self._pool.warm()
            return printed
        return b""

    def _finish(self) -> None:
        self._finished.set()
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self, pid: int, seconds: float) -> None:
        """Enforces a worker's limits where the system does not."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            began, most = _seconds(process), process.memory_info().rss + self._limits.memory
            while not self._finished.wait(_WATCH_SECONDS):
                if process.memory_info().rss > most:
                    self._stop(self._out_of_memory())
                elif _seconds(process) - began > seconds:
                    details = f"reading it took more than the limit of {seconds:g} seconds of processor time"
                    self._stop(BadRequestError("Invalid file", f"{self._name}: {details}"))


def _seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)
