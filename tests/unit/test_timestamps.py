"""ISO 8601 in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.core.formats import timestamp_text
from atlas.core.timestamps import (
    format_timestamp,
    from_micros,
    parse_parameter,
    parse_timestamp,
    to_micros,
)

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)


@given(MOMENTS)
def test_any_moment_in_any_zone(moment: datetime) -> None:
    assert parse_timestamp(moment.isoformat()) == moment
    assert from_micros(to_micros(moment)) == moment
    assert parse_timestamp(format_timestamp(moment)) == moment
    assert parse_parameter(moment.isoformat().replace("+", " ")) == moment
    column = pl.Series([moment.astimezone(UTC)], dtype=pl.Datetime("us", "UTC"))
    assert timestamp_text(column)[0] == format_timestamp(moment)


@pytest.mark.parametrize("text", ["", "x", "2025", "2025-02-30", "10:00", "2025-01-01T00:00:00.0000001Z", "1e9", "0"])
def test_what_is_not_a_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"timestamp|microsecond"):
        parse_timestamp(text)
