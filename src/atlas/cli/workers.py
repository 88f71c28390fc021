"""Worker processes of a server. A worker imports its application at the start, with the garbage collector off."""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from atlas.cli.exit_codes import CommandError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from atlas.settings import Settings

# The time for requests in progress when a server stops.
GRACE_SECONDS = 5
# Python lets a computing thread run for 5 ms before another thread's turn. The thread that serves all requests gives up
# its turn with each send and receive. With pages encoded beside, each of these calls took 5 ms.
SWITCH_SECONDS = 0.0005

# Arrow's default, mimalloc, keeps freed memory for each thread, and some 25 threads take turns. Two workers grew from
# 790 to 1,450 MiB in 125 bursts, and went on. With jemalloc they stay at 790 MiB. Neither is faster.
ALLOCATOR = "jemalloc"
# Connections, bodies on disk and libraries together need fewer files.
FILES = 65_536


def choose_allocator() -> None:
    """Chooses Arrow's memory allocator for this process and its children. Call it before Arrow is loaded."""
    if sys.platform == "linux":
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", ALLOCATOR)


def raise_file_limit() -> None:
    """Raises this process's limit of open files up to FILES, as far as the system allows."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def loading() -> Iterator[None]:
    """Turns the garbage collector off while modules are loaded, as it takes a fifth of that time and finds nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def start_serving() -> None:
    """Prepares the threads of a server process: short switch intervals, no signal handlers of Arrow, a frozen heap."""
    import pyarrow as pa

    sys.setswitchinterval(SWITCH_SECONDS)
    # On a signal Arrow would stop reading a file, and the sender would get an error that the file is no CSV.
    pa.enable_signal_handlers(False)
    # Some 250,000 loaded objects stay. A collection of all of them took 0.1 s or more each time, while no request was
    # answered, and could free less than 1 MB.
    gc.freeze()
    # At exit the objects must be freed, as some libraries otherwise report leaks.
    atexit.register(gc.unfreeze)


def application(settings: Settings) -> FastAPI:
    """Loads the application of this process.

    The import is here, since a parent of workers does without the application.
    """
    with loading():
        from atlas.app import create_app

        raise_file_limit()
        _use_scratch(settings)
        app = create_app(settings)
    start_serving()
    return app


def _use_scratch(settings: Settings) -> None:
    from atlas.kit.private_folders import FolderError
    from atlas.kit.scratch_files import use_scratch

    try:
        use_scratch(settings.data_dir)
    except FolderError as error:
        raise CommandError(str(error)) from None


def create_worker(settings: Settings) -> FastAPI:
    """Makes the application of a worker process. The parent passes the settings."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent-watch", daemon=True)
        watch.start()
    return application(settings)


def _end_with(parent: int) -> None:
    """Ends this process after its parent.

    Otherwise the process would keep the port, and no new server could start PostgreSQL.
    """
    multiprocessing.connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS + 1)
    os._exit(1)
