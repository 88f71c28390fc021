"""Decides what a value, a number or a missing key means for rows of other tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.kit.identifiers import singular
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.tokenizer import parts, stem

if TYPE_CHECKING:
    from atlas.language.offline.questions.parser.state import Reading
    from atlas.language.offline.questions.schema_linking import Mention
    from atlas.language.offline.questions.tagger import Item

MOVES = frozenset(stem(word) for word in "run flow go pass cross travel fly leave reach serve".split())
_THROUGH = ("through", "across", "along")


def is_of_other_table(reading: Reading, at: int, chosen: Mention) -> bool:
    """Checks whether a value belongs to another table, or is of the same kind as the things that the question asks for.

    `colorado river` is a river, even if another table has a point of that name. In `the states that the Mississippi
    runs through` the Mississippi is no state.
    """
    item, index = reading.items[at], reading.index
    found = reading.tokens[item.start : item.end]
    own = set(index.column(chosen.table, chosen.column).every) | set(index.table_words[chosen.table])
    if len(found) > 1 and found[-1].stem not in own:
        rest = tuple(token.lower for token in found[:-1])
        for name in index.tables_holding(rest):
            if name != chosen.table and index.table_words[name] == (found[-1].stem,):
                return True
    return _is_related(reading, at, chosen)


def _is_related(reading: Reading, at: int, chosen: Mention) -> bool:
    """Checks whether a verb stands between a noun and a value of the same kind."""
    own = set(reading.index.column(chosen.table, chosen.column).every) - {"name"}
    named = [n for n in range(at) if reading.kind(n) in ("col", "table", "other")]
    nouns = [n for n in named if stem(reading.items[n].text.split()[-1].lower()) in own]
    for place in nouns:
        words = [reading.items[n] for n in range(place + 1, at)]
        led = [word for word in words if word.text not in ("", "the", "a")]
        if led and led[-1].kind == "link" and stem(led[-1].text) in MOVES:
            return True
        after = [reading.items[n] for n in range(at + 1, min(at + 4, len(reading.items)))]
        moved = any(word.kind == "link" for word in after) or any(word.text in _THROUGH for word in (*words, *after))
        if moved and any(word.text in ("does", "do", "did", "that", "which", *_THROUGH) for word in words):
            return True
        if moved and any(reading.items[n].text in _THROUGH for n in range(place)):
            return True
    return False


def absence_condition(reading: Reading, col: q.Col, negated: bool) -> q.Cond:
    """Builds the condition that a row has no value of the column.

    A key that refers to another table may also have a value that the other table lacks.
    """
    join = next(
        (j for j in reading.index.catalog.joins if (j.left_table, j.left_column) == (col.table, col.name)), None
    )
    if negated or join is None:
        return q.Empty(col, negated)
    return q.Or((q.Empty(col), q.Exists(col, join.right_table, join.right_column, None, True)))


def counts_things(reading: Reading, item: Item, column: q.Col) -> bool:
    """Checks whether a plural means a number of things rather than the value of a column with such a name."""
    said, linked = item.text.split()[-1].lower(), reading.index.column(column.table, column.name)
    name = parts(column.name)[-1]
    return linked.column.type == "bigint" and singular(said) != said and singular(name) == name == singular(said)
