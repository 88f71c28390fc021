"""Parsers of selected columns, entities, aggregates and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.parser import filters
from atlas.language.offline.questions.parser.ordering import order_expr
from atlas.language.offline.questions.related_tables import absence_condition

if TYPE_CHECKING:
    from atlas.language.offline.questions.parser.state import Reading
    from atlas.language.offline.questions.tagger import Item

_HAVING = ("with", "have", "has", "having", "had", "that have", "declared")


def column(reading: Reading, at: int) -> int:
    """Reads a column: of a condition if a condition follows, else a selected column."""
    item = reading.items[at]
    named = reading.columns(item)
    col = q.Col(named[0].table, named[0].column)
    done = _condition(reading, at, col)
    if done is not None:
        return done
    function = reading.take_agg()
    if function is not None:
        return _aggregate_column(reading, at, col, function)
    if reading.flag(col) and _is_flag_condition(reading, at):
        return reading.add(filters.flag_condition(reading, col, reading.take_negation()), at)
    if reading.negated and (col.name == reading.index.display(reading.table) or col.table != reading.table):
        reading.unknown.append(f"not {item.text}")
        reading.negated = False
        return at + 1
    if reading.negated:
        return reading.add(absence_condition(reading, col, not reading.take_negation()), at)
    if reading.entity is not None and not reading.groups and _refers(reading, at, col):
        return at + 1
    if reading.counting and not reading.measures and not reading.distinct and reading.entity is None:
        return _count_column(reading, at, col)
    if reading.counting and reading.distinct and not reading.measures:
        reading.measures.append(q.Agg("count", col, distinct=True))
        reading.distinct = False
        return at + 1
    if isinstance(reading.best, q.Best) and reading.best.by is None and reading.best.place == at - 1:
        reading.best.by = col
        return at + 1
    if _has(reading, at) and reading.head is not None:
        if not reading.numeric(col):
            return reading.add(q.Empty(col, True), at)
        if reading.definition(col).type == "bigint" and (reading.share or reading.counting or reading.measures):
            return reading.add(q.Compare(col, ">", 0), at)
    if reading.head is None:
        reading.head = col
    if col not in reading.selects:
        reading.selects.append(col)
    elif any(
        reading.items[n].text in ("that", "which", "whose", "where") for n in range(max(reading.place(col), 0), at)
    ):
        # `states that border states that border …` is a nested question, which the grammar does not have.
        reading.unknown.append(item.text)
    return at + 1


def _has(reading: Reading, at: int) -> bool:
    """Checks whether rows must have the column: `with an email`, `have declared a minor`."""
    place = at - 1
    while reading.kind(place) in ("filler", "link", "unknown") and reading.items[place].text not in _HAVING:
        if reading.items[place].text not in ("a", "an", "any", "the", "declared") and reading.kind(place) != "unknown":
            return False
        place -= 1
    superlative = reading.items[at].text.split()[0].lower().endswith("est")
    return place >= 0 and reading.items[place].text in _HAVING and not superlative


def _refers(reading: Reading, at: int, col: q.Col) -> bool:
    """Checks whether a key only refers to rows of another table, as in `orders from leads in Texas`."""
    keys = {(join.left_table, join.left_column) for join in reading.index.catalog.joins}
    led = reading.kind(at - 1) == "between" or reading.before(at) in ("from", "of", "by", "for", "with", "in", "the")
    asked = any(item.kind == "wh" for item in reading.items[:at]) and not reading.counting
    return (
        (col.table, col.name) in keys
        and led
        and not asked
        and reading.index.column(col.table, col.name).every[-1] == "id"
    )


def _is_flag_condition(reading: Reading, at: int) -> bool:
    """Checks whether a yes-or-no column is a condition. In `show name and active` the column is selected."""
    asked = bool(reading.selects) and reading.kind(at - 1) in ("and", "comma")
    if reading.negated or not (asked or reading.share):
        return True
    return reading.before(at) in _HAVING or reading.kind(reading.next(at + 1)) == "table"


def _condition(reading: Reading, at: int, col: q.Col) -> int | None:
    """Reads a condition on the column. Returns the place to read on at, or None if no condition starts here."""
    ahead = reading.next(at + 1)
    item = reading.item(ahead)
    kind = reading.kind(ahead)
    if kind in ("neg", "negation"):
        beyond = reading.kind(reading.next(ahead + 1))
        if beyond in ("cmp", "value", "quote", "between", "contains", "empty"):
            reading.negated = True
            ahead = reading.next(ahead + 1)
            item, kind = reading.item(ahead), beyond
    if item is None:
        return None
    if kind == "cmp" or (kind == "comparative" and reading.kind(ahead + 1) == "than"):
        if not (reading.numeric(col) or reading.temporal(col) or item.value in ("=", "<>")):
            return None
        return filters.compare(reading, ahead, col)
    if kind == "between" and (reading.numeric(col) or reading.temporal(col)):
        end = filters.between(reading, ahead, col)
        return end if end > ahead + 1 else None
    if kind == "contains":
        return filters.contains(reading, ahead, col)
    if kind == "value" and _is_possessive(reading, at, ahead, item, col):
        return None
    if kind == "value" and any(
        (m.table, m.column) == (col.table, col.name) for m in item.mentions if m.kind == "value"
    ):
        return filters.value(reading, ahead, col)
    if kind == "quote" and reading.definition(col).type == "text":
        return filters.quote(reading, ahead, col)
    if kind == "empty":
        return filters.empty(reading, ahead, col)
    if kind == "period" and (reading.temporal(col) or "year" in reading.index.column(col.table, col.name).every):
        return filters.during(reading, ahead, col)
    if (
        kind == "num"
        and reading.definition(col).type in ("bigint", "numeric", "double")
        and isinstance(item.value, int | float)
    ):
        filler = [reading.items[n].text for n in range(at + 1, ahead)]
        if all(text in ("", "of", "is", "are", "was", "were", "number", "no", "equal") for text in filler):
            return reading.add(q.Compare(col, "<>" if reading.take_negation() else "=", item.value), at, ahead + 1)
    return None


def _is_possessive(reading: Reading, at: int, ahead: int, item: Item, col: q.Col) -> bool:
    """Checks whether `capital of Washington` asks for the capital of the row with the name Washington."""
    between = [reading.items[n].text for n in range(at + 1, ahead)]
    display = reading.index.display(reading.table)
    own = any(m.kind == "value" and (m.table, m.column) == (reading.table, display) for m in item.mentions)
    return own and "of" in between and col.name != display


def _aggregate_column(reading: Reading, at: int, col: q.Col, function: str) -> int:
    """Reads an aggregate of a column, and of the columns that follow with `and`."""
    if (
        (function in ("min", "max") and reading.temporal(col))
        or reading.numeric(col)
        or reading.definition(col).type in ("bigint", "numeric", "double")
    ):
        if function == "sum" and not reading.summable(col):
            reading.unknown.append(f"{function} {reading.items[at].text}")
        reading.measures += [q.Agg(each, col) for each in (*reading.aggs, function)]
        reading.aggs.clear()
    elif function == "sum":
        # `total customers` counts customers.
        reading.measures.append(q.Agg("count", col, distinct=True))
    else:
        reading.unknown.append(f"{function} {reading.items[at].text}")
    ahead = reading.next(at + 1, skip=("filler",))
    if reading.kind(ahead) in ("and", "comma"):
        beyond = reading.next(ahead + 1, skip=("filler", "and"))
        other = reading.best_column(beyond)
        if (
            other is not None
            and reading.kind(beyond) == "col"
            and reading.numeric(other)
            and function not in ("min", "max")
        ):
            reading.agg = function
            return beyond
    return at + 1


def _count_column(reading: Reading, at: int, col: q.Col) -> int:
    """Reads `how many <column>`: a sum if the column holds counts, else the number of different values."""
    if reading.head is None:
        reading.head = col
    if reading.summable(col):
        reading.measures.append(q.Agg("sum", col))
    else:
        own = col.name == reading.index.display(reading.table) or (col.name,) == key_of(reading)
        reading.measures.append(q.Agg("count", None if own and col.table == reading.table else col, distinct=not own))
    return at + 1


def key_of(reading: Reading) -> tuple[str, ...]:
    table = reading.index.catalog.table(reading.table)
    return () if table is None else table.key


def table(reading: Reading, at: int) -> int:
    """Reads an entity: the rows of the main table, or of a joined table."""
    item = reading.items[at]
    mention = next(m for m in item.mentions if m.kind == "table")
    if mention.table != reading.table:
        reading.foreign.append((mention.table, at, reading.take_negation()))
        return at + 1
    if reading.entity is None:
        reading.entity = at
    function = reading.take_agg()
    if function is not None:
        return _whole(reading, at, function)
    if reading.counting and not reading.measures:
        reading.measures.append(rows_of(reading))
    elif reading.head is None:
        reading.head = reading.display()
    return at + 1


def rows_of(reading: Reading) -> q.Agg:
    """Returns the measure for the number of things: the sum of a column `count` if the table has such a column, else
    the row count.
    """
    for linked in reading.index.columns[reading.table]:
        if linked.column.name.lower() == "count" and linked.column.type == "bigint":
            return q.Agg("sum", q.Col(reading.table, linked.column.name))
    return q.Agg("count")


def _whole(reading: Reading, at: int, function: str) -> int:
    """Reads `total sales`: the sum of the table's only amount, else the number of rows."""
    amounts = [
        q.Col(reading.table, c.column.name)
        for c in reading.index.columns[reading.table]
        if reading.numeric(q.Col(reading.table, c.column.name)) and c.column.type in ("numeric", "double")
    ]
    if function == "sum":
        sums = len(amounts) == 1 and reading.index.table_words[reading.table][-1] in (
            "sale",
            "revenu",
            "payment",
            "expens",
            "order",
        )
        reading.measures.append(q.Agg("sum", amounts[0]) if sums else rows_of(reading))
    elif len(amounts) == 1:
        reading.measures.append(q.Agg(function, amounts[0]))
    else:
        reading.unknown.append(f"{function} {reading.items[at].text}")
    return at + 1


