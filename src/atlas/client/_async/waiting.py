"""What waits: sleeping, work in threads, files in pieces. `_sync` has its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
PIECE = 256 * 1024

sleep = asyncio.sleep


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs what computes or touches disks beside the event loop."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def file_pieces(path: Path) -> AsyncIterator[bytes]:
    """A file's bytes."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
