"""Appends rows to a locked dataset: fits rows into columns, numbers, copies and counts rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from atlas.db.copy import copy_table
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError, RowError
from atlas.timeseries.column_notes import note_dataset_column
from atlas.timeseries.columns import Column, from_catalog
from atlas.timeseries.conflicts.model import Outcome, Policy, policy_in_force
from atlas.timeseries.conflicts.resolver import Resolver, Storage, settle
from atlas.timeseries.frames import Frame, SchemaChange, fit, plan_schema
from atlas.timeseries.ingest import latest_rows
from atlas.timeseries.repository import column_of, hot_of
from atlas.timeseries.schema_changes import Place, apply_schema
from atlas.timeseries.series import tables as series_tables
from atlas.timeseries.series.checks import check_keys
from atlas.timeseries.zone_map import BLOCK_ROWS, MAX_BLOCKS, Block, join_blocks

# Fewer rows are not worth a thread, and wait to be copied with the next rows.
FEW_ROWS = 2_000
# Fewer keys are not worth a thread either. Keys without a column of the table are written as JSON one by one.
FEW_KEYS = 200
# With more columns, a cached tail is not worth its memory, nor is a statement that names all columns.
MOST_COLUMNS = 100


@dataclass(slots=True)
class State:
    """The state of a dataset, read when a writer takes the lock."""

    schema: str
    last_seq: int
    max_ts: int | None
    cold: bool
    version: int
    keys: tuple[str, ...] = ()
    on_conflict: Policy = Policy.APPEND


@dataclass(frozen=True, slots=True)
class Tail:
    """A cached state of a dataset after its last write, valid as long as the state in the database is the same."""

    state: State
    columns: Mapping[str, Column]
    last: Block


async def lock(connection: Connection, dataset_id: int) -> State:
    """Takes the dataset's write lock until the transaction ends.

    Raises NotFoundError: when there is no such dataset.
    """
    cursor = await connection.execute(queries("timeseries/rows")["lock_state"], {"id": dataset_id})
    return _state(dataset_id, await cursor.fetchone())


def _state(dataset_id: int, row: Any) -> State:
    if row is None:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    state = State(*row)
    state.keys, state.on_conflict = tuple(map(from_catalog, state.keys)), Policy(state.on_conflict)
    return state


class Opening:
    """The first statements of a writer. Within a pipeline, `send` waits for nothing."""

    def __init__(self, connection: Connection, dataset_id: int) -> None:
        self._connection, self._dataset_id = connection, dataset_id

    async def send(self) -> None:
        """Takes the lock, and reads the state that only the lock's holder changes."""
        execute, wanted = self._connection.execute, {"id": self._dataset_id}
        self._locked = await execute(queries("timeseries/rows")["lock_state"], wanted)
        self._read = await execute(queries("timeseries/rows")["read_for_write"], wanted)

    async def receive(self, kind: type[Appender] | None = None) -> Appender:
        """Builds the appender from the answers, of the class `kind` where one is given.

        Raises NotFoundError: when there is no such dataset.
        """
        state = _state(self._dataset_id, await self._locked.fetchone())
        rows = await self._read.fetchall()
        columns = {column.name: column for column in (column_of(row[5:]) for row in rows if row[5] is not None)}
        last = None if rows[0][0] is None else Block(*rows[0][:5])
        return (kind or Appender)(self._connection, self._dataset_id, state, columns, last)


async def open_appender(connection: Connection, dataset_id: int, kind: type[Appender] | None = None) -> Appender:
    """Opens an appender with the dataset's lock, in the caller's transaction.

    Raises NotFoundError: when there is no such dataset.
    """
    opening = Opening(connection, dataset_id)
    async with connection.pipeline():
        await opening.send()
    return await opening.receive(kind)


