"""A worker process that parses untrusted files, so that a crash does not end the server: `python -m atlas.worker`.

Native readers allocate as much memory as a file declares, and abort when the allocation fails. So the process has
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

from atlas.workers.limits import Limits

# Seconds between checks for the server's end, where the system does not report that end.
LEASH_SECONDS = 1.0
# Lower priority than the server and PostgreSQL, for which other requests wait.
NICENESS = 10


def main() -> None:
    """Works on the tasks from standard input, until that ends."""
    leash = int(sys.argv[1]) if len(sys.argv) > 1 else None
    _follow(leash)
    if hasattr(os, "nice"):
        # At once, because a start takes a second of processor time, and callers can have many workers end.
        os.nice(NICENESS)
    # Text that a library prints must not get between the messages.
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    gc.disable()
    # Loads everything that a first task would otherwise wait for.
    from atlas import worker_tasks

    gc.enable()
    gc.freeze()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        worker_tasks.serve(os.fdopen(0, "rb", buffering=0), output, Limits())


def _follow(leash: int | None) -> None:
    """Makes this process end after its server, even while a library runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if leash is not None and sys.platform == "linux":
        import fcntl

        # When no process holds the other end of the pipe, the system sends SIGIO, which ends this process at once.
        fcntl.fcntl(leash, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(server: int) -> None:
    while os.getppid() == server:
        time.sleep(LEASH_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
