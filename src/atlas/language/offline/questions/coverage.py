"""Finds the words of a question that the query does not cover, so that no word is dropped silently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from atlas.catalog.model import Catalog
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.tagger import Item
from atlas.language.offline.questions.tokenizer import parts, stem

# Words that ask for a prediction or for an opinion, which no row holds.
_PREDICTING = ("will", "shall")
_ASKED = ("we", "i", "you", "one")
_NUMBERED = ("num", "count", "total", "qty", "quantity", "amount")


@dataclass
class Facts:
    """The contents of a query, in a form that words of a question can be searched in."""

    columns: set[tuple[str, str]] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    extremes: int = 0
    negations: int = 0
    choices: int = 0
    levels: int = 0
    negated: int = 0
    distinct: bool = False


def collect_facts(query: q.Query) -> Facts:
    """Collects the facts of a query."""
    facts = Facts(tables={query.table}, distinct=query.distinct)
    for part in _parts(query):
        _collect(part, facts)
    if query.limit is not None:
        facts.literals.add(str(query.limit))
    return facts


def _parts(value: object) -> Iterator[msgspec.Struct]:
    if isinstance(value, msgspec.Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _parts(getattr(value, name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _parts(one)


def _collect(part: msgspec.Struct, facts: Facts) -> None:
    match part:
        case q.Col(table=table, name=name):
            facts.columns.add((table, name))
            facts.tables.add(table)
        case q.Agg(function=function, distinct=distinct):
            facts.functions.add(function)
            facts.distinct = facts.distinct or distinct
            facts.extremes += function in ("min", "max")
        case q.Compare(operator=operator, value=value):
            facts.operators.add(operator)
            facts.literals.add(_text(value))
        case q.OneOf(values=values):
            facts.choices += 1
            facts.literals |= {_text(value) for value in values}
        case q.Or():
            facts.choices += 1
        case q.Contains(text=text):
            facts.literals.add(_text(text))
        case q.During(words=words):
            facts.words.add(words)
        case q.Given(words=words, table=table):
            facts.words.add(words)
            facts.tables.add(table)
        case q.Exists(table=table, key=key):
            facts.levels += 1
            facts.tables.add(table)
            facts.columns.add((table, key))
        case q.Bucket(unit=unit):
            facts.units.add(unit)
        case q.OfTotal():
            facts.functions.add("share")
        case q.Previous():
            facts.functions.add("growth")
        case q.Op(operator="/"):
            facts.functions.add("ratio")
        case q.Num(value=value):
            facts.literals.add(_text(value))
    if (getattr(part, "negated", False) and not isinstance(part, q.Empty)) or getattr(part, "operator", "") == "<>":
        facts.negated += 1
    if (
        getattr(part, "negated", False)
        or isinstance(part, q.Empty)
        or getattr(part, "operator", "") in ("<>", "<", "<=", ">", ">=")
    ):
        facts.negations += 1


def _text(value: object) -> str:
    return str(value).strip().lower()


def find_uncovered(items: Sequence[Item], query: q.Query, catalog: Catalog) -> tuple[str, ...]:
    """Lists the words of a question that the query does not cover, in order.

    items: the items of the question for the query's main table. Fillers and linking verbs need no cover.
    """
    facts = collect_facts(query)
    found = [item.text for n, item in enumerate(items) if not _is_covered(items, n, query, facts, catalog)]
    return tuple(dict.fromkeys(text for text in found if text))


def _is_covered(items: Sequence[Item], at: int, query: q.Query, facts: Facts, catalog: Catalog) -> bool:
    item = items[at]
    match item.kind:
        case "col" if item.text.lower().split()[0].endswith("est") and item.mentions[0].start != item.start:
            # The superlative before the column was taken for a part of the name.
            return False
        case "col" | "table":
            return _is_named(item, query, facts, catalog) and not is_nested(items, at)
        case "other":
            # In `the state of Texas` and `the capital city` the next word has the meaning.
            return _is_named(item, query, facts, catalog) or _is_beside(items, at)
        case "value":
            return any(
                (m.table, m.column) in facts.columns and any(_text(value) in facts.literals for value in m.values)
                for m in item.mentions
                if m.kind == "value"
            )
        case "quote":
            return _text(item.text) in facts.literals
        case "period":
            return _is_period_covered(item, facts)
        case "num":
            return _text(item.value) in facts.literals or _text(item.text) in facts.literals
        case "agg":
            return item.value in facts.functions or (item.value == "sum" and "count" in facts.functions)
        case "count":
            return _counts(facts)
        case "per" if item.text in ("per", "for each", "in each", "of each", "for every"):
            return bool(query.group) or "ratio" in facts.functions
        case "distinct":
            return facts.distinct or bool(query.group)
        case "share":
            return bool({"share", "ratio"} & facts.functions)
        case "growth":
            return "growth" in facts.functions
        case "neg" | "negation":
            return facts.negations > 0
        case "term":
            return item.text in facts.words
        case "superlative" | "most" | "top":
            return _is_ranked(items, at, query, facts)
        case "order" | "asc" | "desc":
            return bool(query.order)
        case "or":
            return facts.choices > 0 or _synonyms(items, at)
        case "filler" if item.text in ("currently", "now"):
            return not facts.distinct and not facts.levels
        case "filler" if item.text == "same":
            return at + 1 == len(items) or items[at + 1].kind not in ("col", "table", "other")
        case "filler" if item.text == "still":
            return facts.negations > 0 or bool(facts.literals)
        case "filler" if item.text in ("in total", "in all"):
            return bool(facts.functions)
        case "filler" | "link":
            return not _asks_more(items, at) and not (item.text == "both" and _either(query))
    return True


def _is_named(item: Item, query: q.Query, facts: Facts, catalog: Catalog) -> bool:
    """Checks whether the query has the column or table of a schema word, or the table that a key refers to."""
    for mention in item.mentions:
        if mention.kind in ("table", "other") and mention.table in facts.tables:
            return True
        if (mention.table, mention.column) in facts.columns:
            return True
        if any(
            (join.left_table, join.left_column) == (mention.table, mention.column)
            and (join.right_table in facts.tables or item.text.lower() in join.right_table)
            for join in catalog.joins
        ):
            return True
        if mention.table == query.table and "count" in facts.functions:
            # `how many names` counts the rows with these names.
            return True
    last = stem(item.text.split()[-1].lower()) if item.text else ""
    return any(last in [stem(part) for part in parts(name)] for _, name in facts.columns)


def _is_beside(items: Sequence[Item], at: int) -> bool:
    """Checks whether a noun of another table only classifies the word beside the noun."""
    if at and items[at - 1].kind == "col":
        return True
    after = next((item for item in items[at + 1 :] if item.text not in ("of", "the", "called", "named")), None)
    return after is not None and after.kind == "value"


def is_nested(items: Sequence[Item], at: int) -> bool:
    """Checks whether a noun occurs again in a relative clause: `states that border states that border Texas`."""
    own = stem(items[at].text.split()[-1].lower())
    relative = [n for n, item in enumerate(items[:at]) if item.text in ("that", "which", "whose")]
    return (
        any(
            item.kind in ("col", "table", "other")
            and stem(item.text.split()[-1].lower()) == own
            and item.kind == items[at].kind
            and n < at - 1
            and any(place > at for place in range(at + 1, len(items)) if items[place].text in ("that", "whose"))
            for n, item in enumerate(items[:at])
        )
        and not relative
    )


def _synonyms(items: Sequence[Item], at: int) -> bool:
    """Checks whether `or` stands between two synonyms: `cities or towns`."""
    around = [{(m.table, m.column) for m in items[n].mentions} for n in (at - 1, at + 1) if 0 <= n < len(items)]
    return len(around) == 2 and bool(around[0] & around[1]) and items[at + 1].kind in ("table", "col")


def _is_period_covered(item: Item, facts: Facts) -> bool:
    """Checks whether a period is a condition of the query. A sum over a future period is not covered."""
    if "next" in item.text.lower().split() and {"sum", "avg"} & facts.functions:
        return False
    if item.text in facts.words:
        return True
    when = item.period
    days = [] if when is None else [str(day.year) for day in (when.first, when.last) if day is not None]
    dated = any({"year", "month"} & set(parts(name)) for _, name in facts.columns)
    return dated and (bool(facts.literals & set(days)) or (when is not None and when.month is not None))


def _counts(facts: Facts) -> bool:
    """Checks whether the query counts something, or shows a column with a number of things."""
    return bool({"count", "sum"} & facts.functions) or any(
        part.startswith(_NUMBERED) for _, name in facts.columns for part in parts(name)
    )


def _is_ranked(items: Sequence[Item], at: int, query: q.Query, facts: Facts) -> bool:
    """Checks whether a superlative has its own order or extreme in the query."""
    if any(item.kind in ("order", "asc", "desc") for item in items):
        return bool(query.order) or facts.extremes > 0
    if items[at].kind == "top":
        return bool(query.order) or facts.extremes > 0
    before = sum(1 for item in items[:at] if item.kind in ("superlative", "most"))
    return before < len(query.order) + facts.extremes


def _either(query: q.Query) -> bool:
    """Checks whether the query accepts one of several values without a group by these values."""
    return any(isinstance(part, q.OneOf) and part.expr not in query.group for part in _parts(query))


def _asks_more(items: Sequence[Item], at: int) -> bool:
    text = items[at].text
    if text in _PREDICTING:
        return True
    after = items[at + 1].text.lower() if at + 1 < len(items) else ""
    return text in ("should", "shall", "must") and after in _ASKED
