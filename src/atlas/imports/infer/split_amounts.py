"""Finds amounts with a decimal comma and without quotes in a file with commas between its cells."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from atlas.column_formats.column_names import MEASURES
from atlas.kit.identifiers import identifier

_GROUPED = r"[1-9]\d{0,2}(?:[ .'\u00a0\u202f]\d{3})+"
_WHOLE = re.compile(rf"[-+]?[^\w\s]?(?:{_GROUPED}|0|[1-9]\d*)")
_CENTS = re.compile(r"\d{2}\s?[^\w\s]?")
# The maximum number of amounts in a row, and of columns that may hold them.
_MOST_SPLIT, _MOST_NAMED = 3, 12


def split_amounts(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str] | None:
    """Returns the first amount that fills two cells, as written and as a number. None: the rows have no such amounts.

    names: of the columns, fewer than a row has cells.
    All rows must have equally many extra cells. Each extra cell must be two digits behind a whole number, in a column
    whose name is that of a measure.
    """
    extra = {len(row) - len(names) for row in rows}
    if len(extra) != 1 or not 0 < min(extra) <= _MOST_SPLIT:
        return None
    measured = [place for place, name in enumerate(names) if MEASURES.search(identifier(name))][:_MOST_NAMED]
    for chosen in itertools.combinations(measured, extra.pop()):
        places = list(_places(chosen))
        if all(_WHOLE.fullmatch(row[at]) and _CENTS.fullmatch(row[at + 1]) for row in rows for at in places):
            whole, cents = rows[0][places[0]], rows[0][places[0] + 1]
            return f"{whole},{cents}", re.sub(r"[ .'\u00a0\u202f]", "", whole) + f".{cents}"
    return None


def _places(chosen: Sequence[int]) -> Iterator[int]:
    """Yields the positions of the whole numbers in a row. Each amount takes one extra cell."""
    for number, place in enumerate(chosen):
        yield place + number
