"""Describes queries in words, and chooses the chart of a result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from atlas.kit.identifiers import singular
from atlas.language.offline.questions import ast as q
from atlas.language.question import Chart

_FUNCTIONS = {
    "sum": "total",
    "avg": "average",
    "min": "lowest",
    "max": "highest",
    "median": "median",
    "stddev": "deviation of",
}
_OPERATORS = {"=": "is", "<>": "is not", ">": "is over", ">=": "is at least", "<": "is under", "<=": "is at most"}
_PIE_SLICES = 8
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Prepositions that a period may begin with. A period with another first word gets a preposition.
_LEADING = frozenset(
    "in on at during since after before until till from between within over through throughout by for of up prior".split()
)


def plain(name: str) -> str:
    """Writes a name with blanks for underscores."""
    return name.replace("_", " ")


def figure(value: object) -> str:
    """Formats a value: numbers with groups of digits, with at most 2 decimals, or with 3 significant digits below 1."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "nothing"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) or type(value).__name__ == "Decimal":
        number = float(str(value))
        if number.is_integer() and abs(number) < 1e15:
            return f"{int(number):,}"
        return f"{number:,.2f}" if abs(number) >= 1 else f"{number:.3g}"
    text = value.isoformat(sep=" ") if hasattr(value, "hour") else str(value)  # type: ignore[attr-defined]
    return text.removesuffix("+00:00").removesuffix(" 00:00:00")


def expression(expr: q.Expr, table: str) -> str:
    """Describes an expression.

    table: the main table, whose rows are counted.
    """
    match expr:
        case q.Col(name=name):
            return plain(name)
        case q.Num(value=value):
            return figure(value)
        case q.Bucket(unit=unit) | q.Part(unit=unit):
            return "day of the week" if unit == "isodow" else unit
        case q.Agg(function="count", arg=None, where=where):
            return f"number of {entity(table, 2)}" + (f" where {condition(where)}" if where is not None else "")
        case q.Agg(function="count", arg=arg) if arg is not None:
            return f"number of different {things(expression(arg, table), 2)}"
        case q.Agg(function=function, arg=arg, where=where):
            inner = expression(arg, table) if arg is not None else "rows"
            return f"{_FUNCTIONS[function]} {inner}" + (f" where {condition(where)}" if where is not None else "")
        case q.OfTotal(part=part):
            return f"share of the {expression(part, table)} in percent"
        case q.Op(operator="*", left=q.Num(), right=q.Op(left=q.Agg(where=where))) if where is not None:
            return f"percentage of {entity(table, 2)} where {condition(where)}"
        case q.Op(operator="*"):
            return "change in percent"
        case q.Op(operator="/", left=left, right=right):
            return f"ratio of {expression(left, table)} to {expression(right, table)}"
        case q.Op():
            return "difference"
        case q.Previous(value=value):
            return f"{expression(value, table)} before"


