"""Parses times as people type them: ISO 8601, `today`, `2h ago`. All times are in UTC, and no time is guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

from atlas.kit.timestamps import parse_end, parse_timestamp

FORMS = "ISO 8601 such as 2026-01-31T12:00:00Z; now, today, yesterday; or such as -7d, 2h ago, 1h30m ago"
_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hr": 3600,
    "hour": 3600,
    "d": 86_400,
    "day": 86_400,
    "w": 604_800,
    "week": 604_800,
}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_SPAN = r"\d+\s*[a-z]+"
_RELATIVE = re.compile(rf"([+-]?)\s*({_SPAN}(?:\s*{_SPAN})*?)(\s+ago)?", re.ASCII)
_PART = re.compile(r"(\d+)\s*([a-z]+)", re.ASCII)


def since(text: str | None, option: str) -> datetime | None:
    """Parses a start. A day means its first moment, and a bare span such as `7d` lies in the past.

    option: its name, for errors.
    Raises BadParameter: when the text is no time.
    """
    return None if text is None else _moment(text, option, -1, last=False)


def until(text: str | None, option: str) -> datetime | None:
    """Parses an inclusive end. A day is included as a whole, as the API does, and a bare span lies in the past.

    Raises BadParameter: when the text is no time.
    """
    return None if text is None else _moment(text, option, -1, last=True)


def expiry(text: str | None, option: str) -> datetime | None:
    """Parses an expiry. A bare span such as `90d` lies in the future.

    Raises BadParameter: when the text is no time.
    """
    return None if text is None else _moment(text, option, +1, last=False)


def _moment(text: str, option: str, sign: int, *, last: bool) -> datetime:
    said, now = text.strip().lower(), datetime.now(UTC)
    try:
        if said == "now":
            return now
        if said in _DAYS:
            day = (now + timedelta(days=_DAYS[said])).date().isoformat()
            return parse_end(day) if last else parse_timestamp(day)
        span = _span(said, sign)
        if span is not None:
            return now + span
        return parse_end(text) if last else parse_timestamp(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no time: give {FORMS}", param_hint=option) from None


def _span(said: str, sign: int) -> timedelta | None:
    """Parses a span such as `7d`, `-1h30m`, `+2 weeks` or `2 hours ago`. Returns None for other texts.

    Raises OverflowError: when the span is too long.
    """
    found = _RELATIVE.fullmatch(said)
    if found is None or (found[1] and found[3]):
        return None
    seconds = 0
    for number, unit in _PART.findall(found[2]):
        known = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if known is None:
            return None
        seconds += int(number) * known
    if found[1] or found[3]:
        sign = +1 if found[1] == "+" else -1
    return sign * timedelta(seconds=seconds)


def moment(text: str | None) -> int | datetime | None:
    """Parses the moment of `--known-at`: a version, or a time as `until` reads it.

    Raises BadParameter: when the text is neither.
    """
    return int(text) if text is not None and text.strip().isdecimal() else until(text, "--known-at")
