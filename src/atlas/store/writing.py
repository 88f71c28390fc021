"""Writing rows: Arrow frames into a dataset's table by binary COPY, in one transaction with the catalog."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from psycopg import sql
from psycopg.types.json import Jsonb

from atlas.core.blocks import BLOCK_ROWS, MAX_BLOCKS, Block, Range
from atlas.core.columns import Column
from atlas.core.frames import Frame, fit, plan_schema
from atlas.errors import BadRequestError, NotFoundError
from atlas.store import rollups
from atlas.store.copying import all_of, copy_batches
from atlas.store.database import Connection, Database
from atlas.store.datasets import apply_schema, between, columns_of, table_of
from atlas.store.queries import queries


@dataclass(frozen=True, slots=True)
class Retry:
    """What makes a repeated insert safe: the caller's key for it, and a hash of what was sent."""

    user_id: int
    key: str
    fingerprint: bytes


async def insert(
    database: Database, dataset_id: int, frames: AsyncIterator[Frame], respond: Callable[[int], Any],
    retry: Retry | None = None,
) -> Any:  # fmt: skip
    """Inserts all rows of `frames`, each sorted by time, or none if one of them raises.

    Gives what `respond` makes of the number of rows, or the response that `retry` had before. When it
    returns, the rows are committed and on disk, and listeners have been told.
    """
    async with database.transaction() as connection:
        if retry is not None:
            earlier = await _claim(connection, retry)
            if earlier is not None:
                return earlier
        response = respond(await append(connection, dataset_id, frames))
        if retry is not None:
            parameters = {"user": retry.user_id, "key": retry.key, "response": Jsonb(response)}
            await connection.execute(queries("rows")["store_idempotency_response"], parameters)
    return response


async def append(connection: Connection, dataset_id: int, frames: AsyncIterator[Frame]) -> int:
    """As `insert`, within a transaction of the caller's; gives the number of rows."""
    state = await _lock(connection, dataset_id)
    return await _append(connection, dataset_id, state, frames)


async def _claim(connection: Connection, retry: Retry) -> Any:
    parameters = {"user": retry.user_id, "key": retry.key, "fingerprint": retry.fingerprint}
    # Waits for an insert with the same key that is still under way.
    cursor = await connection.execute(queries("rows")["claim_idempotency_key"], parameters)
    if await cursor.fetchone() is not None:
        return None
    cursor = await connection.execute(queries("rows")["find_idempotency_key"], parameters)
    row = await cursor.fetchone()
    assert row is not None
    if bytes(row[0]) != retry.fingerprint:
        raise BadRequestError("Idempotency-Key reused", "the key was used before for another request")
    return row[1]


@dataclass(slots=True)
class _State:
    schema: str
    last_seq: int
    row_count: int
    late_rows: int
    max_ts: int | None
    ts_index: bool


async def _lock(connection: Connection, dataset_id: int) -> _State:
    cursor = await connection.execute(queries("rows")["lock_state"], {"id": dataset_id})
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    return _State(*row)


async def _append(connection: Connection, dataset_id: int, state: _State, frames: AsyncIterator[Frame]) -> int:
    table = table_of(state.schema, dataset_id)
    columns = {c.name: c for c in (await columns_of(connection, [dataset_id]))[dataset_id]}
    seq, late, top = state.last_seq, 0, state.max_ts
    extra = False
    blocks: list[Block] = []
    async for frame in frames:
        if not len(frame):
            continue
        change = plan_schema(columns, [frame])
        if not change.empty:
            columns = await apply_schema(connection, dataset_id, table, columns, change)
        micros = frame.ts.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if top is not None:
            late += int(np.searchsorted(micros, top, side="left"))
        top = int(micros[-1]) if top is None else max(top, int(micros[-1]))
        blocks += _blocks_of(micros, seq + 1)
        extra = await _copy(connection, table, frame, columns, seq + 1) or extra
        seq += len(frame)
    added = seq - state.last_seq
    if added:
        await _store_blocks(connection, dataset_id, blocks)
        parameters = {
            "id": dataset_id, "last_seq": seq, "added": added, "late": late, "max_ts": top, "extra": extra,
        }  # fmt: skip
        await connection.execute(queries("rows")["advance_state"], parameters)
        await connection.execute(queries("rows")["notify"], {"id": dataset_id})
    return added


async def _copy(
    connection: Connection, table: sql.Identifier, frame: Frame, columns: Mapping[str, Column], first_seq: int
) -> bool:
    """Copies a frame; tells whether it has values that no column holds."""
    fitted = await asyncio.to_thread(fit, frame, columns)
    extra = "_extra" in fitted.column_names
    numbers = pa.array(np.arange(first_seq, first_seq + len(frame)))
    fitted = fitted.add_column(0, "_seq", numbers)
    await copy_batches(connection, table, fitted.column_names, fitted.schema, all_of(fitted))
    return extra


