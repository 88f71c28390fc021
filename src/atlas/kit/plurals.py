"""Counts with their nouns, as sentences have them."""

from __future__ import annotations


def many(count: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun, such as `1 row` or `2,000 rows`. plural: where it is not the noun with an s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
