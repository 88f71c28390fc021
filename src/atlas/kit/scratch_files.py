"""Temporary files of a server: below its data folder, closed to others, and removed with its process."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from atlas.kit.private_folders import FolderError, make_private

NAME = "scratch"


def use_scratch(data_dir: Path) -> Path:
    """Directs all temporary files of this process to its own folder, and removes the folders of dead processes.

    Returns the folder, which is removed when the process ends. Raises FolderError when the folder cannot be made.
    """
    shared = data_dir / NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(shared, {os.geteuid()} if hasattr(os, "geteuid") else ())
        sweep(shared)
        own = shared / f"{os.getpid()}-{secrets.token_hex(4)}"
        # The lock comes first, so that another process that sees the folder sees it locked.
        lock = FileLock(f"{own}.lock")
        lock.acquire(timeout=0)
        own.mkdir(mode=0o700)
    except OSError as error:
        raise FolderError(f"{shared} cannot be used: {error.strerror or error}; choose another --data-dir") from None
    # Spooled files of frameworks go to this folder, too.
    tempfile.tempdir = str(own)
    atexit.register(_leave, own, lock)
    return own


def sweep(shared: Path) -> None:
    """Removes the folders of processes that no longer run."""
    for path in [*shared.iterdir()]:
        own = path.with_suffix("") if path.suffix == ".lock" else path
        lock = FileLock(f"{own}.lock")
        with contextlib.suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            _remove(own, lock)


def _leave(own: Path, lock: FileLock) -> None:
    tempfile.tempdir = None
    _remove(own, lock)


def _remove(own: Path, lock: FileLock) -> None:
    shutil.rmtree(own, ignore_errors=True)
    # A name is never used twice, so nobody waits for the lock.
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release(force=True)