class RowFitter:
    """Fits frames, each sorted by time, into a dataset's columns, and numbers and counts their rows."""

    def __init__(self, dataset_id: int, state: State, columns: Mapping[str, Column], last: Block | None) -> None:
        self._dataset_id, self._state = dataset_id, state
        self._columns, self._last = columns, last
        self._seq, self._top = state.last_seq, state.max_ts
        self._late = 0
        self._extra = False
        self._blocks: list[Block] = []
        self._waiting: list[pa.Table] = []
        self._copied = state.last_seq
        # Whether the catalog differs from the state in `tail`.
        self._changed = False

    def changes_schema(self, frames: Iterable[Frame]) -> bool:
        """Checks whether `frames` need a change of the columns."""
        return not plan_schema(self._columns, frames).empty

    def fits(self, frames: Iterable[Frame]) -> bool:
        """Checks that rows have the keys of the dataset, and columns for all their values."""
        frames = list(frames)
        try:
            for frame in frames:
                check_keys(frame, self._state.keys, self._columns, 0)
        except RowError:
            return False
        return not self.changes_schema(frames)

    def _count(self, frame: Frame) -> None:
        micros = frame.ts.cast(pa.int64()).to_numpy(zero_copy_only=False)
        top = self._top
        if top is not None:
            self._late += int(np.searchsorted(micros, top, side="left"))
        self._top = int(micros[-1]) if top is None else max(top, int(micros[-1]))
        self._blocks += _blocks_of(micros, self._seq + 1)
        self._seq += len(frame)

    def take(self, frame: Frame) -> None:
        """Adds few rows, but at least one, that fit the columns. Like `add` without waiting."""
        self._count(frame)
        self._waiting.append(fit(frame, self._columns))

    def waiting(self) -> pa.Table:
        """Returns the rows to copy, without their numbers, and empties the list of waiting rows."""
        fitted = self._waiting[0]
        if len(self._waiting) > 1:
            fitted = pa.concat_tables(self._waiting, promote_options="default").combine_chunks()
        self._waiting = []
        self._extra = self._extra or "_extra" in fitted.column_names
        return fitted

    def counted(self) -> tuple[dict[str, Any], list[Block]]:
        """Returns the parameters of `advance_state` and the new blocks. `tail` is correct once both are stored."""
        # The first blocks are joined to the last stored block until that block is full.
        blocks = join_blocks(self._blocks if self._last is None else [self._last, *self._blocks])
        grown = None if self._last is None else blocks.pop(0)
        # New blocks may be merged with others.
        self._last, self._changed = grown, self._changed or bool(blocks)
        return {
            "id": self._dataset_id,
            "last_seq": self._seq,
            "added": self._seq - self._state.last_seq,
            "late": self._late,
            "max_ts": self._top,
            "extra": self._extra,
            "block_first": grown and grown.first_seq,
            "block_last": grown and grown.last_seq,
            "block_rows": grown and grown.rows,
            "block_min": grown and grown.min_ts,
            "block_max": grown and grown.max_ts,
        }, blocks

    @property
    def tail(self) -> Tail | None:
        """The dataset's state after the write, or None when the state is not known or not worth caching."""
        if self._changed or self._last is None or len(self._columns) > MOST_COLUMNS:
            return None
        version = self._state.version + (self._seq > self._state.last_seq)
        state = replace(self._state, last_seq=self._seq, max_ts=self._top, version=version)
        return Tail(state, self._columns, self._last)


