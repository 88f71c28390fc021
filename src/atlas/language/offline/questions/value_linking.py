"""Decides which phrases may be values of columns, and which columns hold places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from atlas.catalog.model import CatalogColumn
from atlas.language.offline.questions.lexicon import FILLERS
from atlas.language.offline.questions.places import is_code, places, write_place
from atlas.language.offline.questions.tokenizer import Token

if TYPE_CHECKING:
    from atlas.language.offline.questions.schema_linking import LinkedColumn


def write_in_style(place: str, linked: LinkedColumn) -> str:
    """Writes a place that the column lacks in the style of the column's places."""
    lengths = Counter(len(value) for value in linked.column.values)
    return write_place(place, lengths.most_common(1)[0][0] if lengths else 0)


def is_plausible(phrase: Sequence[Token], value: str, spoken: bool) -> bool:
    """Checks whether a short or common word really means the value."""
    if phrase[0].kind == "quote":
        return True
    if len(phrase) == 1:
        token = phrase[0]
        if len(value) == 1:
            return token.text == value and token.text.isupper()
        if spoken:
            return True
        if token.lower in FILLERS or (is_code(token.text) and places(token.lower)):
            return token.text == value and not token.text.islower()
        if token.kind == "number":
            return False
    return not all(token.lower in FILLERS for token in phrase)


def words_of(value: str) -> tuple[str, ...]:
    from atlas.language.offline.questions.tokenizer import tokens

    return tuple(token.lower for token in tokens(value) if token.kind != "sign")[:8]


def places_of(column: CatalogColumn) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Returns the kind of place in a column, or None, and the column's values by place."""
    if column.type != "text" or not column.values:
        return None, {}
    ids = {value: places(value) for value in column.values[:300]}
    counts = Counter(kind for found in ids.values() for kind in {place.split(":")[0] for place in found})
    if not counts or counts.most_common(1)[0][1] < 0.6 * len(ids):
        return None, {}
    best = counts.most_common(2)
    kind = best[0][0]
    if len(best) == 2 and best[0][1] == best[1][1]:
        kind = "country" if "country" in column.name.lower() or "nation" in column.name.lower() else "us"
    by_place: dict[str, list[str]] = {}
    for value, found in ids.items():
        for place in found:
            if place.startswith(kind):
                by_place.setdefault(place, []).append(value)
    return kind, {place: tuple(values) for place, values in by_place.items()}
