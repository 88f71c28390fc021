"""Worker processes of a server with several."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time

from fastapi import FastAPI

from atlas.app import create_app
from atlas.config import Settings

# What is under way has so long to end when a server stops.
GRACE_SECONDS = 5


def create_worker() -> FastAPI:
    """The application of a worker process, whose parent put its settings into the environment."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_end_with, args=(parent.sentinel,), name="parent-watch", daemon=True)
        watch.start()
    return create_app(Settings())


def _end_with(parent: int) -> None:
    """Ends this process when its parent has: otherwise it would keep the port, and nobody would start PostgreSQL."""
    multiprocessing.connection.wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS + 1)
    os._exit(1)
