"""Compiles typed queries to SQL with logical names, in PostgreSQL's dialect, with joins along the catalog's keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce

import msgspec
import sqlglot
from sqlglot import exp

from atlas.catalog.model import Catalog, Join
from atlas.kit.like_patterns import escape_like
from atlas.language.offline.questions import ast as q

_OPERATORS = {"=": exp.EQ, "<>": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
# The place of a row in its group.
_PLACE = "place_in_group"
_AGGREGATES = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max, "stddev": exp.Stddev}


class NoPathError(Exception):
    """No keys connect the tables of a query."""


def to_sql(query: q.Query, catalog: Catalog) -> str:
    """Compiles a query to SQL.

    Raises NoPathError: when no keys connect the tables of the query.
    """
    return _Compiler(query, catalog).select().sql(dialect="postgres")


class _Compiler:
    def __init__(self, query: q.Query, catalog: Catalog) -> None:
        self._query = query
        self._catalog = catalog
        self._joins = list(paths(query.table, _tables(query), catalog))
        self._many = len(self._joins) > 0
        # Rows of a table repeat if the path reaches the table from its many side.
        self._multiplied = any(join.left_table == joined for join, joined in self._joins)

    def select(self) -> exp.Select:
        query = self._query
        if query.within:
            return self._select_within()
        own = all(column.table == query.table for column in _columns([*query.outputs, *query.order]))
        table = self._catalog.table(query.table)
        if self._multiplied and not query.aggregated and own and table is not None and len(table.key) == 1:
            return self._select_once(table.key[0])
        select = self._select_joined()
        outputs = [self._output(output.expr, output.name) for output in query.outputs]
        if not outputs:
            outputs = [exp.Column(this=exp.Star(), table=_identifier(query.table)) if self._many else exp.Star()]
        select = select.select(*outputs)
        if query.distinct or (self._multiplied and not query.aggregated):
            select = select.distinct()
        for condition in query.where:
            select = select.where(self.condition(condition))
        if query.group:
            select = select.group_by(*(self._ordinal(expr) for expr in query.group))
        for condition in query.having:
            select = select.having(self.condition(condition))
        return self._ordered(select)

    def _select_within(self) -> exp.Select:
        """Selects the first rows of each group. Rows are ranked within their group in the query's order."""
        query = self._query
        inner = _Compiler(msgspec.structs.replace(query, within=(), order=(), limit=None), self._catalog)
        keys = [
            exp.Ordered(this=inner.expr(order.expr), desc=order.descending, nulls_first=False) for order in query.order
        ]
        place = exp.Window(
            this=exp.Anonymous(this="RANK", expressions=[]),
            partition_by=[inner.expr(group) for group in query.within],
            order=exp.Order(expressions=keys),
        )
        names = [output.name for output in query.outputs]
        ranked = inner.select().select(exp.alias_(place, _PLACE)).subquery("ranked")
        listed = [exp.Column(this=_identifier(name)) for name in names]
        groups = [_identifier(output.name) for output in query.outputs if output.expr in query.within]
        ordered = [exp.Ordered(this=exp.Column(this=group)) for group in groups]
        last = exp.LTE(this=exp.Column(this=_identifier(_PLACE)), expression=exp.Literal.number(query.limit or 1))
        return (
            exp.Select(expressions=listed)
            .from_(ranked)
            .where(last)
            .order_by(*ordered, exp.Ordered(this=exp.Column(this=_identifier(_PLACE))))
        )

    def select_joined_rows(self) -> exp.Select:
        """Selects from the joined tables with the query's conditions and groups, without outputs."""
        select = self._select_joined()
        for condition in self._query.where:
            select = select.where(self.condition(condition))
        if self._query.group:
            select = select.group_by(*(self.expr(expr) for expr in self._query.group))
        for condition in self._query.having:
            select = select.having(self.condition(condition))
        return select

    def _select_joined(self) -> exp.Select:
        query = self._query
        select = exp.Select().from_(exp.to_table(query.table, dialect="postgres", quoted=_needs_quotes(query.table)))
        for join, joined in self._joins:
            on = exp.EQ(
                this=_name(join.left_table, join.left_column), expression=_name(join.right_table, join.right_column)
            )
            select = select.join(exp.to_table(joined, quoted=_needs_quotes(joined)), on=on)
        return select

    def _select_once(self, key: str) -> exp.Select:
        """Selects rows of the main table that have matching joined rows.

        The key keeps equal rows apart, so each row appears once.
        """
        query = self._query
        found = self._select_joined().select(_name(query.table, key))
        for condition in query.where:
            found = found.where(self.condition(condition))
        rows = _Compiler(msgspec.structs.replace(query, where=()), self._catalog)
        return rows.select().where(exp.In(this=rows.expr(q.Col(query.table, key)), query=exp.Subquery(this=found)))

    def _ordered(self, select: exp.Select) -> exp.Select:
        keys = []
        for order in self._query.order:
            key = self._ordinal(order.expr)
            keys.append(exp.Ordered(this=key, desc=order.descending, nulls_first=False))
        if keys:
            select = select.order_by(*keys)
        return select.limit(self._query.limit) if self._query.limit is not None else select

    def _output(self, expr: q.Expr, name: str) -> exp.Expr:
        built = self.expr(expr)
        if isinstance(expr, q.Col) and name == expr.name:
            return built
        return exp.alias_(built, name, quoted=_needs_quotes(name))

    def _ordinal(self, expr: q.Expr) -> exp.Expr:
        """Returns the alias of an output for an equal expression that is no plain column."""
        for output in self._query.outputs:
            if output.expr == expr and not isinstance(expr, q.Col):
                columns = {c.name for t in self._catalog.tables if t.name in self._used() for c in t.columns}
                if output.name not in columns:
                    return exp.Column(this=_identifier(output.name))
        return self.expr(expr)

    def _used(self) -> set[str]:
        return {self._query.table, *(joined for _, joined in self._joins)}

    def expr(self, expr: q.Expr) -> exp.Expr:
        match expr:
            case q.Col(table=table, name=name):
                return _name(table, name) if self._many else exp.Column(this=_identifier(name))
            case q.Num(value=value):
                return exp.Literal.number(value)
            case q.Bucket(unit=unit, column=column):
                trunc = exp.func("DATE_TRUNC", exp.Literal.string(unit), self.expr(column), dialect="postgres")
                return exp.cast(trunc, "date") if unit not in ("hour", "minute") else trunc
            case q.Part(unit=unit, column=column):
                return exp.Extract(this=exp.var(unit.upper()), expression=self.expr(column))
            case q.Agg():
                return self._aggregate(expr)
            case q.Op(operator=operator, left=left, right=right):
                return self._arithmetic(operator, self.expr(left), self.expr(right))
            case q.OfTotal(part=part):
                own = self._aggregate(part)
                total = exp.Window(this=exp.Sum(this=own.copy()))
                share = exp.Div(
                    this=exp.Mul(this=exp.Literal.number("100.0"), expression=own), expression=_nullif(total)
                )
                return _round(share)
            case q.Previous(value=value, over=over):
                window = exp.Order(expressions=[exp.Ordered(this=self.expr(over), nulls_first=False)])
                return exp.Window(this=exp.Lag(this=self.expr(value)), order=window)
        raise TypeError(type(expr))

    def _arithmetic(self, operator: str, left: exp.Expr, right: exp.Expr) -> exp.Expr:
        if operator == "/":
            return exp.Div(this=exp.cast(_paren(left), "double precision"), expression=_nullif(right))
        kind = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}[operator]
        return kind(this=_paren(left), expression=_paren(right))

    def _aggregate(self, agg: q.Agg) -> exp.Expr:
        arg = None if agg.arg is None else self.expr(agg.arg)
        distinct = agg.distinct
        if arg is None and self._multiplied:
            table = self._catalog.table(self._query.table)
            if table is None or len(table.key) != 1:
                raise NoPathError(self._query.table)
            arg, distinct = self.expr(q.Col(table.name, table.key[0])), True
        if agg.function == "count":
            inner = exp.Star() if arg is None else exp.Distinct(expressions=[arg]) if distinct else arg
            built: exp.Expr = exp.Count(this=inner)
        elif agg.function == "median":
            assert arg is not None
            half = exp.PercentileCont(this=exp.Literal.number("0.5"))
            order = exp.Order(expressions=[exp.Ordered(this=arg, nulls_first=False)])
            built = exp.WithinGroup(this=half, expression=order)
        else:
            if self._multiplied and agg.function in ("sum", "avg", "stddev"):
                raise NoPathError(self._query.table)
            built = _AGGREGATES[agg.function](this=arg)
        if agg.where is not None:
            built = exp.Filter(this=built, expression=exp.Where(this=self.condition(agg.where)))
        return built

    def condition(self, cond: q.Cond) -> exp.Expr:
        match cond:
            case q.Compare(expr=expr, operator=operator, value=value, fold=fold):
                left, right = self.expr(expr), _literal(value)
                if fold and isinstance(value, str):
                    left, right = exp.Lower(this=left), _literal(value.lower())
                return _OPERATORS[operator](this=left, expression=right)
            case q.OneOf(expr=expr, values=values, negated=negated):
                found: exp.Expr = exp.In(this=self.expr(expr), expressions=[_literal(v) for v in values])
                return exp.Not(this=found) if negated else found
            case q.Contains(expr=expr, text=text, where=where, negated=negated):
                escaped = escape_like(text)
                pattern = {"any": f"%{escaped}%", "start": f"{escaped}%", "end": f"%{escaped}"}[where]
                like = exp.ILike(this=self.expr(expr), expression=exp.Literal.string(pattern))
                return exp.Not(this=like) if negated else like
            case q.Empty(expr=expr, negated=negated):
                null = exp.Is(this=self.expr(expr), expression=exp.Null())
                return exp.Not(this=null) if negated else null
            case q.Truth(expr=expr, negated=negated):
                return exp.Not(this=self.expr(expr)) if negated else self.expr(expr)
            case q.During():
                return self._during(cond)
            case q.And(parts=parts):
                return reduce(lambda a, b: exp.And(this=_paren(a), expression=_paren(b)), map(self.condition, parts))
            case q.Or(parts=parts):
                either = reduce(lambda a, b: exp.Or(this=_paren(a), expression=_paren(b)), map(self.condition, parts))
                return exp.Paren(this=either)
            case q.Versus(left=left, operator=operator, right=right):
                return _OPERATORS[operator](this=self.expr(left), expression=self.expr(right))
            case q.Given() | q.Extreme() | q.Exists():
                return self._nested(cond)
        raise TypeError(type(cond))

    def _nested(self, cond: q.Given | q.Extreme | q.Exists) -> exp.Expr:
        match cond:
            case q.Given(sql=sql, negated=negated, table=table):
                parsed = exp.Paren(this=sqlglot.parse_one(sql, dialect="postgres"))
                if self._many:
                    for column in parsed.find_all(exp.Column):
                        column.set("table", _identifier(table))
                return exp.Not(this=parsed) if negated else parsed
            case q.Extreme(expr=expr, operator=operator, value=value):
                assert isinstance(value.arg, q.Col)
                inner = q.Query(value.arg.table, where=() if value.where is None else (value.where,))
                bare = msgspec.structs.replace(value, where=None)
                compiler = _Compiler(inner, self._catalog)
                select = compiler.select().select(compiler.expr(bare), append=False)
                return _OPERATORS[operator](this=self.expr(expr), expression=exp.Subquery(this=select))
            case q.Exists():
                return self._exists(cond)
        raise TypeError(type(cond))

    def _exists(self, cond: q.Exists) -> exp.Expr:
        own = q.Col(cond.table, cond.key)
        where = (q.Empty(own, True),) if cond.where is None else (cond.where, q.Empty(own, True))
        having = () if cond.having is None else (cond.having,)
        inner = q.Query(cond.table, where=where, group=(own,) if having else (), having=having)
        compiler = _Compiler(inner, self._catalog)
        select = compiler.select_joined_rows().select(compiler.expr(own), append=False)
        found = exp.In(this=self.expr(cond.column), query=exp.Subquery(this=select))
        return exp.Not(this=found) if cond.negated else found

    def _during(self, cond: q.During) -> exp.Expr:
        parts: list[exp.Expr] = []
        for operator, bound in ((exp.GTE, cond.start), (exp.LT, cond.end)):
            if bound is not None:
                parts.append(
                    operator(this=self.expr(cond.column), expression=sqlglot.parse_one(bound, dialect="postgres"))
                )
        both = parts[0] if len(parts) == 1 else exp.And(this=parts[0], expression=parts[1])
        return exp.Not(this=exp.Paren(this=both)) if cond.negated else both


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=_needs_quotes(name))


