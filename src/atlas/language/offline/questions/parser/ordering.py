"""Parsers of orders, and of questions whose first word asks for a column: where, when, how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.lexicon import ADJECTIVES
from atlas.language.offline.questions.schema_linking import find_measured_column

if TYPE_CHECKING:
    from atlas.language.offline.questions.parser.state import Reading


def order(reading: Reading, at: int) -> int:
    """Reads `ordered by name descending`, `sorted from highest to lowest` or `alphabetically`."""
    item = reading.items[at]
    reading.ordered = True
    end = at
    if item.kind == "order":
        expr, end = order_expr(reading, reading.next(at + 1, skip=("filler", "distinct")))
        if expr is None:
            end = at + 1
    else:
        expr = None
    direction, end = _direction(reading, end)
    if direction is None and item.kind == "order":
        led = reading.item(reading.next(at + 1))
        direction = led is not None and led.kind == "superlative" and ADJECTIVES[str(led.value)][0]
        if reading.kind(end) == "to":
            end = reading.next(end + 1) + 1
    if expr is not None:
        reading.orders.append(q.Order(expr, bool(direction)))
        ahead = reading.next(end, skip=("filler", "comma", "and"))
        if reading.kind(ahead) == "order" or (reading.kind(ahead) == "col" and reading.kind(end) in ("comma", "and")):
            return end
    else:
        reading.direction = bool(direction)
    return end


def order_expr(reading: Reading, at: int) -> tuple[q.Expr | None, int]:
    item = reading.item(at)
    if item is None:
        return None, at
    if item.kind == "count" or (item.kind == "most"):
        following = reading.next(at + 1, skip=("filler",))
        named = reading.best_column(following)
        if named is not None and reading.kind(following) == "col":
            return (named if reading.numeric(named) else q.Agg("count", named, distinct=True)), following + 1
        return q.Agg("count"), following + 1 if reading.kind(following) == "table" else at + 1
    if item.kind in ("superlative", "agg"):
        following = reading.next(at + 1, skip=("filler", "count"))
        if reading.kind(following) == "agg":
            item, following = reading.items[following], reading.next(following + 1, skip=("filler",))
        named = reading.best_column(following)
        if named is not None and reading.kind(following) == "col":
            expr: q.Expr = q.Agg(str(item.value), named) if item.kind == "agg" else named
            if item.kind == "superlative":
                return expr, following + 1
            return expr, following + 1
        return None, at
    if item.kind == "col":
        return reading.best_column(at), at + 1
    if item.kind == "unit":
        return reading.bucket(str(item.value)), at + 1
    if item.kind == "table":
        return reading.display(), at + 1
    return None, at


def _direction(reading: Reading, at: int) -> tuple[bool | None, int]:
    """Returns whether the next words ask for descending order, and the place behind the words."""
    place = at
    while place < len(reading.items) and reading.kind(place) in ("filler", "between", "link", "comma"):
        place += 1
    kind = reading.kind(place)
    if kind in ("asc", "desc"):
        following = reading.next(place + 1, skip=("filler",))
        return kind == "desc", following if reading.kind(following) == "asc" else place + 1
    if kind in ("superlative", "most", "comparative", "positive") and place > at - 1:
        item = reading.items[place]
        descending = bool(item.value) if kind == "most" else ADJECTIVES[str(item.value)][0]
        ahead = reading.next(place + 1, skip=("filler", "col", "agg", "count"))
        if reading.kind(ahead) == "to":
            last = reading.next(ahead + 1, skip=("filler",))
            return descending, last + 1 if reading.kind(last) in (
                "superlative",
                "most",
                "comparative",
                "positive",
            ) else ahead + 1
        return descending, place + 1 if reading.item(place + 1) is None or reading.items[
            place + 1
        ].text != "first" else place + 2
    return None, at


def question_word(reading: Reading, at: int) -> int:
    """Reads `where is Boston`, `how long is the Nile`, `when did Ann join` or `how much`."""
    item = reading.items[at]
    if item.kind == "size" or (item.kind == "positive" and reading.kind(at - 1) == "how"):
        column_ = find_measured_column(reading.index.columns[reading.table], str(item.value))
        if column_ is not None:
            reading.selects.append(q.Col(reading.table, column_.name))
            reading.head = reading.head or reading.selects[-1]
            return at + 1
    if item.kind == "where":
        if reading.kind(reading.next(at + 1)) in ("value", "quote") and reading.head is None:
            for linked in reading.index.columns[reading.table]:
                if linked.place is not None or linked.every[-1] in ("citi", "state", "countri", "address", "locat"):
                    reading.selects.append(q.Col(reading.table, linked.column.name))
            reading.head = reading.selects[0] if reading.selects else None
        return at + 1
    if item.kind == "when":
        time = reading.time_column()
        if time is not None and reading.head is None:
            reading.selects.append(time)
            reading.head = time
        return at + 1
    if item.kind == "much":
        return at + 1
    reading.unknown.append(item.text)
    return at + 1
