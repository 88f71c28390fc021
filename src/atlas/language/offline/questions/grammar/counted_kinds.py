"""Reads numbers of rows of a kind: `the most remote jobs`, `more than 20 washed samples`, `the most captains`."""

from __future__ import annotations

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.grammar.heads import flag_condition, read_head
from atlas.language.offline.questions.grammar.measures import rows_counted
from atlas.language.offline.questions.grammar.phrase import Measure, Phrase, Rank
from atlas.language.offline.questions.grammar.reader import Reader
from atlas.language.offline.questions.grammar.relations import counted_table


def most_of_kind(reader: Reader, at: int, phrase: Phrase) -> tuple[Rank, int] | None:
    """Reads `the most remote jobs`, which counts rows of a kind."""
    start = reader.skip(at + 1)
    if reader.kind(at) != "most":
        return None
    marked = _marked(reader, start, phrase)
    if marked is not None:
        return Rank(marked, bool(reader.items[at].value)), start + 1
    noun = next((n for n in range(start, min(start + 4, len(reader.items))) if reader.tables(n)), start)
    related = reader.related_table(noun, phrase.table) if phrase.column is None else phrase.table
    read = read_head(reader, start, related) if related is not None else None
    if related is None or read is None or read[0].column is not None or not read[0].where or read[0].rank is not None:
        return None
    if related != phrase.table and counted_table(reader.path(phrase.table, related, noun) or ()) != related:
        return None
    measure = Measure(rows_counted(reader, related), related, read[0].where)
    return Rank(measure, bool(reader.items[at].value)), read[1]


def _marked(reader: Reader, at: int, phrase: Phrase) -> Measure | None:
    """Returns the number of rows with a mark, as `captains` of players who are captains."""
    col = reader.column(at, phrase.table) if reader.kind(at) == "col" else None
    if col is None or not reader.flag(col):
        return None
    if col.table == phrase.table:
        counts = phrase.column is not None
    else:
        counts = counted_table(reader.path(phrase.table, col.table, at) or ()) == col.table
    return Measure(q.Agg("count"), col.table, [flag_condition(reader, col, False)]) if counts else None


def count_of_kind(reader: Reader, at: int, phrase: Phrase) -> tuple[Measure, int] | None:
    """Reads `washed samples` behind a number, which counts rows of a kind."""
    read = read_head(reader, at, phrase.table) if phrase.column is not None else None
    if read is None or read[0].column is not None or not read[0].where or read[0].rank is not None or read[0].limit:
        return None
    return Measure(rows_counted(reader, phrase.table), phrase.table, read[0].where), read[1]


def stands_alone(reader: Reader, at: int) -> bool:
    """Checks whether a number stands alone: nothing, groups, a period or another clause follows."""
    return reader.kind(at) in ("", "per", "by", "stop", "period", "comma", "order") or reader.low(at) in ("in", "at")
