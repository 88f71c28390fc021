"""Writes the progress of a running import, for other requests and processes to read."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from uuid import UUID

from atlas.db.database import Database
from atlas.errors import AtlasError
from atlas.imports import repository as imports
from atlas.kit.tasks import end_task

# Frequent enough for a progress bar.
INTERVAL_SECONDS = 0.5
HEARTBEAT_SECONDS = 20.0


class Progress:
    """The latest stage and record count of one import. `report` may be called from any thread."""

    def __init__(self, database: Database, import_id: UUID) -> None:
        self._database, self._import_id = database, import_id
        self._latest: tuple[str, int] = ("received", 0)
        self._written: tuple[str, int] | None = None
        self._at = 0.0

    def report(self, stage: str, records: int) -> None:
        self._latest = (stage, records)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Progress]:
        """Writes reported progress to the database while the block runs."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            await end_task(task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            # Written from time to time without a change as well, since a silent import counts as dead.
            if self._latest != self._written or time.monotonic() - self._at >= HEARTBEAT_SECONDS:
                # Progress is optional, so the import continues without it.
                with contextlib.suppress(AtlasError):
                    await imports.report(self._database, self._import_id, *self._latest)
                    self._written, self._at = self._latest, time.monotonic()
