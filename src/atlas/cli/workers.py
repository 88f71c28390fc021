"""Worker processes of a server with several. What a worker serves is imported as it starts, with the collector off."""

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

# What is under way has so long to end when a server stops.
GRACE_SECONDS = 5
# Python lets a thread that computes go on for 5 ms before another has its turn. The thread that serves all requests
# gives its turn up with each send and receive, so with pages encoded beside it each of those took 5 ms.
SWITCH_SECONDS = 0.0005

# Arrow's own choice, mimalloc, keeps what each thread has used for that thread, and some 25 take turns: two workers
# grew from 790 to 1,450 MiB in 125 bursts, and went on; with jemalloc they stay at 790. Neither is faster.
ALLOCATOR = "jemalloc"
# Connections, bodies on disk and libraries take no more.
FILES = 65_536


def choose_allocator() -> None:
    """What Arrow takes memory from, in this process and in its children; to be called before it is loaded."""
    if sys.platform == "linux":
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", ALLOCATOR)


def raise_file_limit() -> None:
    """Lets this process open as many files as the system allows, up to FILES: at first it may a part of them."""
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
    """While modules are loaded: the collector takes a fifth of the time for it, and finds nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def start_serving() -> None:
    """Has the threads of this process, which must be a server, take turns soon, and end what they are at."""
    import pyarrow as pa

    sys.setswitchinterval(SWITCH_SECONDS)
    # Arrow would end the file it is reading when the server is told to stop, and the sender hear that it is no CSV.
    pa.enable_signal_handlers(False)
    # What is loaded by now stays, some 250,000 objects. To pass over all of them took the collector 0.1 s and more,
    # each time, while no request was answered. Of what could be freed there is no megabyte.
    gc.freeze()
    # As it ends, it is all to be freed, of which libraries that miss it speak as of leaks.
    atexit.register(gc.unfreeze)


def application(settings: Settings) -> FastAPI:
    """What this process is to serve; it is loaded here, as a parent of workers does without."""
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
    """The application of a worker process, to which its parent hands the settings."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent-watch", daemon=True)
        watch.start()
    return application(settings)


def _end_with(parent: int) -> None:
    """Ends this process when its parent has: otherwise it would keep the port, and nobody would start PostgreSQL."""
    multiprocessing.connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS + 1)
    os._exit(1)
