"""Time zones as arrays: offsets of many instants at once, and the instants at which clocks show a time.

An instant is in microseconds since 1970. A wall time is what a clock of the zone shows, in microseconds since
1970-01-01 00:00 of that clock. The data are those of `zoneinfo`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from atlas.errors import BadRequestError
from atlas.kit.timestamps import EPOCH

Ints = np.ndarray[Any, np.dtype[np.int64]]
_SECOND = 1_000_000
_DAY = 86_400
# Zones have no changes before the first year, and changes by a rule after the second year.
_FIRST_YEAR, _RULED_YEAR, _LAST_YEAR = 1840, 2100, 9990
_YEARS = 10
# Days between two looks at a zone's offset: any two changes are further apart.
_LOOK_DAYS, _RULED_LOOK_DAYS = 1, 20
# More than the greatest offset of a zone.
_MOST_OFFSET = 16 * 3600 * _SECOND


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its name."""

    name: str

    def segments(self, lo: int, hi: int) -> tuple[Ints, Ints]:
        """Returns the first instants and the offsets of the spans of one offset around `lo` to `hi`.

        The first span has begun before `lo`, whatever its first instant. Offsets are in microseconds.
        """
        first, last = (EPOCH + timedelta(microseconds=_clamped(one)) for one in (lo - 3 * _MOST_OFFSET, hi))
        decades = range(max(first.year, _FIRST_YEAR) // _YEARS, min(last.year + 1, _LAST_YEAR - 1) // _YEARS + 1)
        found = [change for decade in decades for change in _changes(self.name, decade)]
        start = (decades.start if decades else first.year // _YEARS) * _YEARS
        before = _offset(self.name, _seconds(max(2, start)))
        starts = np.array([np.iinfo(np.int64).min // 2, *(at * _SECOND for at, _ in found)], np.int64)
        return starts, np.array([before, *(offset for _, offset in found)], np.int64) * _SECOND

    def wall(self, instants: Ints) -> Ints:
        """Returns what clocks show at instants."""
        if not len(instants):
            return instants
        starts, offsets = self.segments(int(instants.min()), int(instants.max()))
        shown: Ints = instants + offsets[np.searchsorted(starts, instants, "right") - 1]
        return shown

    def first_at(self, walls: Ints) -> Ints:
        """Returns the first instants at which clocks show given times or later ones, as where a time is left out."""
        if not len(walls):
            return walls
        starts, offsets = self.segments(int(walls.min()) - _MOST_OFFSET, int(walls.max()) + _MOST_OFFSET)
        ends = np.append(starts[1:], np.iinfo(np.int64).max)
        at = np.searchsorted(starts, walls - _MOST_OFFSET, "right") - 1
        found: Ints = np.maximum(starts[at], walls - offsets[at])
        for _ in range(len(starts)):
            late = found >= ends[at]
            if not late.any():
                break
            at = np.where(late, at + 1, at)
            found = np.where(late, np.maximum(starts[at], walls - offsets[at]), found)
        return found


def find_zone(text: str) -> Zone:
    """Returns the zone with an IANA name, in any case.

    Raises BadRequestError: when there is none; the error names similar ones.
    """
    names = _names()
    name = names.get(text.strip().lower())
    if name is None:
        near = difflib.get_close_matches(text.strip().lower()[:64], names, n=3, cutoff=0.6)
        near = near or [low for low in sorted(names) if text.strip() and text.strip().lower() in low][:3]
        hint = f"; near to it: {', '.join(names[one] for one in near)}" if near else "; write it as Europe/Berlin"
        raise BadRequestError("Invalid parameter", f"timezone: {text[:64]!r} is no time zone{hint}")
    return Zone(name)


@lru_cache
def _names() -> dict[str, str]:
    found = {name.lower(): name for name in sorted(available_timezones()) if not name.startswith("posix")}
    return found | {"utc": "UTC"}


def _clamped(micros: int) -> int:
    """Returns an instant within the years that zones are computed for."""
    return min(max(micros, _seconds(2) * _SECOND), _seconds(_LAST_YEAR) * _SECOND)


def _seconds(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)


def _offset(name: str, seconds: int) -> int:
    zone = UTC if name == "UTC" else ZoneInfo(name)
    offset = (EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


@lru_cache(maxsize=4096)
def _changes(name: str, decade: int) -> tuple[tuple[int, int], ...]:
    """Returns the changes of a decade: the second since 1970, and the offset in seconds from then on."""
    year = decade * _YEARS
    step = (_LOOK_DAYS if year < _RULED_YEAR else _RULED_LOOK_DAYS) * _DAY
    start, end = _seconds(year), _seconds(year + _YEARS)
    found = []
    before = _offset(name, start)
    for look in range(start, end, step):
        low, high = look, min(look + step, end)
        after = _offset(name, high)
        if after == before:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if _offset(name, middle) == before:
                low = middle
            else:
                high = middle
        found.append((high, after))
        before = after
    return tuple(found)
