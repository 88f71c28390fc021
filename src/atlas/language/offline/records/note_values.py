"""Reads values in notes: names, addresses, numbers, and the words that tell a column by a relation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atlas.language.offline.questions.places import is_code, places
from atlas.language.offline.records.table_words import TableWords
from atlas.language.offline.records.tokens import UnclearError
from atlas.tables.model import TableColumn

_LETTER = r"[A-ZÄÖÜÀ-ÖØ-ÞŁŚŻŹČŠŽ]"
_PROPER_WORD = rf"{_LETTER}[\w&'’-]*(?:\.(?=\s\S)(?=\s{_LETTER}))?"
_JOINERS = r"(?:de la|de|del|la|le|van der|van|von|der|am|an der|du|da|dos|of|&)"
# Words with a capital letter, such as `Acme Corp` or `Frankfurt am Main`.
PROPER = re.compile(rf"{_PROPER_WORD}(?: (?:{_JOINERS} )?(?:{_PROPER_WORD}|\d+\b)){{0,4}}")
_PERSON_WORD = rf"{_LETTER}(?:\.|[\w'’-]*[\w])"
PERSON = re.compile(rf"{_PERSON_WORD}(?: (?:(?:de la|de|del|van der|van|von|der|da|bin|al) )?{_PERSON_WORD}){{1,3}}")
EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"'|]+@[^\s@,;:<>()\[\]\"'|]+\.[^\W\d_]{2,}")
PHONE = re.compile(r"(?:\+|\(?\d)[\d\s()/.-]{4,22}\d")
_QUOTED = re.compile(r"\"([^\"]+)\"|'([^'\n]+)'(?!\w)")
_NUMBER = re.compile(r"[-+]?[$€£]?\d+(?:[.,]\d+)*\s?(?:€|\$|£|EUR|USD|GBP)?(?!\w)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4}")
_WORD = re.compile(r"[^\W\d_][\w-]*")
# Words that end a value without quotes.
_STOPS = frozenset(
    """and or but with to from in at for of by as is are the a an who whose which where when if und oder aber mit zu aus in bei für
    von der die das ist wenn et ou mais avec à de en chez pour le la est si y o pero con a en de para el es si not nicht pas no
    now jetzt maintenant ahora please bitte also only tomorrow null empty nothing none leer nichts vide rien vacío nada""".split()
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value at its place. end: the place behind the value."""

    text: str
    end: int


def quoted(text: str, place: int) -> Value | None:
    """Reads a text in quotes."""
    found = _QUOTED.match(text, place)
    return None if found is None else Value(found[1] or found[2], found.end())


def email(text: str, place: int) -> Value | None:
    """Reads an e-mail address, also in angle brackets."""
    start = place + (text[place : place + 1] == "<")
    found = EMAIL.match(text, start)
    if found is None:
        return None
    # A point behind an address ends the sentence.
    address = found[0].rstrip(".")
    end = start + len(address)
    return Value(address, end + (start > place and text[end : end + 1] == ">"))


def phone(text: str, place: int) -> Value | None:
    """Reads a telephone number with at least six digits."""
    found = PHONE.match(text, place)
    if found is None or sum(map(str.isdigit, found[0])) < 6 or _DATE.fullmatch(found[0]) or "\n" in found[0]:
        return None
    return None if text[found.end() : found.end() + 1].isalnum() else Value(found[0], found.end())


def proper(text: str, place: int) -> Value | None:
    """Reads words with capital letters, or a text in quotes."""
    if (found := quoted(text, place)) is not None:
        return found
    return _without_owner(PROPER.match(text, place))


def _without_owner(found: re.Match[str] | None) -> Value | None:
    """Returns the words of a match without the `'s` of an owner."""
    if found is None or "\n" in found[0]:
        return None
    words = found[0].removesuffix("'s")
    return Value(words, found.start() + len(words))


def person(text: str, place: int) -> Value | None:
    """Reads a name of two words or more, or a text in quotes."""
    if (found := quoted(text, place)) is not None:
        return found
    return _without_owner(PERSON.match(text, place))


def value_of(text: str, place: int, column: TableColumn, words: TableWords) -> Iterator[Value]:
    """Yields the values that a column may have at a place, the likeliest first."""
    if (found := quoted(text, place)) is not None:
        yield found
        return
    concepts = {name: concept for concept, name in words.concepts.items()}
    concept = concepts.get(column.name)
    if concept == "email" or column.semantic == "email":
        read = email(text, place)
    elif concept == "phone" or column.semantic == "phone":
        read = phone(text, place)
    elif column.type in ("bigint", "numeric", "double"):
        number = _NUMBER.match(text, place)
        read = None if number is None else Value(number[0].rstrip(), place + len(number[0].rstrip()))
    elif column.type in ("date", "timestamp"):
        day = _DATE.match(text, place)
        read = None if day is None else Value(day[0], day.end())
    else:
        read = proper(text, place) or _plain(text, place)
    if read is not None:
        yield read


def _plain(text: str, place: int) -> Value | None:
    """Reads one word in small letters, or a number or code."""
    code = re.compile(r"\d[\w./-]*\w|\d").match(text, place)
    if code is not None:
        return Value(code[0], code.end())
    found = _WORD.match(text, place)
    return None if found is None or found[0].casefold() in _STOPS else Value(found[0], found.end())


# Relations that tell a column without its name.
RELATIONS: tuple[tuple[str, str], ...] = (
    (
        "company",
        r"(?:who |and |now |currently )?(?:works?|working) (?:at|for|with)|(?:is )?employed (?:at|by)|arbeitet (?:bei|für)|"
        r"travaille (?:chez|pour)|trabaja (?:en|para)",
    ),
    (
        "city",
        r"(?:who |and |now |currently )?(?:lives?|living|(?:is )?based|located|resides) in|wohnt in|lebt in|wohnhaft in|"
        r"(?:habite|vit) à|vive en|con sede en",
    ),
    ("company", r"at|bei|chez"),
    ("city", r"in|à"),
)


_TIMES = frozenset(
    """january february march april may june july august september october november december monday tuesday wednesday thursday
    friday saturday sunday januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag
    sonntag janvier février mars avril juin juillet août septembre octobre novembre décembre enero febrero marzo abril mayo junio
    julio agosto septiembre octubre noviembre diciembre english german french spanish""".split()
)
# Names of countries that are names of cities, too.
_BOTH = frozenset("singapore luxembourg monaco panama mexico guatemala djibouti kuwait andorra gibraltar".split())


def place_column(words: TableWords, city: str, place: str) -> str:
    """Returns the column for a place: the city, or the country where the place is one.

    Raises UnclearError: when the place may be either, or is no place.
    """
    folded = place.casefold()
    if folded.split()[0] in _TIMES or place[0].isdigit():
        raise UnclearError(f"What does {place!r} say of the record? Write it as `name: value`, or leave it out.")
    if not any(found.startswith("country:") for found in places(place)) or is_code(place):
        return city
    country = words.concepts.get("country")
    if country is None or folded in _BOTH:
        raise UnclearError(f"Is {place!r} the {city} or a country?")
    return country
