"""Writes Arrow frames to a dataset's table by binary COPY, in one transaction with the catalog."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from atlas.db.database import Connection, Database
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import idempotency
from atlas.timeseries.ingest.appender import Appender, lock, open_appender
from atlas.timeseries.ingest.chunk_appender import ChunkAppender
from atlas.timeseries.ingest.idempotency import Retry


async def insert(
    database: Database,
    dataset_id: int,
    frames: AsyncIterator[Frame],
    respond: Callable[[int], Any],
    retry: Retry | None = None,
    *,
    packed: bool = False,
) -> Any:
    """Inserts all rows of `frames`, each sorted by time, or no row when a frame raises an error.

    packed: whether the rows go to chunks, where the dataset is ready for them.

    Returns the result of `respond` for the number of rows, or the earlier response of `retry`. When the function
    returns, the rows are committed and on disk, and listeners are notified.

    Raises NotFoundError: when there is no such dataset.
    """
    async with database.transaction() as connection:
        if retry is not None:
            earlier = await idempotency.claim(connection, retry)
            if earlier is not None:
                return earlier
        response = respond(await append(connection, dataset_id, frames, packed=packed))
        if retry is not None:
            await idempotency.keep_answer(connection, retry, response)
    return response


async def append(connection: Connection, dataset_id: int, frames: AsyncIterator[Frame], *, packed: bool = False) -> int:
    """Inserts rows like `insert` in the caller's transaction, and returns the number of rows."""
    appender = await open_appender(connection, dataset_id, ChunkAppender if packed else Appender)
    rows = 0
    async for frame in frames:
        await appender.add(frame, rows)
        rows += len(frame)
    await appender.close()
    return await appender.finish()


async def last_number(connection: Connection, dataset_id: int) -> int:
    """Returns the number of the last written row."""
    return (await lock(connection, dataset_id)).last_seq
