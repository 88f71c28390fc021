"""Converts timestamps between ISO 8601 text, `datetime` in UTC, and microseconds since 1970.

The accepted forms of ISO 8601 are defined here alone. So a text means the same in every body, parameter and version of
Python. `docs/values.md` lists the forms.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MIN_MICROS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
MAX_MICROS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
# Older versions accepted the year 0, which is 1 BC. Such rows are still read, but no longer accepted.
YEAR_0_MICROS = MIN_MICROS - 366 * 86_400_000_000
# Units of numbers that count from 1970, and how many of them make a second.
EPOCHS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
NO_UNIT = "a number does not say its unit"
# What a caller can do about a missing unit, for every parameter that accepts `epoch`.
NAME_UNIT = "say it with epoch=s, ms, us or ns in the query"
# The number of days and years after which the calendar repeats itself.
_CYCLE_DAYS, _CYCLE_YEARS = 146_097, 400

# The form of nearly all timestamps, which `fromisoformat` of every Python version parses alike.
_PLAIN = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.(?:\d{3}|\d{6}))?(?:Z|[+-]\d\d:[0-5]\d)?", re.ASCII
)
_DATE = (
    r"(?P<year>\d{4})"
    r"(?:-(?P<month>\d\d)-(?P<day>\d\d)|(?P<month_>\d\d)(?P<day_>\d\d)"
    r"|-W(?P<week>\d\d)-(?P<weekday>\d)|W(?P<week_>\d\d)(?P<weekday_>\d)"
    r"|-(?P<ordinal>\d{3})|(?P<ordinal_>\d{3})(?=[Tt ]))"
)
_TIME = (
    r"(?P<hour>\d\d)"
    r"(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"|(?P<minute_>\d\d)(?:(?P<second_>\d\d)(?:[.,](?P<fraction_>\d+))?)?)?"
)
_ZONE = r"(?P<zone>[Zz]|[+-]\d\d(?::[0-5]\d(?::[0-5]\d)?|[0-5]\d(?:[0-5]\d)?)?)"
_FORM = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}{_ZONE}?)?", re.ASCII)
# Texts that resemble ISO 8601, and their error.
_MISTAKES = tuple(
    (re.compile(pattern, re.ASCII | re.DOTALL), reason)
    for pattern, reason in (
        (r"", "it is empty"),
        (r"\s.*|.*\s", "there is a blank around it"),
        (r"\d{4}-?W?\d\d", "it names no day"),
        (r"[+-]\d{5,}.*|\d{5,}-.*", "a year has four digits and no sign"),
        (r"\d{8}(\d{4}|\d{6})([.,]\d+)?([Zz]|[+-].*)?", "there is no T between the day and the time of day"),
        (r"-?\d+(\.\d+)?", NO_UNIT),
        (r"\d{4}-?\d\d-?\d\d([Zz]|[+-].*)", "a zone needs a time of day"),
        (r".*[Tt ]\d\d(:?\d\d)?[.,]\d+([Zz]|[+-].*)?", "an hour or minute has no fraction"),
    )
)
# An unescaped "+" reaches a query parameter as a space.
_LOST_PLUS = re.compile(r" (\d{2}(?::?\d{2})?)$")
_NUMBER = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?:\.(?P<fraction>\d+))?", re.ASCII)
_DAY_ALONE = re.compile(r"\d{4}-?(?:\d\d-?\d\d|W\d\d-?\d|\d{3})", re.ASCII)


class _UnfitError(Exception):
    """A text of an accepted form with values that are not. Its message is the whole reason."""


def parse_timestamp(text: str) -> datetime:
    """Parses ISO 8601 in any zone (none means UTC) to a UTC datetime.

    Raises ValueError, with the reason as its message, for a form that is not accepted. So do times outside the years 1
    to 9999, and times finer than a microsecond.
    """
    shown = repr(text[:64])
    try:
        if _PLAIN.fullmatch(text):
            return _parse_plain(text)
        if found := _FORM.fullmatch(text):
            return _build_time({name.rstrip("_"): part for name, part in found.groupdict().items() if part is not None})
    except OverflowError:
        raise ValueError(f"{shown} is outside the years 1 to 9999 in UTC") from None
    except _UnfitError as error:
        raise ValueError(f"{shown} is no timestamp: {error}") from None
    reason = next((f": {reason}" for pattern, reason in _MISTAKES if pattern.fullmatch(text)), "")
    raise ValueError(f"{shown} is not an ISO 8601 timestamp{reason}")


def _parse_plain(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        found = _FORM.fullmatch(text)
        assert found is not None
        return _build_time({name: part for name, part in found.groupdict().items() if part is not None})
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _build_time(parts: dict[str, str]) -> datetime:
    """Builds the UTC datetime from the parts of a text. Raises _UnfitError or OverflowError."""
    day = _build_day(parts)
    hour, minute, second = (int(parts.get(name, "0")) for name in ("hour", "minute", "second"))
    fraction = parts.get("fraction", "")
    if fraction[6:].strip("0"):
        raise _UnfitError("it is finer than a microsecond")
    microsecond = int(fraction[:6].ljust(6, "0"))
    if second == 60:
        raise _UnfitError("a leap second has no place in it, as a minute ends with second 59")
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second or microsecond)):
        raise _UnfitError("there is no such time of day")
    # Computed together, since the midnight that ends the year 9999 may be earlier in UTC.
    since = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + (since - _parse_offset(parts.get("zone", "Z")))


def _build_day(parts: dict[str, str]) -> date:
    year = int(parts["year"])
    if not year:
        raise _UnfitError("there is no year 0, as years are 1 to 9999")
    try:
        if "week" in parts:
            return date.fromisocalendar(year, int(parts["week"]), int(parts["weekday"]))
        if "month" in parts:
            return date(year, int(parts["month"]), int(parts["day"]))
    except ValueError:
        raise _UnfitError("there is no such day") from None
    number = int(parts["ordinal"])
    if not 1 <= number <= (date(year, 12, 31) - date(year, 1, 1)).days + 1:
        raise _UnfitError("the year does not have that day")
    return date(year, 1, 1) + timedelta(days=number - 1)


def _parse_offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    hours, minutes, seconds = (int(digits[at : at + 2] or "0") for at in (0, 2, 4))
    if hours > 23:
        raise _UnfitError("there is no such zone")
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if zone[0] == "-" else offset


def parse_epoch(text: str, unit: str) -> int:
    """Converts `text`, a number of `unit` since 1970, to microseconds without rounding.

    Raises ValueError, with the reason as its message, for another text. So do times outside the years 1 to 9999, and
    times finer than a microsecond.
    """
    shown = repr(text[:64])
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{shown} is no number of {unit} since 1970 in plain digits")
    # Number of decimal places in a microsecond count of the unit.
    places = {"s": 6, "ms": 3, "us": 0, "ns": -3}[unit]
    digits, fraction = found["whole"].lstrip("0"), found["fraction"] or ""
    if len(digits) > 30:
        raise ValueError(f"{shown} {unit} since 1970 is outside the years 1 to 9999")
    digits, fraction = digits.rjust(-min(places, 0) + 1, "0"), fraction.ljust(max(places, 0), "0")
    if places < 0:
        digits, fraction = digits[:places], digits[places:] + fraction
    rest = fraction[max(places, 0) :]
    if rest.strip("0"):
        raise ValueError(f"{shown} {unit} since 1970 is finer than a microsecond")
    micros = int((digits or "0") + fraction[: max(places, 0)])
    micros = -micros if found["sign"] else micros
    if not MIN_MICROS <= micros <= MAX_MICROS:
        raise ValueError(f"{shown} {unit} since 1970 is outside the years 1 to 9999")
    return micros


def parse_parameter(text: str) -> datetime:
    """Parses a query parameter as `parse_timestamp` does. In a parameter an unescaped `+01:00` arrives as ` 01:00`."""
    text = text.strip()
    if "T" in text or "t" in text or text.count(" ") > 1:
        text = _LOST_PLUS.sub(r"+\1", text)
    return parse_timestamp(text)


def parse_end(text: str) -> datetime:
    """Parses the end of a range as `parse_parameter` does. A day alone stands for its last microsecond."""
    value = parse_parameter(text)
    return value + (timedelta(days=1) - MICROSECOND) if _DAY_ALONE.fullmatch(text.strip()) else value


def to_micros(value: datetime) -> int:
    """Converts an aware datetime to microseconds since 1970."""
    return (value - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Converts microseconds since 1970 to a UTC datetime."""
    return EPOCH + timedelta(microseconds=micros)


def format_micros(micros: int) -> str:
    """Formats microseconds since 1970, of the years 0 to 9999, as `format_timestamp` does."""
    if micros >= MIN_MICROS:
        return format_timestamp(from_micros(micros))
    text = format_timestamp(from_micros(micros + _CYCLE_DAYS * 86_400_000_000))
    return f"{int(text[:4]) - _CYCLE_YEARS:04d}{text[4:]}"


def format_timestamp(value: datetime) -> str:
    """Formats ISO 8601 in UTC with a `Z`, and a fraction of 0, 3 or 6 digits as needed."""
    value = value.astimezone(UTC)
    text = value.replace(tzinfo=None, microsecond=0).isoformat()
    if not value.microsecond:
        return text + "Z"
    if value.microsecond % 1000:
        return f"{text}.{value.microsecond:06d}Z"
    return f"{text}.{value.microsecond // 1000:03d}Z"
