"""Functions of texts in DuckDB's SQL with PostgreSQL's meaning.

DuckDB changes the case of all letters, PostgreSQL of those that its locale knows. So texts with letters beyond ASCII
end the query, and PostgreSQL runs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from atlas.sqlgate.columnar.kinds import INTEGERS, Kind, NotColumnarError, Typed
from atlas.sqlgate.columnar.literals import is_text, text_of
from atlas.sqlgate.columnar.scopes import Scope
from atlas.sqlgate.generator import quoted_text

if TYPE_CHECKING:
    from atlas.sqlgate.columnar.expressions import Expressions

_LENGTHS = frozenset({"length", "char_length", "character_length"})
_SIDES = {"trim": "trim", "btrim": "trim", "ltrim": "ltrim", "rtrim": "rtrim"}
_TRIMS = {"": "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}
_MOST = 10**6
# What `to_char` and `strftime` write alike, the longest first.
_PATTERNS = {"YYYY": "%Y", "HH24": "%H", "Mon": "%b", "MM": "%m", "DD": "%d", "MI": "%M", "SS": "%S", "Dy": "%a"}
_BETWEEN = frozenset("-/:., _")
_NOT_ASCII = "error('letters beyond ASCII')"
_FUNCTIONS = frozenset(
    {*_LENGTHS, *_SIDES, "lower", "upper", "substring", "substr", "left", "right", "replace", "starts_with", "strpos"}
    | {"split_part", "concat", "to_char"}
)


class Texts:
    """Writes calls and operators of texts. expressions: writes the arguments, and notes what the answer depends on."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions

    def has(self, name: str) -> bool:
        """Tells whether a function is one of texts."""
        return name in _FUNCTIONS

    def call(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns a call. Raises NotColumnarError."""
        name, arguments = node.name, node.expressions
        if name == "concat":
            # A NULL adds nothing.
            cells = [self._text(one, scope) for one in arguments if not isinstance(one, exp.Null)]
            return Typed(f"concat({', '.join(cells or [quoted_text('')])})", Kind.TEXT)
        if name == "to_char":
            return self._formatted(arguments, scope)
        text, rest = self._text(arguments[0], scope), arguments[1:]
        if name in _LENGTHS and not rest:
            return Typed(f"CAST(length({text}) AS INTEGER)", Kind.INT4)
        if name in ("lower", "upper") and not rest:
            return Typed(self._within_ascii(text, f"{name}({text})"), Kind.TEXT)
        if name in _SIDES and len(rest) <= 1:
            return self._trimmed(_SIDES[name], text, rest[0] if rest else None)
        if name in ("substring", "substr") and len(rest) in (1, 2):
            return self._part(text, rest[0], rest[1] if len(rest) == 2 else None)
        if name in ("left", "right") and len(rest) == 1:
            return Typed(f"{name}({text}, {_number(rest[0], 0)})", Kind.TEXT)
        if name == "replace" and len(rest) == 2:
            return Typed(f"replace({text}, {_constant(rest[0])}, {_constant(rest[1], empty=True)})", Kind.TEXT)
        if name == "starts_with" and len(rest) == 1:
            return Typed(f"starts_with({text}, {_constant(rest[0])})", Kind.BOOL)
        if name == "strpos" and len(rest) == 1:
            return self._found(text, rest[0])
        if name == "split_part" and len(rest) == 2:
            return Typed(f"split_part({text}, {_constant(rest[0])}, {_number(rest[1], 1)})", Kind.TEXT)
        raise NotColumnarError(name)

    def trim(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns `TRIM(BOTH … FROM …)`."""
        return self._trimmed(_TRIMS[node.text("position")], self._text(node.this, scope), node.args.get("expression"))

    def substring(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns `SUBSTRING(… FROM … FOR …)`."""
        return self._part(self._text(node.this, scope), node.args["start"], node.args.get("length"))

    def position(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns `POSITION(… IN …)`."""
        return self._found(self._text(node.this, scope), node.args["substr"])

    def joined(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns `… || …`."""
        return Typed(f"({self._text(node.this, scope)} || {self._text(node.expression, scope)})", Kind.TEXT)

    def ilike(self, node: exp.Expr, scope: Scope) -> Typed:
        """Returns `… ILIKE …`."""
        text, pattern = self._text(node.this, scope), node.expression
        if not is_text(pattern) or "\\" in text_of(pattern) or not text_of(pattern).isascii():
            raise NotColumnarError("ILIKE")
        word = "NOT ILIKE" if node.args.get("negate") else "ILIKE"
        return Typed(self._within_ascii(text, f"({text} {word} {quoted_text(text_of(pattern))})"), Kind.BOOL)

    def _text(self, node: exp.Expr, scope: Scope) -> str:
        if is_text(node):
            return quoted_text(text_of(node))
        found = self._expressions.write(node, scope)
        if found.kind is not Kind.TEXT:
            raise NotColumnarError(f"{found.kind.name} as a text")
        return found.sql

    def _within_ascii(self, text: str, done: str) -> str:
        # The locale of other letters is that of their order.
        self._expressions.byte_order = True
        return f"(CASE WHEN strlen({text}) = length({text}) THEN {done} WHEN {text} IS NOT NULL THEN {_NOT_ASCII} END)"

    def _trimmed(self, function: str, text: str, letters: exp.Expr | None) -> Typed:
        return Typed(f"{function}({text}, {quoted_text(' ') if letters is None else _constant(letters)})", Kind.TEXT)

    def _part(self, text: str, start: exp.Expr, length: exp.Expr | None) -> Typed:
        size = f", {_number(length, 0)}" if length is not None else ""
        return Typed(f"substr({text}, {_number(start, 1)}{size})", Kind.TEXT)

    def _found(self, text: str, part: exp.Expr) -> Typed:
        return Typed(f"CAST(strpos({text}, {_constant(part)}) AS INTEGER)", Kind.INT4)

    def _formatted(self, arguments: list[exp.Expr], scope: Scope) -> Typed:
        """Returns a time by the pattern of `to_char`, where each part of the pattern has an equal."""
        if len(arguments) != 2 or not is_text(arguments[1]):
            raise NotColumnarError("to_char")
        found, rest, pattern = self._expressions.write(arguments[0], scope), text_of(arguments[1]), ""
        if found.kind not in (Kind.TIME, Kind.DATE):
            raise NotColumnarError("to_char of no time")
        while rest:
            known = next((one for one in _PATTERNS if rest.startswith(one)), None)
            if known is None and rest[0] not in _BETWEEN:
                raise NotColumnarError("the pattern of to_char")
            pattern, rest = pattern + _PATTERNS.get(known or "", rest[0]), rest[len(known or " ") :]
        done = f"strftime({found.sql}, {quoted_text(pattern)})"
        # Years of other lengths are written in several ways.
        sql = (
            f"(CASE WHEN year({found.sql}) BETWEEN 1000 AND 9999 THEN {done} "
            f"WHEN {found.sql} IS NOT NULL THEN error('the year') END)"
        )
        return Typed(sql, Kind.TEXT)


def as_text(found: Typed) -> Typed:
    """Returns a value as a text. Raises NotColumnarError where both systems may write it differently."""
    if found.kind not in (Kind.TEXT, Kind.BOOL, *INTEGERS):
        raise NotColumnarError(f"{found.kind.name} as a text")
    return Typed(f"CAST({found.sql} AS VARCHAR)", Kind.TEXT)


def _constant(node: exp.Expr, *, empty: bool = False) -> str:
    if not is_text(node) or not (text_of(node) or empty):
        raise NotColumnarError("a part of a text that is no constant")
    return quoted_text(text_of(node))


def _number(node: exp.Expr, least: int) -> str:
    if not isinstance(node, exp.Literal) or node.is_string or not node.name.isdigit():
        raise NotColumnarError("a position in a text that is no constant")
    if not least <= int(node.name) <= _MOST:
        raise NotColumnarError("a position in a text")
    return node.name
