"""The planner of the offline engine. Equal questions get equal plans, without a model and without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.ast import Agg, Col, Query, Truth
from atlas.language.offline.questions.builder.follow_up import (
    apply_follow_up,
    is_follow_up,
    last_query,
    prepare,
    shift_period,
    turn_around,
)
from atlas.language.offline.questions.builder.query import build
from atlas.language.offline.questions.builder.ratios import build_ratio, ratio_at
from atlas.language.offline.questions.builder.shares import build_growth, build_share
from atlas.language.offline.questions.coverage import find_uncovered
from atlas.language.offline.questions.doubts import is_doubtful_form, is_doubtful_wording
from atlas.language.offline.questions.grammar.attempts import best_reading
from atlas.language.offline.questions.languages import translate
from atlas.language.offline.questions.lexicon import FILLERS, LINKING
from atlas.language.offline.questions.parser.shared import Unclear
from atlas.language.offline.questions.parser.state import Reading
from atlas.language.offline.questions.phrases import PHRASES
from atlas.language.offline.questions.refusals import refuse_unanswerable
from atlas.language.offline.questions.row_times import add_row_times, meanings
from atlas.language.offline.questions.schema_linking import Index, index_of
from atlas.language.offline.questions.series.engine import plan_series
from atlas.language.offline.questions.spelling import correct_spelling
from atlas.language.offline.questions.tagger import Item, Tagger
from atlas.language.offline.questions.to_english import chart, countable, explain
from atlas.language.offline.questions.to_sql import NoPathError, paths, to_sql
from atlas.language.offline.questions.tokenizer import Token, stem, tokens
from atlas.language.question import Question, QuestionPlan

MAX_TABLES_TRIED = 12
# An attempt with a higher cost asks back. Nearly all answers above the limit were wrong on the dev halves of the
# question sets.
DOUBTFUL = 2.0
# The same for a query of several tables. Above it there were two wrong answers for three right ones.
DOUBTFUL_JOIN = 1.2
# The words that ask for groups of rows.
_GROUPING = ("per", "by", "unit", "most", "superlative", "top", "vs", "order", "asc", "desc", "share", "cmp", "ratio")


# How the note ends that tells of a verb that is passed over.
LINKED = "is read as the link between the words around it."


@dataclass
class Attempt:
    """A reading for one main table. The cost rises with unknown words and with guesses."""

    table: str
    cost: float
    reading: Reading
    query: Query | None
    sql: str | None
    reason: str = ""


def plan_question(question: Question) -> QuestionPlan:
    """Plans a question. Never raises for the contents of a question."""
    given, question = question.catalog, msgspec.structs.replace(question, catalog=add_row_times(question.catalog))
    text, corrected = correct_spelling(question.text, question.catalog)
    plan = _plan(msgspec.structs.replace(question, text=text))
    if plan.sql is None:
        translated = translate(question.text, question.catalog)
        other = None if translated is None else _plan(msgspec.structs.replace(question, text=translated))
        if other is None or other.sql is None or any(note.endswith(LINKED) for note in other.assumptions):
            # A verb that the lists of the language do not have may say anything.
            return plan
        plan, corrected = other, (f"Read as: {translated}",)
    assert plan.sql is not None
    notes = (*plan.assumptions, *corrected, *meanings(plan.sql, given))
    return msgspec.structs.replace(plan, assumptions=notes)


def _plan(question: Question) -> QuestionPlan:
    today = date.fromisoformat(question.today) if question.today else datetime.now(UTC).date()
    index = index_of(question.catalog)
    # A control character would not pass the gate.
    found = tokens("".join(c if c.isprintable() else " " for c in question.text))
    refused = refuse_unanswerable(found, index)
    if refused is not None:
        words, reason = refused
        offered = suggestions(question.catalog, question.table)
        return QuestionPlan(question=reason, not_understood=(words,), suggestions=offered)
    tagger = Tagger(index, found, question.terms, today)
    series = plan_series(question, index, today)
    if series is not None:
        return series
    before = last_query(question.turns)
    if before is not None and is_follow_up(found):
        told = _follow_up(Tagger(index, prepare(found, before), question.terms, today), before, question)
        if told is not None:
            return told
    candidates = _candidates(tagger, question)
    read = best_reading(tagger, candidates)
    if read is not None:
        return QuestionPlan(
            sql=read.sql,
            explanation=explain(read.query),
            chart=chart(read.query),
            assumptions=read.assumptions,
            confidence=max(0.5, 0.95 - 0.1 * read.cost),
            state=msgspec.json.encode(read.query).decode(),
        )
    attempts = [attempt(tagger, table) for table in candidates]
    good = [a for a in attempts if a.sql is not None]
    if not good:
        return _not_understood(question, attempts, found)
    best = min(good, key=lambda a: a.cost)
    assert best.query is not None
    doubtful = is_doubtful_form(best.query, question.catalog) or is_doubtful_wording(best.reading, best.query)
    if best.reading.unknown or best.cost > DOUBTFUL or doubtful:
        return _not_understood(question, [best])
    return QuestionPlan(
        sql=best.sql,
        explanation=explain(best.query),
        chart=chart(best.query),
        assumptions=tuple(best.reading.assumptions),
        confidence=max(0.5, 0.95 - 0.1 * best.cost),
        state=msgspec.json.encode(best.query).decode(),
    )


def _follow_up(tagger: Tagger, before: Query, question: Question) -> QuestionPlan | None:
    """Plans a question that continues the question before. Returns None if the question stands on its own."""
    catalog = question.catalog
    if catalog.table(before.table) is None:
        return None
    turned = turn_around(before, tagger.tokens) or shift_period(before, tagger.tokens)
    if turned is not None:
        return _edited(turned, to_sql(turned, catalog), ())
    for reachable in (frozenset[str](), reachable_from(before.table, catalog)):
        reading = Reading(tagger.index, before.table, tagger.items(before.table, reachable), tagger.tokens).run()
        if reading.unknown:
            continue
        try:
            query = apply_follow_up(before, reading)
            sql = to_sql(query, catalog)
        except (Unclear, NoPathError):
            continue
        if find_uncovered(reading.items, query, catalog):
            continue
        return _edited(query, sql, tuple(reading.assumptions))
    return None


def _edited(query: Query, sql: str, assumptions: tuple[str, ...]) -> QuestionPlan:
    return QuestionPlan(
        sql=sql,
        explanation=explain(query),
        chart=chart(query),
        assumptions=assumptions,
        confidence=0.8,
        state=msgspec.json.encode(query).decode(),
    )


def _candidates(tagger: Tagger, question: Question) -> list[str]:
    if question.table is not None and question.catalog.table(question.table) is not None:
        return [question.table]
    named = tagger.tables()
    ranked = sorted(named, key=lambda name: (-_weight(tagger, name), name))
    return ranked[:MAX_TABLES_TRIED]


def _weight(tagger: Tagger, table: str) -> float:
    """Sums how much of the question names things of a table."""
    covered: dict[int, float] = {}
    for mentions in tagger.mentions_of(table):
        for position in range(mentions.start, mentions.end):
            covered[position] = max(covered.get(position, 0), mentions.score)
    return sum(covered.values())


def attempt(tagger: Tagger, table: str) -> Attempt:
    """Reads the question with `table` as the main table: first alone, then with the tables that can be joined."""
    alone = _attempt(tagger, table, frozenset())
    good = alone.sql is not None and not alone.reading.unknown
    if good and not _shows_key(alone, tagger.index.catalog):
        return alone
    reachable = reachable_from(table, tagger.index.catalog)
    if not reachable:
        return alone
    joined = _attempt(tagger, table, reachable)
    joined.cost += 0.5
    if (
        good
        and joined.sql is not None
        and not joined.reading.unknown
        and joined.cost <= min(alone.cost + 1.2, DOUBTFUL)
    ):
        return joined
    return min((alone, joined), key=lambda a: (a.sql is None, a.cost))


def _shows_key(alone: Attempt, catalog: Catalog) -> bool:
    """Checks whether the query shows a key where the question names the key's table, as `leads` means the leads' names."""
    keys = {Col(join.left_table, join.left_column) for join in catalog.joins}
    shown = {output.expr for output in alone.query.outputs} if alone.query is not None else set()
    for item in alone.reading.items:
        if item.kind == "col" and not item.text.lower().endswith(("id", "ids")):
            col = Col(item.mentions[0].table, item.mentions[0].column)
            if col in keys and col in shown:
                return True
    return False


def reachable_from(table: str, catalog: Catalog) -> frozenset[str]:
    """Returns the tables that keys connect with a table in at most 3 steps."""
    reached = {table}
    for _ in range(3):
        reached |= {j.right_table for j in catalog.joins if j.left_table in reached} | {
            j.left_table for j in catalog.joins if j.right_table in reached
        }
    return frozenset(reached - {table})


def _attempt(tagger: Tagger, table: str, reachable: frozenset[str]) -> Attempt:
    items = tagger.items(table, reachable)
    reading = Reading(tagger.index, table, items, tagger.tokens)
    try:
        query = _query(reading, items)
        sql = to_sql(query, tagger.index.catalog)
    except Unclear as error:
        return Attempt(table, 100.0, reading, None, None, f"It is not clear {error}.")
    except NoPathError as error:
        return Attempt(table, 100.0, reading, None, None, f"Nothing connects {table} with {error}.")
    if len(_tables_of(query)) > 1 and query.group and not any(item.kind in _GROUPING for item in items):
        return Attempt(table, 100.0, reading, None, None, "It is not clear by what the figures are grouped.")
    if _contradicts(query):
        return Attempt(table, 100.0, reading, None, None, "It is not clear how one thing can be two.")
    if _joins_doubtfully(query, tagger.index.catalog):
        return Attempt(
            table, 100.0, reading, None, None, "Several keys join these tables, and it is not clear by which."
        )
    unplaced = _find_unplaced(tagger, reading, query)
    if unplaced is not None:
        return Attempt(table, 100.0, reading, None, None, f"It is not clear which table's {unplaced} is meant.")
    reading.unknown += [
        text for text in find_uncovered(items, query, tagger.index.catalog) if text not in reading.unknown
    ]
    cost = _cost(tagger, reading, query)
    if len({query.table, *_tables_of(query)}) > 1 and cost > DOUBTFUL_JOIN:
        cost += DOUBTFUL
    return Attempt(table, cost, reading, query, sql)


def _contradicts(query: Query) -> bool:
    """Checks whether a yes-or-no column is asked to be both."""
    marks = {(cond.expr, cond.negated) for cond in query.where if isinstance(cond, Truth)}
    return any((expr, not negated) in marks for expr, negated in marks)


def _joins_doubtfully(query: Query, catalog: Catalog) -> bool:
    """Checks whether two tables of a query are joined by one of several keys."""
    used = {query.table, *_tables_of(query)}
    keys = {
        (j.left_table, j.left_column, j.right_table) for j in catalog.joins if {j.left_table, j.right_table} <= used
    }
    pairs = [(left, right) for left, _, right in keys]
    return len(set(pairs)) < len(pairs)


def _find_unplaced(tagger: Tagger, reading: Reading, query: Query) -> str | None:
    """Returns a count or sum of a table that the question does not name, if other tables have the same.

    None: no such measure.
    """
    own = tagger.index.table_words[query.table]
    named = any(stem(word) in own for item in reading.items for word in item.text.lower().split())
    termed = any(item.kind == "term" for item in reading.items)
    if named or termed or query.group or reading.share or len(tagger.index.catalog.tables) < 2:
        return None
    for output in query.outputs:
        match output.expr:
            case Agg(function="count", arg=None) if reading.entity is None and reading.head is None:
                return "number of rows"
            case Agg(function="sum" | "avg", arg=Col(table=table, name=name)):
                words = set(tagger.index.column(table, name).every)
                if any(
                    m.kind == "column"
                    and m.table != table
                    and words & set(tagger.index.column(m.table, m.column).every)
                    for other in tagger.tables()
                    for m in tagger.mentions_of(other)
                    if m.score >= 0.9
                ):
                    return name
    return None


def _query(reading: Reading, items: Sequence[Item]) -> Query:
    at = ratio_at(items)
    if at is not None:
        return build_ratio(reading, items, at)
    reading.run()
    if reading.growth:
        return build_growth(reading)
    return build_share(reading) if reading.share is not None else build(reading)


def _cost(tagger: Tagger, reading: Reading, query: Query) -> float:
    """Computes the cost of a reading. Unknown words cost most.

    Joined tables, loose matches, and a main table that the question does not name cost less.
    """
    cost = 10.0 * len(reading.unknown)
    used = [m for item in reading.items for m in item.mentions[:1]]
    cost += sum(1 - min(m.score, 1.0) for m in used)
    steps = list(paths(query.table, _tables_of(query), tagger.index.catalog))
    cost += 0.6 * len(steps)
    if any(join.left_table == joined for join, joined in steps) and not query.aggregated:
        # Queries with repeated rows are rarely right.
        cost += 1.5
    if not any(m.kind == "table" and m.table == query.table for m in used):
        cost += 0.8
    cost += 0.4 * len(reading.foreign) + 1.0 * reading.loose
    cost += 0.6 * sum(1 for item in reading.items if item.kind == "other")
    if reading.entity is None and not reading.groups:
        # `the population of Idaho` asks a table whose rows have such names.
        display = tagger.index.display(query.table)
        named = [m for item in reading.items if item.kind == "value" for m in item.mentions if m.table == query.table]
        if named and not any(m.column == display for m in named):
            cost += 0.5
        first = next((item for item in reading.items if item.kind == "value"), None)
        if first is not None and not any((m.table, m.column) == (query.table, display) for m in first.mentions):
            cost += 0.3
        cost += 0.0005 * min(len(tagger.index.column(query.table, display).column.values), 500) if display else 0
    return cost


def _tables_of(query: Query) -> list[str]:
    from atlas.language.offline.questions.to_sql import _tables

    return _tables(query)


def _not_understood(question: Question, attempts: Sequence[Attempt], found: Sequence[Token] = ()) -> QuestionPlan:
    best = min(attempts, key=lambda a: (len(a.reading.unknown), a.cost), default=None)
    if best is None:
        # No word names a table, so all words outside the grammar are unknown.
        words = tuple(dict.fromkeys(t.text for t in found if t.kind == "word" and not _is_known(t)))
    else:
        words = tuple(dict.fromkeys(best.reading.unknown))
    reason = best.reason if best and best.reason else ""
    if words:
        told = ", ".join(f'"{word}"' for word in words)
        text = f"I don't understand {told}."
    elif best is not None and best.query is not None:
        text = f"I am not sure. Do you mean: {explain(best.query)}"
    else:
        text = reason or "I don't see which table or column this is about."
    return QuestionPlan(question=text, not_understood=words, suggestions=suggestions(question.catalog, question.table))


def _is_known(token: Token) -> bool:
    return token.lower in FILLERS or (token.lower,) in PHRASES or token.stem in LINKING


def suggestions(catalog: Catalog, table: str | None) -> tuple[str, ...]:
    """Suggests up to 4 questions that the engine can answer."""
    index = index_of(catalog)
    found: list[str] = []
    for known in catalog.tables:
        if table is not None and known.name != table:
            continue
        found += _suggest(index, known.name)
        if len(found) >= 4:
            break
    return tuple(found[:4])


def _suggest(index: Index, table: str) -> list[str]:
    name = table.replace("_", " ")
    found = [f"How many {name} are there?" if countable(table) else f"How many rows are there in {name}?"]
    groups = [
        c.column
        for c in index.columns[table]
        if c.column.type == "text" and c.column.complete and len(c.column.values) <= 50
    ]
    numbers = [c.column for c in index.columns[table] if c.column.type in ("numeric", "double")]
    if groups:
        what = name if countable(table) else f"rows of {name}"
        found.append(f"How many {what} are there per {groups[0].name.replace('_', ' ')}?")
    if groups and numbers:
        found.append(f"What is the average {numbers[0].name.replace('_', ' ')} by {groups[0].name.replace('_', ' ')}?")
    return found
