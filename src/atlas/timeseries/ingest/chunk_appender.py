"""Appends many rows straight to chunks, in the transaction of their insert, without a table of rows between.

A chunk takes a tenth of the bytes that the same rows take in a table, and of their write-ahead log. Encoding chunks is
faster than copying rows.
"""

from __future__ import annotations

import asyncio

import psycopg
import pyarrow as pa

from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.timeseries.cold import mover, store
from atlas.timeseries.cold.chunk_codec import CHUNK_ROWS, EXTRA, Chunk, encode, part_name
from atlas.timeseries.frames import SchemaChange
from atlas.timeseries.ingest.appender import Appender
from atlas.timeseries.repository import chunks_of
from atlas.timeseries.series.tables import keys_of

# Rows and bytes that wait for their chunks. Rows that wait together are put in order of time together.
WAITING_ROWS, WAITING_BYTES = 4 * CHUNK_ROWS, 64 << 20
# Rows with more columns may not fit PostgreSQL's page, where the rows must lie once a query needs them unpacked.
MOST_COLUMNS = 250


async def prepare(database: Database, dataset_id: int) -> None:
    """Makes a dataset ready for chunks, in a transaction of its own, as readers must not wait until the load's end.

    Does nothing when readers hold the dataset's table for long, or when the dataset has keys. The rows then go to the
    table.
    """
    async with database.connection() as connection:
        cold = await store.find(connection, dataset_id)
        keys = await keys_of(connection, dataset_id)
    if cold is None or cold.frozen or keys:
        return
    try:
        async with mover.lock_state(database, dataset_id) as connection:
            await store.freeze(connection, dataset_id)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, NotFoundError):
        return


class ChunkAppender(Appender):
    """Appends frames to chunks; to the table, like `Appender`, where the dataset is not ready for chunks.

    Rows of datasets with keys go to the table, whose index finds the rows of one series among millions.
    Rows by a policy for conflicts go to the table, too, as later frames look for them.
    """

    _packed = 0

    @property
    def _to_chunks(self) -> bool:
        return self._state.cold and not self._state.keys and not self._resolvers

    def _due(self) -> bool:
        if not self._to_chunks:
            return super()._due()
        return self._seq - self._copied >= WAITING_ROWS or sum(one.nbytes for one in self._waiting) >= WAITING_BYTES

    def _splits(self, change: SchemaChange) -> bool:
        # Rows without a column that is added later have no values there, in a chunk as in a table.
        return super()._splits(change) if not self._to_chunks else bool(change.widen)

    async def _store(self, rows: pa.Table) -> None:
        keys = {c.physical: part_name(c) for c in self._columns.values() if c.physical in rows.column_names}
        if not self._to_chunks or len(keys) > MOST_COLUMNS:
            await super()._store(rows)
            return
        names = {name: key for name, key in keys.items() if name is not None}
        if "_extra" in rows.column_names:
            names["_extra"] = EXTRA

        def packed() -> list[Chunk]:
            return list(encode(rows, names, even=True))

        table = chunks_of(self._state.schema, self._dataset_id)
        await store.insert_chunks(self._connection, table, await asyncio.to_thread(packed))
        self._packed += len(rows)

    async def finish(self) -> int:
        """Stores blocks and counters like `Appender.finish`, and the number of packed rows."""
        added = await super().finish()
        if self._packed:
            parameters = {
                "id": self._dataset_id,
                "rows": self._packed,
                "before": self._state.last_seq,
                "upto": self._seq if self._packed == added else self._state.last_seq,
            }
            await self._connection.execute(queries("timeseries/cold/cold")["add_packed"], parameters)
        return added
