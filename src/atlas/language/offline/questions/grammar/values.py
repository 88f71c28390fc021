"""Reads values as conditions: `from Texas or Ohio`, `named 'Anna'`, `in Paris`."""

from __future__ import annotations

from collections.abc import Collection

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.relations import DIRECTIONS
from atlas.language.offline.questions.tokenizer import parts, stem

_JOINING = ("or", "and", "comma", "vs")


def read_value(
    reader: Reader,
    at: int,
    table: str,
    wanted: q.Col | None = None,
    negated: bool = False,
    taken: Collection[q.Col] = (),
    entity: bool = False,
) -> tuple[q.Cond, int]:
    """Reads one value or several values of one column.

    wanted: the column named before, or None.
    taken: columns that have a condition or are asked for.
    entity: whether a noun for the rows stands before, as in `rivers in Colorado`.
    Returns the condition on rows of the table, and the place to read on at.
    Raises NotRead: when no or several columns hold the value.
    """
    col, values = _choose(reader, at, table, wanted, taken, entity)
    if _names_other_thing(reader, at, col):
        raise NotRead(reader.low(at))
    end = at + 1
    while reader.kind(end) in _JOINING:
        ahead = end
        while reader.kind(ahead) in (*_JOINING, "filler"):
            ahead += 1
        more = next(
            (
                m.values
                for m in (reader.items[ahead].mentions if reader.kind(ahead) == "value" else ())
                if m.kind == "value" and (m.table, m.column) == (col.table, col.name)
            ),
            None,
        )
        if more is None:
            break
        values = (*values, *(value for value in more if value not in values))
        joint = next((kind for kind in map(reader.kind, range(end, ahead)) if kind in ("vs", "or", "and")), "comma")
        reader.beside.append((col, joint))
        end = ahead + 1
    own = q.Compare(col, "=", values[0]) if len(values) == 1 else q.OneOf(col, values)
    if col.table == table and negated:
        own = q.Compare(col, "<>", values[0]) if len(values) == 1 else q.OneOf(col, values, True)
    return on_rows(reader, own, col.table, table, at, negated and col.table != table), end


def on_rows(reader: Reader, cond: q.Cond, owner: str, table: str, at: int, negated: bool = False) -> q.Cond:
    """Turns a condition on rows of another table into one on the rows of a table that relate to such rows.

    Raises NotRead: when the tables are not related, or in several ways.
    """
    if owner == table:
        return cond
    path = reader.path(table, owner, at)
    if not path:
        raise NotRead(reader.low(at))
    first = path[0]
    return q.Exists(q.Col(first.table, first.column), first.to, first.key, cond, negated)


_PLACED = frozenset("in through of from within at to by".split())


def _choose(
    reader: Reader, at: int, table: str, wanted: q.Col | None, taken: Collection[q.Col], entity: bool
) -> tuple[q.Col, tuple[str, ...]]:
    """Chooses the column of a value: one named beside it, else the only one of the table, else of a related table."""
    mentions = [m for m in reader.items[at].mentions if m.kind == "value"]
    best = max((m.score for m in mentions), default=0)
    mentions = [m for m in mentions if m.score > best - 0.05]
    found = {q.Col(m.table, m.column): m.values for m in mentions}
    if wanted is not None:
        if wanted in found:
            return wanted, found[wanted]
        joined = _behind_key(reader, wanted, found)
        if joined is None:
            raise NotRead(reader.low(at))
        return joined, found[joined]
    own = [col for col in found if col.table == table]
    if not own:
        own = _nearest(reader, [col for col in found if reader.path(table, col.table, at)], table, at)
    if len(own) > 1:
        own = [col for col in own if col not in taken] or own
    if len(own) > 1:
        own = _directed(reader, own, at)
    if len(own) > 1:
        names = [col for col in own if col == reader.name(col.table)]
        placed = entity and (reader.low(at - 1) in _PLACED or reader.low(at - 2) in _PLACED)
        others = [col for col in own if col not in names]
        own = others if placed and len(others) == 1 else names
        if len(own) == 1:
            reader.assume(f"{reader.items[at].text!r} is taken as {own[0].name}.")
    if len(own) != 1:
        raise NotRead(reader.low(at))
    return own[0], found[own[0]]


def _names_other_thing(reader: Reader, at: int, col: q.Col) -> bool:
    """Checks whether a value ends in the noun of another table that holds the rest: `ohio river` is a river."""
    item = reader.items[at]
    found = reader.tokens[item.start : item.end]
    own = set(reader.linked(col).every) | set(reader.index.table_words[col.table])
    if len(found) < 2 or found[-1].stem in own:
        return False
    rest = tuple(token.lower for token in found[:-1])
    holding = reader.index.tables_holding(rest)
    return any(name != col.table and reader.index.table_words[name] == (found[-1].stem,) for name in holding)


def _behind_key(reader: Reader, key: q.Col, found: Collection[q.Col]) -> q.Col | None:
    """Returns the column of a value in the table that a key refers to: `airline 'United'` where airline is a number."""
    tables = [
        j.right_table for j in reader.index.catalog.joins if (j.left_table, j.left_column) == (key.table, key.name)
    ]
    there = [col for col in found if col.table in tables]
    named = [col for col in there if col == reader.name(col.table)] or there
    return named[0] if len(named) == 1 else None


def _nearest(reader: Reader, cols: list[q.Col], table: str, at: int) -> list[q.Col]:
    steps = {col: len(reader.path(table, col.table, at) or ()) for col in cols}
    return [col for col in cols if steps[col] == min(steps.values())]


def _directed(reader: Reader, cols: list[q.Col], at: int) -> list[q.Col]:
    """Chooses by the words before the value, as `from` a source and `to` a destination."""
    near = {stem(word) for text in reader.words(at - 3, at) for word in text.split()}
    last = stem(reader.low(at - 1).split()[-1]) if reader.low(at - 1) else ""
    scores: list[tuple[float, q.Col]] = []
    for col in cols:
        own = {stem(part) for part in parts(col.name)} - set(reader.index.table_words[col.table])
        for direction in DIRECTIONS:
            if any(part.startswith(tuple(word for word in direction if len(word) > 3)) for part in own):
                own |= direction
        scores.append((len(own & near) + 0.5 * (last in own), col))
    best = max(score for score, _ in scores)
    return [col for score, col in scores if score == best] if best else cols
