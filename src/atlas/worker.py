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

from atlas.workers.limits import Limits

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


if __name__ == "__main__":
    main()
