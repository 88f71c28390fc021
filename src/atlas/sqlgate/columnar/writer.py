"""A checked query in DuckDB's SQL, where each of its parts is known to mean the same there as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from atlas.catalog.model import CatalogTable
from atlas.sqlgate.allowlist import SET_OPERATIONS
from atlas.sqlgate.columnar.calls import AGGREGATES
from atlas.sqlgate.columnar.expressions import Expressions
from atlas.sqlgate.columnar.finishing import Finish
from atlas.sqlgate.columnar.kinds import INTEGERS, Kind, NotColumnarError, Typed
from atlas.sqlgate.columnar.pruning import prune
from atlas.sqlgate.columnar.scopes import Names, Scope, Source
from atlas.sqlgate.names import plain
from atlas.sqlgate.resolver import Resolution

_MAX_PLACES = 15
Outputs = list[tuple[str, Kind]]


@dataclass(frozen=True, slots=True)
class RelationColumns:
    """What a query reads of a dataset or table.

    relation: its name in the SQL; columns: physical names, `ts` among them where the query reads it; packed, plain:
    conditions in PostgreSQL's SQL on chunks and on plain rows, that all rows which matter fulfil; once: whether the
    query reads it once only.
    """

    table: CatalogTable
    relation: str
    columns: tuple[str, ...]
    packed: tuple[str, ...]
    plain: tuple[str, ...]
    once: bool


@dataclass(frozen=True, slots=True)
class ColumnarQuery:
    """A query for DuckDB.

    sql: with `$now` where uses_now; relations: what it reads; names: of the answer's columns; finishes: how they are
    made; byte_order: whether the answer depends on an order of texts, which must be that of their bytes; first_rows:
    how many rows of the dataset are needed, whichever they are, or None for all.
    """

    sql: str
    relations: tuple[RelationColumns, ...]
    names: tuple[str, ...]
    finishes: tuple[Finish, ...]
    uses_now: bool
    byte_order: bool
    first_rows: int | None = None


def write_columnar(tree: exp.Expr, found: Resolution, limit: int | None) -> ColumnarQuery | None:
    """Returns a query for DuckDB; None where no packed rows are read, or a part may mean something else there.

    limit: the most rows of the answer, whatever the query says.
    """
    if not any(table is not None and table.cold for table in found.tables.values()):
        return None
    try:
        return _Queries(found).top(tree, limit)
    except NotColumnarError:
        return None


def _reads_any(tree: exp.Expr) -> bool:
    """Tells whether a query takes rows of one table as they come, so that it needs no more than it gives."""
    if not isinstance(tree, exp.Select) or any(tree.args.get(one) for one in ("where", "joins", "having", "with_")):
        return False
    return not any(
        isinstance(node, (exp.Group, exp.Order, exp.Window, exp.Distinct, exp.Subquery, *SET_OPERATIONS))
        or (isinstance(node, exp.Select) and node is not tree)
        or (isinstance(node, exp.Anonymous) and node.name in AGGREGATES)
        for node in tree.walk()
    )


class _Queries:
    """Writes queries; the expressions in them are written by `Expressions`, which calls back for queries in those."""

    def __init__(self, found: Resolution) -> None:
        self._found = found
        self._names = Names()
        self._expressions = Expressions(found, self._names, self)

    def top(self, tree: exp.Expr, limit: int | None) -> ColumnarQuery:
        scope = Scope(None, {})
        sql, outputs, finishes = self._query(tree, scope, top=True)
        stated = tree.args.get("limit")
        least = [int(stated.expression.name)] if stated else []
        least += [limit] if limit is not None else []
        sql += f" LIMIT {min(least)}" if least else ""
        sql += _offset(tree)
        # DuckDB may run a query within another more than once.
        simple = sum(isinstance(node, exp.Select) for node in tree.walk()) == 1
        relations = tuple(
            RelationColumns(
                use.table,
                use.relation,
                tuple(sorted(use.columns)),
                tuple(use.packed) if use.nodes == 1 else (),
                tuple(use.plain) if use.nodes == 1 else (),
                simple and use.nodes == 1,
            )
            for use in self._names.uses.values()
        )
        names = tuple(name for name, _ in outputs)
        first_rows = None
        if least and _reads_any(tree):
            offset = tree.args.get("offset")
            first_rows = min(least) + (int(offset.expression.name) if offset else 0)
        says = self._expressions.uses_now, self._expressions.byte_order
        return ColumnarQuery(sql, relations, names, tuple(finishes), *says, first_rows)

    # What expressions call.
    def scalar(self, node: exp.Expr, scope: Scope) -> Typed:
        sql, outputs = self._limited(node, scope)
        if len(outputs) != 1:
            raise NotColumnarError("a query of several columns as a value")
        return Typed(f"({sql})", outputs[0][1])

    def whole(self, node: exp.Expr, scope: Scope) -> str:
        return self._limited(node, scope)[0]

    def _limited(self, node: exp.Expr, scope: Scope) -> tuple[str, Outputs]:
        """Returns a query within another, with its LIMIT and OFFSET."""
        while isinstance(node, exp.Subquery):
            node = node.this
        sql, outputs, _ = self._query(node, Scope(scope, scope.queries), top=False)
        limit = node.args.get("limit")
        return f"{sql}{f' LIMIT {limit.expression.name}' if limit else ''}{_offset(node)}", outputs

    def _query(self, node: exp.Expr, scope: Scope, *, top: bool) -> tuple[str, Outputs, list[Finish]]:
        before = ""
        if (with_ := node.args.get("with_")) is not None:
            scope = Scope(scope.parent, dict(scope.queries))
            before = self._with(with_, scope)
        if isinstance(node, tuple(SET_OPERATIONS)):
            sql, outputs = self._combined(node, scope)
            finishes = [Finish(kind) for _, kind in outputs]
        else:
            sql, outputs, finishes = self._select(node, scope, top=top)
        return before + sql, outputs, finishes

    def _with(self, node: exp.Expr, scope: Scope) -> str:
        parts = []
        for one in node.expressions:
            sql, outputs = self._limited(one.this, scope)
            alias = one.args["alias"]
            source = self._names.result(outputs, [column.name for column in alias.args.get("columns") or []])
            scope.queries[alias.this.name] = source
            parts.append(f"{source.alias} AS ({sql})")
        return f"WITH {', '.join(parts)} "

    def _combined(self, node: exp.Expr, scope: Scope) -> tuple[str, Outputs]:
        left, outputs = self._limited(node.this, scope)
        right, others = self._limited(node.expression, scope)
        if [kind for _, kind in outputs] != [kind for _, kind in others]:
            raise NotColumnarError("a set of two types")
        every = "" if node.args.get("distinct") else " ALL"
        sql = f"SELECT * FROM ({left}) {SET_OPERATIONS[type(node)]}{every} SELECT * FROM ({right})"
        order = node.args.get("order")
        if order is None:
            return sql, outputs
        terms = []
        for one in order.expressions:
            at = self._position(one.this)
            if at is None:
                raise NotColumnarError("the order of a set")
            terms.append(self._ordered_by_position(one, at, outputs))
        return f"{sql} ORDER BY {', '.join(terms)}", outputs

    def _select(self, node: exp.Expr, scope: Scope, *, top: bool) -> tuple[str, Outputs, list[Finish]]:
        args = node.args
        from_ = self._from(node, scope)
        for one in args.get("windows") or []:
            scope.windows[one.this.name] = f"({self._expressions.calls.frame(one, scope)})"
        where = f" WHERE {self._expressions.condition(args['where'].this, scope)}" if args.get("where") else ""
        cells, outputs, finishes, counts = self._projections(node, scope, top=top)
        unfinished = {at for at, one in enumerate(finishes, 1) if one.places is not None or one.count is not None}
        if (distinct := args.get("distinct")) is not None and (distinct.args.get("on") or unfinished):
            raise NotColumnarError("DISTINCT")
        group = f" GROUP BY {', '.join(self._grouped(node, scope, unfinished))}" if args.get("group") else ""
        having = f" HAVING {self._expressions.condition(args['having'].this, scope)}" if args.get("having") else ""
        order = self._order(args["order"], scope, outputs, finishes) if args.get("order") else ""
        listed = ", ".join(f"{cell} AS o{at}" for at, cell in enumerate([*cells, *counts], 1))
        sql = f"SELECT {'DISTINCT ' if distinct is not None else ''}{listed}{from_}{where}{group}{having}{order}"
        return sql, outputs, finishes

    def _from(self, node: exp.Expr, scope: Scope) -> str:
        from_ = node.args.get("from_")
        if from_ is None:
            return ""
        parts = [self._source(from_.this, scope)]
        for join in node.args.get("joins") or []:
            kind = " ".join(w for w in (join.text("side"), join.text("kind")) if w not in ("", "INNER", "OUTER"))
            before = list(scope.sources)
            written = self._source(join.this, scope)
            if not join.text("side") and not join.text("kind"):
                parts.append(f", {written}")
                continue
            on = ""
            if join.args.get("on"):
                on = f" ON {self._expressions.condition(join.args['on'], scope)}"
            elif join.args.get("using"):
                on = f" ON {self._using(join, scope, before)}"
            parts.append(f" {kind + ' ' if kind else ''}JOIN {written}{on}")
        prune(node, self._found, scope, self._names)
        return f" FROM {''.join(parts)}"

    def _using(self, join: exp.Expr, scope: Scope, before: Sequence[str]) -> str:
        """Returns the condition of USING, for a join of two relations."""
        if len(before) != 1:
            raise NotColumnarError("USING of several relations")
        left, right = scope.sources[before[0]], list(scope.sources.values())[-1]
        conditions = []
        for told in join.args["using"]:
            one, other = (self._names.cell(told.name, source) for source in (left, right))
            if one.kind is not other.kind:
                raise NotColumnarError("USING of two types")
            conditions.append(f"{one.sql} = {other.sql}")
        return " AND ".join(conditions)

    def _source(self, node: exp.Expr, scope: Scope) -> str:
        """Takes an item of FROM into scope; returns it with its alias."""
        alias = node.args.get("alias")
        if isinstance(node, exp.Table):
            table = self._found.tables[id(node)]
            name = alias.this.name if alias else node.this.name
            if table is not None:
                source = self._names.relation(table)
                scope.sources[name] = source
                return f"{self._names.uses[table.name].relation} AS {source.alias}"
            if node.this.name not in scope.queries:
                raise NotColumnarError("a name from WITH")
            query = scope.queries[node.this.name]
            scope.sources[name] = Source(self._names.fresh(), query.columns)
            return f"{query.alias} AS {scope.sources[name].alias}"
        if not isinstance(node, exp.Subquery):
            raise NotColumnarError(type(node).__name__)
        assert alias is not None
        outer = Scope(scope.parent, scope.queries)
        sql, outputs = self._limited(node.this, outer)
        source = self._names.result(outputs, [column.name for column in alias.args.get("columns") or []])
        scope.sources[alias.this.name] = source
        return f"({sql}) AS {source.alias}"

    def _projections(
        self, node: exp.Expr, scope: Scope, *, top: bool
    ) -> tuple[list[str], Outputs, list[Finish], list[str]]:
        """Returns the list behind SELECT: the SQL of each column, names and types, last steps, and further columns."""
        cells: list[str] = []
        outputs: Outputs = []
        finishes: list[Finish] = []
        counts: list[tuple[int, str]] = []
        for one in node.expressions:
            if id(one) in self._found.stars:
                for column in self._found.stars[id(one)]:
                    typed = self._names.column(column, scope)
                    cells.append(typed.sql)
                    outputs.append((column.name, typed.kind))
                    finishes.append(Finish(typed.kind))
                continue
            inner = one.this if isinstance(one, exp.Alias) else one
            name = one.args["alias"].name if isinstance(one, exp.Alias) else self._found.names.get(id(one), "?column?")
            typed, finish, count = self._projection(inner, scope, top=top)
            if count:
                counts.append((len(cells), count))
            cells.append(typed.sql)
            outputs.append((name, typed.kind))
            finishes.append(finish)
        for position, (at, _) in enumerate(counts):
            finishes[at] = Finish(Kind.WHOLE, finishes[at].places, count=len(cells) + position)
        return cells, outputs, finishes, [count for _, count in counts]

    def _projection(self, node: exp.Expr, scope: Scope, *, top: bool) -> tuple[Typed, Finish, str]:
        """Returns a column of the answer, its last step, and the SQL of a count that the last step needs, or ""."""
        node = plain(node)
        if top and isinstance(node, exp.Anonymous):
            if node.name == "round" and len(node.expressions) == 2:
                cast, places = node.expressions
                is_numeric = isinstance(cast, exp.Cast) and str(cast.args["to"].args["kind"]) == "NUMERIC"
                plainly = isinstance(places, exp.Literal) and not places.is_string and places.name.isdigit()
                if is_numeric and plainly and int(places.name) <= _MAX_PLACES:
                    typed = self._expressions.write(cast.this, scope)
                    if typed.kind is Kind.FLOAT:
                        return typed, Finish(Kind.FLOAT, places=int(places.name)), ""
                if plainly and int(places.name) <= _MAX_PLACES and (whole := self._whole_average(cast, scope)):
                    return whole[0], Finish(Kind.WHOLE, places=int(places.name)), whole[1]
            if whole := self._whole_average(node, scope):
                return whole[0], Finish(Kind.WHOLE), whole[1]
        typed = self._expressions.write(node, scope)
        if typed.kind in (Kind.DECIMAL, Kind.INTERVAL, Kind.NULL):
            raise NotColumnarError(f"a column of {typed.kind.name}")
        return typed, Finish(typed.kind), ""

    def _whole_average(self, node: exp.Expr, scope: Scope) -> tuple[Typed, str] | None:
        """Returns the sum and the SQL of the count for an average of integers, or None for other nodes."""
        node = plain(node)
        if not isinstance(node, exp.Anonymous) or node.name != "avg" or len(node.expressions) != 1:
            return None
        if isinstance(node.expressions[0], exp.Distinct):
            return None
        typed = self._expressions.write(node.expressions[0], scope)
        if typed.kind is not Kind.INT8:
            return None
        return Typed(f"sum({typed.sql})", Kind.WHOLE), f"count({typed.sql})"

    def _position(self, node: exp.Expr) -> int | None:
        """Returns the position of the column of the result that a term of ORDER BY or GROUP BY means."""
        if (at := self._found.positions.get(id(node))) is not None:
            return at
        bare = plain(node)
        return int(bare.name) if isinstance(bare, exp.Literal) and not bare.is_string and bare.name.isdigit() else None

    def _grouped(self, node: exp.Expr, scope: Scope, unfinished: set[int]) -> list[str]:
        """Returns the terms of GROUP BY. unfinished: positions of columns whose values DuckDB does not have."""
        terms = []
        for term in node.args["group"].expressions:
            at = self._position(term)
            if at in unfinished:
                raise NotColumnarError("groups by a rounded value")
            terms.append(str(at) if at is not None else self._expressions.write(term, scope).sql)
        return terms

    def _order(self, order: exp.Expr, scope: Scope, outputs: Outputs, finishes: Sequence[Finish]) -> str:
        terms = []
        for number, one in enumerate(order.expressions, 1):
            at = self._position(one.this)
            if at is None:
                terms.append(self._expressions.ordered(one, self._expressions.sort_key(self._sorted(one.this, scope))))
                continue
            term = self._ordered_by_position(one, at, outputs)
            if finishes[at - 1].count is not None:
                raise NotColumnarError("the order of an average of integers")
            if finishes[at - 1].places is not None and number < len(order.expressions):
                # Doubles that differ may be equal once they are rounded, and then the next term decides.
                raise NotColumnarError("a rounded term before others")
            terms.append(term)
        return f" ORDER BY {', '.join(terms)}"

    def _ordered_by_position(self, node: exp.Expr, at: int, outputs: Outputs) -> str:
        """Returns a term of ORDER BY that means a column of the result by its position, from 1."""
        if not 1 <= at <= len(outputs):
            raise NotColumnarError("a position that is not there")
        self._expressions.sort_key(Typed("", outputs[at - 1][1]))
        return self._expressions.ordered(node, str(at))

    def _sorted(self, node: exp.Expr, scope: Scope) -> Typed:
        found = self._expressions.write(node, scope)
        if found.kind in INTEGERS and found.sql.isdigit():
            raise NotColumnarError("a constant term")
        return found


def _offset(node: exp.Expr) -> str:
    offset = node.args.get("offset")
    return f" OFFSET {offset.expression.name}" if offset else ""
