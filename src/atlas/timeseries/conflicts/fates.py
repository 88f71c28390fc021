"""Decides what becomes of each row of a frame, as if the rows came one by one. Works on whole columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from atlas.timeseries.conflicts.model import Fate, Flags, Held, Ints, Policy, Repeats


def find_repeats(rows: pa.Table, names: Sequence[str]) -> Repeats:
    """Finds rows with equal values in the columns `names`. The rows are in order of time, then of the body."""
    plain: Ints = np.arange(len(rows), dtype=np.int64)
    none: Ints = np.full(len(rows), -1, np.int64)
    frame = pl.DataFrame({f"k{n}": pl.Series(_plain(rows.column(name))) for n, name in enumerate(names)})
    keys = frame.columns
    if not frame.is_duplicated().any():
        return Repeats(plain, none)
    found = frame.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64)).select(
        first=pl.col("at").first().over(keys), previous=pl.col("at").shift(1).over(keys).fill_null(-1)
    )
    return Repeats(found["first"].to_numpy(), found["previous"].to_numpy())


def same_values(rows: pa.Table, left: Ints, right: Ints) -> Flags:
    """Compares rows at `left` with rows at `right` in all columns. Floats are equal when their bits are."""
    same: Flags = np.ones(len(left), np.bool_)
    if not len(left):
        return same
    for column in rows.columns:
        values = _plain(column)
        one, other = pl.Series(values.take(pa.array(left))), pl.Series(values.take(pa.array(right)))
        same &= one.eq_missing(other).to_numpy()
    return same


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Returns a column as one array, with the bits of floats as integers."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_float64(array.type):
        return array.view(pa.int64())
    return array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array


def decide(policy: Policy, rows: pa.Table, repeats: Repeats, held: Held) -> Ints:
    """Returns the fate of each row, by REPLACE or KEEP_FIRST."""
    fates: Ints = np.full(len(rows), Fate.INSERTED, np.int64)
    heads = repeats.heads
    counts = held.count[repeats.first]
    if policy is Policy.REPLACE:
        fates[(~heads) | (counts > 0)] = Fate.REPLACES
        later = np.flatnonzero(~heads)
        fates[later[same_values(rows, later, repeats.previous[later])]] = Fate.IDENTICAL
        # Of several rows that are there, only one is left.
        fates[heads & (counts == 1) & held.same] = Fate.IDENTICAL
        return fates
    met = counts > 0
    fates[(~heads) | met] = Fate.LEFT_OUT
    fates[met & held.same] = Fate.IDENTICAL
    later = np.flatnonzero(~heads & ~met)
    fates[later[same_values(rows, later, repeats.first[later])]] = Fate.IDENTICAL
    return fates


def survivors(repeats: Repeats, fates: Ints) -> Ints:
    """Returns, for each row, the index of the row of the frame that is stored in the end for its timestamp and keys.

    A row without one has -1.
    """
    stored = np.flatnonzero((fates == Fate.INSERTED) | (fates == Fate.REPLACES))
    last: Ints = np.full(len(fates), -1, np.int64)
    # Of several assignments to one place, the last stays.
    last[repeats.first[stored]] = stored
    result: Ints = last[repeats.first]
    return result


def conflicting(repeats: Repeats, held: Held) -> Flags:
    """Marks rows whose timestamp and keys a stored row or an earlier row of the frame has."""
    marks: Flags = ~repeats.heads | (held.count > 0)
    return marks


def chosen(table: pa.Table, rows: Ints) -> pa.Table:
    """Returns rows of a table by their indices."""
    return table.take(pa.array(rows)).combine_chunks()


def micros_of(table: pa.Table) -> Ints:
    """Returns the timestamps of rows in microseconds since 1970."""
    micros: Ints = pc.cast(table.column("ts"), pa.int64()).to_numpy()
    return micros
