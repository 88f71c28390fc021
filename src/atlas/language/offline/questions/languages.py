"""Turns German, French and Spanish questions into the words of the English grammar, where the schema lacks the words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import snowballstemmer

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.language_words import NOUNS, PARTICIPLES, PHRASES
from atlas.language.offline.questions.lexicon import FILLERS, MONTHS
from atlas.language.offline.questions.phrases import PHRASES as ENGLISH_PHRASES
from atlas.language.offline.questions.tokenizer import parts, tokens

_LANGUAGES = {"German": "german", "French": "french", "Spanish": "spanish"}
_WORD = re.compile(r'"[^"\n]{1,300}"|\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:[-_][^\W\d_]+)*|[^\w\s¿¡]', re.UNICODE)
_ELISION = re.compile(r"\b(d|l|n|qu|s|c|j|t|m)['’](?=\w)", re.IGNORECASE)
_DECIMAL = re.compile(r"(\d),(\d{1,2})(?!\d)")
_LONGEST = 4
# How many words of the grammar a question of a language has at least, unless one of them asks for something.
_LEAST = 2
_ASKING = frozenset(
    "how many|which|what|who|average|number of|highest|lowest|most|total|where|when|list|show|top".split("|")
)
# Words of English questions, such as `in` and `total`, do not tell another language.
_ENGLISH = FILLERS | {word for phrase in ENGLISH_PHRASES for word in phrase} | set(MONTHS)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATED = frozenset(
    "in since before after from to between of and or until by january february march april may june july august september october november december".split()
)
_FIGURES = ("average", "total", "maximum", "minimum", "median")
_BEING = ("were", "was", "are", "is", "been", "have", "has")


def translate(text: str, catalog: Catalog) -> str | None:
    """Returns a question in the words of the English grammar. None: the question is in none of the languages."""
    found = [(hits, name) for name in _LANGUAGES if (hits := _hits(text, name)) > 0]
    if not found:
        return None
    name = max(found)[1]
    words = _words(text, name)
    own = _schema_words(catalog, name)
    read: list[str] = []
    at = 0
    while at < len(words):
        english, used = _phrase(words, at, name)
        if english is None:
            english, used = _noun(words[at], name, own), 1
        if english:
            read.append(english)
        at += used
    return _ordered(read, name) or None


def _hits(text: str, name: str) -> int:
    """Counts words of a language's grammar, and its nouns beside them. 0: too few."""
    words = _words(text, name)
    hits, nouns, asking, at = 0, 0, False, 0
    while at < len(words):
        english, used = _phrase(words, at, name)
        said = [fold(word) for word in words[at : at + used]]
        if english is not None and not all(word in _ENGLISH for word in said):
            hits += used
            asking = asking or english in _ASKING
        elif english is None and said[0] not in _ENGLISH:
            noun = _noun(words[at], name, {})
            nouns += noun.lower() != words[at].lower()
        at += used
    hits += nouns if hits else 0
    return hits if hits >= _LEAST or (asking and hits) else 0


def _words(text: str, name: str) -> list[str]:
    if name == "French":
        text = _ELISION.sub(lambda found: f"{found[1]}' ", unicodedata.normalize("NFC", text))
        text = re.sub(r"\b([dlnscjtm]|qu)' ", lambda found: f"{found[1]}e ", text, flags=re.IGNORECASE)
    return _WORD.findall(_DECIMAL.sub(r"\1.\2", text))


def fold(word: str) -> str:
    """Returns a word in lower case without accents."""
    lower = word.lower().replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFD", lower) if not unicodedata.combining(c))


@cache
def _stemmer(name: str) -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer(_LANGUAGES[name])


@lru_cache(maxsize=20_000)
def _stem(word: str, name: str) -> str:
    return fold(str(_stemmer(name).stemWord(word.lower())))


def _phrase(words: list[str], at: int, name: str) -> tuple[str | None, int]:
    """Returns the English words for the longest phrase of the grammar at a place, and how many words the phrase has."""
    known = _phrases(name)
    for length in range(min(_LONGEST, len(words) - at), 0, -1):
        said = words[at : at + length]
        english = known.get(tuple(word.lower() for word in said))
        english = known.get(tuple(fold(word) for word in said)) if english is None else english
        if english is not None:
            return english, length
    return None, 1


@cache
def _phrases(name: str) -> dict[tuple[str, ...], str]:
    entries = _entries(PHRASES, name)
    # An accent tells two words apart, such as `a` and `à`, and is often left out.
    folded = {tuple(fold(word) for word in said.split()): english for english, said in entries}
    return folded | {tuple(said.lower().split()): english for english, said in entries}


