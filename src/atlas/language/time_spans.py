"""Years, quarters and months in words and figures, in four languages."""

from __future__ import annotations

import calendar
import re
from datetime import date

_MONTHS = (
    "january jan januar jänner janvier janv enero ene",
    "february feb februar février fevrier févr fév febrero",
    "march mar märz maerz mrz mars marzo",
    "april apr avril avr abril abr",
    "may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet juil julio",
    "august aug août aout agosto ago",
    "september sep sept septembre septiembre",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez décembre déc diciembre dic",
)
_BY_WORD = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()}
_YEAR = re.compile(r"(?:1[5-9]|2[01])\d\d")
_MONTH = re.compile(r"([^\W\d_]+)\.?,?(?: of| de| del)? ((?:1[5-9]|2[01])\d\d)")
_FIGURES = re.compile(r"((?:1[5-9]|2[01])\d\d)-(\d\d)|(\d{1,2})/((?:1[5-9]|2[01])\d\d)")
_QUARTER = re.compile(r"[qt]([1-4])[ /-]?((?:1[5-9]|2[01])\d\d)|((?:1[5-9]|2[01])\d\d)[ /-]?[qt]([1-4])", re.IGNORECASE)


def find_span(text: str) -> tuple[date, date] | None:
    """Finds the first and the last day of a year, a quarter or a month. None for any other text.

    Known are `2024`, `Q1 2024`, `March 2024`, `mars 2024`, `2024-03` and `03/2024`.
    """
    plain = text.strip()
    if _YEAR.fullmatch(plain):
        return date(int(plain), 1, 1), date(int(plain), 12, 31)
    if found := _QUARTER.fullmatch(plain):
        last = 3 * int(found[1] or found[4])
        return _months(int(found[2] or found[3]), last - 2, last)
    if found := _FIGURES.fullmatch(plain):
        month = int(found[2] or found[3])
        return _months(int(found[1] or found[4]), month, month) if 1 <= month <= 12 else None
    if (found := _MONTH.fullmatch(plain)) and (month := _BY_WORD.get(found[1].lower(), 0)):
        return _months(int(found[2]), month, month)
    return None


def _months(year: int, first: int, last: int) -> tuple[date, date]:
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])
