"""Builds a query from a reading: measures, groups, order and outputs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.doubts import (
    asks_which,
    check_chain,
    check_many,
    check_pinned,
    may_lack,
    pins_row,
)
from atlas.language.offline.questions.parser.shared import Unclear, conditions, outputs
from atlas.language.offline.questions.parser.state import Reading

# Stems of words in names of columns whose values can be added up.
_ADDING = frozenset(
    "amount total revenu sale turnov incom earn quantiti qty count cost spend valu unit volum profit number num payment "
    "credit debit popul fee charg order".split()
)


def build(reading: Reading) -> q.Query:
    """Builds the query of a reading.

    Raises Unclear: when the reading makes no query.
    """
    equal = [f.cond.expr for f in reading.filters if isinstance(f.cond, q.Compare) and f.cond.operator == "="]
    either = any(item.kind == "or" for item in reading.items)
    if len(set(equal)) < len(equal) and reading.share is None and not either:
        raise Unclear("how one thing can be two")
    check_chain(reading)
    _foreign(reading)
    _late_measures(reading)
    if reading.best is not None:
        return _best(reading)
    if reading.having and not reading.groups:
        return _having(reading)
    return _build_groups(reading) if reading.groups or reading.measures else _rows(reading)


def _late_measures(reading: Reading) -> None:
    """Resolves words such as `how many` or `total` that have no column yet.

    The words count rows, or sum the selected amounts.
    """
    if reading.agg == "sum" and not reading.measures and reading.entity is None:
        amounts = [col for col in reading.selects if reading.numeric(col)]
        if amounts:
            reading.measures += [q.Agg("sum", col) for col in amounts]
            reading.selects = [col for col in reading.selects if col not in amounts]
            reading.agg = None
    if reading.agg is not None and not reading.measures:
        raise Unclear(f"what {reading.agg} is of")
    if reading.counting and not reading.measures and reading.best is None:
        reading.measures.append(q.Agg("count"))
    if reading.distinct and not reading.measures and not reading.selects and isinstance(reading.head, q.Col):
        reading.selects.append(reading.head)


def _foreign(reading: Reading) -> None:
    """Adds conditions for joined entities that nothing else uses.

    The rows must have such entities: `customers with orders`.
    """
    used = {
        col.table
        for col in _cols([*reading.selects, *reading.groups, *reading.measures, *(f.cond for f in reading.filters)])
    }
    for name, place, negated in reading.foreign:
        if name in used:
            continue
        before = reading.before(place)
        join = next(
            (j for j in reading.index.catalog.joins if j.left_table == name and j.right_table == reading.table), None
        )
        if join is None or not (
            negated or before in ("with", "have", "has", "had", "having", "placed", "made", "any", "least")
        ):
            reading.unknown.append(reading.items[place].text)
            continue
        reading.add(q.Exists(q.Col(reading.table, join.right_column), name, join.left_column, None, negated), place)


def _cols(parts: Iterable[object]) -> Iterable[q.Col]:
    for part in parts:
        if isinstance(part, q.Col):
            yield part
        elif isinstance(part, tuple):
            yield from _cols(part)
        elif isinstance(part, msgspec.Struct):
            yield from _cols(getattr(part, name) for name in part.__struct_fields__)


def _rows(reading: Reading) -> q.Query:
    """Builds a query of rows with selected columns, or with all columns."""
    selects: list[q.Expr] = list(reading.selects)
    pinned = {f.cond.expr for f in reading.filters if isinstance(f.cond, q.Compare) and f.cond.operator == "="}
    if reading.entity is not None and selects and all(expr in pinned for expr in selects):
        selects = []
    check_pinned(reading, pinned, selects)
    orders = list(reading.orders)
    if reading.direction is not None and not orders:
        numbers = [col for col in reading.selects if reading.numeric(col)]
        text = next(iter(reading.selects), None) or reading.display()
        key = numbers[0] if numbers and reading.direction else text
        if key is None:
            raise Unclear("what to sort by")
        orders = [q.Order(key, reading.direction)]
    check_many(reading, selects)
    display = reading.display()
    which = reading.entity is not None and asks_which(reading)
    if which and display is not None and (not selects or _asks_for_entity(reading)):
        selects = [display, *(expr for expr in selects if expr != display)]
    if not selects and reading.entity is None and not reading.filters:
        raise Unclear("what to show")
    for item in reading.items:
        extreme = item.kind == "col" and item.text.lower().split()[0].endswith("est")
        if extreme and not pins_row(reading) and any(q.Col(m.table, m.column) in selects for m in item.mentions):
            raise Unclear(f"of what {item.text} is the extreme")
    if selects and orders:
        selects += [
            o.expr for o in orders if isinstance(o.expr, q.Col) and o.expr not in selects and reading.numeric(o.expr)
        ]
    limit = reading.limit
    distinct = _distinct(reading, selects, orders)
    return q.Query(
        reading.table, outputs(selects), conditions(reading), order=tuple(orders), limit=limit, distinct=distinct
    )


def _shows_join_key(reading: Reading, selects: list[q.Expr]) -> bool:
    """Checks whether rows of another table are shown together with the key of the main table."""
    return any(
        q.Col(join.left_table, join.left_column) in selects
        and all(isinstance(e, q.Col) and e.table in (join.left_table, join.right_table) for e in selects)
        and sum(isinstance(e, q.Col) and e.table == join.left_table for e in selects) == 1
        for join in reading.index.catalog.joins
        if join.left_table == reading.table and len(selects) > 1
    )


def _distinct(reading: Reading, selects: list[q.Expr], orders: list[q.Order]) -> bool:
    """Checks whether equal rows are shown once.

    Equal rows are shown once on request, and for kinds, as in `which cities`. All rows of an entity are shown, equal or
    not.
    """
    if not selects or any(order.expr not in selects for order in orders):
        return False
    if reading.distinct or _shows_join_key(reading, selects):
        return True
    if reading.entity is not None or orders or len(selects) > 1 or _identifies(reading, selects):
        return False
    reading.assumptions.append("Equal values are shown once.")
    return True


def _asks_for_entity(reading: Reading) -> bool:
    """Checks whether the question opens with the entity:

    `which states have …`, not `what is the area of the states`.
    """
    place = reading.entity or 0
    return (
        place > 0
        and all(item.kind in ("wh", "filler") for item in reading.items[:place])
        and "the" not in [item.text for item in reading.items[:place]]
    )


def _identifies(reading: Reading, selects: Iterable[q.Expr]) -> bool:
    display = reading.display()
    table = reading.index.catalog.table(reading.table)
    keys = {q.Col(reading.table, name) for name in (table.key if table else ())}
    return any(expr == display or expr in keys for expr in selects) or all(
        isinstance(expr, q.Col) and (reading.numeric(expr) or reading.temporal(expr)) for expr in selects
    )


def _build_groups(reading: Reading) -> q.Query:
    """Builds a query of aggregates, of all rows or by group."""
    groups = list(reading.groups)
    measures = list(reading.measures)
    selects = [col for col in reading.selects if col not in groups]
    if not measures:
        numbers = [col for col in selects if reading.numeric(col)]
        if groups and numbers and _per_row(reading, groups):
            return _per_row_query(reading, groups, numbers)
        measures = [_default_measure(reading, col) for col in numbers] if groups and numbers else [q.Agg("count")]
    if groups and _per_row(reading, groups) and all(isinstance(m, q.Agg) and m.function == "sum" for m in measures):
        numbers = [m.arg for m in measures if isinstance(m, q.Agg) and isinstance(m.arg, q.Col)]
        if len(numbers) == len(measures):
            return _per_row_query(reading, groups, numbers)
    extra = [col for col in selects if not reading.numeric(col)]
    if (
        reading.counting
        and not groups
        and measures == [q.Agg("count")]
        and pins_row(reading)
        and len(reading.filters) == 1
    ):
        raise Unclear("what to count")
    if extra and not groups and reading.counting and reading.head not in extra:
        raise Unclear("what to count")
    own = reading.display()
    if groups and own is not None and own in extra and q.Agg("count") in measures:
        raise Unclear("what to count, as each row would be a group of its own")
    if groups or extra:
        groups += [col for col in extra if col not in groups]
    order = _group_order(reading, groups, measures)
    having = tuple(q.Compare(q.Agg("count"), operator, value) for operator, value in reading.having)
    return q.Query(
        reading.table, outputs([*groups, *measures]), conditions(reading), tuple(groups), having, order, reading.limit
    )


def _default_measure(reading: Reading, col: q.Col) -> q.Agg:
    """Chooses the measure of `revenue by product`: the sum if the column's values add up, else the average."""
    words = reading.index.column(col.table, col.name).every
    adds = any(word in _ADDING for word in words)
    function = "sum" if adds else "avg"
    reading.assumptions.append(f"{col.name} is taken as its {'sum' if adds else 'average'}.")
    return q.Agg(function, col)


