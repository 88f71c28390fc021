"""Patterns of LIKE and ILIKE."""

from __future__ import annotations

_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def escape_like(text: str) -> str:
    """The pattern that a text alone matches."""
    return text.translate(_SPECIAL)


def containing(text: str) -> str:
    """The pattern that every text with `text` in it matches."""
    return f"%{escape_like(text)}%"
