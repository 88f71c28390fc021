"""Reads the items of one question: what a word may name, seen from one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from atlas.catalog.model import CatalogColumn
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.relations import Step, find_path
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.schema_linking import NUMERIC, TEMPORAL, Index, LinkedColumn, is_key
from atlas.language.offline.questions.tagger import Item
from atlas.language.offline.questions.tokenizer import Token, stem

# The least score of a mention that may name a table.
_NAMES_TABLE = 0.79
_SKIPPED = ("filler", "link")
# Fillers with a meaning that no rule may skip.
_MEANT = frozenset("both only than if ever out will shall should must same".split())
_STANDING = frozenset(stem(word) for word in "year yr lat latitude lon lng longitude zip postcode phone rank".split())


class NotRead(Exception):
    """The grammar does not cover the question. The argument names the words."""


@dataclass
class Reader:
    """The items of a question, seen from a main table.

    loose: the number of words that were taken without a part of the query.
    """

    index: Index
    table: str
    items: Sequence[Item]
    tokens: Sequence[Token]
    assumptions: list[str] = field(default_factory=list)
    loose: float = 0.0
    # Columns with several values that `and` or `vs` joins.
    beside: list[tuple[q.Col, str]] = field(default_factory=list)

    def kind(self, at: int) -> str:
        return self.items[at].kind if 0 <= at < len(self.items) else ""

    def low(self, at: int) -> str:
        """Returns the words of an item in lower case."""
        if not 0 <= at < len(self.items):
            return ""
        item = self.items[at]
        if item.kind == "filler" and item.text:
            return item.text.lower()
        return " ".join(token.lower for token in self.tokens[item.start : item.end]) or item.text.lower()

    def text(self, at: int) -> str:
        """Returns an item's text as the question has it."""
        item = self.items[at]
        return " ".join(token.text for token in self.tokens[item.start : item.end]) or item.text

    def skip(self, at: int, kinds: Sequence[str] = _SKIPPED) -> int:
        """Returns the place of the next item that is no filler."""
        while at < len(self.items) and self.kind(at) in kinds and self.low(at) not in _MEANT:
            at += 1
        return at

    def words(self, start: int, end: int) -> list[str]:
        return [self.low(at) for at in range(max(start, 0), min(end, len(self.items)))]

    def assume(self, text: str) -> None:
        if text not in self.assumptions:
            self.assumptions.append(text)

    def tables(self, at: int) -> list[str]:
        """Returns the tables that an item may name, best first."""
        if not 0 <= at < len(self.items):
            return []
        named = [m for m in self.items[at].mentions if m.kind in ("table", "other") and m.score >= _NAMES_TABLE]
        return [m.table for m in sorted(named, key=lambda m: -m.score)]

    def related_table(self, at: int, table: str) -> str | None:
        """Returns the table that an item names and that keys connect with another table."""
        for name in self.tables(at):
            if name != table and self.path(table, name, at) is not None:
                return name
        return None

    def path(self, start: str, goal: str, at: int) -> tuple[Step, ...] | None:
        """Finds how two tables relate. The words around an item decide between several keys."""
        for before, behind in ((3, 3), (6, 5)):
            path = find_path(start, goal, self.index.catalog, self.words(at - before, at + behind))
            if path is not None:
                return path
        return None

    def columns(self, at: int, table: str) -> list[q.Col]:
        """Returns the columns of a table that an item may name, best first."""
        if not 0 <= at < len(self.items) or self.kind(at) in ("value", "quote"):
            return []
        named = [m for m in self.items[at].mentions if m.kind == "column" and m.table == table]
        found = [q.Col(m.table, m.column) for m in sorted(named, key=lambda m: -m.score)]
        return found or self._short(at, table)

    def _short(self, at: int, table: str) -> list[q.Col]:
        """Returns the column that `id` or `name` alone means."""
        word = self.low(at)
        key, name = self.key(table), self.name(table)
        if word in ("id", "ids") and key is not None and key.name.lower().endswith("id"):
            return [key]
        if word in ("code", "codes") and key is not None and key.name.lower().endswith("code"):
            return [key]
        return [name] if word in ("name", "names") and name is not None else []

    def column(self, at: int, table: str) -> q.Col | None:
        """Returns the column that an item names: of the table, else of the nearest related table."""
        own = self.columns(at, table)
        if own and self._fits(at, own[0]):
            return own[0]
        if self.low(at) in ("id", "ids", "name", "names"):
            return None
        if not 0 <= at < len(self.items) or self.kind(at) in ("value", "quote"):
            return None
        found: list[tuple[int, float, q.Col]] = []
        for mention in self.items[at].mentions:
            if mention.kind == "column":
                path = self.path(table, mention.table, at)
                if path is not None:
                    found.append((len(path), -mention.score, q.Col(mention.table, mention.column)))
        found.sort(key=lambda one: one[:2])
        if not found or (len(found) > 1 and found[0][:2] == found[1][:2]):
            return None
        return found[0][2]

    def _fits(self, at: int, col: q.Col) -> bool:
        """Checks whether a related table has no column that an item names far better."""
        scores = {(m.table, m.column): m.score for m in self.items[at].mentions if m.kind == "column"}
        own = scores.get((col.table, col.name), 1.0)
        return own > 0.75 or all(score - own < 0.2 for score in scores.values())

    def definition(self, col: q.Col) -> CatalogColumn:
        return self.linked(col).column

    def linked(self, col: q.Col) -> LinkedColumn:
        return self.index.column(col.table, col.name)

    def numeric(self, col: q.Col) -> bool:
        """Checks whether comparisons and means of the column have a meaning."""
        return self.definition(col).type in NUMERIC and not self.joins_rows(col) and not is_key(self.linked(col))

    def summable(self, col: q.Col) -> bool:
        """Checks whether a sum of the column has a meaning."""
        return self.numeric(col) and not _STANDING & set(self.linked(col).every)

    def temporal(self, col: q.Col) -> bool:
        return self.definition(col).type in TEMPORAL

    def flag(self, col: q.Col) -> bool:
        column = self.definition(col)
        return column.type == "boolean" or (column.type == "bigint" and column.name.lower().startswith(("is_", "has_")))

    def joins_rows(self, col: q.Col) -> bool:
        """Checks whether the column refers to rows of another table."""
        return any((j.left_table, j.left_column) == (col.table, col.name) for j in self.index.catalog.joins)

    def key(self, table: str) -> q.Col | None:
        """Returns the column that identifies a row, or None."""
        found = self.index.catalog.table(table)
        return q.Col(table, found.key[0]) if found is not None and len(found.key) == 1 else None

    def name(self, table: str) -> q.Col | None:
        """Returns the column that names a row for people, or None."""
        display = self.index.display(table)
        if display is None:
            return None
        words = self.linked(q.Col(table, display)).every
        named = words[-1] in ("name", "titl", "label", "email") or words == self.index.table_words[table]
        return q.Col(table, display) if named or self._holds_texts(table, display) else None

    def _holds_texts(self, table: str, display: str) -> bool:
        column = self.definition(q.Col(table, display))
        return column.type == "text" and not column.complete and not is_key(self.linked(q.Col(table, display)))

    def unique(self, col: q.Col) -> bool:
        """Checks whether each row has its own value of the column."""
        return col in (self.key(col.table), self.name(col.table))

    def classic(self, table: str) -> Reading:
        """Returns a reading for the rules that both grammars share."""
        return Reading(self.index, table, self.items, self.tokens)
