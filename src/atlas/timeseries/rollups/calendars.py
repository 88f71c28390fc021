"""Calendars of time buckets: where buckets of a width begin, in UTC or by the clocks of a time zone.

Buckets of days and more begin at midnight of the zone, or where that is left out at the first instant of the day.
A day whose midnight comes twice begins with the first. Shorter buckets begin where clocks show a multiple of their
width since midnight. An hour that comes twice makes two buckets of an hour. Buckets wider than what is repeated hold
both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.kit.time_zones import Zone
from atlas.kit.timestamps import MAX_MICROS, MIN_MICROS
from atlas.timeseries.rollups.levels import ORIGIN

Ints = np.ndarray[Any, np.dtype[np.int64]]
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAY = 86_400
WEEK = 7 * DAY
_MICROS = 1_000_000
# The longest month, quarter and year in days.
_LEAST_DAYS = 28


class TooManyBucketsError(Exception):
    """A range has more buckets than wanted."""


@dataclass(frozen=True, slots=True)
class BucketCalendar:
    """Buckets of a width: seconds, or a month, quarter or year.

    Without a zone they are those of UTC. `first_weekday` counts from Monday (0), and matters to whole weeks.
    """

    width: int | str
    zone: Zone | None = None
    first_weekday: int = 0

    @property
    def plain(self) -> bool:
        """Whether a bucket's start follows from its width alone."""
        return self.zone is None and (self.first_weekday == 0 or not self.weekly)

    @property
    def weekly(self) -> bool:
        return isinstance(self.width, int) and self.width % WEEK == 0

    @property
    def _daily(self) -> bool:
        return isinstance(self.width, str) or self.width % DAY == 0

    def starts_of(self, instants: Ints) -> Ints:
        """Returns the start of the bucket that holds each instant.

        A start before the year 1 becomes the start of that year, because no answer has an earlier time.
        """
        if not len(instants):
            return instants
        if self.zone is None:
            starts = self._floor(instants)
        elif self._daily:
            bounds = self._midnights(int(instants.min()), int(instants.max()))
            starts = bounds[np.searchsorted(bounds, instants, "right") - 1]
        else:
            starts = self._by_clock(instants, self.zone)
        clipped: Ints = np.maximum(starts, MIN_MICROS)
        return clipped

    def bounds(self, lo: int, hi: int, most: int) -> Ints:
        """Returns the starts of the buckets that meet `lo` to `hi` (exclusive), and the end of the last of them.

        Raises TooManyBucketsError: when there are more than `most`.
        """
        lo, hi = max(lo, MIN_MICROS), min(max(hi, lo + 1), MAX_MICROS + 1)
        step = (self.width if isinstance(self.width, int) else MONTHS[self.width] * _LEAST_DAYS * DAY) * _MICROS
        if (hi - lo) // step > most + 1 + most // 50:
            raise TooManyBucketsError
        if self.zone is None:
            found = self._unit_starts(lo, hi)
        elif self._daily:
            found = self._midnights(lo, hi)
        else:
            found = self._clock_bounds(lo, hi, step, self.zone)
        found = np.unique(np.maximum(found, MIN_MICROS))
        first = int(np.searchsorted(found, lo, "right")) - 1
        last = int(np.searchsorted(found, hi, "left"))
        if last - first > most:
            raise TooManyBucketsError
        bounds: Ints = found[max(first, 0) : last + 1]
        return bounds

    def earlier(self, instant: int, count: int) -> int:
        """Returns the start of the bucket that comes `count` buckets before the bucket of an instant."""
        step = (self.width if isinstance(self.width, int) else MONTHS[self.width] * 31 * DAY) * _MICROS
        lo = max(instant - (count + 1) * (step + DAY * _MICROS), MIN_MICROS)
        bounds = self.bounds(lo, instant + 1, 4 * count + 4 + (count + 2) * (DAY * _MICROS // step))
        return int(bounds[max(len(bounds) - 2 - count, 0)])

    def _floor(self, times: Ints) -> Ints:
        """Returns the starts of buckets on a clock without changes."""
        if isinstance(self.width, str):
            size = MONTHS[self.width]
            months = times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
            return _month_starts(months // size * size)
        step = self.width * _MICROS
        origin = ORIGIN + (self.first_weekday * DAY * _MICROS if self.weekly else 0)
        floors: Ints = origin + (times - origin) // step * step
        return floors

    def _unit_starts(self, lo: int, hi: int) -> Ints:
        """Returns the starts of the buckets from `lo` to past `hi`, on a clock without changes."""
        first, last = (int(one) for one in self._floor(np.array([lo, hi])))
        if isinstance(self.width, str):
            size = MONTHS[self.width]
            months = np.array([first, last]).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
            return _month_starts(np.arange(months[0], months[1] + 2 * size, size))
        return np.arange(first, last + 2 * self.width * _MICROS, self.width * _MICROS)

    def _midnights(self, lo: int, hi: int) -> Ints:
        """Returns the starts of buckets of whole days in the zone from `lo` to past `hi`, in order."""
        assert self.zone is not None
        first, last = (int(one) for one in self.zone.wall(np.array([lo, hi])))
        return np.unique(self.zone.first_at(self._unit_starts(first, last + DAY * _MICROS)))

    def _by_clock(self, instants: Ints, zone: Zone) -> Ints:
        """Returns the starts of buckets shorter than a day. Each instant is near to one change of the clock at most."""
        assert isinstance(self.width, int)
        begins, offsets = zone.segments(int(instants.min()), int(instants.max()))
        at = np.searchsorted(begins, instants, "right") - 1
        change, offset, before = begins[at], offsets[at], offsets[np.maximum(at - 1, 0)]
        wall = self._floor(instants + offset)
        raw, earlier = wall - offset, wall - before
        # Clocks go back by so much. Where they go forward, it is negative.
        repeated = before - offset
        merged = (repeated > 0) & (self.width * _MICROS > repeated)
        # Of the repeated time, the bucket that was under way at the change goes on.
        running = self._floor(change - 1 + before) - before
        kept = np.where(earlier < change, np.maximum(earlier, running), raw)
        cut = np.where(repeated > 0, np.maximum(raw, change), np.where(raw >= change, raw, np.minimum(earlier, change)))
        starts: Ints = np.where(at == 0, raw, np.where(merged, kept, cut))
        return starts

    def _clock_bounds(self, lo: int, hi: int, step: int, zone: Zone) -> Ints:
        """Returns the starts of buckets shorter than a day around `lo` to `hi`."""
        lo, hi = lo - DAY * _MICROS, hi + DAY * _MICROS
        begins, offsets = zone.segments(lo, hi)
        ends = np.append(begins[1:], hi)
        found = [begins[(begins > lo) & (begins < hi)]]
        for begin, end, offset in zip(begins.tolist(), ends.tolist(), offsets.tolist(), strict=True):
            first, last = max(begin, lo), min(end, hi)
            if first < last:
                walls = np.arange(int(self._floor(np.array([first + offset]))[0]), last + offset, step)
                found.append(np.maximum(walls - offset, first))
        return np.unique(self._by_clock(np.concatenate(found), zone))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Buckets of a calendar that is not plain. bounds: None when there are too many to list."""

    calendar: BucketCalendar
    bounds: Ints | None

    @property
    def starts(self) -> Ints:
        assert self.bounds is not None
        return self.bounds[:-1]

    @property
    def listed(self) -> list[int]:
        """The bounds as numbers."""
        return [] if self.bounds is None else [int(bound) for bound in self.bounds]

    @property
    def ends(self) -> Ints:
        assert self.bounds is not None
        return self.bounds[1:]

    def texts(self) -> str:
        """Writes the starts as an array of PostgreSQL."""
        return "{" + ",".join(f"{text}Z" for text in np.datetime_as_string(self.starts.astype("datetime64[us]"))) + "}"


Width = int | str | Grid


def starts_of(instants: Ints, width: Width) -> Ints:
    """Returns the start of the bucket that holds each instant. width: seconds, a unit of UTC's calendar, or a grid."""
    calendar = width.calendar if isinstance(width, Grid) else BucketCalendar(width)
    return calendar.starts_of(instants)


def _month_starts(months: Ints) -> Ints:
    starts: Ints = months.astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
    return starts
