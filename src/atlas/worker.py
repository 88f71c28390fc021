"""A process that reads what strangers sent, for a server that must outlive it: `python -m atlas.worker`.

Native readers make as much memory as a file says that it needs, and abort where there is none. So the process has
limits, does one task at a time, and ends with its server.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# How often a worker looks for its server where the system does not tell it.
LEASH_SECONDS = 1.0
# Below the server and PostgreSQL, which others wait for.
NICENESS = 10


def main() -> None:
    """Reads what it is told on its standard input, until that ends."""
    leash = int(sys.argv[1]) if len(sys.argv) > 1 else None
    _follow(leash)
    # What a library prints must not get between the messages.
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    gc.disable()
    # Everything that a first task would wait for.
    from atlas import worker_tasks

    gc.enable()
    gc.freeze()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        worker_tasks.serve(os.fdopen(0, "rb", buffering=0), output, Limits())


def _follow(leash: int | None) -> None:
    """Has this process end when its server has, whatever a library is at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if leash is not None and sys.platform == "linux":
        import fcntl

        # Once nobody holds the other end of the pipe, the system sends SIGIO, which ends a process at once.
        fcntl.fcntl(leash, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(server: int) -> None:
    while os.getppid() == server:
        time.sleep(LEASH_SECONDS)
    os._exit(1)


class Limits:
    """What the tasks of this process may take, by the limits of the system where it has them."""

    @contextlib.contextmanager
    def within(self, memory: int, cpu_seconds: int, file_bytes: int) -> Iterator[None]:
        """Applies the limits for one task."""
        if sys.platform == "win32":
            yield
            return
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime) + 1
        _soft(resource.RLIMIT_CPU, spent + cpu_seconds)
        _soft(resource.RLIMIT_FSIZE, file_bytes)
        if own := address_space():
            _soft(resource.RLIMIT_AS, own + memory)
        try:
            yield
        finally:
            for limit in (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_AS):
                _soft(limit, resource.RLIM_INFINITY)


def _soft(limit: int, value: int) -> None:
    import resource

    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY and (value == resource.RLIM_INFINITY or value > hard):
        value = hard
    # Systems that know a limit by name alone refuse it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (value, hard))


def address_space() -> int:
    """Bytes of addresses that this process has; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def environment(given: dict[str, str]) -> dict[str, Any]:
    """The variables of a worker: none of the server's secrets, and few threads and arenas, which take addresses."""
    kept = {name: value for name, value in given.items() if not name.startswith(("ATLAS_", "PG"))}
    # Each thread more takes addresses for its stack and arena.
    few = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {**kept, **few, "ARROW_DEFAULT_MEMORY_POOL": "system", "ARROW_IO_THREADS": "1", "RUST_BACKTRACE": "0"}


if __name__ == "__main__":
    main()
