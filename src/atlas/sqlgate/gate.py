"""The SQL gate: a query from outside is split into pieces, parsed, checked against allow-lists, resolved and rewritten.

The text that came never runs. The parser sees stand-ins for names, texts, types and functions. Nodes and their
arguments must be on a list. Each name must mean a table or column of the catalog, or a name of the query itself.
PostgreSQL gets every column with its table, so that a name has the same meaning there, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas.catalog.model import Catalog
from atlas.sqlgate.allowlist import check_tree
from atlas.sqlgate.columnar.writer import ColumnarQuery, write_columnar
from atlas.sqlgate.costs import bound_costs
from atlas.sqlgate.generator import write_logical
from atlas.sqlgate.lexer import refuse
from atlas.sqlgate.parser import read_query
from atlas.sqlgate.physical_names import write_physical
from atlas.sqlgate.resolver import resolve


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that may run. Only `check_query` makes checked queries (tests/rules), so they need no second check.

    logical: SQL with the users' names, for display. physical: the SQL to run, every name quoted, `%` not doubled.
    tables: names of the catalog's tables that the query reads, in order of appearance. ordered: whether its rows have
    an order. columnar: the same query for DuckDB, where DuckDB gives the same rows.
    """

    logical: str
    physical: str
    tables: tuple[str, ...]
    ordered: bool
    columnar: ColumnarQuery | None = None


def check_query(text: str, catalog: Catalog, *, max_rows: int | None = None) -> CheckedQuery:
    """Checks that `text` is one SELECT on this catalog, and rewrites the query for PostgreSQL.

    max_rows: `physical` returns at most one row more, so that the caller sees whether there are more.
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
    columnar = write_columnar(tree, found, limit)
    return CheckedQuery(logical, physical, tuple(found.used), bool(tree.args.get("order")), columnar)
