"""Converts callers' names to names of columns and tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

# PostgreSQL's limit, in bytes.
MAX_BYTES = 63
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^\w]+")
# Marks are parts of letters, as vowels are in Thai and in Hindi. Variation selectors are invisible.
_MARK, _INVISIBLE = "M", re.compile(r"[\ufe00-\ufe0f]")
# Names of the store's own tables in an organization's schema.
_RESERVED = re.compile(r"dataset_\d+")
# System columns that PostgreSQL adds to every table.
_SYSTEM = frozenset(("tableoid", "xmin", "xmax", "cmin", "cmax", "ctid"))


def identifier(text: str, fallback: str = "column") -> str:
    """Converts `text` to snake case of at most 63 bytes: `Email Address` and `emailAddress` give `email_address`.

    Letters of any script stay. A leading digit gets the prefix `n`, since a bare name cannot start with a digit. The
    name of a PostgreSQL system column gets the suffix `_column`.
    """
    return _cut(_whole(text, fallback), MAX_BYTES)


def is_cut(text: str) -> bool:
    """Returns whether a name is too long for an identifier, so that `identifier` leaves out its end."""
    return len(_whole(text, "").encode()) > MAX_BYTES


def _whole(text: str, fallback: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("%", " percent ").replace("#", " number ")
    plain = re.sub(r"\be-mail", "email", plain, flags=re.IGNORECASE)
    name = _joined(_CAMEL.sub("_", plain)).strip("_").lower()
    name = re.sub(r"_+", "_", name) or fallback
    if name[:1].isdigit():
        name = f"n{name}"
    return f"{name}_column" if name in _SYSTEM else name


def _joined(text: str) -> str:
    """Replaces what is no letter, mark of a letter, digit or underscore by underscores."""
    if text.isascii():
        return _OTHER.sub("_", text)
    kept = "_"
    for sign in _INVISIBLE.sub("", text):
        letter = sign.isalnum() or (kept[-1] != "_" and unicodedata.category(sign)[0] == _MARK)
        kept += sign if letter else "_"
    return kept


def table_identifier(text: str) -> str:
    """Converts a table's name as `identifier` does. A name that the store uses itself gets the suffix `_table`."""
    name = identifier(text, "table")
    return f"{name}_table" if _RESERVED.fullmatch(name) else name


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore").rstrip("_")


def with_ending(name: str, ending: str) -> str:
    """Appends an ASCII ending to an identifier, and cuts a long name to make room."""
    return f"{_cut(name, MAX_BYTES - len(ending))}{ending}"


def unique_identifiers(texts: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Returns an identifier for each text, all different from each other and from `taken`: `name`, `name_2`."""
    used = set(taken)
    names = []
    for position, text in enumerate(texts, 1):
        base = identifier(text, f"column_{position}")
        name, number = base, 1
        while name in used:
            number += 1
            name = with_ending(base, f"_{number}")
        used.add(name)
        names.append(name)
    return names


def singular(word: str) -> str:
    """Returns a plain English singular, good enough to compare names by."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
