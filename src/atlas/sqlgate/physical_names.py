"""Writes a checked and resolved query as PostgreSQL SQL, with physical names, to run."""

from __future__ import annotations

import secrets
import time

from sqlglot import exp

from atlas.catalog.model import CatalogTable
from atlas.sqlgate.generator import Writer, quoted_text
from atlas.sqlgate.names import quoted
from atlas.sqlgate.resolver import Column, Resolution

# The beginning of PostgreSQL's error for a text that is longer than its guard allows. The text's length follows.
TOO_LONG_TEXT = "a text is too long for a query that does so much with texts: "


def write_physical(tree: exp.Expr, found: Resolution, limit: int | None, stand_in: str) -> str:
    """Writes a query.

    limit: the maximum number of rows, whatever the query's own LIMIT is. stand_in: beginning of the names of the tables
    that stand in for datasets with packed rows; `stand_in_name` is the whole name.
    """
    writer = _Physical(found, stand_in)
    stated = tree.args.get("limit")
    least = [int(stated.expression.name)] if stated else []
    if limit is not None:
        least.append(limit)
    body = writer.write_unlimited(tree)
    return " ".join([body, *([f"LIMIT {min(least)}"] if least else []), *writer.offset(tree)])


def write_condition(node: exp.Expr, found: Resolution) -> str:
    """Writes a condition on one table, whose columns need no table's name. Texts stay unescaped, to be parsed again."""
    return _Condition(found, "").write(node)


def new_stand_in() -> str:
    """Returns a new beginning of names for tables that stand in for datasets: the time in seconds, and random bits."""
    return f"_query_{int(time.time()):010d}_{secrets.token_hex(8)}"


def stand_in_name(stand_in: str, table: CatalogTable) -> str:
    """Returns the name of the relation that stands in for a dataset with packed rows."""
    return f"{stand_in}_{table.dataset_id}"


class _Physical(Writer):
    def __init__(self, found: Resolution, stand_in: str) -> None:
        super().__init__(found)
        self._stand_in = stand_in

    def name(self, name: str) -> str:
        return quoted(name)

    def text(self, text: str) -> str:
        # A backslash in a plain text has two meanings, depending on a server setting.
        return f"E{quoted_text(text.replace(chr(92), chr(92) * 2))}" if "\\" in text else quoted_text(text)

    def table(self, node: exp.Expr) -> str:
        table = self.found.tables[id(node)]
        alias = node.args.get("alias")
        name = alias.this.name if alias else node.this.name
        relation = quoted(node.this.name) if table is None else _relation(table, self._stand_in)
        return f"{relation} AS {quoted(name)}"

    def write(self, node: exp.Expr) -> str:
        written, most = super().write(node), self.found.guards.get(id(node))
        if most is None:
            return written
        # The cast of a text that is no number fails. The text contains a length, so that the cast fails on evaluation
        # and not in planning. PostgreSQL knows the bytes of a cell without unpacking the cell.
        error = f"CAST(CAST('{TOO_LONG_TEXT}' || OCTET_LENGTH({written}) AS INT) AS TEXT)"
        return f"(CASE WHEN OCTET_LENGTH({written}) > {most} THEN {error} ELSE {written} END)"

    def barred(self, node: exp.Expr) -> str:
        return "MATERIALIZED " if id(node) in self.found.barriers else ""

    def _subquery(self, node: exp.Expr) -> str:
        alias = node.args.get("alias")
        kept = " OFFSET 0" if id(node) in self.found.barriers and not _is_limited(node.this) else ""
        return f"({self.write(node.this)}{kept}){f' AS {self._names(alias)}' if alias else ''}"

    def projection(self, node: exp.Expr) -> str:
        if id(node) in self.found.stars:
            columns = self.found.stars[id(node)]
            return ", ".join(f"{_qualify(column)} AS {quoted(column.name)}" for column in columns)
        name = self.found.names.get(id(node))
        return f"{self.write(node)} AS {quoted(name)}" if name else self.write(node)

    def term(self, node: exp.Expr) -> str:
        # A number, since a name could mean a column of the relation that is not in the catalog.
        position = self.found.positions.get(id(node))
        return str(position) if position else self.write(node)

    def start(self, node: exp.Expr) -> str:
        # With a text, SUBSTRING would take a regular expression of any cost.
        return f"CAST({self.write(node)} AS INT)"

    def _column(self, node: exp.Expr) -> str:
        return _qualify(self.found.columns[id(node)])


class _Condition(_Physical):
    def text(self, text: str) -> str:
        return quoted_text(text)

    def _column(self, node: exp.Expr) -> str:
        return quoted(node.this.name)


def _is_limited(node: exp.Expr) -> bool:
    """Returns whether PostgreSQL already keeps a query separate."""
    return bool(node.args.get("limit") or node.args.get("offset"))


def _qualify(column: Column) -> str:
    names = [f"{quoted(source)}.{quoted(column.name)}" for source in column.sources]
    return names[0] if len(names) == 1 else f"COALESCE({', '.join(names)})"


def _relation(table: CatalogTable, stand_in: str) -> str:
    """Returns the SQL of a table in FROM: its relation, or a SELECT that renames the relation's columns."""
    if table.cold:
        relation = quoted(stand_in_name(stand_in, table))
    else:
        relation = f"{quoted(table.schema)}.{quoted(table.relation)}"
    if table.kind == "table" and all(column.stored == column.name for column in table.columns):
        return relation
    columns = ", ".join(f"{quoted(column.stored)} AS {quoted(column.name)}" for column in table.columns)
    return f"(SELECT {columns} FROM {relation})"
