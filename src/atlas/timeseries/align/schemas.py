"""The body of a request for aligned rows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from atlas.errors import BadRequestError
from atlas.kit.file_formats import Output
from atlas.kit.timestamps import parse_end, parse_parameter, to_micros
from atlas.timeseries.align.model import MOST_DATASETS, AlignedDataset, AlignRequest, Direction, GridClock, length_of
from atlas.timeseries.moments import parse_known_at
from atlas.timeseries.series.conditions import parse_where
from atlas.timeseries.zone_map import Range
from atlas.web.bodies import Body

Length = StrictStr | StrictInt | StrictFloat
Where = Annotated[
    list[str],
    Field(
        max_length=20,
        description="Only these series, in the notation of `where`.",
        examples=[["symbol:MSFT,AAPL"]],
    ),
]


class AlignedDatasetBody(Body):
    """A dataset to align, with some of its columns or series."""

    dataset: StrictInt = Field(examples=[2])
    columns: list[str] | None = Field(None, max_length=1000, description="Only these columns.")
    where: Where = Field(default_factory=list)

    def read(self) -> AlignedDataset:
        return AlignedDataset(self.dataset, self.columns, parse_where(self.where))


class GridBody(Body):
    """A grid of times, in UTC and from Mondays on, as buckets are."""

    every: Length = Field(description="Distance of two times: seconds, or a length such as `15m`.", examples=["15m"])

    def read(self) -> GridClock:
        every = length_of("clock.every", self.every)
        if not every:
            raise BadRequestError("Invalid parameter", "clock.every: more than nothing")
        return GridClock(every)


class AlignBody(Body):
    """Datasets to align, and how."""

    clock: StrictInt | AlignedDatasetBody | GridBody = Field(
        description='The dataset whose rows tell the times, or a grid: `{"every": "15m"}`.', examples=[1]
    )
    datasets: list[StrictInt | AlignedDatasetBody] = Field(
        max_length=MOST_DATASETS, description="What is joined to each time.", examples=[[1, 2]]
    )
    by: list[str] | str = Field(default_factory=list, description="Keys whose series are aligned one by one.")
    where: Where = Field(default_factory=list)
    direction: Direction = Field("backward", description="Where the row is, seen from the time.")
    tolerance: Length | None = Field(None, description="The greatest distance of a row.", examples=["5m"])
    start: str | None = Field(None, description="First time of the answer.")
    end: str | None = Field(None, description="Last time of the answer; a day is meant as a whole.")
    known_at: str | StrictInt | None = Field(None, description="Rows as they were at a moment.")
    limit: StrictInt | None = Field(None, ge=1, description="Most rows of the answer; all where it is left out.")
    output: Literal["json", "ndjson", "csv", "arrow", "parquet"] = "json"

    def read(self) -> AlignRequest:
        """Returns the request. Raises BadRequestError: when a part cannot be read."""
        clock = AlignedDataset(self.clock) if isinstance(self.clock, int) else self.clock.read()
        datasets = [AlignedDataset(one) if isinstance(one, int) else one.read() for one in self.datasets]
        by = [name.strip() for name in self.by.split(",") if name.strip()] if isinstance(self.by, str) else self.by
        return AlignRequest(
            clock,
            datasets,
            tuple(dict.fromkeys(by)),
            parse_where(self.where),
            self.direction,
            None if self.tolerance is None else length_of("tolerance", self.tolerance),
            self._span(),
            None if self.known_at is None else parse_known_at(str(self.known_at)),
            self.limit,
            Output(self.output),
        )

    def _span(self) -> Range:
        whole = Range()
        try:
            lo = whole.lo if self.start is None else to_micros(parse_parameter(self.start))
        except ValueError as error:
            raise BadRequestError("Invalid parameter", f"start: {error}") from None
        try:
            hi = whole.hi if self.end is None else to_micros(parse_end(self.end)) + 1
        except ValueError as error:
            raise BadRequestError("Invalid parameter", f"end: {error}") from None
        if lo > hi:
            raise BadRequestError("Invalid parameter", "end: before start")
        return Range(lo, hi)
