"""The gate for SQL from outside: what is written anew, what is refused, and what PostgreSQL makes of it."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp
from tests.good_sql import GOOD
from tests.hostile_sql import HOSTILE
from tests.pace import takes_less
from tests.refused_sql import REFUSED
from tests.sql_catalog import CATALOG

from atlas.errors import BadRequestError
from atlas.sqlgate.gate import CheckedQuery, check_query

LEADS = '"org_1"."_table_1" AS "leads"'
# Text, `physical`.
PHYSICAL = (
    ("SELECT name FROM leads", f'SELECT "leads"."name" AS "name" FROM {LEADS}'),
    ("SELECT count(*) FROM leads", f'SELECT COUNT(*) AS "count" FROM {LEADS}'),
    (
        "SELECT state s, count(*) n FROM leads GROUP BY s ORDER BY n DESC",
        f'SELECT "leads"."state" AS "s", COUNT(*) AS "n" FROM {LEADS} GROUP BY 1 ORDER BY 2 DESC',
    ),
    (
        "SELECT * FROM prices",
        'SELECT "prices"."ts" AS "ts", "prices"."Close Price" AS "Close Price", "prices"."xmin" AS "xmin" '
        'FROM (SELECT "ts" AS "ts", "c1" AS "Close Price", "c2" AS "xmin" FROM "org_1"."dataset_7") AS "prices"',
    ),
    (
        'SELECT "q""x", m.B FROM mixed AS m',
        'SELECT "m"."q""x" AS "q""x", "m"."b" AS "b" FROM (SELECT "a" AS "a", "A" AS "A", "q""x" AS "q""x", '
        '"stored_b" AS "b" FROM "org_1"."_table_4") AS "m"',
    ),
    (
        "SELECT id FROM leads FULL JOIN orders USING (id)",
        f'SELECT COALESCE("leads"."id", "orders"."id") AS "id" FROM {LEADS} FULL JOIN "org_1"."_table_2" AS "orders" '
        'USING ("id")',
    ),
    (
        "WITH t AS (SELECT id FROM leads) SELECT T.ID FROM t WHERE EXISTS (SELECT 1 FROM orders WHERE lead_id = t.id)",
        f'WITH "t" AS (SELECT "leads"."id" AS "id" FROM {LEADS}) SELECT "t"."id" AS "id" FROM "t" AS "t" WHERE EXISTS '
        '(SELECT 1 FROM "org_1"."_table_2" AS "orders" WHERE "orders"."lead_id" = "t"."id")',
    ),
    (
        r"SELECT 'a\' || 'it''s %' FROM leads",
        f"SELECT E'a\\\\' || 'it''s %' FROM {LEADS}",
    ),
    (
        "SELECT substring(name, amount::text) FROM leads",
        f'SELECT SUBSTRING("leads"."name", CAST(CAST("leads"."amount" AS TEXT) AS INT)) AS "substring" FROM {LEADS}',
    ),
)
LIMITS = (
    ("SELECT name FROM leads", 10, "LIMIT 11"),
    ("SELECT name FROM leads LIMIT 5", 10, "LIMIT 5"),
    ("SELECT name FROM leads LIMIT 500 OFFSET 3", 10, "LIMIT 11 OFFSET 3"),
    ("SELECT name FROM leads OFFSET 3", 10, "LIMIT 11 OFFSET 3"),
    ("SELECT name FROM leads UNION SELECT email FROM leads ORDER BY name", 0, "ORDER BY 1 LIMIT 1"),
    ("SELECT name FROM (SELECT name FROM leads LIMIT 500) AS x", 10, 'LIMIT 500) AS "x" LIMIT 11'),
    ("SELECT name FROM leads LIMIT 7", None, "LIMIT 7"),
)


def refusal(text: str) -> str:
    """The details of the refusal of a text."""
    with pytest.raises(BadRequestError) as error:
        check_query(text, CATALOG)
    assert error.value.message == "Query refused"
    assert error.value.details
    return error.value.details


def accepted(text: str) -> CheckedQuery | None:
    """The query that a text is; None where it is refused."""
    try:
        return check_query(text, CATALOG)
    except BadRequestError:
        return None


@pytest.mark.parametrize(("kind", "sql"), HOSTILE)
def test_refuses_what_would_do_harm(kind: str, sql: str) -> None:
    assert kind
    refusal(sql)


@pytest.mark.parametrize(("kind", "sql"), REFUSED)
def test_refuses_what_is_not_on_its_lists(kind: str, sql: str) -> None:
    assert kind
    refusal(sql)


def test_the_corpus_is_large_and_has_no_doubles() -> None:
    texts = [sql for _, sql in HOSTILE + REFUSED]
    assert len(HOSTILE) >= 170
    assert len(set(texts)) == len(texts)
    assert len({sql for sql, _ in GOOD}) == len(GOOD) >= 80


@pytest.mark.parametrize(("text", "logical"), GOOD)
def test_writes_a_query_anew(text: str, logical: str) -> None:
    checked = check_query(text, CATALOG)
    assert checked.logical == logical
    assert check_query(logical, CATALOG) == checked


@pytest.mark.parametrize(("text", "physical"), PHYSICAL)
def test_gives_each_column_its_table(text: str, physical: str) -> None:
    assert check_query(text, CATALOG).physical == physical


@pytest.mark.parametrize(("text", "rows", "ending"), LIMITS)
def test_lets_at_most_one_row_more_through(text: str, rows: int | None, ending: str) -> None:
    checked = check_query(text, CATALOG, max_rows=rows)
    assert checked.physical.endswith(ending)
    assert checked.logical == check_query(text, CATALOG).logical


def test_tells_tables_and_order() -> None:
    text = "SELECT name FROM orders JOIN leads ON true WHERE leads.id IN (SELECT lead_id FROM orders)"
    checked = check_query(text, CATALOG)
    assert (checked.tables, checked.ordered) == (("orders", "leads"), False)
    checked = check_query(f"WITH x AS ({text}) SELECT name FROM x ORDER BY 1", CATALOG)
    assert (checked.tables, checked.ordered) == (("orders", "leads"), True)
    assert check_query("SELECT id FROM (SELECT id FROM leads ORDER BY id) AS x", CATALOG).ordered is False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT pg_sleep(1)", "function pg_sleep is not allowed"),
        ("SELECT 1 FROM pg_roles", "no table named pg_roles"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("DROP TABLE leads", "only a SELECT is allowed, not DROP"),
        ("SELECT leads FROM leads", "a whole row, 'leads', is not allowed; name its columns"),
        ("SELECT a FROM mixed", None),
        ("SELECT id FROM leads, orders", "column 'id' may be leads.id or orders.id; put its table before it"),
        ("SELECT x FROM prices", "no column named x; there are ts, Close Price, xmin"),
        ("SELECT name::json FROM leads", "type 'json' is not allowed; allowed: BIGINT"),
        ("SELECT 1 < 2 < 3", "put parentheses around"),
    ],
)
def test_says_why(text: str, reason: str | None) -> None:
    if reason is None:
        check_query(text, CATALOG)
    else:
        assert refusal(text).startswith(reason)


OPEN = (
    "SELECT trim(BOTH 'x' FROM name FROM leads",
    "SELECT position('x' IN name FROM leads",
    "SELECT cast(id AS text FROM leads",
    "SELECT id FROM leads WHERE extract(year FROM now() > 1",
    "SELECT id FROM (SELECT id FROM leads",
    "SELECT count(*) FILTER (WHERE id = 1 FROM leads",
)
LOST_COMMAS = (
    "SELECT id FROM leads WHERE id IN (1,)",
    "SELECT id FROM leads WHERE id IN (,1)",
    "SELECT id FROM leads WHERE id IN (1,,2)",
    "SELECT coalesce(id,) FROM leads",
    "SELECT id,, name FROM leads",
    "SELECT a FROM (VALUES (1),(2),) AS x(a)",
    "SELECT x.a FROM (VALUES (1)) AS x(a,)",
    "SELECT sum(id) OVER (PARTITION BY name,) FROM leads",
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [*((text, "'(' is not closed") for text in OPEN), *((text, "a comma with nothing") for text in LOST_COMMAS)],
)
def test_what_the_parser_would_complete_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        check_query(text, CATALOG)
    assert str(caught.value.details).startswith(reason)


def test_names_in_quotes_are_exact() -> None:
    assert '"A" AS "A"' in check_query('SELECT "A" FROM "Mixed"', CATALOG).physical
    assert check_query("SELECT A FROM MIXED", CATALOG).logical == 'SELECT "A" FROM "Mixed"'
    assert refusal('SELECT a FROM "mixed"') == "no table named mixed"
    # A Kelvin sign is no `k`, and a dotless `ı` no `i`.
    for name in ("na\u212ae", "ıd"):
        refusal(f"SELECT {name} FROM leads")


def test_a_hidden_column_is_out_of_reach_by_its_name() -> None:
    # PostgreSQL takes a bare name in GROUP BY for a column of the relation first.
    physical = check_query(
        "SELECT count(*) AS secret, state AS t FROM leads GROUP BY t ORDER BY secret", CATALOG
    ).physical
    assert "GROUP BY 2 ORDER BY 1" in physical
    for text in ("SELECT name FROM leads ORDER BY secret", "SELECT 1 FROM leads JOIN orders USING (secret)"):
        refusal(text)


words = st.sampled_from(
    "SELECT FROM WHERE leads orders name id amount state * , ( ) . ; :: = < + - || ' \" '' 'a' \"name\" 1 2.5 AS x AND "
    "OR NOT IN EXISTS GROUP BY ORDER LIMIT OFFSET JOIN LEFT ON USING WITH UNION ALL CASE WHEN THEN ELSE END count sum "
    "OVER PARTITION FILTER WITHIN BETWEEN ROWS UNBOUNDED PRECEDING DISTINCT int text date interval CAST EXTRACT year "
    'SUBSTRING FOR TRIM BOTH POSITION VALUES NULLS FIRST AT TIME ZONE LIKE ESCAPE IS NULL pg_sleep n0 s0 t0 f0 "n0" '
    "'s0' $1 -- /* \\ lower true".split()
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), st.lists(words, max_size=40).map(" ".join)))
@example("SELECT f0(n0, 's9', t1) FROM \"n5\"")
@example("SELECT CAST(name AS t0), n99999.n1 FROM leads")
@example("SELECT 1 FROM leads AS ")
def test_any_text_is_refused_or_written_anew(text: str) -> None:
    for sql in (text, f"SELECT {text}", f"SELECT name FROM leads WHERE {text}", f"SELECT id FROM leads {text}"):
        checked = accepted(sql)
        if checked:
            assert check_query(checked.logical, CATALOG) == checked


names = st.sampled_from(["id", "name", "leads.state", "amount", "l.id", '"name"', "email"])
atoms = st.one_of(
    names, st.sampled_from(["1", "2.5", "'a'", "NULL", "TRUE", "now()", "count(*)", "CAST('2024-01-01' AS date)"])
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+ - * / % || = < <> AND OR LIKE".split()), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("NOT {}".format),
        inner.map("-{}".format),
        inner.map("{}::text".format),
        inner.map("lower({})".format),
        inner.map("sum({}) OVER (PARTITION BY state ORDER BY id)".format),
        inner.map("{} IS NOT NULL".format),
        inner.map("{} IN (SELECT lead_id FROM orders)".format),
        st.tuples(inner, inner).map("CASE WHEN {0[0]} THEN {0[1]} END".format),
        st.tuples(inner, inner).map("{0[0]} NOT BETWEEN 1 AND {0[1]}".format),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(expressions, expressions, st.sampled_from(["leads", "leads AS l", "leads JOIN leads AS l USING (id)"]))
def test_a_written_query_is_a_fixed_point_and_reads_the_same(first: str, second: str, source: str) -> None:
    text = f"SELECT {first} AS x FROM {source} WHERE {second}"
    checked = accepted(text)
    if not checked:
        return
    assert check_query(checked.logical, CATALOG) == checked
    # The parser sees the same tree in what is written as in what came.
    before, after = (sqlglot.parse_one(sql, dialect="postgres") for sql in (text, checked.logical))
    for tree in (before, after):
        for name in tree.find_all(exp.Identifier):
            name.set("quoted", True)
    assert before.sql("postgres") == after.sql("postgres")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 19_000,
        "SELECT " + "'" * 19_000,
        "SELECT " + '"' * 19_001,
        "SELECT " + "-" * 19_000,
        "SELECT " + "- " * 9_000 + "1",
        "SELECT " + "NOT " * 4_000 + "TRUE",
        "SELECT " + "1 + " * 2_500 + "1",
        "SELECT " + "a." * 2_500 + "a",
        "SELECT " + "lower(" * 1_500 + "name" + ")" * 1_500,
        "SELECT " + "CASE WHEN " * 900 + "1",
        "SELECT name FROM leads WHERE id IN (" + "1, " * 2_400 + "1)",
        "SELECT name FROM leads WHERE " + "id = 1 OR " * 1_400 + "id = 2",
        "SELECT name FROM leads" + " UNION SELECT name FROM leads" * 600,
        "SELECT 1 FROM leads" + " JOIN leads USING (id)" * 800,
        "SELECT 1 FROM leads" + ", leads" * 1_400,
        "WITH " + ", ".join(f"c{n} AS (SELECT 1)" for n in range(700)) + " SELECT 1",
        "WITH a AS (" * 300 + "SELECT 1" + ")" * 300,
        "SELECT " + ", ".join(["name"] * 2_400) + " FROM leads",
        "SELECT " + "x" * 19_000 + " FROM leads",
        "SELECT " + "count(" * 40 + ")" * 40,
        "SELECT " + ", a(" * 2_000,
        "SELECT " + "SUBSTRING (" * 1_000,
        "x" * 20_001,
    ],
)
def test_long_texts_take_no_time(text: str) -> None:
    assert takes_less(1, lambda: accepted(text))
