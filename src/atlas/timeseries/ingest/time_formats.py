"""Parses texts of a whole column to microseconds by a strptime format, and refuses texts that the format would change.

The parsers of libraries read `24` as the year 24, 31 February as 2 March, and ignore remaining digits. Here a format is
a pattern that the whole text must match, with as many digits as a directive writes. The calendar alone combines the
parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from atlas.errors import BadRequestError, RowError
from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS
from atlas.timeseries.frames import TIMESTAMP

Ints = npt.NDArray[np.int64]

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Two digits are the years 1969 to 2068, as in POSIX and Python.
CENTURY_FROM = 69
_SHORT = {"T": "%H:%M:%S", "R": "%H:%M", "F": "%Y-%m-%d", "D": "%m/%d/%y", "r": "%I:%M:%S %p", "t": " ", "n": " "}
_TWO_DIGITS = {
    "m": "month",
    "d": "day",
    "e": "day",
    "H": "hour",
    "I": "hour12",
    "M": "minute",
    "S": "second",
    "y": "short_year",
}
_PARTS = {
    "Y": ("year", r"\d{4}"),
    "j": ("ordinal", r"\d{3}"),
    "f": ("fraction", r"\d{1,9}"),
    "s": ("epoch", r"-?\d{1,12}"),
    "b": ("month_name", "|".join(f"{name}|{name[:3]}" for name in MONTHS)),
    "a": ("day_name", "|".join(f"{name}|{name[:3]}" for name in DAYS)),
    "p": ("half", "am|pm"),
    "z": ("zone", r"z|[+-]\d\d:?[0-5]\d"),
    "Z": ("utc", "utc|gmt|z"),
}
_SAME = {"h": "b", "B": "b", "A": "a"}
_DIRECTIVES = "%Y %y %m %b %B %d %e %j %a %A %H %I %p %M %S %f %z %Z %s %T %R %F %D %r %%"
_KNOWN = frozenset({*_TWO_DIGITS, *_PARTS, *_SAME})
# Days before each month of a year without 29 February.
_BEFORE = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])
_DAY, _SECOND = 86_400_000_000, 1_000_000
_EPOCH_DAY = 719_162
_BOUNDS = {
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "hour12": (1, 12),
    "minute": (0, 59),
    "second": (0, 59),
    "ordinal": (1, 366),
    "year": (1, 9999),
}


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A strptime format. pattern: an expression for a whole text in lower case, with a group for each of `parts`."""

    layout: str
    pattern: str
    parts: frozenset[str]

    def matches(self, text: str) -> bool:
        """Checks whether a text has this form, though not whether its day exists."""
        return re.fullmatch(self.pattern, text.lower(), re.ASCII) is not None

    def read(self, texts: pa.Array, first_row: int, field: str) -> pa.Array:
        """Converts texts without nulls to timestamp[us, UTC].

        Raises RowError: when a text does not match or is no valid time.
        """
        found = pc.extract_regex(pc.utf8_lower(texts), f"^(?:{self.pattern})$")
        if found.null_count:
            row = pc.index(pc.is_null(found), True).as_py()
            raise self._error(texts, row, first_row, field, f"does not match {self.layout!r}")
        micros, wrong, reason = _Reading(found, self.parts).micros()
        if wrong is not None:
            raise self._error(texts, wrong, first_row, field, f"is no timestamp by {self.layout!r}: {reason}")
        return pa.array(micros, pa.int64()).cast(TIMESTAMP)

    def _error(self, texts: pa.Array, row: int, first_row: int, field: str, reason: str) -> RowError:
        return RowError(first_row + row, field, f"{texts[row].as_py()[:64]!r} {reason}")


