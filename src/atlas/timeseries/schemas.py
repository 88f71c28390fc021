"""Request bodies and answers of the time-series API, for validation and for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationInfo, field_validator

from atlas.contract.datasets import DatasetSamples, OnConflict
from atlas.contract.rows import StoredRow
from atlas.web.bodies import Body, Metadata, Name


class DatasetBody(Body):
    """A dataset to create, or a dataset's new name, description and metadata."""

    name: Name = Field(examples=["btc_hourly_ohlcv"])
    description: str = Field("", max_length=10_000, examples=["Hourly candles of Bitcoin in US dollars"])
    metadata: Metadata = Field(default_factory=dict, examples=[{"source": "tiingo", "frequency": "1h"}])

    @field_validator("description", "metadata", mode="before")
    @classmethod
    def _absent(cls, value: Any, info: ValidationInfo) -> Any:
        """Treats null like an absent field."""
        return {"description": "", "metadata": {}}[info.field_name or ""] if value is None else value


Unit = Annotated[str, Field(max_length=40, description="Of its values, shown beside them.", examples=["USD"])]
About = Annotated[str, Field(max_length=1000, description="What its values mean.", examples=["Price at the end"])]


Keys = Annotated[
    list[Annotated[str, Field(max_length=1000)]],
    Field(
        description="Columns whose values name the series of a row, such as `symbol`; every row needs them.",
        examples=[["symbol"]],
    ),
]


Conflicts = Annotated[
    OnConflict,
    Field(
        description="What inserts do with rows whose timestamp and keys other rows have: `append` keeps both, "
        "`replace` puts the new row in the other's place, `keep_first` leaves it out, `reject` refuses the insert."
    ),
]


class NewColumnBody(Body):
    """A column to declare with a new dataset."""

    name: str = Field(max_length=1000, examples=["close_price"])
    dtype: Literal["float", "int"] = Field(examples=["float"])
    unit: Unit | None = None
    description: About | None = None


class NewDatasetBody(DatasetBody):
    """A dataset to create."""

    columns: list[NewColumnBody] = Field(
        default_factory=list, max_length=1000, description="Columns to declare; rows bring others."
    )
    keys: Keys | None = None
    on_conflict: Conflicts | None = None


class ReplacedDatasetBody(DatasetBody):
    """A dataset's new name, description and metadata, and new series keys, if they are to change."""

    keys: Keys | None = None
    on_conflict: Conflicts | None = None


class DatasetChangeBody(Body):
    """Fields of a dataset to change. An absent field stays as it is."""

    name: Name | None = Field(None, examples=["btc_hourly_ohlcv"])
    description: str | None = Field(None, max_length=10_000, examples=["Hourly candles of Bitcoin in US dollars"])
    metadata: Metadata | None = Field(None, examples=[{"source": "tiingo", "frequency": "1h"}])
    keys: Keys | None = None
    on_conflict: Conflicts | None = None


class ColumnBody(NewColumnBody):
    """A column to declare."""

    dataset: StrictInt = Field(examples=[1])


class ColumnNoteBody(Body):
    """The unit and description of a column. An absent field stays as it is, and an empty text removes the field."""

    unit: Unit | None = None
    description: About | None = None


class DatasetColumnNoteBody(ColumnNoteBody):
    """The unit and description of a dataset's column. An absent field stays as it is, and an empty text removes the
    field.
    """

    dataset: StrictInt = Field(examples=[1])
    name: str = Field(max_length=1000, examples=["close_price"])


class TagBody(Body):
    """A tag to put on a dataset, by name or by id."""

    tag_name: Name | None = Field(None, examples=["public"])
    tag_id: StrictInt | None = None


class SamplesBody(Body):
    """Whose model providers may receive values of cells."""

    samples: DatasetSamples = Field(
        description="`nobody`; `organization`: your organization's, if it sends values; `readers`: that of every "
        "organization whose members may read the dataset."
    )


class RowBody(BaseModel):
    """A row to insert."""

    model_config = ConfigDict(extra="forbid")

    dataset: int
    timestamp: str = Field(examples=["2025-12-16T10:00:00Z"])
    values: Metadata = Field(examples=[{"open": 104500, "close": 104600}])


class RowPage(BaseModel):
    """A page of rows. `next_cursor` leads to the next page, in the same time at any depth."""

    count: int
    next: str | None
    previous: str | None
    next_cursor: str | None
    results: list[StoredRow]


class BulkBody(BaseModel):
    """Rows to insert."""

    model_config = ConfigDict(extra="forbid")

    dataset: int = Field(examples=[1])
    rows: list[dict[str, Any]] = Field(
        examples=[[{"timestamp": "2025-12-16T10:00:00Z", "values": {"open": 104500, "close": 104600}}]]
    )
