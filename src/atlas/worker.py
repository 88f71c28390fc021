"""A worker process: `python -m atlas.worker files` or `texts`, with the number of a pipe that ends with its server.

Native readers of files allocate as much memory as a file declares, and abort when the allocation fails. Parsers of
texts hold the interpreter's lock, for which all requests of a server wait. So the process has limits, does one task
at a time, and ends with its server.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path

from atlas.workers.limits import Limits

# Seconds between checks for the server's end, where the system does not report that end.
LEASH_SECONDS = 1.0
# Lower priority than the server and PostgreSQL, for which other requests wait.
NICENESS = 10
# The niceness of the session: half the weight of others. With less, imports would hardly move on a busy machine.
SESSION_NICENESS = 3
_TRIES = 5


def main() -> None:
    """Works on the tasks from standard input, until that ends."""
    leash = int(sys.argv[2]) if len(sys.argv) > 2 else None
    _follow(leash)
    # At once, because a start takes a second of processor time, and callers can have many workers end.
    _lower_priority()
    # Text that a library prints must not get between the messages.
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    gc.disable()
    # Loads everything that a first task would otherwise wait for.
    if sys.argv[1] == "texts":
        from atlas.parser_tasks import serve
    else:
        from atlas.worker_tasks import serve

    gc.enable()
    gc.freeze()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        serve(os.fdopen(0, "rb", buffering=0), output, Limits())


def _lower_priority() -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # The process is a session of its own. Where the system schedules sessions against each other, only the niceness
    # of the session counts. Without root it may change ten times a second on the whole machine.
    for _ in range(_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(SESSION_NICENESS), encoding="ascii")
        except BlockingIOError:
            time.sleep(0.11)
            continue
        except OSError:
            pass
        return


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