@cache
def _nouns(name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    participles, nouns = _entries(PARTICIPLES, name), _entries(NOUNS, name)
    for english, said in (*participles, *nouns):
        found.setdefault(said.lower(), english)
    for english, said in (*nouns, *participles):
        found.setdefault(_stem(said, name), english)
        found.setdefault(fold(said), english)
    return found


def _entries(table: str, name: str) -> list[tuple[str, str]]:
    """Returns pairs of English and other words from lines such as `city|Stadt|ville|ciudad`."""
    column = [*_LANGUAGES].index(name) + 1
    rows = (line.split("|") for line in table.strip().split("\n"))
    return [(row[0], said.strip()) for row in rows for said in row[column].split(",") if said.strip()]


def _noun(word: str, name: str, own: dict[str, str]) -> str:
    """Returns the word of the schema that a word is a form of, else the English noun, else the word itself."""
    if not word[0].isalpha():
        return word
    stemmed = _stem(word, name)
    known = own.get(fold(word)) or own.get(stemmed)
    if known is not None:
        return word if known == word.lower() else known
    nouns = _nouns(name)
    return nouns.get(word.lower()) or nouns.get(fold(word)) or nouns.get(stemmed) or word


@lru_cache(maxsize=64)
def _schema_words(catalog: Catalog, name: str) -> dict[str, str]:
    """Returns the words of a schema and of its values, by themselves and by their stems in a language."""
    found: dict[str, str] = {}
    for table in catalog.tables:
        for owner in (table.name, *(column.name for column in table.columns)):
            for part in parts(owner):
                found.setdefault(_stem(part, name), part)
    for table in catalog.tables:
        for column in table.columns:
            for value in column.values if column.complete else ():
                found |= {fold(token.lower): token.lower for token in tokens(value) if token.kind == "word"}
    return found


def _ordered(read: list[str], name: str) -> str:
    """Puts words in the order of English: a figure before its noun, and a participle behind its verb."""
    words = [word for text in read for word in text.split()] if not any(text[0] == '"' for text in read) else read
    at = 1
    while at < len(words):
        before = words[at - 1]
        if words[at] in _FIGURES and before.isalpha() and before not in _STOPS and name != "German":
            start = at - 1
            while start > 0 and words[start - 1].isalpha() and words[start - 1] not in _STOPS:
                start -= 1
            if words[start] not in ("best", "highest", "lowest", "worst"):
                words.insert(start, words.pop(at))
        at += 1
    words = _superlatives_first(words) if name != "German" else words
    # `how many book cost` would ask for a cost of books.
    words = [
        _plural(word) if at > 1 and words[at - 2 : at] in (["how", "many"], ["number", "of"]) else word
        for at, word in enumerate(words)
    ]
    for n in range(len(words) - 1, 0, -1):
        if _YEAR.fullmatch(words[n]) and words[n - 1].isalpha() and words[n - 1] not in _DATED:
            words.insert(n, "in")
    last = next((n for n in range(len(words) - 1, -1, -1) if words[n].isalnum()), -1)
    verb = next((n for n, word in enumerate(words) if word in _BEING), -1)
    if name == "German" and last > verb + 1 > 0 and words[last] in _participles():
        words.insert(verb + 1, words.pop(last))
    return " ".join(words)


def _plural(word: str) -> str:
    if not word.isalpha() or word.endswith("s") or word in _STOPS or word in ("different", "people", "person"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in tuple("aeiou") else f"{word}s"


def _superlatives_first(read: list[str]) -> list[str]:
    """Turns `the book most expensive` into `the most expensive book`."""
    words = list(read)
    for at in range(1, len(words)):
        noun, ranked = words[at - 1], words[at : at + 1]
        if ranked == ["most"] and words[at + 1 : at + 2] == ["expensive"]:
            ranked = words[at : at + 2]
        elif ranked[0] not in _SUPERLATIVES:
            continue
        if noun.isalpha() and noun not in _STOPS and noun not in _SUPERLATIVES:
            words[at - 1 : at + len(ranked)] = [*ranked, noun]
    return words


_SUPERLATIVES = frozenset(
    "highest lowest largest smallest longest shortest cheapest strongest oldest youngest latest".split()
)


@cache
def _participles() -> frozenset[str]:
    return frozenset(line.split("|")[0] for line in PARTICIPLES.strip().split("\n"))


_STOPS = frozenset(
    "the a of by per in on at for with and or is are was were which what who how many has have had from to than more less "
    "over under between not no without each show list me there this that".split()
)