@lru_cache(maxsize=256)
def time_format(layout: str) -> TimeFormat:
    """Builds the format of a strptime text.

    Raises BadRequestError: when a directive is unknown, or the format is no whole date.
    """
    steps = _steps(layout)
    pattern, parts = "", list[str]()
    for at, step in enumerate(steps):
        if step[0] != "%" or step == "%%":
            pattern += r"\s+" if step.isspace() else re.escape(step[-1].lower())
            continue
        if step[1:] not in _KNOWN:
            raise _bad(layout, f"{step} is none of {_DIRECTIVES}")
        name, part = _part(step[1], alone=not (_is_digits(steps, at - 1) or _is_digits(steps, at + 1)))
        if name in parts:
            raise _bad(layout, f"{step} says the same again")
        parts.append(name)
        pattern += f"(?P<{name}>{part})"
    _check(layout, frozenset(parts))
    return TimeFormat(layout, pattern, frozenset(parts))


def _steps(layout: str) -> list[str]:
    """Splits a format into directives and the characters between them, with runs of blanks as one."""
    # A minus sign omits zeros in writing and means nothing in reading.
    expanded = re.sub(r"%-(?=[A-Za-z])", "%", layout)
    expanded = re.sub(r"%([TRFDrtn%])", lambda found: _SHORT.get(found[1], found[0]), expanded)
    return re.findall(r"%[\s\S]?|\s+|[\s\S]", expanded)


def _is_digits(steps: list[str], at: int) -> bool:
    """Checks whether a step is written with digits, so that neighbouring steps need all their digits."""
    if not 0 <= at < len(steps):
        return False
    return steps[at].isdigit() or (len(steps[at]) == 2 and steps[at][1] in "YjfsmdeHIMSy")


def _part(letter: str, *, alone: bool) -> tuple[str, str]:
    letter = _SAME.get(letter, letter)
    if letter not in _TWO_DIGITS:
        return _PARTS[letter]
    digits = r"\d{1,2}" if alone and letter != "y" else r"\d\d"
    return _TWO_DIGITS[letter], rf"\s?\d|{digits}" if letter == "e" else digits


def _bad(layout: str, reason: str) -> BadRequestError:
    return BadRequestError("Invalid parameter", f"timestamp_format: {layout[:64]!r}: {reason}")


def _check(layout: str, parts: frozenset[str]) -> None:
    def either(*names: str) -> int:
        return len(parts & set(names))

    if either("year", "short_year", "epoch") != 1:
        raise _bad(layout, "it needs one of %Y, %y and %s")
    if either("month", "month_name") > 1 or either("hour", "hour12") > 1 or either("zone", "utc") > 1:
        raise _bad(layout, "it says month, hour or zone twice")
    months = either("month", "month_name")
    if "epoch" in parts and parts - {"epoch", "fraction"}:
        raise _bad(layout, "beside %s there is nothing but %f")
    if ("day" in parts and not months) or ("ordinal" in parts and (months or "day" in parts)):
        raise _bad(layout, "a day needs its month, and %j neither")
    if ("hour12" in parts) != ("half" in parts):
        raise _bad(layout, "%I and %p need each other")
    if ("day_name" in parts and not either("day", "ordinal")) or (
        either("hour", "hour12", "minute", "second") and not either("day", "ordinal")
    ):
        raise _bad(layout, "a time of day or a weekday needs a day")
    if ("minute" in parts and not either("hour", "hour12")) or ("second" in parts and "minute" not in parts):
        raise _bad(layout, "minutes need hours, and seconds minutes")
    if "fraction" in parts and not either("second", "epoch"):
        raise _bad(layout, "%f needs %S or %s")


