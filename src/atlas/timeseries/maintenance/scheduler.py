"""Upkeep after writes, in the background: at most one run at a time, soon after writes pause."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import structlog

from atlas.db.database import Database
from atlas.errors import AtlasError
from atlas.kit.tasks import end_task, start_detached
from atlas.timeseries.maintenance import indexes as store
from atlas.timeseries.rollups import maintenance

# Long enough for a burst of inserts to end, short enough that reads rarely meet an unsummarized tail.
DELAY_SECONDS = 1.0
# Reads that come before the pages of so many rows are summarized would go through all of them, some 50 ms for a million
# rows. So this is done at once, which takes PostgreSQL some 4% of the time that inserting them took.
LARGE_ROWS = 50_000
# An autovacuum that holds the table is left to end, unless so many rows came meanwhile.
INSISTENT_ROWS = 2_000_000
# How often what is too old is removed.
SWEEP_SECONDS = 600.0

# A rollup takes a tenth of the time that inserting its rows took, on cores that writers need. So it waits until a
# dataset was left alone for so long, but where few rows are behind, as they are where some arrive every second, ...
QUIET_SECONDS = 2.0
FEW_ROWS = 20_000
# ... or so many that charts are slow without it.
MANY_ROWS = 5_000_000
# Rollups are made for so long at a time, then the other work has its turn.
ROLLUP_SECONDS = 5.0

log = structlog.get_logger()


class Upkeep:
    """Tidies the datasets that were written to."""

    def __init__(self, database: Database, *, idempotency_hours: int) -> None:
        self._database = database
        self._idempotency_hours = idempotency_hours
        self._swept = -SWEEP_SECONDS
        # Rows that came to datasets since they were tidied, as far as they are known.
        self._due: Counter[int] = Counter()
        # Datasets whose rollup may be behind, and when they were written to last.
        self._behind: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None
        # Datasets whose new pages are being summarized.
        self._large: dict[int, asyncio.Task[None]] = {}

    def touch(self, dataset_id: int, rows: int = 0) -> None:
        """Has a dataset that was written to tidied soon, its pages summarized at once if `rows` are many."""
        self._due[dataset_id] += rows
        if rows >= LARGE_ROWS and dataset_id not in self._large:
            self._large[dataset_id] = start_detached(self._summarize(dataset_id))
        self._behind[dataset_id] = time.monotonic()
        self._start()

    def want(self, dataset_id: int) -> None:
        """Has a dataset's rollup made or brought up to date, busy or not, as somebody looks at its chart."""
        self._behind[dataset_id] = -QUIET_SECONDS
        self._start()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = start_detached(self._run())

    async def close(self) -> None:
        for task in (self._task, *self._large.values()):
            await end_task(task)

    async def _summarize(self, dataset_id: int) -> None:
        try:
            await store.summarize(self._database, dataset_id, insist=self._due[dataset_id] >= INSISTENT_ROWS)
        except AtlasError as error:
            log.warning("pages not summarized", error=str(error))
        finally:
            del self._large[dataset_id]

    async def _run(self) -> None:
        while self._due or self._behind:
            await asyncio.sleep(DELAY_SECONDS)
            due, self._due = self._due, Counter()
            try:
                for dataset_id, rows in due.items():
                    if not await store.tidy(self._database, dataset_id, insist=rows >= INSISTENT_ROWS):
                        self._due[dataset_id] += rows
                await self._roll_up()
                if time.monotonic() - self._swept >= SWEEP_SECONDS:
                    self._swept = time.monotonic()
                    await store.forget_idempotency_keys(self._database, self._idempotency_hours)
            except AtlasError as error:
                # The next write has it tried again; reads are only slower meanwhile.
                self._behind.clear()
                log.warning("upkeep failed", error=str(error))

    async def _roll_up(self) -> None:
        until = time.monotonic() + ROLLUP_SECONDS
        for dataset_id in list(self._behind):
            # To the end, so that one that takes long keeps none waiting.
            self._behind[dataset_id] = self._behind.pop(dataset_id)
            while time.monotonic() < until:
                written = self._behind[dataset_id]
                rows = await maintenance.behind(self._database, dataset_id)
                busy = time.monotonic() - written < QUIET_SECONDS
                if busy and FEW_ROWS < rows < MANY_ROWS:
                    break
                more = rows > 0 and await maintenance.advance(self._database, dataset_id)
                if not more:
                    if self._behind[dataset_id] == written:
                        del self._behind[dataset_id]
                    break
