"""Snapshots of a dataset: what a plan of a read needs, and where the rows lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import pyarrow as pa
from psycopg import sql

from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.columns import Column, from_catalog
from atlas.timeseries.repository import between, chunks_of, column_of, history_of, numbered, readable_of
from atlas.timeseries.series.conditions import EVERYTHING, Selection, Written, select
from atlas.timeseries.series.tables import condition_of
from atlas.timeseries.zone_map import Block, Range

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A dataset at one moment. Rows never change, so the rows numbered up to `last_seq` are the dataset's rows.

    - table: the relation of all rows that are not in chunks. cold: whether it is a view with the bounds of segments.
    - packed: whether the dataset may have chunks.
    - corrected: number of the last row or delete that ended others, or 0 when none did.
    - known: number of the last row or delete of a past moment, whose rows may lie in the history; or None.
    """

    dataset_id: int
    schema: str
    table: sql.Identifier
    last_seq: int
    row_count: int
    version: int
    has_extra: bool
    rewritten: bool
    cold: bool
    packed: bool
    keys: tuple[str, ...]
    columns: Sequence[Column]
    blocks: Sequence[Block]
    corrected: int = 0
    known: int | None = None
    selection: Selection = EVERYTHING

    def only(self, written: Sequence[Written]) -> Snapshot:
        """Returns the snapshot of the series that meet conditions. Its blocks and counters stay those of all rows.

        Raises BadRequestError: when a name is no key of the dataset, or a value cannot be one of the key's.
        """
        return replace(self, selection=select(written, self.keys, self.columns)) if written else self

    @property
    def source(self) -> sql.Composable:
        """The relation of all rows that are not in chunks, at a past moment with those that have ended since."""
        # Without later ends, there may be no history.
        if self.known is None or self.corrected <= self.known:
            return self.table
        physical = [column.physical for column in self.columns if column.physical]
        names = sql.SQL(", ").join(map(sql.Identifier, ["_seq", "ts", *physical, "_extra"]))
        return sql.SQL(
            "(SELECT {n} FROM {table} UNION ALL SELECT {n} FROM {history} WHERE _high_seq > {known}) AS past"
        ).format(
            n=names, table=self.table, history=history_of(self.schema, self.dataset_id), known=sql.Literal(self.known)
        )

    @property
    def chunks(self) -> sql.Identifier:
        return chunks_of(self.schema, self.dataset_id)

    def bounds(self, span: Range) -> Bounds:
        """Returns the bounds of the snapshot's rows within a range of time."""
        return Bounds(span, 0, self.last_seq)


async def snapshot(database: Database, dataset_id: int) -> Snapshot:
    """Returns the dataset as it is now.

    Raises NotFoundError: when there is no such dataset.
    """
    rows = await database.fetch(queries("timeseries/rows")["read_state"], id=dataset_id)
    if not rows:
        raise NotFoundError("Dataset not found", f"No dataset with ID {dataset_id}")
    schema, last_seq, row_count, version, has_extra, rewritten, packed, legacy, corrected, texts, *arrays = rows[0]
    blocks = [Block(*values) for values in zip(*(array or [] for array in arrays[:5]), strict=True)]
    columns = [column_of(values) for values in zip(*(array or [] for array in arrays[5:]), strict=True)]
    table = readable_of(schema, dataset_id, cold=packed, legacy=legacy)
    keys = tuple(map(from_catalog, texts))
    state = (last_seq, row_count, version, has_extra, rewritten)
    return Snapshot(dataset_id, schema, table, *state, legacy, packed, keys, columns, blocks, corrected)


async def fetch(
    database: Database,
    shot: Snapshot,
    plan: Callable[[Snapshot], tuple[sql.Composed, Callable[[pa.Table], T]]],
    *,
    behind: bool = False,
) -> T:
    """Runs the query of a plan, and returns what the plan makes of its result.

    A dataset's rows lie in other tables once some are packed. The plan is then made anew, for the same rows.
    Raises NotFoundError: when the dataset is gone.
    """
    while True:
        query, then = plan(shot)
        try:
            return await database.fetch_arrow(query.as_string(), then, behind=behind)
        except NotFoundError:
            moved = await relocated(database, shot)
            if moved is None:
                raise
            shot = moved


async def relocated(database: Database, shot: Snapshot) -> Snapshot | None:
    """Returns the snapshot with the tables that have its rows now; None when they are the same, or there are none."""
    found = await database.fetch(queries("timeseries/rows")["read_storage"], id=shot.dataset_id)
    if not found or found[0][1:] == (shot.packed, shot.cold):
        return None
    schema, packed, legacy = found[0]
    table = readable_of(schema, shot.dataset_id, cold=packed, legacy=legacy)
    return replace(shot, table=table, packed=packed, cold=legacy, rewritten=shot.rewritten or packed)


async def columns_with_notes(database: Database, shot: Snapshot) -> Sequence[Column]:
    """Returns the snapshot's columns with their current units and descriptions."""
    rows = await database.fetch(queries("timeseries/datasets")["list_columns"], ids=[shot.dataset_id])
    said = {column.id: column for column in (column_of(row[1:]) for row in rows)}
    return [
        replace(column, unit=said[column.id].unit, description=said[column.id].description)
        if column.id in said
        else column
        for column in shot.columns
    ]


async def position(database: Database, dataset_id: int) -> tuple[int, int] | None:
    """Returns last sequence number and version of a dataset, or None when there is no such dataset."""
    rows = await database.fetch(queries("timeseries/rows")["read_position"], id=dataset_id)
    return (rows[0][0], rows[0][1]) if rows else None


def where(shot: Snapshot, span: Range) -> sql.Composed:
    """Builds the condition for a snapshot's rows within a range of time that are not in chunks."""
    every = sql.SQL("{} AND {}").format(between(span, cold=shot.cold), numbered(1, shot.last_seq, cold=shot.cold))
    return sql.SQL("{} AND {}").format(condition_of(shot.selection), every) if shot.selection else every
