"""Reads a question once for each table that it may be about, and chooses the best reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.coverage import collect_facts, is_nested
from atlas.language.offline.questions.grammar.reader import NotRead, Reader
from atlas.language.offline.questions.grammar.relations import reachable_tables
from atlas.language.offline.questions.grammar.sentence import read_question
from atlas.language.offline.questions.grammar.to_query import to_query
from atlas.language.offline.questions.tagger import Item, Tagger
from atlas.language.offline.questions.to_sql import NoPathError, to_sql

# A reading with a higher cost is no answer.
DOUBTFUL = 2.2
# Two readings of nearly equal cost with different SQL leave the question open.
_ALIKE = 0.2


@dataclass
class Found:
    """A reading of a question for one table, as a query."""

    table: str
    query: q.Query
    sql: str
    assumptions: tuple[str, ...]
    cost: float


def best_reading(tagger: Tagger, tables: Iterable[str]) -> Found | None:
    """Returns the reading with the least cost, or None if no reading covers the question."""
    found = [one for one in (_read(tagger, table) for table in tables) if one is not None and one.cost <= DOUBTFUL]
    if not found:
        return None
    found.sort(key=lambda one: one.cost)
    best = found[0]
    if any(one.sql != best.sql and one.cost - best.cost < _ALIKE for one in found[1:]):
        return None
    return best


def _read(tagger: Tagger, table: str) -> Found | None:
    catalog = tagger.index.catalog
    items = [_plain(item) for item in tagger.items(table, reachable_tables(table, catalog))]
    reader = Reader(tagger.index, table, items, tagger.tokens)
    try:
        request = read_question(reader)
        query = to_query(reader, request)
        sql = to_sql(query, catalog)
    except (NotRead, NoPathError):
        return None
    if (
        _drops_level(reader, query)
        or _drops_now(reader, query)
        or _drops_adverb(reader)
        or _repeats_time(reader, query)
    ):
        return None
    cost = _cost(reader, query) + reader.loose + (0.0 if request.phrase.named else 0.4)
    return Found(table, query, sql, tuple(reader.assumptions), cost)


def _drops_level(reader: Reader, query: q.Query) -> bool:
    """Checks whether the query has too few levels for a noun named again: `states that border states that border Texas`."""
    if not any(
        is_nested(reader.items, at) for at, item in enumerate(reader.items) if item.kind in ("col", "table", "other")
    ):
        return False
    return collect_facts(query).levels < 2


def _drops_now(reader: Reader, query: q.Query) -> bool:
    """Checks for `books that are currently on loan`, where related rows may be of the past."""
    return any(word in ("currently", "now") for word in reader.words(0, len(reader.items))) and bool(
        collect_facts(query).levels
    )


def _repeats_time(reader: Reader, query: q.Query) -> bool:
    """Checks whether only the time of a condition is shown, where a verb names it: `employee hired after 2020`."""
    dated = {cond.column for cond in query.where if isinstance(cond, q.During)}
    shown = {output.expr for output in query.outputs}
    verb = any(item.kind == "col" and item.text.lower().endswith("ed") for item in reader.items)
    return bool(shown) and not query.aggregated and shown <= dated and verb


def _drops_adverb(reader: Reader) -> bool:
    """Checks for `the same country` and `still playing`, which no condition of the query can tell."""
    for at in range(len(reader.items)):
        behind = reader.kind(at + 1)
        if reader.low(at) == "same" and behind in ("col", "table", "other"):
            return True
        flags = [col for col in reader.columns(at + 1, reader.table) if reader.flag(col)]
        if reader.low(at) == "still" and reader.kind(at) == "filler":
            behind = reader.kind(reader.skip(at + 1))
            if behind not in ("neg", "negation", "value", "empty", "term") and not flags:
                return True
    return False


def _plain(item: Item) -> Item:
    """Takes `of all` for two fillers, as in `the names of all singers`."""
    return Item("filler", item.start, item.end, text="of") if item.kind == "outof" and item.text == "of all" else item


def _cost(reader: Reader, query: q.Query) -> float:
    """Computes the cost of a query: weak names, joined tables, and tables that the question names in vain."""
    facts = collect_facts(query)
    cost = 0.3 * (len(facts.tables) - 1)
    for item in reader.items:
        used = [m for m in item.mentions if m.table in facts.tables]
        cost += 1 - min(max((m.score for m in used), default=1.0), 1.0)
        named = {m.table for m in item.mentions if m.kind in ("table", "other") and m.score >= 0.95}
        if named and not named & facts.tables:
            cost += 0.8
    return cost