def _needs_quotes(name: str) -> bool:
    return not (
        name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and not name[0].isdigit()
    ) or (name.upper() in _RESERVED)


# Reserved words of PostgreSQL, which are names only in quotes.
_RESERVED = frozenset(
    "ALL ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC BOTH CASE CAST CHECK COLLATE COLUMN CONSTRAINT CREATE "
    "CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DESC DISTINCT DO ELSE END "
    "EXCEPT FALSE FETCH FOR FOREIGN FROM GRANT GROUP HAVING IN INITIALLY INTERSECT INTO LATERAL LEADING LIMIT LOCALTIME "
    "LOCALTIMESTAMP NOT NULL OFFSET ON ONLY OR ORDER PLACING PRIMARY REFERENCES RETURNING SELECT SESSION_USER SOME "
    "SYMMETRIC SYSTEM_USER TABLE THEN TO TRAILING TRUE UNION UNIQUE USER USING VARIADIC WHEN WHERE WINDOW WITH LEFT "
    "RIGHT FULL INNER OUTER JOIN CROSS NATURAL LIKE ILIKE IS ISNULL NOTNULL OVERLAPS SIMILAR VERBOSE BINARY FREEZE "
    "AUTHORIZATION CONCURRENTLY TABLESAMPLE COLLATION CURRENT_CATALOG CURRENT_SCHEMA "
    "YEAR MONTH DAY HOUR MINUTE SECOND WEEK QUARTER DATE TIME TIMESTAMP INTERVAL VALUES ROW ROWS RANGE POSITION INTERVAL "
    "FILTER COUNT SUM MIN MAX AVG".split()
)


