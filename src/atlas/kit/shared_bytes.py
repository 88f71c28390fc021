"""Bytes that another process on this machine reads without a copy."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def shared_bytes() -> Iterator[tuple[IO[bytes], Path]]:
    """Yields a file to write, and the path by which processes of this user read the file until the block ends.

    On Linux the file is anonymous memory (memfd_create), which the system frees even if this process is killed.
    Elsewhere the file is a temporary one.
    """
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("atlas", os.MFD_CLOEXEC)
        with os.fdopen(handle, "wb") as file:
            yield file, Path(f"/proc/{os.getpid()}/fd/{handle}")
        return
    with tempfile.TemporaryDirectory(prefix="atlas-") as folder:
        path = Path(folder) / "bytes"
        with path.open("wb") as file:
            yield file, path
