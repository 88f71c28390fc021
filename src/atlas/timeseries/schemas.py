"""Bodies and answers of the time-series API, for validation and for the OpenAPI document."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from atlas.errors import unknown_name
from atlas.web.openapi.responses import errors

Metadata = dict[str, Any]
Name = Annotated[str, Field(min_length=1, max_length=255)]


# Whether the body of the request at hand has been looked through, in a thread.
known_storable: ContextVar[bool] = ContextVar("known_storable", default=False)


# The type of the error for members that a body does not have.
UNKNOWN_MEMBER = "unknown_member"


class Body(BaseModel):
    """A request body: no type is guessed, no member passed over, and text has no NUL, which PostgreSQL cannot store."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        """Refuses members that are not known, naming the nearest that are."""
        if isinstance(value, dict) and not value.keys() <= cls.model_fields.keys():
            unknown = [str(name) for name in value if name not in cls.model_fields]
            told = {name[:100]: unknown_name(name, cls.model_fields) for name in unknown[:5]}
            raise PydanticCustomError(UNKNOWN_MEMBER, "unknown members", {"told": told, "known": [*cls.model_fields]})
        return value

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        refuse_unstorable(value)
        return value


def refuse_unstorable(value: Any) -> None:
    """Raises ValueError for a JSON value that PostgreSQL cannot store."""
    if known_storable.get():
        return
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("the NUL character is not allowed")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("half of a surrogate pair is not allowed") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key)
            refuse_unstorable(item)
    elif isinstance(value, list):
        for item in value:
            refuse_unstorable(item)
    elif (isinstance(value, float) and value in (float("inf"), float("-inf"))) or value != value:  # noqa: PLR0124
        raise ValueError("NaN and Infinity are not allowed")


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a body with the models inside it in their places: a reference would lead nowhere."""
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix("#/$defs/")
            return resolved(inner[name]) if name in inner else {key: resolved(item) for key, item in value.items()}
        return [resolved(item) for item in value] if isinstance(value, list) else value

    found: dict[str, Any] = resolved(schema)
    return found


class DatasetBody(Body):
    """A dataset to make, or its new name, description and metadata."""

    name: Name = Field(examples=["btc_hourly_ohlcv"])
    description: str = Field("", max_length=10_000, examples=["Hourly candles of Bitcoin in US dollars"])
    metadata: Metadata = Field(default_factory=dict, examples=[{"source": "tiingo", "frequency": "1h"}])

    @field_validator("description", "metadata", mode="before")
    @classmethod
    def _absent(cls, value: Any, info: ValidationInfo) -> Any:
        """What is null as if it were left out."""
        return {"description": "", "metadata": {}}[info.field_name or ""] if value is None else value


Unit = Annotated[str, Field(max_length=40, description="Of its values, shown beside them.", examples=["USD"])]
About = Annotated[str, Field(max_length=1000, description="What its values mean.", examples=["Price at the end"])]


class NewColumnBody(Body):
    """A column to declare with a new dataset."""

    name: str = Field(max_length=1000, examples=["close_price"])
    dtype: Literal["float", "int"] = Field(examples=["float"])
    unit: Unit | None = None
    description: About | None = None


class NewDatasetBody(DatasetBody):
    """A dataset to make."""

    columns: list[NewColumnBody] = Field(
        default_factory=list, max_length=1000, description="Columns to declare; rows bring others."
    )


class ColumnBody(NewColumnBody):
    """A column to declare."""

    dataset: StrictInt = Field(examples=[1])


class ColumnNoteBody(Body):
    """What to say of a column; what is left out stays, an empty text takes away."""

    unit: Unit | None = None
    description: About | None = None


class DatasetColumnNoteBody(ColumnNoteBody):
    """What to say of a dataset's column; what is left out stays, an empty text takes away."""

    dataset: StrictInt = Field(examples=[1])
    name: str = Field(max_length=1000, examples=["close_price"])


class AcquireBody(Body):
    """A tag to acquire, with its secret if it is private."""

    tag_name: Name = Field(examples=["public"])
    secret: str | None = Field(None, max_length=1000)


class TagBody(Body):
    """A tag to put on a dataset, by name or by id."""

    tag_name: Name | None = Field(None, examples=["public"])
    tag_id: StrictInt | None = None


