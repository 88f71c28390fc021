"""Applies a policy to the rows of an insert, frame by frame, in the insert's transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from atlas.db.database import Connection
from atlas.errors import ConflictError, UnavailableError
from atlas.kit.timestamps import format_micros
from atlas.timeseries import block_counts
from atlas.timeseries.cold import chunk_changes, store
from atlas.timeseries.cold.chunk_codec import part_name
from atlas.timeseries.cold.chunk_rows import chunk_columns
from atlas.timeseries.cold.chunk_search import find_rows
from atlas.timeseries.columns import Column
from atlas.timeseries.conflicts import repository
from atlas.timeseries.conflicts.fates import chosen, conflicting, decide, find_repeats, micros_of, survivors
from atlas.timeseries.conflicts.model import Fate, Held, Ints, Outcome, Policy, Repeats
from atlas.timeseries.conflicts.repository import Target
from atlas.timeseries.frames import Frame, fit
from atlas.timeseries.repository import hot_of
from atlas.timeseries.rollups import repairs

T = TypeVar("T")

# More rows are fitted and compared in a thread.
FEW_ROWS = 2_000
# Rows that a refusal names.
NAMED_ROWS = 5


@dataclass(frozen=True, slots=True)
class Storage:
    """Where a dataset's rows lie, read under the lock on its state. cold: whether some may be packed."""

    schema: str
    dataset_id: int
    cold: bool
    keys: Sequence[str]


@dataclass(slots=True)
class _Packed:
    """Stored rows of chunks that a frame meets: numbers by chunk."""

    numbers: dict[int, Ints] = field(default_factory=dict)


