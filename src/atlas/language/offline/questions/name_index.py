"""An index that finds names by the words of a question without a comparison with every name."""

from __future__ import annotations

from collections.abc import Iterable

from atlas.language.offline.questions.lexicon import SYNONYMS
from atlas.language.offline.questions.tokenizer import root

# The number of question words whose result is cached.
_KEPT = 2_000
# Similar words, apart from synonyms, share this number of first letters.
_HEAD = 3


def same_word(asked: str, own: str) -> float:
    """Scores how well the stem of a question's word matches a word of a name, from 0 to 1."""
    if asked == own:
        return 1.0
    if own in SYNONYMS.get(asked, ()):
        return 0.9
    if len(asked) >= 4 and len(own) >= 4 and root(asked) == root(own):
        return 0.85
    if len(own) >= 3 and len(asked) > len(own) and asked.startswith(own) and len(own) >= 0.5 * len(asked):
        return 0.7
    if len(asked) >= 5 and own.startswith(asked) and len(asked) >= 0.6 * len(own):
        return 0.7
    return 0.0


class Owners:
    """An index of names by their words. A name is identified by the number that it was added under."""

    def __init__(self) -> None:
        self._whole: dict[str, list[int]] = {}
        self._owners: dict[str, set[int]] = {}
        self._by_head: dict[str, list[str]] = {}
        self._known: dict[str, frozenset[int]] = {}

    def add(self, number: int, words: Iterable[str], whole: Iterable[str] = ()) -> None:
        """Adds a name by its words, and by the texts that are names as a whole."""
        for text in whole:
            self._whole.setdefault(text, []).append(number)
        for word in words:
            owners = self._owners.get(word)
            if owners is None:
                owners = self._owners[word] = set()
                self._by_head.setdefault(word[:_HEAD], []).append(word)
            owners.add(number)

    def find_whole(self, texts: Iterable[str]) -> set[int]:
        """Returns the names that equal one of the texts as a whole."""
        return {number for text in texts for number in self._whole.get(text, ())}

    def find_by_word(self, asked: str) -> frozenset[int]:
        """Returns the names with a word that matches a word of the question by `same_word`."""
        found = self._known.get(asked)
        if found is None:
            alike = {asked, *SYNONYMS.get(asked, ()), *self._by_head.get(asked[:_HEAD], ())}
            owners = [self._owners[own] for own in alike if own in self._owners and same_word(asked, own)]
            found = frozenset().union(*owners)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[asked] = found
        return found
