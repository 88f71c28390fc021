"""Parses periods in words: `in Q2`, `last 30 days`, `since May`, `between 2021-01-01 and March 2022`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from atlas.language.offline.questions.lexicon import MONTHS, UNITS
from atlas.language.offline.questions.tokenizer import Token

_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_QUARTER = re.compile(r"q([1-4])|h([12])")
_DECADE = re.compile(r"(1[5-9]\d0|20\d0|21\d0)s")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_NOW = "now()"


class Period(msgspec.Struct, frozen=True):
    """A period [start, end) as SQL expressions.

    start, end: None where open.
    used: the number of tokens.
    first, last: the days that bound the period, without `last`, if the words name days, months or years.
    month: a month without a year.
    """

    start: str | None
    end: str | None
    used: int
    first: date | None = None
    last: date | None = None
    month: int | None = None
    relative: bool = False


def period(found: Sequence[Token], index: int, today: date) -> Period | None:
    """Parses the period that starts at a token, prepositions included. Returns None if no period starts there."""
    word = found[index].lower
    if word in ("since", "after", "before", "until", "till", "from", "between", "starting", "prior", "by", "through"):
        return _parse_bounded(found, index, today)
    if word in ("in", "during", "on", "within", "over", "for", "of", "throughout", "at"):
        skip = 1
        while index + skip < len(found) and found[index + skip].lower in (
            "the",
            "whole",
            "course",
            "of",
            "month",
            "year",
        ):
            if found[index + skip].lower == "month" and not _parse_named(found, index + skip + 1, today):
                break
            skip += 1
        named = _parse_named(found, index + skip, today, led=True)
        return None if named is None else msgspec.structs.replace(named, used=named.used + skip)
    return _parse_named(found, index, today)


def _parse_bounded(found: Sequence[Token], index: int, today: date) -> Period | None:
    word = found[index].lower
    skip = 1
    while index + skip < len(found) and found[index + skip].lower in ("the", "to", "from", "of", "year", "month"):
        skip += 1
    one = _parse_named(found, index + skip, today, led=True)
    if one is None:
        return None
    used = skip + one.used
    if word in ("between", "from"):
        joint = index + used
        if joint < len(found) and found[joint].lower in ("and", "to", "until", "till", "through", "up"):
            more = 2 if found[joint].lower == "up" else 1
            two = _parse_named(found, joint + more, today, led=True)
            if two is not None:
                return Period(one.start, two.end, used + more + two.used, one.first, two.last)
        if word == "between":
            return None
    if word == "by":
        return None
    if word in ("since", "from", "starting"):
        return Period(one.start, None, used, one.first)
    if word == "after":
        # `after` a day or a year starts at its end. `after` a relative moment starts at the moment.
        return Period(one.end or one.start, None, used, one.last)
    if word in ("before", "prior"):
        return Period(None, one.start, used, None, one.first)
    return Period(None, one.end, used, None, one.last)


def _parse_named(found: Sequence[Token], index: int, today: date, *, led: bool = False) -> Period | None:
    """Parses a period without its preposition.

    led: whether a preposition stands before.
    """
    if index >= len(found):
        return None
    for parse in (_relative, _quarter, _month, _day, _year):
        result = parse(found, index, today, led)
        if result is not None:
            return result
    return None


def _word(found: Sequence[Token], index: int) -> str:
    return found[index].lower if 0 <= index < len(found) else ""


def _relative(found: Sequence[Token], index: int, today: date, led: bool) -> Period | None:
    word = _word(found, index)
    if not word:
        return None
    if word == "the":
        inner = _relative(found, index + 1, today, led)
        return None if inner is None else msgspec.structs.replace(inner, used=inner.used + 1)
    if word in ("today", "yesterday", "tomorrow"):
        shift = {"today": 0, "yesterday": -1, "tomorrow": 1}[word]
        return _days(shift, 1)
    if word in ("ytd", "mtd"):
        return Period(f"date_trunc('{'year' if word == 'ytd' else 'month'}', now())", None, 1, relative=True)
    if word in ("last", "past", "previous", "recent", "preceding", "next", "this", "current"):
        after = found[index + 1] if index + 1 < len(found) else None
        if after is None:
            return None
        if after.kind == "number" and isinstance(after.value, int) and word != "this":
            unit = UNITS.get(_word(found, index + 2))
            if unit is None:
                return None
            return _rolling(word, after.value, unit, 3)
        if after.lower in ("few", "couple"):
            return None
        unit = UNITS.get(after.lower)
        if unit is None or after.lower.endswith(("ly", "s")) or unit == "decade":
            return None
        if word == "past":
            return _rolling(word, 1, unit, 2)
        return _calendar(unit, {"this": 0, "current": 0, "next": 1}.get(word, -1), 2)
    token = found[index]
    if token.kind == "number" and isinstance(token.value, int) and _word(found, index + 2) == "ago":
        unit = UNITS.get(_word(found, index + 1))
        if unit is not None and unit != "decade":
            return _calendar(unit, -token.value, 3)
    return None


def _rolling(word: str, count: int, unit: str, used: int) -> Period:
    if unit == "decade":
        count, unit = 10 * count, "year"
    if unit == "quarter":
        count, unit = 3 * count, "month"
    span = f"interval '{count} {unit}{'s' if count != 1 else ''}'"
    if word == "next":
        return Period(_NOW, f"{_NOW} + {span}", used, relative=True)
    return Period(f"{_NOW} - {span}", None, used, relative=True)


def _calendar(unit: str, shift: int, used: int) -> Period:
    def at(number: int) -> str:
        base = f"date_trunc('{unit}', {_NOW})"
        count, name = (3 * abs(number), "month") if unit == "quarter" else (abs(number), unit)
        return (
            base
            if number == 0
            else f"{base} {'-' if number < 0 else '+'} interval '{count} {name}{'s' if count != 1 else ''}'"
        )

    return Period(at(shift), at(shift + 1), used, relative=True)


def _days(shift: int, used: int) -> Period:
    return _calendar("day", shift, used)


def between(first: date, last: date, used: int) -> Period:
    """Returns the period from `first` up to `last`, without the day `last`."""
    return Period(f"DATE '{first}'", f"DATE '{last}'", used, first, last)


def _quarter(found: Sequence[Token], index: int, today: date, led: bool) -> Period | None:
    match = _QUARTER.fullmatch(_word(found, index))
    used = 1
    if match is None:
        if _word(found, index) in _ORDINALS and _word(found, index + 1) in ("quarter", "half"):
            number, half = _ORDINALS[_word(found, index)], _word(found, index + 1) == "half"
            used = 2
        elif _word(found, index) == "quarter" and index + 1 < len(found) and found[index + 1].value in (1, 2, 3, 4):
            number, half, used = int(found[index + 1].value or 1), False, 2
        else:
            return None
    else:
        half = match[2] is not None
        number = int(match[2] or match[1])
    year, more = _following_year(found, index + used)
    months = 6 if half else 3
    first = 1 + (number - 1) * months
    if first > 12:
        return None
    return between(
        date(year or today.year, first, 1), _add_months(date(year or today.year, first, 1), months), used + more
    )


def _following_year(found: Sequence[Token], index: int) -> tuple[int | None, int]:
    """Returns a year after a month or quarter, and the number of tokens."""
    skip = 0
    while _word(found, index + skip) in ("of", ",", "in", "the", "year"):
        skip += 1
    if index + skip < len(found):
        token = found[index + skip]
        if token.kind == "number" and token.text.isdigit() and len(token.text) == 4 and 1500 <= int(token.text) <= 2200:
            return int(token.text), skip + 1
    return None, 0


def _month(found: Sequence[Token], index: int, today: date, led: bool) -> Period | None:
    word = _word(found, index).rstrip(".")
    number = MONTHS.get(word)
    if number is None:
        return None
    after = found[index + 1] if index + 1 < len(found) else None
    ordinal = None if after is None else _ORDINAL.fullmatch(after.lower)
    if after is not None and (
        ordinal or (after.kind == "number" and after.text.isdigit() and 1 <= int(after.text) <= 31)
    ):
        day = int(ordinal[1]) if ordinal else int(after.text)
        year, more = _following_year(found, index + 2)
        return _one_day(year or today.year, number, day, 2 + more)
    year, more = _following_year(found, index + 1)
    if year is None and word in ("may", "mar", "march") and not led:
        return None
    guess = year or (today.year if number <= today.month else today.year - 1)
    result = between(date(guess, number, 1), _add_months(date(guess, number, 1), 1), 1 + more)
    return result if year else msgspec.structs.replace(result, month=number)


def _day(found: Sequence[Token], index: int, today: date, led: bool) -> Period | None:
    word = _word(found, index)
    match = _ISO.fullmatch(word)
    if match:
        year, month = int(match[1]), int(match[2])
        if match[3]:
            return _one_day(year, month, int(match[3]), 1)
        if 1 <= month <= 12:
            return between(date(year, month, 1), _add_months(date(year, month, 1), 1), 1)
        return None
    slashed = _SLASHED.fullmatch(word)
    if slashed:
        return _one_day(int(slashed[3]), int(slashed[1]), int(slashed[2]), 1)
    ordinal = _ORDINAL.fullmatch(word)
    day = int(ordinal[1]) if ordinal else int(word) if word.isdigit() and len(word) <= 2 else None
    if day is None:
        return None
    skip = 2 if _word(found, index + 1) == "of" else 1
    month_number = MONTHS.get(_word(found, index + skip))
    if month_number is None:
        return None
    year_, more = _following_year(found, index + skip + 1)
    return _one_day(year_ or today.year, month_number, day, skip + 1 + more)


def _year(found: Sequence[Token], index: int, today: date, led: bool) -> Period | None:
    token = found[index]
    decade = _DECADE.fullmatch(token.lower)
    if decade is not None:
        first = int(decade[1])
        return between(date(first, 1, 1), date(first + 10, 1, 1), 1)
    if (
        token.kind != "number"
        or not token.text.isdigit()
        or len(token.text) != 4
        or not 1500 <= int(token.text) <= 2200
    ):
        return None
    if not led and _word(found, index - 1) not in ("year", "fiscal", "calendar", "of", "in"):
        return None
    return between(date(int(token.text), 1, 1), date(int(token.text) + 1, 1, 1), 1)


def _one_day(year: int, month: int, day: int, used: int) -> Period | None:
    try:
        first = date(year, month, day)
    except ValueError:
        return None
    return between(first, first + timedelta(days=1), used)


def _add_months(start: date, months: int) -> date:
    total = start.month - 1 + months
    return date(start.year + total // 12, total % 12 + 1, start.day)
