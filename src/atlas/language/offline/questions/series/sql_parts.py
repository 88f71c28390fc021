"""The parts of the SQL of a time series: names, conditions, buckets and aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from atlas.language.offline.questions.series.plan import Moving, Pin, SeriesPlan, Span, Threshold
from atlas.language.offline.questions.series.target import Target, is_additive
from atlas.language.offline.questions.to_sql import _needs_quotes

TITLES = {
    "avg": "average", "sum": "total", "min": "lowest", "max": "highest", "median": "median", "stddev": "deviation_of",
    "count": "count", "range": "range_of",
}  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ANNUAL = {"hour": 8_760, "day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


def ident(name: str) -> str:
    """Writes a name as SQL."""
    return exp.to_identifier(name, quoted=_needs_quotes(name)).sql(dialect="postgres")


def text(value: str) -> str:
    """Writes a text as a constant of SQL."""
    return exp.Literal.string(value).sql(dialect="postgres")


def number(value: float | int) -> str:
    """Writes a number as a constant of SQL."""
    return repr(value)


def listed(parts: Iterable[str | None]) -> str:
    """Joins the parts that are there with commas."""
    return ", ".join(part for part in parts if part)


def where(conditions: Iterable[str | None]) -> str:
    """Writes a WHERE, or nothing without conditions."""
    found = [condition for condition in conditions if condition]
    return f" WHERE {' AND '.join(found)}" if found else ""


def in_spans(column: str, spans: Sequence[Span]) -> str | None:
    """Writes the condition that a time lies in one of the spans. None: no condition."""
    parts = []
    for span in spans:
        bounds = [f"{column} >= DATE {text(span.start)}"] if span.start else []
        bounds += [f"{column} < DATE {text(span.end)}"] if span.end else []
        parts.append(" AND ".join(bounds))
    if not parts or "" in parts:
        return None
    return parts[0] if len(parts) == 1 else f"({' OR '.join(f'({part})' for part in parts)})"


def pinned(pin: Pin) -> str:
    """Writes the condition on a label."""
    name = ident(pin.column)
    if len(pin.values) == 1:
        return f"{name} {'<>' if pin.negated else '='} {text(pin.values[0])}"
    return f"{'NOT ' if pin.negated else ''}{name} IN ({listed(map(text, pin.values))})"


def meets(threshold: Threshold, measure: str) -> str:
    """Writes the condition that a value meets a threshold."""
    name = ident(threshold.column or measure)
    if threshold.upper is not None:
        return f"{name} BETWEEN {number(threshold.value)} AND {number(threshold.upper)}"
    return f"{name} {threshold.operator} {number(threshold.value)}"


def on_days(time: str, days: str | None) -> str | None:
    """Writes the condition that a time lies on a weekend, a weekday, or a day of the week."""
    day = f"EXTRACT(ISODOW FROM {time})"
    if days is None:
        return None
    return {"weekend": f"{day} >= 6", "weekday": f"{day} <= 5"}.get(days) or f"{day} = {DAYS.index(days) + 1}"


def bucket(time: str, unit: str) -> str:
    """Writes the start of the bucket that a time lies in."""
    start = f"DATE_TRUNC({text(unit)}, {time})"
    return start if unit in ("hour", "minute") else f"CAST({start} AS DATE)"


def part(time: str, name: str) -> list[tuple[str, str]]:
    """Returns the expressions and names of a part of times, the first to sort by."""
    if name == "weekday":
        return [
            (f"CAST(EXTRACT(ISODOW FROM {time}) AS INT)", "weekday_number"),
            (f"TO_CHAR({time}, 'FMDay')", "weekday"),
        ]
    if name == "weekend":
        kind = f"CASE WHEN EXTRACT(ISODOW FROM {time}) >= 6 THEN 'weekend' ELSE 'weekday' END"
        return [(kind, "kind_of_day")]
    if name == "month":
        return [
            (f"CAST(EXTRACT(MONTH FROM {time}) AS INT)", "month_number"),
            (f"TO_CHAR({time}, 'FMMonth')", "month"),
        ]
    return [(f"CAST(EXTRACT({name.upper()} FROM {time}) AS INT)", name)]


def aggregate(function: str, column: str | None, time: str) -> str:
    """Writes an aggregate of a column. `count:day` counts the different days."""
    if function.startswith("count:"):
        unit = function.partition(":")[2]
        return f"COUNT(DISTINCT {bucket(time, unit)})"
    if function == "count" or column is None:
        return "COUNT(*)"
    name = ident(column)
    if function == "range":
        return f"MAX({name}) - MIN({name})"
    if function == "median" or function.startswith("p"):
        share = 0.5 if function == "median" else float(function[1:]) / 100
        return f"PERCENTILE_CONT({share:g}) WITHIN GROUP (ORDER BY {name})"
    return f"{ {'stddev': 'STDDEV_SAMP'}.get(function, function.upper()) }({name})"


def title(function: str, column: str | None) -> str:
    """Names the result of an aggregate: `average_close`."""
    if function.startswith("count:"):
        return f"{function.partition(':')[2]}s"
    if function == "count" or column is None:
        return "count"
    if function[0] == "p" and function[1:].replace(".", "").isdigit():
        return f"percentile_{function[1:].replace('.', '_')}_of_{column}"
    return f"{TITLES[function]}_{column}"


def usual(column: str) -> str:
    """Returns the aggregate that a column's values have without a word for it: the total of visits, else the mean."""
    return "sum" if is_additive(column) else "avg"


def percent(change: str, base: str) -> str:
    """Writes a change in percent of its base."""
    return f"100.0 * ({change}) / NULLIF({base}, 0)"


def series_of(plan: SeriesPlan, target: Target) -> tuple[str, ...]:
    """Returns the labels that tell the series of an answer apart: those asked for, else the keys with several values."""
    single = {pin.column for pin in plan.pins if len(pin.values) == 1 and not pin.negated}
    if plan.labels:
        return plan.labels
    return tuple(key for key in target.keys if key not in single)


def counts_rows(plan: SeriesPlan, function: Moving, target: Target) -> bool:
    """Checks whether a window is one of rows: of trading days, of months, or of buckets. Others are windows of time, as
    rows may be missing.
    """
    steps = plan.unit is not None or target.business or function.unit in ("month", "quarter", "year")
    return steps and function.unit == (plan.unit or target.step)


def yearly(target: Target) -> int:
    """Returns the number of steps in a year, by which a volatility is annualized."""
    return 252 if target.business else _ANNUAL.get(target.step or "day", 365)
