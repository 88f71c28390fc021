"""Matches names that are nearly the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import OSA

from atlas.kit.identifiers import identifier, singular
from atlas.kit.synonyms import SPELLINGS
from atlas.kit.units import UNITS, is_unit


def plain_name(text: str) -> tuple[str, str | None]:
    """Returns a name without case, separators and accents, and the unit in brackets at its end, if any."""
    unit = None
    found = _BRACKETS.fullmatch(text.strip())
    if found:
        inside = found[2].casefold()
        if inside in UNITS or is_unit(found[2]):
            text, unit = found[1], inside
        elif inside in _REMARKS or not inside:
            text = found[1]
    flat = unicodedata.normalize("NFKD", identifier(text.replace("ß", "ss")))
    return "".join(c for c in flat if not unicodedata.combining(c) and c != "_"), unit


def close_name(wanted: str, names: Sequence[str], *, columns: bool = False, slips: bool = True) -> str | None:
    """Returns the only name of `names` that `wanted` can mean, or None.

    A name matches when it is equal, in singular or plural, or (with `slips`) differs by a slip in a long word. columns:
    a name also matches by another spelling, or by words that no other name has.
    """
    if wanted in names:
        return wanted
    target = identifier(wanted)
    by_name = {identifier(name): name for name in names}
    if target in by_name:
        return by_name[target]
    plain = [name for key, name in by_name.items() if plain_name(key)[0] == plain_name(target)[0]]
    if len(plain) == 1:
        return plain[0]
    words = words_of(target)
    same = [name for key, name in by_name.items() if words_of(key) == words]
    if same:
        return same[0]
    alike = [name for key, name in by_name.items() if any(target in group and key in group for group in SPELLINGS)]
    if len(alike) == 1 and columns:
        return alike[0]
    # "email" is the only column with the word, "email_address".
    holding = [name for key, name in by_name.items() if set(words) <= set(words_of(key))]
    if len(holding) == 1 and columns:
        return holding[0]
    likely = [name for key, name in by_name.items() if slips and _differ_by_slips(target, key)]
    return likely[0] if len(likely) == 1 else None


_REMARKS = frozenset(
    """optional required mandatory text number date y/n yes/no yyyy-mm-dd dd/mm/yyyy mm/dd/yyyy dd.mm.yyyy d/m/y m/d/y
    utf-8 string integer""".split()
)


_BRACKETS = re.compile(r"(.*\S)\s*[(\[{]\s*([^()\[\]{}]*?)\s*[)\]}]\s*", re.DOTALL)


def words_of(name: str) -> list[str]:
    return [singular(word) for word in name.split("_")]


def _differ_by_slips(wanted: str, name: str) -> bool:
    """Returns whether two names differ by typing slips: one letter in a word of 5, two in a word of 8."""
    ours, theirs = wanted.split("_"), name.split("_")
    if len(ours) != len(theirs) or digits(wanted) != digits(name):
        return False
    for mine, other in zip(ours, theirs, strict=True):
        shorter = min(len(mine), len(other))
        if mine != other and (shorter < 5 or OSA.distance(mine, other) > (2 if shorter >= 8 else 1)):
            return False
    return True


def digits(name: str) -> list[str]:
    """Returns the digits of a name: `sales_2024` is no misspelling of `sales_2025`."""
    return re.findall(r"\d", name)
