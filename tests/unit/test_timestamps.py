"""ISO 8601 in and out: which forms are taken, what they mean, and that nothing else is."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atlas.errors import RowError
from atlas.kit.timestamps import format_timestamp, from_micros, parse_end, parse_parameter, parse_timestamp, to_micros
from atlas.timeseries.formats import timestamp_text
from atlas.timeseries.ingest.timestamp_columns import plain_timestamps, timestamps

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)


def days(day: date) -> list[str]:
    """Every way to write a day."""
    year, week, weekday = day.isocalendar()
    ordinal = f"{day.year:04d}-{(day - date(day.year, 1, 1)).days + 1:03d}"
    found = [f"{day.year:04d}-{day.month:02d}-{day.day:02d}", f"{day.year:04d}{day.month:02d}{day.day:02d}", ordinal]
    return [*found, f"{year:04d}-W{week:02d}-{weekday}", f"{year:04d}W{week:02d}{weekday}"] if year > 0 else found


def clocks(moment: datetime, digits: str) -> list[str]:
    """Every way to write a time of day. digits: of its fraction of a second, at least six."""
    hour, minute, second = f"{moment.hour:02d}", f"{moment.minute:02d}", f"{moment.second:02d}"
    found = []
    for mark in ("", ":"):
        found += [f"{hour}{mark}{minute}{mark}{second}{point}{digits}" for point in ".,"]
        short = digits.rstrip("0")
        found += [f"{hour}{mark}{minute}{mark}{second}.{short}"] if short else [f"{hour}{mark}{minute}{mark}{second}"]
    if not (moment.second or moment.microsecond):
        found += [f"{hour}{minute}", f"{hour}:{minute}"] + ([hour] if not moment.minute else [])
    return found


def zones(minutes: int) -> list[str]:
    """Every way to write a zone of whole minutes."""
    sign, hours, rest = "-" if minutes < 0 else "+", abs(minutes) // 60, abs(minutes) % 60
    found = [f"{sign}{hours:02d}:{rest:02d}", f"{sign}{hours:02d}{rest:02d}", f"{sign}{hours:02d}:{rest:02d}:00"]
    return found + ([f"{sign}{hours:02d}"] if not rest else []) + ([] if minutes else ["Z", "z", "-00:00", ""])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, datetime]:
    """A moment in UTC, and one of the ways to write it."""
    moment = draw(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28)))
    if draw(st.booleans()):
        moment = moment.replace(microsecond=0, second=0, minute=draw(st.sampled_from([0, 30])))
    minutes = draw(st.sampled_from([0, 60, -300, 330, 14 * 60, -14 * 60, 23 * 60 + 59]))
    local = moment + timedelta(minutes=minutes)
    day, clock = local, draw(st.sampled_from(clocks(local, f"{local.microsecond:06d}{'0' * draw(st.integers(0, 3))}")))
    if local.time() == local.min.time() and draw(st.booleans()):
        day, clock = local - timedelta(days=1), draw(st.sampled_from(["24", "24:00", "2400", "24:00:00", "240000.000"]))
    forms = [*days(day.date()), f"{day.year:04d}{(day.date() - date(day.year, 1, 1)).days + 1:03d}"]
    text = draw(st.sampled_from(forms)) + draw(st.sampled_from("Tt ")) + clock + draw(st.sampled_from(zones(minutes)))
    return text, moment.replace(tzinfo=UTC)


@given(written())
def test_each_form_has_one_meaning(case: tuple[str, datetime]) -> None:
    text, moment = case
    assert parse_timestamp(text) == moment
    assert timestamps(pa.array([text])).to_pylist() == [moment]


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.data())
def test_a_day_alone_is_its_midnight(day: date, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(days(day)))
    assert parse_timestamp(text) == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert parse_end(text) == datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC)


def all_texts(value: datetime, text: str) -> set[str]:
    """Every way to write a moment that has the zone and the digits of a fraction that a text ends with."""
    zone = (
        re.search(r"(?<=\d)(?:[Zz]|[+-](?:\d\d:\d\d:\d\d|\d\d:\d\d|\d{6}|\d{4}|\d\d))$", text)
        if re.search(r"[Tt ]\d", text)
        else None
    )
    suffix = zone[0] if zone else ""
    digits = re.sub(r"\D", "", suffix).ljust(6, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    local = value.replace(tzinfo=None) + (-offset if suffix[:1] == "-" else offset)
    places = len(found[1]) if (found := re.search(r"[.,](\d+)", text)) else 6
    fraction = f"{local.microsecond:06d}".ljust(places, "0")[: max(places, 6)]
    fractions = {fraction[:length] for length in range(1, len(fraction) + 1) if not fraction[length:].strip("0")}
    texts = set()
    before = local - timedelta(days=1) if local > datetime(1, 1, 2) else local
    for part in {fraction, *fractions}:
        for day, times in ((local, clocks(local, part)), (before, midnights(part))):
            if times is not None and (day is local or local.time() == local.min.time()):
                forms = [*days(day.date()), f"{day.year:04d}{(day.date() - date(day.year, 1, 1)).days + 1:03d}"]
                texts |= {form + mark + clock + suffix for form in forms for mark in "Tt " for clock in times}
    return texts | (set(days(local.date())) if not suffix else set())


def midnights(digits: str) -> list[str]:
    return [
        "24",
        "24:00",
        "2400",
        *(f"24{m}00{m}00{p}{d}" for m in (":", "") for p, d in (("", ""), (".", digits), (",", digits))),
    ]


SCRAPS = st.text("0123456789-:.,+TtZzW \0−２", max_size=4)


@given(written(), st.integers(0, 40), st.integers(0, 3), SCRAPS)
@example(("2023-08-08T12:00:00Z", datetime(2023, 8, 8, 12, tzinfo=UTC)), 4, 0, "")
def test_what_is_taken_is_a_form_of_what_it_is_taken_for(
    case: tuple[str, datetime], at: int, cut: int, scrap: str
) -> None:
    """A text that was changed anywhere is refused, or is one of the ways to write the moment that it stands for."""
    text = case[0][:at] + scrap + case[0][at + cut :]
    found = plain_timestamps(pa.array([text]))
    try:
        value = parse_timestamp(text)
    except ValueError:
        assert found is None, "Arrow must not take what we do not"
        with pytest.raises(RowError):
            timestamps(pa.array([text]))
    else:
        assert found is None or found.to_pylist() == [value]
        assert text.upper() in {one.upper() for one in all_texts(value, text)}, value


@given(MOMENTS)
def test_any_moment_in_any_zone(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat()) == moment
    assert from_micros(to_micros(moment)) == moment
    assert parse_timestamp(format_timestamp(moment)) == moment
    assert parse_parameter(moment.isoformat().replace("+", " ")) == moment
    column = pl.Series([moment.astimezone(UTC)], dtype=pl.Datetime("us", "UTC"))
    assert timestamp_text(column)[0] == format_timestamp(moment)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2025-12-16T24:00:00Z", "2025-12-17T00:00:00Z"),
        ("9999-12-31T24:00+01:00", "9999-12-31T23:00:00Z"),
        ("2024-366", "2024-12-31T00:00:00Z"),
        ("2025350T10", "2025-12-16T10:00:00Z"),
        ("2026-W53-7", "2027-01-03T00:00:00Z"),
        ("2025-12-16t10:00:00z", "2025-12-16T10:00:00Z"),
        ("1883-11-18T12:03:58-04:56:02", "1883-11-18T17:00:00Z"),
        ("2025-12-16T10:00:00.000000000000000000000000Z", "2025-12-16T10:00:00Z"),
    ],
)
def test_rarer_forms(text: str, meant: str) -> None:
    assert format_timestamp(parse_timestamp(text)) == meant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("x", "timestamp"),
        ("2025", "unit"),
        ("2025-02-30", "no such day"),
        ("10:00", "timestamp"),
        ("2025-01-01T00:00:00.0000001Z", "finer than a microsecond"),
        ("1e9", "timestamp"),
        ("0", "unit"),
        ("20230808120000Z", "no T"),
        ("20230808120000+0200", "no T"),
        ("202308081200", "no T"),
        ("1734343200", "unit"),
        ("2025-12-16T10.5Z", "no fraction"),
        ("2025-12-16T10:30.5Z", "no fraction"),
        ("20251216T10,25", "no fraction"),
        ("2025-12-16-06:00", "time of day"),
        ("2025-12-16+10:00", "time of day"),
        ("2025-12-16Z", "time of day"),
        ("2025-12-16510:00:00", "timestamp"),
        ("2025-12-16T10:00:00+01:60", "timestamp"),
        ("2025-12-16T10:00:00Z\0garbage", "timestamp"),
        ("2020-01-01T123456789", "timestamp"),
        ("2020-01-01T12:34:56:780", "timestamp"),
        ("2020-01-01T00:00:00+00000000", "timestamp"),
        ("2025-12-16T10:00:00+24:00", "no such zone"),
        ("2025-12-16T24:00:01Z", "time of day"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("2025-12", "no day"),
        ("2025-W51", "no day"),
        ("2025350", "unit"),
        ("2025-366", "does not have"),
        ("2025-000", "does not have"),
        ("2025-W53-1", "no such day"),
        ("0000-01-01", "no year 0"),
        ("+002025-12-16T00:00:00Z", "four digits"),
        ("12025-12-16", "four digits"),
        ("9999-12-31T24:00", "outside"),
        ("0001-01-01T00:00:00+01:00", "outside"),
        ("9999-12-31T23:59:59-01:00", "outside"),
        ("0000-12-31T23:00:00-02:00", "no year 0"),
        (" 2025-12-16", "blank"),
        ("2025-12-16T10:00:00Z\n", "blank"),
        ("2025-12-16T10:00:00 UTC", "timestamp"),
        ("2025-12-16T10:00:00[Europe/Paris]", "timestamp"),
        ("２０２５-12-16", "timestamp"),
        ("2025-12-16_10:00", "timestamp"),
        ("2025-12-16T1:00", "timestamp"),
    ],
)
def test_what_is_not_a_timestamp(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_timestamp(text)
    with pytest.raises(RowError, match=r"row"):
        timestamps(pa.array(["2025-01-01", text]))


@pytest.mark.parametrize("text", ["9999-12-31", "99991231", "9999-365", "0001-01-01", "2024-02-29"])
def test_the_end_of_a_range_takes_in_its_day(text: str) -> None:
    assert parse_end(text) - parse_parameter(text) == timedelta(days=1) - timedelta(microseconds=1)
