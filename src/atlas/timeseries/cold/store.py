"""Packed rows of a dataset in the database: which tables hold them, and the chunks in `_chunks_<id>`.

A dataset with packed rows has three tables at most. `_hot_<id>` takes new rows, `_chunks_<id>` has the chunks that
`chunk_codec.py` makes, and `_cold_<id>` has what an earlier version packed; see `legacy_view.py`. One transaction moves
rows from one to another, so every statement that reads all of them sees each row once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
from psycopg import sql

from atlas.db import executor
from atlas.db.copy import copy_table
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold.chunk_codec import Chunk
from atlas.timeseries.repository import chunks_of, cold_of, hot_of, table_of, unpacked_of

_COMMA = sql.SQL(", ")


@dataclass(frozen=True, slots=True)
class Cold:
    """A dataset's storage.

    - frozen: whether the dataset has packed rows at all.
    - legacy: whether some of them are in the storage of an earlier version, in TimescaleDB's columnstore if
      `columnstore` says so.
    - upto: number up to which rows were looked at. rows: number of packed rows.
    """

    dataset_id: int
    schema: str
    frozen: bool
    row_count: int
    legacy: bool = False
    columnstore: bool = False
    upto: int = 0
    rows: int = 0
    parts: tuple[str, ...] = ()

    @property
    def view(self) -> sql.Identifier:
        """The view of rows that are not in chunks, where there are legacy rows."""
        return table_of(self.schema, self.dataset_id)

    @property
    def unpacked(self) -> sql.Identifier:
        return unpacked_of(self.schema, self.dataset_id)

    @property
    def hot(self) -> sql.Identifier:
        return hot_of(self.schema, self.dataset_id, cold=self.frozen)

    @property
    def packed(self) -> sql.Identifier:
        return cold_of(self.schema, self.dataset_id)

    @property
    def chunks(self) -> sql.Identifier:
        return chunks_of(self.schema, self.dataset_id)


async def find(connection: Connection, dataset_id: int) -> Cold | None:
    """Returns a dataset's storage, or None when there is no such dataset."""
    row = await executor.row(connection, queries("timeseries/cold/cold")["find"], {"id": dataset_id})
    if row is None:
        return None
    schema, frozen, row_count, legacy, in_columnstore, upto, rows, parts = row
    return Cold(dataset_id, schema, frozen, row_count, legacy, in_columnstore, upto or 0, rows or 0, tuple(parts or ()))


async def freeze(connection: Connection, dataset_id: int) -> None:
    """Prepares a dataset for packed rows. The caller holds the lock on the dataset's state.

    The table gets another name. Readers that know the dataset from before then find no table and look again, instead of
    missing rows that are packed meanwhile. Roles that could read the table lose that right, because the table no longer
    has all rows.
    """
    cold = await find(connection, dataset_id)
    if cold is None or cold.frozen:
        return
    for reader in await readers_of(connection, cold.view):
        await connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(cold.view, sql.Identifier(reader)))
    known = queries("timeseries/cold/cold")
    await connection.execute(known["forget_grants"], {"id": dataset_id})
    renamed = sql.SQL("ALTER TABLE {} RENAME TO {}").format(cold.view, sql.Identifier(f"_hot_{dataset_id}"))
    await connection.execute(renamed)
    await connection.execute(known["create_chunks"], {"schema": cold.schema, "id": dataset_id})
    await connection.execute(known["insert"], {"id": dataset_id})
    await connection.execute(known["freeze"], {"id": dataset_id})


async def readers_of(connection: Connection, relation: sql.Identifier) -> list[str]:
    """Returns the roles that may read a relation, without its owner."""
    found = await connection.execute(queries("timeseries/cold/cold")["grants"], {"relation": relation.as_string()})
    return [row[0] for row in await found.fetchall()]


async def insert_chunks(connection: Connection, table: sql.Identifier, chunks: Collection[Chunk]) -> None:
    """Adds chunks to their table."""
    pairs = [(chunk, part) for chunk in chunks for part in chunk.parts]
    columns = {
        "low_seq": pa.array([chunk.low_seq for chunk, _ in pairs], pa.int64()),
        "high_seq": pa.array([chunk.high_seq for chunk, _ in pairs], pa.int64()),
        "low_ts": pa.array([chunk.low_ts for chunk, _ in pairs], pa.int64()),
        "high_ts": pa.array([chunk.high_ts for chunk, _ in pairs], pa.int64()),
        "rows": pa.array([chunk.rows for chunk, _ in pairs], pa.int32()),
        "digits": pa.array([chunk.digits for chunk, _ in pairs], pa.int16()),
        "part": pa.array([part.name for _, part in pairs], pa.string()),
        "nulls": pa.array([part.nulls for _, part in pairs], pa.int32()),
        "low": pa.array([part.low for _, part in pairs], pa.float64()),
        "high": pa.array([part.high for _, part in pairs], pa.float64()),
        "body": pa.array([part.body for _, part in pairs], pa.binary()),
    }
    await copy_table(connection, table, pa.table(columns), inline=False)


async def advance(connection: Connection, dataset_id: int, upto: int, rows: int) -> None:
    """Stores up to which number rows were looked at, and by how many rows the packed rows have grown."""
    parameters = {"id": dataset_id, "upto": upto, "rows": rows}
    await connection.execute(queries("timeseries/cold/cold")["advance"], parameters)


def numbers_of(chunks: Sequence[Chunk]) -> int:
    """Returns the number of rows in chunks."""
    return sum(chunk.rows for chunk in chunks)
