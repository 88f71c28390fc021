"""How lists, ids and moments come in and go out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from atlas.errors import AtlasError, BadRequestError

Row = dict[str, Any]


def page(name: str, rows: list[Row], total: int, limit: int, offset: int) -> Row:
    """A page of a list."""
    return {"success": True, name: rows, "total_count": total, "limit": limit, "offset": offset}


def moment(value: datetime | None) -> str | None:
    """ISO 8601 with `Z`."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def identified(text: str, missing: AtlasError) -> UUID:
    """The id that a path names. Raises `missing` where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise missing from None


def refuse_text(name: str, text: str, longest: int) -> None:
    """Raises BadRequestError for a text that is blank, too long, or cannot be stored."""
    if not text.strip():
        raise BadRequestError("Invalid parameter", f"{name}: required")
    if len(text) > longest:
        raise BadRequestError("Invalid parameter", f"{name}: over {longest:,} characters long")
    refuse_unstorable(name, text)


def refuse_unstorable(name: str, text: str) -> None:
    """Raises BadRequestError for what PostgreSQL cannot store: NUL, and half of a surrogate pair."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRequestError("Invalid parameter", f"{name}: a character in it is not allowed")
