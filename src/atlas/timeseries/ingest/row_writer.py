"""Writes rows into datasets, by the strategy that their number calls for.

- One statement (`single_statement`): a few rows for columns that are there, where nobody else has written since.
- A group (`group_transaction`): small inserts that arrive while others are being committed, in one transaction.
- A transaction of its own (`transaction`): more than SMALL_ROWS rows or SMALL_BYTES bytes, in a lane of its own.
- Straight to chunks (`chunk_appender`): LEAST_ROWS rows and more, in such a transaction.

`group_commit` chooses between the first two, as only the moment of writing tells.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from atlas.accounts.access import Caller
from atlas.accounts.usage import wrote
from atlas.db.database import Database
from atlas.kit.admission import Lane
from atlas.timeseries.cold.mover import LEAST_ROWS
from atlas.timeseries.conflicts.model import Outcome, Policy
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import chunk_appender, transaction
from atlas.timeseries.ingest.group_commit import SMALL_BYTES, SMALL_ROWS, GroupWriter
from atlas.timeseries.ingest.group_transaction import SmallInsert
from atlas.timeseries.ingest.idempotency import Retry
from atlas.timeseries.ingest.transaction import Written
from atlas.timeseries.maintenance.scheduler import Upkeep

# Builds the answer to an insert from the number of its rows, and what a policy did.
Respond = Callable[[int, Outcome | None], Any]


class RowWriter:
    """Writes the rows of all callers of this process. What was written is on disk when a method returns.

    lane: where large inserts take turns, as each holds a connection for long. packs: whether many rows go to chunks.
    """

    def __init__(self, database: Database, upkeep: Upkeep, lane: Lane, *, packs: bool) -> None:
        self._database, self._upkeep, self._lane, self._packs = database, upkeep, lane, packs
        self._groups = GroupWriter(database)

    async def close(self) -> None:
        """Waits for accepted inserts."""
        await self._groups.close()

    async def write(
        self,
        caller: Caller,
        dataset: int,
        frames: AsyncIterator[Frame],
        retry: Retry | None,
        respond: Respond,
        policy: Policy | None = None,
    ) -> Any:
        """Writes all rows of `frames`, each sorted by time, or none.

        `policy` tells what happens to rows whose timestamp and keys others have; None leaves that to the dataset.

        Returns the answer, or the stored answer of an earlier insert with the same idempotency key.
        """
        first: list[Frame] = []
        rows = size = 0
        async for frame in frames:
            first.append(frame)
            rows, size = rows + len(frame), size + frame.nbytes
            if rows > SMALL_ROWS or size > SMALL_BYTES:
                async with self._lane.slot(caller):
                    return await self._write_many(dataset, _chain(first, frames), retry, respond, policy)
        return await self.write_few(dataset, first, rows, retry, respond, policy)

    async def write_few(
        self,
        dataset: int,
        frames: Sequence[Frame],
        rows: int,
        retry: Retry | None,
        respond: Respond,
        policy: Policy | None = None,
    ) -> Any:
        """Writes up to SMALL_ROWS rows, as `write` does."""
        outcomes: list[Outcome] = []

        def told(outcome: Outcome) -> Any:
            outcomes.append(outcome)
            return respond(rows, outcome)

        answer = respond(rows, None)
        insert = SmallInsert(frames, rows, answer, retry, policy=policy, respond=told)
        stored = await self._groups.insert(dataset, insert)
        if outcomes:
            wrote(outcomes[-1].written)
        elif stored is answer:
            # The result is not the answer to an earlier insert with the same key.
            wrote(rows)
        self._upkeep.touch(dataset)
        return stored

    def ready(self, dataset: int) -> bool:
        """Returns whether few rows may be stored by one statement, as far as this process knows."""
        return self._groups.ready(dataset)

    async def write_unchecked(self, dataset: int, insert: SmallInsert) -> bool:
        """Writes rows whose caller owned the dataset before, if a single statement can, which checks the caller's key.

        Returns False when nothing was stored.
        Raises UnavailableError when nobody knows whether the rows were stored.
        """
        if await self._groups.insert(dataset, insert) is not insert.response:
            return False
        self._upkeep.touch(dataset)
        return True

    async def _write_many(
        self,
        dataset: int,
        frames: AsyncIterator[Frame],
        retry: Retry | None,
        respond: Respond,
        policy: Policy | None,
    ) -> Any:
        packed = False
        if self._packs:
            first, packed = await _look_ahead(frames)
            frames = _chain(first, frames)
        if packed:
            await chunk_appender.prepare(self._database, dataset)
        stored = 0

        def count(written: Written) -> Any:
            nonlocal stored
            stored = written.rows
            return respond(written.rows, written.outcome)

        answer = await transaction.insert(self._database, dataset, frames, count, retry, policy, packed=packed)
        wrote(stored)
        self._upkeep.touch(dataset, stored)
        return answer


async def _look_ahead(frames: AsyncIterator[Frame]) -> tuple[list[Frame], bool]:
    """Reads frames until their rows are enough for chunks, or too large to be held. Returns them, and which it was."""
    first: list[Frame] = []
    rows = size = 0
    async for frame in frames:
        first.append(frame)
        rows, size = rows + len(frame), size + frame.nbytes
        if rows >= LEAST_ROWS:
            return first, True
        if size >= chunk_appender.WAITING_BYTES:
            break
    return first, False


async def _chain(first: list[Frame], rest: AsyncIterator[Frame]) -> AsyncIterator[Frame]:
    while first:
        yield first.pop(0)
    async for frame in rest:
        yield frame
