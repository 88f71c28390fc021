"""Comparisons of a condition in plain words: contains, starts with, ends with, is empty, and their negations."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.kit.like_patterns import escape_like
from atlas.sqlgate.lexer import Piece, refuse
from atlas.sqlgate.vocabulary import KEYWORDS

# The words of each comparison, the longest first, and the pattern before and after its text.
_PATTERNS = (
    (("STARTS", "WITH"), "", "%"),
    (("START", "WITH"), "", "%"),
    (("BEGINS", "WITH"), "", "%"),
    (("BEGIN", "WITH"), "", "%"),
    (("ENDS", "WITH"), "%", ""),
    (("END", "WITH"), "%", ""),
    (("CONTAINS",), "%", "%"),
    (("CONTAIN",), "%", "%"),
)
_EMPTY = {("IS", "EMPTY"): ("IS", "NULL"), ("IS", "NOT", "EMPTY"): ("IS", "NOT", "NULL")}
_NEGATIONS = (("DOES", "NOT"), ("DO", "NOT"), ("NOT",), ())


def spelled_out(pieces: Sequence[Piece]) -> list[Piece]:
    """Replaces comparisons in plain words by SQL operators.

    Texts are compared ignoring case, and other values by their text form. Raises BadRequestError when no text follows.
    """
    made: list[Piece] = []
    at = 0
    while at < len(pieces):
        taken = _comparison(pieces, at, made) if made and made[-1].is_operand_end else 0
        if not taken:
            made.append(pieces[at])
        at += taken or 1
    return made


def _comparison(pieces: Sequence[Piece], at: int, made: list[Piece]) -> int:
    """Appends the SQL of a comparison at a place. Returns the number of its pieces, or 0 for no comparison."""
    for words, plain in _EMPTY.items():
        if _has_words(pieces, at, words):
            made += [Piece("word", word) for word in plain]
            return len(words)
    for negation in _NEGATIONS:
        if not _has_words(pieces, at, negation):
            continue
        here = at + len(negation)
        for words, before, behind in _PATTERNS:
            if not _has_words(pieces, here, words):
                continue
            text = pieces[here + len(words)] if here + len(words) < len(pieces) else Piece("none", "")
            if text.kind not in ("string", "number"):
                phrase = " ".join(words).lower()
                raise refuse(f"{phrase!r} wants a text in single quotes, such as {phrase} 'ann'")
            _cast_left(made)
            value = text.text[1:-1] if text.kind == "string" else text.text
            made += [Piece("word", "NOT")] if negation else []
            made += [Piece("word", "ILIKE"), Piece("string", f"'{before}{escape_like(value)}{behind}'")]
            return len(negation) + len(words) + 1
    return 0


def _has_words(pieces: Sequence[Piece], at: int, words: Sequence[str]) -> bool:
    found = [piece.word for piece in pieces[at : at + len(words)]]
    return found == list(words)


def _cast_left(made: list[Piece]) -> None:
    """Casts a column on the left to text, whatever its type."""
    if made[-1].is_name and made[-1].word not in KEYWORDS:
        column = made.pop()
        made += [
            Piece("word", "CAST"),
            Piece("mark", "("),
            column,
            Piece("word", "AS"),
            Piece("word", "TEXT"),
            Piece("mark", ")"),
        ]
