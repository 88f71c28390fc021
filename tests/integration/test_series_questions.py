"""Questions on time series, judged by the rows of their answers."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from tests.conftest import with_database
from tests.series_data import COLUMNS, SCHEMA, catalog_of, load
from tests.series_judge import judge
from tests.series_questions import FOLLOW_UPS, FURTHER, OF_TABLES, QUESTIONS, REFUSED, Case

CATALOGS = {name: catalog_of(name) for name in COLUMNS}


@pytest.fixture(scope="module")
def series(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A database with the datasets."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE series_questions")
    with psycopg.connect(with_database(postgres_url, "series_questions"), autocommit=True) as connection:
        connection.execute("SET timezone TO 'UTC'")
        load(connection)
        connection.execute(f"SET search_path TO {SCHEMA}".encode())
        yield connection


def told(case: Case) -> str:
    return " / ".join((*case.before, case.question))


@pytest.mark.parametrize("case", [*QUESTIONS, *FOLLOW_UPS, *OF_TABLES, *FURTHER, *REFUSED], ids=told)
def test_answers_have_the_right_rows(series: psycopg.Connection, case: Case) -> None:
    verdict, sql = judge(series, case, CATALOGS[case.table])
    assert verdict == "right", sql