def _blocks_of(micros: np.ndarray[Any, Any], first_seq: int) -> list[Block]:
    """Blocks of sorted timestamps that are numbered from `first_seq`."""
    blocks = []
    for start in range(0, len(micros), BLOCK_ROWS):
        part = micros[start : start + BLOCK_ROWS]
        first = first_seq + start
        blocks.append(Block(first, first + len(part) - 1, len(part), int(part[0]), int(part[-1])))
    return blocks


async def _store_blocks(connection: Connection, dataset_id: int, blocks: list[Block]) -> None:
    """Stores new blocks; the first is joined to the last stored one while that is not full."""
    cursor = await connection.execute(queries("rows")["last_block"], {"id": dataset_id})
    row = await cursor.fetchone()
    if row is not None:
        last, first = Block(*row), blocks[0]
        if last.rows + first.rows <= BLOCK_ROWS:
            parameters = {
                "id": dataset_id, "first_seq": last.first_seq, "last_seq": first.last_seq,
                "rows": last.rows + first.rows, "min_ts": min(last.min_ts, first.min_ts),
                "max_ts": max(last.max_ts, first.max_ts),
            }  # fmt: skip
            await connection.execute(queries("rows")["update_block"], parameters)
            blocks = blocks[1:]
    if not blocks:
        return
    arrays = {
        "id": dataset_id, "firsts": [b.first_seq for b in blocks], "lasts": [b.last_seq for b in blocks],
        "counts": [b.rows for b in blocks], "mins": [b.min_ts for b in blocks],
        "maxs": [b.max_ts for b in blocks],
    }  # fmt: skip
    await connection.execute(queries("rows")["insert_blocks"], arrays)
    cursor = await connection.execute(queries("rows")["count_blocks"], {"id": dataset_id})
    counted = await cursor.fetchone()
    if counted is not None and counted[0] > MAX_BLOCKS:
        await connection.execute(queries("rows")["merge_blocks"], {"id": dataset_id})


async def delete_range(database: Database, dataset_id: int, span: Range) -> int:
    """Deletes the rows within `span`; gives their number."""
    async with database.transaction() as connection:
        state = await _lock(connection, dataset_id)
        removed = await _delete(connection, dataset_id, state, between(span), span.meets, span.holds)
        if removed:
            await rollups.forget(connection, dataset_id, span)
    return removed


async def delete_numbered(connection: Connection, dataset_id: int, first: int, last: int) -> int:
    """Deletes the rows numbered from `first` to `last`, within a transaction; gives their number."""
    state = await _lock(connection, dataset_id)
    where = sql.SQL("_seq BETWEEN {} AND {}").format(first, last)
    removed = await _delete(
        connection, dataset_id, state, where,
        lambda block: block.last_seq >= first and block.first_seq <= last,
        lambda block: block.first_seq >= first and block.last_seq <= last,
    )  # fmt: skip
    if removed:
        await rollups.forget_all(connection, dataset_id, first)
    return removed


async def last_number(connection: Connection, dataset_id: int) -> int:
    """The number of the row that was written last."""
    return (await _lock(connection, dataset_id)).last_seq


async def _delete(
    connection: Connection, dataset_id: int, state: _State, where: sql.Composable, meets: Callable[[Block], bool],
    holds: Callable[[Block], bool],
) -> int:  # fmt: skip
    table = table_of(state.schema, dataset_id)
    cursor = await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(table, where))
    removed = cursor.rowcount
    if not removed:
        return 0
    cursor = await connection.execute(queries("rows")["all_blocks"], {"id": dataset_id})
    for block in [Block(*row) for row in await cursor.fetchall()]:
        if meets(block):
            await _recount(connection, dataset_id, table, block, whole=holds(block))
    await connection.execute(queries("rows")["shrink_state"], {"id": dataset_id, "removed": removed})
    return removed


async def _recount(
    connection: Connection, dataset_id: int, table: sql.Identifier, block: Block, *, whole: bool
) -> None:
    count, low, high = 0, None, None
    if not whole:
        statement = sql.SQL(
            "SELECT count(*), (extract(epoch FROM min(ts)) * 1000000)::bigint, "
            "(extract(epoch FROM max(ts)) * 1000000)::bigint FROM {} WHERE _seq BETWEEN %s AND %s"
        ).format(table)
        cursor = await connection.execute(statement, (block.first_seq, block.last_seq))
        row = await cursor.fetchone()
        assert row is not None
        count, low, high = row
    if not count:
        await connection.execute(queries("rows")["delete_block"], {"id": dataset_id, "first_seq": block.first_seq})
        return
    parameters = {
        "id": dataset_id, "first_seq": block.first_seq, "last_seq": block.last_seq,
        "rows": count, "min_ts": low, "max_ts": high,
    }  # fmt: skip
    await connection.execute(queries("rows")["update_block"], parameters)
