"""Corrects misspelt words of a question that are close to one word of the schema or of the grammar, and tells so."""

from __future__ import annotations

import re
from functools import lru_cache

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.lexicon import (
    ADJECTIVES,
    AGGREGATES,
    DAYS,
    FILLERS,
    LINKING,
    MONTHS,
    SYNONYMS,
    UNITS,
    adjective,
)
from atlas.language.offline.questions.phrases import PHRASES
from atlas.language.offline.questions.tokenizer import parts, root, stem, tokens
from atlas.language.offline.questions.value_forms import land_of

# The least lengths of a word for one and for two wrong letters. Shorter words are often other words.
_ONE, _TWO = 7, 10
# Words of the grammar have few neighbours that are words.
_GRAMMAR = frozenset(
    "average total number highest lowest largest smallest between maximum minimum percentage median without before "
    "after least where which count greater sorted ordered descending ascending distinct different compared".split()
)
_LEAST_GRAMMAR = 5
_MAX_WORDS = 5_000
_KNOWN = frozenset(
    {word for phrase in PHRASES for word in phrase}
    | FILLERS
    | _GRAMMAR
    | set(AGGREGATES)
    | set(ADJECTIVES)
    | set(MONTHS)
    | set(DAYS)
    | set(UNITS)
)
_WORD = re.compile(r"(?<![\w'\"@./:-])[A-Za-z]{5,24}(?![\w'\"@/:-])")


def correct_spelling(text: str, catalog: Catalog) -> tuple[str, tuple[str, ...]]:
    """Returns the question with its misspelt words replaced, and a note for each."""
    notes: list[str] = []
    words, stems = _vocabulary(catalog)

    def replaced(match: re.Match[str]) -> str:
        word = match[0].lower()
        if _is_known(word, stems):
            return match[0]
        found = _closest(word, words)
        if found is None:
            return match[0]
        notes.append(f"{match[0]!r} is read as {found!r}.")
        return found

    quotes = text.count('"') + text.count("`") + text.count("“")
    return (text, ()) if quotes else (_WORD.sub(replaced, text), tuple(notes))


def _is_known(word: str, stems: frozenset[str]) -> bool:
    own = stem(word)
    if word in _KNOWN or own in LINKING or own in SYNONYMS or own in stems or adjective(word) or land_of(word):
        return True
    return any(one.startswith(word[:4]) and root(one) == root(word) for one in stems)


def _closest(word: str, words: dict[str, tuple[str, ...]]) -> str | None:
    """Returns the only word within the allowed distance, or None."""
    allowed = 2 if len(word) >= _TWO else 1 if len(word) >= _ONE else 0
    near = {one for one in words.get(word[0], ()) if allowed and _distance(word, one, allowed) <= allowed}
    if len(word) >= _LEAST_GRAMMAR:
        near |= {one for one in _GRAMMAR if one[0] == word[0] and _distance(word, one, 1) <= 1}
    # Another ending is another form: `carried` is no carrier.
    near = {one for one in near if one[-1] == word[-1]}
    if len({stem(one) for one in near}) != 1:
        return None
    return min(near, key=lambda one: (_distance(word, one, 2), one))


def _distance(left: str, right: str, most: int) -> int:
    """Counts letters to insert, delete, replace or swap with a neighbour. Greater distances than `most` are not exact."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(right) + 1))
    for n, a in enumerate(left, 1):
        row = [n]
        for m, b in enumerate(right, 1):
            cost = min(last[m] + 1, row[-1] + 1, last[m - 1] + (a != b))
            if n > 1 and m > 1 and a == right[m - 2] and left[n - 2] == b:
                cost = min(cost, before[m - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


@lru_cache(maxsize=32)
def _vocabulary(catalog: Catalog) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """Returns the words of the schema by their first letter, and the stems of all of them."""
    found: set[str] = set()
    for table in catalog.tables:
        found.update(parts(table.name))
        for column in table.columns:
            found.update(parts(column.name))
            if column.type == "text" and len(found) < _MAX_WORDS:
                found.update(token.lower for value in column.values for token in tokens(value) if token.kind == "word")
    plural = {f"{word}s" for word in found if len(word) >= _ONE and not word.endswith("s")}
    by_letter: dict[str, list[str]] = {}
    for word in sorted(found | plural):
        if len(word) >= _ONE - 2:
            by_letter.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in by_letter.items()}, frozenset(map(stem, found))
