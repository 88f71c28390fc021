"""What calls answer with. Members that a newer server adds are left out, so they break nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self

from atlas.client.errors import DataError

Json = dict[str, Any]


def moment(text: Any) -> datetime | None:
    """An ISO 8601 text as an aware datetime."""
    return None if text is None else datetime.fromisoformat(text)


class Record:
    """Base of answers: a frozen dataclass that reads itself from JSON."""

    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Raises DataError where a member that must be there is not, or has another form."""
        try:
            known = {f.name: data[f.name] for f in fields(cls) if f.name in data}  # type: ignore[arg-type]
            read = {name: cls._readers[name](v) if name in cls._readers else v for name, v in known.items()}
            return cls(**read)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise DataError("Unexpected answer", f"no {cls.__name__}: {error}") from None

    @classmethod
    def read_all(cls, data: Any) -> tuple[Self, ...]:
        return tuple(cls.read(item) for item in data)


@dataclass(frozen=True, slots=True)
class Health(Record):
    """Whether the server reaches its database. status: `healthy` or `unhealthy`."""

    status: str
    database: str
    time: datetime | None = None

    _readers: ClassVar = {"time": moment}


@dataclass(frozen=True, slots=True)
class DatasetSummary(Record):
    """Size, time span, owner and sharing of a dataset. bytes: on disk; timestamps are None where it is empty."""

    dataset: int
    owner: str
    owner_organization: str
    is_owner: bool
    row_count: int
    bytes: int
    tags: tuple[str, ...] = ()
    matching_tags: tuple[str, ...] = ()
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None

    _readers: ClassVar = {
        "tags": tuple,
        "matching_tags": tuple,
        "first_timestamp": moment,
        "last_timestamp": moment,
    }


@dataclass(frozen=True, slots=True)
class Row(Record):
    """A row of a dataset."""

    timestamp: datetime
    values: Json

    _readers: ClassVar = {"timestamp": moment}


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of rows. count: of all that match; next_cursor: leads to the next page, None at the end."""

    count: int
    rows: tuple[Row, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Bucket(Record):
    """Figures of a time bucket that begins at `timestamp`; values: by column, then by function."""

    timestamp: datetime
    count: int | None = None
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    _readers: ClassVar = {"timestamp": moment}


@dataclass(frozen=True, slots=True)
class Aggregate(Record):
    """Figures by time bucket. bucket: the width used, such as `1h` or `month`."""

    bucket: str
    results: tuple[Bucket, ...]

    _readers: ClassVar = {"results": Bucket.read_all}


@dataclass(frozen=True, slots=True)
class Inserted:
    """rows: how many were inserted; batches: in how many transactions."""

    rows: int
    batches: int


@dataclass(frozen=True, slots=True)
class RowsPreview(Record):
    """What rows hold, before they are inserted. sample: the first rows.

    columns: `name`, `dtype` and whether it is `new`.
    timestamp_column, timestamp_format: of a CSV, the column of the times and their format where it was recognized.
    """

    rows: int
    columns: tuple[Json, ...]
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    timestamp_column: str | None = None
    timestamp_format: str | None = None
    sample: tuple[Row, ...] = ()

    _readers: ClassVar = {
        "first_timestamp": moment,
        "last_timestamp": moment,
        "columns": tuple,
        "sample": Row.read_all,
    }
