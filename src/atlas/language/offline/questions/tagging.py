"""A question as items for one main table: schema words, numbers, periods, and the words that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from atlas.language.offline.questions.lexicon import AGGREGATES, FILLERS, LINKING, UNITS, adjective
from atlas.language.offline.questions.linking import Index, Mention
from atlas.language.offline.questions.times import Period, period
from atlas.language.offline.questions.words import Token, tokens
from atlas.language.plan import Term

LEAST_SCORE = 0.6
FOREIGN = 0.2


class Item(msgspec.Struct, frozen=True):
    """Tokens [start, end) with a role.

    kind: col, table, value, quote, num, period, unit, term, or a word of the grammar; mentions: what a schema word may
    name, best first; value: what the role needs: an operator, a number, a function.
    """

    kind: str
    start: int
    end: int
    mentions: tuple[Mention, ...] = ()
    value: object = None
    text: str = ""
    period: Period | None = None


def _phrases() -> dict[tuple[str, ...], tuple[str, object]]:
    found: dict[tuple[str, ...], tuple[str, object]] = {}

    def add(kind: str, value: object, *texts: str) -> None:
        for text in texts:
            found[tuple(text.split())] = (kind, value)

    add("cmp", ">", "greater than", "more than", "larger than", "higher than", "bigger than", "over", "above", "exceeding",
        "exceeds", "exceed", "in excess of", "better than", "beyond", "upwards of", ">")  # fmt: skip
    add("cmp", "<", "less than", "fewer than", "lower than", "smaller than", "under", "below", "worse than", "<")
    add("cmp", ">=", "at least", "no less than", "not less than", "no fewer than", "minimum of", "a minimum of", ">=",
        "greater than or equal to", "more than or equal to")  # fmt: skip
    add("cmp", "<=", "at most", "no more than", "not more than", "up to", "maximum of", "a maximum of", "<=",
        "less than or equal to")  # fmt: skip
    add("cmp", "=", "equal to", "equals", "exactly", "=", "equal")
    add("cmp", "<>", "not equal to", "different from", "!=", "<>", "unequal to")
    add("after", ">=", "or more", "or above", "or higher", "or greater", "and above", "or over")
    add("after", "<=", "or less", "or fewer", "or below", "or lower", "and below", "or under")
    add("count", None, "how many", "number of", "the number of", "count of", "count", "no. of", "no . of", "no of",
        "total number of", "total count of", "the count of", "numbers of", "how often", "how many times")  # fmt: skip
    add("much", None, "how much")
    add("per", None, "for each", "per", "in each", "of each", "by each", "each", "every", "grouped by", "group by",
        "broken down by", "split by", "break down by", "breakdown by", "for every", "in every", "across different",
        "across various", "across each", "across all", "at each", "on each", "from each", "to each", "with each",
        "segmented by", "summarized by", "for all the different", "across", "per each", "within each", "among different",
        "for different", "between different", "instead of by", "grouped per", "over each", "over the",
        "partitioned by", "through each")  # fmt: skip
    add("by", None, "by", "in terms of", "based on", "according to", "with respect to", "measured by", "as measured by")
    add("order", None, "ordered by", "sorted by", "order by", "sort by", "ranked by", "in order of", "order them by",
        "sort them by", "ordered according to", "sorted in order of", "order the results by", "sort the results by",
        "ordered", "sorted", "order results by", "rank by", "in the order of", "ordered on", "arranged by")  # fmt: skip
    add("desc", None, "in descending order", "descending", "desc", "in descending", "descending order", "highest first",
        "largest first", "newest first", "most first", "latest first", "in decreasing order", "in reverse order",
        "from most to least", "in descending order of", "in decreasing order of")  # fmt: skip
    add("asc", None, "in ascending order", "ascending", "asc", "in ascending", "ascending order", "lowest first",
        "smallest first", "oldest first", "in increasing order", "from least to most", "in ascending order of",
        "alphabetically", "in alphabetical order", "chronologically", "in chronological order", "alphabetical order")  # fmt: skip
    add("top", True, "top")
    add("top", False, "bottom")
    add("most", True, "most", "the most", "greatest number of", "highest number of", "largest number of", "the maximum number of",
        "maximum number of", "most number of", "the greatest number of", "the highest number of", "the largest number of",
        "most amount of", "highest count of", "highest total number of")  # fmt: skip
    add("most", False, "least", "fewest", "the fewest", "the least", "lowest number of", "smallest number of",
        "minimum number of", "least number of", "the lowest number of", "the smallest number of", "least amount of")  # fmt: skip
    add("share", None, "percent", "percentage", "percentage of", "percent of", "share", "share of", "proportion",
        "proportion of", "fraction of", "percentages", "shares", "% of")  # fmt: skip
    add("ratio", None, "ratio of", "ratio", "ratio between")
    add("growth", None, "growth", "growth of", "growth rate", "growth rate of", "percentage change", "percent change",
        "month over month", "month on month", "year over year", "week over week", "growth in", "change in", "mom", "yoy")  # fmt: skip
    add("distinct", None, "distinct", "unique")
    add("neg", None, "not", "no", "without", "excluding", "except", "except for", "other than", "non", "don't", "doesn't",
        "didn't", "isn't", "aren't", "outside", "outside of", "never", "neither", "nor", "wasn't", "weren't", "don", "excludes",
        "but not", "haven't", "hasn't", "lacking", "lack", "exclude", "aside from", "apart from", "besides")  # fmt: skip
    add("contains", "any", "contains", "containing", "contain", "includes the word", "including the word", "matching",
        "that includes", "like", "contains the word", "containing the word", "include the word", "has the word")  # fmt: skip
    add("contains", "start", "starts with", "start with", "starting with", "begins with", "begin with", "beginning with",
        "starts with the letter", "start with the letter", "beginning with the letter", "begins with the letter",
        "starting with the letter", "begin with the letter")  # fmt: skip
    add("contains", "end", "ends with", "end with", "ending with", "ending in", "ends in", "end in")
    add("whether", None, "and how many do not", "and how many don't", "and how many are not", "and how many aren't",
        "and how many did not", "and how many have not", "and how many is not", "and how many don t", "or not")  # fmt: skip
    add("filler", None, "of the week", "of week", "in the database", "in the table", "at all", "so far",
        "in total", "in all", "as a whole", "how does", "how do", "how did", "a list of", "the list of")  # fmt: skip
    add("order", None, "starting from", "going from")
    add(
        "empty",
        None,
        "missing",
        "empty",
        "null",
        "blank",
        "not set",
        "unset",
        "unspecified",
        "undefined",
        "unavailable",
    )
    add("vs", None, "versus", "vs", "compared to", "compared with", "as opposed to", "vs.")
    add("outof", None, "out of", "of all", "out of all")
    add("to", None, "to")
    add("and", None, "and", "&", "as well as", "along with", "together with", "plus")
    add("or", None, "or")
    add("comma", None, ",", ";")
    add("between", None, "between", "ranging from", "from")
    add("than", None, "than")
    add("wh", None, "what", "which", "who", "whose", "whom")
    add("where", None, "where")
    add("when", None, "when")
    add("how", None, "how")
    add("stop", None, ".", "?", "!", ":")
    for word, function in AGGREGATES.items():
        add("agg", function, word)
    add("agg", "avg", "average number of", "mean number of", "the average number of", "average count of")
    add(
        "agg",
        "sum",
        "total amount of",
        "sum of",
        "total of",
        "sum total of",
        "combined total of",
        "total sum of",
        "cumulative",
    )
    add("agg", "max", "maximum value of", "largest value of", "highest value of")
    add("agg", "min", "minimum value of", "lowest value of", "smallest value of")
    add("agg", "stddev", "standard deviation", "standard deviation of")
    add("negation", None, "n't")
    return found


PHRASES = _phrases()
LONGEST = max(map(len, PHRASES))


def _compound(first: Item, last: Item) -> bool:
    """Whether two columns next to each other are one noun, of which the last word counts."""
    one, two = first.mentions[0], last.mentions[0]
    return (
        one.table == two.table
        and (one.column == two.column or two.score >= 0.98)
        and first.text.islower()
        and last.text.islower()
    )


class Tagger:
    """Tags one question; for each main table anew."""

    def __init__(self, index: Index, found: list[Token], terms: Sequence[Term], today: date) -> None:
        self.index = index
        self.tokens = found
        self._today = today
        self._starting: dict[int, list[Mention]] = {}
        for mention in index.mentions(found):
            if mention.score >= LEAST_SCORE:
                self._starting.setdefault(mention.start, []).append(mention)
        self._terms = [(tuple(t.stem for t in tokens(term.name)), term) for term in terms]

    def tables(self) -> set[str]:
        """Tables that the question may be about."""
        return {mention.table for mentions in self._starting.values() for mention in mentions}

    def mentions_of(self, table: str) -> list[Mention]:
        """What phrases may name in one table."""
        return [m for mentions in self._starting.values() for m in mentions if m.table == table]

    def items(self, table: str, reachable: frozenset[str]) -> list[Item]:
        """The question's items where `table` is the main one and the reachable ones can be joined."""
        found: list[Item] = []
        at = 0
        while at < len(self.tokens):
            item = self._item(at, table, reachable)
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
        if (
            at == 0
            and token.lower in ("name", "list", "show", "count")
            and token.kind == "word"
            and len(self.tokens) > 1
        ):
            # As the first word they tell what to do: `name the rivers`.
            return self._keyword(at) or Item("filler", at, at + 1, text=token.lower)
        term = self._term(at, table, reachable)
        if term is not None:
            return term
        mentions = self._mentions(at, table, reachable)
        exact = mentions and mentions[0].score >= 1.02 and token.kind != "number"
        keyword = self._keyword(at)
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
        if token.stem == "name" and at and any(m.end == at for ms in self._starting.values() for m in ms if m.kind == "column"):
            # A name that no column of the main table holds; one that can be joined may.
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
        """Mentions of the best span that starts here: the main table's first, then by score."""

        def worth(mention: Mention) -> tuple[float, float]:
            near = mention.score if mention.table == table else mention.score - FOREIGN
            words = sum(1 for token in self.tokens[at : mention.end] if token.lower not in ("of", "the", "a", "in"))
            return words * min(near, 1.0) if mention.kind == "value" else words * near, near

        usable = [m for m in self._starting.get(at, ()) if m.table == table or m.table in reachable]
        if not usable:
            elsewhere = [m for m in self._starting.get(at, ()) if m.kind == "table" and m.score >= 0.9]
            return (msgspec.structs.replace(elsewhere[0], kind="other"),) if elsewhere else ()
        best = max(usable, key=worth)
        same = [m for m in usable if m.end == best.end]
        return tuple(sorted(same, key=lambda m: (-worth(m)[1], m.kind != best.kind)))
