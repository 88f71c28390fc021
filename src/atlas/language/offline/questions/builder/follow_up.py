"""Builds the queries of follow-ups in a thread:

`and only those from California?`, `by month instead`, `what about Texas?`, `top 3`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.parser.shared import Unclear, conditions, outputs
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.tokenizer import Token
from atlas.language.question import Turn

_OPENINGS = (
    ("and",),
    ("only",),
    ("just",),
    ("now",),
    ("what", "about"),
    ("how", "about"),
    ("same",),
    ("but",),
    ("then",),
    ("also",),
    ("of", "those"),
    ("of", "these"),
    ("of", "them"),
    ("those",),
    ("instead",),
    ("sort",),
    ("order",),
    ("exclude",),
    ("excluding",),
    ("without",),
    ("except",),
    ("filter",),
    ("group",),
    ("per",),
    ("by",),
    ("for",),
    ("in",),
    ("top",),
    ("show", "only"),
    ("show", "just"),
    ("show", "those"),
    ("show", "them"),
    ("break",),
    ("split",),
    ("limit",),
    ("add",),
)
_BACK = frozenset("instead those them these it".split())


def last_query(turns: Sequence[Turn]) -> q.Query | None:
    """Decodes the typed query of the thread's last turn. Returns None if another engine answered the turn."""
    if not turns or turns[-1].state is None:
        return None
    try:
        return msgspec.json.decode(turns[-1].state, type=q.Query)
    except msgspec.MsgspecError:
        return None


def is_follow_up(found: Sequence[Token]) -> bool:
    """Checks whether the words of a question refer to the question before."""
    words = tuple(token.lower for token in found if token.kind != "sign")
    return any(words[: len(opening)] == opening for opening in _OPENINGS) or bool(_BACK & set(words))


def apply_follow_up(before: q.Query, reading: Reading) -> q.Query:
    """Applies the changes of a follow-up to the query before.

    Raises Unclear: when the follow-up changes nothing.
    """
    groups = list(before.group)
    measures = [output.expr for output in before.outputs if q.has_aggregate(output.expr)]
    selects: list[q.Expr] = [
        o.expr for o in before.outputs if not q.has_aggregate(o.expr) and o.expr not in before.group
    ]
    where = _conditions(before.where, conditions(reading))
    changed = bool(reading.filters)
    if reading.groups:
        groups, changed = _groups(reading, groups), True
        measures = measures or [q.Agg("count")]
        selects = []
    new = _measures(reading, measures)
    if new:
        measures, changed = new, True
        selects = [] if not before.aggregated else selects
    columns = [col for col in reading.selects if col not in selects and not q.has_aggregate(col) and not new]
    if columns:
        changed = True
        if before.aggregated and not reading.groups:
            groups += [col for col in columns if col not in groups]
        else:
            selects += columns
    order, limit, ordered = _order(before, reading, measures, groups)
    if not (changed or ordered):
        raise Unclear("what should change")
    if measures:
        shown = outputs([*groups, *selects, *measures]) if groups or measures else ()
        return q.Query(before.table, shown, where, tuple(groups), before.having, order, limit)
    return msgspec.structs.replace(before, outputs=outputs(selects), where=where, order=order, limit=limit)


def _groups(reading: Reading, groups: list[q.Expr]) -> list[q.Expr]:
    """Returns the new groups in place of the old groups, or both if the words ask for more groups."""
    words = {item.text.lower() for item in reading.items}
    if words & {"also", "add", "and also", "too", "as well"}:
        return [*groups, *(group for group in reading.groups if group not in groups)]
    return list(reading.groups)


def _measures(reading: Reading, before: Sequence[q.Expr]) -> list[q.Expr]:
    """Returns new measures: `the average instead` of the same column, or of another column."""
    if reading.measures:
        return list(reading.measures)
    if reading.agg is not None:
        column = next((m.arg for m in before if isinstance(m, q.Agg) and m.arg is not None), None)
        amounts = [col for col in reading.selects if reading.numeric(col)]
        if amounts or column is not None:
            return [q.Agg(reading.agg, amounts[0] if amounts else column)]
        raise Unclear(f"what {reading.agg} is of")
    if reading.counting:
        return [q.Agg("count")]
    return []


def _order(
    before: q.Query, reading: Reading, measures: Sequence[q.Expr], groups: Sequence[q.Expr]
) -> tuple[tuple[q.Order, ...], int | None, bool]:
    """Returns (order, limit, whether the follow-up changes the order)."""
    limit = reading.limit if reading.limit is not None else before.limit
    if reading.best is not None:
        by = reading.best.by or (measures[0] if measures else None)
        if isinstance(by, q.Col) and measures:
            by = next((m for m in measures if isinstance(m, q.Agg) and m.arg == by), measures[0])
        if by is None and before.order:
            by = before.order[0].expr
        if by is None:
            raise Unclear("what to sort by")
        return (q.Order(by, reading.best.descending),), limit if reading.limit is not None else limit or 1, True
    if reading.orders:
        return tuple(reading.orders), limit, True
    if reading.direction is not None:
        key = before.order[0].expr if before.order else measures[0] if measures else None
        if key is None:
            raise Unclear("what to sort by")
        return (q.Order(key, reading.direction),), limit, True
    kept = tuple(order for order in before.order if order.expr in measures or order.expr in groups or not measures)
    if not kept and measures and groups:
        kept = (q.Order(measures[0], True),) if isinstance(groups[0], q.Col) else (q.Order(groups[0]),)
    return kept, limit, reading.limit is not None


def _conditions(before: Sequence[q.Cond], new: Sequence[q.Cond]) -> tuple[q.Cond, ...]:
    """Replaces the conditions on the columns that new conditions use, and keeps the other conditions."""
    named = {_column(cond) for cond in new} - {None}
    return (*(cond for cond in before if _column(cond) not in named), *(cond for cond in new if cond not in before))


def _column(cond: q.Cond) -> q.Expr | None:
    match cond:
        case (
            q.Compare(expr=expr) | q.OneOf(expr=expr) | q.Contains(expr=expr) | q.Empty(expr=expr) | q.Truth(expr=expr)
        ):
            return expr
        case q.During(column=column):
            return column
    return None
