"""Writes a checked and resolved query as PostgreSQL SQL, with physical names, to run."""

from __future__ import annotations

from sqlglot import exp

from atlas.catalog.model import CatalogTable
from atlas.sqlgate.generator import Writer, quoted_text
from atlas.sqlgate.names import quoted
from atlas.sqlgate.resolver import Column, Resolution
from atlas.sqlgate.segment_pruning import bound_names, bounds

# The beginning of PostgreSQL's error for a text that is longer than its guard allows. The text's length follows.
TOO_LONG_TEXT = "a text is too long for a query that does so much with texts: "


def write_physical(tree: exp.Expr, found: Resolution, limit: int | None) -> str:
    """Writes a query. limit: the maximum number of rows, whatever the query's own LIMIT is."""
    writer = _Physical(found)
    stated = tree.args.get("limit")
    least = [int(stated.expression.name)] if stated else []
    if limit is not None:
        least.append(limit)
    body = writer.write_unlimited(tree)
    return " ".join([body, *([f"LIMIT {min(least)}"] if least else []), *writer.offset(tree)])


def write_condition(node: exp.Expr, found: Resolution) -> str:
    """Writes a condition on one table, whose columns need no table's name. Texts stay unescaped, to be parsed again."""
    return _Condition(found).write(node)


class _Physical(Writer):
    def name(self, name: str) -> str:
        return quoted(name)

    def text(self, text: str) -> str:
        # A backslash in a plain text has two meanings, depending on a server setting.
        return f"E{quoted_text(text.replace(chr(92), chr(92) * 2))}" if "\\" in text else quoted_text(text)

    def table(self, node: exp.Expr) -> str:
        table = self.found.tables[id(node)]
        alias = node.args.get("alias")
        name = alias.this.name if alias else node.this.name
        return f"{quoted(node.this.name) if table is None else _relation(table)} AS {quoted(name)}"

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

    def _binary(self, node: exp.Expr) -> str:
        return self._add_bounds(node, super()._binary(node))

    def _between(self, node: exp.Expr) -> str:
        return self._add_bounds(node, super()._between(node))

    def _add_bounds(self, node: exp.Expr, written: str) -> str:
        conditions = bounds(node, self.found, self.write)
        return f"({' AND '.join([written, *conditions])})" if conditions else written


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


def _relation(table: CatalogTable) -> str:
    """Returns the SQL of a table in FROM: its relation, or a SELECT that renames the relation's columns."""
    relation = f"{quoted(table.schema)}.{quoted(table.relation)}"
    if table.kind == "table" and all(column.stored == column.name for column in table.columns):
        return relation
    named = [(column.stored, column.name) for column in table.columns]
    if table.cold:
        named += [(f"_{which}_ts", name) for which, name in bound_names(table).items()]
    columns = ", ".join(f"{quoted(stored)} AS {quoted(name)}" for stored, name in named)
    return f"(SELECT {columns} FROM {relation})"
