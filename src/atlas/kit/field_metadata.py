"""A column's unit and description in the metadata of its field in Arrow and Parquet files."""

from __future__ import annotations


def field_metadata(unit: str, description: str) -> dict[str, str] | None:
    """Builds the members `unit` and `description` from the non-empty texts. Returns None when both are empty."""
    texts = {"unit": unit, "description": description}
    return {name: text for name, text in texts.items() if text} or None