class Resolver:
    """Resolves the conflicts of an insert. `settle` comes after its rows are counted."""

    def __init__(self, connection: Connection, storage: Storage, policy: Policy) -> None:
        self._connection, self._storage, self._policy = connection, storage, policy
        # Numbers and times (microseconds) of stored rows that were moved to the history.
        self.moved: list[tuple[int, int]] = []
        self._has_history = self._holds_chunks = False
        self.outcome = Outcome()

    def meets(self, frame: Frame, top: int | None) -> bool:
        """Tells whether rows of a frame may have the timestamp of a row before it. `top` is that of `resolve`."""
        return top is not None and int(frame.ts[0].value) <= top

    async def resolve(
        self, frame: Frame, columns: Mapping[str, Column], first_row: int, last_seq: int, top: int | None
    ) -> Frame:
        """Returns the rows of a frame that are to be stored, and moves the rows that they replace to the history.

        - frame: in order of time, with the keys of the dataset. columns: hold all its values.
        - first_row: number of the frame's first row in the body.
        - last_seq, top: number of the last row and the latest time (microseconds) of all rows before the frame.

        Raises ConflictError: by REJECT, when rows have the timestamp and keys of others.
        """
        few = len(frame) <= FEW_ROWS
        rows = fit(frame, columns) if few else await asyncio.to_thread(fit, frame, columns)
        rows = rows.combine_chunks()
        target = self._target(columns)
        repeats = await _now(few, find_repeats, rows, target.identity)
        held, packed = Held.nothing(len(rows)), _Packed()
        if self.meets(frame, top):
            held, packed = await self._find(target, rows)
        if self._policy is Policy.REJECT:
            self._refuse(frame, rows, target, repeats, held, first_row)
        fates = await _now(few, decide, self._policy, rows, repeats, held)
        self.outcome.add(fates)
        last = survivors(repeats, fates)
        stored: Ints = np.unique(last[last >= 0])
        if bool((fates == Fate.REPLACES).any()):
            await self._replace(target, rows, repeats, fates, held, last, stored, last_seq, packed)
        return frame if len(stored) == len(frame) else frame.take(pa.array(stored))

    def _target(self, columns: Mapping[str, Column]) -> Target:
        storage = self._storage
        hot = hot_of(storage.schema, storage.dataset_id, cold=storage.cold)
        keys = [columns[name].physical or "" for name in storage.keys]
        return Target(storage.schema, storage.dataset_id, hot, columns, ("ts", *keys))

    async def _find(self, target: Target, rows: pa.Table) -> tuple[Held, _Packed]:
        """Finds stored rows, plain and packed, with the timestamp and keys of rows."""
        packed = _Packed()
        tables = await self._find_packed(target, rows, packed) if self._storage.cold else []
        if tables:
            await repository.make_packed(self._connection, target, tables)
        return await repository.find_held(self._connection, target, rows, packed=bool(tables)), packed

    async def _find_packed(self, target: Target, rows: pa.Table, packed: _Packed) -> list[pa.Table]:
        if not self._holds_chunks:
            await repository.lock_chunks(self._connection, target.dataset_id)
            self._holds_chunks = True
        cold = await store.find(self._connection, target.dataset_id)
        assert cold is not None
        if cold.legacy:
            raise UnavailableError(
                "Rows are being converted", "an earlier version packed rows of the dataset; try again once it is done"
            )
        known = [(c.physical, part_name(c), c.dtype) for c in target.columns.values() if c.physical]
        columns = chunk_columns(known, has_extra=True)
        keys = [column for column in columns if column.name in target.identity]
        found = await find_rows(self._connection, cold.chunks, rows.select(list(target.identity)), keys, columns)
        for one in found:
            packed.numbers[one.low_seq] = one.rows.column("_seq").to_numpy()
        return [one.rows for one in found]

    def _refuse(
        self, frame: Frame, rows: pa.Table, target: Target, repeats: Repeats, held: Held, first_row: int
    ) -> None:
        marks = conflicting(repeats, held)
        if not marks.any():
            return
        places: Ints = np.arange(len(rows)) if frame.order is None else frame.order.to_numpy()
        hits = np.flatnonzero(marks)
        hits = hits[np.argsort(places[hits], kind="stable")]
        named = [
            f"rows[{first_row + places[at]}] ({_identity(rows, target, at)}), "
            + _met(repeats, held, places, first_row, at)
            for at in hits[:NAMED_ROWS].tolist()
        ]
        more = f"; and {len(hits) - NAMED_ROWS} more" if len(hits) > NAMED_ROWS else ""
        what = "timestamp and keys" if self._storage.keys else "timestamp"
        raise ConflictError(
            "Rows are there already", f"on_conflict is reject, and others have the {what} of {'; '.join(named)}{more}"
        )

    async def _replace(
        self,
        target: Target,
        rows: pa.Table,
        repeats: Repeats,
        fates: Ints,
        held: Held,
        last: Ints,
        stored: Ints,
        last_seq: int,
        packed: _Packed,
    ) -> None:
        """Moves replaced rows to the history: stored rows, and rows of the frame that later ones replace."""
        if not self._has_history:
            await repository.open_history(self._connection, target)
            self._has_history = True
        numbers: Ints = np.full(len(rows), 0, np.int64)
        numbers[stored] = last_seq + 1 + np.arange(len(stored))
        written = np.flatnonzero((fates == Fate.INSERTED) | (fates == Fate.REPLACES))
        passed = written[last[written] != written]
        if len(passed):
            # They were never to be seen, so the number of the row that replaced them stands for their own.
            by = pa.array(numbers[last[passed]])
            old = chosen(rows, passed).append_column("_seq", by).append_column("_high_seq", by)
            await repository.keep_replaced(self._connection, target, old)
        winners = stored[held.count[repeats.first[stored]] > 0]
        if len(winners):
            given = chosen(rows.select(list(target.identity)), winners).append_column(
                "_seq", pa.array(numbers[winners])
            )
            moved, unpacked = await repository.replace_held(
                self._connection, target, given, packed=bool(packed.numbers)
            )
            self.moved += moved
            if unpacked:
                gone = np.array(unpacked, np.int64)
                hit = {low: numbers[np.isin(numbers, gone)] for low, numbers in packed.numbers.items()}
                await chunk_changes.remove_numbers(
                    self._connection, target.dataset_id, {low: found for low, found in hit.items() if len(found)}
                )

    @property
    def replaced(self) -> bool:
        """Whether the history has got rows."""
        return self._has_history


async def settle(connection: Connection, dataset_id: int, resolvers: Sequence[Resolver], last_seq: int) -> None:
    """Subtracts replaced rows from all counts and figures. last_seq: number of the last row that was written.

    All inserts of a transaction are settled together, as rows that any of them replaced are no longer there to count.
    """
    moved = [row for one in resolvers for row in one.moved]
    await repository.count_replaced(connection, dataset_id, len(moved), last_seq)
    if moved:
        numbers, micros = (np.array(values, np.int64) for values in zip(*moved, strict=True))
        await block_counts.subtract(connection, dataset_id, numbers, micros)
        await repairs.correct(connection, dataset_id, numbers, micros)


async def _now(few: bool, work: Callable[..., T], *given: Any) -> T:
    """Calls a function, in a thread unless the rows are few."""
    return work(*given) if few else await asyncio.to_thread(work, *given)


def _identity(rows: pa.Table, target: Target, at: int) -> str:
    """Describes a row by its timestamp and keys."""
    names = {column.physical: column.name for column in target.columns.values()}
    parts = [format_micros(int(micros_of(rows)[at]))]
    parts += [f"{names[name]} {_shown(rows.column(name)[at].as_py())}" for name in target.identity[1:]]
    return ", ".join(parts)


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _met(repeats: Repeats, held: Held, places: Ints, first_row: int, at: int) -> str:
    """Tells what a row conflicts with."""
    if held.count[at]:
        return "stored with the same values" if held.same[at] else "stored with other values"
    return f"as rows[{first_row + places[repeats.first[at]]}]"
