"""Expressions in DuckDB's SQL with PostgreSQL's meaning, by type; a form whose meaning may differ is refused.

A test compares both systems on the same queries. Three differences between them are written away here.
Division by zero is an error. Integers are divided toward zero. `round` of a double takes the even neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlglot import exp

from atlas.sqlgate.allowlist import BINARY
from atlas.sqlgate.columnar.calls import Calls
from atlas.sqlgate.columnar.kinds import INTEGERS, NUMBERS, WHOLE_PARTS, Kind, NotColumnarError, Typed
from atlas.sqlgate.columnar.literals import (
    day_constant,
    exact_decimal,
    interval_constant,
    is_text,
    number_constant,
    text_of,
    time_constant,
)
from atlas.sqlgate.columnar.scopes import Names, Scope
from atlas.sqlgate.columnar.spans import beside_span, difference, micros_of
from atlas.sqlgate.columnar.texts import Texts, as_text
from atlas.sqlgate.generator import quoted_text
from atlas.sqlgate.resolver import Resolution

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_EQUALITIES = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
_ZERO = "error('division by zero')"


class Queries(Protocol):
    """Writes the queries within expressions."""

    def scalar(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns a query of one column in parentheses."""
        ...

    def whole(self, node: exp.Expr, scope: Scope) -> str:
        """Returns a query."""
        ...


