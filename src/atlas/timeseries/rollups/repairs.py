"""Repairs of rollups in the transactions that delete or replace rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from psycopg import sql

from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold.chunk_codec import Ints
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.repository import columns_of
from atlas.timeseries.rollups import levels as core
from atlas.timeseries.rollups.maintenance import (
    Rollup,
    add_buckets,
    align,
    buckets_of_rows,
    find,
    numeric_columns,
    save,
    starting,
    stored_buckets,
)
from atlas.timeseries.zone_map import Range

# Buckets that are rebuilt in the transaction of a correction. More are left to the background.
MOST_REPAIRS = 50


async def forget(connection: Connection, dataset_id: int, span: Range) -> None:
    """Removes all rows within `span` from the rollup, in the transaction that deletes the rows."""
    rollup = await _lock_rollup(connection, dataset_id)
    if rollup is not None:
        await _renew(connection, rollup, [span], whole=False)


async def correct(connection: Connection, dataset_id: int, numbers: Ints, micros: Ints) -> None:
    """Removes rows, given by numbers and times, from the rollup, in the transaction that replaces the rows.

    The buckets of their times are rebuilt. Where these are many, the rollup is emptied for a rebuild.
    """
    rollup = await _lock_rollup(connection, dataset_id)
    if rollup is None or not len(held := micros[numbers <= rollup.upto]):
        return
    starts = sorted({core.floor(one, rollup.width) for one in np.unique(held).tolist()})
    if len(starts) > MOST_REPAIRS:
        await _empty(connection, rollup)
        return
    await _renew(connection, rollup, [core.around(Range(one, one + 1), rollup.width) for one in starts], whole=True)


async def _renew(connection: Connection, rollup: Rollup, spans: Sequence[Range], *, whole: bool) -> None:
    """Rebuilds the buckets of spans from the rows that are left.

    whole: whether rows within the spans are left, and not only at the edges.
    """
    columns = numeric_columns((await columns_of(connection, [rollup.dataset_id]))[rollup.dataset_id])
    rollup = await align(connection, rollup, columns)
    await save(connection, rollup)
    for span, width in product(spans, core.levels(rollup.width)):
        # Buckets that the range cuts are rebuilt, wide buckets from the rest of the narrowest buckets.
        outer = core.around(span, width)
        await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(rollup.table, starting(width, outer)))
        if width == rollup.width:
            for edge in [outer] if whole else core.edges(span, width):
                source = await buckets_of_rows(connection, rollup, columns, Bounds(edge, 1, rollup.upto))
                await add_buckets(connection, rollup, source, [width])
        else:
            await add_buckets(connection, rollup, stored_buckets(rollup, rollup.width, outer), [width])


async def forget_all(connection: Connection, dataset_id: int, first_seq: int) -> None:
    """Empties the rollup for a rebuild when the rollup has rows numbered from `first_seq`, which are being deleted."""
    rollup = await _lock_rollup(connection, dataset_id)
    if rollup is not None and rollup.upto >= first_seq:
        await _empty(connection, rollup)


async def _empty(connection: Connection, rollup: Rollup) -> None:
    await connection.execute(sql.SQL("DELETE FROM {}").format(rollup.table))
    await save(connection, replace(rollup, upto=0))


async def _lock_rollup(connection: Connection, dataset_id: int) -> Rollup | None:
    await connection.execute(queries("timeseries/rollups/rollups")["lock"], {"id": dataset_id})
    found = await find(connection, dataset_id)
    return found if found is not None and found.width else None
