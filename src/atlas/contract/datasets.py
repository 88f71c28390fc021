"""Answers on datasets and their columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from atlas.contract.shape import Json, Shape

DatasetSamples = Literal["nobody", "organization", "readers"]
OnConflict = Literal["append", "replace", "keep_first", "reject"]
ColumnType = Literal["float", "int", "string", "boolean", "json"]


@dataclass(frozen=True)
class Column(Shape):
    """A column of a dataset."""

    _name: ClassVar = "ColumnView"
    id: int
    dataset: int
    name: str
    dtype: ColumnType
    inferred: bool = field(metadata={"description": "Whether it came with data instead of being declared."})
    unit: str = field(metadata={"description": "Of its values; empty where its owner said none.", "examples": ["USD"]})
    description: str = field(metadata={"description": "What its values mean; empty where its owner did not say."})


@dataclass(frozen=True)
class Dataset(Shape):
    """A dataset."""

    _name: ClassVar = "DatasetView"
    id: int
    name: str
    description: str
    metadata: Json
    columns: tuple[Column, ...]
    created_at: datetime
    updated_at: datetime
    keys: tuple[str, ...] = field(
        default=(), metadata={"description": "Columns whose values name the series of a row.", "examples": [["symbol"]]}
    )
    on_conflict: OnConflict = field(
        default="append",
        metadata={"description": "What inserts do with rows whose timestamp and keys other rows have."},
    )


@dataclass(frozen=True)
class DatasetPage(Shape):
    """A page of datasets."""

    count: int
    next: str | None
    previous: str | None
    results: tuple[Dataset, ...]


@dataclass(frozen=True)
class DatasetSamplesView(Shape):
    """Whose model providers may receive values of a dataset's cells."""

    _name: ClassVar = "SamplesView"
    dataset: int
    samples: DatasetSamples


@dataclass(frozen=True)
class SummaryView(Shape):
    """A summary of a dataset. Times are texts, because Python has no times in the year 0."""

    dataset: int
    owner: str
    owner_organization: str
    is_owner: bool
    tags: tuple[str, ...] = field(metadata={"description": "All tags of the dataset."})
    matching_tags: tuple[str, ...] = field(metadata={"description": "Those that you hold."})
    row_count: int
    bytes: int = field(metadata={"description": "What its rows and indexes take on disk."})
    first_timestamp: str | None
    last_timestamp: str | None
    version: int = field(metadata={"description": "Grows with each change; a moment for `known_at`."})
