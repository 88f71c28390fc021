"""Writes rows of queries as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from atlas.kit.json_depth import too_deep

_JSON = msgspec.json.Encoder(decimal_format="number")
# Whole numbers up to this limit are written without a fraction, as PostgreSQL writes them.
_WHOLE = 1e15


def csv_text(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> str:
    """Writes RFC 4180 with a header and `\n` after each line. columns: (name, PostgreSQL type).

    NULL is empty, booleans are true and false, times are ISO 8601, numbers are plain, JSON is compact.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    shown = [_compact if kind in ("json", "jsonb") else cell for _, kind in columns]
    writer.writerows([[show(value) for show, value in zip(shown, row, strict=True)] for row in rows])
    return target.getvalue()


def cell(value: Any) -> str:
    """Formats a value as text."""
    if value is None:
        return ""
    show = _SHOWN.get(type(value))
    return show(value) if show is not None else str(value)


def _compact(value: Any) -> str:
    """Formats JSON without blanks. Numbers keep their digits."""
    if isinstance(value, str):
        # An earlier version may have stored JSON deeper than decoders follow, which is returned unchanged.
        return value if too_deep(value.encode()) else msgspec.json.format(value, indent=-1)
    return "" if value is None else _json(value)


def _json(value: Any) -> str:
    return _JSON.encode(value).decode()


def _float(value: float) -> str:
    if value.is_integer() and abs(value) < _WHOLE:
        return str(int(value))
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(str(value), repr(value))


def _moment(value: datetime | time) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _duration(value: timedelta) -> str:
    """Formats a duration as ISO 8601 with one sign: `-P1DT2H`."""
    sign = "-" if value < timedelta(0) else ""
    days, seconds = divmod(abs(value), timedelta(days=1))
    hours, rest = divmod(seconds, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else ""]
    if rest:
        parts.append(f"{Decimal(rest // timedelta(microseconds=1)).scaleb(-6).normalize():f}S")
    clock = "".join(parts)
    digits = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{sign}P{digits or 'T0S'}"


_SHOWN: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float,
    Decimal: lambda value: format(value, "f"),
    datetime: _moment,
    date: date.isoformat,
    time: _moment,
    timedelta: _duration,
    list: _json,
    dict: _json,
}
