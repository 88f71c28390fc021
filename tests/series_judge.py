"""Judges answers by their rows: each column of the right query must be among the answer's, with the same rows."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import psycopg

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.planner import plan_question
from atlas.language.question import Question, QuestionPlan, Turn
from atlas.sqlgate.gate import check_query
from tests.series_data import TODAY
from tests.series_questions import Case


def answer(case: Case, catalog: Catalog) -> QuestionPlan:
    """Asks the question after those before it."""
    turns: tuple[Turn, ...] = ()
    for text in case.before:
        plan = plan_question(Question(text=text, catalog=catalog, turns=turns, today=TODAY))
        assert plan.sql, f"{text}: {plan.question}"
        turns = (*turns, Turn(text, plan.sql, plan.state))
    return plan_question(Question(text=case.question, catalog=catalog, turns=turns, today=TODAY))


def judge(connection: psycopg.Connection, case: Case, catalog: Catalog) -> tuple[str, str]:
    """(right, wrong or refused, the SQL or the reason)."""
    plan = answer(case, catalog)
    if plan.sql is None:
        return "right" if not case.gold else "refused", plan.question or ""
    if not case.gold:
        return "wrong", plan.sql
    given = connection.execute(check_query(plan.sql, catalog).physical.encode()).fetchall()
    # Relations of the gold queries are found by the search path.
    gold = connection.execute(case.gold.encode()).fetchall()
    return ("right" if same(gold, given) else "wrong"), plan.sql


def same(gold: Sequence[Sequence[object]], given: Sequence[Sequence[object]]) -> bool:
    """Whether some columns of the answer have the rows of the right query, in any order."""
    if len(gold) != len(given):
        return False
    if not gold:
        return True
    ours, theirs = list(zip(*map(_cells, gold), strict=True)), list(zip(*map(_cells, given), strict=True))
    choices = [[n for n, column in enumerate(theirs) if Counter(column) == Counter(wanted)] for wanted in ours]
    rows = Counter(zip(*ours, strict=True))
    tries = itertools.islice(itertools.product(*choices), 200)
    return any(rows == Counter(zip(*(theirs[n] for n in chosen), strict=True)) for chosen in tries)


def _cells(row: Sequence[object]) -> tuple[object, ...]:
    return tuple(map(_cell, row))


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float | Decimal):
        return float(f"{float(value):.9g}")
    return value
