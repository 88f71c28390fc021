"""The gate for SQL from outside: PostgreSQL finds the same in what is written as in what came."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import with_database
from tests.good_sql import GOOD
from tests.sql_catalog import CATALOG

from atlas.db.allowed_functions import ALLOWED_FUNCTIONS
from atlas.errors import BadRequestError
from atlas.sqlgate import costs
from atlas.sqlgate.gate import check_query
from atlas.sqlgate.physical_names import TOO_LONG_TEXT


@pytest.fixture(scope="module")
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with the catalog's relations in `org_1`, and views of the users' names in `public`."""
    name = f"atlas_gate_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    with psycopg.connect(with_database(postgres_url, name), autocommit=True) as connected:
        connected.execute("""
            CREATE SCHEMA org_1;
            CREATE TABLE org_1._table_1 (_row_id bigserial, secret text DEFAULT 'x', id bigint, name text, email text,
                state text, amount numeric, created_at timestamptz);
            CREATE TABLE org_1._table_2 (_row_id bigserial, id bigint, lead_id bigint, total numeric, "Größe" text,
                "order" int);
            CREATE TABLE org_1.dataset_7 (_seq bigserial, ts timestamptz, c1 double precision, c2 text);
            INSERT INTO org_1._table_1 (id, name, email, state, amount, created_at)
                SELECT n, (ARRAY['Ann', 'bob', 'Cy', 'a_b', NULL, ' Eve '])[1 + n % 6], 'p' || n || '@example.com',
                    (ARRAY['CA', 'NY', 'TX'])[1 + n % 3], NULLIF(n * 7.5 - 5, 40), '2024-01-15'::timestamptz
                    + n * interval '9 days' FROM generate_series(1, 14) AS n;
            INSERT INTO org_1._table_2 (id, lead_id, total, "Größe", "order")
                SELECT n, n % 5 + 1, n * 3.25, 'g' || n, 20 - n FROM generate_series(9, 18) AS n;
            INSERT INTO org_1.dataset_7 (ts, c1, c2) VALUES ('2024-01-01', 1.5, 'a'), ('2024-01-02', 2.5, 'b'),
                ('2024-01-03', 0.5, 'a');
            CREATE SCHEMA users;
            CREATE VIEW users.leads AS SELECT id, name, email, state, amount, created_at FROM org_1._table_1;
            CREATE VIEW users.orders AS SELECT id, lead_id, total, "Größe", "order" FROM org_1._table_2;
            SET TIME ZONE 'UTC';
            SET search_path = users
        """)
        yield connected
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.mark.parametrize("text", [text for text, _ in GOOD if "prices" not in text])
def test_postgresql_reads_what_is_written_as_what_came(connection: psycopg.Connection[Any], text: str) -> None:
    checked = check_query(text, CATALOG)
    results = []
    for sql in (text, checked.logical, checked.physical):
        cursor = connection.execute(sql)
        assert cursor.description is not None
        rows = cursor.fetchall()
        results.append(([item.name for item in cursor.description], rows if checked.ordered else sorted(rows, key=str)))
    assert results[0] == results[1] == results[2]


def test_postgresql_reads_a_dataset_by_its_stored_names(connection: psycopg.Connection[Any]) -> None:
    for text, _ in GOOD:
        if "prices" in text:
            assert connection.execute(check_query(text, CATALOG).physical).fetchall()  # type: ignore[call-overload]