def group(reading: Reading, at: int) -> int:
    """Reads `per state`, `by month`, `for each city and year` or `monthly`."""
    item = reading.items[at]
    if item.kind == "unit":
        return _unit(reading, at, at, strong=item.text.endswith("ly") or item.text == "annual")
    end = at + 1
    taken = False
    while True:
        ahead = reading.next(
            end, skip=("filler", "distinct", "comma", "and", "link") if taken else ("filler", "distinct", "link", "per")
        )
        if taken and not any(reading.kind(n) in ("comma", "and") for n in range(end, ahead)):
            break
        expr = _group_expr(reading, ahead)
        if expr is None:
            break
        if item.kind == "by" and not taken and not _groups_here(reading, ahead, expr):
            break
        if taken and not isinstance(expr, q.Bucket) and reading.kind(reading.next(ahead + 1)) in ("cmp", "value"):
            break
        if expr not in reading.groups:
            reading.groups.append(expr)
        reading.counting = reading.counting and not reading.measures
        taken, end = True, ahead + 1
    if taken:
        return end
    if item.kind == "per":
        ahead = reading.next(at + 1)
        if reading.kind(ahead) in ("unknown", "table", "other", "unit", "col", "value"):
            reading.unknown.append(f"{item.text} {reading.items[ahead].text}")
        return at + 1
    if item.kind == "by" and reading.best is not None:
        return _ranked(reading, at)
    return at + 1


