"""Writes the sentence that answers a question, with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from atlas.kit.plurals import many
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.series.plan import decode
from atlas.language.offline.questions.series.wording import column_units as series_units
from atlas.language.offline.questions.series.wording import describe as describe_series
from atlas.language.offline.questions.to_english import (
    conditions,
    entity,
    expression,
    figure,
    join_words,
    period,
    plain,
)
from atlas.language.offline.questions.units import Units, result_units, unit
from atlas.language.question import QuestionPlan

# The maximum number of groups that a sentence lists in full.
_NAMED = 5
_LONGEST_CELL = 80


def describe(
    plan: QuestionPlan,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[Any, ...]],
    truncated: bool,
    units: Units | None = None,
) -> str:
    """Writes the answer as a sentence.

    columns: pairs (name, type) of the result.
    truncated: whether the result has more rows than `rows`.
    units: units of columns, by table and column.
    """
    series = decode(plan.state)
    if series is not None:
        own = {column: unit for (table, column), unit in (units or {}).items() if table == series.table}
        return describe_series(series, [name for name, _ in columns], rows, truncated, own)
    query = _query(plan)
    if query is None:
        return _plain(columns, rows, truncated)
    if not rows:
        return f"No {entity(query.table, 2)} found{conditions(query)}."
    measures = [n for n, output in enumerate(query.outputs) if q.has_aggregate(output.expr)]
    known = units or {}
    if measures and not query.group:
        return _values(query, rows[0], measures, known)
    if measures and len(query.outputs) > len(measures):
        return _groups(query, rows, measures, truncated, known)
    return _rows(query, rows, truncated, known)


def column_units(plan: QuestionPlan, columns: Sequence[tuple[str, str]], units: Units) -> dict[str, str]:
    """Returns the known units of the result's columns, by name."""
    series = decode(plan.state)
    if series is not None:
        own = {column: unit for (table, column), unit in units.items() if table == series.table}
        return series_units(series, [name for name, _ in columns], own)
    query = _query(plan)
    return {} if query is None else result_units(query, [name for name, _ in columns], units)


def _query(plan: QuestionPlan) -> q.Query | None:
    if plan.state is None:
        return None
    try:
        return msgspec.json.decode(plan.state, type=q.Query)
    except msgspec.MsgspecError:
        # The state is that of another engine.
        return None


def _plain(columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]], truncated: bool) -> str:
    if not rows:
        return "Nothing was found."
    if len(rows) == 1 and len(columns) <= _NAMED:
        return (
            join_words([f"{plain(name)}: {_cell(value)}" for (name, _), value in zip(columns, rows[0], strict=True)])
            + "."
        )
    return f"Found {'more than ' if truncated else ''}{many(len(rows), 'row')}."


def _values(query: q.Query, row: Sequence[Any], measures: Sequence[int], units: Units) -> str:
    """Writes the figures of a single row."""
    parts = []
    for place in measures:
        output = query.outputs[place]
        value = row[place]
        if output.name == "count" and len(measures) == 1:
            verb = "is" if value == 1 else "are"
            return f"There {verb} {figure(value)} {entity(query.table, value)}{conditions(query)}."
        unit = _unit(output, units)
        name = expression(output.expr, query.table)
        parts.append(
            f"the {plain(name)}{conditions(query) if place == measures[0] else ''} is {_format_with_unit(value, unit)}"
        )
    text = join_words(parts)
    if all(value is None for value in row):
        return f"No {entity(query.table, 2)} found{conditions(query)}."
    return f"{text[0].upper()}{text[1:]}."


def _groups(
    query: q.Query, rows: Sequence[tuple[Any, ...]], measures: Sequence[int], truncated: bool, units: Units
) -> str:
    """Writes groups with their figures: up to `_NAMED` groups in full, else the first group and the number of the
    others.
    """
    names = [n for n in range(len(query.outputs)) if n not in measures]
    place = measures[0]
    # The measure that sorts the rows is the subject of the question.
    for order in query.order:
        place = next((n for n in measures if query.outputs[n].expr == order.expr), place)
    unit = _unit(query.outputs[place], units)
    change = _change(query, rows[-1])
    exprs = {n: query.outputs[n].expr for n in names}
    periods = {n: expr.unit for n, expr in exprs.items() if isinstance(expr, q.Bucket)}

    def when(row: Sequence[Any]) -> str:
        others = [_label(row[n]) for n in names if n not in periods]
        told = [period(row[n], unit) for n, unit in periods.items()]
        return " ".join([*([f"for {', '.join(others)}"] if others else []), *told])

    parts = [f"{_format_with_unit(row[place], unit)} {when(row)}" for row in rows[:_NAMED]]
    what = expression(query.outputs[place].expr, query.table)
    lead = f"The {what}{conditions(query)}: "
    if len(rows) <= _NAMED and not truncated:
        return f"{lead}{', '.join(parts)}.{change}"
    groups = expression(query.outputs[names[0]].expr, query.table)
    total = f"{'more than ' if truncated else ''}{len(rows):,}"
    if isinstance(query.outputs[names[0]].expr, q.Bucket):
        last = rows[-1]
        ends = [f"{_format_with_unit(row[place], unit)} {when(row)}" for row in (rows[0], last)]
        return f"{lead}from {ends[0]} to {ends[1]}, {total} {groups}s in all.{_change(query, last)}"
    return f"{lead}{', '.join(parts)}, and {'more than ' if truncated else ''}{len(rows) - _NAMED:,} more."


def _change(query: q.Query, last: Sequence[Any]) -> str:
    """Writes the change in the last period, if the question asks for growth."""
    place = next((n for n, output in enumerate(query.outputs) if output.name == "growth_percent"), None)
    if place is None or last[place] is None:
        return ""
    return f" The last change is {_cell(last[place])} %."


def _rows(query: q.Query, rows: Sequence[tuple[Any, ...]], truncated: bool, units: Units) -> str:
    """Writes rows without aggregates."""
    known = [_unit(output, units) for output in query.outputs]
    if len(rows) == 1 and query.outputs and len(query.outputs) <= 4:
        parts = zip(query.outputs, rows[0], known, strict=True)
        cells = join_words([f"{plain(output.name)} {_format_with_unit(value, unit)}" for output, value, unit in parts])
        return f"Found {cells}{conditions(query)}."
    if query.outputs and len(rows) <= _NAMED and not truncated:
        lines = ([_format_with_unit(value, unit) for value, unit in zip(row, known, strict=True)] for row in rows)
        cells = join_words([f"{first} ({', '.join(more)})" if more else first for first, *more in lines])
        return f"Found {len(rows)} {entity(query.table, len(rows))}{conditions(query)}: {cells}."
    total = f"{'more than ' if truncated else ''}{len(rows):,}"
    return f"Found {total} {entity(query.table, len(rows))}{conditions(query)}."


def _unit(output: q.Output, units: Units) -> str:
    return "%" if output.name in ("percent", "growth_percent") else unit(output.expr, units)


def _format_with_unit(value: Any, unit: str) -> str:
    """Writes a figure with its unit."""
    return f"{_cell(value)} {unit}" if unit and value is not None else _cell(value)


def _label(value: Any) -> str:
    """Writes the name of a group."""
    if value is None:
        return "none given"
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _cell(value)


def _cell(value: Any) -> str:
    text = figure(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
