"""Infers the type of a column of texts.

The type reproduces every text by the column's one format, else the type is text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from atlas.column_formats.column_names import CODES
from atlas.column_formats.currencies import CURRENCY
from atlas.column_formats.dates import date_pattern, find_dates, order_of
from atlas.column_formats.model import NUMBERS, TEXT, Hints, Kind, notation
from atlas.column_formats.numbers import INTEGER, find_number

# Texts for a missing value. In a column of texts they stay: "NA" may be Namibia.
NULL_TEXTS = (
    "n/a",
    "na",
    "null",
    "none",
    "nil",
    "-",
    "--",
    "nan",
    "?",
    ".",
    "(null)",
    r"\n",
    "n.a.",
    "unknown",
    # Spreadsheets show these where a formula fails.
    "#n/a",
    "#div/0!",
    "#value!",
    "#ref!",
    "#name?",
    "#num!",
    "#null!",
    "#spill!",
    "#calc!",
)
# The share of cells that may be no values of the other cells' type.
TOLERANCE = 0.1
# A column with fewer cells has no exceptions.
LEAST_CELLS = 10

# In English and other European languages. Not "si", which together with "no" may be Slovenia and Norway.
BOOLEANS = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("ja", "nee"),
    ("oui", "non"),
    ("sí", "no"),
    ("sim", "não"),
)
TRUE_TEXTS = tuple(dict.fromkeys(pair[0] for pair in BOOLEANS))
FALSE_TEXTS = tuple(dict.fromkeys(pair[1] for pair in BOOLEANS))

EMAIL = r"[^@\s,;:<>\"()]+@[^@\s,;:<>\"()]+\.[^@\s,;:<>\"().]{2,}"
# Texts that people write around an address.
_AROUND_EMAIL = re.compile(r"^(?:mailto:|[^<>@]*<)|>?[;,.\s]*$", re.IGNORECASE)
URL = r"(?i)(https?|ftp)://[^\s/$.?#][^\s]*|www\.[^\s/$.?#][^\s]*\.[^\s]+"
PHONE = r"(?i)\s*(tel[.:]?\s*)?[+(]?\d[\d\s().\-/]{4,20}\d\s*((ext|x|#)\.?\s*\d{1,6})?\s*"
_SEMANTICS = {"email": re.compile(EMAIL), "url": re.compile(URL), "phone": re.compile(PHONE)}
_NAMED = {
    "email": re.compile(r"(^|_)e_?mail(s|_address)?($|_)"),
    "phone": re.compile(r"(^|_)(phone|telephone|tel|mobile|cell|fax|handy|telefon|telephone_number)($|_)"),
    "url": re.compile(r"(^|_)(url|website|web_site|homepage|link)($|_)"),
}
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_DIGIT, _LETTER, _WORD = re.compile(r"\d"), re.compile(r"[^\W\d_]"), re.compile(r"[^\W\d_]{3}")
# Words within values: months and currencies.
_NAMED_VALUE = re.compile(
    rf"(?i:\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))|(?<![^\W\d_]){CURRENCY.pattern}(?![^\W\d_])"
)


def is_null_text(text: str) -> bool:
    return text.lower() in NULL_TEXTS


def no_value(text: str) -> bool:
    """Checks whether a text among numbers or times is words, such as `soon` or `about 20`, rather than a value or a
    code.
    """
    if _DIGIT.search(text) is None:
        return True
    parts = text.split()
    words = [part for part in parts if _DIGIT.search(part) is None]
    if not any(_WORD.search(word) for word in words) or _NAMED_VALUE.search(text):
        return False
    return not any(_LETTER.search(part) for part in parts if part not in words)


def infer(values: Sequence[str], name: str, native: str | None = None, hints: Hints | None = None) -> Kind:
    """Infers the kind of a column.

    values: texts without surrounding blanks.
    name: of the column.
    native: the file's own type, see `imports.files.source.Source`.
    All texts have the kind's format, except texts for a missing value, and words if there are few.
    """
    if native == "json":
        return Kind("json")
    hints = hints or Hints()
    texts = [value.strip() for value in values]
    real = [text for text in texts if not is_null_text(text)]
    if not real:
        return TEXT
    if native == "float" and hints.asked is None:
        return Kind("double", digits="any", exponent=True)
    semantic = _semantic(real, name)
    if native == "text" and hints.asked is None:
        # Texts that the file declares as texts stay texts.
        times = find_dates(real, name, hints) if hints.times else None
        return times or replace(TEXT, semantic=semantic)
    if semantic is not None and hints.asked is None:
        return replace(TEXT, semantic=semantic)
    return _boolean(real) or _typed(_values(real), name, native, hints)


def _values(texts: Sequence[str]) -> Sequence[str]:
    """Removes the texts that are no values among values, if there are few."""
    words = Counter(no_value(text) for text in texts)[True]
    if not words or not few(words, len(texts)):
        return texts
    return [text for text in texts if not no_value(text)]


def few(exceptions: int, total: int) -> bool:
    """Checks whether `exceptions` of `total` cells are few enough to be exceptions."""
    return total >= LEAST_CELLS and exceptions <= total * TOLERANCE


def _typed(texts: Sequence[str], name: str, native: str | None, hints: Hints) -> Kind:
    declared = native is not None or hints.asked is not None
    if native == "time" or hints.asked in ("date", "timestamp"):
        return find_dates(texts, name, hints) or TEXT
    if all(INTEGER.fullmatch(text) for text in texts):
        if CODES.search(name) and not declared:
            return replace(TEXT, why="its name says that it holds codes")
        if not declared and all(len(text) == 8 for text in texts):
            zeros = any(_LEADING_ZERO.match(text) for text in texts)
            # Dates such as 20240131, if the column's name says so.
            if ("date" in name or zeros) and (found := find_dates(texts, name, hints)) is not None:
                return found
    number = find_number(texts, name, native, hints)
    if number is not None and number.type != "text":
        return number
    return find_dates(texts, name, hints) or number or TEXT


def _semantic(texts: Sequence[str], name: str) -> str | None:
    for semantic, pattern in _SEMANTICS.items():
        bare = [_AROUND_EMAIL.sub("", text) for text in texts] if semantic == "email" else texts
        matching = sum(1 for text in bare if pattern.fullmatch(text))
        named = _NAMED[semantic].search(name) is not None
        if named and matching * 2 >= len(texts):
            return semantic
        if semantic != "phone" and (matching == len(texts) or few(len(texts) - matching, len(texts))):
            return semantic
    return None


def _boolean(texts: Sequence[str]) -> Kind | None:
    found = {text.lower() for text in texts}
    if found <= {"true", "false"}:
        return Kind("boolean", words=("true", "false"), strict=True)
    pairs = [pair for pair in BOOLEANS if found == set(pair)]
    return Kind("boolean", words=pairs[0], strict=True) if pairs else None


def looks_right(text: str, kind: Kind) -> bool:
    """Checks whether a text has the date format of a kind, even if no such day exists."""
    return kind.type in ("date", "timestamp") and re.fullmatch(date_pattern(kind), text) is not None


def sure_day_first(kinds: Sequence[Kind]) -> bool | None:
    """Returns the order of day and month for the whole file, by the columns whose order is certain. None: undecided."""
    orders = Counter(order_of(kind.formats[0]) for kind in kinds if kind.formats and not kind.ambiguous)
    if orders["day"] == orders["month"]:
        return None
    return orders["day"] > orders["month"]


def dotted_day_first(kinds: Sequence[Kind]) -> bool | None:
    """Returns True if some columns have the day first and points between, as writers with points put the day first."""
    return True if any(kind.formats and kind.formats[0].startswith("%d.") for kind in kinds) else None


def sure_decimal_comma(kinds: Sequence[Kind]) -> bool | None:
    """Returns whether the file has decimal commas, by the columns whose decimal sign is certain. None: undecided."""
    shown = [notation(kind)[0] for kind in kinds if kind.strict and not kind.ambiguous]
    commas, points = shown.count(","), shown.count(".")
    return None if commas == points else commas > points


def wider(type_: str, kind: Kind) -> str | None:
    """Returns the type that holds the values of a column and of a kind unchanged, or None."""
    if type_ in ("bigint", "double") and kind.type in NUMBERS and kind.type != type_:
        return "numeric"
    return "timestamp" if (type_, kind.type) == ("date", "timestamp") else None
