"""Timestamps by a strptime format: what is read is what the format writes, whatever else libraries make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.errors import BadRequestError, RowError
from atlas.kit.timestamps import format_timestamp
from atlas.timeseries.ingest.time_formats import time_format

DAYS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%Y%m%d",
    "%d %B %Y",
    "%b %d, %Y",
    "%Y-%j",
    "%a, %d %b %Y",
    "%A %d/%m/%Y",
    "%F",
    "%d%b%Y",
)
CLOCKS = ("", " %H:%M", "T%H%M%S", " %I:%M:%S %p", " %H:%M:%S.%f", " %T", " %H:%M:%S %z", " %Hh%M %Z", " 100%% %H")


def read(text: str, layout: str) -> str:
    return format_timestamp(time_format(layout).read(pa.array([text]), 0, "t")[0].as_py())


@given(
    st.datetimes(datetime(1000, 1, 3), datetime(9999, 12, 28)),
    st.sampled_from(DAYS),
    st.sampled_from(CLOCKS),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_a_format_writes_it_reads(moment: datetime, day: str, clock: str, minutes: int) -> None:
    layout = day + clock
    local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)) if "%z" in layout else UTC)
    text = local.strftime(layout)
    # The standard library's parser knows which parts a format keeps.
    kept = datetime.strptime(text, layout.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S"))
    kept = kept.replace(tzinfo=UTC) if kept.tzinfo is None else kept.astimezone(UTC)
    assert read(text, layout) == format_timestamp(kept)
    assert read(text.upper(), layout) == read(text.lower(), layout) == format_timestamp(kept)


@given(st.text("0123456789", min_size=1, max_size=9), st.sampled_from(["%Y%m%d", "%y%m%d", "%Y%j", "%Y%m", "%y%j"]))
def test_digits_alone_are_all_used(text: str, layout: str) -> None:
    try:
        found = read(text, layout)
    except RowError:
        return
    # Python writes a year before 1000 with as many digits as it has.
    shown = datetime.fromisoformat(found).strftime(layout.replace("%Y", found[:4]))
    assert shown == text


@pytest.mark.parametrize(
    ("text", "layout", "meant"),
    [
        ("31.12.68", "%d.%m.%y", "2068-12-31T00:00:00Z"),
        ("31.12.69", "%d.%m.%y", "1969-12-31T00:00:00Z"),
        ("Jan 2000", "%b %Y", "2000-01-01T00:00:00Z"),
        ("Feb-24", "%b-%y", "2024-02-01T00:00:00Z"),
        ("1/2/2024", "%d/%m/%Y", "2024-02-01T00:00:00Z"),
        ("2024-01-01 12:30 am", "%Y-%m-%d %I:%M %p", "2024-01-01T00:30:00Z"),
        ("1735689600", "%s", "2025-01-01T00:00:00Z"),
        ("-1.5", "%s.%f", "1969-12-31T23:59:58.500Z"),
        ("2024-12-31 23:59 +0200", "%Y-%m-%d %H:%M %z", "2024-12-31T21:59:00Z"),
        (" 5 May 2024", "%e %B %Y", "2024-05-05T00:00:00Z"),
        ("2024-1-5", "%Y-%-m-%-d", "2024-01-05T00:00:00Z"),
        ("0001-01-01", "%Y-%m-%d", "0001-01-01T00:00:00Z"),
        ("2024-02-29", "%Y-%m-%d", "2024-02-29T00:00:00Z"),
    ],
)
def test_what_formats_mean(text: str, layout: str, meant: str) -> None:
    assert read(text, layout) == meant


@pytest.mark.parametrize(
    ("text", "layout", "reason"),
    [
        ("31.12.24", "%d.%m.%Y", "does not match"),
        ("20/01/02", "%Y/%m/%d", "does not match"),
        ("01-Jan-00", "%d-%b-%Y", "does not match"),
        ("Jan 2000", "%b %d %Y", "does not match"),
        ("31 Feb 2024", "%d %b %Y", "month does not have"),
        ("2024/02/30", "%Y/%m/%d", "month does not have"),
        ("31.04.2024", "%d.%m.%Y", "month does not have"),
        ("29.02.1900", "%d.%m.%Y", "month does not have"),
        ("23366", "%y%j", "year does not have"),
        ("2024/01/01 23:59:60", "%Y/%m/%d %H:%M:%S", "second is not 0 to 59"),
        ("2024/01/01 24:00:00", "%Y/%m/%d %H:%M:%S", "hour is not"),
        ("2024-13-01", "%Y-%m-%d", "month is not"),
        ("2024-00-01", "%Y-%m-%d", "month is not"),
        ("2024-01-00", "%Y-%m-%d", "day is not"),
        ("0000-01-01", "%Y-%m-%d", "year is not"),
        ("2024-01-01x", "%Y-%m-%d", "does not match"),
        ("2024010112", "%y%m%d%H", "does not match"),
        ("Wed, 02 Jan 2025", "%a, %d %b %Y", "another one of the week"),
        ("13:00 PM 2024-01-01", "%I:%M %p %Y-%m-%d", "hour is not"),
        ("2024-01-01 00:00:00.1234567", "%Y-%m-%d %H:%M:%S.%f", "finer"),
        ("0001-01-01 00:00 +0100", "%Y-%m-%d %H:%M %z", "outside"),
        ("2024-01-01 EST", "%Y-%m-%d %Z", "does not match"),
        ("999999999999", "%s", "outside"),
        ("２024-01-01", "%Y-%m-%d", "does not match"),
        ("2024-01-01 00:00 +9900", "%Y-%m-%d %H:%M %z", "no such zone"),
    ],
)
def test_what_formats_refuse(text: str, layout: str, reason: str) -> None:
    good = {"%s": "0"}.get(layout) or datetime(2023, 12, 31, tzinfo=UTC).strftime(layout)
    with pytest.raises(RowError) as refused:
        time_format(layout).read(pa.array([good, text]), 10, "t")
    assert (refused.value.row, refused.value.field) == (11, "t")
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    "layout",
    [
        "%Q",
        "%H:%M",
        "%Y %d",
        "%Y-%m-%d %I",
        "%Y %y",
        "%Y %m %b",
        "%Y%",
        "%c",
        "%G-W%V-%u",
        "%Y-%m-%d %S",
        "%Y %H",
        "%Y-%j-%d",
        "%s %Y",
        "%Y %W %w",
        "%Y-%m-%d %f",
        "%Y %a",
        "",
    ],
)
def test_formats_that_are_none(layout: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        time_format(layout)
    assert "timestamp_format" in (refused.value.details or "")
