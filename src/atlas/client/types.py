"""What calls answer with. Members that a newer server adds are left out, so they break nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from atlas.client.errors import DataError

Json = dict[str, Any]
Role = Literal["member", "admin", "operator"]
# Whose model providers may be sent values of a dataset's cells, and of a table's.
Samples = Literal["nobody", "organization", "readers"]
TableSamples = Literal["nobody", "organization"]


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
class Key(Record):
    """An API key, without itself. `key` is there only in the answer that made it."""

    id: int
    name: str = ""
    prefix: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    user: str | None = None
    organization: str | None = None
    key: str | None = field(default=None, repr=False)

    _readers: ClassVar = dict.fromkeys(("created_at", "expires_at", "revoked_at", "last_used_at"), moment)


@dataclass(frozen=True, slots=True)
class User(Record):
    """Whose key it is."""

    id: int
    name: str
    role: Role = "member"


@dataclass(frozen=True, slots=True)
class Organization(Record):
    """Who shares tables."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Me(Record):
    """Who the client is to the server. tags: names of those held."""

    user: User
    organization: Organization
    key: Key
    tags: tuple[str, ...] = ()
    version: str = ""

    _readers: ClassVar = {"user": User.read, "organization": Organization.read, "key": Key.read, "tags": tuple}


@dataclass(frozen=True, slots=True)
class Usage(Record):
    """Requests, bytes and rows by UTC day and by key, and what is stored; see the content API for the members."""

    days: tuple[Json, ...]
    keys: tuple[Json, ...]
    storage: Json

    _readers: ClassVar = {"days": tuple, "keys": tuple}


@dataclass(frozen=True, slots=True)
class SavedQuery(Record):
    """SQL that is kept. shared: the organization sees it; is_owner: it is yours, else `owner` shares it."""

    id: str
    name: str
    sql: str
    shared: bool = False
    is_owner: bool = True
    owner: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    _readers: ClassVar = dict.fromkeys(("created_at", "updated_at"), moment)


@dataclass(frozen=True, slots=True)
class Favourite(Record):
    """A dataset or a table that you marked. kind: which of both; dataset_id: None for tables."""

    kind: str
    name: str
    dataset_id: int | None = None
    created_at: datetime | None = None

    _readers: ClassVar = {"created_at": moment}


@dataclass(frozen=True, slots=True)
class Column(Record):
    """A column of a dataset.

    dtype: int, float, string, boolean or json; inferred: came with data; unit, description: what its owner says of it.
    """

    id: int
    dataset: int
    name: str
    dtype: str
    inferred: bool = False
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dataset(Record):
    """A dataset."""

    id: int
    name: str
    description: str = ""
    metadata: Json = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None

    _readers: ClassVar = {"columns": Column.read_all, "created_at": moment, "updated_at": moment}


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
class Access(Record):
    """What you may do with a dataset, and why."""

    has_access: bool
    is_owner: bool
    matching_tags: tuple[str, ...] = ()

    _readers: ClassVar = {"matching_tags": tuple}


@dataclass(frozen=True, slots=True)
class Tag(Record):
    """A tag, without its secret."""

    id: int
    name: str
    description: str = ""
    is_public: bool = False
    metadata: Json = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None

    _readers: ClassVar = {"created_at": moment, "updated_at": moment}


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
