"""The latest row of each series, and the series of a dataset, from the table that writes keep of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from atlas.db.database import Database
from atlas.timeseries.columns import Column, Dtype
from atlas.timeseries.formats import RowFormat, json_lines, timestamp_text
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.series.tables import LatestQuery, count_statement, latest_statement


@dataclass(frozen=True, slots=True)
class Found:
    """A page of JSON objects without brackets, and the number of all."""

    count: int
    rows: bytes


def _is_kept(shot: Snapshot) -> bool:
    """Checks whether the dataset has a table of latest rows: its keys have columns, which come with the first row."""
    known = {column.name for column in shot.columns if column.physical}
    return bool(shot.keys) and set(shot.keys) <= known


def _query(
    shot: Snapshot, by: Sequence[Column], columns: Sequence[Column], page: slice, search: str | None
) -> LatestQuery:
    """Builds a query of some columns, beside which `_extra` is read where rows may have values in it."""
    names = ["ts", *(column.physical for column in columns if column.physical)]
    if shot.has_extra:
        names.append("_extra")
    return LatestQuery(
        schema=shot.schema,
        dataset_id=shot.dataset_id,
        by=[column.physical or "" for column in by],
        texts=[column.physical or "" for column in by if column.dtype is Dtype.STRING],
        columns=names,
        selection=shot.selection,
        search=search,
        start=page.start,
        stop=page.stop,
    )


async def latest_rows(
    database: Database, shot: Snapshot, by: Sequence[Column], columns: Sequence[Column], limit: int, offset: int
) -> Found:
    """Returns the latest row of each series that is selected, in order of `by`. Without `by` the latest of all.

    Rows are JSON as the API writes them.
    """
    if not _is_kept(shot):
        return Found(0, b"")
    style = RowFormat(columns, flat=False, dataset=shot.dataset_id)

    def encode(table: pa.Table) -> tuple[int, bytes]:
        return len(table), ",".join(json_lines(table, style).to_list()).encode()

    query = _query(shot, by, columns, slice(offset, offset + limit), None)
    read, rows = await database.fetch_arrow(latest_statement(query).as_string(), encode)
    return Found(await _count(database, query, read, limit), rows)


async def list_series(
    database: Database, shot: Snapshot, by: Sequence[Column], search: str | None, limit: int, offset: int
) -> Found:
    """Returns the keys of each series that is selected and has `search` in a key, with the time of its latest row."""
    if not _is_kept(shot):
        return Found(0, b"")

    def encode(table: pa.Table) -> tuple[int, bytes]:
        frame = pl.DataFrame(pl.from_arrow(table.select(["ts", *(column.physical or "" for column in by)])))
        key = pl.struct([pl.col(column.physical or "").alias(column.name) for column in by]).alias("key")
        lines = frame.select(pl.struct([key, timestamp_text(pl.col("ts")).alias("timestamp")]).struct.json_encode())
        return len(table), ",".join(lines.to_series().to_list()).encode()

    query = _query(shot, by, by, slice(offset, offset + limit), search)
    read, rows = await database.fetch_arrow(latest_statement(query).as_string(), encode)
    return Found(await _count(database, query, read, limit), rows)


async def _count(database: Database, query: LatestQuery, read: int, limit: int) -> int:
    """Returns the number of series without the bounds of a page. `read` is the number of series in the page."""
    if not query.by or 0 < read < limit:
        return query.start + read
    async with database.connection() as connection:
        row = await (await connection.execute(count_statement(query))).fetchone()
    assert row is not None
    return int(row[0])
