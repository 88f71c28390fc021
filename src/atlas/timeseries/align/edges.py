"""Rows before and after a window of time, which the rows within it are joined to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from atlas.db.database import Database
from atlas.timeseries.align.joining import first_by, frame_of, last_by, one_at_a_time, within, without
from atlas.timeseries.align.model import Side
from atlas.timeseries.read import row_queries
from atlas.timeseries.zone_map import Range, windows

# Rows that are read at a time in the search for the row before or after a window.
_LOOK_ROWS = 100_000


async def read_frame(database: Database, side: Side, span: Range, *, whole: bool = False) -> pl.DataFrame:
    """Returns the rows of a dataset within a range in order of time, one of each series at each time.

    whole: returns all rows of a time.
    """
    table = await row_queries.window(database, side.shot, side.columns, span)
    found = frame_of(table, side.names)
    return found if whole else one_at_a_time(found, side.key_names)


@dataclass(slots=True)
class Edges:
    """The rows of a dataset on both sides of windows that follow each other.

    tolerance: distance in microseconds within which rows are looked for, or None for any.
    """

    database: Database
    side: Side
    tolerance: int | None
    _before: pl.DataFrame | None = None
    _after: pl.DataFrame | None = None
    # Series that are known to have no row before the first window, or behind a window.
    _none_before: list[pl.DataFrame] = field(default_factory=list)
    _none_after: list[pl.DataFrame] = field(default_factory=list)

    async def before(self, series: pl.DataFrame, bound: int) -> pl.DataFrame | None:
        """Returns the last row of each series before a time in microseconds."""
        wanted = self._unknown(series, self._before, self._none_before)
        if len(wanted):
            lowest = Range().lo if self.tolerance is None else max(Range().lo, bound - self.tolerance)
            found = await self._search(wanted, Range(lowest, bound), last_by, backward=True)
            self._before = found if self._before is None else pl.concat([self._before, found])
            if self.tolerance is None:
                self._none_before.append(without(wanted, found, self.side.key_names))
        return None if self._before is None else within(self._before, series, self.side.key_names)

    async def after(self, series: pl.DataFrame, bound: int) -> pl.DataFrame | None:
        """Returns the first row of each series from a time in microseconds on."""
        if self._after is not None:
            # A row that was the first behind an earlier window is the first behind this one, or lies before its end.
            self._after = self._after.filter(pl.col("ts").dt.timestamp("us") >= bound)
        wanted = self._unknown(series, self._after, self._none_after)
        if len(wanted):
            highest = Range().hi if self.tolerance is None else min(Range().hi, bound + self.tolerance + 1)
            found = await self._search(wanted, Range(bound, highest), first_by, backward=False)
            self._after = found if self._after is None else pl.concat([self._after, found])
            if self.tolerance is None:
                self._none_after.append(without(wanted, found, self.side.key_names))
        return None if self._after is None else within(self._after, series, self.side.key_names)

    def passed(self, rows: pl.DataFrame) -> None:
        """Notes the rows of a window, which come before those of the next."""
        known = rows if self._before is None else pl.concat([self._before, rows])
        self._before = last_by(known, self.side.key_names)

    def _unknown(self, series: pl.DataFrame, known: pl.DataFrame | None, none: Sequence[pl.DataFrame]) -> pl.DataFrame:
        for one in (*([] if known is None else [known]), *none):
            series = without(series, one, self.side.key_names)
        return series

    async def _search(
        self,
        wanted: pl.DataFrame,
        span: Range,
        pick: Callable[[pl.DataFrame, Sequence[str]], pl.DataFrame],
        *,
        backward: bool,
    ) -> pl.DataFrame:
        found: list[pl.DataFrame] = []
        # Without a row, the empty window tells the types of the columns.
        for part in self._parts(span, backward=backward) or [Range(span.lo, span.lo)]:
            rows = within(await read_frame(self.database, self.side, part), wanted, self.side.key_names)
            found.append(pick(rows, self.side.key_names))
            wanted = without(wanted, found[-1], self.side.key_names)
            if not len(wanted):
                break
        return pl.concat(found).sort("ts", maintain_order=True)

    def _parts(self, span: Range, *, backward: bool) -> list[Range]:
        parts: Iterator[Range] | list[Range] = [] if span.empty else windows(self.side.shot.blocks, span, _LOOK_ROWS)
        return list(reversed(list(parts))) if backward else list(parts)
