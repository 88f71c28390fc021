"""Parts of queries that all builders use: conditions, names of outputs, and the error for a missing part."""

from __future__ import annotations

from collections.abc import Iterable

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.parser.state import Reading


class Unclear(Exception):
    """The reading makes no query. The argument names the missing part."""


def conditions(reading: Reading) -> tuple[q.Cond, ...]:
    """Returns the conditions that rows must meet.

    Raises Unclear: when `or` does not stand between the only two conditions.
    """
    conds = tuple(filter_.cond for filter_ in reading.filters)
    places = [n for n, item in enumerate(reading.items) if item.kind == "or" and n not in reading.absorbed]
    for place in places:
        before = [f.cond for f in reading.filters if f.place < place]
        after = [f.cond for f in reading.filters if f.place > place]
        if before and after:
            if len(conds) > 2 or len(places) > 1:
                raise Unclear("which of the conditions 'or' stands between")
            return (q.Or(conds),)
    seen = [
        cond.column for cond in conds if isinstance(cond, q.During) and cond.start and cond.end and not cond.negated
    ]
    if len(set(seen)) < len(seen):
        raise Unclear("how one time can be two")
    return conds


def name_of(expr: q.Expr) -> str:
    """Returns the name of an output."""
    match expr:
        case q.Col(name=name):
            return name
        case q.Agg(function="count", arg=None):
            return "count"
        case q.Agg(function=function, arg=arg):
            inner = name_of(arg) if arg is not None else "rows"
            return {"avg": "average_", "sum": "total_", "count": "number_of_"}.get(function, function + "_") + inner
        case q.Bucket(unit=unit) | q.Part(unit=unit):
            return "weekday" if unit == "isodow" else unit
        case q.OfTotal():
            return "percent"
        case q.Op(operator="/"):
            return "ratio"
    return "value"


def outputs(exprs: Iterable[q.Expr]) -> tuple[q.Output, ...]:
    found: list[q.Output] = []
    for expr in exprs:
        if any(output.expr == expr for output in found):
            continue
        name, number = name_of(expr), 2
        while any(output.name == name for output in found):
            name, number = f"{name_of(expr)}_{number}", number + 1
        found.append(q.Output(expr, name))
    return tuple(found)
