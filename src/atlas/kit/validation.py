"""Checks of ids and texts that callers send."""

from __future__ import annotations

from uuid import UUID

from atlas.errors import AtlasError, BadRequestError


def identified(text: str, missing: AtlasError) -> UUID:
    """Parses the id in a path. Raises `missing` for a text that is no id."""
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
    """Raises BadRequestError for a text that PostgreSQL cannot store: NUL, or half of a surrogate pair."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRequestError("Invalid parameter", f"{name}: a character in it is not allowed")
