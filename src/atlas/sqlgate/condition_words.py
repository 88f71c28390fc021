"""Comparisons of a condition in plain words: contains, starts with, ends with, is empty, and their opposites."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.kit.like_patterns import escape_like
from atlas.sqlgate.lexer import Piece, refuse
from atlas.sqlgate.vocabulary import KEYWORDS

# The words of each comparison, the longest first, and what stands before and behind its text in a pattern.
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
    """The pieces of a condition with such words as operators that the parser knows.

    Texts are compared in any case; values that are no texts, as they are shown. Raises BadRequestError where no text
    follows.
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
    """Adds what the words at a place mean; gives how many pieces these are, 0 where they are no such words."""
    for words, plain in _EMPTY.items():
        if _stand(pieces, at, words):
            made += [Piece("word", word) for word in plain]
            return len(words)
    for negation in _NEGATIONS:
        if not _stand(pieces, at, negation):
            continue
        here = at + len(negation)
        for words, before, behind in _PATTERNS:
            if not _stand(pieces, here, words):
                continue
            text = pieces[here + len(words)] if here + len(words) < len(pieces) else Piece("none", "")
            if text.kind not in ("string", "number"):
                told = " ".join(words).lower()
                raise refuse(f"{told!r} wants a text in single quotes, such as {told} 'ann'")
            _cast_left(made)
            value = text.text[1:-1] if text.kind == "string" else text.text
            made += [Piece("word", "NOT")] if negation else []
            made += [Piece("word", "ILIKE"), Piece("string", f"'{before}{escape_like(value)}{behind}'")]
            return len(negation) + len(words) + 1
    return 0


def _stand(pieces: Sequence[Piece], at: int, words: Sequence[str]) -> bool:
    found = [piece.word for piece in pieces[at : at + len(words)]]
    return found == list(words)


def _cast_left(made: list[Piece]) -> None:
    """Has a column on the left be compared as a text, whatever its type is."""
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
