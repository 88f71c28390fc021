"""Extends conditions on the time of packed rows, so that segments outside of the range are not unpacked.

A row's time lies within the bounds of its segment. So `ts >= x` equals `ts >= x AND high >= x`, NULLs included,
wherever the condition stands. PostgreSQL can check the second half before unpacking anything.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from atlas.catalog.model import CatalogTable
from atlas.sqlgate.names import quoted
from atlas.sqlgate.resolver import Resolution

TIME = "ts"
# For a comparison with the time on the left: conditions on the bounds, and the comparison with its sides exchanged.
_BOUNDS: dict[type[exp.Expr], tuple[tuple[str, str], ...]] = {
    exp.GT: (("high", ">"),),
    exp.GTE: (("high", ">="),),
    exp.LT: (("low", "<"),),
    exp.LTE: (("low", "<="),),
    exp.EQ: (("high", ">="), ("low", "<=")),
}
_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}


def bound_names(table: CatalogTable) -> dict[str, str]:
    """Returns names for the bounds of a row's segment that differ from the table's columns."""
    taken = {column.name for column in table.columns}
    names = {}
    for which in ("low", "high"):
        name = f"_{which}_{TIME}"
        while name in taken:
            name += "_"
        names[which] = name
    return names


def bounds(node: exp.Expr, found: Resolution, write: Callable[[exp.Expr], str]) -> list[str]:
    """Returns the conditions on the bounds for a comparison of such a time with a constant; else an empty list."""
    if isinstance(node, exp.Between):
        return _bounds(node.this, exp.GTE, node.args["low"], found, write) + _bounds(
            node.this, exp.LTE, node.args["high"], found, write
        )
    if type(node) not in _BOUNDS:
        return []
    return _bounds(node.this, type(node), node.expression, found, write) or _bounds(
        node.expression, _TURNED[type(node)], node.this, found, write
    )


def _bounds(
    time: exp.Expr, kind: type[exp.Expr], value: exp.Expr, found: Resolution, write: Callable[[exp.Expr], str]
) -> list[str]:
    table = found.bounded.get(id(time))
    if table is None or any(isinstance(one, (exp.Column, exp.Select, exp.Subquery)) for one in value.walk()):
        return []
    (source,) = found.columns[id(time)].sources
    names = bound_names(table)
    return [f"{quoted(source)}.{quoted(names[which])} {sign} {write(value)}" for which, sign in _BOUNDS[kind]]
