"""Duplicate members of JSON objects: decoders silently keep the last of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


def given_twice(text: bytes, members: Mapping[str, msgspec.Raw]) -> str | None:
    """Returns the member that the object `text` has more than once, or None.

    `members` are the decoder's members, each name once.
    """
    commas = sum(bytes(raw).count(b",") for raw in members.values())
    return None if _counted(text, members, commas) else _first_twice(text)


def root_given_twice(text: bytes, names: Iterable[str], items: Iterable[bytes]) -> str | None:
    """Checks an object with a list like `given_twice`. `names` are the object's members, `items` the texts
    of the list.
    """
    parts = list(items)
    commas = sum(part.count(b",") for part in parts) + max(len(parts) - 1, 0)
    return None if _counted(text, list(names), commas) else _first_twice(text)


def _counted(text: bytes, names: Iterable[str], commas: int) -> bool:
    """Checks whether a text has only the commas between members, in their names, and `commas`, so that no member is
    missing.
    """
    parts = list(names)
    return text.count(b",") == commas + sum(name.count(",") for name in parts) + max(len(parts) - 1, 0)


def _first_twice(text: bytes) -> str | None:
    """Finds the member like `given_twice`, by parsing the whole text, because commas may also be escaped."""
    outermost: list[tuple[str, Any]] = []

    def note(members: list[tuple[str, Any]]) -> None:
        # The outermost object ends last.
        nonlocal outermost
        outermost = members

    try:
        json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str)
    except ValueError:
        return None
    return next((name for name, times in Counter(name for name, _ in outermost).items() if times > 1), None)
