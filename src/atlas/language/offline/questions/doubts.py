"""Checks that refuse doubtful readings, although the engine knows every word."""

from __future__ import annotations

from atlas.catalog.model import Catalog
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.coverage import collect_facts
from atlas.language.offline.questions.parser.shared import Unclear
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.tokenizer import stem


def check_chain(reading: Reading) -> None:
    """Refuses `the population of the capital`, as the number belongs to the row and not to the capital.

    Raises Unclear: for such a question.
    """
    for place, item in enumerate(reading.items):
        col = reading.best_column(place) if item.kind == "col" else None
        if item.kind == "size":
            col = next((one for one in reading.selects if reading.numeric(one)), None)
        ahead = reading.next(place + 1, skip=("filler",))
        other = reading.best_column(ahead) if reading.kind(ahead) == "col" else None
        between = [word.text for word in reading.items[place + 1 : ahead]]
        if col is None or other is None or between != ["of", "the"] or not reading.numeric(col):
            continue
        own = other == reading.display() or reading.index.column(other.table, other.name).every[-1:] == ("name",)
        if not own and reading.definition(other).type == "text" and col.table == other.table:
            raise Unclear(f"whose {item.text} is meant")


def asks_which(reading: Reading) -> bool:
    """Checks whether the question asks for names, as `which customers …` does.

    `show customers …` asks for all columns.
    """
    return any(item.kind == "wh" for item in reading.items[: (reading.entity or 0) + 1])


def check_pinned(reading: Reading, pinned: set[q.Expr], selects: list[q.Expr]) -> None:
    """Refuses a query that only repeats the question's own values: `which states does the Mississippi run through`.

    Raises Unclear: for such a question.
    """
    display = reading.display()
    shown = selects or ([display] if display is not None and reading.entity is not None and asks_which(reading) else [])
    if shown and all(expr in pinned for expr in shown):
        raise Unclear("what is asked of it")


def is_doubtful_form(query: q.Query, catalog: Catalog) -> bool:
    """Checks whether a query has a form that the rules of this parser got wrong in more than one of ten questions.

    These are queries of several tables, ranks and negations. Groups of one row each, groups by a time and by the time's
    period, and numbers of different times or marks are such forms, too.
    Another grammar reads most such questions before.
    """
    facts = collect_facts(query)
    if len(facts.tables) > 1 or facts.levels or facts.negated or query.limit is not None:
        return True
    if any(isinstance(cond, q.Extreme) and not _is_time(cond.expr, catalog) for cond in query.where):
        return True
    dated = {cond.column for cond in query.where if isinstance(cond, q.During)}
    if not query.aggregated and query.outputs and all(output.expr in dated for output in query.outputs):
        # `hired before 2012` asks for the rows and not for the days.
        return True
    periods = {group.column for group in query.group if isinstance(group, q.Bucket | q.Part)}
    sums = {o.expr.arg for o in query.outputs if isinstance(o.expr, q.Agg) and o.expr.function in ("sum", "avg")}
    if sums and any(_holds_number(group, catalog) for group in query.group):
        # `fare per passenger` may be a ratio.
        return True
    keys = {q.Col(join.left_table, join.left_column) for join in catalog.joins}
    table = catalog.table(query.table)
    keys |= {q.Col(query.table, name) for name in (table.key if table is not None else ())}
    if any(isinstance(group, q.Col) and (group in periods or group in keys) for group in query.group):
        return True
    counted = [o.expr.arg for o in query.outputs if isinstance(o.expr, q.Agg) and o.expr.distinct]
    types = [table.column(arg.name) for arg in counted if isinstance(arg, q.Col) and table is not None]
    return any(column is not None and column.type in ("boolean", "date", "timestamp") for column in types)


_BEING = ("was", "were", "been", "be", "is", "are")
_PRICES = frozenset(map(stem, "price cost fare fee rate rating score salary temperature age".split()))


def is_doubtful_wording(reading: Reading, query: q.Query) -> bool:
    """Checks whether a verb became a column that is shown, as in `rides that were tipped`, or prices were counted."""
    shown = {output.expr for output in query.outputs}
    for at, item in enumerate(reading.items):
        col = reading.best_column(at) if item.kind == "col" else None
        if col is None:
            continue
        before = reading.items[at - 1] if at else None
        if before is None:
            continue
        if before.text.lower() in _BEING and item.text.lower().endswith("ed") and col in shown:
            return True
        priced = bool(_PRICES & set(reading.index.column(col.table, col.name).every))
        if before.kind == "count" and before.text.lower() == "how many" and priced and q.Agg("sum", col) in shown:
            return True
    return False


def _holds_number(expr: q.Expr, catalog: Catalog) -> bool:
    """Checks for a column of numbers of things, such as passengers."""
    table = catalog.table(expr.table) if isinstance(expr, q.Col) else None
    column = table.column(expr.name) if table is not None and isinstance(expr, q.Col) else None
    return column is not None and column.type in ("bigint", "numeric") and column.name.endswith("s")


def _is_time(expr: q.Expr, catalog: Catalog) -> bool:
    table = catalog.table(expr.table) if isinstance(expr, q.Col) else None
    column = table.column(expr.name) if table is not None and isinstance(expr, q.Col) else None
    return column is not None and column.type in ("date", "timestamp")


def check_many(reading: Reading, selects: list[q.Expr]) -> None:
    """Refuses `not` on a value that a thing may have several of:

    `rivers that do not run through Ohio`, with a row for each state.

    Raises Unclear: for such a question.
    """
    table = reading.index.catalog.table(reading.table)
    key = table.key if table is not None else ()
    display = reading.display()
    shown = selects or ([display] if display is not None else [])
    several = bool(shown) and len(key) > 1 and all(isinstance(expr, q.Col) and expr.name in key for expr in shown)
    if several and any(isinstance(f.cond, q.Compare) and f.cond.operator == "<>" for f in reading.filters):
        raise Unclear("whether other rows of the same may say so")


def pins_row(reading: Reading) -> bool:
    """Checks whether a condition selects the row by its key or name."""
    table = reading.index.catalog.table(reading.table)
    own = {reading.display(), *(q.Col(reading.table, name) for name in (table.key if table else ()))}
    return any(isinstance(f.cond, q.Compare | q.OneOf) and f.cond.expr in own for f in reading.filters)


def may_lack(reading: Reading, group: q.Col) -> bool:
    """Checks whether rows may lack a value to group by.

    Keys have values, and so have columns with a condition on a value.
    """
    table = reading.index.catalog.table(group.table)
    asked = any(isinstance(f.cond, q.Compare | q.OneOf) and f.cond.expr == group for f in reading.filters)
    return not asked and not (table is not None and table.key == (group.name,))
