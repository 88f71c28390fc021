"""What a condition could cost for one row: PostgreSQL looks for a cancellation between rows only.

As `sqlgate_costs`, for the parser's own nodes. Types of columns are not known here, so each is taken for the longest.
"""

from __future__ import annotations

from sqlglot import exp

from atlas.sqlgate.costs import GUARDED_PATTERN, GUARDED_TEXT, MAX_WORK
from atlas.sqlgate.physical_names import TOO_LONG_TEXT
from atlas.sqlgate.value_sizes import CELL, STORED, Cost, arithmetic, call, cast, either, literal, search, whole

_CALLS: dict[type[exp.Expr], str] = {
    exp.Round: "round",
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.Length: "length",
    exp.DPipe: "concat",
    exp.Trim: "btrim",
}


def too_costly(tree: exp.Expr) -> str | None:
    """Why a condition is not run; None where it may be."""
    seconds = _cost(tree).work / 1e9
    if seconds <= MAX_WORK / 1e9:
        return None
    return (
        f"one row could take {seconds:,.0f} s, over {MAX_WORK // 10**9}; use fewer or shorter patterns, and sizes "
        "behind NUMERIC, such as NUMERIC(38, 10)"
    )


def guard_patterns(tree: exp.Expr) -> None:
    """Limits the texts of each LIKE whose pattern is no constant, in place: it fails for those that are too long."""
    for node in list(tree.find_all(exp.Like, exp.ILike)):
        if not isinstance(node.expression.unnest(), exp.Literal):
            node.set("expression", _guarded(node.expression, GUARDED_PATTERN))
            if not isinstance(node.this.unnest(), exp.Literal):
                node.set("this", _guarded(node.this, GUARDED_TEXT))


def _guarded(value: exp.Expr, most: int) -> exp.Expr:
    length = exp.Anonymous(this="OCTET_LENGTH", expressions=[value.copy()])
    told = exp.DPipe(this=exp.Literal.string(TOO_LONG_TEXT), expression=length.copy())
    # A text that is no number, made of a length, so that it fails when it is worked out and not before.
    error = exp.cast(exp.cast(told, "int"), "text")
    test = exp.If(this=exp.GT(this=length, expression=exp.Literal.number(most)), true=error)
    return exp.Paren(this=exp.Case(ifs=[test], default=value.copy()))


def _cost(node: exp.Expr) -> Cost:
    if isinstance(node, exp.Column):
        return Cost(1, 0, "N", STORED, CELL)
    if isinstance(node, exp.Literal):
        return literal(node)
    if isinstance(node, exp.Paren):
        return _cost(node.this)
    parts = [_cost(part) for part in node.iter_expressions() if not isinstance(part, (exp.DataType, exp.Var))]
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)):
        return arithmetic(type(node), *parts)
    if isinstance(node, (exp.Like, exp.ILike)):
        text, pattern = parts
        if not isinstance(node.expression.unnest(), exp.Literal):
            text, pattern = text._replace(length=GUARDED_TEXT), pattern._replace(length=GUARDED_PATTERN)
        return search(text, pattern)
    if isinstance(node, exp.Cast):
        value = parts[0] if isinstance(node.this, exp.Literal) else parts[0]._replace(kind="T", digits=0)
        return cast(value, node.args["to"].sql(dialect="postgres").replace("DECIMAL", "NUMERIC"))
    if isinstance(node, (exp.Coalesce, exp.Nullif, exp.Case, exp.If)):
        return either(parts)
    name = _CALLS.get(type(node))
    return call(name, parts) if name is not None and parts else whole(parts)