def _group_order(reading: Reading, groups: list[q.Expr], measures: list[q.Expr | q.Agg]) -> tuple[q.Order, ...]:
    if reading.orders:
        return tuple(q.Order(_as_measure(reading, order.expr, measures), order.descending) for order in reading.orders)
    if not groups:
        return ()
    if reading.direction is not None:
        text = not reading.direction and any(
            item.text.startswith(("alpha", "in alpha", "chron")) for item in reading.items
        )
        return (q.Order(groups[0] if text else measures[0], reading.direction),)
    if any(isinstance(group, q.Bucket) for group in groups):
        return (q.Order(next(group for group in groups if isinstance(group, q.Bucket))),)
    return (q.Order(measures[0], True),)


def _as_measure(reading: Reading, expr: q.Expr, measures: list[q.Expr | q.Agg]) -> q.Expr:
    """Resolves an expression to sort by. `ordered by rating` means the average if the result shows the average."""
    if isinstance(expr, q.Col) and expr not in reading.groups:
        for measure in measures:
            if isinstance(measure, q.Agg) and measure.arg == expr:
                return measure
        return expr if expr in reading.selects else q.Agg("min", expr)
    if isinstance(expr, q.Agg) and expr.function == "count":
        return next((m for m in measures if isinstance(m, q.Agg) and m.function in ("count", "sum")), expr)
    return expr


