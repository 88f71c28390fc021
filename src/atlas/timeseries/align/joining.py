"""Joins of the rows of one window of time to the rows of a clock, in polars.

Source of the method: the as-of join of kdb+, pandas and polars. Of rows at one time, the last inserted counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl
import pyarrow as pa

from atlas.timeseries.align.model import Direction

TIME, NUMBER = "ts", "_seq"


def frame_of(table: pa.Table, names: Mapping[str, str]) -> pl.DataFrame:
    """Returns rows with their times and some columns. names: of the table's columns, by their new names."""
    found = pl.from_arrow(table.select([TIME, *dict.fromkeys(names.values())]))
    assert isinstance(found, pl.DataFrame)
    return found.select(TIME, *(pl.col(own).alias(name) for name, own in names.items()))


def last_by(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Returns the last row of each series, of rows in order of time."""
    return frame.unique(list(keys), keep="last", maintain_order=True) if keys else frame.tail(1)


def first_by(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Returns the first row of each series, of rows in order of time: the last of those at that time."""
    return frame.unique(list(keys), keep="first", maintain_order=True) if keys else frame.head(1)


def one_at_a_time(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Leaves one row of each series at each time: the last."""
    return frame.unique([*keys, TIME], keep="last", maintain_order=True)


def without(frame: pl.DataFrame, other: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Returns the series that another frame lacks. Without keys, all rows are one series."""
    return frame.join(other, on=list(keys), how="anti") if keys else frame.head(0 if len(other) else len(frame))


def within(frame: pl.DataFrame, series: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Returns the rows of some series."""
    return frame.join(series, on=list(keys), how="semi") if keys else frame.head(len(frame) if len(series) else 0)


def joined(
    clock: pl.DataFrame, rows: pl.DataFrame, keys: Sequence[str], direction: Direction, tolerance: int | None
) -> pl.DataFrame:
    """Joins to each row of a clock the row of another dataset that is nearest in a direction.

    tolerance: microseconds. Both are in order of time.
    """
    limit = None if tolerance is None else timedelta(microseconds=tolerance)
    # polars leaves the order of series to the caller.
    return clock.set_sorted(TIME).join_asof(
        rows.set_sorted(TIME),
        on=TIME,
        by=list(keys) or None,
        strategy=direction,
        tolerance=limit,
        check_sortedness=False,
    )
