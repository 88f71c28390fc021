"""Parses a query's pieces, with a stand-in for every name, text, type and function.

The parser sees `"n0"`, `'s0'`, `t0` and `f0(`. So a quote or a backslash of the caller cannot be read in two ways. Nor
can the parser's knowledge of functions or types change what they mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from atlas.db.allowed_functions import ALLOWED_FUNCTIONS
from atlas.sqlgate.lexer import Piece, check_text, refuse, shown, split_pieces
from atlas.sqlgate.vocabulary import (
    KEYWORDS,
    LITERAL_TYPES,
    RESERVED,
    STATEMENTS,
    SYNTAX_FUNCTIONS,
    TYPE_SIZES,
    TYPES,
    UNITS,
)

MAX_PIECES = 6_000
MAX_DEPTH = 40
_STAND_IN = re.compile(r"""['"]?([nstf])([0-9]{1,5})['"]?""")
# Calls with words between their arguments.
_CALL_WORDS = {"SUBSTRING": {"FROM", "FOR"}, "POSITION": {"IN"}, "TRIM": {"FROM", "BOTH", "LEADING", "TRAILING"}}


class Name(NamedTuple):
    """A name as the caller wrote it. An unquoted name matches in any case."""

    text: str
    quoted: bool


def read_query(text: str) -> exp.Expr:
    """Parses the one query in `text`, and restores names and texts in the tree. Raises BadRequestError.

    Identifiers carry the caller's text, and `quoted`. Functions carry their names in lower case, and types their SQL as
    `kind`.
    """
    check_text(text)
    pieces = list(split_pieces(text))
    if pieces and pieces[-1].text == ";":
        pieces.pop()
    return Reader(pieces).parse()


# Words that cannot start an item of a list, although the parser would accept them.
_LIST_ENDS = KEYWORDS & set("FROM WHERE GROUP HAVING ORDER LIMIT OFFSET UNION INTERSECT EXCEPT WINDOW".split())


