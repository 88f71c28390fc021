"""Splits a query into pieces.

Refuses characters that start no piece: comments, dollar quotes, E'', U&'', parameters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from atlas.errors import BadRequestError
from atlas.sqlgate.vocabulary import KEYWORDS

MAX_CHARACTERS = 20_000
# Followed by the marks of the language.
_PIECE = r"""(?P<space>[ \t\n\r]+)
      | (?P<comment>--|/\*)
      | (?P<string>'[^']*(?:''[^']*)*')
      | (?P<quoted>"[^"]*(?:""[^"]*)*")
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(?![\w.'"$])
      | (?P<word>[^\W\d]\w*)(?![\w'"$])
      | (?P<operator>(?:::|<>|!=|<=|>=|\|\||!~\*|!~|~\*|[-+*/%=<>~])(?![:=<>!~*/%|]))
      | (?P<mark>[MARKS])"""


def refuse(reason: str) -> BadRequestError:
    return BadRequestError("Query refused", reason)


def shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


class Piece(NamedTuple):
    kind: str
    text: str

    @property
    def word(self) -> str:
        """A bare word in capitals, of ASCII only: `ſ` and `ı` have ASCII capitals, too."""
        return self.text.upper() if self.kind == "word" and self.text.isascii() else ""

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")

    @property
    def is_operand_end(self) -> bool:
        """Whether an operand may end here, so that no operand starts directly after this piece."""
        return (
            self.kind in ("string", "quoted", "number")
            or self.text == ")"
            or (self.kind == "word" and (self.word not in KEYWORDS or self.word in ("END", "NULL", "TRUE", "FALSE")))
        )


class Lexer:
    """Splits texts of an SQL-like language into pieces.

    marks: characters that are pieces. hints: what other characters would mean, for messages. most: the maximum length.
    refuse: builds the error.
    """

    def __init__(
        self, *, marks: str, hints: Mapping[str, str], most: int, refuse: Callable[[str], BadRequestError]
    ) -> None:
        self._piece = re.compile(_PIECE.replace("MARKS", re.escape(marks)), re.VERBOSE)
        self._hints, self._most, self._refuse = hints, most, refuse

    def check(self, text: str) -> None:
        """Refuses a text that is too long, or has control characters."""
        if len(text) > self._most:
            raise self._refuse(f"it is over {self._most:,} characters long")
        for position, character in enumerate(text, 1):
            # Surrogates (Cs) have no UTF-8.
            if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
                raise self._refuse(f"control character U+{ord(character):04X} at character {position}")

    def split(self, text: str) -> Iterator[Piece]:
        """Yields the pieces of a text, without blanks. Refuses comments and every character that starts no piece."""
        position = 0
        while position < len(text):
            match = self._piece.match(text, position)
            if match is None or match.lastgroup == "comment":
                reason = "a comment is not allowed" if match else self._unreadable(text[position : position + 80])
                raise self._refuse(f"{reason}, at character {position + 1}")
            if match.lastgroup != "space":
                yield Piece(str(match.lastgroup), match[0])
            position = match.end()

    def _unreadable(self, rest: str) -> str:
        if rest[0] in "'\"":
            return f"the quote {rest[0]} is not closed"
        if re.match(r"[^\W\d]\w*", rest):
            return f"{rest[:20]!r}: put a space before a quote; E'', U&'' and `$` are not allowed"
        if rest[0].isdigit():
            return f"{rest[:20]!r} is not a number"
        hint = f" ({self._hints[rest[0]]})" if rest[0] in self._hints else ""
        return f"{rest[:2].strip()!r}{hint} is not allowed"


_LEXER = Lexer(
    marks="(),.;",
    most=MAX_CHARACTERS,
    refuse=refuse,
    hints={"$": "a parameter or a dollar quote", ":": "a parameter", "@": "a parameter or an operator"},
)


def check_text(text: str) -> None:
    _LEXER.check(text)


def split_pieces(text: str) -> Iterator[Piece]:
    """Yields the pieces of a query.

    Refuses what `Lexer.split` refuses, and words with letters that look like other letters.
    """
    for piece in _LEXER.split(text):
        if piece.kind == "word" and unicodedata.normalize("NFKC", piece.text) != piece.text:
            raise refuse(f"{shown(piece.text)} has letters that look like others; write it in double quotes")
        yield piece
