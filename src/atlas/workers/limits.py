"""Limits of a worker process: the system's limits for one task, and the process's environment."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Limits:
    """Limits a task by the resource limits of the system, where the system has them."""

    @contextlib.contextmanager
    def within(self, memory: int, cpu_seconds: int, file_bytes: int) -> Iterator[None]:
        """Applies the limits for one task: bytes of memory, seconds of processor time, and bytes of a written file."""
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
    # Some systems define a limit but refuse to set it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (value, hard))


def address_space() -> int:
    """Returns the bytes of address space that this process has; 0 when the system does not report them."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def environment(given: dict[str, str]) -> dict[str, Any]:
    """Builds the environment of a worker: none of the server's secrets, and few threads and arenas."""
    kept = {name: value for name, value in given.items() if not name.startswith(("ATLAS_", "PG"))}
    # Each further thread takes address space for its stack and arena.
    few = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return {**kept, **few, "ARROW_DEFAULT_MEMORY_POOL": "system", "ARROW_IO_THREADS": "1", "RUST_BACKTRACE": "0"}
