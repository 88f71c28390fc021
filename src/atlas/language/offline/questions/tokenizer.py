"""Splits a question into tokens with stems and roots, and reads numbers in digits or words."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import msgspec
import snowballstemmer

MAX_TOKENS = 120
_TOKEN = re.compile(
    r"""(?P<quote>"[^"\n]{1,300}"|“[^”\n]{1,300}”|«[^»\n]{1,300}»|`[^`\n]{1,300}`|(?<!\w)['‘][^'’\n]{1,300}['’](?!\w))
      |(?P<number>[$€£]?-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?:%|(?:k|m|bn|b)(?!\w))?|[$€£]?-?\d+(?:\.\d+)?(?:%|(?:k|m|bn|b)(?!\w))?)(?![\w/:-])
      |(?P<word>[\w@][\w@.+:/&-]*[\w+]|[\w@])(?:['’]s?(?!\w))?
      |(?P<sign><=|>=|<>|!=|[,;?!:.()<>=/&+%-])""",
    re.VERBOSE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# A stemmer holds the word that it works on, so it serves one thread at a time.
_STEMMER, _STEMMING = snowballstemmer.stemmer("english"), threading.Lock()
_SUFFIXES = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ities",
    "ions",
    "ion",
    "ness",
    "ings",
    "ing",
    "ers",
    "ants",
    "ant",
    "ors",
    "ees",
    "ies",
    "ied",
    "ers",
    "er",
    "or",
    "ed",
    "ee",
    "es",
    "al",
    "e",
    "s",
    "y",
    "i",
)


class Token(msgspec.Struct, frozen=True):
    """A word, number, quoted text or sign.

    text: as the question has it.
    lower: in lower case.
    stem: for comparisons.
    value: of a number.
    """

    kind: str
    text: str
    lower: str
    stem: str
    position: int
    value: float | int | None = None


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Returns the stem of a lower-case word, by Snowball's English stemmer."""
    known = _IRREGULAR.get(word)
    if known is not None:
        return known
    with _STEMMING:
        return str(_STEMMER.stemWord(word))


@lru_cache(maxsize=20_000)
def root(word: str) -> str:
    """Removes the endings of a word: `citations` and `cited` have the root `cit`."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "data": "data",
    "was": "be",
    "were": "be",
    "is": "be",
    "are": "be",
    "been": "be",
    "has": "have",
    "had": "have",
    "does": "do",
    "did": "do",
    "sold": "sell",
    "bought": "buy",
    "paid": "pay",
    "spent": "spend",
    "made": "make",
    "sent": "send",
    "won": "win",
    "lost": "lose",
    "left": "left",
    "news": "news",
    "series": "series",
    "status": "status",
    "statuses": "status",
    "address": "address",
    "addresses": "address",
    "indices": "index",
    "criteria": "criterion",
    "analyses": "analysis",
    "taken": "take",
    "taught": "teach",
    "given": "give",
    "written": "write",
    "wrote": "write",
    "business": "business",
    "businesses": "business",
    "class": "class",
    "classes": "class",
    "bus": "bus",
    "less": "less",
    "universities": "university",
    "university": "university",
    "universal": "universal",
    "general": "general",
    "generation": "generation",
    "organization": "organization",
    "organizations": "organization",
    "organisation": "organization",
    "organisations": "organization",
    "organ": "organ",
    "international": "international",
    "lowest": "lowest",
    "longest": "longest",
}


def tokens(text: str) -> list[Token]:
    """Tokenizes a question to at most `MAX_TOKENS` tokens, without spaces and unknown signs."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        if len(found) == MAX_TOKENS:
            break
        kind = match.lastgroup or "sign"
        if kind == "quote":
            inner = match["quote"][1:-1].strip()
            found.append(Token("quote", inner, inner.lower(), inner.lower(), len(found)))
        elif kind == "number":
            found.append(
                Token(
                    "number",
                    match["number"],
                    match["number"].lower(),
                    match["number"],
                    len(found),
                    number(match["number"]),
                )
            )
        elif kind == "word":
            word = match["word"]
            found += _word(word, len(found))
        else:
            found.append(Token("sign", match["sign"], match["sign"], match["sign"], len(found)))
    return _join_number_words(found)


def _word(word: str, position: int) -> list[Token]:
    """Returns a word as one token, or its parts where a hyphen or slash joins several words."""
    if "@" in word or "_" in word or "." in word or ":" in word:
        return [Token("word", word, word.lower(), stem(word.lower()), position)]
    parts = [part for part in re.split(r"[-/&+]", word) if part]
    if len(parts) == 1 or any(part.isdigit() for part in parts):
        return [Token("word", word, word.lower(), stem(word.lower()), position)]
    return [Token("word", part, part.lower(), stem(part.lower()), position + n) for n, part in enumerate(parts)]


_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {word: 20 + 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12}


def number(text: str) -> float | int:
    """Parses digits with currency signs, groups and a scale:

    `$1.5k` is 1500. Returns 0 for texts that are no number.
    """
    text = text.strip("$€£").replace(",", "").lower()
    scale = 1
    for suffix, factor in (("%", 1), ("bn", 10**9), ("k", 1_000), ("m", 10**6), ("b", 10**9)):
        if text.endswith(suffix):
            text, scale = text.removesuffix(suffix), factor
            break
    try:
        value = float(text) * scale
    except ValueError:
        return 0
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _join_number_words(found: list[Token]) -> list[Token]:
    """Replaces number words by numbers, so that `a hundred thousand` becomes 100000, and renumbers the positions."""
    result: list[Token] = []
    index = 0
    while index < len(found):
        value, used = _read_number(found, index)
        if used:
            text = " ".join(token.text for token in found[index : index + used])
            result.append(Token("number", text, text.lower(), text.lower(), len(result), value))
            index += used
        else:
            result.append(msgspec.structs.replace(found[index], position=len(result)))
            index += 1
    return result


def _read_number(found: list[Token], index: int) -> tuple[float | int, int]:
    """Reads a number from a token on. Returns the number and its count of tokens, which is 0 for no number."""
    total: float | int = 0
    current: float | int | None = None
    used = 0
    for token in found[index:]:
        word = token.lower
        if token.kind == "number" and used == 0 and token.value is not None and not token.text.endswith("%"):
            current = token.value
        elif word in _UNITS and (
            current is None
            or (_UNITS[word] < 10 and current % 10 == 0 and current % 100 != 0)
            or (current is not None and current >= 100 and current % 100 == 0)
        ):
            current = (current or 0) + _UNITS[word]
        elif word in _SCALES and (current is not None or (used == 1 and found[index].lower == "a")):
            current = (1 if current is None else current) * _SCALES[word]
            if _SCALES[word] >= 1_000:
                total, current = total + current, 0
        elif word == "a" and used == 0 and index + 1 < len(found) and found[index + 1].lower in _SCALES:
            pass
        else:
            break
        used += 1
    if used == 0 or (used == 1 and found[index].kind == "number"):
        return 0, 0
    value = total + (current or 0)
    # "one" alone is more often a pronoun than a number.
    if used == 1 and found[index].lower == "one":
        return 0, 0
    return value, used


def parts(name: str) -> list[str]:
    """Splits an identifier into lower-case words, alike for `numCitedBy`, `num_cited_by` and `Num cited by`."""
    spaced = _CAMEL.sub(" ", name) if not name.isupper() else name
    return [part for part in re.split(r"[^0-9a-zA-Z\u0080-\uffff]+", spaced.lower()) if part]
