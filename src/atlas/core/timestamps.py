"""Timestamps: ISO 8601 text, `datetime` in UTC, and microseconds since 1970, into each other."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MIN_MICROS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
MAX_MICROS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND

_FRACTION = re.compile(r"[.,](\d{7,})")
# A "+" that nobody escaped reaches a query parameter as a space.
_LOST_PLUS = re.compile(r" (\d{2}(?::?\d{2})?)$")


def parse_timestamp(text: str) -> datetime:
    """`text`, ISO 8601 in any zone (none means UTC), as a UTC datetime.

    Raises ValueError, with the reason as its message, for what is not a date of the years 1 to 9999
    or is finer than a microsecond.
    """
    fraction = _FRACTION.search(text)
    if fraction and fraction[1][6:].strip("0"):
        raise ValueError("finer than a microsecond")
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:64]!r} is not an ISO 8601 timestamp") from None
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text[:64]!r} is outside the years 1 to 9999 in UTC") from None


def parse_parameter(text: str) -> datetime:
    """`parse_timestamp` for a query parameter, where an unescaped `+01:00` arrives as ` 01:00`."""
    text = text.strip()
    if "T" in text or text.count(" ") > 1:
        text = _LOST_PLUS.sub(r"+\1", text)
    return parse_timestamp(text)


def to_micros(value: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (value - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def format_timestamp(value: datetime) -> str:
    """ISO 8601 in UTC with a `Z`, with as many of 0, 3 or 6 digits of a second as are needed."""
    value = value.astimezone(UTC)
    text = value.replace(tzinfo=None, microsecond=0).isoformat()
    if not value.microsecond:
        return text + "Z"
    if value.microsecond % 1000:
        return f"{text}.{value.microsecond:06d}Z"
    return f"{text}.{value.microsecond // 1000:03d}Z"
