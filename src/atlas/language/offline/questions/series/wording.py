"""Describes the plans of time series in words, and chooses their charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.sql_parts import series_of, title, usual
from atlas.language.offline.questions.series.target import Target
from atlas.language.offline.questions.to_english import figure, join_words, label, plain
from atlas.language.question import Chart

_NAMED = 5
_WORDS = {
    "avg": "average",
    "sum": "total",
    "min": "lowest",
    "max": "highest",
    "stddev": "deviation of",
    "range": "range of",
}
_SIGNS = {">": "over", ">=": "at least", "<": "under", "<=": "at most"}


def subject(plan: p.SeriesPlan) -> str:
    """Names what a plan computes."""
    name = join_words([plain(measure) for measure in plan.measures]) if plan.measures else "rows"
    match plan.function:
        case p.Latest(first=first, both=both):
            return f"{'first and last' if both else 'first' if first else 'latest'} {name}"
        case p.Extreme(highest=highest, count=count):
            return f"{f'{count} ' if count > 1 else ''}{'highest' if highest else 'lowest'} {name}"
        case p.Aggregate(within=str(within)):
            return f"average of the total {name} by {within}"
        case p.Aggregate(functions=functions):
            return join_words([_figure_name(function, plan) for function in functions or ("",)])
        case p.Rank(function=function, highest=highest):
            return f"{'highest' if highest else 'lowest'} {_figure_name(function, plan)}"
        case p.Change():
            return f"change of {name}"
        case p.Growth() as growth:
            return _growth(growth, name, plan.unit or "row")
        case p.Moving(function=function, count=count, unit=unit):
            return f"moving {_WORDS.get(function, function)} of {name} over {count} {unit}s"
        case p.Cumulative():
            return f"running total of {name}"
        case p.Drawdown(all=every):
            return f"{'drawdown' if every else 'greatest drawdown'} of {name}"
        case p.Volatility(annual=annual):
            return f"{'annualized ' if annual else ''}volatility of {name}"
        case p.Correlation(returns=returns):
            pair = next((pin.values for pin in plan.pins if len(pin.values) == 2), plan.measures)
            return f"correlation of {'the changes of ' if returns else ''}{join_words(list(pair))}"
        case p.Gaps(longest=longest):
            return "longest gap" if longest else "gaps"
        case p.Ohlc():
            return f"open, high, low and close of {name}"
        case p.Run(rising=rising):
            return "longest run" + ("" if rising is None else " of rises" if rising else " of falls")
        case p.Crossing(first=first):
            return f"{'first' if first else 'last'} {name}"
        case p.Since(highest=highest):
            return "days since the " + (
                "last time" if highest is None else f"{'highest' if highest else 'lowest'} {name}"
            )
        case p.AsOf():
            return f"{name} at the end"
        case p.Bounds():
            return "first and last time"
        case p.Difference():
            pair = next((pin.values for pin in plan.pins if len(pin.values) == 2), plan.measures)
            return f"difference of {join_words([plain(one) for one in pair])}"
        case p.Ratio(percent=percent):
            return f"{plain(plan.measures[0])} {'in percent of' if percent else 'per'} {plain(plan.measures[1])}"
        case p.Labels(column=column, count=count):
            return f"number of {plain(column)}s" if count else f"{plain(column)}s"
        case _:
            return name


def _growth(function: p.Growth, name: str, unit: str) -> str:
    if function.summary in ("avg", "median"):
        return f"{_WORDS.get(function.summary, function.summary)} change of {name} from {unit} to {unit}"
    if function.summary is not None:
        part = "share" if function.summary.endswith("_share") else "number"
        return f"{part} of {unit}s on which {name} {'rose' if function.summary.startswith('up') else 'fell'}"
    way = "" if function.extreme is None else "greatest " if function.extreme else "lowest "
    return f"{way}change of {name} {'to the year before' if function.year else f'from {unit} to {unit}'}"


def _figure_name(function: str, plan: p.SeriesPlan) -> str:
    names = [plain(title(function or usual(name), name)) for name in plan.measures]
    return join_words(names) if names else plain(title(function or "count", None))


def conditions(plan: p.SeriesPlan) -> str:
    """Describes the rows of a plan."""
    found = [f"for {join_words(list(pin.values))}" for pin in plan.pins if not isinstance(plan.function, p.Correlation)]
    if plan.threshold is not None:
        name, limit = plan.threshold.column or (plan.measures[0] if plan.measures else "value"), plan.threshold
        told = (
            f"between {figure(limit.value)} and {figure(limit.upper)}"
            if limit.upper is not None
            else f"{_SIGNS[limit.operator]} {figure(limit.value)}"
        )
        found.append(f"with {plain(name)} {told}")
    if plan.days is not None:
        found.append(f"on {plan.days}s")
    if plan.spans:
        found.append(" and ".join(_when(span) for span in plan.spans))
    return "".join(f" {part}" for part in found)


def _when(span: p.Span) -> str:
    words = span.words.strip()
    lead = words.split(" ")[0].lower() if words else ""
    return (
        words
        if lead
        in (
            "in",
            "on",
            "since",
            "between",
            "from",
            "before",
            "after",
            "during",
            "until",
            "over",
            "of",
            "as",
            "for",
            "at",
        )
        else f"in {words}"
    )


def _part(plan: p.SeriesPlan) -> str:
    return plan.unit or {"weekend": "kind of day"}.get(plan.part or "", plan.part or "")


def _groups(plan: p.SeriesPlan) -> str:
    names = [*plan.labels, *([_part(plan)] if plan.unit or plan.part else [])]
    if isinstance(plan.function, p.Growth):
        names = list(plan.labels)
    return f" by {join_words([plain(name) for name in names])}" if names else ""


def explain(plan: p.SeriesPlan) -> str:
    """Describes a plan in a sentence."""
    order = ""
    if plan.limit is not None:
        which = "newest" if plan.newest else "highest" if plan.descending else "lowest"
        order = f", the {plan.limit} {which}"
    elif plan.descending is not None:
        order = f", the {'highest' if plan.descending else 'lowest'} first"
    return f"The {subject(plan)}{_groups(plan)}{conditions(plan)}{order}, in {plain(plan.table)}."


def chart(plan: p.SeriesPlan, target: Target) -> Chart:
    """Chooses a chart: a line over time, bars for parts of the day and for series, a number for a single figure."""
    time = plan.unit or target.time.name
    measure = plan.measures[0] if plan.measures else None
    match plan.function:
        case p.Moving(function=function):
            return Chart("line", time, (f"moving_{title(function, measure)}",))
        case p.Cumulative():
            return Chart("line", time, (f"cumulative_{measure}",))
        case p.Drawdown(all=True):
            return Chart("line", time, ("drawdown_percent",))
        case p.Growth(summary=str()):
            return Chart("number", None, ())
        case p.Growth(extreme=None):
            unit = plan.unit if plan.unit != target.step else None
            return Chart("bar", unit or target.time.name, ("percent",))
        case p.Ohlc():
            return Chart("line", plan.unit or time, ("close",))
        case p.Values():
            return Chart("line", target.time.name, plan.measures)
        case p.Aggregate(functions=functions, within=None):
            shown = tuple(
                title(function, name) for name in plan.measures for function in functions or (usual(name),)
            ) or ("count",)
            if plan.unit is not None:
                return Chart("line", plan.unit, shown)
            if plan.part is not None:
                return Chart("bar", {"weekend": "kind_of_day"}.get(plan.part, plan.part), shown)
            return Chart("bar", plan.labels[0], shown) if plan.labels else Chart("number", None, shown)
        case p.Rank(function=function):
            return Chart("bar", plan.part or plan.unit or next(iter(plan.labels), None), (title(function, measure),))
        case p.Change(rank=None):
            keys = series_of(plan, target)
            return Chart("bar", keys[0], ("percent",)) if keys else Chart("number", None, ("percent",))
        case p.Difference():
            return Chart(
                "line", plan.unit if plan.unit != target.step and plan.unit else target.time.name, ("difference",)
            )
        case p.Ratio(percent=percent):
            x = plan.unit or plan.part or next(iter(plan.labels), None)
            shown = ("percent" if percent else "_per_".join(plan.measures),)
            return Chart("line" if plan.unit else "bar" if x else "number", x, shown)
        case p.Labels() | p.Gaps() | p.Bounds():
            return Chart("number", None, ())
        case p.Correlation():
            return Chart("number", None, ("correlation",))
        case p.Since():
            return Chart("number", None, ("days",))
        case _:
            return Chart("number", None, plan.measures)


def describe(
    plan: p.SeriesPlan, names: Sequence[str], rows: Sequence[tuple[Any, ...]], truncated: bool, units: Mapping[str, str]
) -> str:
    """Writes the answer as a sentence with its figures and times.

    units: of columns, by name.
    """
    told = f"{subject(plan)}{conditions(plan)}"
    if not rows or all(value is None for value in rows[0]):
        return (
            f"There is nothing for the {told}."
            if not isinstance(plan.function, p.Gaps)
            else f"No gaps{conditions(plan)} were found."
        )
    if len(rows) == 1:
        return f"The {told}: {_row(plan, names, rows[0], units)}."
    if len(rows) <= _NAMED and not truncated:
        return f"The {told}: {'; '.join(_row(plan, names, row, units) for row in rows)}."
    count = f"{'more than ' if truncated else ''}{len(rows):,}"
    ends = [_row(plan, names, row, units) for row in (rows[0], rows[-1])]
    return f"The {told}{_groups(plan)}: from {ends[0]} to {ends[1]}, {count} rows in all."


def _row(plan: p.SeriesPlan, names: Sequence[str], row: Sequence[Any], units: Mapping[str, str]) -> str:
    """Writes a row: its values with their names, the times as `on …`."""
    cells, times = [], []
    for name, value in zip(names, row, strict=True):
        if name in ("weekday_number", "month_number") or value is None:
            continue
        if isinstance(value, date):
            times.append(_time(name, value, plan))
        elif isinstance(value, str) or name in ("hour",):
            cells.append(f"{plain(name)} {label(value)}" if name in ("hour", *plan.labels) else str(value))
        elif isinstance(value, timedelta):
            cells.append(f"{plain(name)} {value}")
        else:
            unit = "%" if name.endswith("percent") else _unit(name, plan, units)
            cells.append(f"{plain(name)} {figure(value)}{f' {unit}' if unit else ''}")
    return ", ".join([*cells, *times])


def _unit(name: str, plan: p.SeriesPlan, units: Mapping[str, str]) -> str:
    for measure in plan.measures:
        if name == measure or (name.endswith(f"_{measure}") and not name.startswith("count")):
            return units.get(measure, "")
    return ""


def _time(name: str, value: date, plan: p.SeriesPlan) -> str:
    if name in ("year", "quarter", "month", "week"):
        year = f"{value.year:04}"
        return {
            "year": f"in {year}",
            "quarter": f"in Q{(value.month + 2) // 3} {year}",
            "month": f"in {value:%B} {year}",
        }.get(name, f"in the week of {value:%Y-%m-%d}")
    text = (
        f"{value:%Y-%m-%d}"
        if not isinstance(value, datetime) or not (value.hour or value.minute or value.second)
        else f"{value:%Y-%m-%d %H:%M}"
    )
    word = plain(name) if name.endswith(("_time", "_start", "_end")) else "on"
    return f"{word} {text}"


def column_units(plan: p.SeriesPlan, names: Sequence[str], units: Mapping[str, str]) -> dict[str, str]:
    """Returns the known units of a result's columns."""
    found = {name: "%" if name.endswith("percent") else _unit(name, plan, units) for name in names}
    return {name: unit for name, unit in found.items() if unit}