class _Reading:
    """Converts the parts of a column's texts to microseconds, and keeps the first row with wrong parts."""

    def __init__(self, found: pa.StructArray, parts: frozenset[str]) -> None:
        self._found = found
        self._parts = parts
        self._length = len(found)
        self._wrong: int | None = None
        self._reason = ""

    def micros(self) -> tuple[Ints, int | None, str]:
        """Returns microseconds since 1970, and the first wrong row with the reason, or None."""
        for name, (low, high) in _BOUNDS.items():
            if name in self._parts:
                values = self._ints(name)
                what = {"hour12": "hour", "ordinal": "day of the year"}.get(name, name)
                self._refuse((values < low) | (values > high), f"{what} is not {low} to {high}")
        if "epoch" in self._parts:
            seconds, fraction = self._ints("epoch"), self._fraction()
            # A fraction leads away from zero, like the digits before it.
            negative = self._texts("epoch", lambda texts: pc.starts_with(texts, "-"))
            micros = seconds * _SECOND + np.where(negative, -fraction, fraction)
        else:
            micros = self._days() * _DAY + self._time_of_day() - self._offset()
        self._refuse((micros < MIN_MICROS) | (micros > MAX_MICROS), "it is outside the years 1 to 9999 in UTC")
        return micros, self._wrong, self._reason

    def _refuse(self, wrong: npt.NDArray[np.bool_], reason: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            if self._wrong is None or row < self._wrong:
                self._wrong, self._reason = row, reason

    def _texts(self, name: str, change: Callable[[pa.Array], pa.Array]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = change(self._found.field(name)).to_numpy(zero_copy_only=False)
        return found

    def _ints(self, name: str, missing: int = 0) -> Ints:
        if name not in self._parts:
            return np.full(self._length, missing)
        texts = pc.utf8_trim_whitespace(self._found.field(name))
        found: Ints = texts.cast(pa.int64()).to_numpy()
        return found

    def _named(self, name: str, names: tuple[str, ...]) -> Ints:
        short = pc.utf8_slice_codeunits(self._found.field(name), 0, 3)
        found: Ints = pc.index_in(short, pa.array([one[:3] for one in names])).cast(pa.int64()).to_numpy()
        return found

    def _days(self) -> Ints:
        """Returns days since 1970."""
        year = self._ints("year")
        if "short_year" in self._parts:
            short = self._ints("short_year")
            year = np.where(short < CENTURY_FROM, 2000, 1900) + short
        month = self._named("month_name", MONTHS) + 1 if "month_name" in self._parts else self._ints("month", 1)
        leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
        if "ordinal" in self._parts:
            number = self._ints("ordinal")
            self._refuse(number > 365 + leap, "the year does not have that day")
        else:
            day, month = self._ints("day", 1), np.clip(month, 1, 12)
            longest = _BEFORE[month + 1] - _BEFORE[month] + (leap & (month == 2))
            self._refuse(day > longest, "the month does not have that day")
            number = _BEFORE[month] + (leap & (month > 2)) + day
        before = year - 1
        days: Ints = before * 365 + before // 4 - before // 100 + before // 400 + number - 1 - _EPOCH_DAY
        if "day_name" in self._parts:
            # 1970 began on a Thursday.
            self._refuse((days + 3) % 7 != self._named("day_name", DAYS), "the day is another one of the week")
        return days

    def _time_of_day(self) -> Ints:
        hour = self._ints("hour")
        if "hour12" in self._parts:
            after_noon = self._texts("half", lambda texts: pc.equal(texts, "pm"))
            hour = self._ints("hour12") % 12 + np.where(after_noon, 12, 0)
        seconds = (hour * 60 + self._ints("minute")) * 60 + self._ints("second")
        return seconds * _SECOND + self._fraction()

    def _fraction(self) -> Ints:
        if "fraction" not in self._parts:
            return np.zeros(self._length, np.int64)
        digits = pc.utf8_rpad(self._found.field("fraction"), 9, "0")
        nanos: Ints = digits.cast(pa.int64()).to_numpy()
        self._refuse(nanos % 1000 != 0, "it is finer than a microsecond")
        return nanos // 1000

    def _offset(self) -> Ints:
        """Returns the zone's microseconds ahead of UTC."""
        if "zone" not in self._parts:
            return np.zeros(self._length, np.int64)
        texts = pc.replace_substring(self._found.field("zone"), ":", "")
        digits = pc.if_else(pc.equal(texts, "z"), "+0000", texts)
        hours = pc.utf8_slice_codeunits(digits, 1, 3).cast(pa.int64()).to_numpy()
        minutes = pc.utf8_slice_codeunits(digits, 3, 5).cast(pa.int64()).to_numpy()
        self._refuse(hours > 23, "there is no such zone")
        west = pc.starts_with(digits, "-").to_numpy(zero_copy_only=False)
        ahead: Ints = (hours * 60 + minutes) * 60 * _SECOND
        return np.where(west, -ahead, ahead)
