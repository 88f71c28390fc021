"""Checks a caller's WHERE clause on the columns of one table: a condition, with fewer functions and forms than a query.

A condition goes the way of a query: lexer, parser, allow-list, resolver, costs and writer are those of `gate`. This
module adds the names of columns, comparisons in plain words, and stricter limits. It also finds whether a condition
holds for all rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable
from atlas.errors import BadRequestError
from atlas.sqlgate.allowlist import BINARY, check_tree
from atlas.sqlgate.condition_costs import bound_condition_costs
from atlas.sqlgate.condition_words import spelled_out
from atlas.sqlgate.lexer import Lexer, Piece, refuse, shown
from atlas.sqlgate.names import find_name, quoted
from atlas.sqlgate.parser import Reader
from atlas.sqlgate.physical_names import write_condition
from atlas.sqlgate.resolver import resolve
from atlas.sqlgate.vocabulary import UNITS

MAX_CHARACTERS = 10_000
MAX_NODES = 500
MAX_DEPTH = 60
_SYSTEM_COLUMNS = frozenset("ctid xmin xmax cmin cmax tableoid".split())
# The functions that a condition may call, with the least and largest number of their arguments.
_ARGUMENTS = {
    "abs": (1, 1),
    "coalesce": (1, MAX_NODES),
    "date_trunc": (2, 2),
    "length": (1, 1),
    "lower": (1, 1),
    "now": (0, 0),
    "nullif": (2, 2),
    "round": (1, 2),
    "trim": (1, 2),
    "upper": (1, 1),
}
_CALLABLE = frozenset({name.upper() for name in _ARGUMENTS} | {"CAST", "EXTRACT"})
_KEYWORDS = frozenset(
    "AND OR NOT IS NULL TRUE FALSE DISTINCT FROM IN BETWEEN LIKE ILIKE CASE WHEN THEN ELSE END AS "
    "BOTH LEADING TRAILING CURRENT_DATE CURRENT_TIMESTAMP".split()
)
# Keywords that are nodes by themselves.
_NODE_WORDS = frozenset("OR IS IN LIKE ILIKE".split())
# Words behind the first of a type's name.
_TYPE_WORDS = frozenset("WITH WITHOUT TIME ZONE PRECISION".split())
# SQL keywords that get their own error message instead of "unknown column".
_OTHER_WORDS = frozenset(
    "SELECT WITH EXISTS ANY ALL SOME ARRAY ROW ESCAPE SIMILAR SYMMETRIC ASYMMETRIC AT COLLATE OPERATOR OVER FILTER "
    "UNKNOWN ISNULL NOTNULL UNION INTERSECT EXCEPT WHERE ORDER LIMIT RETURNING INTERVAL".split()
)
# The nodes of a query that a condition may have.
_NODES: frozenset[type[exp.Expr]] = frozenset(BINARY) | {
    exp.Anonymous,
    exp.Between,
    exp.Boolean,
    exp.Case,
    exp.Cast,
    exp.Column,
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.DataType,
    exp.Extract,
    exp.Identifier,
    exp.If,
    exp.In,
    exp.Is,
    exp.Literal,
    exp.Neg,
    exp.Not,
    exp.Null,
    exp.Paren,
    exp.Trim,
    exp.Var,
}
# The table's name during the check. The written condition does not contain it.
_TABLE = "t"
_LEXER = Lexer(
    marks="(),",
    most=MAX_CHARACTERS,
    refuse=refuse,
    hints={"$": "a parameter or a dollar quote", ".": "a qualified name", ":": "a parameter"},
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition.

    sql: the rewritten condition, names in double quotes, `%` not doubled. columns: the columns in use. matches_all:
    whether the condition uses no column, or holds for all rows (except for NULLs) by its form alone.
    """

    sql: str
    columns: frozenset[str]
    matches_all: bool


def parse_condition(text: str, columns: Collection[str]) -> Condition:
    """Checks the condition in `text` on a table with these columns, and rewrites the condition for PostgreSQL.

    Beside SQL, `contains`, `starts with`, `ends with` and `is empty` are allowed. Columns whose names start with `_`
    are not usable.
    Raises BadRequestError("Invalid condition", reason).
    """
    usable = sorted({c for c in columns if not c.startswith("_") and c.lower() not in _SYSTEM_COLUMNS})
    try:
        return _check_and_write(text, usable)
    except RecursionError:
        reason: str | None = "it is nested too deep"
    except BadRequestError as error:
        reason = error.details
    raise BadRequestError("Invalid condition", f"condition: {reason}") from None


def _check_and_write(text: str, columns: Sequence[str]) -> Condition:
    _LEXER.check(text)
    if not text.strip():
        raise refuse("it is empty")
    tree = _Reader(spelled_out(list(_LEXER.split(text))), columns=columns).parse()
    if sum(1 for _ in tree.walk()) > MAX_NODES:
        raise refuse(f"it has over {MAX_NODES} parts")
    for node in tree.walk():
        _check(node)
    table = CatalogTable(_TABLE, "", "", tuple(CatalogColumn(name, "text") for name in columns))
    source = exp.From(this=exp.Table(this=exp.to_identifier(_TABLE, quoted=True))) if columns else None
    query = exp.Select(expressions=[exp.Literal.number(1)], from_=source, where=exp.Where(this=tree))
    check_tree(query)
    found = resolve(query, Catalog((table,)))
    bound_condition_costs(query, found)
    used = frozenset(column.name for column in found.columns.values())
    return Condition(write_condition(tree, found), used, not used or _matches_all(tree))