def test_every_function_on_the_list_is_postgresqls(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute("SELECT DISTINCT proname FROM pg_proc WHERE proname = ANY(%s)", [list(ALLOWED_FUNCTIONS)])
    assert {name for (name,) in rows} == ALLOWED_FUNCTIONS


def test_no_function_on_the_list_is_of_several_rows_or_of_the_server(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute(
        "SELECT proname FROM pg_proc WHERE proname = ANY(%s) AND (proretset OR provolatile = 'v')",
        [list(ALLOWED_FUNCTIONS)],
    )
    assert rows.fetchall() == []


def test_a_backslash_means_itself_whatever_the_server_is_set_to(connection: psycopg.Connection[Any]) -> None:
    physical = check_query(r"SELECT 'a\' || '''; DROP' AS x", CATALOG).physical
    for setting in ("on", "off"):
        connection.execute(f"SET standard_conforming_strings = {setting}")  # type: ignore[call-overload]
        assert connection.execute(physical).fetchone() == ("a\\'; DROP",)  # type: ignore[call-overload]
    connection.execute("RESET standard_conforming_strings")


# Of types that fit, and with few parentheses, so that it matters what binds how tightly.
numbers = st.recursive(
    st.sampled_from(["id", "amount", "1", "2.5", "'7'::int", "length(name)", "extract(day FROM created_at)"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+ - * / %".split()), inner).map(" ".join),
        st.one_of(inner.map("({})".format), inner.map("-{}".format), inner.map("{}::numeric".format)),
        inner.map("coalesce({}, 0)".format),
    ),
    max_leaves=6,
)
texts = st.one_of(
    st.sampled_from(["name", "state", "'a'"]), numbers.map("{} || ''".format), numbers.map("'' || {}".format)
)
truths = st.recursive(
    st.one_of(
        st.tuples(numbers, st.sampled_from("= <> < >= IS~DISTINCT~FROM".split()), numbers).map(" ".join),
        st.tuples(texts, st.sampled_from("= LIKE NOT~ILIKE || <".split()), texts).map(" ".join),
        st.tuples(numbers, numbers, numbers).map("{0[0]} NOT BETWEEN {0[1]} AND {0[2]}".format),
        st.tuples(numbers, numbers).map("{0[0]} IN ({0[1]}, 3)".format),
        st.one_of(texts, numbers).map("{} IS NOT NULL".format),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR", "=", "IS DISTINCT FROM"]), inner).map(" ".join),
        st.one_of(inner.map("NOT {}".format), inner.map("({})".format), inner.map("{} IS TRUE".format)),
    ),
    max_leaves=5,
).map(lambda text: text.replace("~", " "))


def outcome(connection: psycopg.Connection[Any], sql: str) -> list[tuple[Any, ...]] | None:
    """Rows of a query; None where PostgreSQL finds it wrong."""
    try:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload]
    except psycopg.Error:
        return None


@settings(max_examples=300, deadline=None)
@given(st.one_of(numbers, texts, truths), truths)
def test_postgresql_finds_the_same_in_an_expression(
    connection: psycopg.Connection[Any], first: str, second: str
) -> None:
    text = f"SELECT {first} AS x FROM leads WHERE {second} OR id < 3 ORDER BY id, 1 LIMIT 5"
    try:
        physical = check_query(text, CATALOG).physical
    except BadRequestError:
        return
    told = outcome(connection, text)
    # The gate also takes chains such as `a IS NULL IS TRUE`, which PostgreSQL wants parentheses in.
    if told is not None:
        assert outcome(connection, physical) == told


def _chain(depth: int, step: str) -> str:
    steps = ", ".join(f"c{n} AS (SELECT id, {step} AS v FROM c{n - 1})" for n in range(1, depth + 1))
    return f"WITH c0 AS (SELECT id, amount AS v FROM leads), {steps} SELECT id, v FROM c{depth} WHERE v > 0 ORDER BY id"


def _nested(depth: int, step: str) -> str:
    inner = "SELECT id, amount AS v FROM leads"
    for _ in range(depth):
        inner = f"SELECT id, {step} AS v FROM ({inner}) AS q"
    return f"SELECT id, v FROM ({inner}) AS q WHERE v > 0 ORDER BY id"


@pytest.mark.parametrize("write", [_chain, _nested])
@pytest.mark.parametrize("step", ["v + v", "v * v / (v + 1)", "CASE WHEN v > 10 THEN v - 1 ELSE v END"])
def test_barriers_change_no_answer(
    connection: psycopg.Connection[Any], write: Callable[[int, str], str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write(5, step)
    plain = check_query(text, CATALOG).physical
    assert "MATERIALIZED" not in plain
    assert "OFFSET" not in plain
    monkeypatch.setattr(costs, "MAX_NODES", (100, 100_000))
    barred = check_query(text, CATALOG).physical
    assert barred != plain
    assert connection.execute(barred).fetchall() == connection.execute(plain).fetchall() != []  # type: ignore[call-overload]


def test_guards_change_no_answer_but_of_long_texts(connection: psycopg.Connection[Any]) -> None:
    text = (
        "SELECT id, strpos(email, name), email LIKE '%' || name || '%', replace(email, name, 'x') FROM leads ORDER BY 1"
    )
    guarded = check_query(text, CATALOG).physical
    assert "WHEN OCTET_LENGTH(" in guarded
    assert connection.execute(guarded).fetchall() == connection.execute(text).fetchall()  # type: ignore[call-overload]
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match=re.escape(TOO_LONG_TEXT)):
        connection.execute(
            check_query("SELECT strpos(email, replace(name, 'n', '" + "n" * 600 + "')) FROM leads", CATALOG).physical
        )  # type: ignore[call-overload]
