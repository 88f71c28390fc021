"""Plans questions on time series: the question is read, completed or taken as an edit of the last plan, and compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nlargest

from atlas.catalog.model import CatalogTable
from atlas.language.offline.questions.schema_linking import Index, Mention
from atlas.language.offline.questions.series import follow_up
from atlas.language.offline.questions.series import patterns as x
from atlas.language.offline.questions.series import plan as p
from atlas.language.offline.questions.series.checks import Completed, UnclearError, finish
from atlas.language.offline.questions.series.completion import complete
from atlas.language.offline.questions.series.function_reading import Parts
from atlas.language.offline.questions.series.reading import Reader
from atlas.language.offline.questions.series.scanning import Scan, scan, spread
from atlas.language.offline.questions.series.spans import SpanError
from atlas.language.offline.questions.series.target import Target, target_of
from atlas.language.offline.questions.series.to_sql import compile_plan
from atlas.language.offline.questions.series.wording import chart, explain
from atlas.language.offline.questions.tokenizer import Token, tokens
from atlas.language.question import Question, QuestionPlan

# Words that only a question on a time series has. Such a question gets no answer from the grammar of tables.
_TYPICAL = x.rx(
    "latest|current|currently|newest|most recent|moving|rolling|drawdown|drawdowns|volatility|volatile|correlation|correlated|correlate|ohlc|candlesticks?|streak|"
    "cumulative|year to date|ytd|weekday|weekdays|hour of (?:the )?day|day of (?:the )?week|time of day|month of (?:the )?year|all time high|all time low|last|first|since|"
    "rise|rose|risen|fall|fell|drop|dropped|return|returns|gained|peak|gaps?|percentile"
)
# Rows that are counted: `which city has the most customers`. The grammar of tables counts them.
_MOST_ROWS = x.rx(r"(?:most|fewest|least|more|fewer) T\d+|(?:more|fewer|less) than N\d+ T\d+")
_MAX_TARGETS = 12


@dataclass
class Tried:
    """What became of a question for one table."""

    target: Target
    scan: Scan | None = None
    completed: Completed | None = None
    left: tuple[str, ...] = ()
    reason: str = ""
    typical: bool = False

    @property
    def worth(self) -> float:
        """How much of the question names things of the table."""
        return 0 if self.scan is None else self.scan.worth


def plan_series(question: Question, index: Index, today: date) -> QuestionPlan | None:
    """Plans a question on a time series. Returns None for a question that is not one."""
    found = tokens(spread("".join(c if c.isprintable() else " " for c in question.text)))
    if _uses_term(question, found):
        return None
    named = index.mentions(found)
    before = p.decode(question.turns[-1].state) if question.turns else None
    if before is not None:
        told = _continue(before, question, found, named, index, today)
        if told is not None:
            return told
    tries = (_try(table, found, named, index, today) for table in _tables(question, named))
    tried = [one for one in tries if one is not None]
    good = [one for one in tried if one.completed is not None]
    if good:
        best = max(good, key=lambda one: one.worth)
        rivals = [one for one in good if one.worth == best.worth and one is not best]
        if rivals:
            names = " or ".join(one.target.table.name for one in (best, *rivals[:3]))
            return QuestionPlan(question=f"Which table is meant, {names}?")
        assert best.completed is not None
        return _planned(best.completed, best.target, today)
    return _refuse(tried)


def _uses_term(question: Question, found: Sequence[Token]) -> bool:
    """Checks whether the question has a term of the glossary, whose condition the plan of a series cannot say."""
    stems = [token.stem for token in found]
    for term in question.terms:
        words = [token.stem for token in tokens(term.name)]
        if words and any(stems[at : at + len(words)] == words for at in range(len(stems))):
            return True
    return False


def _tables(question: Question, mentions: Sequence[Mention]) -> list[CatalogTable]:
    catalog = question.catalog
    if question.table is not None:
        named = catalog.table(question.table)
        return [] if named is None else [named]
    if len(catalog.tables) == 1:
        return list(catalog.tables)
    worth: dict[str, dict[int, float]] = {}
    for mention in mentions:
        score = mention.score * (3 if mention.kind == "table" else 1)
        places = worth.setdefault(mention.table, {})
        for place in range(mention.start, mention.end):
            places[place] = max(places.get(place, 0), score)
    best = nlargest(_MAX_TARGETS, worth, key=lambda name: sum(worth[name].values()))
    return [table for table in catalog.tables if table.name in best]


def _try(
    table: CatalogTable, found: Sequence[Token], named: Sequence[Mention], index: Index, today: date
) -> Tried | None:
    target = target_of(table)
    if target is None:
        return None
    tried = Tried(target)
    try:
        tried.scan = scan(found, named, index, target, today)
        typical = tried.scan.has(_TYPICAL)
        # Without a column, a table's name means its rows: `customers per city`.
        rows = table.kind != "dataset" and tried.scan.tables and not tried.scan.columns and not typical
        if rows or tried.scan.has(_MOST_ROWS):
            return None
        parts = Reader(tried.scan, target).read()
        if parts.left:
            tried.left = tuple(dict.fromkeys(parts.left))
            tried.typical = typical or parts.function is not None
        else:
            tried.completed = complete(parts, target)
    except SpanError as error:
        tried.reason = str(error)
    except UnclearError as error:
        tried.reason = str(error)
    return tried


def _refuse(tried: Sequence[Tried]) -> QuestionPlan | None:
    """Refuses a question on a time series that was not understood. None: the question is none of a time series."""
    for one in sorted(tried, key=lambda one: -one.worth):
        if one.reason:
            return QuestionPlan(question=one.reason)
        if one.left and (one.typical or one.target.table.kind == "dataset"):
            words = ", ".join(f'"{word}"' for word in one.left)
            return QuestionPlan(question=f"I don't understand {words}.", not_understood=one.left)
    return None


def _continue(
    before: p.SeriesPlan,
    question: Question,
    found: Sequence[Token],
    mentions: Sequence[Mention],
    index: Index,
    today: date,
) -> QuestionPlan | None:
    """Plans a question that continues the one before. None: it stands on its own."""
    table = question.catalog.table(before.table)
    target = None if table is None else target_of(table)
    if target is None:
        return None
    words = [token.lower for token in found if token.kind != "sign"]
    try:
        marked = scan(found, mentions, index, target, today)
    except SpanError as error:
        return QuestionPlan(question=str(error)) if follow_up.continues(words) else None
    opened = follow_up.continues(words)
    adding = set(words)
    marked.take(x.OPENING)
    window = marked.take(x.WINDOW) if isinstance(before.function, p.Moving) and opened else None
    parts = Reader(marked, target).read()
    if window is not None:
        parts.window = (int(marked.numbers[int(window["n"])]), window["u"])
    if not opened and not follow_up.asks_of_buckets(before, parts) and not _is_short(words, parts):
        return None
    left = tuple(word for word in parts.left if word.lower() not in follow_up.FREE)
    if left:
        # Of a table, the other grammar may know the words.
        if table is not None and table.kind != "dataset":
            return None
        if any(column != "" for column in parts.columns) and parts.function is not None and not opened:
            return None
        told = ", ".join(f'"{word}"' for word in left)
        return QuestionPlan(question=f"I don't understand {told}.", not_understood=left)
    try:
        plan = follow_up.edit(before, parts, adding)
        done = finish(plan, target, list(parts.notes))
    except UnclearError as error:
        return QuestionPlan(question=str(error)) if opened else None
    return _planned(done, target, today, confidence=0.8)


def _is_short(words: Sequence[str], parts: Parts) -> bool:
    """Checks for a few words that name no column, such as `weekends only`."""
    return len(words) <= 4 and not parts.columns and parts.function is None and not parts.aggregates


def _planned(done: Completed, target: Target, today: date, confidence: float = 0.9) -> QuestionPlan:
    return QuestionPlan(
        sql=compile_plan(done.plan, target, today.isoformat()),
        explanation=explain(done.plan),
        chart=chart(done.plan, target),
        assumptions=tuple(dict.fromkeys(done.notes)),
        confidence=confidence,
        state=p.encode(done.plan),
    )
