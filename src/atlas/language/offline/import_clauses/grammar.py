"""A grammar of clauses, and the search for the cheapest way to cover a text with clauses.

A clause is a template: patterns with slots between the patterns, such as `rename <pairs>`. Every token of a text
belongs to a clause, is a filler, or is unknown. The division of a text with the lowest cost wins, which has the fewest
unknown tokens.
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
# No instruction is this long. Tokens behind the limit are reported as not understood.
MAX_TOKENS = 1_500
# The costs of an unknown token, of a clause, and of a less likely match.
UNKNOWN, CLAUSE, DOUBT = 10.0, 1.0, 1.0

Slot = tuple[int, Any, float]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a language.

    stops: words that begin or join clauses, and so stand in no name or value without quotes.
    fillers: words that do not change the meaning of a sentence.
    joins, either, nor: patterns for "and", "or" and "nor".
    bounds: patterns and operators behind a value, as in `100 or more`.
    articles: words that may stand before a name.
    owners: words for an owner, as in `the client's email`.
    nouns: words that may stand behind a name, as in `the email column`.
    arrows: words between the old and the new name of a column.
    behind: verbs that may end a comparison.
    objects: fillers that are objects of verbs.
    types: words for types.
    predicates: words of other clauses on columns, as in `email is required`.
    comparisons: triples (pattern, operator, negated), the longer pattern first.
    leads: words that may stand before a condition.
    negation: a pattern for "not".
    verbs: patterns for verbs behind one name and behind several names.
    decimal_comma: whether the language writes numbers with a decimal comma.
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
    """An instruction in one language: its tokens, and the slots that can be read at each place."""

    def __init__(self, text: str, vocabulary: Vocabulary, names: NameIndex, tables: NameIndex) -> None:
        self.text, self.vocabulary, self.names, self.tables = text, vocabulary, names, tables
        self.tokens = [(found.start(), found.end()) for found in _TOKEN.finditer(text)]
        self.memo: dict[tuple[object, ...], list[Slot]] = {}

    def word(self, number: int) -> str:
        start, end = self.tokens[number]
        return self.text[start:end]

    def is_value(self, number: int) -> bool:
        """Checks whether a filler is a value here, such as `US` in `exclude country US`.

        A code of two capitals is a value if the text has lower case as well. An object pronoun behind the name of a
        column is a value.
        """
        word = self.word(number)
        if number == 0:
            return False
        if len(word) == 2 and word.isupper() and not self.text.isupper():
            return True
        return word.lower() in self.vocabulary.objects and self.word(number - 1) in self.names

    def splits_token(self, place: int) -> bool:
        """Checks whether a place lies within a token, as behind the 01 of 01/02/2024."""
        start, end = self.tokens[self.next_token[place] - 1]
        return start < place < end

    @cached_property
    def next_token(self) -> list[int]:
        """The number of the first token at or behind each place of the text."""
        found, number = [], 0
        for place in range(len(self.text) + 2):
            while number < len(self.tokens) and self.tokens[number][0] < place:
                number += 1
            found.append(number)
        return found

    def memoize(self, key: tuple[object, ...], make: Callable[[], Iterator[Slot]]) -> list[Slot]:
        """Returns the list of `make`, and calls `make` once per key."""
        if key not in self.memo:
            # The list is empty while `make` runs, so that a recursive call ends.
            self.memo[key] = []
            self.memo[key] = list(make())
        return self.memo[key]


def plain_text(text: str) -> str:
    """Normalizes a text: plain quotes, no blanks within quotes as French has, and single blanks."""
    text = re.sub(r"«\s+", "«", re.sub(r"\s+»", "»", text))
    for odd, plain in _QUOTES.items():
        text = text.replace(odd, plain)
    return re.sub(r"\s+", " ", text).strip()


SlotReader = Callable[[Text, int], list[Slot]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A clause.

    kind: the subject of the clause.
    template: patterns with slots `<name>` or `<name:label>`.
    sets: values that the clause sets besides its slots.
    doubt: the extra cost of a less likely clause.
    """

    kind: str
    template: str
    sets: Mapping[str, Any] = field(default_factory=dict)
    doubt: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """A clause at its place in a text."""

    rule: Rule
    start: int
    end: int
    slots: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cover:
    """A text divided into clauses and unknown tokens.

    unknown: spans of unknown tokens.
    """

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
        """Finds the cheapest division of a text by dynamic programming from the last token to the first."""
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
        return self._follow_steps(text, steps, count, costs[0])

    def _follow_steps(self, text: Text, steps: Sequence[tuple[int, Found | None]], count: int, cost: float) -> Cover:
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
                # A clause that ends within a token would leave the rest of the token without a clause.
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
    """Checks whether a place is in the middle of a word."""
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
