"""Members that a JSON object has twice: decoders keep the last of them, and say nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def given_twice(text: bytes, members: Mapping[str, msgspec.Raw]) -> str | None:
    """The member that the object `text` has more than once; None where there is none.

    members: what a decoder makes of it, each name once.
    """
    commas = sum(bytes(raw).count(b",") for raw in members.values())
    return None if _counted(text, members, commas) else _first_twice(text)


def root_given_twice(text: bytes, names: Iterable[str], items: Iterable[bytes]) -> str | None:
    """As `given_twice` for an object with a list. names: of its members; items: of the list, as texts."""
    parts = list(items)
    commas = sum(part.count(b",") for part in parts) + max(len(parts) - 1, 0)
    return None if _counted(text, list(names), commas) else _first_twice(text)


def _counted(text: bytes, names: Iterable[str], commas: int) -> bool:
    """Whether `commas` and those of and between members are all that a text has, so that no member is missing."""
    parts = list(names)
    return text.count(b",") == commas + sum(name.count(",") for name in parts) + max(len(parts) - 1, 0)


def _first_twice(text: bytes) -> str | None:
    """As `given_twice`, by reading all of the text: commas may be escaped, too."""
    outermost: list[tuple[str, Any]] = []

    def note(members: list[tuple[str, Any]]) -> None:
        # The object around all others ends last.
        nonlocal outermost
        outermost = members

    try:
        json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str)
    except ValueError:
        return None
    return next((name for name, times in Counter(name for name, _ in outermost).items() if times > 1), None)
