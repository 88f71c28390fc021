"""The typed plan of a question on a time series: one function over rows of one table."""

from __future__ import annotations

import msgspec

# The length of a bucket: year, quarter, month, week, day, hour or minute.
Unit = str
UNITS = ("minute", "hour", "day", "week", "month", "quarter", "year")


class Latest(msgspec.Struct, frozen=True, tag="latest"):
    """The newest values, or the oldest with `first`. With `both`, the oldest and the newest."""

    count: int = 1
    first: bool = False
    both: bool = False


class Extreme(msgspec.Struct, frozen=True, tag="extreme"):
    """The greatest or least values, each with its time. With `ties`, all times of the value."""

    highest: bool
    count: int = 1
    ties: bool = False


class Aggregate(msgspec.Struct, frozen=True, tag="aggregate"):
    """Aggregates of the values: avg, sum, min, max, median, stddev, count, range, or a percentile such as p95.

    within: the aggregate is the mean of the totals of such buckets.
    """

    functions: tuple[str, ...] = ()
    within: Unit | None = None


class Rank(msgspec.Struct, frozen=True, tag="rank"):
    """The buckets or series with the greatest or least aggregate."""

    function: str
    highest: bool
    count: int = 1


class Change(msgspec.Struct, frozen=True, tag="change"):
    """The change from the first to the last value. With `rank`, the series that changed most or least."""

    rank: bool | None = None


class Growth(msgspec.Struct, frozen=True, tag="growth"):
    """The change from bucket to bucket, or to the bucket a year before.

    function: the aggregate of a bucket. None: its last value.
    extreme: keep the greatest (True) or the least (False) change.
    percent: whether the extreme is of the change in percent.
    summary: avg or median of all changes, or up or down for their number, or up_share or down_share in percent.
    """

    function: str | None = None
    year: bool = False
    extreme: bool | None = None
    percent: bool = False
    count: int = 1
    summary: str | None = None


class Moving(msgspec.Struct, frozen=True, tag="moving"):
    """An aggregate over a moving window."""

    function: str
    count: int
    unit: Unit


class Cumulative(msgspec.Struct, frozen=True, tag="cumulative"):
    """The running total."""


class Drawdown(msgspec.Struct, frozen=True, tag="drawdown"):
    """The loss since the highest value so far: the greatest, or with `all` that of each time."""

    all: bool = False


class Volatility(msgspec.Struct, frozen=True, tag="volatility"):
    """The deviation of the changes in percent from row to row. With `rank`, the series with the greatest or least."""

    annual: bool = False
    rank: bool | None = None


class Correlation(msgspec.Struct, frozen=True, tag="correlation"):
    """The correlation of two columns, or of two series, or of their changes with `returns`."""

    returns: bool = False


class Gaps(msgspec.Struct, frozen=True, tag="gaps"):
    """The times between which rows are missing, or the longest of these."""

    longest: bool = False


class Ohlc(msgspec.Struct, frozen=True, tag="ohlc"):
    """The first, highest, lowest and last value of each bucket."""


class Run(msgspec.Struct, frozen=True, tag="run"):
    """The longest run of rows that meet the threshold, or that rise (True) or fall (False)."""

    rising: bool | None = None


class Crossing(msgspec.Struct, frozen=True, tag="crossing"):
    """The first or last time that the threshold was met."""

    first: bool = True


class Since(msgspec.Struct, frozen=True, tag="since"):
    """The days from the last greatest or least value, or from the last time over the threshold, to today."""

    highest: bool | None = None


class Values(msgspec.Struct, frozen=True, tag="values"):
    """The rows themselves."""


class AsOf(msgspec.Struct, frozen=True, tag="as_of"):
    """The last value up to the end of the span."""


class Bounds(msgspec.Struct, frozen=True, tag="bounds"):
    """The first and the last time of the rows."""


class Difference(msgspec.Struct, frozen=True, tag="difference"):
    """The difference of two columns, or of two series, at each time or in each bucket."""


class Ratio(msgspec.Struct, frozen=True, tag="ratio"):
    """The ratio of two columns. With `percent`, in percent."""

    percent: bool = False


class Labels(msgspec.Struct, frozen=True, tag="labels"):
    """The names of the series, or their number."""

    column: str
    count: bool = False


Function = (
    Latest | Extreme | Aggregate | Rank | Change | Growth | Moving | Cumulative | Drawdown | Volatility | Correlation
    | Gaps | Ohlc | Run | Crossing | Since | Values | AsOf | Bounds
    | Labels | Difference | Ratio
)  # fmt: skip


class Span(msgspec.Struct, frozen=True):
    """The time from `start` up to, and without, `end`, as ISO dates. None: no bound."""

    start: str | None
    end: str | None
    words: str = ""


class Pin(msgspec.Struct, frozen=True):
    """The values that a text column must have."""

    column: str
    values: tuple[str, ...]
    negated: bool = False


class Threshold(msgspec.Struct, frozen=True):
    """A comparison of values with a number, or with two numbers for `between`.

    column: None: the measure.
    """

    operator: str
    value: float | int
    upper: float | int | None = None
    column: str | None = None


class SeriesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A question on a time series.

    measures: the columns with the values.
    labels: the text columns that the question groups by.
    unit: the length of the buckets. part: hour, weekday or month, for buckets over all days or years.
    days: weekend or weekday, if only such days count.
    descending: the order of the values, if the question asks for one. limit: of the ordered or newest buckets.
    """

    table: str
    function: Function
    measures: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    spans: tuple[Span, ...] = ()
    unit: Unit | None = None
    part: str | None = None
    threshold: Threshold | None = None
    days: str | None = None
    descending: bool | None = None
    limit: int | None = None
    newest: bool = False


class State(msgspec.Struct, frozen=True):
    """A plan as it is kept for the next question. No other engine's state has this member."""

    series: SeriesPlan


def encode(plan: SeriesPlan) -> str:
    """Encodes a plan as the state of a thread."""
    return msgspec.json.encode(State(plan)).decode()


def decode(state: str | None) -> SeriesPlan | None:
    """Decodes a plan. Returns None for the state of another engine."""
    if state is None or not state.startswith('{"series":'):
        return None
    try:
        return msgspec.json.decode(state, type=State).series
    except msgspec.MsgspecError:
        return None
