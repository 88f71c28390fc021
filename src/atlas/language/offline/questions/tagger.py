"""Tags a question for one main table: schema words, numbers, periods, and words of the grammar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from atlas.language.offline.questions.lexicon import FILLERS, LINKING, UNITS, adjective
from atlas.language.offline.questions.phrases import LONGEST, PHRASES
from atlas.language.offline.questions.schema_linking import Index, Mention
from atlas.language.offline.questions.time_phrases import Period, period
from atlas.language.offline.questions.tokenizer import Token, stem, tokens
from atlas.language.question import Term

LEAST_SCORE = 0.6
# The least length of a word behind `un`, as in `unfurnished`.
_LEAST_MARK = 4
FOREIGN = 0.2


class Item(msgspec.Struct, frozen=True):
    """Tokens [start, end) with a role.

    kind: col, table, value, quote, num, period, unit, term, or a word of the grammar.
    mentions: the things that a schema word may name, best first.
    value: the operator, number or function of the role.
    """

    kind: str
    start: int
    end: int
    mentions: tuple[Mention, ...] = ()
    value: object = None
    text: str = ""
    period: Period | None = None


def _compound(first: Item, last: Item) -> bool:
    """Checks whether two adjacent columns are one noun, whose last word counts."""
    one, two = first.mentions[0], last.mentions[0]
    return (
        one.table == two.table
        and not last.text.endswith(("ed", "ing"))
        and (one.column == two.column or two.score >= 0.98)
        and first.text.islower()
        and last.text.islower()
    )


class Tagger:
    """Tags one question, separately for each main table."""

    def __init__(self, index: Index, found: list[Token], terms: Sequence[Term], today: date) -> None:
        self.index = index
        self.tokens = found
        self._today = today
        # Mentions by start and table, each with its rank among all mentions.
        self._starting: dict[int, dict[str, list[tuple[int, Mention]]]] = {}
        self._by_table: dict[str, list[Mention]] = {}
        self._named: dict[int, Mention] = {}
        self._column_ends: set[int] = set()
        for place, mention in enumerate(index.mentions(found)):
            if mention.score >= LEAST_SCORE:
                self._starting.setdefault(mention.start, {}).setdefault(mention.table, []).append((place, mention))
                self._by_table.setdefault(mention.table, []).append(mention)
                if mention.kind == "column":
                    self._column_ends.add(mention.end)
                elif mention.kind == "table" and mention.score >= 0.9:
                    self._named.setdefault(mention.start, mention)
        named = [(tuple(t.stem for t in tokens(term.name)), term) for term in terms]
        # A name without a word, such as a space, would match everywhere, and the loop would never advance.
        self._terms = [(words, term) for words, term in named if words]

    def tables(self) -> set[str]:
        """Returns the tables that the question may be about."""
        stems = " ".join(token.stem for token in self.tokens)
        told = {term.table for words, term in self._terms if term.table is not None and " ".join(words) in stems}
        return told | self._by_table.keys()

    def mentions_of(self, table: str) -> list[Mention]:
        """Returns the things of one table that phrases may name."""
        return self._by_table.get(table, [])

    def items(self, table: str, reachable: frozenset[str]) -> list[Item]:
        """Returns the question's items with `table` as the main table and the reachable tables as joinable."""
        found: list[Item] = []
        at = 0
        while at < len(self.tokens):
            item = self._item(at, table, reachable)
            unmarked = self._unmarked(at, table) if item.kind in ("unknown", "link") else []
            if unmarked:
                found += unmarked
                at += 1
                continue
            if (
                item.kind == "col"
                and found
                and found[-1].kind == "col"
                and found[-1].end == item.start
                and _compound(found[-1], item)
            ):
                # `population density` is a density.
                item = msgspec.structs.replace(item, start=found.pop().start)
            found.append(item)
            at = item.end
        return found

    def _item(self, at: int, table: str, reachable: frozenset[str]) -> Item:
        token = self.tokens[at]
        opening = at == 0 or self.tokens[at - 1].text in (".", "?", "!", ";")
        stating = token.lower == "state" and [t.lower for t in self.tokens[at + 1 : at + 2]] == ["the"]
        if opening and (stating or token.lower in ("name", "list", "show", "count")) and self._commands(at):
            # As the first word these are commands: `name the rivers`.
            return self._keyword(at) or Item("filler", at, at + 1, text=token.lower)
        term = self._term(at, table, reachable)
        if term is not None:
            return term
        mentions = self._mentions(at, table, reachable)
        exact = mentions and mentions[0].score >= 1.02 and token.kind != "number"
        keyword = self._keyword(at)
        if keyword is not None and keyword.kind == "onaverage":
            return msgspec.structs.replace(keyword, kind="agg", value="avg")
        length = mentions[0].end - at if mentions else 0
        if token.kind == "quote":
            return Item(
                "value" if mentions and mentions[0].kind == "value" else "quote", at, at + 1, mentions, text=token.text
            )
        when = period(self.tokens, at, self._today)
        if when is not None and when.used >= length and not (when.used == 1 and exact):
            return Item("period", at, at + when.used, period=when, text=self._text(at, at + when.used))
        if keyword is not None and keyword.end - at >= max(length, 1) and not (exact and keyword.end - at == length):
            return keyword
        if mentions:
            kind = {"column": "col"}.get(mentions[0].kind, mentions[0].kind)
            return Item(kind, at, mentions[0].end, mentions, text=self._text(at, mentions[0].end))
        return self._plain(at, keyword)

    def _commands(self, at: int) -> bool:
        """Checks whether the first word is a command. In `name and email of leads` the word is a column."""
        after = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        return after is not None and after.kind == "word" and after.lower not in ("and", "of", "or", "is", "by", "per")

    def _unmarked(self, at: int, table: str) -> list[Item]:
        """Returns `not` and a yes-or-no column for a word such as `unfurnished`, or nothing."""
        token = self.tokens[at]
        bare = stem(token.lower[2:])
        if token.kind != "word" or not token.lower.startswith("un") or len(bare) < _LEAST_MARK:
            return []
        for linked in self.index.columns[table]:
            if linked.column.type == "boolean" and bare in linked.every:
                named = Mention(at, at + 1, "column", table, linked.column.name)
                return [
                    Item("neg", at, at, value=None, text="not"),
                    Item("col", at, at + 1, (named,), text=token.text),
                ]
        return []

    def _plain(self, at: int, keyword: Item | None) -> Item:
        token = self.tokens[at]
        if keyword is not None:
            return keyword
        if token.kind == "number":
            return Item("num", at, at + 1, value=token.value, text=token.text)
        if token.lower in UNITS:
            return Item("unit", at, at + 1, value=UNITS[token.lower], text=token.lower)
        if token.lower == "size":
            return Item("size", at, at + 1, value="large", text=token.lower)
        found = adjective(token.lower)
        if found is not None and token.lower not in ("second",):
            return Item(found[1], at, at + 1, value=found[0], text=token.lower)
        if token.kind == "sign":
            return Item("filler", at, at + 1)
        if token.stem == "name" and at and at in self._column_ends:
            # The main table has no column `name`. A joined table may have one.
            return Item("unknown", at, at + 1, text=token.text)
        if token.lower in FILLERS:
            return Item("filler", at, at + 1, text=token.lower)
        if token.stem in LINKING:
            return Item("link", at, at + 1, text=token.lower)
        return Item("unknown", at, at + 1, text=token.text)

    def _text(self, start: int, end: int) -> str:
        return " ".join(token.text for token in self.tokens[start:end])

    def _keyword(self, at: int) -> Item | None:
        words: list[str] = []
        best = None
        for end in range(at, min(at + LONGEST, len(self.tokens))):
            words.append(self.tokens[end].lower)
            entry = PHRASES.get(tuple(words))
            if entry is not None:
                best = Item(entry[0], at, end + 1, value=entry[1], text=" ".join(words))
        return best

    def _term(self, at: int, table: str, reachable: frozenset[str]) -> Item | None:
        for words, term in sorted(self._terms, key=lambda entry: -len(entry[0])):
            stems = tuple(token.stem for token in self.tokens[at : at + len(words)])
            if stems == words and (term.table is None or term.table == table or term.table in reachable):
                return Item("term", at, at + len(words), value=term, text=term.name)
        return None

    def _mentions(self, at: int, table: str, reachable: frozenset[str]) -> tuple[Mention, ...]:
        """Returns the mentions of the best span that starts here: of the main table first, then by score."""

        def worth(mention: Mention) -> tuple[float, float]:
            near = mention.score if mention.table == table else mention.score - FOREIGN
            words = sum(1 for token in self.tokens[at : mention.end] if token.lower not in ("of", "the", "a", "in"))
            return words * min(near, 1.0) if mention.kind == "value" else words * near, near

        here = self._starting.get(at, {})
        placed = [one for name in {table, *reachable} & here.keys() for one in here[name]]
        usable = [mention for _, mention in sorted(placed, key=lambda one: one[0])]
        if not usable:
            elsewhere = self._named.get(at)
            return (msgspec.structs.replace(elsewhere, kind="other"),) if elsewhere else ()
        best = max(usable, key=worth)
        same = [m for m in usable if m.end == best.end]
        return tuple(sorted(same, key=lambda m: (-worth(m)[1], m.kind != best.kind)))