def label(value: object) -> str:
    """Formats a value that is a label. Whole numbers such as years have no groups of digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else figure(value)


def condition(cond: q.Cond) -> str:
    """Describes a condition."""
    match cond:
        case q.Compare(expr=expr, operator=operator, value=value):
            named = isinstance(expr, q.Part) or (isinstance(expr, q.Col) and expr.name.lower().endswith(("year", "id")))
            return f"{expression(expr, 'rows')} {_OPERATORS[operator]} {label(value) if named else figure(value)}"
        case q.OneOf(expr=expr, values=values, negated=negated):
            listed = " or ".join(label(value) for value in values)
            return f"{expression(expr, 'rows')} is {'not ' if negated else ''}{listed}"
        case q.Contains(expr=expr, text=text, where=where, negated=negated):
            verb = {"any": "contains", "start": "starts with", "end": "ends with"}[where]
            return f"{'not: ' if negated else ''}{expression(expr, 'rows')} {verb} {text!r}"
        case q.Empty(expr=expr, negated=negated):
            return f"{expression(expr, 'rows')} is {'given' if negated else 'missing'}"
        case q.Truth(expr=expr, negated=negated):
            return f"{'not ' if negated else ''}{expression(expr, 'rows')}"
        case q.During(column=column, words=words, negated=negated):
            led = words if words.split(" ", 1)[0].lower() in _LEADING else f"from {words}"
            # Atlas gives the time column of a dataset this name.
            name = "the time" if column.name == "ts" else plain(column.name)
            return f"{name} is {'not ' if negated else ''}{led}"
        case q.Given(words=words, negated=negated):
            return f"{'not ' if negated else ''}{words}"
        case q.And(parts=parts):
            return " and ".join(map(condition, parts))
        case q.Or(parts=parts):
            return " or ".join(map(condition, parts))
        case q.Extreme(expr=expr, operator=operator, value=value):
            if operator == "=":
                return f"{expression(expr, 'rows')} is the {_FUNCTIONS[value.function]}"
            return f"{expression(expr, 'rows')} {_OPERATORS[operator]} the {expression(value, 'rows')}"
        case q.Versus(left=left, operator=operator, right=right):
            return f"{expression(left, 'rows')} {_OPERATORS[operator]} {expression(right, 'rows')}"
        case q.Exists():
            return _related(cond)


def _related(cond: q.Exists) -> str:
    """Describes a condition on related rows."""
    where = f" where {condition(cond.where)}" if cond.where is not None else ""
    if isinstance(cond.having, q.Compare):
        measured = expression(cond.having.expr, cond.table)
        return f"the {measured}{where} {_OPERATORS[cond.having.operator]} {figure(cond.having.value)}"
    return f"there are {'no ' if cond.negated else ''}{plain(cond.table)}{where}"


def conditions(query: q.Query) -> str:
    """Describes all conditions after `where`. Returns an empty text if the query has no condition."""
    return f" where {' and '.join(map(condition, query.where))}" if query.where else ""


def explain(query: q.Query) -> str:
    """Describes a query in one sentence."""
    table = plain(query.table)
    measures = [o for o in query.outputs if q.has_aggregate(o.expr)]
    if measures:
        shown = " and the ".join(expression(o.expr, query.table) for o in measures)
        text = f"The {shown}"
        if query.group:
            text += " by " + " and ".join(expression(expr, query.table) for expr in query.group)
        elif not query.where and all(isinstance(o.expr, q.Agg) and o.expr.function != "count" for o in measures):
            text += f" of all {table}"
    elif query.outputs:
        text = "The " + " and ".join(expression(o.expr, query.table) for o in query.outputs) + f" of {table}"
    else:
        text = f"All columns of {table}"
    text += conditions(query)
    for cond in query.having:
        text += f", only where {_having(cond, query.table)}"
    if query.order:
        keys = ", ".join(
            f"{expression(o.expr, query.table)}{' from the greatest' if o.descending else ''}" for o in query.order
        )
        text += f", sorted by {keys}"
    if query.within:
        each = " and ".join(expression(expr, query.table) for expr in query.within)
        count = f"the first {query.limit}" if query.limit and query.limit > 1 else "the first"
        text += f", {count} of each {each}"
    elif query.limit is not None:
        text += f", the first {query.limit}" if query.limit > 1 else ", only the first"
    return text + "."


def _having(cond: q.Cond, table: str) -> str:
    if isinstance(cond, q.Compare):
        return f"the {expression(cond.expr, table)} {_OPERATORS[cond.operator]} {figure(cond.value)}"
    return condition(cond)


def chart(query: q.Query) -> Chart | None:
    """Chooses the chart of a result. None: the rows are only listed."""
    measures = tuple(o.name for o in query.outputs if q.has_aggregate(o.expr) and not isinstance(o.expr, q.Previous))
    if not measures:
        numbers = [o for o in query.outputs if any(o.expr == order.expr for order in query.order)]
        if len(query.outputs) == 2 and numbers and query.order:
            other = next(o for o in query.outputs if o is not numbers[0])
            return Chart("bar", other.name, (numbers[0].name,))
        return None
    if not query.group:
        return Chart("number", None, measures)
    names = [o.name for o in query.outputs if o.expr in query.group]
    if not names:
        return Chart("number", None, measures)
    time = next((o.name for o in query.outputs if isinstance(o.expr, q.Bucket)), None)
    if time is not None:
        return Chart("line", time, measures)
    if any(isinstance(o.expr, q.OfTotal) for o in query.outputs) and len(names) == 1:
        shares = tuple(o.name for o in query.outputs if isinstance(o.expr, q.OfTotal))
        return Chart("pie", names[0], shares)
    return Chart("bar", names[0], measures)


def entity(table: str, count: int) -> str:
    """Names a number of rows: `lead` or `leads`. If the table's name is no plural: `rows of btc hourly`."""
    if not countable(table):
        return f"{'row' if count == 1 else 'rows'} of {plain(table)}"
    return things(table, count)


def countable(table: str) -> bool:
    """Checks whether the name of a table is a plural, so that the singular names a row."""
    return singular(plain(table)) != plain(table)


def things(name: str, count: int) -> str:
    """Returns the singular or plural of a name: `1 state`, `5 states`."""
    one = singular(plain(name))
    if count == 1:
        return one
    if one.endswith("y") and one[-2:-1] not in "aeiou":
        return f"{one[:-1]}ies"
    return f"{one}es" if one.endswith(("s", "x", "ch", "sh")) else f"{one}s"


def period(start: object, unit: str) -> str:
    """Describes a period by its start: `in January 2025`, `on 2025-01-05`."""
    if not isinstance(start, date):
        return f"for {'none given' if start is None else figure(start)}"
    year = f"{start.year:04}"
    day = f"{year}-{start:%m-%d}"
    match unit:
        case "year":
            return f"in {year}"
        case "quarter":
            return f"in Q{(start.month + 2) // 3} {year}"
        case "month":
            return f"in {_MONTHS[start.month - 1]} {year}"
        case "week":
            return f"in the week of {day}"
        case "day":
            return f"on {day}"
        case _:
            return f"at {figure(start)}"


def join_words(parts: Sequence[str]) -> str:
    """Joins texts as `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
