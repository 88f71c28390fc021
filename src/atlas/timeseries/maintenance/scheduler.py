"""Background maintenance after writes: at most one run at a time, soon after writes pause."""

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
from atlas.timeseries.tombstones import finish_deletes

# Long enough for a burst of inserts to end. Short enough that reads rarely meet an unsummarized tail.
DELAY_SECONDS = 1.0
# Reads scan all unsummarized pages, which takes some 50 ms for a million rows. Therefore pages of this number of rows
# are summarized at once, which takes PostgreSQL some 4% of the time of the insert.
LARGE_ROWS = 50_000
# An autovacuum that holds the table may finish, unless this number of rows came meanwhile.
INSISTENT_ROWS = 2_000_000
# Seconds between deletions of old idempotency keys, and of rows that were deleted long ago.
SWEEP_SECONDS = 600.0

# A rollup takes a tenth of the time of its rows' insert, on cores that writers need. Therefore a rollup waits until its
# dataset was left alone for QUIET_SECONDS. Rollups with up to FEW_ROWS behind do not wait, which is the case of
# datasets with some rows every second.
QUIET_SECONDS = 2.0
FEW_ROWS = 20_000
# Rollups with this number of rows behind do not wait either, because charts are slow without the rollup.
MANY_ROWS = 5_000_000
# Seconds of rollup work at a time, before other work has its turn.
ROLLUP_SECONDS = 5.0

log = structlog.get_logger()


class Upkeep:
    """Maintains the datasets that were written to."""

    def __init__(self, database: Database, *, idempotency_hours: int, deleted_days: int) -> None:
        self._database = database
        self._idempotency_hours, self._deleted_days = idempotency_hours, deleted_days
        self._swept = -SWEEP_SECONDS
        # Known number of rows by dataset since the last maintenance.
        self._due: Counter[int] = Counter()
        # Datasets with a rollup that may be behind, and the time of the last write.
        self._behind: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None
        # Tasks that summarize new pages, by dataset.
        self._large: dict[int, asyncio.Task[None]] = {}

    def touch(self, dataset_id: int, rows: int = 0) -> None:
        """Schedules maintenance of a dataset after a write. Starts to summarize pages at once when `rows` are many."""
        self._due[dataset_id] += rows
        if rows >= LARGE_ROWS and dataset_id not in self._large:
            self._large[dataset_id] = start_detached(self._summarize(dataset_id))
        self._behind[dataset_id] = time.monotonic()
        self._start()

    def want(self, dataset_id: int) -> None:
        """Schedules a dataset's rollup, even under writes, because a user looks at the dataset's chart."""
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
                    await finish_deletes(self._database, self._deleted_days)
            except AtlasError as error:
                # The next write tries the work again. Until then reads are only slower.
                self._behind.clear()
                log.warning("upkeep failed", error=str(error))

    async def _roll_up(self) -> None:
        until = time.monotonic() + ROLLUP_SECONDS
        for dataset_id in list(self._behind):
            # The dataset moves to the end, so that a slow dataset does not delay the others.
            self._behind[dataset_id] = self._behind.pop(dataset_id)
            while time.monotonic() < until:
                written = self._behind[dataset_id]
                rows = await maintenance.count_missing(self._database, dataset_id)
                busy = time.monotonic() - written < QUIET_SECONDS
                if busy and FEW_ROWS < rows < MANY_ROWS:
                    break
                more = rows > 0 and await maintenance.advance(self._database, dataset_id)
                if not more:
                    if self._behind[dataset_id] == written:
                        del self._behind[dataset_id]
                    break
