"""Requests for time buckets: the notation of widths, weekdays, fills and columns, and what a request means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from atlas.errors import BadRequestError
from atlas.kit.time_zones import Zone, find_zone
from atlas.timeseries.columns import Column
from atlas.timeseries.moments import Asked
from atlas.timeseries.rollups.bars import Fill
from atlas.timeseries.rollups.calendars import DAY, BucketCalendar
from atlas.timeseries.rollups.functions import Function, parse_functions
from atlas.timeseries.series.conditions import Written

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
CALENDAR = ("month", "quarter", "year")
# Names of units that people and other systems use. Quarters and years may also be numbers of months.
WORDS = {
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours hourly",
    "d": "d day days daily",
    "w": "w week weeks weekly",
    "month": "mo month months monthly",
    "quarter": "q qtr quarter quarters quarterly",
    "year": "y yr year years yearly annual",
}
_WIDTHS = "a number and s, m, h, d or w, or their words (15 minutes, day); month; quarter; year; or auto"
UNIT_OF = {word: unit for unit, words in WORDS.items() for word in words.split()}
MONTHS = {1: "month", 3: "quarter", 12: "year"}
# Widths in seconds that people read easily.
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_WIDTH = re.compile(r"([1-9]\d{0,8})?[ _-]?([A-Za-z]+)", re.ASCII)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FILLS: tuple[Fill, ...] = ("null", "previous", "linear", "zero")
MOST_WINDOW = 10_000
# Names of columns that vwap takes where the request names none, the first of them first.
_PRICES, _VOLUMES = ("price", "close"), ("volume", "size", "quantity", "qty")


@dataclass(frozen=True, slots=True)
class BucketRequest:
    """A request for time buckets as it was written.

    - bucket, points: width, and most buckets of an `auto` width. functions: names that commas separate.
    - where, by: conditions on keys, and the keys whose series stand apart.
    - timezone, first_weekday: whose midnights and weeks count. fill: what stands in buckets without rows.
    - window: number of buckets of a figure. price, volume: columns of `vwap`.
    - known: the moment whose rows are read.
    """

    bucket: str = "auto"
    functions: str = "count,min,max,avg"
    points: int = 500
    where: Sequence[Written] = ()
    by: Sequence[str] = ()
    timezone: str | None = None
    first_weekday: str | None = None
    fill: str | None = None
    window: int = 1
    price: str | None = None
    volume: str | None = None
    known: Asked | None = None

    def parse(self) -> ParsedRequest:
        """Reads what needs no dataset.

        Raises BadRequestError: when a function, zone, weekday, fill, window or width is none.
        """
        functions = parse_functions(self.functions)
        weighted = any(function.kind == "vwap" for function in functions)
        stated = "price" if self.price is not None else "volume" if self.volume is not None else None
        if stated and not weighted:
            raise BadRequestError("Invalid parameter", f"{stated}: only functions=vwap takes it")
        if not 1 <= self.window <= MOST_WINDOW:
            raise BadRequestError("Invalid parameter", f"window: a number of buckets from 1 to {MOST_WINDOW}")
        zone = None if self.timezone is None else find_zone(self.timezone)
        fill = None if self.fill is None else _FILLS[_choice("fill", self.fill, _FILLS)]
        weekday = 0 if self.first_weekday is None else _choice("first_weekday", self.first_weekday, _WEEKDAYS)
        parsed = ParsedRequest(self, functions, zone, weekday, fill)
        if self.bucket != "auto":
            parsed.calendar(0)
        return parsed


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request whose parameters are read."""

    asked: BucketRequest
    functions: Sequence[Function]
    zone: Zone | None
    first_weekday: int
    fill: Fill | None

    def calendar(self, micros: int) -> BucketCalendar:
        """Returns the buckets for data that span `micros` microseconds, on which `auto` depends.

        Raises BadRequestError: when the width is none, or does not fit the zone or weekday.
        """
        width = parse_width(self.asked.bucket, micros, self.asked.points)
        zone = self.zone if self.zone is not None and self.zone.name != "UTC" else None
        calendar = BucketCalendar(width, zone, self.first_weekday)
        if self.asked.first_weekday is not None and self.asked.bucket != "auto" and not calendar.weekly:
            raise BadRequestError("Invalid parameter", "first_weekday: only buckets of whole weeks begin on a weekday")
        if zone is not None and isinstance(width, int) and width % DAY and DAY % width:
            reason = "by the clocks of a zone a width is whole days, or divides a day, such as 15m, 1h or 6h"
            raise BadRequestError("Invalid parameter", f"bucket: {reason}; leave timezone out, or take another width")
        if zone is None and not calendar.plain:
            return BucketCalendar(width, Zone("UTC"), self.first_weekday)
        return calendar

    def weighted(self, columns: Sequence[Column]) -> tuple[Column, Column] | None:
        """Returns the columns of price and volume for `vwap`, or None when it is not wanted.

        Raises BadRequestError: when there are no such numeric columns.
        """
        if not any(function.kind == "vwap" for function in self.functions):
            return None
        price = _column("price", self.asked.price, _PRICES, columns)
        volume = _column("volume", self.asked.volume, _VOLUMES, columns)
        if price == volume:
            raise BadRequestError("Invalid parameter", f"volume: {volume.name!r} is the price already")
        return price, volume


