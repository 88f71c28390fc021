"""Derives the units of a result from the units of columns: a mean of degrees is in degrees, a number of rows has no
unit.
"""

from __future__ import annotations

from collections.abc import Mapping

from atlas.catalog.model import Catalog
from atlas.language.offline.questions import ast as q

_KEEPING = frozenset({"sum", "avg", "min", "max", "median", "stddev"})
Units = Mapping[tuple[str, str], str]


def units_of(catalog: Catalog) -> dict[tuple[str, str], str]:
    """Returns the known units by table and column."""
    return {
        (table.name, column.name): column.unit for table in catalog.tables for column in table.columns if column.unit
    }


def unit(expr: q.Expr, units: Units) -> str:
    """Returns the unit of an expression.

    Returns an empty text if the expression has no unit, or another unit than its parts.
    """
    match expr:
        case q.Col(table=table, name=name):
            return units.get((table, name), "")
        case q.Agg(function=function, arg=arg) if arg is not None and function in _KEEPING:
            return unit(arg, units)
        case q.Previous(value=value):
            return unit(value, units)
        case q.Op(operator="+" | "-", left=left, right=right):
            found = unit(left, units)
            return found if found == unit(right, units) else ""
        case _:
            return ""


def result_units(query: q.Query, names: list[str], units: Units) -> dict[str, str]:
    """Returns the known units by the names of a result's columns.

    names: of all columns of the result.
    """
    if query.outputs:
        found = {output.name: unit(output.expr, units) for output in query.outputs}
    else:
        found = {name: units.get((query.table, name), "") for name in names}
    return {name: one for name, one in found.items() if one}
