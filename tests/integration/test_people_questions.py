"""Questions of different people are answered with the rows of their own SQL, or refused, and never wrongly."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from tests.conftest import with_database

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.planner import plan_question
from atlas.language.question import Question, Turn
from atlas.sqlgate.gate import check_query

TODAY = "2026-11-30"
# The least number of right answers of a kind.
LEAST = {"single": 49, "several": 9, "series": 9, "follow-up": 8, "German": 5, "French": 5, "Spanish": 4, "refuse": 13}


@pytest.fixture(scope="module")
def sets() -> Iterator[ModuleType]:
    folder = str(Path(__file__).parents[2] / "bench")
    sys.path.insert(0, folder)
    import question_sets

    yield question_sets
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def catalogs(sets: ModuleType, postgres_url: str) -> dict[str, tuple[str, Catalog]]:
    """The URL and the catalog of each database, which holds a schema's tables in `public`."""
    found = {}
    for name, script in sets.people_questions.DATABASES.items():
        url = with_database(postgres_url, f"people_{name}")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE people_{name}".encode())
        with psycopg.connect(url) as connection:
            connection.execute(script.encode())
        found[name] = url, sets.catalog_of(url)
    return found


def test_no_answer_is_wrong(sets: ModuleType, catalogs: dict[str, tuple[str, Catalog]]) -> None:
    right: Counter[str] = Counter()
    wrong = []
    for asked in sets.people_questions.halves()[0]:
        url, catalog = catalogs[asked.database]
        turns: tuple[Turn, ...] = ()
        for text in asked.before:
            plan = plan_question(Question(text=text, catalog=catalog, turns=turns, today=TODAY))
            turns = (*turns, Turn(text, plan.sql or "", plan.state))
        plan = plan_question(Question(text=asked.question, catalog=catalog, turns=turns, today=TODAY))
        if plan.sql is None:
            right[asked.kind] += not asked.gold
            continue
        check_query(plan.sql, catalog)
        given = sets.rows_of(url, plan.sql)
        if any(sets.matches(sets.rows_of(url, gold), given) for gold in asked.gold):
            right[asked.kind] += 1
        else:
            wrong.append((asked.question, plan.sql))
    assert not wrong
    assert {kind: right[kind] for kind in LEAST if right[kind] < LEAST[kind]} == {}
