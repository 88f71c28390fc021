"""Escapes texts for patterns of LIKE and ILIKE."""

from __future__ import annotations

_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def escape_like(text: str) -> str:
    """Returns the pattern that only `text` matches."""
    return text.translate(_SPECIAL)


def containing(text: str) -> str:
    """Returns the pattern that every text containing `text` matches."""
    return f"%{escape_like(text)}%"
