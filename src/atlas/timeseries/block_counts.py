"""Counts of the rows of row blocks, after rows were deleted or replaced.

The caller holds the lock on the dataset's state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from psycopg import sql

from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold import chunk_changes, store
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.repository import numbered, readable_of
from atlas.timeseries.zone_map import Block, Range

Ints = npt.NDArray[np.int64]


async def all_blocks(connection: Connection, dataset_id: int) -> list[Block]:
    """Returns the row blocks of a dataset, in order of their numbers."""
    cursor = await connection.execute(queries("timeseries/rows")["all_blocks"], {"id": dataset_id})
    return [Block(*row) for row in await cursor.fetchall()]


async def _extent(connection: Connection, dataset_id: int, block: Block) -> tuple[int, int, int]:
    """Returns number, least and greatest time of the rows that a block has now."""
    bounds = Bounds(Range(), block.first_seq, block.last_seq)
    cold = await store.find(connection, dataset_id)
    if cold is None:
        return 0, 0, 0
    statement = sql.SQL(
        "SELECT count(*), (extract(epoch FROM min(ts)) * 1000000)::bigint, "
        "(extract(epoch FROM max(ts)) * 1000000)::bigint FROM {} WHERE {}"
    ).format(
        readable_of(cold.schema, dataset_id, cold=cold.frozen, legacy=cold.legacy),
        numbered(block.first_seq, block.last_seq, cold=cold.legacy),
    )
    row = await (await connection.execute(statement)).fetchone()
    assert row is not None
    extents = [row] if row[0] else []
    if cold.frozen:
        extents += await chunk_changes.extents(connection, cold.chunks, bounds)
    return sum(e[0] for e in extents), min((e[1] for e in extents), default=0), max((e[2] for e in extents), default=0)


async def recount(connection: Connection, dataset_id: int, block: Block, *, whole: bool = False) -> None:
    """Counts the rows of a block anew. whole: whether all of them are gone."""
    count, low, high = (0, 0, 0) if whole else await _extent(connection, dataset_id, block)
    await _store(connection, dataset_id, block, count, low, high)


async def _store(connection: Connection, dataset_id: int, block: Block, rows: int, low: int, high: int) -> None:
    named = {"id": dataset_id, "first_seq": block.first_seq}
    if not rows:
        await connection.execute(queries("timeseries/rows")["delete_block"], named)
        return
    parameters = named | {"last_seq": block.last_seq, "rows": rows, "min_ts": low, "max_ts": high}
    await connection.execute(queries("timeseries/rows")["update_block"], parameters)


async def subtract(connection: Connection, dataset_id: int, numbers: Ints, micros: Ints) -> None:
    """Subtracts rows from their blocks. A block is counted anew only where its first or last time may have gone."""
    blocks = await all_blocks(connection, dataset_id)
    places = np.searchsorted(np.array([block.first_seq for block in blocks], np.int64), numbers, "right") - 1
    for place, gone in _by_place(places, micros):
        block = blocks[place]
        if len(gone) < block.rows and block.min_ts < int(gone.min()) and int(gone.max()) < block.max_ts:
            await _store(connection, dataset_id, block, block.rows - len(gone), block.min_ts, block.max_ts)
        else:
            await recount(connection, dataset_id, block, whole=len(gone) >= block.rows)


def _by_place(places: Ints, micros: Ints) -> Sequence[tuple[int, Ints]]:
    order = np.argsort(places, kind="stable")
    found, starts = np.unique(places[order], return_index=True)
    return list(zip(found.tolist(), np.split(micros[order], starts[1:]), strict=True))
