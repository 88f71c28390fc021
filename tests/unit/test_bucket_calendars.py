"""Buckets by the clocks of a zone, beside zoneinfo, at every change of the clocks in the next ten years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from atlas.errors import BadRequestError
from atlas.kit.time_zones import Zone, find_zone
from atlas.kit.timestamps import EPOCH, MICROSECOND, MIN_MICROS
from atlas.timeseries.rollups.calendars import BucketCalendar, TooManyBucketsError

# Changes of 30 minutes, at midnight (left out, and twice), and of weeks around Ramadan.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo")
MORE_ZONES = (*ZONES, "America/Santiago", "Asia/Beirut", "Africa/Casablanca", "Antarctica/Troll", "Asia/Kathmandu")
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
WIDTHS: tuple[int | str, ...] = (
    900,
    1800,
    3600,
    5400,
    7200,
    21600,
    86400,
    259_200,
    604_800,
    "month",
    "quarter",
    "year",
)


def micros(time: datetime) -> int:
    return (time - EPOCH) // MICROSECOND


FEBRUARY = micros(datetime(2026, 2, 1, tzinfo=UTC))
DECEMBER = micros(datetime(2026, 12, 1, tzinfo=UTC))


def changes(zone: str, first: int = 2026, years: int = 11) -> list[int]:
    """The hours before which the offset of a zone changes, looked up hour by hour."""
    known, found = ZoneInfo(zone), []
    start = datetime(first, 1, 1, tzinfo=UTC)
    before = start.astimezone(known).utcoffset()
    for hour in range(years * 366 * 24):
        after = (start + timedelta(hours=hour)).astimezone(known).utcoffset()
        if after != before:
            found.append(micros(start + timedelta(hours=hour)))
            before = after
    return found


def shown(instant: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=instant)).astimezone(zone).replace(tzinfo=None)


def label(local: datetime, width: int | str) -> Any:
    """The name of the bucket of what a clock shows."""
    if isinstance(width, str):
        return (local.year, (local.month - 1) // {"month": 1, "quarter": 3, "year": 12}[width])
    if width >= 86400:
        return (local.date() - datetime(2000, 1, 3).date()).days // (width // 86400)
    return (local.date(), (local.hour * 3600 + local.minute * 60 + local.second) // width)


def expected(instants: list[int], width: int | str, name: str) -> list[int]:
    """The starts of buckets of successive instants: where the label grows, or comes again as a whole bucket."""
    zone = ZoneInfo(name)
    starts, start, known, before = [], instants[0], None, timedelta()
    for instant in instants:
        local = shown(instant, zone)
        offset = local - (EPOCH + timedelta(microseconds=instant)).replace(tzinfo=None)
        again = known is not None and isinstance(width, int) and before - offset >= timedelta(seconds=width)
        if known is None or again or label(local, width) > known:
            start, known = instant, label(local, width)
        before = offset
        starts.append(start)
    return starts


@pytest.mark.parametrize("name", ZONES)
def test_every_change_of_ten_years(name: str) -> None:
    zone, found = Zone(name), changes(name)
    assert len(found) >= 20
    for at in found:
        # From a midnight before, so that the first instant begins a bucket of each width below a day.
        local = shown(at - 26 * HOUR, ZoneInfo(name))
        begin = int(zone.first_at(np.array([micros(datetime(local.year, local.month, local.day, tzinfo=UTC))]))[0])
        instants = list(range(begin, at + 26 * HOUR, 30 * MINUTE))
        for width in (1800, 3600, 7200, 21600, 86400):
            calendar = BucketCalendar(width, zone)
            starts = calendar.starts_of(np.array(instants)).tolist()
            wanted = expected(instants, width, name)
            assert starts == wanted, (name, width, EPOCH + timedelta(microseconds=at))
            bounds = calendar.bounds(instants[0], instants[-1] + 1, 1000)
            assert bounds[:-1].tolist() == sorted(set(wanted))


@pytest.mark.parametrize("name", MORE_ZONES)
def test_starts_and_bounds_agree(name: str) -> None:
    zone = Zone(name)
    known = ZoneInfo(name)
    around = [at + step for at in changes(name, 2025, 2) for step in range(-4 * HOUR, 4 * HOUR, 15 * MINUTE)]
    instants = np.array(around or list(range(0, 30 * DAY, HOUR)))
    assert zone.wall(instants).tolist() == [micros(shown(one, known).replace(tzinfo=UTC)) for one in instants.tolist()]
    for width in WIDTHS:
        calendar = BucketCalendar(width, zone)
        starts = calendar.starts_of(instants)
        assert (starts <= instants).all()
        assert (np.diff(starts) >= 0).all()
        assert (calendar.starts_of(starts) == starts).all()
        bounds = calendar.bounds(int(instants[0]), int(instants[-1]) + 1, 1_000_000)
        assert (bounds[np.searchsorted(bounds, instants, "right") - 1] == starts).all()
        assert bounds[0] <= instants[0]
        assert bounds[-1] > instants[-1]
        assert (np.diff(bounds) > 0).all()


def test_months_of_a_zone_begin_at_its_midnights() -> None:
    calendar = BucketCalendar("month", Zone("Europe/Berlin"))
    bounds = calendar.bounds(micros(datetime(2023, 2, 10, tzinfo=UTC)), micros(datetime(2023, 12, 1, tzinfo=UTC)), 100)
    local = [shown(one, ZoneInfo("Europe/Berlin")) for one in bounds.tolist()]
    assert local == [datetime(2023, month, 1) for month in range(2, 13)] + [datetime(2024, 1, 1)]


@pytest.mark.parametrize("weekday", range(7))
def test_weeks_begin_with_the_weekday(weekday: int) -> None:
    for zone in (Zone("UTC"), Zone("America/New_York")):
        calendar = BucketCalendar(604_800, zone, weekday)
        bounds = calendar.bounds(
            micros(datetime(2026, 2, 1, tzinfo=UTC)), micros(datetime(2026, 12, 1, tzinfo=UTC)), 100
        )
        local = [shown(one, ZoneInfo(zone.name)) for one in bounds.tolist()]
        assert {(one.weekday(), one.hour) for one in local} == {(weekday, 0)}


def test_buckets_before_are_counted_across_changes() -> None:
    at = micros(datetime(2026, 3, 30, 12, tzinfo=UTC))
    for width, back, wanted in ((86400, 3, datetime(2026, 3, 26, 23)), ("month", 2, datetime(2025, 12, 31, 23))):
        calendar = BucketCalendar(width, Zone("Europe/Berlin"))
        assert EPOCH + timedelta(microseconds=calendar.earlier(at, back)) == wanted.replace(tzinfo=UTC)


def test_too_many_and_the_ends_of_time() -> None:
    with pytest.raises(TooManyBucketsError):
        BucketCalendar(1).bounds(0, DAY, 1000)
    for width in WIDTHS:
        for zone in (None, Zone("Europe/Berlin")):
            calendar = BucketCalendar(width, zone)
            assert calendar.starts_of(np.array([MIN_MICROS]))[0] == MIN_MICROS
            last = micros(datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
            assert calendar.bounds(last, last + 1, 10)[-1] > last


@pytest.mark.parametrize(
    ("text", "reason"), [("Europe/Berln", "Europe/Berlin"), ("", "Europe/Berlin"), ("../etc/passwd", "no time zone")]
)
def test_an_unknown_zone_is_refused_with_the_nearest(text: str, reason: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        find_zone(text)
    assert reason in str(refused.value.details)


def test_a_zone_is_found_in_any_case() -> None:
    assert find_zone("EUROPE/berlin").name == "Europe/Berlin"
