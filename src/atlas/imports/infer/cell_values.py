"""Tells values from names, by the text of a cell alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

_VALUE = re.compile(
    r"""[^\w]*[+-]?[\d][\d.,'\s]*[^\w]*$            # numbers, amounts, percents, plain dates
      | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}             # dates, with a time or not
      | (true|false)$
      | [^@\s]+@[^@\s]+\.[^@\s]+$                   # e-mail
      | https?://                                   # address
      | [+(]?\d[\d\s().-]{5,}$""",
    re.VERBOSE | re.IGNORECASE,
)
_YEAR = re.compile(r"(19|20)\d\d$")


def looks_like_value(cell: str) -> bool:
    """Checks whether a text is data rather than the name of a column. A year may be both."""
    return bool(_VALUE.match(cell)) and not _YEAR.match(cell)


def is_even(row: Sequence[str], places: Sequence[int]) -> bool:
    """Checks whether the cells of a row are whole numbers in even steps."""
    cells = [row[place] for place in places if place < len(row)]
    if len(cells) < len(places) or any(kind_of(cell) != "whole" for cell in cells):
        return False
    steps = {int(after) - int(before) for before, after in itertools.pairwise(cells)}
    return len(steps) == 1 and steps != {0}


def kind_of(cell: str) -> str:
    if re.fullmatch(r"[+-]?\d+", cell):
        return "whole"
    if re.match(r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?($|[ T])", cell) and not re.fullmatch(r"\d+\.\d+", cell):
        return "date"
    return "number" if looks_like_value(cell) else "text"
