"""Parsers of superlatives: `the highest population`, `most orders`, `top 5`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.lexicon import ADJECTIVES
from atlas.language.offline.questions.parser.select import key_of, rows_of
from atlas.language.offline.questions.schema_linking import find_measured_column

if TYPE_CHECKING:
    from atlas.language.offline.questions.parser.state import Reading


def superlative(reading: Reading, at: int) -> int:
    """Reads `highest population`, `the longest river`, `most orders`, `top 5` or `3 cheapest`."""
    item = reading.items[at]
    number = reading.item(at - 1)
    if number is not None and number.kind == "num" and isinstance(number.value, int) and number.text in reading.unknown:
        reading.unknown.remove(number.text)
        reading.limit = number.value
    if item.kind == "top":
        ahead = reading.item(at + 1)
        reading.best = reading.best or q.Best(bool(item.value), None, at)
        reading.limit = 10 if reading.limit is None else reading.limit
        if ahead is not None and ahead.kind == "num" and isinstance(ahead.value, int):
            reading.limit = ahead.value
            return at + 2
        return at + 1
    descending = bool(item.value) if item.kind == "most" else ADJECTIVES[str(item.value)][0]
    follow = reading.item(at + 1)
    if item.kind == "superlative" and follow is not None and follow.kind == "num" and isinstance(follow.value, int):
        # `last 5 orders` and `first 10 customers` have the number behind the superlative.
        reading.limit = follow.value
        at += 1
    return _superlative_of(reading, at, descending, item.kind == "most", str(item.value))


def _superlative_of(reading: Reading, at: int, descending: bool, most: bool, base: str) -> int:
    ahead = reading.next(at + 1, skip=("filler", "distinct"))
    function, end = None, ahead
    if reading.kind(ahead) == "agg":
        function = str(reading.items[ahead].value)
        end = reading.next(ahead + 1, skip=("filler",))
    col = reading.best_column(end) if reading.kind(end) == "col" else None
    if base in _BY_TIME and not function and col is not None and reading.summable(col):
        return _at_time(reading, at, descending, col, end)
    if col is not None and (reading.numeric(col) or reading.temporal(col)):
        expr: q.Expr = q.Agg(function, col) if function else col
        alone = reading.head is None and reading.entity is None and reading.best is None and not most
        beyond = reading.kind(reading.next(end + 1, skip=("filler",)))
        if alone and not function and beyond != "table":
            reading.measures.append(q.Agg("max" if descending else "min", col))
        else:
            reading.best = q.Best(descending, expr, at)
        return end + 1
    if most:
        return _most(reading, at, ahead, col, descending)
    column = find_measured_column(reading.index.columns[reading.table], base)
    if column is None:
        reading.unknown.append(reading.items[at].text)
        return at + 1
    if col is not None and col.name != reading.index.display(reading.table) and reading.limit is None:
        # The largest capital is not the capital of the largest state, so the word is not understood.
        reading.unknown.append(reading.items[at].text)
        return at + 1
    hinted_col = q.Col(reading.table, column.name)
    reading.best = q.Best(descending, hinted_col, at)
    return at + 1


_BY_TIME = frozenset("latest last first earliest newest recent new early late".split())


def _at_time(reading: Reading, at: int, descending: bool, col: q.Col, end: int) -> int:
    """Reads `the latest price`: the price at the last time, not the greatest price."""
    time = reading.time_column()
    if time is None or reading.groups or col.table != reading.table:
        reading.unknown.append(reading.items[at].text)
        return end + 1
    reading.best = q.Best(descending, time, at)
    if col not in reading.selects:
        reading.selects.append(col)
    return end + 1


def _most(reading: Reading, at: int, ahead: int, col: q.Col | None, descending: bool) -> int:
    """Reads `the most orders` by the number of rows, `most expensive` by the adjective, and `most common city` by
    frequency.
    """
    item = reading.item(ahead)
    if item is not None and item.kind == "positive":
        return _superlative_of(reading, ahead, ADJECTIVES[str(item.value)][0] == descending, False, str(item.value))
    if item is not None and item.text.lower() in ("common", "frequent", "frequently", "commonly", "often"):
        reading.best = q.Best(descending, None, ahead)
        beyond = reading.next(ahead + 1, skip=("filler",))
        asked = reading.best_column(beyond)
        if asked is not None and reading.kind(beyond) == "col":
            reading.head = asked
            return beyond + 1
        return ahead + 1
    reading.best = q.Best(descending, None, at)
    if item is not None and item.kind == "table":
        mention = next(m for m in item.mentions if m.kind == "table")
        if mention.table == reading.table:
            reading.best.by = rows_of(reading)
            reading.entity = reading.entity if reading.entity is not None else ahead
            return ahead + 1
    if col is not None:
        own = col.name == reading.index.display(reading.table) or (col.name,) == key_of(reading)
        reading.best.by = q.Agg("count") if own else q.Agg("count", col, distinct=True)
        return ahead + 1
    return at + 1