class Expressions:
    """Writes expressions. byte_order: set once texts are compared or sorted by their order."""

    def __init__(self, found: Resolution, names: Names, queries: Queries) -> None:
        self._found, self._names, self._queries = found, names, queries
        self.byte_order = False
        self.calls, self.texts = Calls(self), Texts(self)
        self.uses_now = False
        self._methods: dict[type[exp.Expr], Callable[[exp.Expr, Scope], Typed]] = {
            exp.Column: lambda node, scope: self._names.column(self._found.columns[id(node)], scope),
            exp.Literal: self._literal,
            exp.Boolean: lambda node, _: Typed("TRUE" if node.this else "FALSE", Kind.BOOL),
            exp.Null: lambda *_: Typed("NULL", Kind.NULL),
            exp.Paren: self._paren,
            exp.Neg: self._negative,
            exp.Not: lambda node, scope: Typed(f"(NOT {self.condition(node.this, scope)})", Kind.BOOL),
            exp.And: self._connected,
            exp.Or: self._connected,
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Like: self._like,
            exp.ILike: self.texts.ilike,
            exp.DPipe: self.texts.joined,
            exp.Trim: self.texts.trim,
            exp.Substring: self.texts.substring,
            exp.StrPosition: self.texts.position,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.Extract: self._extract,
            exp.Anonymous: self.calls.call,
            exp.Filter: self.calls.filtered,
            exp.WithinGroup: self.calls.percentile,
            exp.Window: self.calls.window,
            exp.CurrentTimestamp: self.now,
            exp.CurrentDate: lambda node, scope: Typed(f"CAST({self.now(node, scope).sql} AS DATE)", Kind.DATE),
            exp.Exists: lambda node, scope: Typed(f"EXISTS ({self._queries.whole(node.this, scope)})", Kind.BOOL),
            exp.Subquery: lambda node, scope: self._queries.scalar(node.this, scope),
            **dict.fromkeys(_COMPARISONS, self._compared),
            **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), self._arithmetic),
        }

    def write(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns an expression in DuckDB's SQL. Raises NotColumnarError."""
        method = self._methods.get(type(node))
        if method is None:
            raise NotColumnarError(type(node).__name__)
        return method(node, scope)

    def sort_key(self, found: Typed) -> str:
        """Returns an expression by which rows are sorted."""
        if found.kind is Kind.TEXT:
            self.byte_order = True
        if found.kind in (Kind.NULL, Kind.INTERVAL, Kind.DECIMAL):
            raise NotColumnarError(f"order by {found.kind.name}")
        return found.sql

    def ordered(self, node: exp.Expr, written: str) -> str:
        """Returns a term of ORDER BY. DuckDB is set to put NULLs where PostgreSQL does."""
        descends, first = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
        return f"{written}{' DESC' if descends else ''} NULLS {'FIRST' if first else 'LAST'}"

    def condition(self, node: exp.Expr, scope: Scope) -> str:
        """Returns a condition. Raises NotColumnarError."""
        found = self.write(node, scope)
        if found.kind is not Kind.BOOL:
            raise NotColumnarError(f"{found.kind.name} as a condition")
        return found.sql

    def _literal(self, node: exp.Expr, scope: Scope) -> Typed:
        if node.is_string:
            # Its type comes of what stands beside it.
            raise NotColumnarError("a text without a type")
        return number_constant(node.name)

    def _paren(self, node: exp.Expr, scope: Scope) -> Typed:
        found = self.write(node.this, scope)
        return found if found.kind is Kind.DECIMAL else Typed(f"({found.sql})", found.kind)

    def _negative(self, node: exp.Expr, scope: Scope) -> Typed:
        found = self.write(node.this, scope)
        if found.kind is Kind.DECIMAL:
            return Typed(f"-{found.sql}", Kind.DECIMAL) if found.sql[0] != "-" else Typed(found.sql[1:], Kind.DECIMAL)
        if found.kind not in NUMBERS:
            raise NotColumnarError(f"minus {found.kind.name}")
        return Typed(f"(- {found.sql})", found.kind)

    def _connected(self, node: exp.Expr, scope: Scope) -> Typed:
        word = BINARY[type(node)][1]
        return Typed(f"({self.condition(node.this, scope)} {word} {self.condition(node.expression, scope)})", Kind.BOOL)

    def _is(self, node: exp.Expr, scope: Scope) -> Typed:
        found = self.write(node.this, scope)
        told = node.expression
        if not isinstance(told, exp.Null) and found.kind is not Kind.BOOL:
            raise NotColumnarError("IS TRUE of no boolean")
        word = "NULL" if isinstance(told, exp.Null) else "TRUE" if told.this else "FALSE"
        return Typed(f"({found.sql} IS {'NOT ' if node.args.get('negate') else ''}{word})", Kind.BOOL)

    def _compared(self, node: exp.Expr, scope: Scope) -> Typed:
        left, right = self._sides(node.this, node.expression, scope, equality=isinstance(node, _EQUALITIES))
        return Typed(f"({left} {BINARY[type(node)][1]} {right})", Kind.BOOL)

    def _sides(self, one: exp.Expr, other: exp.Expr, scope: Scope, *, equality: bool) -> tuple[str, str]:
        """Returns both sides of a comparison in one type."""
        left = None if is_text(one) else self.write(one, scope)
        right = None if is_text(other) else self.write(other, scope)
        if left is None or right is None:
            known = left or right
            if known is None:
                raise NotColumnarError("two texts without a type")
            left, right = left or self._typed_text(one, known.kind), right or self._typed_text(other, known.kind)
        return self._alike(left, right, equality=equality)

    def _typed_text(self, node: exp.Expr, kind: Kind) -> Typed:
        """Returns a text constant in the type of what stands beside it."""
        text = text_of(node)
        if kind is Kind.TEXT:
            return Typed(quoted_text(text), Kind.TEXT)
        if kind is Kind.TIME:
            return time_constant(text)
        if kind is Kind.DATE:
            return day_constant(text)
        raise NotColumnarError(f"a text beside {kind.name}")

    def _alike(self, left: Typed, right: Typed, *, equality: bool) -> tuple[str, str]:
        kinds = {left.kind, right.kind}
        if Kind.SPAN in kinds:
            return beside_span(left), beside_span(right)
        if Kind.FLOAT in kinds:
            return left.double, right.double
        if Kind.DECIMAL in kinds:
            if not kinds & (INTEGERS | {Kind.WHOLE}):
                raise NotColumnarError("two decimals")
            return _exact(left), _exact(right)
        if kinds <= NUMBERS:
            return left.sql, right.sql
        if kinds == {Kind.TIME, Kind.DATE}:
            return tuple(f"CAST({one.sql} AS TIMESTAMP)" if one.kind is Kind.DATE else one.sql for one in (left, right))  # type: ignore[return-value]
        if len(kinds) != 1 or kinds <= {Kind.INTERVAL, Kind.NULL}:
            raise NotColumnarError(f"{left.kind.name} beside {right.kind.name}")
        if kinds == {Kind.TEXT} and not equality:
            self.byte_order = True
        return left.sql, right.sql

    def _in(self, node: exp.Expr, scope: Scope) -> Typed:
        query = node.args.get("query")
        if query is not None:
            if isinstance(node.this, exp.Tuple):
                raise NotColumnarError("IN of several columns")
            found, inner = self.write(node.this, scope), self._queries.scalar(query.this, scope)
            if found.kind is not inner.kind:
                raise NotColumnarError("IN of another type")
            return Typed(f"({found.sql} IN {inner.sql})", Kind.BOOL)
        parts = []
        for one in node.expressions:
            left, right = self._sides(node.this, one, scope, equality=True)
            parts.append(f"{left} = {right}")
        return Typed(f"({' OR '.join(parts)})", Kind.BOOL)

    def _between(self, node: exp.Expr, scope: Scope) -> Typed:
        low = self._sides(node.this, node.args["low"], scope, equality=False)
        high = self._sides(node.this, node.args["high"], scope, equality=False)
        return Typed(f"({low[0]} >= {low[1]} AND {high[0]} <= {high[1]})", Kind.BOOL)

    def _like(self, node: exp.Expr, scope: Scope) -> Typed:
        found, pattern = self.write(node.this, scope), node.expression
        if found.kind is not Kind.TEXT or not is_text(pattern) or "\\" in text_of(pattern):
            raise NotColumnarError("LIKE")
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        return Typed(f"({found.sql} {word} {quoted_text(text_of(pattern))})", Kind.BOOL)

    def _arithmetic(self, node: exp.Expr, scope: Scope) -> Typed:
        left, right = self.write(node.this, scope), self.write(node.expression, scope)
        kinds, sign = {left.kind, right.kind}, BINARY[type(node)][1]
        if sign == "-" and kinds <= {Kind.TIME, Kind.DATE}:
            return difference(left, right)
        if Kind.SPAN in kinds and kinds <= {Kind.SPAN, Kind.INTERVAL} and sign in "+-":
            return Typed(f"({beside_span(left)} {sign} {beside_span(right)})", Kind.SPAN)
        if left.kind is Kind.DATE and right.kind is Kind.INT4 and sign in "+-":
            return Typed(f"({left.sql} {sign} {right.sql})", Kind.DATE)
        if Kind.INTERVAL in kinds:
            if left.kind is not Kind.TIME or sign not in "+-":
                raise NotColumnarError("arithmetic of intervals")
            return Typed(f"({left.sql} {sign} {right.sql})", Kind.TIME)
        if Kind.FLOAT in kinds and sign != "%":
            one, other = left.double, right.double
            if sign == "/":
                return Typed(f"(CASE WHEN {other} = 0 THEN {_ZERO} ELSE {one} / {other} END)", Kind.FLOAT)
            return Typed(f"({one} {sign} {other})", Kind.FLOAT)
        if not kinds <= INTEGERS:
            raise NotColumnarError(f"{left.kind.name} {sign} {right.kind.name}")
        kind = Kind.INT8 if Kind.INT8 in kinds else Kind.INT4
        if sign in "/%":
            done = f"{left.sql} {'//' if sign == '/' else sign} {right.sql}"
            return Typed(f"(CASE WHEN {right.sql} = 0 THEN {_ZERO} ELSE {done} END)", kind)
        return Typed(f"({left.sql} {sign} {right.sql})", kind)

    def _case(self, node: exp.Expr, scope: Scope) -> Typed:
        value = node.args.get("this")
        conditions = [
            self.condition(one.this, scope)
            if value is None
            else " = ".join(self._sides(value, one.this, scope, equality=True))
            for one in node.args["ifs"]
        ]
        default = node.args.get("default")
        results = [one.args["true"] for one in node.args["ifs"]] + ([default] if default is not None else [])
        cells, kind = self.unified(results, scope)
        parts = [f"WHEN {when} THEN {then}" for when, then in zip(conditions, cells, strict=False)]
        parts += [f"ELSE {cells[-1]}"] if default is not None else []
        return Typed(f"(CASE {' '.join(parts)} END)", kind)

    def unified(self, nodes: Sequence[exp.Expr], scope: Scope) -> tuple[list[str], Kind]:
        """Returns expressions in the one type that PostgreSQL would give them all."""
        cells = [None if is_text(node) else self.write(node, scope) for node in nodes]
        kinds = {cell.kind for cell in cells if cell is not None} - {Kind.NULL}
        if Kind.FLOAT in kinds and kinds <= NUMBERS | {Kind.DECIMAL} and None not in cells:
            return [
                cell.sql if cell.kind is Kind.NULL else cell.double for cell in cells if cell is not None
            ], Kind.FLOAT
        if kinds == INTEGERS:
            kinds = {Kind.INT8}
        if None in cells and not kinds:
            kinds = {Kind.TEXT}
        if len(kinds) != 1 or kinds <= {Kind.DECIMAL, Kind.INTERVAL}:
            raise NotColumnarError("values of several types")
        (kind,) = kinds
        written = [
            self._typed_text(node, kind).sql if cell is None else cell.sql
            for node, cell in zip(nodes, cells, strict=True)
        ]
        return ([f"CAST({one} AS BIGINT)" for one in written] if kind is Kind.INT8 else written), kind

    def _cast(self, node: exp.Expr, scope: Scope) -> Typed:
        kind = str(node.args["to"].args["kind"])
        if is_text(node.this):
            text = text_of(node.this)
            if kind in ("TIMESTAMPTZ", "TIMESTAMP"):
                return time_constant(text)
            if kind == "DATE":
                return day_constant(text)
            if kind == "INTERVAL":
                return interval_constant(text)
            raise NotColumnarError(f"a text as {kind}")
        found = self.write(node.this, scope)
        if kind == "TEXT":
            return as_text(found)
        if kind == "DOUBLE PRECISION":
            return Typed(found.double, Kind.FLOAT)
        if kind == "BIGINT" and found.kind in INTEGERS:
            return Typed(f"CAST({found.sql} AS BIGINT)", Kind.INT8)
        if kind == "DATE" and found.kind in (Kind.TIME, Kind.DATE):
            return Typed(f"CAST({found.sql} AS DATE)", Kind.DATE)
        if kind == "TIMESTAMPTZ" and found.kind in (Kind.TIME, Kind.DATE):
            return Typed(f"CAST({found.sql} AS TIMESTAMP)", Kind.TIME)
        raise NotColumnarError(f"{found.kind.name} as {kind}")

    def _extract(self, node: exp.Expr, scope: Scope) -> Typed:
        found = self.write(node.expression, scope)
        if node.this.name == "EPOCH":
            return Typed(micros_of(found), Kind.MICROS)
        if node.this.name not in WHOLE_PARTS or found.kind not in (Kind.TIME, Kind.DATE):
            raise NotColumnarError(f"EXTRACT of {node.this.name}")
        return Typed(f"EXTRACT({node.this.name} FROM {found.sql})", Kind.WHOLE)

    def now(self, node: exp.Expr, scope: Scope) -> Typed:
        self.uses_now = True
        return Typed("CAST($now AS TIMESTAMP)", Kind.TIME)


def _exact(found: Typed) -> str:
    return exact_decimal(found) if found.kind is Kind.DECIMAL else found.sql
