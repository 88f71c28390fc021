"""Packs old rows in the background, and converts what earlier versions packed; see `timeseries/cold/store.py`."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from atlas.db.database import Database
from atlas.errors import AtlasError
from atlas.kit.tasks import end_task
from atlas.timeseries.cold import conversion, mover

_DAY_MICROS = 86_400 * 1_000_000

log = structlog.get_logger()


class Compaction:
    """Sweeps for old rows every `seconds`.

    days: age of rows to pack; infinite packs nothing more, and what is packed stays.

    Rows are packed after two sweeps have seen them, so that a running insert and its rollup come first.
    """

    def __init__(self, database: Database, *, days: float, seconds: float = 60.0) -> None:
        self._database, self._days, self._seconds = database, days, seconds
        # Number of each dataset's last row at the previous sweep.
        self._seen: dict[int, int] = {}
        self._failed: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts the sweeps."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        await end_task(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.sweep()
            except AtlasError as error:
                log.warning("rows not packed", error=str(error))

    async def sweep(self) -> int:
        """Packs the rows that the previous sweep has also seen, and returns their number."""
        await self._convert()
        if math.isinf(self._days):
            return 0
        before = int(time.time() * 1_000_000 - self._days * _DAY_MICROS)
        seen, self._seen = self._seen, await mover.find_due(self._database, before)
        unsettled = await mover.unsettled(self._database)
        total = 0
        old = self._seen.keys() & seen.keys()
        for dataset_id in (old | unsettled) - self._failed:
            try:
                rows = await self._pack(dataset_id, before, seen[dataset_id]) if dataset_id in old else 0
                total += rows
                if rows or dataset_id in unsettled:
                    await mover.settle(self._database, dataset_id)
            except AtlasError:
                raise
            except Exception:
                # The other datasets go on. The failure of this dataset would repeat at the next sweep.
                self._failed.add(dataset_id)
                log.exception("dataset not packed", dataset=dataset_id)
        return total

    async def _convert(self) -> None:
        """Converts what earlier versions packed."""
        for dataset_id in await conversion.unconverted(self._database):
            if dataset_id in self._failed:
                continue
            try:
                await self._repeat(partial(conversion.convert_next, self._database, dataset_id))
            except AtlasError:
                raise
            except Exception:
                self._failed.add(dataset_id)
                log.exception("packed rows of an earlier version not converted", dataset=dataset_id)

    async def _pack(self, dataset_id: int, before: int, upto: int) -> int:
        return await self._repeat(partial(mover.pack_next, self._database, dataset_id, before, upto))

    async def _repeat(self, batch: Callable[[], Awaitable[int | None]]) -> int:
        """Runs batches to the end, and returns the number of their rows."""
        total = 0
        while True:
            started = time.monotonic()
            rows = await batch()
            if rows is None:
                return total
            total += rows
            # Pauses as long as the batch took, so that half of the time is left for other work.
            await asyncio.sleep(time.monotonic() - started)
