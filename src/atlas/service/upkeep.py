"""Upkeep after writes, in the background: at most one run at a time, soon after writes pause."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog

from atlas.errors import AtlasError
from atlas.store import upkeep as store
from atlas.store.database import Database

# Long enough for a burst of inserts to end, short enough that reads rarely meet an unsummarized tail.
DELAY_SECONDS = 1.0
# How often what is too old is removed.
SWEEP_SECONDS = 600.0

log = structlog.get_logger()


class Upkeep:
    """Tidies the datasets that were written to."""

    def __init__(self, database: Database, *, idempotency_hours: int) -> None:
        self._database = database
        self._idempotency_hours = idempotency_hours
        self._swept = -SWEEP_SECONDS
        self._due: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def touch(self, dataset_id: int) -> None:
        """Has a dataset tidied soon."""
        self._due.add(dataset_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._due:
            await asyncio.sleep(DELAY_SECONDS)
            due, self._due = self._due, set()
            try:
                for dataset_id in due:
                    await store.tidy(self._database, dataset_id)
                if time.monotonic() - self._swept >= SWEEP_SECONDS:
                    self._swept = time.monotonic()
                    await store.forget_idempotency_keys(self._database, self._idempotency_hours)
            except AtlasError as error:
                # The next write has it tried again; reads are only slower meanwhile.
                log.warning("upkeep failed", error=str(error))
