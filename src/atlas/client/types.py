"""Types of answers. Unknown members of a newer server are ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Self

from atlas.client.errors import DataError

Json = dict[str, Any]


def moment(text: Any) -> datetime | None:
    """Converts an ISO 8601 text to an aware datetime."""
    return None if text is None else datetime.fromisoformat(text)


class Record:
    """Base class of answers: a frozen dataclass that reads itself from JSON."""

    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Reads an answer.

        Raises DataError: when a required member is missing or has another form.
        """
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
class DatasetSummary(Record):
    """Size, time span, owner and sharing of a dataset. bytes: on disk; timestamps are None when the dataset
    is empty. version: grows with each change, and is a moment for `known_at`.
    """

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
    version: int = 0

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
class InsertedRow(Row):
    """A row of an insert. With a policy for conflicts, one of the four numbers is 1, else all are None."""

    inserted: int | None = None
    replaced: int | None = None
    identical: int | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class ReplacedRow(Row):
    """A row that another row has replaced. replaced_by: its number, the id of its event in streams."""

    replaced_at: datetime
    replaced_by: int

    _readers: ClassVar = {"timestamp": moment, "replaced_at": moment}


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of rows. count: number of all matching rows; next_cursor: cursor of the next page, or None at the end."""

    count: int
    rows: tuple[Row, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Bucket(Record):
    """Aggregates of a time bucket that starts at `timestamp`. values: by column, then by function.

    - series: the keys of its series, when buckets are by series.
    - filled: whether figures were filled in, of all columns, or of `filled_columns` where the bucket has rows.
    """

    timestamp: datetime
    count: int | None = None
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    series: dict[str, str | int | bool] | None = None
    filled: bool = False
    filled_columns: tuple[str, ...] = ()

    _readers: ClassVar = {"timestamp": moment}


@dataclass(frozen=True, slots=True)
class Aggregate(Record):
    """Aggregates by time bucket.

    - bucket: the width used, such as `1h` or `month`. timezone: the zone of days and hours, if one was asked for.
    - price, volume: the columns of `vwap`.
    """

    bucket: str
    results: tuple[Bucket, ...]
    timezone: str | None = None
    price: str | None = None
    volume: str | None = None

    _readers: ClassVar = {"results": Bucket.read_all}


@dataclass(frozen=True, slots=True)
class Inserted:
    """The result of a bulk insert. rows: number of inserted rows; batches: number of transactions.

    Other numbers come of a policy for conflicts.

    - replaced: rows that took the place of others.
    - identical: rows that were there already, with the same values.
    - kept: rows that were left out, because rows with other values are kept.
    """

    rows: int
    batches: int
    replaced: int = 0
    identical: int = 0
    kept: int = 0

    @property
    def total(self) -> int:
        """Number of rows that were sent."""
        return self.rows + self.replaced + self.identical + self.kept


@dataclass(frozen=True, slots=True)
class RowsPreview(Record):
    """A preview of rows before an insert.

    - sample: the first rows.
    - columns: `name`, `dtype` and whether the column is `new`.
    - timestamp_column, timestamp_format: for CSV, the column of the times, and their format if it was recognized.
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
