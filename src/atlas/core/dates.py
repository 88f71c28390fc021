"""Which date formats read all texts of a column, tried with the standard library's strptime."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y",
    "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y",
    "%d. %B %Y", "%b %d, %Y", "%b %d %Y", "%B %d, %Y", "%B %d %Y", "%d/%b/%Y", "%a, %d %b %Y", "%A, %B %d, %Y",
    "%b %Y", "%B %Y", "%Y-%m",
)  # fmt: skip
TIME_FORMATS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M%p")
_SHAPE = re.compile(r"[A-Za-zÀ-ÿ]+|\d+")
_EARLIEST, _LATEST = 1000, 2999
# Distinct values are enough, and this many of them decide.
_TRIED = 300


def candidate_formats(texts: Sequence[str], enough: Callable[[int, int], bool]) -> list[str]:
    """Formats by which `enough(matching, all)` of the texts are dates, in the order of DATE_FORMATS."""
    distinct = list(dict.fromkeys(text.strip() for text in texts))[:_TRIED]
    # Without a separator there is nothing to tell a date from a number but eight digits.
    if not distinct or not any(len(_SHAPE.findall(text)) >= 2 or len(text) == 8 for text in distinct[:5]):
        return []
    found = []
    for layout in _layouts(distinct):
        if not _plausible(layout, distinct[0]) and not _plausible(layout, distinct[-1]):
            continue
        matching = sum(1 for text in distinct if reads(text, layout))
        if matching and enough(matching, len(distinct)):
            found.append(layout)
    return found


def _layouts(texts: Sequence[str]) -> list[str]:
    timed = sum(":" in text for text in texts) * 2 > len(texts)
    if not timed:
        return list(DATE_FORMATS)
    joins = ("T",) if sum("T" in text[8:12] for text in texts) * 2 > len(texts) else (" ", ", ")
    return [f"{day}{join}{clock}" for day in DATE_FORMATS for join in joins for clock in TIME_FORMATS]


def _plausible(layout: str, text: str) -> bool:
    """A cheap look at the separators before strptime, which is slow."""
    if ("%b" in layout or "%B" in layout or "%a" in layout.lower()) != bool(re.search(r"[A-Za-zÀ-ÿ]{3}", text)):
        return False
    between = re.sub(r"%.", "", layout)
    return all(character in text for character in between if character in "/.-,")


def reads(text: str, layout: str) -> bool:
    """Whether a text is a date of a likely year by a format."""
    try:
        moment = datetime.strptime(text, layout)
    except ValueError:
        return False
    # strptime takes "2024" for %y%m…; DuckDB and people do not.
    return _EARLIEST <= moment.year <= _LATEST and ("%y" not in layout or not re.search(r"\d{4}", text))
