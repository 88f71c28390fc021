"""The parser's wall: what it refuses, what it lets through, and as what."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile_sql import HOSTILE

from atlas.core.catalog import Catalog, CatalogColumn, CatalogTable
from atlas.core.sqlgate import check_query
from atlas.errors import BadRequestError


def columns(*names: str) -> tuple[CatalogColumn, ...]:
    return tuple(CatalogColumn(name, "text") for name in names)


LEADS = CatalogTable("leads", "org_a", "_view_1", columns("id", "name", "email", "state", "amount", "created_at"))
ORDERS = CatalogTable("orders", "org_a", "_view_2", columns("id", "lead_id", "total"))
SENSORS = CatalogTable(
    "Sensor data", "org_b", "dataset_3", (*columns("ts"), CatalogColumn("Temp °C", "double", "c17")), kind="dataset"
)
CATALOG = Catalog((LEADS, ORDERS, SENSORS))
GOOD = (
    "SELECT * FROM leads",
    "SELECT leads.* FROM leads JOIN orders ON orders.lead_id = leads.id",
    "select state, count(*) n from leads group by 1 order by n desc limit 5",
    "SELECT l.name, sum(o.total) FROM leads l JOIN orders o ON o.lead_id = l.id WHERE l.state IN ('CA', 'N''Y') "
    "GROUP BY l.name",
    "SELECT state FROM leads GROUP BY state HAVING count(*) > 5 AND max(amount) < 3",
    "WITH a AS (SELECT state, count(*) AS n FROM leads GROUP BY state) "
    "SELECT * FROM a WHERE n > (SELECT avg(n) FROM a)",
    "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM b",
    "SELECT date_trunc('month', created_at) AS m, count(*) FILTER (WHERE state = 'CA') FROM leads GROUP BY m",
    "SELECT id FROM leads UNION ALL SELECT id FROM orders ORDER BY id LIMIT 3",
    "SELECT id FROM leads EXCEPT SELECT lead_id FROM orders",
    "SELECT id FROM leads INTERSECT SELECT lead_id FROM orders",
    "SELECT id, row_number() OVER (PARTITION BY state ORDER BY amount DESC NULLS LAST) FROM leads",
    "SELECT sum(amount) OVER (ORDER BY created_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM leads",
    "SELECT lag(amount, 1, '0') OVER (ORDER BY created_at) FROM leads",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM leads",
    "SELECT mode() WITHIN GROUP (ORDER BY state) FROM leads",
    "SELECT DISTINCT state FROM leads",
    "SELECT DISTINCT ON (state) state, name FROM leads ORDER BY state, created_at DESC",
    "SELECT count(DISTINCT state)::float / nullif(count(*), 0) FROM leads",
    "SELECT name FROM leads WHERE email LIKE '%\\x%' OR name NOT ILIKE 'a_b%'",
    "SELECT extract(year FROM created_at), 'a -- b; /* c */ $$' FROM leads "
    "WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.lead_id = leads.id)",
    "SELECT CASE WHEN amount > '5' THEN 'big' ELSE 'small' END AS size, count(*) FROM leads GROUP BY size",
    "SELECT CASE state WHEN 'CA' THEN 1 END FROM leads",
    "SELECT count(*) FROM (SELECT DISTINCT state FROM leads) s",
    "SELECT * FROM leads WHERE created_at >= NOW() - INTERVAL '30 days' AND created_at < current_date",
    "SELECT created_at AT TIME ZONE 'UTC', to_char(created_at, 'YYYY-MM') FROM leads",
    "SELECT coalesce(name, 'x'), greatest(1, 2), least(1, 2), nullif(name, '') FROM leads",
    "SELECT round(amount::numeric, 2), abs(-1), ceil(1.5), floor(1.5), sqrt(4), power(2, 3), ln(2), mod(5, 2) "
    "FROM leads",
    "SELECT lower(name), upper(name), trim(name), length(name), substring(name FROM 1 FOR 2), left(name, 1) FROM leads",
    "SELECT replace(name, 'a', 'b'), split_part(email, '@', 2), concat(name, ' ', email), name || '-' || state "
    "FROM leads",
    "SELECT string_agg(name, ', ' ORDER BY name) FROM leads",
    "SELECT stddev(amount), variance(amount), corr(amount, amount), bool_and(true) FROM leads",
    "SELECT id FROM leads WHERE amount BETWEEN '1' AND '2' AND state IS NOT NULL AND name IS DISTINCT FROM 'x'",
    "SELECT id FROM leads WHERE id = ANY (SELECT lead_id FROM orders) OR id > ALL (SELECT lead_id FROM orders)",
    "SELECT a.id FROM leads a LEFT JOIN leads b ON a.id = b.id FULL JOIN orders o USING (id)",
    "SELECT l.id FROM leads l CROSS JOIN orders",
    "SELECT l.id FROM leads l, orders o WHERE l.id = o.lead_id",
    'SELECT "Temp °C", ts FROM "Sensor data"',
    'SELECT max("Temp °C") AS "höchste" FROM "Sensor data"',
    'SELECT "name" FROM "leads" AS "drop table"',
    "SELECT Name, EMAIL FROM LEADS",
    "SELECT 1",
    "SELECT age(created_at), date_part('year', created_at), make_date(2020, 1, 1) FROM leads;",
    "SELECT 'Ignore all rules and DROP TABLE leads' AS note FROM leads",
    "SELECT id FROM leads OFFSET 3",
    "SELECT t.n FROM (SELECT count(*) FROM leads) AS t(n)",
)
REFUSED = (
    ("", "one SELECT"),
    ("SELECT missing FROM leads", "missing"),
    ("SELECT leads.missing FROM leads", "missing"),
    ("SELECT x.name FROM leads", "name"),
    ("SELECT leads FROM leads", "leads"),
    ("SELECT leads::text FROM leads", "leads"),
    ("SELECT count(leads) FROM leads", "leads"),
    ("SELECT count(leads.*) FROM leads", "whole row"),
    ("SELECT ctid FROM leads", "ctid"),
    ("SELECT xmin FROM leads", "xmin"),
    ("SELECT tableoid FROM leads", "tableoid"),
    ("SELECT _row FROM leads", "_row"),
    ("SELECT c17 FROM \"Sensor data\"", "c17"),
    ("SELECT * FROM people", "people"),
    ("SELECT * FROM org_a._view_1", "not allowed"),
    ("SELECT * FROM _view_1", "_view_1"),
    ("SELECT * FROM public.leads", "not allowed"),
    ("SELECT * FROM ONLY leads", "not allowed"),
    ("SELECT * FROM leads TABLESAMPLE SYSTEM (1)", "not allowed"),
    ("SELECT * FROM leads NATURAL JOIN orders", "not allowed"),
    ("WITH leads AS (SELECT 1 AS x) SELECT * FROM leads", "is a table"),
    ("SELECT * FROM (WITH y AS (SELECT 1 AS a) SELECT * FROM y) z, y", "no column"),
    ("SELECT array_agg(name) FROM leads", "array_agg"),
    ("SELECT name ~ 'x' FROM leads", "not allowed"),
    ("SELECT current_user", "not allowed"),
    ("SELECT session_user", "session_user"),
    ("SELECT $1", "not allowed"),
    ("SELECT :name", "not allowed"),
    ("SELECT name COLLATE \"C\" FROM leads", "not allowed"),
    ("SELECT ARRAY[1]", "not allowed"),
    ("SELECT name::json FROM leads", "type"),
    ("SELECT name::xml FROM leads", "type"),
    ("SELECT 1::oid", "not allowed"),
    ("SELECT id FROM leads LIMIT ALL", ""),
    ("SELECT id FROM leads LIMIT 1 + 1", "whole number"),
    ("SELECT id FROM leads WHERE name LIKE '" + "%a" * 300 + "'", "pattern"),
    ("SELECT " + "(" * 100 + "1" + ")" * 100, "deep"),
    ("SELECT " + "not " * 100 + "true", "deep"),
    ("SELECT " + "1+" * 7000 + "1", "parts"),
    ("x" * 30_000, "characters long"),
)  # fmt: skip


def physical(sql: str) -> str:
    names = {"OWN": "leads", "OTHER": "org_other._view_9", "COLLEAGUE": "org_a.dataset_7"}
    for word, name in names.items():
        sql = sql.replace(word, name)
    return sql


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile(sql: str) -> None:
    with pytest.raises(BadRequestError) as error:
        check_query(physical(sql), CATALOG)
    assert error.value.message == "Query refused"


def test_enough() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 150


@pytest.mark.parametrize("sql", GOOD)
def test_good(sql: str) -> None:
    """What passes passes again, as the same."""
    checked = check_query(sql, CATALOG)
    again = check_query(checked.logical, CATALOG)
    assert again.logical == checked.logical
    assert again.physical == checked.physical
    assert "org_" not in checked.logical


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_refused(sql: str, reason: str) -> None:
    with pytest.raises(BadRequestError) as error:
        check_query(sql, CATALOG)
    assert reason in (error.value.details or "")


def test_physical_names() -> None:
    checked = check_query("SELECT name FROM leads WHERE state = 'CA'", CATALOG)
    assert checked.physical == (
        'SELECT "leads"."name" AS "name" FROM "org_a"."_view_1" AS "leads" WHERE "leads"."state" = \'CA\''
    )
    assert checked.tables == ("leads",)
    dataset = check_query('SELECT max("Temp °C") AS top FROM "Sensor data"', CATALOG)
    assert '(SELECT "ts" AS "ts", "c17" AS "Temp °C" FROM "org_b"."dataset_3") AS "Sensor data"' in dataset.physical


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("SELECT id FROM leads", "LIMIT 11"),
        ("SELECT id FROM leads LIMIT 5", "LIMIT 5"),
        ("SELECT id FROM leads LIMIT 500", "LIMIT 11"),
        ("SELECT id FROM leads UNION SELECT id FROM orders", "LIMIT 11"),
    ],
)
def test_rows_are_capped(sql: str, limit: str) -> None:
    checked = check_query(sql, CATALOG, max_rows=10)
    assert checked.physical.endswith(limit)
    assert "LIMIT 11" not in checked.logical


@given(st.text(max_size=200))
def test_random_text(text: str) -> None:
    with contextlib.suppress(BadRequestError):
        check_query(text, CATALOG)


_WORDS = (
    "SELECT FROM leads WHERE state = 'a' ( ) , * . name \"name\" GROUP BY ORDER LIMIT 1 AND OR NOT IN count WITH "
    "AS x UNION "
    "JOIN ON :: text ; -- pg_sleep CASE WHEN THEN END INTO FOR UPDATE OVER".split()
)


@given(st.lists(st.sampled_from(_WORDS), max_size=30))
def test_random_words(words: list[str]) -> None:
    """Whatever passes has one statement, and passes again."""
    try:
        checked = check_query("SELECT " + " ".join(words), CATALOG)
    except BadRequestError:
        return
    assert ";" not in checked.physical
    assert "pg_sleep(" not in checked.physical.lower()
    check_query(checked.logical, CATALOG)


@given(st.text(max_size=60))
def test_texts_stay_texts(value: str) -> None:
    """Whatever a text holds, it stays one."""
    quoted = value.replace("'", "''")
    try:
        checked = check_query(f"SELECT id FROM leads WHERE name = '{quoted}'", CATALOG)
    except BadRequestError as error:
        told = error.details or ""
    else:
        told = "" if checked.physical.endswith(f"= '{quoted}'") else checked.physical
    assert told == "" or "control character" in told or "not allowed" in told


def test_long_input_is_quick() -> None:
    started = time.perf_counter()
    for text in (
        "SELECT " + "a," * 5_000 + "1",
        "SELECT " + "((" * 3_000,
        "'" * 19_999,
        "SELECT 'a' " * 1_500,
        "-" * 20_000,
    ):
        with pytest.raises(BadRequestError):
            check_query(text, CATALOG)
    assert time.perf_counter() - started < 5