def _column(parameter: str, name: str | None, usual: Sequence[str], columns: Sequence[Column]) -> Column:
    if name is not None:
        found = [column for column in columns if column.name == name]
        if found:
            return found[0]
        near = difflib.get_close_matches(name[:64], [column.name for column in columns], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise BadRequestError("Invalid parameter", f"{parameter}: {name[:64]!r} is no numeric column{hint}")
    for one in usual:
        found = [column for column in columns if column.name.lower() == one]
        if len(found) == 1:
            return found[0]
    reason = f"vwap needs a column; none or several are called {' or '.join(usual)}. Name it by {parameter}=…"
    raise BadRequestError("Invalid parameter", f"{parameter}: {reason}")


def _choice(parameter: str, text: str, known: Sequence[str]) -> int:
    """Returns the place of a word, or of its first three letters, among the known words."""
    word = text.strip().lower()
    for index, one in enumerate(known):
        if word == one or (parameter == "first_weekday" and word == one[:3]):
            return index
    near = difflib.get_close_matches(word[:64], known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BadRequestError("Invalid parameter", f"{parameter}: {text[:64]!r}; {hint}There are {', '.join(known)}")


def parse_width(bucket: str, micros: int, points: int) -> int | str:
    """Parses the width of a bucket: seconds, or a unit of the calendar."""
    if bucket == "auto":
        least = micros / 1e6 / points
        whole_weeks = -(-int(least) // 604800) * 604800
        return next((step for step in STEPS if step >= least), max(604800, whole_weeks + 604800))
    found = _WIDTH.fullmatch(bucket.strip())
    unit = None if found is None or found[2] == "M" else UNIT_OF.get(found[2].lower())
    if found is None or unit is None:
        reason = "M may be minutes or months: write m or month" if found and found[2] == "M" else _WIDTHS
        raise BadRequestError("Invalid parameter", f"bucket: {reason}")
    number = int(found[1] or 1)
    if unit in UNITS:
        return number * UNITS[unit]
    calendar = MONTHS.get(number * {"month": 1, "quarter": 3, "year": 12}[unit])
    if calendar is None:
        raise BadRequestError("Invalid parameter", f"bucket: of the calendar only a {', a '.join(CALENDAR)}")
    return calendar


def name_of(width: int | str) -> str:
    """Returns the notation of a width."""
    if isinstance(width, str):
        return width
    unit = next(unit for unit in reversed(UNITS) if width % UNITS[unit] == 0)
    return f"{width // UNITS[unit]}{unit}"
