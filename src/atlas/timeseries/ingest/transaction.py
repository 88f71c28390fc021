"""Writing rows: Arrow frames into a dataset's table by binary COPY, in one transaction with the catalog."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from atlas.db.database import Connection, Database
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import idempotency
from atlas.timeseries.ingest.appender import lock, open_appender
from atlas.timeseries.ingest.idempotency import Retry


async def insert(
    database: Database,
    dataset_id: int,
    frames: AsyncIterator[Frame],
    respond: Callable[[int], Any],
    retry: Retry | None = None,
) -> Any:
    """Inserts all rows of `frames`, each sorted by time, or none if one of them raises.

    Gives what `respond` makes of the number of rows, or the response that `retry` had before. When it
    returns, the rows are committed and on disk, and listeners have been told.
    """
    async with database.transaction() as connection:
        if retry is not None:
            earlier = await idempotency.claim(connection, retry)
            if earlier is not None:
                return earlier
        response = respond(await append(connection, dataset_id, frames))
        if retry is not None:
            await idempotency.keep_answer(connection, retry, response)
    return response


async def append(connection: Connection, dataset_id: int, frames: AsyncIterator[Frame]) -> int:
    """As `insert`, within a transaction of the caller's; gives the number of rows."""
    appender = await open_appender(connection, dataset_id)
    async for frame in frames:
        await appender.add(frame)
    await appender.flush()
    return await appender.finish()


async def last_number(connection: Connection, dataset_id: int) -> int:
    """The number of the row that was written last."""
    return (await lock(connection, dataset_id)).last_seq
