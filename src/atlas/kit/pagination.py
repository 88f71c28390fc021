"""How lists, ids and moments come in and go out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Row = dict[str, Any]


def page(name: str, rows: list[Row], total: int, limit: int, offset: int) -> Row:
    """A page of a list."""
    return {"success": True, name: rows, "total_count": total, "limit": limit, "offset": offset}


def moment(value: datetime | None) -> str | None:
    """ISO 8601 with `Z`."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")
