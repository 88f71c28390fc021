"""A grammar of clauses, and the cheapest way to cover a text by them.

A clause is a template: patterns with slots between them, such as `rename <pairs>`. Every token of a text belongs to a
clause, is a filler, or was not understood; of all ways to divide a text the one that leaves least over wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from atlas.language.offline.known_names import NameIndex

_QUOTES = {"“": '"', "”": '"', "„": '"', "‟": '"', "‘": "'", "’": "'", "‚": "'", "`": '"', "«": '"', "»": '"'}
_TOKEN = re.compile(
    r"\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)|\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\w+(?:[.&'%/@+-]+\w+)*%?|[<>=!]+|\S"
)
# More tokens than an instruction has; what stands behind them is told as not understood.
MAX_TOKENS = 1_500
# What a token costs that nobody understands, a clause, and a match that is less likely.
UNKNOWN, CLAUSE, DOUBT = 10.0, 1.0, 1.0

Slot = tuple[int, Any, float]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a language.

    stops: words that begin or join clauses, and so stand in no name or value without quotes; fillers: words without
    which a sentence means the same; joins, either, nor: patterns for "and", "or" and "nor"; bounds:
    patterns and operators behind a value, as in `100 or more`; articles: what may stand before a name;
    owners: whose it is, as in `the client's email`; nouns: what may stand behind it, as in `the email column`;
    arrows: what stands between the old and the new name of a column; behind: verbs that may end a comparison;
    objects: those fillers that are objects of verbs; types: words for types; predicates: what else clauses say of columns, as in `email is required`;
    comparisons: operators (pattern, operator, negated), the longer first; leads: what may stand before a condition;
    negation: a pattern for "not"; verbs: patterns for verbs behind one name and behind several;
    decimal_comma: whether numbers in it are written so.
    """

    name: str
    stops: frozenset[str]
    fillers: frozenset[str]
    joins: str
    either: str
    nor: str
    bounds: tuple[tuple[str, str], ...]
    articles: str
    arrows: str
    types: Mapping[str, str]
    predicates: frozenset[str]
    comparisons: Sequence[tuple[str, str, bool]]
    leads: str
    negation: str
    verbs: tuple[str, str]
    behind: str = ""
    objects: frozenset[str] = frozenset()
    owners: str = ""
    nouns: str = ""
    decimal_comma: bool = False


class Text:
    """An instruction in one language: its tokens, and what its slots may hold at each place."""

    def __init__(self, text: str, vocabulary: Vocabulary, names: NameIndex, tables: NameIndex) -> None:
        self.text, self.vocabulary, self.names, self.tables = text, vocabulary, names, tables
        self.tokens = [(found.start(), found.end()) for found in _TOKEN.finditer(text)]
        self.memo: dict[tuple[object, ...], list[Slot]] = {}

    def word(self, number: int) -> str:
        start, end = self.tokens[number]
        return self.text[start:end]

    def is_value(self, number: int) -> bool:
        """Whether a filler is a value here, such as `US` in `exclude country US`.

        A code in capitals is one, in a text that has other letters, and so is a pronoun behind the name of a column.
        """
        word = self.word(number)
        if number == 0:
            return False
        if len(word) == 2 and word.isupper() and not self.text.isupper():
            return True
        return word.lower() in self.vocabulary.objects and self.word(number - 1) in self.names

    def splits_token(self, place: int) -> bool:
        """Whether a place is within a token, as behind the 01 of 01/02/2024."""
        start, end = self.tokens[self.next_token[place] - 1]
        return start < place < end

    @cached_property
    def next_token(self) -> list[int]:
        """For each place in the text, the number of the first token that starts there or later."""
        found, number = [], 0
        for place in range(len(self.text) + 2):
            while number < len(self.tokens) and self.tokens[number][0] < place:
                number += 1
            found.append(number)
        return found

    def remembered(self, key: tuple[object, ...], make: Callable[[], Iterator[Slot]]) -> list[Slot]:
        """The list of `make`, made once."""
        if key not in self.memo:
            # Until it is made it is empty, so that nothing asks for itself.
            self.memo[key] = []
            self.memo[key] = list(make())
        return self.memo[key]


def plain_text(text: str) -> str:
    """A text with plain quotes, none of them with blanks inside as in French, and single blanks."""
    text = re.sub(r"«\s+", "«", re.sub(r"\s+»", "»", text))
    for odd, plain in _QUOTES.items():
        text = text.replace(odd, plain)
    return re.sub(r"\s+", " ", text).strip()


