"""Writes counts with their nouns, as in sentences."""

from __future__ import annotations


def many(count: int, noun: str, plural: str | None = None) -> str:
    """Returns a count with its noun, such as `1 row` or `2,000 rows`. plural: the plural, unless it adds an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
