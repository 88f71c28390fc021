"""Writes a checked and resolved query as PostgreSQL SQL, with the users' names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

from atlas.sqlgate.allowlist import BINARY, SET_OPERATIONS, WORDS
from atlas.sqlgate.names import quoted
from atlas.sqlgate.resolver import Resolution
from atlas.sqlgate.vocabulary import KEYWORDS, LITERAL_TYPES, PLACED, RESERVED, STATEMENTS, TYPES

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_WORDS = KEYWORDS | PLACED | RESERVED | STATEMENTS | {word for name in TYPES for word in name.split()}


def write_logical(tree: exp.Expr, found: Resolution) -> str:
    return _Logical(found).write(tree)


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


class Writer:
    """Writes nodes by their class. A class without a method cannot be written."""

    def __init__(self, found: Resolution) -> None:
        self.found = found
        self.methods: dict[type[exp.Expr], Callable[[exp.Expr], str]] = {
            exp.Select: self.query,
            exp.Subquery: self._subquery,
            exp.Alias: self._alias,
            exp.Star: self._star,
            exp.Column: self._column,
            exp.Literal: self._literal,
            exp.Boolean: self._boolean,
            exp.Anonymous: self._call,
            exp.Filter: self._filter,
            exp.WithinGroup: self._within_group,
            exp.Window: self._window,
            exp.Exists: self._exists,
            exp.Paren: self._paren,
            exp.Not: self._not,
            exp.Neg: self._negative,
            exp.AtTimeZone: self._at_time_zone,
            exp.Is: self._is,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Escape: self._escape,
            exp.Case: self._case,
            exp.Cast: self._cast,
            exp.Extract: self._extract,
            exp.Trim: self._trim,
            exp.Substring: self._substring,
            exp.StrPosition: self._position,
            exp.Tuple: self._tuple,
            exp.Distinct: self._distinct,
            exp.Order: self._order,
            exp.Table: self.table,
            exp.Values: self._values,
            **dict.fromkeys(SET_OPERATIONS, self.query),
            **dict.fromkeys(BINARY, self._binary),
            **dict.fromkeys(WORDS, self._word),
        }

    def write(self, node: exp.Expr) -> str:
        return self.methods[type(node)](node)

    # Methods that differ between logical and physical SQL.
    def name(self, name: str) -> str:
        raise NotImplementedError

    def text(self, text: str) -> str:
        raise NotImplementedError

    def table(self, node: exp.Expr) -> str:
        raise NotImplementedError

    def _column(self, node: exp.Expr) -> str:
        raise NotImplementedError

    def _star(self, node: exp.Expr) -> str:
        raise NotImplementedError

    def projection(self, node: exp.Expr) -> str:
        return self.write(node)

    def term(self, node: exp.Expr) -> str:
        """Writes a term of GROUP BY, ORDER BY or DISTINCT ON."""
        return self.write(node)

    def start(self, node: exp.Expr) -> str:
        """Writes the start or the length of a substring."""
        return self.write(node)

    # Queries.
    def query(self, node: exp.Expr) -> str:
        limit = node.args.get("limit")
        parts = [self.write_unlimited(node), *([f"LIMIT {limit.expression.name}"] if limit else []), *self.offset(node)]
        return " ".join(parts)

    def offset(self, node: exp.Expr) -> list[str]:
        offset = node.args.get("offset")
        return [f"OFFSET {offset.expression.name}"] if offset else []

    def write_unlimited(self, node: exp.Expr) -> str:
        """Writes a query without its LIMIT and OFFSET."""
        with_, order = node.args.get("with_"), node.args.get("order")
        parts = [self._with(with_)] if with_ else []
        if isinstance(node, tuple(SET_OPERATIONS)):
            every = "" if node.args.get("distinct") else " ALL"
            parts += [self.write(node.this), f"{SET_OPERATIONS[type(node)]}{every}", self.write(node.expression)]
        else:
            parts += self._select(node)
        if order:
            parts.append(f"ORDER BY {self._sorted(order)}")
        return " ".join(parts)

    def _with(self, node: exp.Expr) -> str:
        queries = [
            f"{self._names(one.args['alias'])} AS {self.barred(one)}({self.write(one.this)})"
            for one in node.expressions
        ]
        return f"WITH {', '.join(queries)}"

    def barred(self, node: exp.Expr) -> str:
        """Returns the keyword that keeps PostgreSQL from inlining a WITH query."""
        return ""

    def _names(self, alias: exp.Expr) -> str:
        """Writes a table's name, with the names of its columns."""
        columns = alias.args.get("columns") or []
        listed = f"({', '.join(self.name(column.name) for column in columns)})" if columns else ""
        return f"{self.name(alias.this.name)}{listed}"

    def _select(self, node: exp.Expr) -> list[str]:
        args = node.args
        parts = ["SELECT"]
        if args.get("distinct"):
            on = args["distinct"].args.get("on")
            parts.append(f"DISTINCT ON ({', '.join(map(self.term, on.expressions))})" if on else "DISTINCT")
        parts.append(", ".join(map(self.projection, node.expressions)))
        if args.get("from_"):
            joins = "".join(map(self._join, args.get("joins") or []))
            parts.append(f"FROM {self.write(args['from_'].this)}{joins}")
        if args.get("where"):
            parts.append(f"WHERE {self.write(args['where'].this)}")
        if args.get("group"):
            parts.append(f"GROUP BY {', '.join(map(self.term, args['group'].expressions))}")
        if args.get("having"):
            parts.append(f"HAVING {self.write(args['having'].this)}")
        if args.get("windows"):
            windows = [f"{self.name(one.this.name)} AS ({self._frame(one)})" for one in args["windows"]]
            parts.append(f"WINDOW {', '.join(windows)}")
        return parts

    def _join(self, node: exp.Expr) -> str:
        kind = " ".join(word for word in (node.text("side"), node.text("kind")) if word not in ("", "INNER", "OUTER"))
        source = self.write(node.this)
        if not node.text("side") and not node.text("kind"):
            return f", {source}"
        using, on = node.args.get("using"), node.args.get("on")
        condition = f" ON {self.write(on)}" if on else ""
        if using:
            condition = f" USING ({', '.join(self.name(one.name) for one in using)})"
        return f" {kind + ' ' if kind else ''}JOIN {source}{condition}"

    def _subquery(self, node: exp.Expr) -> str:
        alias = node.args.get("alias")
        return f"({self.write(node.this)}){f' AS {self._names(alias)}' if alias else ''}"

    def _values(self, node: exp.Expr) -> str:
        return f"(VALUES {self._list(node.expressions)}) AS {self._names(node.args['alias'])}"

    def _alias(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} AS {self.name(node.args['alias'].name)}"

    def _sorted(self, order: exp.Expr) -> str:
        return ", ".join(map(self._ordered, order.expressions))

    def _ordered(self, node: exp.Expr) -> str:
        descends, first = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
        # PostgreSQL sorts a NULL as greater than all values.
        nulls = "" if first == descends else " NULLS FIRST" if first else " NULLS LAST"
        return f"{self.term(node.this)}{' DESC' if descends else ''}{nulls}"

    # Expressions.
    def _list(self, nodes: Sequence[exp.Expr]) -> str:
        return ", ".join(map(self.write, nodes))

    def _literal(self, node: exp.Expr) -> str:
        return self.text(node.name) if node.is_string else node.name

    def _boolean(self, node: exp.Expr) -> str:
        return "TRUE" if node.this else "FALSE"

    def _word(self, node: exp.Expr) -> str:
        return WORDS[type(node)]

    def _binary(self, node: exp.Expr) -> str:
        negated = "NOT " if node.args.get("negate") else ""
        return f"{self.write(node.this)} {negated}{BINARY[type(node)][1]} {self.write(node.expression)}"

    def _call(self, node: exp.Expr) -> str:
        arguments = node.expressions
        if node.name in ("substring", "substr") and len(arguments) > 1:
            listed = ", ".join([self.write(arguments[0]), *(self.start(one) for one in arguments[1:])])
        else:
            listed = ", ".join("*" if isinstance(one, exp.Star) else self.write(one) for one in arguments)
        return f"{node.name.upper()}({listed})"

    def _distinct(self, node: exp.Expr) -> str:
        return f"DISTINCT {self._list(node.expressions)}"

    def _order(self, node: exp.Expr) -> str:
        """Writes the last argument of an aggregate, with the order of its input."""
        return f"{self.write(node.this)} ORDER BY {self._sorted(node)}"

    def _filter(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} FILTER (WHERE {self.write(node.expression.this)})"

    def _within_group(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} WITHIN GROUP (ORDER BY {self._sorted(node.expression)})"

    def _window(self, node: exp.Expr) -> str:
        alias = node.args.get("alias")
        return f"{self.write(node.this)} OVER {self.name(alias.name) if alias else f'({self._frame(node)})'}"

    def _frame(self, node: exp.Expr) -> str:
        parts, args = [], node.args
        if args.get("partition_by"):
            parts.append(f"PARTITION BY {self._list(args['partition_by'])}")
        if args.get("order"):
            parts.append(f"ORDER BY {self._sorted(args['order'])}")
        if args.get("spec"):
            start, end = (self._bound(args["spec"], name) for name in ("start", "end"))
            parts.append(f"{args['spec'].text('kind')} {f'BETWEEN {start} AND {end}' if end else start}")
        return " ".join(parts)

    def _bound(self, spec: exp.Expr, name: str) -> str:
        value = spec.args.get(name)
        written = self.write(value) if isinstance(value, exp.Expr) else value or ""
        return f"{written} {spec.text(f'{name}_side')}".strip()

    def _exists(self, node: exp.Expr) -> str:
        return f"EXISTS ({self.write(node.this)})"

    def _paren(self, node: exp.Expr) -> str:
        return f"({self.write(node.this)})"

    def _not(self, node: exp.Expr) -> str:
        inner = node.this
        if isinstance(inner, exp.In):
            return f"{self.write(inner.this)} NOT IN {self._members(inner)}"
        if isinstance(inner, exp.Between):
            return f"{self.write(inner.this)} NOT BETWEEN {self._range(inner)}"
        return f"NOT {self.write(inner)}"

    def _negative(self, node: exp.Expr) -> str:
        # Two minus signs together would start a comment.
        return f"-{' ' if isinstance(node.this, exp.Neg) else ''}{self.write(node.this)}"

    def _at_time_zone(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} AT TIME ZONE {self.write(node.args['zone'])}"

    def _is(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} IS {'NOT ' if node.args.get('negate') else ''}{self.write(node.expression)}"

    def _in(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} IN {self._members(node)}"

    def _members(self, node: exp.Expr) -> str:
        query = node.args.get("query")
        return self.write(query) if query else f"({self._list(node.expressions)})"

    def _between(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} BETWEEN {self._range(node)}"

    def _range(self, node: exp.Expr) -> str:
        return f"{self.write(node.args['low'])} AND {self.write(node.args['high'])}"

    def _escape(self, node: exp.Expr) -> str:
        return f"{self.write(node.this)} ESCAPE {self.write(node.expression)}"

    def _case(self, node: exp.Expr) -> str:
        parts = ["CASE", *([self.write(node.this)] if node.args.get("this") else [])]
        parts += [f"WHEN {self.write(one.this)} THEN {self.write(one.args['true'])}" for one in node.args["ifs"]]
        if node.args.get("default"):
            parts.append(f"ELSE {self.write(node.args['default'])}")
        return " ".join([*parts, "END"])

    def _cast(self, node: exp.Expr) -> str:
        kind = str(node.args["to"].args["kind"])
        if kind in LITERAL_TYPES and _is_text(node.this):
            return f"{kind} {self.write(node.this)}"
        return f"CAST({self.write(node.this)} AS {kind})"

    def _extract(self, node: exp.Expr) -> str:
        return f"EXTRACT({node.this.name} FROM {self.write(node.expression)})"

    def _trim(self, node: exp.Expr) -> str:
        side, letters = node.text("position"), node.args.get("expression")
        words = [side] if side else []
        words += [self.write(letters)] if letters else []
        return f"TRIM({' '.join([*words, 'FROM', self.write(node.this)])})"

    def _substring(self, node: exp.Expr) -> str:
        length = node.args.get("length")
        size = f" FOR {self.start(length)}" if length else ""
        return f"SUBSTRING({self.write(node.this)} FROM {self.start(node.args['start'])}{size})"

    def _position(self, node: exp.Expr) -> str:
        return f"POSITION({self.write(node.args['substr'])} IN {self.write(node.this)})"

    def _tuple(self, node: exp.Expr) -> str:
        return f"({self._list(node.expressions)})"


class _Logical(Writer):
    def name(self, name: str) -> str:
        plain = _PLAIN_NAME.fullmatch(name) and name.upper() not in _WORDS
        return name if plain else quoted(name)

    def text(self, text: str) -> str:
        return quoted_text(text)

    def table(self, node: exp.Expr) -> str:
        alias = node.args.get("alias")
        name = self.name(node.this.name)
        return f"{name} AS {self._names(alias)}" if alias and alias.this.name != node.this.name else name

    def _column(self, node: exp.Expr) -> str:
        if id(node) in self.found.stars:
            return self._star(node)
        table = node.args.get("table")
        return f"{f'{self.name(table.name)}.' if table else ''}{self.name(node.this.name)}"

    def _star(self, node: exp.Expr) -> str:
        table = node.args.get("table")
        return f"{self.name(table.name)}.*" if table else "*"


def quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