SlotReader = Callable[[Text, int], list[Slot]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A clause. kind: what it speaks of; template: patterns with slots `<name>` or `<name:label>`; sets: what it says,
    besides its slots; doubt: how much less likely it is than others.
    """

    kind: str
    template: str
    sets: Mapping[str, Any] = field(default_factory=dict)
    doubt: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """A clause in a text."""

    rule: Rule
    start: int
    end: int
    slots: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cover:
    """A text divided into clauses and what is left. unknown: spans of tokens that nobody understood."""

    cost: float
    clauses: tuple[Found, ...]
    unknown: tuple[tuple[int, int], ...]


class Grammar:
    """The clauses of one language."""

    def __init__(self, vocabulary: Vocabulary, rules: Sequence[Rule], slots: Mapping[str, SlotReader]) -> None:
        self.vocabulary = vocabulary
        self._slots = slots
        self._rules = [(rule, _parts(rule.template)) for rule in rules]

    def cover(self, text: Text) -> Cover:
        """The cheapest way to divide a text."""
        count = min(len(text.tokens), MAX_TOKENS)
        costs = [0.0] * (count + 1)
        steps: list[tuple[int, Found | None]] = [(count, None)] * (count + 1)
        for number in range(count - 1, -1, -1):
            costs[number] = costs[number + 1] + (0.0 if self._is_filler(text, number) else UNKNOWN)
            steps[number] = (number + 1, None)
            start = text.tokens[number][0]
            for found, cost in self._clauses(text, start):
                after = min(text.next_token[found.end], count)
                total = cost + costs[after]
                if total < costs[number]:
                    costs[number], steps[number] = total, (after, found)
        return self._followed(text, steps, count, costs[0])

    def _followed(self, text: Text, steps: Sequence[tuple[int, Found | None]], count: int, cost: float) -> Cover:
        clauses, unknown, number = [], [], 0
        while number < count:
            after, found = steps[number]
            if found is not None:
                clauses.append(found)
            elif not self._is_filler(text, number):
                unknown.append(text.tokens[number])
            number = after
        unknown += text.tokens[count:]
        return Cover(cost + UNKNOWN * (len(text.tokens) - count), tuple(clauses), tuple(unknown))

    def _is_filler(self, text: Text, number: int) -> bool:
        word = text.word(number)
        if word in ",.;:!?-":
            return True
        return word.lower() in self.vocabulary.fillers and not text.is_value(number)

    def _clauses(self, text: Text, start: int) -> Iterator[tuple[Found, float]]:
        for rule, parts in self._rules:
            for end, slots, cost in self._matches(text, parts, 0, start):
                # What is left of a token behind a clause would belong to nobody.
                if end > start and not text.splits_token(end):
                    yield Found(rule, start, end, slots), cost + CLAUSE + rule.doubt

    def _matches(
        self, text: Text, parts: Sequence[re.Pattern[str] | tuple[str, str]], number: int, place: int
    ) -> Iterator[tuple[int, dict[str, Any], float]]:
        if number == len(parts):
            yield place, {}, 0.0
            return
        part = parts[number]
        if isinstance(part, tuple):
            slot, label = part
            for end, value, cost in self._slots[slot](text, place):
                for last, slots, more in self._matches(text, parts, number + 1, end):
                    yield last, {label: value, **slots}, cost + more
            return
        found = part.match(text.text, place)
        if found is not None and not splits_word(text.text, found.end()):
            yield from self._matches(text, parts, number + 1, found.end())


def splits_word(text: str, place: int) -> bool:
    """Whether a place is in the middle of a word."""
    return 0 < place < len(text) and _is_word(text[place - 1]) and _is_word(text[place])


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _parts(template: str) -> list[re.Pattern[str] | tuple[str, str]]:
    parts: list[re.Pattern[str] | tuple[str, str]] = []
    for part in re.split(r"(<[a-z]+(?::[a-z_]+)?>)", template):
        if part.startswith("<") and part.endswith(">") and len(part) > 2:
            slot, _, label = part[1:-1].partition(":")
            parts.append((slot, label or slot))
        elif part:
            parts.append(re.compile(part, re.IGNORECASE))
    return parts
