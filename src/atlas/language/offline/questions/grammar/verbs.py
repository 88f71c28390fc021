"""Tells verbs that only link two nouns from words with a meaning of their own."""

from __future__ import annotations

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.measures import find_by_verb
from atlas.language.offline.questions.grammar.phrase import Phrase, Rank
from atlas.language.offline.questions.grammar.reader import Reader
from atlas.language.offline.questions.related_tables import MOVES
from atlas.language.offline.questions.state_verbs import tells_state
from atlas.language.offline.questions.tokenizer import parts, stem


def names_other(reader: Reader, at: int, phrase: Phrase) -> bool:
    """Checks whether `and` adds the rows of a related table, as in `the names of teachers and the courses they teach`."""
    ahead = reader.skip(at + 1)
    while reader.kind(ahead) == "wh":
        ahead = reader.skip(ahead + 1)
    bare = all(low in ("the", "a", "and", ",", "their", "all", "what", "which") for low in reader.words(at, ahead))
    named = reader.kind(ahead) in ("table", "other", "col") and not reader.columns(ahead, phrase.table)
    return bare and named and reader.related_table(ahead, phrase.table) is not None


def may_follow(reader: Reader, at: int) -> bool:
    """Checks whether another clause may start at a place where no condition does."""
    at = reader.skip(at)
    return reader.kind(at) in (
        "per",
        "by",
        "order",
        "asc",
        "desc",
        "stop",
        "agg",
        "count",
        "col",
        "unit",
        "superlative",
    )


def names_row(reader: Reader, cond: q.Cond, phrase: Phrase) -> bool:
    own = (reader.name(phrase.table), reader.key(phrase.table))
    return isinstance(cond, q.Compare) and cond.operator == "=" and isinstance(cond.value, str) and cond.expr in own


def moves_behind(reader: Reader, at: int) -> bool:
    """Checks whether a verb follows whose subject was just read, as in `through which the Mississippi runs`."""
    return (
        reader.kind(at) == "link" and stem(reader.low(at)) in MOVES and reader.low(at + 1) in ("", "through", "across")
    )


def is_verb(reader: Reader, at: int, phrase: Phrase) -> bool:
    """Checks whether an unknown word only links a noun with what follows, as `students enrolled in courses`."""
    word, ahead = reader.low(at), reader.kind(at + 1)
    if ahead not in (
        "filler",
        "by",
        "period",
        "cmp",
        "neg",
        "per",
        "between",
        "superlative",
        "most",
        "num",
        "value",
        "",
    ):
        return False
    if find_by_verb(reader, word, phrase.table) is not None and reader.kind(reader.skip(at + 1)) in (
        "num",
        "cmp",
        "between",
    ):
        return False
    if not word.isalpha() or reader.items[at].text[:1].isupper() or len(word) < 3:
        return False
    if _names_time(reader, word, phrase.table):
        return False
    if tells_state(word):
        return False
    if word in _IRREGULAR:
        return True
    if word in _MONEY:
        behind = reader.skip(at + 2 if ahead == "by" else at + 1)
        return reader.kind(behind) in ("value", "quote", "table", "other")
    led = reader.low(at - 1) in ("that", "who", "which", "do", "does", "did", "not", "n't")
    return led or word.endswith(("ed", "ing", "en"))


def is_called(reader: Reader, at: int, table: str) -> bool:
    """Checks whether `called` is a verb, as in `called at Oslo`, and does not name a row."""
    ahead = reader.skip(at + 1)
    named = {(m.table, m.column) for m in (reader.items[ahead].mentions if reader.kind(ahead) == "value" else ())}
    own = {(col.table, col.name) for col in reader.columns(at, table)}
    return reader.low(at) in ("called", "named") and reader.kind(ahead) == "value" and not own & named


def keep_done(reader: Reader, verb: int, phrase: Phrase, known: int, rank: Rank | None) -> None:
    """Leaves out rows without the time that a verb names, as `returned the most books` asks for."""
    done = reader.column(verb, phrase.table)
    if done is None or not reader.temporal(done) or done.table == phrase.table:
        return
    given = q.Empty(done, True)
    if rank is not None and rank.measure.table == done.table and isinstance(rank.measure.expr, q.Agg):
        rank.measure.where.append(given)
    for place, cond in enumerate(phrase.where[known:], known):
        if isinstance(cond, q.Exists) and cond.table == done.table:
            where = given if cond.where is None else q.And((cond.where, given))
            phrase.where[place] = msgspec.structs.replace(cond, where=where)


def owner_of(reader: Reader, at: int, table: str) -> str | None:
    """Returns the related table whose rows a value stands for, as in `a cat that is 3 years old`."""
    owners = {m.table for m in reader.items[at].mentions if m.kind == "value"}
    return owners.pop() if len(owners) == 1 and table not in owners else None


def done_times(reader: Reader, at: int, table: str) -> list[q.Col]:
    """Returns the times of a table that a participle names."""
    word = reader.low(at)
    if not word.endswith(("ed", "d", "t", "n")):
        return []
    columns = (q.Col(table, linked.column.name) for linked in reader.index.columns[table])
    return [col for col in columns if reader.temporal(col) and word in parts(col.name)]


def is_done(reader: Reader, at: int, phrase: Phrase) -> bool:
    """Checks whether a participle that a time is named after is only a verb: `played in more than 60 games`."""
    named = reader.column(at, phrase.table)
    if named is None or not reader.temporal(named) or not reader.low(at).endswith(("ed", "en", "ld", "de", "nt")):
        return False
    ahead = reader.skip(at + 1)
    behind = reader.skip(ahead + 2)
    counted = reader.kind(ahead) == "cmp" and reader.kind(reader.skip(ahead + 1)) == "num"
    return (counted and reader.kind(behind) in ("table", "other", "col", "unknown", "value")) or (
        reader.kind(ahead) in ("by", "value")
        and reader.kind(reader.skip(ahead + 1 if reader.kind(ahead) == "by" else ahead)) in ("value", "quote")
    )


# A word that names a table with a lower score is a verb of the same root.
_NOUN = 0.9
_IRREGULAR = frozenset(
    "gave got went came took won lost made held ran drew sent kept left met saw gets gives takes".split()
)


# `paid in 2024` names a time of its own, and `paid by card` does not.
_MONEY = frozenset("paid sold bought".split())


def _names_time(reader: Reader, word: str, table: str) -> bool:
    columns = (q.Col(table, linked.column.name) for linked in reader.index.columns[table])
    return any(reader.temporal(col) and word in parts(col.name) for col in columns)


def is_link_table(reader: Reader, at: int, phrase: Phrase) -> bool:
    """Checks whether a word names the table of links to the noun that follows: `hire` in `do not hire any employee`."""
    if reader.kind(at) not in ("table", "other", "col") or not reader.tables(at):
        return False
    own = [m.score for m in reader.items[at].mentions if m.kind == "table" and m.table == phrase.table]
    verbal = bool(own) and own[0] < _NOUN and reader.kind(reader.skip(at + 1)) in ("cmp", "table", "other")
    if verbal and not reader.low(at).endswith("s"):
        # `teachers that teach at least two courses`
        return True
    start = at + 2 if reader.low(at + 1) == "both" else at + 1
    ahead = reader.skip(start, ("filler", "link", "most", "superlative", "count", "cmp", "num", "per"))
    other = reader.related_table(ahead, phrase.table)
    path = reader.path(phrase.table, other, ahead) if other is not None else None
    return bool(path) and reader.tables(at)[0] in [step.to for step in path[:-1]] if path else False
