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
from atlas.sqlgate.packed_reads import PackedRead, packed_reads
from atlas.sqlgate.parser import read_query
from atlas.sqlgate.physical_names import new_stand_in, write_physical
from atlas.sqlgate.resolver import resolve


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query that may run. Only `check_query` makes checked queries (tests/rules), so they need no second check.

    logical: SQL with the users' names, for display. physical: the SQL to run, every name quoted, `%` not doubled.
    tables: names of the catalog's tables that the query reads, in order of appearance. ordered: whether its rows have
    an order. columnar: the same query for DuckDB, where DuckDB gives the same rows. packed: what the query reads of
    datasets with packed rows; in `physical`, tables whose names begin with `stand_in` stand in for these.
    """

    logical: str
    physical: str
    tables: tuple[str, ...]
    ordered: bool
    columnar: ColumnarQuery | None = None
    packed: tuple[PackedRead, ...] = ()
    stand_in: str = ""


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
        # No text of a caller can have such a name, so that the name can be replaced for each run.
        stand_in = new_stand_in()
        logical, physical = write_logical(tree, found), write_physical(tree, found, limit, stand_in)
    except RecursionError:
        raise refuse("it is nested too deep") from None
    columnar = write_columnar(tree, found, limit)
    packed = packed_reads(tree, found)
    return CheckedQuery(
        logical, physical, tuple(found.used), bool(tree.args.get("order")), columnar, packed, stand_in if packed else ""
    )
