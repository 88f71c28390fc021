"""Execution accuracy of the language engines on public question sets.

    python dev.py run python bench/questions.py SQL_EVAL/data DEFOG_DATA/defog_data GEOGRAPHY [--half test]

GEOGRAPHY: a folder with geography.json and geography.sqlite of text2sql-data. The engine was tuned on the dev
half only.

Figures: `bench/record.py questions` adds them to `bench/results/questions.csv`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx2
import psycopg
import question_sets as sets

from atlas.catalog.model import Catalog
from atlas.db.embedded import EmbeddedPostgres
from atlas.errors import AtlasError
from atlas.language.llm.engine import ModelEngine, ModelSettings
from atlas.language.offline.questions.planner import plan_question
from atlas.language.question import Question, QuestionPlan
from atlas.sqlgate.gate import check_query

CONFIDENT = 0.5


Planner = Callable[[Question, str], QuestionPlan]


def offline(question: Question, url: str) -> QuestionPlan:
    """The plan of the offline engine."""
    return plan_question(question)


def by_model(options: argparse.Namespace) -> Planner:
    """Plans of a model provider: the engine that the server uses, with its check of SQL and its repairs."""
    settings = ModelSettings("openai", options.model, options.base_url, options.api_key, True, 60.0)

    def plan(question: Question, url: str) -> QuestionPlan:
        async def check(sql: str) -> str | None:
            try:
                physical = check_query(sql, question.catalog).physical
                await asyncio.to_thread(sets.rows_of, url, f"EXPLAIN {physical}")
            except (AtlasError, psycopg.Error) as error:
                return str(getattr(error, "details", None) or error)[:300]
            return None

        async def ask() -> QuestionPlan:
            async with httpx2.AsyncClient(timeout=60) as client:
                return await ModelEngine(settings, client).plan(question, check)

        return asyncio.run(ask())

    return plan


def judge(case: sets.Case, urls: dict[str, str], catalog: Catalog, planner: Planner) -> tuple[str, str, float]:
    """(verdict, SQL or reason, seconds): equal, more, wrong, refused or failed."""
    started = time.perf_counter()
    question = Question(text=case.question, catalog=catalog, terms=case.terms)
    plan = planner(question, urls[case.database])
    took = time.perf_counter() - started
    if plan.sql is None:
        return "refused", plan.question or "", took
    if not case.gold:
        return "wrong", plan.sql, took
    try:
        given = sets.rows_of(urls[case.database], plan.sql)
    except psycopg.Error as error:
        return "failed", f"{plan.sql} -- {error}", took
    for query in case.gold:
        gold = sets.lite_rows(case.lite, query) if case.lite else sets.rows_of(urls[case.database], query)
        found = sets.matches(gold, given)
        if found:
            return found, plan.sql, took
    return "wrong", plan.sql, took


@contextlib.contextmanager
def server(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="atlas-questions-") as name:
        Path(name).chmod(0o755)
        with EmbeddedPostgres(Path(name)).serve() as made:
            yield made


def set_of(case: sets.Case) -> str:
    size = "must be refused" if not case.gold else "one table" if case.tables == 1 else "several tables"
    return f"{case.set}, {size}"


def kind_of(case: sets.Case) -> str:
    """What makes a question hard, told from its gold query."""
    query = case.gold[0].upper() if case.gold else ""
    if not query:
        return "must be refused"
    if query.count("SELECT") > 2 or (query.count("SELECT") > 1 and case.tables > 1):
        return "query within a query"
    if case.tables > 1:
        return "join"
    if "DATE_" in query or "INTERVAL" in query or "TO_DATE" in query or "CURRENT_DATE" in query:
        return "date arithmetic"
    if " / " in query:
        return "ratio"
    if "GROUP BY" in query:
        return "groups"
    if "ORDER BY" in query or query.count("SELECT") > 1:
        return "superlative or order"
    return "filter, count or lookup"


def table(results: Sequence[tuple[sets.Case, str]], by: Callable[[sets.Case], str]) -> None:
    """Prints verdicts by group."""
    groups: dict[str, Counter[str]] = {}
    for case, verdict in sorted(results, key=lambda result: by(result[0])):
        groups.setdefault(by(case), Counter())[verdict] += 1
    print(f"{'set':34}{'n':>5}{'right':>8}{'equal':>8}{'refused':>9}{'wrong':>8}{'failed':>8}")
    for name, counts in groups.items():
        n = counts.total()
        right = counts["equal"] + counts["more"]
        shown = (right, counts["equal"], counts["refused"], counts["wrong"])
        cells = [f"{100 * value / n:7.1f}%" for value in shown]
        print(f"{name:34}{n:5}{cells[0]}{cells[1]}{cells[2]:>9}{cells[3]}{counts['failed']:8}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sql_eval", type=Path)
    parser.add_argument("databases", type=Path)
    parser.add_argument("geography", type=Path)
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    parser.add_argument("--url", help="a PostgreSQL server to load the databases into; default: a fresh embedded one")
    parser.add_argument("--show", default="", help="verdicts to list, such as wrong,failed,refused")
    parser.add_argument("--only", default="", help="a set, or part of one's name")
    parser.add_argument("--single", action="store_true", help="only questions about one table")
    parser.add_argument("--model", help="ask this model instead of the offline engine, by an OpenAI-compatible server")
    parser.add_argument("--base-url")
    parser.add_argument("--api-key")
    options = parser.parse_args()
    planner = by_model(options) if options.model else offline
    cases = [*sets.sql_eval(options.sql_eval), *sets.geography(options.geography), *sets.analyst(), *sets.people()]
    cases = [c for c in cases if c.half == options.half and c.set.startswith(options.only)]
    if options.single:
        cases = [c for c in cases if c.tables < 2]
    with server(options.url) as url:
        urls = sets.load(url, options.databases, options.geography / "geography.sqlite")
        catalogs = {name: sets.catalog_of(urls[name]) for name in {case.database for case in cases}}
        results, times = [], []
        for case in cases:
            try:
                verdict, text, took = judge(case, urls, catalogs[case.database], planner)
            except (AtlasError, sets.sqlite3.Error, psycopg.Error) as error:
                verdict, text, took = "skipped", str(error), 0.0
            results.append((case, verdict))
            times.append(took)
            if verdict in options.show.split(","):
                print(f"[{verdict}] {case.database} ({case.tables}): {case.question}")
                print(f"     got: {text}\n    gold: {case.gold[:1]}")
        table(results, set_of)
        print()
        table(results, kind_of)
        times.sort()
        median, late = 1000 * statistics.median(times), 1000 * times[int(0.95 * len(times))]
        print(f"planning: median {median:.1f} ms, p95 {late:.1f} ms")


if __name__ == "__main__":
    main()