def _least_nodes(pieces: Sequence[Piece]) -> int:
    """Counts names, values and operators outside of types: each becomes a node at least."""
    count, in_type = 0, False
    for before, piece in zip((Piece("none", ""), *pieces), pieces, strict=False):
        if before.word == "AS" or before.text == "::":
            # A type, with its sizes, is one.
            in_type = True
            count += 1
        elif in_type:
            in_type = piece.kind in ("number", "mark", "word") and piece.text != ")" and piece.word not in _KEYWORDS
        elif piece.kind in ("string", "number", "quoted", "operator"):
            count += piece.text != "::"
        elif piece.kind == "word":
            count += piece.word in _NODE_WORDS or piece.word not in _KEYWORDS | _TYPE_WORDS
    return count


@dataclass
class _Reader(Reader):
    """Parses a condition. A word that is neither a keyword nor called is a column, whatever it means in a query."""

    columns: Sequence[str] = ()

    into = exp.Condition

    def check_shape(self) -> None:
        # A node takes at most 4 pieces, as IS NOT DISTINCT FROM does. Parsing takes longer than counting.
        if len(self.pieces) > 4 * MAX_NODES or _least_nodes(self.pieces) > MAX_NODES:
            raise refuse(f"it has over {MAX_NODES} parts")
        self.check_nesting(MAX_DEPTH)

    def name_or_word(self, before: Piece, piece: Piece) -> str:
        called = self.peek().text == "("
        if piece.word in _KEYWORDS or (called and piece.word in _CALLABLE):
            if piece.word == "EXTRACT" and not self.peek(1).word:
                raise refuse(f"EXTRACT of {shown(self.peek(1).text)}; allowed: {', '.join(sorted(UNITS))}")
            return super().name_or_word(before, piece)
        if called:
            raise refuse(f"function {shown(piece.text)} is not allowed; allowed: {', '.join(sorted(_CALLABLE))}")
        return self.name(self._column(piece))

    def _column(self, piece: Piece) -> Piece:
        """Returns the column of a word or quoted name, in quotes."""
        is_quoted = piece.kind == "quoted"
        text = piece.text[1:-1].replace('""', '"') if is_quoted else piece.text
        found = find_name(exp.to_identifier(text, quoted=is_quoted), self.columns, "column")
        if found is not None:
            return Piece("quoted", quoted(found))
        if piece.word in _OTHER_WORDS:
            raise refuse(f"{piece.word} is not allowed")
        more = ", …" if len(self.columns) > 50 else ""
        raise refuse(f"unknown column {text[:100]!r}; the table has {', '.join(self.columns[:50])}{more}")


def _check(node: exp.Expr) -> None:
    """Refuses a node that queries may have and conditions may not."""
    if type(node) not in _NODES:
        raise refuse(f"{type(node).__name__.upper()} is not allowed")
    if isinstance(node, exp.Anonymous):
        least, most = _ARGUMENTS[node.name]
        if not least <= len(node.expressions) <= most:
            raise refuse(f"{node.name.upper()} is not allowed with {len(node.expressions)} arguments")
        if node.name == "date_trunc" and not _is_unit(node.expressions[0]):
            raise refuse(f"DATE_TRUNC takes a unit as a text; allowed: {', '.join(sorted(UNITS))}")
    elif isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        is_text = node.this.is_string and bool(node.this.name.strip())
        if str(node.args["to"].args.get("kind")) == "INTERVAL" and not is_text:
            raise refuse("an INTERVAL must be a text, such as INTERVAL '1 day'")


def _is_unit(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string) and node.name.upper() in UNITS


def _matches_all(tree: exp.Expr) -> bool:
    """Returns whether a condition is true for all rows by its form, except for NULLs."""
    try:
        return _is_certain(simplify(tree.copy(), dialect="postgres"))
    except (SqlglotError, ArithmeticError, ValueError, TypeError, AttributeError, LookupError):
        # Some constants cannot be evaluated, such as a number of 5,000 digits. True is the safe answer.
        return True


def _is_certain(node: exp.Expr) -> bool:
    """Decides `_matches_all` for a simplified tree."""
    node = node.unnest()
    if isinstance(node, exp.And):
        return all(_is_certain(part) for part in node.flatten())
    if isinstance(node, exp.Or):
        parts = list(node.flatten())
        texts = {_key(part) for part in parts}
        return any(_is_certain(part) or _key(_opposite(part)) in texts for part in parts)
    if isinstance(node, (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.Like, exp.ILike)):
        if node.args.get("negate"):
            return False
        like = isinstance(node, (exp.Like, exp.ILike)) and node.expression.is_string
        return (like and bool(re.fullmatch("%+", node.expression.name))) or _key(node.this.unnest()) == _key(
            node.expression.unnest()
        )
    return isinstance(node, exp.Boolean) and bool(node.this)


def _opposite(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Is):
        return exp.Is(this=node.this.copy(), expression=node.expression.copy(), negate=not node.args.get("negate"))
    opposite: exp.Expr = simplify(exp.not_(node), dialect="postgres")
    return opposite


def _key(node: exp.Expr) -> str:
    """Returns a text that is equal for nodes with the same meaning."""
    return node.sql(dialect="postgres", identify=True, comments=False)