class Appender(RowFitter):
    """Appends frames, each sorted by time. `close` stores what waits, and `finish` writes the catalog."""

    def __init__(
        self, connection: Connection, dataset_id: int, state: State, columns: Mapping[str, Column], last: Block | None
    ) -> None:
        super().__init__(dataset_id, state, columns, last)
        self._connection = connection
        self._place = Place(state.schema, state.cold)
        self._table = hot_of(state.schema, dataset_id, cold=state.cold)
        self._series = latest_rows.series_with(state.schema, dataset_id, state.keys, columns)
        self._latest: pa.Table | None = None
        self._resolvers: list[Resolver] = []
        self._resolver: Resolver | None = None
        self.follow(None)

    def follow(self, asked: Policy | None) -> Outcome | None:
        """Sets what happens from now on to rows whose timestamp and keys others have.

        That is what the dataset declares, unless `asked` is stricter. Returns the figures of the rows that follow, or
        None where all rows are appended.

        Raises BadRequestError: when `asked` is laxer than the dataset declares.
        """
        policy = policy_in_force(self._state.on_conflict, asked)
        self._resolver = None
        if policy is Policy.APPEND:
            return None
        state = self._state
        storage = Storage(state.schema, self._dataset_id, state.cold, state.keys)
        self._resolver = Resolver(self._connection, storage, policy)
        self._resolvers.append(self._resolver)
        # Rows may be replaced, so nothing of this state is worth caching.
        self._changed = True
        return self._resolver.outcome

    @property
    def replaces(self) -> bool:
        """Whether rows were replaced. Then `finish` reads, and copies rows, which no pipeline can."""
        return any(one.replaced for one in self._resolvers)

    async def add(self, frame: Frame, first_row: int = 0) -> None:
        """Numbers the rows of a frame, and copies them unless they are few.

        `first_row` is the number of the frame's first row in its body.

        Raises RowError: when a row lacks a key of the dataset.
        """
        if not len(frame):
            return
        check_keys(frame, self._state.keys, self._columns, first_row)
        change = plan_schema(self._columns, [frame])
        if not change.empty:
            if self._splits(change):
                await self.flush()
            self._columns = await apply_schema(self._connection, self._dataset_id, self._place, self._columns, change)
            self._changed = True
            for name in change.add:
                if any(note := frame.notes.get(name, ("", ""))):
                    await note_dataset_column(self._connection, self._dataset_id, name, *note)
            await self._change_series()
        if self._resolver is not None:
            if self._resolver.meets(frame, self._top):
                # Rows that wait are among those that the frame may meet.
                await self.flush()
            frame = await self._resolver.resolve(frame, self._columns, first_row, self._seq, self._top)
            if not len(frame):
                return
        if len(frame) <= FEW_ROWS and len(frame.columns) <= FEW_KEYS:
            self.take(frame)
        else:
            self._count(frame)
            self._waiting.append(await asyncio.to_thread(fit, frame, self._columns))
        if self._due():
            await self.flush()

    def _due(self) -> bool:
        """Tells whether the waiting rows are enough to be stored."""
        return self._seq - self._copied > FEW_ROWS

    def _splits(self, change: SchemaChange) -> bool:
        """Tells whether rows fitted to the old columns must be stored before the columns change."""
        return not change.empty

    async def _store(self, rows: pa.Table) -> None:
        """Stores rows with their numbers."""
        await copy_table(self._connection, self._table, rows, inline=len(rows) <= FEW_ROWS)

    async def _change_series(self) -> None:
        """Makes the storage of series when the last key has got its column, and notes all columns."""
        state = self._state
        before, self._series = (
            self._series,
            latest_rows.series_with(state.schema, self._dataset_id, state.keys, self._columns),
        )
        if self._series is not None and before is None:
            await series_tables.settle(self._connection, self._dataset_id)

    async def flush(self) -> None:
        """Stores the waiting rows."""
        if not self._waiting:
            return
        fitted = self.waiting()
        fitted = fitted.add_column(0, "_seq", pa.array(np.arange(self._copied + 1, self._seq + 1)))
        await self._store(fitted)
        self._copied = self._seq
        if self._series is not None:
            self._latest = latest_rows.joined(self._latest, fitted, self._series.keys)

    async def close(self) -> None:
        """Stores the waiting rows, and keeps the latest row of each series. `finish` comes after it."""
        await self.flush()
        if self._series is not None and self._latest is not None:
            await latest_rows.keep(self._connection, self._series, self._latest)
            self._latest = None

    async def finish(self) -> int:
        """Stores blocks and counters and notifies listeners, after `close`. Returns the number of rows.

        `finish` reads nothing unless rows were replaced, so in a pipeline nothing waits.
        """
        assert not self._waiting
        added = self._seq - self._state.last_seq
        if added:
            parameters, blocks = self.counted()
            await self._connection.execute(queries("timeseries/rows")["advance_state"], parameters)
            if blocks:
                await self._store_blocks(blocks)
        if self.replaces:
            await settle(self._connection, self._dataset_id, self._resolvers, self._seq)
        return added

    async def _store_blocks(self, blocks: Sequence[Block]) -> None:
        arrays = {
            "id": self._dataset_id,
            "firsts": [b.first_seq for b in blocks],
            "lasts": [b.last_seq for b in blocks],
            "counts": [b.rows for b in blocks],
            "mins": [b.min_ts for b in blocks],
            "maxs": [b.max_ts for b in blocks],
        }
        await self._connection.execute(queries("timeseries/rows")["insert_blocks"], arrays)
        await self._connection.execute(
            queries("timeseries/rows")["merge_blocks"], {"id": self._dataset_id, "most": MAX_BLOCKS}
        )


def _blocks_of(micros: np.ndarray[Any, Any], first_seq: int) -> list[Block]:
    """Builds the blocks of sorted timestamps that are numbered from `first_seq`."""
    blocks = []
    for start in range(0, len(micros), BLOCK_ROWS):
        part = micros[start : start + BLOCK_ROWS]
        first = first_seq + start
        blocks.append(Block(first, first + len(part) - 1, len(part), int(part[0]), int(part[-1])))
    return blocks
