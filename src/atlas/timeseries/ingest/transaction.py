"""Writes Arrow frames to a dataset's table by binary COPY, in one transaction with the catalog."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from atlas.db.database import Connection, Database
from atlas.timeseries.conflicts.model import Outcome, Policy
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import idempotency
from atlas.timeseries.ingest.appender import Appender, lock, open_appender
from atlas.timeseries.ingest.chunk_appender import ChunkAppender
from atlas.timeseries.ingest.idempotency import Retry


@dataclass(frozen=True, slots=True)
class Written:
    """The rows of an insert.

    - rows: number of rows that were stored, which have the last numbers of the dataset.
    - outcome: what a policy did, or None where all rows were appended.
    """

    rows: int
    outcome: Outcome | None


async def insert(
    database: Database,
    dataset_id: int,
    frames: AsyncIterator[Frame],
    respond: Callable[[Written], Any],
    retry: Retry | None = None,
    policy: Policy | None = None,
    *,
    packed: bool = False,
) -> Any:
    """Inserts all rows of `frames`, each sorted by time, or no row when a frame raises an error.

    - policy: that of `append`.
    - packed: whether the rows go to chunks, where the dataset is ready for them.

    Returns the result of `respond`, or the earlier response of `retry`. When the function returns, the rows are
    committed and on disk, and listeners are notified.

    Raises NotFoundError: when there is no such dataset.
    """
    async with database.transaction() as connection:
        if retry is not None:
            earlier = await idempotency.claim(connection, retry)
            if earlier is not None:
                return earlier
        response = respond(await append(connection, dataset_id, frames, policy, packed=packed))
        if retry is not None:
            await idempotency.keep_answer(connection, retry, response)
    return response


async def append(
    connection: Connection,
    dataset_id: int,
    frames: AsyncIterator[Frame],
    policy: Policy | None = None,
    *,
    packed: bool = False,
) -> Written:
    """Inserts rows like `insert` in the caller's transaction.

    `policy` tells what happens to rows whose timestamp and keys others have; None leaves that to the dataset.

    Raises BadRequestError: when the policy is laxer than the dataset declares.
    Raises ConflictError: when rows have the timestamp and keys of others, and the policy rejects that.
    """
    appender = await open_appender(connection, dataset_id, ChunkAppender if packed else Appender)
    outcome = appender.follow(policy)
    rows = 0
    async for frame in frames:
        await appender.add(frame, rows)
        rows += len(frame)
    await appender.close()
    return Written(await appender.finish(), outcome)


async def last_number(connection: Connection, dataset_id: int) -> int:
    """Returns the number of the last written row."""
    return (await lock(connection, dataset_id)).last_seq
