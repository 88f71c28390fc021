"""Finds amounts with a decimal comma that stand without quotes in a file whose cells have commas between them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from atlas.column_formats.column_names import MEASURES
from atlas.kit.identifiers import identifier

_WHOLE, _CENTS = re.compile(r"[-+]?[^\w\s]?(?:0|[1-9]\d*)"), re.compile(r"\d{2}\s?[^\w\s]?")
# Amounts in a row, and columns that may hold them.
_MOST_SPLIT, _MOST_NAMED = 3, 12


def split_amounts(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str] | None:
    """The first amount that fills two cells, as cells and as a number; None where the rows are not so.

    names: of the columns, fewer than a row has cells. Each row must have the same cells too many, each of them two
    digits behind a whole number in a column whose name says that it measures something.
    """
    extra = {len(row) - len(names) for row in rows}
    if len(extra) != 1 or not 0 < min(extra) <= _MOST_SPLIT:
        return None
    measured = [place for place, name in enumerate(names) if MEASURES.search(identifier(name))][:_MOST_NAMED]
    for chosen in itertools.combinations(measured, extra.pop()):
        places = list(_places(chosen))
        if all(_WHOLE.fullmatch(row[at]) and _CENTS.fullmatch(row[at + 1]) for row in rows for at in places):
            whole, cents = rows[0][places[0]], rows[0][places[0] + 1]
            return f"{whole},{cents}", f"{whole}.{cents}"
    return None


def _places(chosen: Sequence[int]) -> Iterator[int]:
    """Where the cells of whole numbers are in a row, of which each takes one more cell."""
    for number, place in enumerate(chosen):
        yield place + number
