"""A column's unit and description in files: in the metadata of Arrow and Parquet fields, in notes of a workbook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

MAX_UNIT, MAX_DESCRIPTION = 40, 1000
# Names in the files of other programs.
_UNITS, _DESCRIPTIONS = (b"unit", b"units"), (b"description", b"comment", b"long_name")
_NOTE = re.compile(r"\s*(?:unit:[ \t]*(?P<unit>[^\n]*)(?:\n|\Z))?(?:description:(?P<description>.*))?\s*", re.I | re.S)


def field_metadata(unit: str, description: str) -> dict[str, str] | None:
    """Builds the members `unit` and `description` from the non-empty texts. Returns None when both are empty."""
    texts = {"unit": unit, "description": description}
    return {name: text for name, text in texts.items() if text} or None


def parse_field_metadata(metadata: Mapping[bytes, bytes] | None) -> tuple[str, str]:
    """Reads unit and description from a field's metadata. Each is "" when it is missing or invalid."""
    texts = {name.lower(): text.decode("utf-8", "replace") for name, text in (metadata or {}).items()}

    def first(names: tuple[bytes, ...]) -> str:
        return next((texts[name] for name in names if texts.get(name, "").strip()), "")

    return fitting(first(_UNITS), first(_DESCRIPTIONS))


def header_note(unit: str, description: str) -> str:
    """Writes the note of a header, for people and for `parse_header_note`. Returns "" when both are empty."""
    lines = [f"Unit: {unit}"] if unit else []
    return "\n".join(lines + ([f"Description: {description}"] if description else []))


def parse_header_note(text: str) -> tuple[str, str]:
    """Reads unit and description from the text of `header_note`. Both are "" for any other text."""
    found = _NOTE.fullmatch(text)
    return fitting(found["unit"] or "", found["description"] or "") if found else ("", "")


def fitting(unit: str, description: str) -> tuple[str, str]:
    """Strips unit and description. A text that is too long or has control characters becomes ""."""
    return _fitting(unit, MAX_UNIT, ""), _fitting(description, MAX_DESCRIPTION, "\n\t")


def _fitting(text: str, most: int, allowed: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    odd = any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text if c not in allowed)
    return "" if odd or len(text) > most else text
