"""Reads periods as days: `in 2023`, `since January 2020`, `last 30 days`, `this year`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from atlas.language.offline.questions.lexicon import MONTHS, UNITS
from atlas.language.offline.questions.series.plan import Span
from atlas.language.offline.questions.series.target import Target
from atlas.language.offline.questions.time_phrases import period
from atlas.language.offline.questions.tokenizer import Token

_LEADS = ("in", "over", "during", "for", "within", "of", "from", "since", "throughout")
_SMALL = ("the", "of", "year", "course", "whole", "month", "start", "beginning")
_ROLLING = ("last", "past", "previous", "recent", "preceding")


class SpanError(Exception):
    """A period that the data does not have. The text says why."""


@dataclass(frozen=True)
class FoundSpan:
    """A span, the number of its tokens, and how unclear words were read."""

    span: Span
    used: int
    note: str = ""


def read_span(found: Sequence[Token], at: int, today: date, target: Target) -> FoundSpan | None:
    """Reads the period that starts at a token. Returns None if no period starts there.

    Raises SpanError: when the period lies outside the data.
    """
    relative = _relative(found, at, today, target)
    if relative is not None:
        return relative
    named = _months_in_data(found, at, target) or _named(found, at, today) or _bare_year(found, at, target)
    if named is None:
        return None
    _check(named.span, target)
    return named


def _named(found: Sequence[Token], at: int, today: date) -> FoundSpan | None:
    when = period(found, at, today)
    if when is None or when.relative or (when.first is None and when.last is None):
        return None
    words = " ".join(token.text for token in found[at : at + when.used])
    bounds = [None if day is None else day.isoformat() for day in (when.first, when.last)]
    return FoundSpan(Span(bounds[0], bounds[1], words), when.used)


def _bare_year(found: Sequence[Token], at: int, target: Target) -> FoundSpan | None:
    """Reads a year without a preposition, if the data has rows near it."""
    text = found[at].text
    if not re.fullmatch(r"(?:19|20|21)\d\d", text):
        return None
    year = int(text)
    if target.low is None or target.high is None or not target.low.year - 5 <= year <= target.high.year + 5:
        return None
    return FoundSpan(Span(f"{year}-01-01", f"{year + 1}-01-01", text), 1)


def _months_in_data(found: Sequence[Token], at: int, target: Target) -> FoundSpan | None:
    """Reads a month without a year as the last such month in the data: `in April`, `since March`."""
    skip, lead = 0, ""
    while at + skip < len(found) and found[at + skip].lower in (*_LEADS, "before", "after", "until", "the", "month"):
        lead = found[at + skip].lower if found[at + skip].lower not in ("the", "month", "of") else lead
        skip += 1
    if at + skip >= len(found) or target.high is None:
        return None
    word = found[at + skip].lower.rstrip(".")
    number = MONTHS.get(word)
    if number is None or (word in ("may", "mar", "march") and not skip):
        return None
    ahead = [token for token in found[at + skip + 1 : at + skip + 3] if token.lower not in ("of", ",")]
    if ahead and (ahead[0].kind == "number" or re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)", ahead[0].lower)):
        # A day or a year follows.
        return None
    year = target.high.year if number <= target.high.month else target.high.year - 1
    first, end = date(year, number, 1), _next_month(date(year, number, 1))
    start: date | None = first
    stop: date | None = end
    if lead in ("since", "from"):
        stop = None
    elif lead == "after":
        start, stop = end, None
    elif lead == "before":
        start, stop = None, first
    elif lead == "until":
        start = None
    words = " ".join(token.text for token in found[at : at + skip + 1])
    name = f"{word.capitalize()} is read as {first:%B} {year}, the last in the data."
    span = Span(start.isoformat() if start else None, stop.isoformat() if stop else None, words)
    return FoundSpan(span, skip + 1, name)


def _relative(found: Sequence[Token], at: int, today: date, target: Target) -> FoundSpan | None:
    skip, since = 0, False
    while (
        at + skip < len(found) and found[at + skip].lower in (*_LEADS, *_SMALL) and not _starts_so_far(found, at + skip)
    ):
        since = since or found[at + skip].lower in ("since", "from")
        skip += 1
    words = [token.lower for token in found[at + skip : at + skip + 3]]
    if not words or (skip and found[at + skip - 1].lower == "year"):
        return None
    read = _read_relative(words, found[at + skip :], today, target)
    if read is None:
        return None
    (start, end, used, note), text = read, " ".join(token.text for token in found[at : at + skip + read[2]])
    span = Span(start.isoformat(), None if since or end is None else end.isoformat(), text)
    if not note:
        _check(span, target)
    return FoundSpan(span, skip + used, note)


def _starts_so_far(found: Sequence[Token], at: int) -> bool:
    return [token.lower for token in found[at + 1 : at + 3]] == ["to", "date"]


_Read = tuple[date, date | None, int, str]


def _read_relative(words: list[str], found: Sequence[Token], today: date, target: Target) -> _Read | None:
    if words[:3] == ["year", "to", "date"] or words[0] == "ytd":
        return _so_far("year", 3 if words[0] == "year" else 1, today, target)
    if words[:3] == ["month", "to", "date"] or words[0] == "mtd":
        return _so_far("month", 3 if words[0] == "month" else 1, today, target)
    if words[0] in ("today", "yesterday"):
        day = today - timedelta(days=words[0] == "yesterday")
        return day, day + timedelta(days=1), 1, ""
    if len(words) < 2:
        return None
    unit = UNITS.get(words[1])
    if words[0] in ("this", "current") and unit in ("year", "quarter", "month", "week") and words[1] == unit:
        first = _floor(today, unit)
        return first, _shift(first, unit, 1), 2, ""
    if words[0] not in _ROLLING:
        return None
    if found[1].kind == "number" and isinstance(found[1].value, int) and len(words) > 2:
        unit = UNITS.get(words[2])
        return None if unit is None else _rolling(found[1].value, unit, 3, today, target)
    if unit is None or words[1] != unit or unit in ("decade", "hour", "minute", "day"):
        return None
    if words[0] == "past":
        return _rolling(1, unit, 2, today, target)
    first = _shift(_floor(today, unit), unit, -1)
    return first, _shift(first, unit, 1), 2, ""


def _so_far(unit: str, used: int, today: date, target: Target) -> _Read:
    """Returns the year or month up to now, or that of the last row if the data ends before."""
    first, high = _floor(today, unit), target.high
    if high is not None and high.date() < first:
        last = _floor(high.date(), unit)
        return last, None, used, f"The data ends on {high:%Y-%m-%d}, so the {unit} to date starts on {last}."
    return first, None, used, ""


def _rolling(count: int, unit: str, used: int, today: date, target: Target) -> _Read | None:
    if unit in ("minute", "hour") or not 0 < count < 10_000:
        return None
    if unit == "decade":
        count, unit = 10 * count, "year"
    start, high = _shift(today, unit, -count), target.high
    if high is not None and high.date() < start:
        # An old dataset has a last year of its own.
        end = high.date() + timedelta(days=1)
        start = _shift(high.date(), unit, -count)
        note = f"The data ends on {high:%Y-%m-%d}, so the last {count} {unit}s are counted back from then."
        return start, end, used, note
    return start, None, used, ""


def _check(span: Span, target: Target) -> None:
    """Refuses a period without any row.

    Raises SpanError: with the time of the data.
    """
    if target.low is None or target.high is None:
        return
    low, high = target.low.date().isoformat(), target.high.date().isoformat()
    if (span.start is not None and span.start > high) or (span.end is not None and span.end <= low):
        raise SpanError(f"The data of {target.table.name} is from {low} to {high}, and has nothing {span.words}.")


def _floor(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    return date(day.year, 1, 1) if unit == "year" else day


def _shift(day: date, unit: str, count: int) -> date:
    if unit in ("day", "week"):
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    total = day.year * 12 + day.month - 1 + months
    first = date(total // 12, total % 12 + 1, 1)
    return first.replace(day=min(day.day, (_next_month(first) - timedelta(days=1)).day))


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def day_of(span: Span) -> bool:
    """Checks whether a span is a single day."""
    if span.start is None or span.end is None:
        return False
    return datetime.fromisoformat(span.end) - datetime.fromisoformat(span.start) == timedelta(days=1)
