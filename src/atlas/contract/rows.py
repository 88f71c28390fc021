"""Rows of datasets: what was stored, removed or looked at, and figures by time.

Times are texts, with as many digits of a second as are needed, as Python has no value for those of the year 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from atlas.contract.datasets import ColumnType
from atlas.contract.shape import Json, Shape, absent

_TIME = {"examples": ["2025-12-16T10:00:00Z"]}


@dataclass(frozen=True)
class StoredRow(Shape):
    """A row."""

    _name: ClassVar = "RowView"
    dataset: int
    timestamp: str = field(metadata=_TIME)
    values: Json = field(metadata={"examples": [{"open": 104500, "close": 104600}]})


@dataclass(frozen=True)
class LatestRows(Shape):
    """A page with the latest row of each series, in order of the keys."""

    count: int
    next: str | None
    previous: str | None
    results: tuple[StoredRow, ...]


@dataclass(frozen=True)
class ReplacedRow(Shape):
    """A row that another row has replaced. replaced_by: its number, the id of its event in streams."""

    _name: ClassVar = "ReplacedRowView"
    dataset: int
    timestamp: str = field(metadata=_TIME)
    values: Json
    replaced_at: str = field(metadata=_TIME)
    replaced_by: int


@dataclass(frozen=True)
class ReplacedRows(Shape):
    """A page of rows that others have replaced, in order of time, then of replacement."""

    count: int
    next: str | None
    previous: str | None
    results: tuple[ReplacedRow, ...]


@dataclass(frozen=True)
class Series(Shape):
    """A series of a dataset. timestamp: of its latest row."""

    _name: ClassVar = "SeriesView"
    key: dict[str, str | int | bool] = field(metadata={"examples": [{"symbol": "MSFT"}]})
    timestamp: str = field(metadata=_TIME)


@dataclass(frozen=True)
class SeriesPage(Shape):
    """A page of the series of a dataset, in order of their keys."""

    count: int
    next: str | None
    previous: str | None
    results: tuple[Series, ...]


_REPLACED = {"description": "With a policy for conflicts: rows that replaced others."}
_IDENTICAL = {"description": "With a policy for conflicts: rows that were there already, with the same values."}
_KEPT = {"description": "With a policy for conflicts: rows left out because others with other values are kept."}


@dataclass(frozen=True)
class InsertedRow(Shape):
    """An inserted row. With a policy for conflicts, what became of it: one of the four numbers is 1."""

    _name: ClassVar = "InsertedRowView"
    dataset: int
    timestamp: str = field(metadata=_TIME)
    values: Json = field(metadata={"examples": [{"open": 104500, "close": 104600}]})
    inserted: int = field(default_factory=absent, metadata={"description": "Rows that none was in the way of."})
    replaced: int = field(default_factory=absent, metadata=_REPLACED)
    identical: int = field(default_factory=absent, metadata=_IDENTICAL)
    kept: int = field(default_factory=absent, metadata=_KEPT)
    total: int = field(default_factory=absent)


@dataclass(frozen=True)
class InsertedRows(Shape):
    """How many rows were inserted, of how many sent. The two are equal unless a policy for conflicts is in force.

    What was guessed is beside them.
    """

    _name: ClassVar = "InsertedView"
    inserted: int
    total: int
    replaced: int = field(default_factory=absent, metadata=_REPLACED)
    identical: int = field(default_factory=absent, metadata=_IDENTICAL)
    kept: int = field(default_factory=absent, metadata=_KEPT)
    timestamp_column: str = field(
        default_factory=absent,
        metadata={"description": "CSV: the timestamps' column, of several that may be it."},
    )
    timestamp_format: str = field(
        default_factory=absent, metadata={"description": "CSV: the timestamps' format, if it is not ISO 8601."}
    )


@dataclass(frozen=True)
class DeletedRows(Shape):
    """How many rows were removed."""

    _name: ClassVar = "DeletedView"
    deleted: int


@dataclass(frozen=True)
class PreviewedColumn(Shape):
    """A column that a body has. new: whether the dataset would get it."""

    name: str
    dtype: ColumnType
    new: bool


@dataclass(frozen=True)
class PreviewedRow(Shape):
    """A row of a body."""

    timestamp: str
    values: Json


@dataclass(frozen=True)
class PreviewedRows(Shape):
    """What a body of rows holds. Nothing was stored."""

    _name: ClassVar = "RowsPreviewView"
    rows: int
    first_timestamp: str | None
    last_timestamp: str | None
    columns: tuple[PreviewedColumn, ...]
    sample: tuple[PreviewedRow, ...] = field(metadata={"description": "The first five rows."})
    timestamp_column: str = field(
        default_factory=absent, metadata={"description": "CSV: the column of the timestamps."}
    )
    timestamp_format: str = field(
        default_factory=absent, metadata={"description": "CSV: the timestamps' format, if it is not ISO 8601."}
    )


@dataclass(frozen=True)
class TimeBucket(Shape):
    """A time bucket that has rows. values: the functions' results by column."""

    _name: ClassVar = "BucketView"
    timestamp: str = field(metadata=_TIME)
    count: int
    values: dict[str, dict[str, Any]] = field(
        metadata={"examples": [{"close": {"min": 104400, "max": 104700, "avg": 104550.5}}]}
    )
    series: dict[str, str | int | bool] = field(
        default_factory=absent, metadata={"description": "The keys of its series, with `by`."}
    )
    filled: bool = field(
        default_factory=absent,
        metadata={"description": "With `fill`: some figures are none of rows, because there are none to compute from."},
    )
    filled_columns: tuple[str, ...] = field(
        default_factory=absent, metadata={"description": "The columns that were filled, where the bucket has rows."}
    )


@dataclass(frozen=True)
class Aggregated(Shape):
    """Time buckets. bucket: their width."""

    _name: ClassVar = "AggregateView"
    bucket: str = field(metadata={"examples": ["1h"]})
    results: tuple[TimeBucket, ...]
    timezone: str = field(
        default_factory=absent,
        metadata={"description": "The zone of the buckets, if one was asked for."},
    )
    price: str = field(
        default_factory=absent, metadata={"description": "The column whose volume-weighted average `vwap` is."}
    )
    volume: str = field(default_factory=absent, metadata={"description": "The column that weights `vwap`."})
