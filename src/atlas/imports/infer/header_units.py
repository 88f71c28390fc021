"""Reads units in brackets at the end of column headers: `speed [km/h]`, `Distance (mi)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from atlas.kit.units import is_unit

_BRACKETED = re.compile(r"(.*[^\s(\[])\s*(?:\[\s*([^()\[\]]+?)\s*\]|\(\s*([^()\[\]]+?)\s*\))\s*", re.DOTALL)
_NO_MINUTES = re.compile(r"(?i)(?<![^\W_])(max|maximum|avg|average|mean|median)(?![^\W_])")


class HeaderUnit(NamedTuple):
    """A header that ends with a unit.

    name: the text before the unit.
    square: whether the unit is in square brackets.
    """

    name: str
    unit: str
    square: bool


def header_unit(header: str) -> HeaderUnit | None:
    """Reads the unit at the end of a header. Returns None if there is no unit."""
    found = _BRACKETED.fullmatch(header)
    if found is None:
        return None
    square = found[2] is not None
    unit = found[2] if square else found[3]
    return HeaderUnit(found[1].strip(), unit, square) if is_unit(unit) else None


def header_units(headers: Sequence[str]) -> list[HeaderUnit | None]:
    """Reads the unit of each header of a file.

    A sibling with another word in brackets means that the bracket is no unit.

    `Temp (min)` beside `Temp (max)` is no minute, and `Group (A)` beside `Group (B)` no ampere.
    """
    lowest = any(_NO_MINUTES.search(header) for header in headers)
    found = [header_unit(header) for header in headers]
    siblings: dict[str, list[int]] = {}
    for position, header in enumerate(headers):
        if (parts := _BRACKETED.fullmatch(header)) is not None:
            siblings.setdefault(parts[1].strip().casefold(), []).append(position)
    for places in siblings.values():
        if any(found[place] is None for place in places):
            for place in places:
                found[place] = None
    return [None if lowest and said is not None and said.unit.casefold() == "min" else said for said in found]


def without_units(headers: Sequence[str], measured: Sequence[bool]) -> list[str]:
    """Removes units in square brackets from headers, if the remaining names stay unique.

    measured: whether the column of a header has numbers with a unit.
    """
    plain = [
        said.name if said is not None and said.square and has_unit else header
        for header, said, has_unit in zip(headers, header_units(headers), measured, strict=True)
    ]
    lowered = [name.casefold() for name in plain]
    return [
        name if lowered.count(name.casefold()) == 1 else header for name, header in zip(plain, headers, strict=True)
    ]
