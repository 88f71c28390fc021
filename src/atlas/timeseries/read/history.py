"""Reads of replaced rows, and which rows have replaced others."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
from psycopg import sql

from atlas.db.database import Database
from atlas.timeseries.formats import RowFormat, json_lines, timestamp_text
from atlas.timeseries.read.latest import Found
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.repository import between, history_of
from atlas.timeseries.series.tables import condition_of, names_of
from atlas.timeseries.zone_map import Range


async def replaced_rows(database: Database, shot: Snapshot, span: Range, limit: int, offset: int) -> Found:
    """Returns the replaced rows of a range in order of time, and of one time in the order in which they were replaced.

    Rows are JSON as the API writes them, with the time and the number of their replacement.
    """
    if not shot.corrected:
        return Found(0, b"")
    table = history_of(shot.schema, shot.dataset_id)
    # Rows that a delete hides are left to reads of earlier moments.
    where: sql.Composable = sql.SQL("_low_ts IS NULL AND {}").format(between(span, cold=False))
    if shot.selection:
        where = sql.SQL("{} AND {}").format(condition_of(shot.selection), where)
    names = ["ts", *(column.physical for column in shot.columns if column.physical), "_extra", "_high_ts", "_high_seq"]
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY ts, _low_seq LIMIT {} OFFSET {}").format(
        names_of(names), table, where, sql.Literal(limit), sql.Literal(offset)
    )
    style = RowFormat(shot.columns, flat=False, dataset=shot.dataset_id)

    def encode(found: pa.Table) -> tuple[int, bytes]:
        ended = pl.DataFrame({"at": pl.Series(found.column("_high_ts")), "by": pl.Series(found.column("_high_seq"))})
        more = ended.select(
            pl.format(',"replaced_at":"{}","replaced_by":{}}}', timestamp_text(pl.col("at")), pl.col("by"))
        ).to_series()
        lines = json_lines(found.drop_columns(["_high_ts", "_high_seq"]), style).str.head(-1) + more
        return len(found), ",".join(lines.to_list()).encode()

    read, rows = await database.fetch_arrow(query.as_string(), encode)
    if 0 < read < limit:
        return Found(offset + read, rows)
    counted = await database.fetch_arrow(
        sql.SQL("SELECT count(*) FROM {} WHERE {}").format(table, where).as_string(),
        lambda found: int(found.column(0)[0].as_py()),
    )
    return Found(counted, rows)


async def corrections(database: Database, shot: Snapshot, after: int, upto: int) -> frozenset[int]:
    """Returns the numbers of rows that replaced others, of those numbered after `after` and up to `upto`."""
    if after >= shot.corrected:
        return frozenset()
    query = sql.SQL("SELECT DISTINCT _high_seq FROM {} WHERE _high_seq > {} AND _high_seq <= {} AND _seq < _high_seq")
    found = query.format(history_of(shot.schema, shot.dataset_id), sql.Literal(after), sql.Literal(upto))
    return await database.fetch_arrow(found.as_string(), lambda table: frozenset(table.column(0).to_pylist()))
