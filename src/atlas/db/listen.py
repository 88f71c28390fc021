"""LISTEN: one connection per process is notified of every committed write, and reconnects by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import psycopg

from atlas.kit.tasks import end_task

CHANNEL = "atlas_rows"
RECONNECT_SECONDS = 1.0


class Listener:
    """Calls `on_write(dataset_id)` after each commit that wrote rows, on any server of the database.

    A lost connection is made again. The callers' polling finds writes that were missed meanwhile.
    """

    def __init__(self, url: str, on_write: Callable[[int], None]) -> None:
        self._url = url
        self._on_write = on_write
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await end_task(self._task)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for notice in connection.notifies():
                        with contextlib.suppress(ValueError):
                            self._on_write(int(notice.payload))
            await asyncio.sleep(RECONNECT_SECONDS)
