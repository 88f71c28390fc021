"""`ratio of A to B`: of two columns, two aggregates, or two counts with conditions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.language.offline.questions.ast import Agg, All, Col, Compare, Cond, Expr, Op, Order, Output, Query
from atlas.language.offline.questions.parser.shared import Unclear, conditions, outputs
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.tagger import Item


def ratio_at(items: Sequence[Item]) -> int | None:
    """Where a ratio is asked for; None where none is."""
    return next((n for n, item in enumerate(items) if item.kind == "ratio"), None)


def build_ratio(reading: Reading, items: Sequence[Item], at: int) -> Query:
    """The query of a ratio whose word stands at `at`; `reading` takes what is not understood. Raises Unclear."""
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
        lower = Agg("count")
    if isinstance(upper, Col) and isinstance(lower, Col) and not (left.filters and right.filters):
        return _of_columns(reading, upper, lower, rest, average=average)
    upper, lower = _summed(upper), _summed(lower)
    common, above, below = _conditions(left, right, rest)
    if items[joint].kind == "outof":
        common, below = (*common, *below), []
    divided = Op("/", _where(upper, above), _where(lower, below))
    groups = tuple(reading.groups)
    order = (Order(divided, True),) if groups else ()
    return Query(reading.table, (*outputs(groups), Output(divided, "ratio")), common, groups, order=order)


def _part(reading: Reading, items: Sequence[Item]) -> Reading:
    return Reading(reading.index, reading.table, items, reading.tokens).run()


def _number(part: Reading) -> Expr | None:
    """What a side of a ratio measures: a column, an aggregate, or the number of rows."""
    if part.measures:
        measure = part.measures[0]
        if (
            isinstance(measure, Agg)
            and measure.function == "sum"
            and part.agg is None
            and isinstance(measure.arg, Col)
            and part.counting
        ):
            return measure.arg
        return measure
    numbers = [col for col in part.selects if part.numeric(col)]
    if numbers:
        return numbers[0]
    if part.selects and part.entity is None and not part.filters:
        return Agg("count", part.selects[0], distinct=True)
    if part.entity is not None or part.filters or part.counting:
        return Agg("count")
    return None


def _summed(expr: Expr | None) -> Agg:
    if isinstance(expr, Agg):
        return expr
    if isinstance(expr, Col):
        return Agg("sum", expr)
    raise Unclear("the ratio of what to what")


def _where(agg: Agg, conds: Sequence[Cond]) -> Agg:
    if not conds:
        return agg
    return msgspec.structs.replace(agg, where=conds[0] if len(conds) == 1 else All(tuple(conds)))


def _of_columns(reading: Reading, upper: Col, lower: Col, rest: Reading, *, average: bool) -> Query:
    divided: Expr = Op("/", upper, lower)
    where = conditions(rest)
    groups: list[Expr] = list(reading.groups)
    if average:
        shown = (*outputs(groups), Output(Agg("avg", divided), "average_ratio"))
        order = (Order(Agg("avg", divided), True),) if groups else ()
        return Query(reading.table, shown, where, tuple(groups), order=order)
    display = reading.display()
    if not groups and display is not None:
        groups = [display]
    shown = (*outputs(groups), Output(divided, "ratio"))
    return Query(reading.table, shown, where, order=(Order(divided, True),))


def _conditions(left: Reading, right: Reading, rest: Reading) -> tuple[tuple[Cond, ...], list[Cond], list[Cond]]:
    """(common, of the upper, of the lower): what only the last part says of another column holds for both."""
    above, below = list(conditions(left)), list(conditions(right))
    common = list(conditions(rest))
    names = {_column(cond) for cond in above}
    if above:
        shared = [cond for cond in below if _column(cond) not in names]
        if len(shared) < len(below) or (left.entity is not None and right.entity is not None and not below):
            common += shared
            below = [cond for cond in below if cond not in shared]
    return tuple(common), above, below


def _column(cond: Cond) -> object:
    return cond.expr if isinstance(cond, Compare) else getattr(cond, "expr", getattr(cond, "column", cond))
