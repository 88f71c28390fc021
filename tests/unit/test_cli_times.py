"""Times as people type them: exact, in UTC, and refused with the option's name where they are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from atlas.cli.time_arguments import expiry, since, until

MICROSECOND = timedelta(microseconds=1)
SECONDS = {
    "s": 1,
    "sec": 1,
    "seconds": 1,
    "m": 60,
    "min": 60,
    "minutes": 60,
    "h": 3600,
    "hours": 3600,
    "d": 86_400,
    "day": 86_400,
    "w": 604_800,
    "weeks": 604_800,
}


def ago(text: str, parse=since) -> timedelta:
    """How long before now a text means. What the clock has moved on meanwhile is less than a second."""
    before = datetime.now(UTC)
    found = parse(text, "--start")
    assert found is not None
    assert found.tzinfo is UTC
    return timedelta(seconds=round((before - found).total_seconds()))


@given(
    st.lists(st.tuples(st.integers(0, 500), st.sampled_from(sorted(SECONDS))), min_size=1, max_size=3),
    st.sampled_from(["", " "]),
    st.booleans(),
)
def test_spans_are_added_up(parts: list[tuple[int, str]], between: str, upper: bool) -> None:
    span = timedelta(seconds=sum(number * SECONDS[unit] for number, unit in parts))
    text = between.join(f"{number}{between}{unit}" for number, unit in parts)
    text = text.upper() if upper else text
    for past in (text, f"-{text}", f"{text} ago", f" {text} "):
        assert ago(past) == span, past
        assert ago(past, until) == span, past
    assert ago(f"+{text}") == -span
    assert ago(text, expiry) == -span
    assert ago(f"{text} ago", expiry) == span


@pytest.mark.parametrize(("word", "days"), [("yesterday", -1), ("today", 0), ("Tomorrow", 1)])
def test_days_are_whole(word: str, days: int) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = since(word, "--start"), until(word, "--end")
    assert first is not None
    assert last is not None
    assert first - midnight in (timedelta(days=days), timedelta(days=days + 1))
    assert last - first == timedelta(days=1) - MICROSECOND


def test_iso_is_read_as_the_api_reads_it() -> None:
    assert since("2026-01-31", "--start") == datetime(2026, 1, 31, tzinfo=UTC)
    assert until("2026-01-31", "--end") == datetime(2026, 2, 1, tzinfo=UTC) - MICROSECOND
    assert until("2026-01-31T12:00", "--end") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert since("2026-01-31T12:00:00+02:00", "--start") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert abs(ago("now")) < timedelta(seconds=2)
    assert since(None, "--start") is until(None, "--end") is expiry(None, "--expires") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "7",
        "-7",
        "7x",
        "1.5h",
        "last week",
        "1 month ago",
        "1y",
        "- 7d ago",
        "+7d ago",
        "ago",
        "d",
        "2026-02-30",
        "2026-01-31T25:00",
        "99999999999999d",
        "1e3s",
        "٣d",
        "7d 7",
        "yesterday ago",
        "-",
        "+",
        "--7d",
    ],
)
def test_what_is_no_time_is_told_with_its_option(text: str) -> None:
    for parse in (since, until, expiry):
        with pytest.raises(typer.BadParameter) as told:
            parse(text, "--end")
        assert "--end" in told.value.format_message()
        assert "2h ago" in str(told.value)