class AccessBody(Body):
    """A dataset to check access to."""

    dataset_id: StrictInt = Field(examples=[1])
    require_write: bool = False

    @field_validator("require_write", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        """What is null as if it were left out."""
        return False if value is None else value


class ColumnView(BaseModel):
    """A column of a dataset."""

    id: int
    dataset: int
    name: str
    dtype: Literal["float", "int", "string", "boolean", "json"]
    inferred: bool = Field(description="Whether it came with data instead of being declared.")
    unit: str = Field(description="Of its values; empty where its owner said none.", examples=["USD"])
    description: str = Field(description="What its values mean; empty where its owner did not say.")


class DatasetView(BaseModel):
    """A dataset."""

    id: int
    name: str
    description: str
    metadata: Metadata
    columns: list[ColumnView]
    created_at: datetime
    updated_at: datetime


class TagView(BaseModel):
    """A tag, without its secret."""

    id: int
    name: str
    description: str
    is_public: bool
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


class AccessView(BaseModel):
    """What the caller may do with a dataset."""

    has_access: bool
    is_owner: bool
    matching_tags: list[str]


Samples = Literal["nobody", "organization", "readers"]


class SamplesBody(Body):
    """Whose model providers may be sent values of cells."""

    samples: Samples = Field(
        description="`nobody`; `organization`: your organization's, if it sends values; `readers`: that of every "
        "organization whose members may read the dataset."
    )


class SamplesView(BaseModel):
    """Whose model providers may be sent values of a dataset's cells."""

    dataset: int
    samples: Samples


class SummaryView(BaseModel):
    """A dataset at a glance."""

    dataset: int
    owner: str
    owner_organization: str
    is_owner: bool
    tags: list[str] = Field(description="All tags of the dataset.")
    matching_tags: list[str] = Field(description="Those that you hold.")
    row_count: int
    bytes: int = Field(description="What its rows and indexes take on disk.")
    first_timestamp: str | None
    last_timestamp: str | None


class DatasetPage(BaseModel):
    """A page of datasets."""

    count: int
    next: str | None
    previous: str | None
    results: list[DatasetView]


class RowView(BaseModel):
    """A row."""

    dataset: int
    timestamp: str = Field(examples=["2025-12-16T10:00:00Z"])
    values: Metadata = Field(examples=[{"open": 104500, "close": 104600}])


class RowBody(RowView):
    """A row to insert."""

    model_config = ConfigDict(extra="forbid")


class RowPage(BaseModel):
    """A page of rows. `next_cursor` leads to the next page in the same time at any depth."""

    count: int
    next: str | None
    previous: str | None
    next_cursor: str | None
    results: list[RowView]


class BucketView(BaseModel):
    """A time bucket that has rows. values: the functions' results by column."""

    timestamp: str = Field(examples=["2025-12-16T10:00:00Z"])
    count: int
    values: dict[str, dict[str, Any]] = Field(examples=[{"close": {"min": 104400, "max": 104700, "avg": 104550.5}}])


class AggregateView(BaseModel):
    """Time buckets. bucket: their width."""

    bucket: str = Field(examples=["1h"])
    results: list[BucketView]


class BulkBody(BaseModel):
    """Rows to insert."""

    model_config = ConfigDict(extra="forbid")

    dataset: int = Field(examples=[1])
    rows: list[dict[str, Any]] = Field(
        examples=[[{"timestamp": "2025-12-16T10:00:00Z", "values": {"open": 104500, "close": 104600}}]]
    )


class InsertedView(BaseModel):
    """How many rows were stored, of how many sent; the two are always equal. What was guessed is beside them."""

    inserted: int
    total: int
    timestamp_column: str | None = Field(None, description="CSV: the timestamps' column, of several that may be it.")
    timestamp_format: str | None = Field(None, description="CSV: the timestamps' format, if it is not ISO 8601.")


class PreviewedColumn(BaseModel):
    """A column that a body has. new: whether the dataset would get it."""

    name: str
    dtype: Literal["float", "int", "string", "boolean", "json"]
    new: bool


class PreviewedRow(BaseModel):
    """A row of a body."""

    timestamp: str
    values: dict[str, Any]


class RowsPreviewView(BaseModel):
    """What a body of rows holds. Nothing was stored."""

    rows: int
    first_timestamp: str | None
    last_timestamp: str | None
    timestamp_column: str | None = Field(None, description="CSV: the column of the timestamps.")
    timestamp_format: str | None = Field(None, description="CSV: the timestamps' format, if it is not ISO 8601.")
    columns: list[PreviewedColumn]
    sample: list[PreviewedRow] = Field(description="The first five rows.")


class DeletedView(BaseModel):
    """How many rows were removed."""

    deleted: int


class ErrorView(BaseModel):
    """An error of the time-series API."""

    error: str = Field(examples=["Dataset not found"])
    details: str | None = Field(None, examples=["No dataset with ID 999"])


ERRORS = errors(
    ErrorView,
    {
        400: "Invalid parameters or body",
        401: "Missing or invalid API key",
        403: "No permission for this action",
        404: "No such resource",
        413: "Body too large",
        429: "Rate limit exceeded, or too many requests of the user at once",
        500: "Something went wrong",
        503: "Database unavailable or server busy",
    },
)
