"""Builds the query of `ratio of A to B`: of two columns, two aggregates, or two counts with conditions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.parser.shared import Unclear, conditions, outputs
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.tagger import Item


def ratio_at(items: Sequence[Item]) -> int | None:
    """Returns the place of the word that asks for a ratio, or None."""
    return next((n for n, item in enumerate(items) if item.kind == "ratio"), None)


def build_ratio(reading: Reading, items: Sequence[Item], at: int) -> q.Query:
    """Builds the query of a ratio.

    at: the place of the word that asks for the ratio.
    reading: gets the words that are not understood.
    Raises Unclear: when a side of the ratio has no measure.
    """
    joint = next((n for n in range(at + 1, len(items)) if items[n].kind in ("to", "vs", "outof")), None)
    if joint is None:
        joint = next((n for n in range(at + 1, len(items)) if items[n].kind == "and" or items[n].text == "per"), None)
    if joint is None:
        raise Unclear("the ratio of what to what")
    end = next(
        (
            n
            for n in range(joint + 1, len(items))
            if items[n].kind in ("per", "order", "by") or items[n].text in ("vary", "differ", "change")
        ),
        len(items),
    )
    before = _part(reading, items[:at])
    left, right = _part(reading, items[at + 1 : joint]), _part(reading, items[joint + 1 : end])
    rest = _part(reading, items[end:])
    average = before.agg == "avg"
    for part in (before, left, right, rest):
        reading.unknown += part.unknown
        reading.groups += [group for group in part.groups if group not in reading.groups]
        reading.every_column = reading.every_column or part.every_column
        reading.assumptions += part.assumptions
    upper, lower = _number(left), _number(right)
    if items[joint].kind == "outof" and lower is None:
        lower = q.Agg("count")
    if isinstance(upper, q.Col) and isinstance(lower, q.Col) and not (left.filters and right.filters):
        return _build_column_ratio(reading, upper, lower, rest, average=average)
    upper, lower = _sum(upper), _sum(lower)
    common, above, below = _conditions(left, right, rest)
    if items[joint].kind == "outof":
        common, below = (*common, *below), []
    divided = q.Op("/", _where(upper, above), _where(lower, below))
    groups = tuple(reading.groups)
    order = (q.Order(divided, True),) if groups else ()
    return q.Query(reading.table, (*outputs(groups), q.Output(divided, "ratio")), common, groups, order=order)


def _part(reading: Reading, items: Sequence[Item]) -> Reading:
    return Reading(reading.index, reading.table, items, reading.tokens).run()


def _number(part: Reading) -> q.Expr | None:
    """Returns the measure of a side of a ratio: a column, an aggregate, or the number of rows."""
    if part.measures:
        measure = part.measures[0]
        if (
            isinstance(measure, q.Agg)
            and measure.function == "sum"
            and part.agg is None
            and isinstance(measure.arg, q.Col)
            and part.counting
        ):
            return measure.arg
        return measure
    numbers = [col for col in part.selects if part.numeric(col)]
    if numbers:
        return numbers[0]
    if part.selects and part.entity is None and not part.filters:
        return q.Agg("count", part.selects[0], distinct=True)
    if part.entity is not None or part.filters or part.counting:
        return q.Agg("count")
    return None


def _sum(expr: q.Expr | None) -> q.Agg:
    if isinstance(expr, q.Agg):
        return expr
    if isinstance(expr, q.Col):
        return q.Agg("sum", expr)
    raise Unclear("the ratio of what to what")


def _where(agg: q.Agg, conds: Sequence[q.Cond]) -> q.Agg:
    if not conds:
        return agg
    return msgspec.structs.replace(agg, where=conds[0] if len(conds) == 1 else q.And(tuple(conds)))


def _build_column_ratio(reading: Reading, upper: q.Col, lower: q.Col, rest: Reading, *, average: bool) -> q.Query:
    divided: q.Expr = q.Op("/", upper, lower)
    where = conditions(rest)
    groups: list[q.Expr] = list(reading.groups)
    if average:
        shown = (*outputs(groups), q.Output(q.Agg("avg", divided), "average_ratio"))
        order = (q.Order(q.Agg("avg", divided), True),) if groups else ()
        return q.Query(reading.table, shown, where, tuple(groups), order=order)
    display = reading.display()
    if not groups and display is not None:
        groups = [display]
    shown = (*outputs(groups), q.Output(divided, "ratio"))
    return q.Query(reading.table, shown, where, order=(q.Order(divided, True),))


def _conditions(left: Reading, right: Reading, rest: Reading) -> tuple[tuple[q.Cond, ...], list[q.Cond], list[q.Cond]]:
    """Returns the conditions (common, of the upper side, of the lower side).

    A condition of the last part on another column holds for both sides.
    """
    above, below = list(conditions(left)), list(conditions(right))
    common = list(conditions(rest))
    names = {_column(cond) for cond in above}
    if above:
        shared = [cond for cond in below if _column(cond) not in names]
        if len(shared) < len(below) or (left.entity is not None and right.entity is not None and not below):
            common += shared
            below = [cond for cond in below if cond not in shared]
    return tuple(common), above, below


def _column(cond: q.Cond) -> object:
    return cond.expr if isinstance(cond, q.Compare) else getattr(cond, "expr", getattr(cond, "column", cond))
