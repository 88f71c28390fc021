"""A WHERE clause from outside: parsed, checked against allow-lists, and written anew.

What runs is never the text that came but SQL made from the checked tree. Everything that is not on a
list here is refused, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

from atlas.errors import BadRequestError

MAX_CHARACTERS = 10_000
MAX_NODES = 500
MAX_DEPTH = 60

_NODES: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ,
    exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Between, exp.Like,
    exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.Neg,
    exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Abs, exp.Round,
    exp.CurrentDate, exp.CurrentTimestamp, exp.Interval, exp.Var, exp.TimestampTrunc, exp.DateTrunc, exp.Extract,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Escape,
)  # fmt: skip
_TYPES = {
    "TEXT", "VARCHAR", "INT", "BIGINT", "SMALLINT", "DECIMAL", "DOUBLE", "FLOAT", "BOOLEAN", "DATE", "TIMESTAMP",
    "TIMESTAMPTZ", "INTERVAL",
}  # fmt: skip
_WORDS = {
    "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK", "QUARTER", "DOW", "DOY", "EPOCH", "YEARS", "MONTHS",
    "DAYS", "HOURS", "MINUTES", "SECONDS", "WEEKS", "ISODOW", "ISOYEAR",
}  # fmt: skip
_DEPTH = re.compile(r"[()]")


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition. `matches_all`: whether it holds for every row, or names no column."""

    sql: str
    columns: frozenset[str]
    matches_all: bool


def parse_condition(text: str, columns: Collection[str]) -> Condition:
    """The condition that `text` states on a table with these columns, as PostgreSQL with quoted names.

    Raises BadRequestError that says what is not allowed.
    """
    tree = _parse(text)
    used = {_column(node, columns) for node in tree.find_all(exp.Column)}
    for node in tree.walk():
        _check(node)
    sql = tree.sql(dialect="postgres", identify=True, comments=False)
    plain = simplify(tree.copy(), dialect="postgres")
    trivial = isinstance(plain, exp.Boolean) or not used or _always(plain)
    return Condition(sql, frozenset(used), trivial and not _never(plain))


def _refuse(reason: str) -> BadRequestError:
    return BadRequestError("Invalid condition", f"condition: {reason}")


def _parse(text: str) -> exp.Expr:
    if not text.strip():
        raise _refuse("it is empty")
    if len(text) > MAX_CHARACTERS:
        raise _refuse(f"over {MAX_CHARACTERS:,} characters")
    if any(ord(character) < 32 and character not in "\t\n\r" for character in text):
        raise _refuse("control characters are not allowed")
    _check_depth(text)
    if re.search(r"(?i)\b[eubx]&?'|\$\w|\$\$|(?<!:):(?!:)|[@?]|%\(|%s\b|--|/\*|;|\bU&\"", _without_strings(text)):
        raise _refuse("comments, parameters, `;` and special kinds of text are not allowed")
    try:
        # Inside parentheses, text that closes them and goes on does not parse as one expression.
        statements = sqlglot.parse(f"SELECT 1 FROM t WHERE ({text}\n)", dialect="postgres")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise _refuse(f"it cannot be read ({_reason(error)})") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise _refuse("one condition only")
    select = statements[0]
    if {key for key, value in select.args.items() if value} - {"expressions", "from", "from_", "where", "kind"}:
        raise _refuse("one condition only")
    where = select.args["where"].this
    if not isinstance(where, exp.Paren):
        raise _refuse("one condition only")
    tree = where.this
    if sum(1 for _ in tree.walk()) > MAX_NODES:
        raise _refuse(f"over {MAX_NODES} parts")
    assert isinstance(tree, exp.Expr)
    return tree.copy()


def _reason(error: Exception) -> str:
    if isinstance(error, SqlglotError):
        errors = getattr(error, "errors", None) or [{}]
        found = errors[0].get("description") or "not valid SQL"
        return str(found)[:100]
    return "nested too deep"


def _without_strings(text: str) -> str:
    """The text with the contents of plain strings and quoted names blanked."""
    return re.sub(r"'(?:[^']|'')*'", lambda m: "'" + " " * (len(m[0]) - 2) + "'", re.sub(r'"[^"]*"', '""', text))


