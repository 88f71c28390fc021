"""Execution accuracy of the language engines on public question sets.

    python dev.py run python bench/questions.py SQL_EVAL/data DEFOG_DATA/defog_data GEOGRAPHY [--half test]

GEOGRAPHY: a folder with geography.json and geography.sqlite of text2sql-data. The engine was tuned on the dev
half only.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import question_sets as sets

from atlas.core.catalog import Catalog
from atlas.errors import AtlasError
from atlas.language.offline.questions.engine import plan_question
from atlas.language.plan import Question
from atlas.store.embedded import EmbeddedPostgres

CONFIDENT = 0.5


def judge(case: sets.Case, urls: dict[str, str], catalog: Catalog) -> tuple[str, str, float]:
    """(verdict, SQL or reason, seconds): equal, more, wrong, refused or failed."""
    started = time.perf_counter()
    plan = plan_question(Question(text=case.question, catalog=catalog, terms=case.terms))
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


def table(results: Sequence[tuple[sets.Case, str]]) -> None:
    """Prints verdicts by set."""
    groups: dict[str, Counter[str]] = {}
    for case, verdict in results:
        size = "must be refused" if not case.gold else "one table" if case.tables == 1 else "several tables"
        groups.setdefault(f"{case.set}, {size}", Counter())[verdict] += 1
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
    options = parser.parse_args()
    cases = [*sets.sql_eval(options.sql_eval), *sets.geography(options.geography)]
    cases = [c for c in cases if c.half == options.half and c.set.startswith(options.only)]
    if options.single:
        cases = [c for c in cases if c.tables < 2]
    with server(options.url) as url:
        urls = sets.load(url, options.databases, options.geography / "geography.sqlite")
        catalogs = {name: sets.catalog_of(urls[name]) for name in {case.database for case in cases}}
        results, times = [], []
        for case in cases:
            try:
                verdict, text, took = judge(case, urls, catalogs[case.database])
            except (AtlasError, sets.sqlite3.Error, psycopg.Error) as error:
                verdict, text, took = "skipped", str(error), 0.0
            results.append((case, verdict))
            times.append(took)
            if verdict in options.show.split(","):
                print(f"[{verdict}] {case.database} ({case.tables}): {case.question}")
                print(f"     got: {text}\n    gold: {case.gold[:1]}")
        table(results)
        times.sort()
        median, late = 1000 * statistics.median(times), 1000 * times[int(0.95 * len(times))]
        print(f"planning: median {median:.1f} ms, p95 {late:.1f} ms")


if __name__ == "__main__":
    main()
