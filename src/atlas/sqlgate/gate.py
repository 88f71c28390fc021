"""A query from outside: read into pieces, parsed, checked against allow-lists, resolved, and written anew.

What runs is never the text that came. The parser sees stand-ins for names, texts, types and functions; nodes and
their arguments must be on a list; each name must mean a column or table of the catalog, or one that the query gives;
and PostgreSQL gets every column with its table, so that it finds the same meaning or none.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas.catalog.model import Catalog
from atlas.sqlgate.allowlist import check_tree
from atlas.sqlgate.costs import bound_costs
from atlas.sqlgate.generator import write_logical
from atlas.sqlgate.lexer import refuse
from atlas.sqlgate.parser import read_query
from atlas.sqlgate.physical_names import write_physical
from atlas.sqlgate.resolver import resolve


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that may run. Nothing but `check_query` makes one, as tests/rules sees to: who has one need not check it.

    logical: SQL with the users' names, to show; physical: the SQL to run, every name quoted, `%` left single;
    tables: names of the catalog's tables that it reads, as they appear; ordered: whether its rows have an order.
    """

    logical: str
    physical: str
    tables: tuple[str, ...]
    ordered: bool


def check_query(text: str, catalog: Catalog, *, max_rows: int | None = None) -> CheckedQuery:
    """The one SELECT that `text` is, on this catalog, as PostgreSQL.

    max_rows: `physical` gives at most one row more, so that the caller sees whether there are more.
    Raises BadRequestError("Query refused", reason).
    """
    try:
        tree = read_query(text)
        check_tree(tree)
        found = resolve(tree, catalog)
        bound_costs(tree, found)
        limit = None if max_rows is None else max_rows + 1
        logical, physical = write_logical(tree, found), write_physical(tree, found, limit)
    except RecursionError:
        raise refuse("it is nested too deep") from None
    return CheckedQuery(logical, physical, tuple(found.used), bool(tree.args.get("order")))
