"""What people say of a column, in the metadata of its field in Arrow and Parquet files."""

from __future__ import annotations


def field_metadata(unit: str, description: str) -> dict[str, str] | None:
    """Members `unit` and `description`, as far as they are said; None where neither is."""
    said = {"unit": unit, "description": description}
    return {name: text for name, text in said.items() if text} or None
