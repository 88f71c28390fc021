"""Conditions on the time of a dataset, by which chunks that cannot matter are not even read."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from atlas.sqlgate.columnar.scopes import Names, Scope, constant
from atlas.sqlgate.names import plain
from atlas.sqlgate.physical_names import write_condition
from atlas.sqlgate.resolver import Resolution

# Of a comparison with the time on the left: its sign, the bounds of a chunk that it says something of, and the
# comparison with its sides exchanged.
_SIGNS: dict[type[exp.Expr], tuple[str, tuple[str, ...], type[exp.Expr]]] = {
    exp.GT: (">", ("high_ts >",), exp.LT),
    exp.GTE: (">=", ("high_ts >=",), exp.LTE),
    exp.LT: ("<", ("low_ts <",), exp.GT),
    exp.LTE: ("<=", ("low_ts <=",), exp.GTE),
    exp.EQ: ("=", ("high_ts >=", "low_ts <="), exp.EQ),
}


def prune(select: exp.Expr, found: Resolution, scope: Scope, names: Names) -> None:
    """Notes what the conditions behind WHERE say of the times of the datasets behind FROM.

    Each condition fails where the time is NULL, so rows left out before a join change nothing. An outer join puts a row
    without a time in their place, and such a row fails the condition, too.
    """
    where = select.args.get("where")
    for node in conjuncts(where.this) if where is not None else ():
        for time, kind, value in comparisons(node):
            if id(time) not in found.bounded or not constant(value):
                continue
            (alias,) = found.columns[id(time)].sources
            source = scope.sources.get(alias)
            if source is None or source.table is None:
                continue
            use = names.uses[source.table.name]
            plain, packed = time_conditions(kind, write_condition(value, found))
            use.plain.append(plain)
            use.packed += packed


def time_conditions(kind: type[exp.Expr], written: str) -> tuple[str, list[str]]:
    """Returns what a comparison of the time with a constant says of plain rows, and of the bounds of chunks."""
    sign, bounds, _ = _SIGNS[kind]
    micros = f"extract(epoch FROM CAST({written} AS TIMESTAMPTZ)) * 1000000"
    return f"ts {sign} {written}", [f"{bound} {micros}" for bound in bounds]


def conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    node = plain(node)
    if isinstance(node, exp.And):
        yield from conjuncts(node.this)
        yield from conjuncts(node.expression)
    else:
        yield node


def comparisons(node: exp.Expr) -> Iterator[tuple[exp.Expr, type[exp.Expr], exp.Expr]]:
    """Yields the comparisons (time, sign, value) that a condition consists of, if it is of that form."""
    if isinstance(node, exp.Between):
        yield plain(node.this), exp.GTE, node.args["low"]
        yield plain(node.this), exp.LTE, node.args["high"]
    elif type(node) in _SIGNS:
        yield plain(node.this), type(node), node.expression
        yield plain(node.expression), _SIGNS[type(node)][2], node.this
