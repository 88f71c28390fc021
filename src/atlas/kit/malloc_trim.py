"""Returns the memory of large requests to the system once they are over."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from atlas.kit.allocators import release
from atlas.kit.tasks import end_task

CHECK_SECONDS = 10.0
# The growth that is worth a trim, and the largest change in size of a process at rest.
GROWN_BYTES, STILL_BYTES = 64 * 2**20, 8 * 2**20
_STATM = Path("/proc/self/statm")


def resident() -> int:
    """Returns the bytes of this process that are in memory; 0 when the system does not report them."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class MemoryKeeper:
    """Checks the process every 10 seconds, and trims its memory once the process has grown and is at rest again."""

    def __init__(self) -> None:
        self._floor = self._before = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._floor = self._before = resident()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        await end_task(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self.check()

    async def check(self) -> bool:
        """Trims the memory when due. Returns whether a trim was due."""
        now = resident()
        due = now - self._floor > GROWN_BYTES and abs(now - self._before) < STILL_BYTES
        if due:
            await asyncio.to_thread(release)
            # The rest is in use, or cannot be given back. Only growth beyond this size is trimmed again.
            now = self._floor = resident()
        self._floor = min(self._floor, now)
        self._before = now
        return due
