"""Checks that a plan fits its data, and lists how the plan reads what the question leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.sql_parts import counts_rows, series_of, usual
from atlas.language.offline.questions.series.target import Target
from atlas.language.offline.questions.to_english import join_words

_MOST_ROWS = 1_000
_SECONDS = {
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_800,
    "quarter": 7_889_400,
    "year": 31_557_600,
}
# Functions of each series by itself. Values of several series are never mixed in them.
OF_SERIES = (
    p.Latest,
    p.Change,
    p.Growth,
    p.Moving,
    p.Cumulative,
    p.Drawdown,
    p.Volatility,
    p.Gaps,
    p.Ohlc,
    p.Run,
    p.Crossing,
    p.Since,
    p.AsOf,
)
_ONE_COLUMN = (
    p.Extreme,
    p.Rank,
    p.Change,
    p.Growth,
    p.Moving,
    p.Cumulative,
    p.Drawdown,
    p.Volatility,
    p.Ohlc,
    p.Run,
    p.Crossing,
    p.Since,
)
_GROUPED = (
    p.Difference,
    p.Ratio,
    p.Aggregate,
    p.Rank,
    p.Growth,
    p.Cumulative,
    p.Moving,
    p.Ohlc,
    p.Latest,
    p.Volatility,
)


class UnclearError(Exception):
    """What a question leaves open. The text asks back."""


@dataclass
class Completed:
    """A plan, and how it was read."""

    plan: p.SeriesPlan
    notes: list[str] = field(default_factory=list)


def finer(one: str | None, two: str | None, target: Target | None = None) -> bool:
    """Checks whether a bucket is shorter than another, or than the step of the data for None."""
    if one is None:
        return False
    other = _SECONDS.get(two or "", (target.seconds or 0) if target else 0)
    return _SECONDS[one] < 0.6 * other


def finish(plan: p.SeriesPlan, target: Target, notes: list[str]) -> Completed:
    """Checks a plan, and tells what it assumes.

    Raises UnclearError: when the plan does not fit the data.
    """
    function = plan.function
    if isinstance(function, _ONE_COLUMN) and len(plan.measures) != 1:
        raise UnclearError(f"Which column is meant: {join_words(list(plan.measures) or ['none'])}?")
    if isinstance(function, p.Latest) and (plan.unit or function.both) and len(plan.measures) != 1:
        raise UnclearError(f"Which column is meant: {join_words(list(plan.measures))}?")
    _check_rows(plan)
    if isinstance(function, p.Ratio) and len(plan.measures) != 2:
        raise UnclearError("Which two columns are meant?")
    if (plan.unit or plan.part) and not isinstance(function, (*_GROUPED, p.Values, p.Extreme)):
        raise UnclearError(f"Should it be one answer, or one for each {plan.unit or plan.part}?")
    if plan.part is not None and not isinstance(function, p.Aggregate | p.Rank | p.Volatility | p.Ratio):
        raise UnclearError(f"Should it be one answer, or one for each {plan.part}?")
    if finer(plan.unit, None, target):
        raise UnclearError(f"The data of {plan.table} has no row for each {plan.unit}.")
    if len(plan.spans) > 1 and not isinstance(function, p.Aggregate | p.Rank | p.Values):
        raise UnclearError("Which of the periods is meant?")
    if (
        isinstance(function, p.Run | p.Crossing)
        and plan.threshold is None
        and getattr(function, "rising", None) is None
    ):
        raise UnclearError("A run of what is meant?")
    if isinstance(function, p.Correlation | p.Difference):
        _check_pair(plan)
    plan = _fit(plan, target, notes)
    _tell_series(plan, target, notes)
    return Completed(plan, notes)


# Functions that compare a row with those before, which a condition on days or values would take away.
_OVER_ROWS = (p.Growth, p.Moving, p.Volatility, p.Gaps, p.Drawdown, p.Difference)


def _check_rows(plan: p.SeriesPlan) -> None:
    """Refuses conditions on rows that the function needs.

    Raises UnclearError: for such a condition.
    """
    if plan.threshold is not None and plan.threshold.column is None and not plan.measures:
        raise UnclearError("What is the limit of?")
    if plan.days is not None and isinstance(plan.function, (*_OVER_ROWS, p.Run, p.Change)):
        raise UnclearError(f"Should the changes be counted from {plan.days} to {plan.days}?")
    if plan.threshold is not None and isinstance(plan.function, (*_OVER_ROWS, p.Change, p.Cumulative, p.Ohlc)):
        raise UnclearError("What is the limit of?")


def _check_pair(plan: p.SeriesPlan) -> None:
    pairs = [pin for pin in plan.pins if len(pin.values) == 2]
    if len(plan.measures) == 2 and not pairs:
        return
    if len(plan.measures) != 1 or len(pairs) != 1 or any(len(pin.values) > 2 for pin in plan.pins):
        raise UnclearError("Which two series or columns should be compared?")


def _fit(plan: p.SeriesPlan, target: Target, notes: list[str]) -> p.SeriesPlan:
    """Fits windows and rows to the step of the data."""
    function = plan.function
    if isinstance(function, p.Moving):
        if finer(function.unit, plan.unit, target):
            raise UnclearError(f"The data of {plan.table} has no row for each {function.unit}.")
        if plan.unit == target.step:
            plan = msgspec.structs.replace(plan, unit=None)
        notes.append(
            f"The window has {function.count} rows; the first rows have a shorter one."
            if counts_rows(plan, function, target)
            else f"The window is of {function.count} {function.unit}s; the first rows have a shorter one."
        )
    if (
        isinstance(function, p.Growth)
        and function.extreme is not None
        and not function.percent
        and len(series_of(plan, target))
    ):
        plan = msgspec.structs.replace(plan, function=msgspec.structs.replace(function, percent=True))
        notes.append("The changes of several series are compared in percent.")
    if isinstance(function, p.Values):
        return _thin(plan, target, notes)
    return plan


def _thin(plan: p.SeriesPlan, target: Target, notes: list[str]) -> p.SeriesPlan:
    """Replaces too many rows for an answer by the means or totals of buckets."""
    if plan.threshold is not None or not target.seconds or target.low is None or target.high is None:
        return plan
    span = (target.high - target.low).total_seconds()
    if len(plan.spans) == 1:
        start, end = (
            None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
            for text in (plan.spans[0].start, plan.spans[0].end)
        )
        span = (min(end or target.high, target.high) - max(start or target.low, target.low)).total_seconds()
    series = 1
    for key in series_of(plan, target):
        pinned = next((len(pin.values) for pin in plan.pins if pin.column == key), None)
        series *= pinned or len(next(column.values for column in target.table.columns if column.name == key))
    if plan.unit is None and span / target.seconds * series <= _MOST_ROWS:
        return plan
    units = [u for u in p.UNITS if _SECONDS[u] > target.seconds and span / _SECONDS[u] * series <= _MOST_ROWS]
    unit = plan.unit or (units[0] if units else "year")
    labels = plan.labels or series_of(plan, target)
    names = {"sum": "totals", "avg": "means"}
    told = names[usual(plan.measures[0])] if len({usual(name) for name in plan.measures}) == 1 else "means or totals"
    notes.append(f"The rows are too many to list, so there are {told} by {unit}.")
    return msgspec.structs.replace(plan, function=p.Aggregate(), unit=unit, labels=labels)


def _tell_series(plan: p.SeriesPlan, target: Target, notes: list[str]) -> None:
    """Tells of several series whether each is taken by itself, and how figures are made."""
    open_keys = [
        key for key in target.keys if key not in plan.labels and not any(pin.column == key for pin in plan.pins)
    ]
    function = plan.function
    ranked = getattr(function, "rank", None) is not None
    if open_keys and isinstance(function, (*OF_SERIES, p.Values)) and not ranked:
        notes.append(f"There is an answer for each {join_words(open_keys)}.")
    elif open_keys and not ranked and not isinstance(function, p.Bounds | p.Extreme | p.Labels):
        notes.append(f"All values of {join_words(open_keys)} are taken together.")
    notes += _definition(plan, target)
    if isinstance(function, p.Extreme) and (plan.labels or open_keys):
        notes.append("The single highest or lowest value counts.")
    if (plan.unit is not None or plan.part is not None) and target.time.type == "timestamp":
        notes.append("Times are in UTC.")


_NAMES = {"sum": "the total", "avg": "the average"}


def _definition(plan: p.SeriesPlan, target: Target) -> list[str]:
    """Returns how a figure is made that is known by several definitions."""
    match plan.function:
        case p.Change():
            return ["The change is from the first to the last row of the time asked for."]
        case p.Growth(year=True):
            return ["Each value is compared with that of a year before."]
        case p.Growth(summary=("avg" | "median")):
            return [f"The changes are from {plan.unit or 'row'} to {plan.unit or 'row'}."]
        case p.Growth(function=None, percent=percent, extreme=extreme):
            bucketed = plan.unit is not None and plan.unit != target.step
            found = [
                f"The value of each {plan.unit} is its last row."
                if bucketed
                else "Each value is compared with the row before."
            ]
            if extreme is not None:
                found.append(
                    "The order is by percent." if percent else "The order is by the difference, not by percent."
                )
            return found
        case p.Volatility(annual=annual):
            length = "by the year" if annual else "not by the year"
            return [f"The volatility is the standard deviation of the changes in percent from row to row, {length}."]
        case p.Correlation(returns=returns):
            of = "changes from row to row" if returns else "values, not of their changes"
            return [f"The correlation is of the {of}."]
        case p.Difference() if plan.unit is None:
            return ["The difference is that of the values at the same time."]
        case p.Ratio():
            made = " and ".join(f"{_NAMES[usual(name)]} of {name}" for name in plan.measures)
            return [f"The ratio is of {made}."]
        case p.Drawdown():
            return ["The drawdown is in percent of the highest value so far in the time asked for."]
        case p.Aggregate(functions=()) if plan.measures:
            told = join_words([f"{_NAMES[usual(name)]} of {name}" for name in plan.measures])
            return [f"No figure is named, so there is {told}."]
        case p.Rank(function=name) if not plan.part:
            of = plan.unit or join_words(list(plan.labels) or ["series"])
            return [f"The order is by the {name} of each {of}."]
    return []