@dataclass
class Reader:
    """Turns pieces into the parser's input, and the parser's output into a tree.

    into: the expected kind of expression.
    """

    pieces: list[Piece]
    names: list[Name] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    numbers: dict[Name | str, int] = field(default_factory=dict)
    # The word before each parenthesis that is open at the current place.
    open: list[str] = field(default_factory=list)
    at: int = 0

    into: ClassVar[type[exp.Expr] | None] = None

    def parse(self) -> exp.Expr:
        """Returns the tree of the whole text, names and texts restored. Raises BadRequestError."""
        self.check_shape()
        words = []
        while self.at < len(self.pieces):
            words.append(self._next())
        try:
            tree: exp.Expr = sqlglot.parse_one(" ".join(words), dialect="postgres", into=self.into)
        except (SqlglotError, ValueError, TypeError, AttributeError, LookupError) as error:
            # Not only the parser's own errors: any failure of the parser comes from the caller's text.
            found = (getattr(error, "errors", None) or [{}])[0].get("highlight") or ""
            near = self._original(found)
            raise refuse(f"it cannot be read{f' near {shown(near)}' if near else ''}") from None
        for node in tree.walk():
            self._restore(node)
        return tree

    def _restore(self, node: exp.Expr) -> None:
        """Replaces the stand-in of a node by the original. Raises BadRequestError for a node without a stand-in."""
        if isinstance(node, exp.Anonymous):
            node.set("this", self.functions[self._number(str(node.this), "f", len(self.functions))])
        elif isinstance(node, exp.DataType):
            if node.this != exp.DType.USERDEFINED:
                raise refuse("a type is not allowed here")
            kind = node.args.get("kind")
            stand_in = kind.name if isinstance(kind, exp.Expr) else str(kind)
            node.set("kind", self.types[self._number(stand_in, "t", len(self.types))])
        elif isinstance(node, exp.Identifier):
            name = self.names[self._number(node.name, "n", len(self.names))]
            node.set("this", name.text)
            node.set("quoted", name.quoted)
        elif isinstance(node, exp.Literal) and node.is_string:
            node.set("this", self.texts[self._number(node.name, "s", len(self.texts))])

    def _number(self, word: str, kind: str, size: int) -> int:
        match = _STAND_IN.fullmatch(word)
        if match is None or match[1] != kind or int(match[2]) >= size:
            raise refuse(f"{shown(word)} is not allowed here")
        return int(match[2])

    def _original(self, word: str) -> str:
        """Returns the caller's text for a word of the parser's input."""
        match = _STAND_IN.fullmatch(word)
        if match is None:
            return word
        if match[1] == "n":
            return self.names[int(match[2])].text
        return {"s": self.texts, "t": self.types, "f": self.functions}[match[1]][int(match[2])]

    def check_shape(self) -> None:
        """Refuses a text that is too deep or too long for the recursive parser, and statements other than SELECT."""
        if len(self.pieces) > MAX_PIECES:
            raise refuse(f"it has over {MAX_PIECES:,} parts")
        first = next((piece for piece in self.pieces if piece.text != "("), None)
        if first is None:
            raise refuse("it is empty")
        if first.word not in ("SELECT", "WITH"):
            raise refuse(f"only a SELECT is allowed, not {first.text[:30].upper()}")
        self.check_nesting(MAX_DEPTH)

    def check_nesting(self, most: int) -> None:
        """Refuses a text that nests over `most` deep, closes what is not open, or leaves a parenthesis open."""
        depth = parentheses = run = 0
        for piece in self.pieces:
            parentheses += (piece.text == "(") - (piece.text == ")")
            depth += (piece.text == "(" or piece.word == "CASE") - (piece.text == ")" or piece.word == "END")
            run = run + 1 if piece.word == "NOT" or piece.text in ("-", "+") else 0
            if depth < 0:
                raise refuse(f"{piece.text!r} closes nothing")
            if depth > most or run > most:
                raise refuse(f"it is nested over {most} deep")
            if piece.text == ";":
                raise refuse("more than one statement")
        if parentheses > 0:
            # In some calls the parser would accept a missing parenthesis.
            raise refuse("'(' is not closed")

    def peek(self, ahead: int = 0) -> Piece:
        position = self.at + ahead
        return self.pieces[position] if 0 <= position < len(self.pieces) else Piece("none", "")

    def _next(self) -> str:
        """Returns the parser's input for the next piece or pieces."""
        before, piece = self.peek(-1), self.peek()
        if before.text == "::" or (before.word == "AS" and self.open and self.open[-1] == "CAST"):
            return self._type()
        if before.text != "." and piece.kind == "word" and (typed := self._typed_text()):
            return typed
        self.at += 1
        if piece.kind == "string":
            if before.kind == "string":
                raise refuse("two texts side by side; put || between them")
            return f"'s{self._stand_in(self.texts, piece.text[1:-1].replace(chr(39) * 2, chr(39)))}'"
        if piece.is_name:
            return self.name_or_word(before, piece)
        if piece.text == "(":
            self.open.append(before.word)
        elif piece.text == ")" and self.open:
            self.open.pop()
        elif piece.text == "," and (self.peek().text in ("", ")", ",") or self.peek().word in _LIST_ENDS):
            raise refuse("a comma with nothing behind it")
        elif piece.text == "," and before.text == "(":
            raise refuse("a comma with nothing before it")
        elif piece.text == "," and before.kind == "number" and self.peek(-3).word == "LIMIT":
            raise refuse("LIMIT takes one number; write LIMIT … OFFSET …")
        elif piece.text == "." and not (before.is_name and (self.peek().is_name or self.peek().text == "*")):
            raise refuse("a field of a value, (…).name, is not allowed")
        # The form in which the parser writes such a number.
        return f"0{piece.text}" if piece.kind == "number" and piece.text.startswith(".") else piece.text

    def _stand_in(self, table: list[str], value: str) -> int:
        key = f"{'t' if table is self.types else 'f' if table is self.functions else 's'}{value}"
        if key not in self.numbers:
            self.numbers[key] = len(table)
            table.append(value)
        return self.numbers[key]

    def name(self, piece: Piece) -> str:
        quoted = piece.kind == "quoted"
        name = Name(piece.text[1:-1].replace('""', '"') if quoted else piece.text, quoted)
        if not name.text:
            raise refuse('a name "" is empty')
        if name not in self.numbers:
            self.numbers[name] = len(self.names)
            self.names.append(name)
        return f'"n{self.numbers[name]}"'

    def name_or_word(self, before: Piece, piece: Piece) -> str:
        """Returns the parser's input for a word: a keyword, a function or a name. `at` is after the word."""
        after, word = self.peek(), piece.word
        if before.text == ".":
            if after.text == "(":
                raise refuse(f"function {shown(piece.text)} is not allowed with a schema")
            return self.name(piece)
        if piece.kind == "quoted":
            if after.text == "(" and not self._is_column_list(before):
                raise refuse(f"function {piece.text[:60]} is not allowed in double quotes")
            return self.name(piece)
        if before.word == "AS":
            return self.name(piece)
        if word in KEYWORDS and not (word in ("LEFT", "RIGHT") and after.text == "("):
            # Without INNER, the parser takes a join that lacks its condition for a comma.
            bare = word == "JOIN" and before.word not in ("INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS")
            return "INNER JOIN" if bare else word
        if phrase := self._placed(before, word):
            return phrase
        if word in RESERVED:
            raise refuse(f"{word} is not allowed")
        if after.text == "(" and not self._is_column_list(before):
            return self._function(piece)
        if word in STATEMENTS and before.text == "(" and after.kind == "word":
            raise refuse(f"only SELECT is allowed in parentheses, not {word}")
        if before.word == "WITH" and word == "RECURSIVE":
            raise refuse("WITH RECURSIVE is not allowed")
        return self.name(piece)

    def _is_column_list(self, before: Piece) -> bool:
        """Returns whether the parenthesis at `at` holds the columns of an alias, `AS t(a, b)`, instead of arguments."""
        if before.word in ("AS", "WITH") or before.text == ")":
            return True
        end = self._closing(self.at) - self.at
        return before.text == "," and self.peek(end + 1).word == "AS" and self.peek(end + 2).text == "("

    def _closing(self, position: int) -> int:
        """Returns the position that closes the parenthesis at `position`."""
        depth = 0
        for index in range(position, len(self.pieces)):
            depth += (self.pieces[index].text == "(") - (self.pieces[index].text == ")")
            if depth == 0:
                return index
        return len(self.pieces)

    def _placed(self, before: Piece, word: str) -> str:
        """Returns the parser's input for a word that is a keyword in this place; "" for another word.

        May take more words.
        """
        after, later = self.peek(), self.peek(1)
        if word == "AT" and (after.word, later.word) == ("TIME", "ZONE"):
            self.at += 2
            return "AT TIME ZONE"
        if word == "NULLS" and after.word in ("FIRST", "LAST"):
            self.at += 1
            return f"NULLS {after.word}"
        if (word, after.word) in (("CURRENT", "ROW"), ("WITHIN", "GROUP"), ("PARTITION", "BY")):
            self.at += 1
            return f"{word} {after.word}"
        if word == "UNBOUNDED" and after.word in ("PRECEDING", "FOLLOWING"):
            self.at += 1
            return f"{word} {after.word}"
        places = {
            "BY": before.word in ("GROUP", "ORDER"),
            "FILTER": before.text == ")" and after.text == "(" and later.word == "WHERE",
            "OVER": before.text == ")",
            "ESCAPE": before.is_operand_end and after.kind == "string",
            "PRECEDING": before.is_operand_end and (after.word == "AND" or after.text == ")"),
            "FOLLOWING": before.is_operand_end and (after.word == "AND" or after.text == ")"),
            "VALUES": before.text == "(" and after.text == "(" and self.peek(-3).word in ("FROM", "JOIN", "AS", ""),
            "CAST": after.text == "(",
            "FOR": bool(self.open) and self.open[-1] == "SUBSTRING",
        }
        if word in ("ROWS", "RANGE", "GROUPS"):
            frame = after.word in ("BETWEEN", "UNBOUNDED", "CURRENT") or after.kind == "number"
            starts = before.is_operand_end or before.word in ("ASC", "DESC") or before.text == "("
            places[word] = frame and starts
        if word in ("BOTH", "LEADING", "TRAILING"):
            places[word] = before.text == "(" and bool(self.open) and self.open[-1] == "TRIM"
        if word == "EXTRACT" and after.text == "(":
            return self._extract()
        if word in _CALL_WORDS and after.text == "(":
            places[word] = self._has_words(_CALL_WORDS[word])
        return word if places.get(word) else ""

    def _has_words(self, words: set[str]) -> bool:
        """Returns whether a word of `words` stands in the parenthesis at `at`, outside of inner parentheses."""
        depth = 0
        for piece in self.pieces[self.at : self._closing(self.at)]:
            depth += (piece.text == "(") - (piece.text == ")")
            if depth == 1 and piece.word in words:
                return True
        return False

    def _extract(self) -> str:
        unit = self.peek(1)
        name = unit.word or (unit.text[1:-1].upper() if unit.kind == "string" else "")
        if name not in UNITS:
            raise refuse(f"EXTRACT of {shown(unit.text)}; allowed: {', '.join(sorted(UNITS))}")
        self.at += 2
        self.open.append("EXTRACT")
        return f"EXTRACT ( {name}"

    def _function(self, piece: Piece) -> str:
        name = piece.word.lower()
        if name == "position" or name not in ALLOWED_FUNCTIONS | SYNTAX_FUNCTIONS:
            raise refuse(f"function {piece.text[:60]} is not allowed")
        return f"f{self._stand_in(self.functions, name)}"

    def _phrase(self) -> tuple[str, int]:
        """Returns the type whose name starts here, and the number of its words; ("", 0) for no type."""
        for size in (4, 3, 2, 1):
            name = " ".join(self.peek(ahead).word for ahead in range(size))
            if name in TYPES:
                return TYPES[name], size
        return "", 0

    def _type(self) -> str:
        name, size = self._phrase()
        if not name:
            raise refuse(
                f"type {shown(self.peek().text)} is not allowed; allowed: {', '.join(sorted(set(TYPES.values())))}"
            )
        self.at += size
        if self.peek().text == "(":
            end = self._closing(self.at)
            sizes = "".join(piece.text for piece in self.pieces[self.at + 1 : end])
            limit = TYPE_SIZES.get(name, 0)
            if not re.fullmatch(r"[0-9]{1,4}(,[0-9]{1,4})?", sizes) or sizes.count(",") >= limit:
                raise refuse(f"type {name}({sizes[:60]}) is not allowed")
            self.at = end + 1
            name = f"{name}({sizes.replace(',', ', ')})"
        return f"t{self._stand_in(self.types, name)}"

    def _typed_text(self) -> str:
        """Returns the input for `date '2024-01-31'`, `interval '1 day'` or `interval '1' day`; "" for other pieces."""
        name, size = self._phrase()
        text = self.peek(size)
        if name not in LITERAL_TYPES or text.kind != "string":
            return ""
        self.at += size + 1
        value, unit = text.text[1:-1].replace("''", "'"), self.peek().word
        if name == "INTERVAL" and unit in UNITS and re.fullmatch(r"[+-]?[0-9]{1,9}", value):
            self.at += 1
            value = f"{value} {unit}"
        return f"CAST ( 's{self._stand_in(self.texts, value)}' AS t{self._stand_in(self.types, name)} )"
