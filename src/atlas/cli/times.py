"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer


def ending(text: str | None) -> datetime | None:
    """When something ends: ISO 8601, or a number of hours or days from now. Raises BadParameter."""
    return None if text is None else _moment(text, +1)


def since(text: str | None) -> datetime | None:
    """When something begins: ISO 8601, or a number of minutes, hours or days ago. Raises BadParameter."""
    return None if text is None else _moment(text, -1)


def _moment(text: str, sign: int) -> datetime:
    units = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
    if text[:-1].isdigit() and text[-1:] in units:
        return datetime.now(UTC) + sign * int(text[:-1]) * units[text[-1]]
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not ISO 8601, such as 2026-01-31T12:00:00Z; or a number and m, h or d, such as 90d"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