def _per_row(reading: Reading, groups: list[q.Expr]) -> bool:
    """Checks whether each group is one row: `the population of each state` in a table of states."""
    table = reading.index.catalog.table(reading.table)
    keys = {q.Col(reading.table, name) for name in (table.key if table and len(table.key) == 1 else ())}
    return len(groups) == 1 and (groups[0] in keys or (groups[0] == reading.display() and reading.every_column))


def _per_row_query(reading: Reading, groups: list[q.Expr], numbers: Iterable[q.Expr]) -> q.Query:
    shown = [*groups, *numbers]
    orders = tuple(reading.orders)
    if reading.direction is not None and not orders:
        orders = (q.Order(shown[1], reading.direction),)
    return q.Query(reading.table, outputs(shown), conditions(reading), order=orders, limit=reading.limit)


def _best(reading: Reading) -> q.Query:
    """Builds the query of a superlative: the rows or groups with the greatest or least value."""
    best = reading.best
    assert best is not None
    by = best.by
    head = reading.head
    grouped = by is None or q.has_aggregate(by)
    if by is None and reading.measures:
        by, grouped = reading.measures[0], True
    if by is None and reading.orders:
        by, grouped = reading.orders[0].expr, q.has_aggregate(reading.orders[0].expr)
    groups = list(reading.groups)
    entity_head = head is None or (isinstance(head, q.Col) and head == reading.display())
    if not grouped and isinstance(by, q.Col):
        if (entity_head and not groups) or (isinstance(head, q.Col) and reading.entity is not None and not groups):
            return _best_rows(reading, by)
        if reading.limit is None and reading.groups and reading.kind(best.place) == "superlative":
            raise Unclear(f"whether one row or one figure of each group is meant by {reading.items[best.place].text!r}")
        if groups or (isinstance(head, q.Col) and reading.limit is not None):
            # In `top 5 states by revenue` the sums by state are compared.
            if not reading.summable(by):
                raise Unclear(f"what to compare, as sums of {by.name} mean nothing")
            by, grouped = q.Agg("sum", by), True
        else:
            return _best_rows(reading, by)
    if by is None:
        by = q.Agg("count")
    if not groups:
        groups = [col for col in reading.selects if not reading.numeric(col)]
        groups = groups or ([head] if head is not None else [])
    if not groups:
        raise Unclear("what to compare")
    shown = [*groups, *(m for m in reading.measures if m != by), by]
    # A missing value must not be the first group.
    known = tuple(q.Empty(group, True) for group in groups if isinstance(group, q.Col) and may_lack(reading, group))
    limit = reading.limit if reading.limit is not None else (None if reading.ordered else 1)
    return q.Query(
        reading.table,
        outputs(shown),
        (*conditions(reading), *known),
        tuple(groups),
        order=(q.Order(by, best.descending),),
        limit=limit,
    )


def _best_rows(reading: Reading, by: q.Col) -> q.Query:
    """Builds a query of the rows with the extreme value. Without a limit all rows with that value are included."""
    best = reading.best
    assert best is not None
    selects: list[q.Expr] = [col for col in reading.selects if col != by]
    display = reading.display()
    if not selects and display is not None:
        selects = [display]
    shown = outputs([*selects, by])
    where = conditions(reading)
    if reading.limit is None and not reading.ordered and not reading.orders and not reading.measures:
        inner = q.And(where) if len(where) > 1 else where[0] if where else None
        extreme = q.Extreme(by, "=", q.Agg("max" if best.descending else "min", by, where=inner))
        return q.Query(reading.table, shown, (*where, extreme))
    if reading.measures:
        raise Unclear("whether rows or an aggregate is meant")
    return q.Query(reading.table, shown, where, order=(q.Order(by, best.descending),), limit=reading.limit)


def _having(reading: Reading) -> q.Query:
    groups: list[q.Expr] = [_replace_key(reading, reading.head)] if reading.head is not None else []
    table = reading.table
    if reading.counted is not None and reading.counted != reading.table:
        # `users with more than 3 reviews` counts reviews by user.
        table = reading.counted
        reading.foreign = [entry for entry in reading.foreign if entry[0] != table]
    if not groups or (table == reading.table and groups[0] == reading.display()):
        raise Unclear("what to count by")
    having = tuple(q.Compare(q.Agg("count"), operator, value) for operator, value in reading.having)
    return q.Query(
        table,
        outputs([*groups, q.Agg("count")]),
        conditions(reading),
        tuple(groups),
        having,
        (q.Order(q.Agg("count"), True),),
        reading.limit,
    )


def _replace_key(reading: Reading, head: q.Expr) -> q.Expr:
    """Replaces a key by the name of the row that the key refers to."""
    for join in reading.index.catalog.joins:
        if isinstance(head, q.Col) and (join.left_table, join.left_column) == (head.table, head.name):
            display = reading.index.display(join.right_table)
            if display is not None and head.table == reading.table:
                return q.Col(join.right_table, display)
    return head