def _name(table: str, column: str) -> exp.Column:
    return exp.Column(this=_identifier(column), table=_identifier(table))


def _literal(value: str | float | bool) -> exp.Expr:
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        return exp.Literal.string(value)
    if value < 0:
        return exp.Neg(this=exp.Literal.number(-value))
    return exp.Literal.number(value)


def _paren(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node


def _nullif(node: exp.Expr) -> exp.Expr:
    return exp.Nullif(this=node, expression=exp.Literal.number(0))


def _round(node: exp.Expr) -> exp.Expr:
    return exp.Round(this=exp.cast(node, "numeric"), decimals=exp.Literal.number(2))


def _tables(query: q.Query) -> list[str]:
    """Lists the tables whose columns stand in the query itself, in order."""
    found: list[str] = []
    parts: list[object] = [*query.outputs, *query.where, *query.group, *query.having, *query.order]
    for column in _columns(parts):
        if column.table not in found:
            found.append(column.table)
    return found


def _columns(parts: Iterable[object]) -> Iterator[q.Col]:
    for part in parts:
        if isinstance(part, q.Col):
            yield part
        elif isinstance(part, q.Given):
            yield q.Col(part.table, "")
        elif isinstance(part, q.Extreme):
            yield from _columns([part.expr])
        elif isinstance(part, q.Exists):
            yield part.column
        elif isinstance(part, msgspec.Struct):
            yield from _columns(getattr(part, field) for field in part.__struct_fields__)
        elif isinstance(part, tuple):
            yield from _columns(part)


def paths(start: str, wanted: Iterable[str], catalog: Catalog) -> Iterator[tuple[Join, str]]:
    """Yields the joins that connect `start` with the wanted tables, each with the table that the join adds.

    Raises NoPathError: when no keys connect a table.
    """
    reached = {start}
    for goal in wanted:
        if goal in reached:
            continue
        for join, joined in _shortest(reached, goal, catalog):
            reached.add(joined)
            yield join, joined


def _shortest(reached: set[str], goal: str, catalog: Catalog) -> list[tuple[Join, str]]:
    """Finds the cheapest path from the reached tables. Joins that keep the number of rows are preferred."""
    frontier: list[tuple[int, str, list[tuple[Join, str]]]] = [(0, table, []) for table in sorted(reached)]
    seen = set(reached)
    while frontier:
        frontier.sort(key=lambda entry: (entry[0], entry[1]))
        cost, table, path = frontier.pop(0)
        if table == goal:
            return path
        for join in catalog.joins:
            for here, there, price in ((join.left_table, join.right_table, 2), (join.right_table, join.left_table, 3)):
                if here == table and there not in seen | {step[1] for step in path}:
                    frontier.append((cost + price, there, [*path, (join, there)]))
        seen.add(table)
    raise NoPathError(goal)
