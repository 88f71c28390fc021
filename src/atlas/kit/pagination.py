"""Builds the JSON of list pages and times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Row = dict[str, Any]


def page(name: str, rows: list[Row], total: int, limit: int, offset: int) -> Row:
    """Builds a page of a list."""
    return {"success": True, name: rows, "total_count": total, "limit": limit, "offset": offset}


def moment(value: datetime | None) -> str | None:
    """Formats a time as ISO 8601 with `Z`."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")
