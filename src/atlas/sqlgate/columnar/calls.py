"""Calls in DuckDB's SQL with PostgreSQL's meaning: functions, aggregates and windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from atlas.sqlgate.columnar.kinds import INTEGERS, NUMBERS, WHOLE_PARTS, Kind, NotColumnarError, Typed
from atlas.sqlgate.columnar.literals import is_text, number_constant, text_of
from atlas.sqlgate.columnar.scopes import Scope
from atlas.sqlgate.columnar.spans import micros_of

if TYPE_CHECKING:
    from atlas.sqlgate.columnar.expressions import Expressions

_UNITS = frozenset("second minute hour day week month quarter year".split())
# Functions of doubles, by the name that DuckDB has for PostgreSQL's.
_OF_DOUBLES = {
    "abs": "abs",
    "floor": "floor",
    "ceil": "ceil",
    "ceiling": "ceil",
    "sqrt": "sqrt",
    "exp": "exp",
    "ln": "ln",
    "log": "log10",
    "trunc": "trunc",
}
# Aggregates of two numbers.
_PAIRS = frozenset({"corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept", "regr_r2"})
_SPREADS = {
    "stddev": "stddev_samp",
    "stddev_samp": "stddev_samp",
    "stddev_pop": "stddev_pop",
    "variance": "var_samp",
    "var_samp": "var_samp",
    "var_pop": "var_pop",
}
_EXTREMES, _ALL_OR_ANY = frozenset({"min", "max"}), frozenset({"bool_and", "bool_or", "every"})
AGGREGATES = frozenset({"count", "sum", "avg", "percentile_cont", *_EXTREMES, *_ALL_OR_ANY, *_SPREADS, *_PAIRS})
_RANKS = frozenset({"row_number", "rank", "dense_rank"})
_SHARES = frozenset({"percent_rank", "cume_dist"})
_NEIGHBOURS = frozenset({"lag", "lead", "first_value", "last_value"})


class Calls:
    """Writes calls. expressions: writes the arguments, and notes what the answer depends on."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions

    def call(self, node: exp.Expr, scope: Scope) -> Typed:
        name, arguments = node.name, node.expressions
        if name == "now" and not arguments:
            return self._expressions.now(node, scope)
        if self._expressions.texts.has(name) and arguments:
            return self._expressions.texts.call(node, scope)
        if name in ("greatest", "least"):
            cells, kind = self._expressions.unified(arguments, scope)
            if kind not in (Kind.TIME, Kind.DATE, *NUMBERS):
                raise NotColumnarError(f"{name} of {kind.name}")
            return Typed(f"{name}({', '.join(cells)})", kind)
        if name in ("coalesce", "nullif"):
            cells, kind = self._expressions.unified(arguments, scope)
            if (
                name == "nullif"
                and kind is Kind.FLOAT
                and self._expressions.write(arguments[0], scope).kind is not Kind.FLOAT
            ):
                raise NotColumnarError("NULLIF of two types")
            return Typed(f"{name.upper()}({', '.join(cells)})", kind)
        if name == "date_trunc" and len(arguments) == 2 and is_text(arguments[0]):
            unit, found = text_of(arguments[0]).lower(), self._expressions.write(arguments[1], scope)
            if unit in _UNITS and found.kind in (Kind.TIME, Kind.DATE):
                return Typed(f"CAST(date_trunc('{unit}', {found.sql}) AS TIMESTAMP)", Kind.TIME)
        if name == "date_part" and len(arguments) == 2 and is_text(arguments[0]):
            unit, found = text_of(arguments[0]).upper(), self._expressions.write(arguments[1], scope)
            if unit in WHOLE_PARTS and found.kind in (Kind.TIME, Kind.DATE):
                return Typed(f"CAST(EXTRACT({unit} FROM {found.sql}) AS DOUBLE)", Kind.FLOAT)
            if unit == "EPOCH":
                return Typed(f"({micros_of(found)} / 1e6)", Kind.FLOAT)
        if name == "date" and len(arguments) == 1:
            found = self._expressions.write(arguments[0], scope)
            if found.kind in (Kind.TIME, Kind.DATE):
                return Typed(f"CAST({found.sql} AS DATE)", Kind.DATE)
        if name in (*_OF_DOUBLES, "round") and len(arguments) == 1:
            found = self._expressions.write(arguments[0], scope)
            if found.kind is Kind.FLOAT:
                return Typed(
                    f"round_even({found.sql}, 0)" if name == "round" else f"{_OF_DOUBLES[name]}({found.sql})",
                    Kind.FLOAT,
                )
        if name in ("power", "pow") and len(arguments) == 2:
            base, exponent = (self._expressions.write(one, scope) for one in arguments)
            if Kind.FLOAT in (base.kind, exponent.kind):
                return Typed(f"pow({base.double}, {exponent.double})", Kind.FLOAT)
        return self._aggregate(node, scope)

    def _aggregate(self, node: exp.Expr, scope: Scope) -> Typed:
        name, arguments = node.name, node.expressions
        if name in _PAIRS and len(arguments) == 2:
            pair = ", ".join(self._expressions.write(one, scope).double for one in arguments)
            return Typed(f"{name}({pair})", Kind.FLOAT)
        if len(arguments) != 1:
            raise NotColumnarError(f"{name} of {len(arguments)}")
        (argument,) = arguments
        if name == "count":
            if isinstance(argument, exp.Star):
                return Typed("count(*)", Kind.INT8)
            if isinstance(argument, exp.Distinct) and len(argument.expressions) == 1:
                return Typed(
                    f"count(DISTINCT {self._expressions.write(argument.expressions[0], scope).sql})", Kind.INT8
                )
        found = self._expressions.write(argument, scope)
        if name == "count":
            return Typed(f"count({found.sql})", Kind.INT8)
        if name == "sum" and found.kind in (Kind.FLOAT, Kind.INT8):
            return Typed(f"sum({found.sql})", Kind.FLOAT if found.kind is Kind.FLOAT else Kind.WHOLE)
        if name == "avg" and found.kind is Kind.FLOAT:
            return Typed(f"avg({found.sql})", Kind.FLOAT)
        if name in _EXTREMES and found.kind in (*NUMBERS, Kind.TIME, Kind.DATE, Kind.SPAN, Kind.TEXT):
            self._expressions.byte_order |= found.kind is Kind.TEXT
            return Typed(f"{name}({found.sql})", found.kind)
        if name in _SPREADS and found.kind is Kind.FLOAT:
            return Typed(f"{_SPREADS[name]}({found.sql})", Kind.FLOAT)
        if name in _ALL_OR_ANY and found.kind is Kind.BOOL:
            return Typed(f"{'bool_or' if name == 'bool_or' else 'bool_and'}({found.sql})", Kind.BOOL)
        raise NotColumnarError(f"{name} of {found.kind.name}")

    def filtered(self, node: exp.Expr, scope: Scope) -> Typed:
        found = self._expressions.write(node.this, scope)
        return Typed(
            f"{found.sql} FILTER (WHERE {self._expressions.condition(node.expression.this, scope)})", found.kind
        )

    def percentile(self, node: exp.Expr, scope: Scope) -> Typed:
        call, terms = node.this, node.expression.expressions
        if call.name != "percentile_cont" or len(call.expressions) != 1 or len(terms) != 1:
            raise NotColumnarError(call.name)
        share = call.expressions[0]
        if not isinstance(share, exp.Literal) or share.is_string or not 0 <= float(share.name) <= 1:
            raise NotColumnarError("the share of a percentile")
        values = self._expressions.write(terms[0].this, scope)
        if values.kind not in (*INTEGERS, Kind.FLOAT):
            raise NotColumnarError("a percentile of no number")
        descends = " DESC" if terms[0].args.get("desc") else ""
        return Typed(f"percentile_cont({share.name}) WITHIN GROUP (ORDER BY {values.double}{descends})", Kind.FLOAT)

    def window(self, node: exp.Expr, scope: Scope) -> Typed:
        call, alias = node.this, node.args.get("alias")
        over = scope.windows[alias.name] if alias else f"({self.frame(node, scope)})"
        if isinstance(call, exp.Anonymous) and call.name in _RANKS | _SHARES and not call.expressions:
            return Typed(f"{call.name}() OVER {over}", Kind.INT8 if call.name in _RANKS else Kind.FLOAT)
        if isinstance(call, exp.Anonymous) and call.name == "ntile" and len(call.expressions) == 1:
            (parts,) = call.expressions
            if isinstance(parts, exp.Literal) and parts.name.isdigit() and int(parts.name) > 0:
                return Typed(f"CAST(ntile({number_constant(parts.name).sql}) OVER {over} AS INTEGER)", Kind.INT4)
        if isinstance(call, exp.Anonymous) and call.name in _NEIGHBOURS:
            found = self._neighbour(call, scope)
        elif isinstance(call, (exp.Anonymous, exp.Filter)):
            found = self._expressions.write(call, scope)
            if any(isinstance(one, exp.Distinct) for one in call.walk()):
                raise NotColumnarError("DISTINCT in a window")
        else:
            raise NotColumnarError("a window")
        return Typed(f"{found.sql} OVER {over}", found.kind)

    def _neighbour(self, call: exp.Expr, scope: Scope) -> Typed:
        value, *rest = call.expressions
        if len(rest) > 1 or any(not isinstance(one, exp.Literal) or one.is_string for one in rest):
            raise NotColumnarError(call.name)
        found = self._expressions.write(value, scope)
        if found.kind in (Kind.DECIMAL, Kind.NULL, Kind.INTERVAL):
            raise NotColumnarError(call.name)
        distance = f", {number_constant(rest[0].name).sql}" if rest else ""
        return Typed(f"{call.name}({found.sql}{distance})", found.kind)

    def frame(self, node: exp.Expr, scope: Scope) -> str:
        """Returns what stands in the parentheses of a window."""
        parts, args = [], node.args
        if args.get("partition_by"):
            parts.append(
                f"PARTITION BY {', '.join(self._expressions.write(one, scope).sql for one in args['partition_by'])}"
            )
        if args.get("order"):
            terms = [
                self._expressions.ordered(one, self._expressions.sort_key(self._expressions.write(one.this, scope)))
                for one in args["order"].expressions
            ]
            parts.append(f"ORDER BY {', '.join(terms)}")
        spec = args.get("spec")
        if spec is not None:
            start, end = (_bound(spec, name) for name in ("start", "end"))
            if spec.text("kind") != "ROWS" and {start, end} - {
                "UNBOUNDED PRECEDING",
                "CURRENT ROW",
                "UNBOUNDED FOLLOWING",
                "",
            }:
                raise NotColumnarError("a frame of RANGE or GROUPS")
            parts.append(f"{spec.text('kind')} {f'BETWEEN {start} AND {end}' if end else start}")
        return " ".join(parts)


def _bound(spec: exp.Expr, name: str) -> str:
    value = spec.args.get(name)
    if isinstance(value, exp.Expr):
        if not isinstance(value, exp.Literal) or value.is_string or not value.name.isdigit():
            raise NotColumnarError("a bound of a frame")
        value = value.name
    return f"{value or ''} {spec.text(f'{name}_side')}".strip()