def _check_depth(text: str) -> None:
    depth = 0
    for match in _DEPTH.finditer(_without_strings(text)):
        depth += 1 if match[0] == "(" else -1
        if depth > MAX_DEPTH:
            raise _refuse("nested too deep")
        if depth < 0:
            raise _refuse("a parenthesis is closed that was not opened")


def _column(node: exp.Column, columns: Collection[str]) -> str:
    if {key for key, value in node.args.items() if value} - {"this"} or not isinstance(node.this, exp.Identifier):
        raise _refuse(f"{node.sql(dialect='postgres')[:100]!r}: name a column by itself")
    told = node.this.this
    found = told if told in columns else None
    if found is None and not node.this.args.get("quoted"):
        alike = [column for column in columns if column.lower() == told.lower()]
        found = alike[0] if len(alike) == 1 else None
    if found is None or found.startswith("_"):
        listed = ", ".join(sorted(column for column in columns if not column.startswith("_")))
        raise _refuse(f"unknown column {told[:100]!r}; the table has {listed}")
    node.this.set("this", found)
    return str(found)


def _check(node: exp.Expr) -> None:
    if type(node) not in _NODES:
        name = node.name or node.sql(dialect="postgres")
        what = "function" if isinstance(node, exp.Func) else "construct"
        raise _refuse(f"{what} {name[:60] or type(node).__name__!r} is not allowed")
    node.comments = None
    if isinstance(node, exp.In) and any(
        value for key, value in node.args.items() if key not in ("this", "expressions")
    ):
        raise _refuse("IN takes a list of values")
    if isinstance(node, exp.Literal):
        _check_literal(node)
    if isinstance(node, exp.DataType) and (node.this.name not in _TYPES or node.args.get("nested")):
        raise _refuse(f"type {node.sql(dialect='postgres')[:60]!r} is not allowed")
    if isinstance(node, exp.Var) and node.name.upper() not in _WORDS:
        raise _refuse(f"{node.name[:60]!r} is not allowed")
    if isinstance(node, exp.Identifier) and not isinstance(node.parent, exp.Column):
        raise _refuse(f"{node.name[:60]!r} is not a column")
    if isinstance(node, (exp.RegexpLike, exp.RegexpILike)):
        pattern = node.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string or len(pattern.this) > 200:
            raise _refuse("a regular expression must be a text of at most 200 characters")
    if isinstance(node, (exp.CurrentDate, exp.CurrentTimestamp)) and node.args.get("this"):
        raise _refuse("a precision or zone is not allowed here")
    if isinstance(node, exp.Cast) and {key for key, value in node.args.items() if value} - {"this", "to"}:
        raise _refuse("only a plain CAST is allowed")


def _check_literal(node: exp.Literal) -> None:
    if not node.is_string and not re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d{1,3})?|\.\d+([eE][+-]?\d{1,3})?", node.this):
        raise _refuse(f"number {node.this[:60]!r} cannot be read")


def _always(tree: exp.Expr) -> bool:
    """Whether a condition holds for all rows by its form: `x = x OR x IS NULL`, `x IS NULL OR x IS NOT NULL`."""
    if isinstance(tree, exp.Boolean):
        return bool(tree.this)
    if isinstance(tree, exp.Paren):
        return _always(tree.this)
    if isinstance(tree, exp.And):
        return all(_always(part) for part in tree.flatten())
    if isinstance(tree, (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.Like, exp.ILike)):
        return tree.this == tree.expression or (
            isinstance(tree, (exp.Like, exp.ILike))
            and set(tree.expression.name) == {"%"}
            and tree.expression.name != ""
        )
    if isinstance(tree, exp.Or):
        parts = list(tree.flatten())
        if any(_always(part) for part in parts):
            return True
        texts = {part.sql() for part in parts}
        return any(part.this.sql() in texts for part in parts if isinstance(part, exp.Not)) or any(
            f"{part.this.sql()} IS {'' if part.sql().endswith('NOT NULL') else 'NOT '}NULL" in texts
            for part in parts
            if isinstance(part, exp.Is)
        )
    return False


def _never(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Boolean) and not tree.this
