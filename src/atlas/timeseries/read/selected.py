"""Plans of reads of selected series. Row blocks count the rows of all series, so they bound such reads from above."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from atlas.db.database import Database
from atlas.timeseries.read import counts, row_queries
from atlas.timeseries.read.snapshot import Snapshot
from atlas.timeseries.zone_map import Range, narrow, windows

# Growth of the part of a range that is tried for a page of series whose share of the rows is not known.
_GROWTH = 16
# Windows of fewer rows are not worth a count of the selected ones.
_FEW_WINDOWS = 4


def growing(shot: Snapshot, span: Range, need: int, *, descending: bool) -> Iterator[Range]:
    """Yields growing parts of `span` from its near end, and `span` itself last.

    The first part surely holds `need` rows of all series, each next part many times as many.
    """
    while need < shot.row_count:
        part = narrow(shot.blocks, span, need, descending=descending)
        if part == span:
            break
        yield part
        need *= _GROWTH
    yield span


async def last_rows(database: Database, shot: Snapshot, span: Range, last: int) -> tuple[Range, int]:
    """Returns a range with the `last` selected rows of `span`, and how many selected rows come before them in it."""
    for part in growing(shot, span, last, descending=True):
        table: pa.Table = await row_queries.page(
            database, shot, (), part, then=lambda table: table, descending=True, limit=1, offset=last - 1
        )
        if len(table):
            first = Range(table.column("ts").cast(pa.int64())[0].as_py(), span.hi)
            return first, await counts.count(database, shot, first) - last
    return span, 0


async def window_rows(database: Database, shot: Snapshot, span: Range, target: int) -> int:
    """Returns how many rows of all series a window has to hold, so that some `target` of them are selected."""
    whole = sum(block.rows for block in shot.blocks if span.meets(block))
    if not shot.selection or whole <= target * _FEW_WINDOWS:
        return target
    chosen = await counts.count(database, shot, span)
    return max(target, whole * target // max(chosen, 1))


def cut(shot: Snapshot, span: Range, rows: int, first: int | None) -> list[Range]:
    """Cuts `span` into windows of some `rows` rows of all series. The first is cut into windows of `first` rows."""
    parts = windows(shot.blocks, span, rows)
    return [*windows(shot.blocks, parts[0], first), *parts[1:]] if parts and first is not None else parts
