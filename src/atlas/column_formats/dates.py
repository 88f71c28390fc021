"""Finds the format of dates and times: the order and notation that all texts of a column share.

A format is tried with the standard library's strptime, and is a pattern that each text must match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from atlas.column_formats.column_names import BIRTHS, DATES, LABELS
from atlas.column_formats.model import TEXT, Hints, Kind

DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %B %Y",
    "%d. %B %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%d/%b/%Y",
    "%a, %d %b %Y",
    "%A, %B %d, %Y",
)
TIME_FORMATS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M%p")
_SHAPE = re.compile(r"[A-Za-zÀ-ÿ]+|\d+")
_DIGIT = re.compile(r"\d")
_EARLIEST, _LATEST = 1000, 2999
# Only distinct values are tried, up to this number.
_TRIED = 300
# Two-digit years beside numbers only. Versions and part numbers look the same.
_SHORT = re.compile(r"%[dm][.-]%[dm][.-]%y")
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_PATTERNS = {
    "Y": r"[12]\d{3}",
    "y": r"\d{2}",
    "m": r"(?:0?[1-9]|1[0-2])",
    "d": r"(?:0?[1-9]|[12]\d|3[01])",
    "b": f"(?i:{'|'.join(month[:3] for month in _MONTHS)})",
    "B": f"(?i:{'|'.join(_MONTHS)})",
    "a": f"(?i:{'|'.join(day[:3] for day in _DAYS)})",
    "A": f"(?i:{'|'.join(_DAYS)})",
    "H": r"(?:[01]?\d|2[0-3])",
    "I": r"(?:0?[1-9]|1[0-2])",
    "M": r"[0-5]\d",
    "S": r"[0-5]\d",
    "f": r"\d{1,6}",
    "p": "(?i:AM|PM)",
}
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])"
ISO_DATE = rf"{_YEAR}-\d\d-\d\d"
# PostgreSQL keeps six of the nine digits of a second.
ISO_TIME = rf"{ISO_DATE}(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{{1,6}}0{{0,3}})?)?\s*(?:Z|UTC|[+-]\d\d(?::?\d\d)?)?)?"
ZONE = r"(?:Z|UTC|:\d\d(?:[.,]\d+)?\s*[+-]\d\d(?::?\d\d)?)$"
_ISO_FORM = re.compile(rf"{ISO_DATE}([T ]\d\d:\d\d.*)?")
_FULL_ISO, _ISO_SHAPE = re.compile(ISO_TIME), re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*( ?\S+)?)?")
# A named zone: `10:00 CET`, `10:00 Europe/Berlin`, `10:00+01:00[Europe/Berlin]`.
_NAMED_ZONE = re.compile(r"(?<=[\dM])\s?(?:\[?[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+)+\]?|(?!AM|PM|UTC)[A-Z]{2,5})$")
# The hour of a midnight that ends its day.
_END_OF_DAY = re.compile(r"(?<=[T ])24(?=:00(?::00)?$)")
# strptime's own rule for two-digit years.
POSIX_CENTURY = 1969


def find_dates(texts: Sequence[str], name: str, hints: Hints) -> Kind | None:
    """Returns the format of dates or times that all texts share, or None.

    Texts that look like times but cannot be read return a text kind with the reason.
    """
    if not all(_DIGIT.search(text) for text in texts):
        return None
    if all(_FULL_ISO.fullmatch(text) for text in texts):
        return Kind("timestamp" if any(":" in text for text in texts) else "date", strict=True)
    if (zone := _find_named_zone(texts)) is not None:
        why = f"its times have zones by name, such as {zone!r}, which are not read; offsets such as +01:00 are"
        return replace(TEXT, why=why)
    if any(_END_OF_DAY.search(text) for text in texts) and candidate_formats([_END_OF_DAY.sub("00", t) for t in texts]):
        return replace(TEXT, why="it has times of 24:00, which are read in ISO 8601 alone")
    if all(_ISO_SHAPE.fullmatch(text) for text in texts) and not candidate_formats(texts):
        return replace(TEXT, why=_why_not_read(next(text for text in texts if not _FULL_ISO.fullmatch(text))))
    timed = [text for text in texts if ":" in text]
    whole = [text for text in texts if ":" not in text]
    fitting = candidate_formats(timed or whole)
    if timed and whole:
        # A missing time of day is a variant of the same format.
        days = set(candidate_formats(whole))
        fitting = [layout for layout in fitting if _day(layout) in days]
    fitting = [layout for layout in fitting if hints.asked or _is_likely(layout, name)]
    if not fitting:
        return None
    chosen = _sort_by_likelihood(fitting, hints)
    formats = (chosen[0], _day(chosen[0])) if timed and whole else (chosen[0],)
    orders = {order for order in map(order_of, chosen) if order is not None}
    century = 0
    if "%y" in chosen[0]:
        century = hints.year - 99 if BIRTHS.search(name) else POSIX_CENTURY
    return Kind(
        "timestamp" if timed else "date",
        formats=formats,
        ambiguous=len(orders) > 1 and hints.day_first is None,
        century=century,
        strict=True,
    )


def _why_not_read(text: str) -> str:
    """Returns why a text in the form of ISO 8601 is read as no time."""
    if re.search(r"(?:UTC|GMT) ?[+-]\d", text):
        return f"the offset of {text!r} is not read; one such as +02:00 is"
    finer = re.search(r"[.,]\d{7,}", text)
    return f"{text!r} is {'finer than microseconds' if finer else 'no time that is read'}"


def _find_named_zone(texts: Sequence[str]) -> str | None:
    """Returns a named zone after a time, when all texts are times and some have a named zone."""
    timed = [text for text in texts if ":" in text]
    zones = [found[0].strip(" []") for text in timed if (found := _NAMED_ZONE.search(text)) is not None]
    if not zones or len(timed) < len(texts):
        return None
    bare = [_NAMED_ZONE.sub("", text) for text in timed]
    dates = all(_ISO_FORM.fullmatch(text) for text in bare) or candidate_formats(bare)
    return zones[0] if dates else None


def _day(layout: str) -> str:
    return re.split(r",? %[HI]|T%H", layout)[0]


def _is_likely(layout: str, name: str) -> bool:
    """Returns whether a format likely means dates in a column of that name."""
    if LABELS.search(name) and not DATES.search(name):
        return False
    return DATES.search(name) is not None or not _SHORT.match(layout) or "%H" in layout or "%I" in layout


def candidate_formats(texts: Sequence[str]) -> list[str]:
    """Returns the formats by which all texts are dates, in the order of DATE_FORMATS."""
    distinct = list(dict.fromkeys(text.strip() for text in texts))[:_TRIED]
    # Without separators only eight digits distinguish a date from a number.
    if not distinct or not all(len(_SHAPE.findall(text)) >= 2 or len(text) == 8 for text in distinct[:5]):
        return []
    found = []
    for layout in _layouts(distinct):
        if _is_plausible(layout, distinct[0]) and all(reads(text, layout) for text in distinct):
            found.append(layout)
    return found


def _layouts(texts: Sequence[str]) -> list[str]:
    timed = sum(":" in text for text in texts) * 2 > len(texts)
    if not timed:
        return list(DATE_FORMATS)
    joins = ("T",) if sum("T" in text[8:12] for text in texts) * 2 > len(texts) else (" ", ", ")
    return [f"{day}{join}{clock}" for day in DATE_FORMATS for join in joins for clock in TIME_FORMATS]


def _is_plausible(layout: str, text: str) -> bool:
    """Checks the separators cheaply before strptime, which is slow."""
    if ("%b" in layout or "%B" in layout or "%a" in layout.lower()) != bool(re.search(r"[A-Za-zÀ-ÿ]{3}", text)):
        return False
    between = re.sub(r"%.", "", layout)
    return all(character in text for character in between if character in "/.-,")


def reads(text: str, layout: str) -> bool:
    """Returns whether a text is a date of a likely year by a format."""
    if not re.fullmatch(layout_pattern(layout), text):
        return False
    try:
        moment = datetime.strptime(text, layout)
    except ValueError:
        return False
    # strptime takes any weekday.
    weekday = layout.startswith("%a") or layout.startswith("%A")
    if weekday and not text.lower().startswith(_DAYS[moment.weekday()][:3].lower()):
        return False
    return _EARLIEST <= moment.year <= _LATEST


@lru_cache(maxsize=1024)
def layout_pattern(layout: str) -> str:
    """Builds a regular expression (RE2) for texts of a format. Some matching texts name days that do not exist."""
    parts = re.split(r"%(.)", layout)
    return "".join(
        _PATTERNS[part] if position % 2 else re.escape(part).replace("\\ ", " ") for position, part in enumerate(parts)
    )


def date_pattern(kind: Kind) -> str:
    """Builds a regular expression (RE2) for texts in the format of a kind."""
    if kind.formats:
        return "|".join(map(layout_pattern, kind.formats))
    return ISO_DATE if kind.type == "date" else ISO_TIME


def order_of(layout: str) -> str | None:
    """Returns "day" or "month", whichever a numeric format has first; None when the order is evident."""
    if layout.startswith(("%d/", "%d-%m")):
        return "day"
    return "month" if layout.startswith(("%m/", "%m-")) else None


def _sort_by_likelihood(formats: Sequence[str], hints: Hints) -> list[str]:
    """Sorts fitting formats by likelihood: the stated order, then the month first, which is usual with slashes."""
    wanted = {True: "day", False: "month", None: "month"}[hints.day_first]
    return sorted(formats, key=lambda layout: (order_of(layout) not in (None, wanted), "%Y" not in layout))
