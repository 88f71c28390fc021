"""Finds known names, such as the headers of a file, in a text, in any spelling of case, blanks and plural."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from atlas.kit.close_names import plain_name
from atlas.kit.identifiers import identifier, singular

_WORD = re.compile(r"[\w#$%°][\w.&%/'°#$-]*")
_PLAIN = re.compile(r"[\w ]+")
_MAX_WORDS = 6


class NameIndex:
    """An index of the names to find in a text."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_plain: dict[str, str] = {}
        # Names that are no sequence of words match only as written, apart from case.
        self._odd: dict[str, list[str]] = {}
        for name in names:
            name = name.strip()
            if not name:
                continue
            self._by_plain.setdefault(plain_name(name)[0], name)
            if not _PLAIN.fullmatch(name):
                self._odd.setdefault(name[0].lower(), []).append(name)
        for listed in self._odd.values():
            listed.sort(key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._by_plain)

    def __contains__(self, told: str) -> bool:
        return plain_name(told)[0] in self._by_plain

    def find(self, told: str) -> str | None:
        """Returns the known name for a spelling, in the singular or plural. None: no name is known."""
        one = "_".join(map(singular, identifier(told).split("_")))
        return self._by_plain.get(plain_name(told)[0]) or self._by_plain.get(plain_name(one)[0])

    def at(self, text: str, place: int) -> Iterator[tuple[int, str]]:
        """Yields the known names at a place of a text: the end and the known name, the longest first."""
        if place >= len(text):
            return
        for name in self._odd.get(text[place].lower(), ()):
            end = place + len(name)
            if text[place:end].lower() == name.lower() and not (text[end : end + 1].isalnum() and name[-1].isalnum()):
                yield end, name
        ends = []
        here = place
        for _ in range(_MAX_WORDS):
            found = _WORD.match(text, here)
            if found is None:
                break
            ends.append(here + len(found[0].rstrip(".'")))
            if text[ends[-1] : ends[-1] + 1] != " ":
                break
            here = ends[-1] + 1
        for end in reversed(ends):
            known = self._by_plain.get(plain_name(text[place:end])[0])
            if known is not None:
                yield end, known
