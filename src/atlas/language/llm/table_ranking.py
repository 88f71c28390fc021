"""Ranks the tables of a catalog by a question, so that a prompt of bounded size holds the likely tables.

A table scores by the words that the table shares with the question. Each shared word counts 4 in the table's name, 2 in
a column's name, and 1 in a description or value. The table that the question is asked about gets 20, and a table that
an earlier turn or an example uses gets 6. A table scores at least half the score of each joined table. Two words are
equal if their singulars are equal, or if a word with 4 letters or more begins the other word. Of tables with equal
scores the larger table comes first.
"""

from __future__ import annotations

import re

from atlas.catalog.model import CatalogColumn, CatalogTable
from atlas.kit.identifiers import singular
from atlas.language.question import Question

_WORD = re.compile(r"[A-Z]?[a-z\u00df-\u024f]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
MIN_PREFIX = 4


def words(text: str) -> frozenset[str]:
    """Splits a text or a name into words, singular and in lower case."""
    return frozenset(singular(word.lower()) for word in _WORD.findall(text[:5_000]))


class QuestionWords:
    """The words of a question, to be counted in other texts."""

    def __init__(self, text: str) -> None:
        self._words = words(text)
        # A text with none of these beginnings has none of the words. The check is cheap, and catalogs have thousands of
        # names.
        plain = {word.lower() for word in _WORD.findall(text[:5_000])}
        self._starts = tuple({word[:3] for word in plain | self._words})

    def count(self, text: str) -> int:
        """Counts the question's words in a text or a name."""
        lowered = text.lower()
        if not any(start in lowered for start in self._starts):
            return 0
        there = words(text)
        return sum(
            word in there or any(_begins(word, other) or _begins(other, word) for other in there)
            for word in self._words
        )

    def score(self, column: CatalogColumn) -> int:
        """Scores a column by its name, description and first 50 values."""
        found = 2 * self.count(column.name) + self.count(column.description)
        return found + (min(2, self.count(" ".join(column.values[:50]))) if column.values else 0)


def _begins(short: str, long: str) -> bool:
    return len(short) >= MIN_PREFIX and long.startswith(short)


def ranked_tables(question: Question) -> list[CatalogTable]:
    """Returns all tables of the catalog, likely tables first."""
    wanted = QuestionWords(question.text)
    used = " ".join(turn.sql for turn in (*question.turns, *question.examples)).lower()
    scores: dict[str, float] = {}
    for table in question.catalog.tables:
        score = 4 * wanted.count(table.name) + wanted.count(table.description)
        score += sum(wanted.score(column) for column in table.columns)
        score += 20 * (table.name == question.table) + 6 * (table.name.lower() in used)
        scores[table.name] = score
    joined = dict(scores)
    for join in question.catalog.joins:
        for one, other in ((join.left_table, join.right_table), (join.right_table, join.left_table)):
            if one in scores and other in scores:
                joined[one] = max(joined[one], scores[other] / 2)
    return sorted(question.catalog.tables, key=lambda table: (-joined[table.name], -(table.row_count or 0), table.name))


def ranked_columns(question: Question, table: CatalogTable, most: int) -> list[CatalogColumn]:
    """Returns at most `most` columns in the table's order. Columns that are keys, joined or matching are preferred."""
    if len(table.columns) <= most:
        return list(table.columns)
    wanted = QuestionWords(question.text)
    linked = {join.left_column for join in question.catalog.joins if join.left_table == table.name}
    linked |= {join.right_column for join in question.catalog.joins if join.right_table == table.name}

    def score(position: int) -> tuple[int, int]:
        column = table.columns[position]
        found = wanted.score(column) + 3 * (column.name in table.key) + 3 * (column.name in linked)
        return (-found, position)

    return [table.columns[place] for place in sorted(sorted(range(len(table.columns)), key=score)[:most])]
