"""Words in the names of columns: units, abbreviations, and names that stand for several words."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.language.offline.questions.tokenizer import stem

# Units in names tell how a value is measured, not what is measured.
UNITS_IN_NAMES = frozenset(
    stem(word)
    for word in (
        "usd eur gbp dollars euros min mins minutes hr hrs hours sec secs seconds ms km kms mi miles mph kmh kph kg kgs g "
        "grams lb lbs pounds oz cm mm m meters metres ft feet in inches sqft sqm f c celsius fahrenheit deg degrees pct "
        "percent mb gb kb mbar hpa m3 l liters days"
    ).split()
)
# Words of tables' names that do not say what a row is.
GENERIC_TABLES = frozenset(
    stem(word)
    for word in "data info information list details detail table records record log logs history master dim fact "
    "dataset tbl all raw clean stats names".split()
)
# Names that are shortened words.
_EXPANDED = {
    "fname": ("first", "name"),
    "lname": ("last", "name"),
    "mname": ("middle", "name"),
    "dob": ("birth", "date"),
    "lat": ("latitude",),
    "lon": ("longitude",),
    "lng": ("longitude",),
}
# The least number of words that the letters of a name may stand for, as `mpg` for miles per gallon.
_LEAST_LETTERS = 3


def expand(part: str) -> tuple[str, ...]:
    """Returns the words that a part of a name stands for."""
    return _EXPANDED.get(part, (part,))


def initials(words: Sequence[str]) -> str | None:
    """Returns the first letters of words, or None if the words are too few for a name of letters."""
    if len(words) < _LEAST_LETTERS or not all(word.isalpha() for word in words):
        return None
    return "".join(word[0] for word in words)
