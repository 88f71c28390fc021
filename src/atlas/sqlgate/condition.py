"""A WHERE clause from outside: read into pieces, parsed, checked against allow-lists, and written anew.

What runs is never the text that came. The parser sees stand-ins for texts and names (`'s0'`, `"c0"`), so that a
quote or a backslash of the caller's cannot be read in two ways; the SQL is written here, from nodes and arguments
that are on a list, and everything else is refused, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

from atlas.errors import BadRequestError
from atlas.sqlgate.condition_costs import guard_patterns, too_costly
from atlas.sqlgate.condition_words import spelled_out
from atlas.sqlgate.lexer import Lexer, Piece

MAX_CHARACTERS = 10_000
MAX_NODES = 500
MAX_DEPTH = 60
MAX_PATTERN = 200
_SYSTEM_COLUMNS = frozenset("ctid xmin xmax cmin cmax tableoid".split())
_FUNCTIONS = frozenset("COALESCE NULLIF LOWER UPPER TRIM LENGTH ABS ROUND NOW DATE_TRUNC EXTRACT CAST".split())
_KEYWORDS = frozenset(
    "AND OR NOT IS NULL TRUE FALSE DISTINCT FROM IN BETWEEN LIKE ILIKE CASE WHEN THEN ELSE END AS "
    "BOTH LEADING TRAILING CURRENT_DATE CURRENT_TIMESTAMP".split()
)
# Words that are no columns by mistake, to tell so.
_OTHER_WORDS = frozenset(
    "SELECT WITH EXISTS ANY ALL SOME ARRAY ROW ESCAPE SIMILAR SYMMETRIC ASYMMETRIC AT COLLATE OPERATOR OVER FILTER "
    "UNKNOWN ISNULL NOTNULL UNION INTERSECT EXCEPT WHERE ORDER LIMIT RETURNING INTERVAL".split()
)
_UNITS = frozenset("YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND DOW DOY ISODOW ISOYEAR EPOCH".split())
# Types in the words of callers, and in the SQL.
_TYPES = {
    "TEXT": "TEXT",
    "VARCHAR": "VARCHAR",
    "CHARACTER VARYING": "VARCHAR",
    "INT": "INT",
    "INTEGER": "INT",
    "INT4": "INT",
    "BIGINT": "BIGINT",
    "INT8": "BIGINT",
    "NUMERIC": "NUMERIC",
    "DECIMAL": "NUMERIC",
    "DOUBLE PRECISION": "DOUBLE PRECISION",
    "FLOAT8": "DOUBLE PRECISION",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMPTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "INTERVAL": "INTERVAL",
}
_PARSED_TYPES = {"DECIMAL": "NUMERIC", "DOUBLE": "DOUBLE PRECISION"}
_TYPE_SIZES = {"VARCHAR": 1, "DECIMAL": 2}
# How tightly PostgreSQL binds, loosest first. A loose _PART stands in one place only.
_PART, _OR, _AND, _NOT, _IS, _COMPARE, _RANGE, _OTHER, _ADD, _MULTIPLY, _NEGATE, _ATOM = range(12)
# What a node may be: how tightly it binds, and its arguments. Each is of a class, or binds at least so tightly.
_RULES: dict[type[exp.Expr], tuple[int, dict[str, int | type]]] = {
    exp.Column: (_ATOM, {"this": exp.Identifier}),
    exp.Identifier: (_PART, {"this": str, "quoted": bool}),
    exp.Literal: (_ATOM, {"this": str, "is_string": bool}),
    exp.Boolean: (_ATOM, {"this": bool}),
    exp.Null: (_ATOM, {}),
    exp.CurrentDate: (_ATOM, {}),
    exp.CurrentTimestamp: (_ATOM, {}),
    exp.Paren: (_ATOM, {"this": _OR}),
    exp.Not: (_NOT, {"this": _NOT}),
    exp.Neg: (_NEGATE, {"this": _NEGATE}),
    exp.Is: (_IS, {"this": _COMPARE, "expression": _ATOM, "negate": bool}),
    exp.In: (_RANGE, {"this": _OTHER, "expressions": _OR}),
    exp.Between: (_RANGE, {"this": _OTHER, "low": _OTHER, "high": _OTHER}),
    exp.Case: (_ATOM, {"this": _OR, "ifs": exp.If, "default": _OR}),
    exp.If: (_PART, {"this": _OR, "true": _OR}),
    exp.Coalesce: (_ATOM, {"this": _OR, "expressions": _OR}),
    exp.Nullif: (_ATOM, {"this": _OR, "expression": _OR}),
    exp.Round: (_ATOM, {"this": _OR, "decimals": _OR}),
    exp.Abs: (_ATOM, {"this": _OR}),
    exp.Lower: (_ATOM, {"this": _OR}),
    exp.Upper: (_ATOM, {"this": _OR}),
    exp.Length: (_ATOM, {"this": _OR}),
    exp.Trim: (_ATOM, {"this": _OR, "expression": _OR, "position": str}),
    exp.Var: (_PART, {"this": str}),
    exp.TimestampTrunc: (_ATOM, {"this": _OR, "unit": exp.Var}),
    exp.Interval: (_ATOM, {"this": exp.Literal}),
    exp.Extract: (_ATOM, {"this": exp.Var, "expression": _OR}),
    exp.Cast: (_ATOM, {"this": _OR, "to": exp.DataType}),
    exp.DataType: (_PART, {"this": exp.DType, "expressions": exp.DataTypeParam}),
    exp.DataTypeParam: (_PART, {"this": exp.Literal}),
    **{kind: (level, {"this": level, "expression": level}) for kind, level in ((exp.Or, _OR), (exp.And, _AND))},
    **{kind: (_IS, {"this": _COMPARE, "expression": _COMPARE}) for kind in (exp.NullSafeEQ, exp.NullSafeNEQ)},
    **{
        kind: (_COMPARE, {"this": _RANGE, "expression": _RANGE})
        for kind in (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
    },
    **{kind: (_RANGE, {"this": _OTHER, "expression": _OTHER, "negate": bool}) for kind in (exp.Like, exp.ILike)},
    **{kind: (_OTHER, {"this": _OTHER, "expression": exp.Literal}) for kind in (exp.RegexpLike, exp.RegexpILike)},
    **{
        kind: (level, {"this": level, "expression": level + 1, "safe": bool, "typed": bool})
        for kind, level in (
            (exp.DPipe, _OTHER),
            (exp.Add, _ADD),
            (exp.Sub, _ADD),
            (exp.Mul, _MULTIPLY),
            (exp.Div, _MULTIPLY),
            (exp.Mod, _MULTIPLY),
        )
    },
}
_STAND_IN = re.compile(r"""['"]?([cs])(\d{1,4})['"]?""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition.

    sql: written anew, names in double quotes, `%` left single; columns: those it uses;
    matches_all: whether it uses no column, or holds for all rows (but for NULLs) by its form alone.
    """

    sql: str
    columns: frozenset[str]
    matches_all: bool


def parse_condition(text: str, columns: Collection[str]) -> Condition:
    """The condition that `text` states on a table with these columns, as PostgreSQL.

    Beside SQL it may say `contains`, `starts with`, `ends with` and `is empty`. Columns whose names start with `_` are
    not usable. Raises BadRequestError("Invalid condition", reason).
    """
    _LEXER.check(text)
    if not text.strip():
        raise _refuse("it is empty")
    try:
        usable = sorted(c for c in columns if not c.startswith("_") and c.lower() not in _SYSTEM_COLUMNS)
        reader = _Reader(spelled_out(list(_LEXER.split(text)), _refuse), usable)
        tree = reader.parse()
        # Parts before what they are part of, which may look at them.
        for node in reversed(list(tree.walk())):
            _restore(node, reader)
            _check(node)
        if (reason := too_costly(tree)) is not None:
            raise _refuse(reason)
        matches_all = not reader.names or _matches_all(tree)
        guard_patterns(tree)
        return Condition(_sql(tree), frozenset(reader.names), matches_all)
    except RecursionError:
        raise _refuse("it is nested too deep") from None


def _refuse(reason: str) -> BadRequestError:
    return BadRequestError("Invalid condition", f"condition: {reason}")


_LEXER = Lexer(
    marks="(),",
    most=MAX_CHARACTERS,
    refuse=_refuse,
    hints={"$": "a parameter or a dollar quote", ".": "a qualified name", ":": "a parameter"},
)


@dataclass(slots=True)
class _Reader:
    """Turns pieces into what the parser sees, with a stand-in for every name and text."""

    pieces: list[Piece]
    columns: Sequence[str]
    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    at: int = 0

    def parse(self) -> exp.Expr:
        """The tree of the whole text. Raises BadRequestError."""
        self._check_depth()
        words = []
        while self.at < len(self.pieces):
            words.append(self._next())
        try:
            tree: exp.Expr = sqlglot.parse_one(" ".join(words), dialect="postgres", into=exp.Condition)
        except (SqlglotError, ValueError, TypeError, AttributeError, LookupError) as error:
            # Not only its own errors: whatever the parser fails on is the caller's text.
            found = (getattr(error, "errors", None) or [{}])[0].get("highlight") or ""
            stand_in = _STAND_IN.fullmatch(found)
            near = self.behind(found, stand_in[1]) if stand_in else found
            raise _refuse(f"it cannot be read{f' near {near[:60]!r}' if near else ''}") from None
        if sum(1 for _ in tree.walk()) > MAX_NODES:
            raise _refuse(f"it has over {MAX_NODES} parts")
        return tree

    def behind(self, word: str, kind: str) -> str:
        """The name (kind "c") or text (kind "s") that a stand-in is for. Raises BadRequestError for other words."""
        table = self.names if kind == "c" else self.texts
        match = _STAND_IN.fullmatch(word)
        if match is None or match[1].lower() != kind or int(match[2]) >= len(table):
            raise _refuse(f"{word[:60]!r} is not allowed here")
        return table[int(match[2])]

    def _check_depth(self) -> None:
        """Keeps the parser, which recurses, from what is too deep or too much for it."""
        # A node takes no more than four pieces, as IS NOT DISTINCT FROM does.
        if len(self.pieces) > 4 * MAX_NODES:
            raise _refuse(f"it has over {MAX_NODES} parts")
        depth = run = 0
        for piece in self.pieces:
            depth += (piece.text == "(" or piece.word == "CASE") - (piece.text == ")" or piece.word == "END")
            run = run + 1 if piece.word == "NOT" or piece.text in ("-", "+") else 0
            if depth < 0:
                raise _refuse(f"{piece.text!r} closes nothing")
            if depth > MAX_DEPTH or run > MAX_DEPTH:
                raise _refuse(f"it is nested over {MAX_DEPTH} deep")

    def _peek(self, ahead: int = 0) -> Piece:
        position = self.at + ahead
        return self.pieces[position] if 0 <= position < len(self.pieces) else Piece("none", "")

    def _next(self) -> str:
        """What stands for the next piece or pieces."""
        before, piece = self._peek(-1), self._peek()
        if before.text == "::" or before.word == "AS":
            return self._type()
        if typed := self._typed_text():
            return typed
        self.at += 1
        if piece.kind == "string":
            return f"'s{self._text(piece.text[1:-1])}'"
        if piece.kind == "quoted":
            return self._column(piece.text[1:-1].replace('""', '"'), quoted=True)
        if piece.kind != "word":
            # As the parser would write it.
            return f"0{piece.text}" if piece.text.startswith(".") else piece.text
        if before.text == "(" and self._peek(-3).word == "EXTRACT":
            if piece.word not in _UNITS:
                raise _refuse(f"EXTRACT of {piece.text[:60]!r}; allowed: {', '.join(sorted(_UNITS))}")
            return piece.word
        called = self._peek().text == "("
        if piece.word in _KEYWORDS or (called and piece.word in _FUNCTIONS):
            return piece.word
        if called:
            raise _refuse(f"function {piece.text[:60]!r} is not allowed; allowed: {', '.join(sorted(_FUNCTIONS))}")
        return self._column(piece.text, quoted=False)

    def _text(self, quoted: str) -> int:
        value = quoted.replace("''", "'")
        if value not in self.texts:
            self.texts.append(value)
        return self.texts.index(value)

    def _phrase(self) -> tuple[str, int]:
        """The type whose name starts here, and the words of it; ("", 0) where none does."""
        for size in (4, 3, 2, 1):
            name = " ".join(self._peek(ahead).word for ahead in range(size))
            if name in _TYPES:
                return _TYPES[name], size
        return "", 0

    def _type(self) -> str:
        name, size = self._phrase()
        if not name:
            allowed = ", ".join(sorted(set(_TYPES.values())))
            raise _refuse(f"type {self._peek().text[:60]!r} is not allowed; allowed: {allowed}")
        self.at += size
        return name

    def _typed_text(self) -> str:
        """What stands for `date '2024-01-31'`, `interval '1 day'` or `interval '1' day`; "" where none starts."""
        name, size = self._phrase()
        text = self._peek(size)
        if name not in ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL") or text.kind != "string":
            return ""
        self.at += size + 1
        if name != "INTERVAL":
            return f"{name} 's{self._text(text.text[1:-1])}'"
        value, unit = text.text[1:-1], self._peek().word
        if unit in _UNITS and re.fullmatch(r"[+-]?[0-9]{1,9}", value):
            self.at += 1
            value = f"{value} {unit}"
        # The parser takes intervals apart, all but those of this form.
        return f"INTERVAL '{self._text(value)} DAY'"

    def _column(self, told: str, *, quoted: bool) -> str:
        found = [name for name in self.columns if name == told]
        if not found and not quoted:
            # Both ways, or the Kelvin sign would be a `k`.
            found = [name for name in self.columns if name.lower() == told.lower() and name.upper() == told.upper()]
        if not found:
            if told.upper() in _OTHER_WORDS and not quoted:
                raise _refuse(f"{told.upper()} is not allowed")
            more = ", …" if len(self.columns) > 50 else ""
            raise _refuse(f"unknown column {told[:100]!r}; the table has {', '.join(self.columns[:50])}{more}")
        if len(found) > 1:
            raise _refuse(f"column {told[:100]!r} may be {' or '.join(found)}; write it in double quotes")
        if found[0] not in self.names:
            self.names.append(found[0])
        return f'"c{self.names.index(found[0])}"'


def _restore(node: exp.Expr, reader: _Reader) -> None:
    """Puts the name or text back that a node has a stand-in for."""
    if isinstance(node, exp.Identifier):
        node.set("this", reader.behind(node.name, "c"))
    elif isinstance(node, exp.Literal) and node.is_string and not isinstance(node.parent, exp.Interval):
        node.set("this", reader.behind(node.name, "s"))
    elif isinstance(node, exp.Interval):
        number = node.this.name if isinstance(node.this, exp.Literal) else ""
        text = reader.behind(f"s{number}", "s") if number.isdigit() and node.text("unit") == "DAY" else ""
        # An empty one would be left out of the SQL.
        if not text.strip():
            raise _refuse("an INTERVAL must be a text, such as INTERVAL '1 day'")
        node.set("this", exp.Literal.string(text))
        node.set("unit", None)
    elif isinstance(node, exp.Var) and isinstance(node.parent, exp.TimestampTrunc):
        node.set("this", reader.behind(node.name, "s").upper())


def _check(node: exp.Expr) -> None:
    """Refuses a node that `_RULES` does not know, or does not know in this form."""
    kind = type(node).__name__.upper()
    if type(node) not in _RULES:
        raise _refuse(f"{kind} is not allowed")
    rules = _RULES[type(node)][1]
    for name, value in node.args.items():
        for child in value if isinstance(value, list) else [value]:
            rule = rules.get(name)
            if child is None or child is False:
                continue
            if rule is None or (not isinstance(child, rule) if isinstance(rule, type) else type(child) not in _RULES):
                raise _refuse(f"{kind} is not allowed in this form")
            if isinstance(rule, int) and _RULES[type(child)][0] < rule:
                # The parser and PostgreSQL would group these differently, or PostgreSQL would not read them.
                raise _refuse(f"put parentheses around {_sql(child)[:100]!r}")
    _check_details(node)


def _check_details(node: exp.Expr) -> None:
    if isinstance(node, (exp.RegexpLike, exp.RegexpILike)):
        if not node.expression.is_string or len(node.expression.name) > MAX_PATTERN:
            raise _refuse(f"a regular expression must be a text of at most {MAX_PATTERN} characters")
    elif isinstance(node, exp.Var) and node.name not in _UNITS:
        raise _refuse(f"unit {node.name[:60]!r} is not allowed; allowed: {', '.join(sorted(_UNITS))}")
    elif isinstance(node, exp.Is) and not isinstance(node.expression, (exp.Null, exp.Boolean)):
        raise _refuse("IS takes NULL, TRUE, FALSE or DISTINCT FROM")
    elif isinstance(node, exp.In) and not node.expressions:
        raise _refuse("IN takes a list of values in parentheses")
    elif isinstance(node, exp.DataType):
        name = node.this.value
        known = _PARSED_TYPES.get(name, name) in _TYPES.values() and len(node.expressions) <= _TYPE_SIZES.get(name, 0)
        if not known or any(size.this.is_string for size in node.expressions):
            raise _refuse(f"type {node.sql(dialect='postgres')[:60]!r} is not allowed")


def _matches_all(tree: exp.Expr) -> bool:
    """Whether a condition is true for all rows by its form, but for NULLs."""
    try:
        return _is_certain(simplify(tree.copy(), dialect="postgres"))
    except (SqlglotError, ArithmeticError, ValueError, TypeError, AttributeError, LookupError):
        # Constants that cannot be worked out, such as a number of 5,000 digits: the safe answer.
        return True


def _is_certain(node: exp.Expr) -> bool:
    """As `_matches_all`, for a simplified tree."""
    node = node.unnest()
    if isinstance(node, exp.And):
        return all(_is_certain(part) for part in node.flatten())
    if isinstance(node, exp.Or):
        parts = list(node.flatten())
        texts = {_sql(part) for part in parts}
        return any(_is_certain(part) or _sql(_opposite(part)) in texts for part in parts)
    if isinstance(node, (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ, exp.Like, exp.ILike)):
        if node.args.get("negate"):
            return False
        like = isinstance(node, (exp.Like, exp.ILike)) and node.expression.is_string
        return (like and bool(re.fullmatch("%+", node.expression.name))) or _sql(node.this.unnest()) == _sql(
            node.expression.unnest()
        )
    return isinstance(node, exp.Boolean) and bool(node.this)


def _opposite(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Is):
        return exp.Is(this=node.this.copy(), expression=node.expression.copy(), negate=not node.args.get("negate"))
    opposite: exp.Expr = simplify(exp.not_(node), dialect="postgres")
    return opposite


def _sql(node: exp.Expr) -> str:
    return node.sql(dialect="postgres", identify=True, comments=False)