def _groups_here(reading: Reading, ahead: int, expr: q.Expr) -> bool:
    """Checks whether `by <column>` groups.

    `by` does not group in `top 5 … by revenue`, or before the agent of a passive.
    """
    if reading.best is not None and isinstance(expr, q.Col) and reading.numeric(expr):
        return False
    by = ahead
    while by > 0 and reading.kind(by) != "by":
        by -= 1
    before = reading.item(by - 1)
    if reading.kind(ahead) == "table" and before is not None and before.kind in ("link", "unknown"):
        return False
    return not (
        isinstance(expr, q.Col) and reading.numeric(expr) and reading.definition(expr).type in ("numeric", "double")
    )


def _ranked(reading: Reading, at: int) -> int:
    assert reading.best is not None
    ahead = reading.next(at + 1, skip=("filler", "link"))
    expr, end = order_expr(reading, ahead)
    if expr is not None:
        reading.best.by = expr
        return end
    return at + 1


def _group_expr(reading: Reading, at: int) -> q.Expr | None:
    item = reading.item(at)
    if item is None:
        return None
    if item.kind == "unit":
        return reading.bucket(str(item.value))
    if item.kind == "col":
        return reading.best_column(at)
    if item.kind == "table":
        mention = next(m for m in item.mentions if m.kind == "table")
        if mention.table == reading.table:
            reading.every_column = True
            display = reading.display()
            # A column with few values does not name a row: `goals per match` has no season as its group.
            return (
                None
                if display is None or (reading.definition(display).complete and _is_kind(reading, display))
                else display
            )
        name = reading.index.display(mention.table)
        return None if name is None else q.Col(mention.table, name)
    return None


def _is_kind(reading: Reading, col: q.Col) -> bool:
    """Checks whether a column holds kinds of rows rather than their names."""
    words = reading.index.column(col.table, col.name).every
    own = set(reading.index.table_words[col.table])
    return words[-1] not in ("name", "titl", "label", "email", "id", "code") and not set(words) <= own


def _unit(reading: Reading, at: int, where: int, *, strong: bool) -> int:
    """Reads `monthly revenue`, which groups by month.

    A bare `month` is selected, as in `which month had the most …`.
    """
    expr = reading.bucket(str(reading.items[where].value))
    if expr is None:
        reading.unknown.append(reading.items[where].text)
    elif strong:
        reading.groups.append(expr)
    elif reading.head is None:
        reading.head = expr
    elif expr not in reading.groups:
        reading.unknown.append(reading.items[where].text)
    return where + 1
