"""Questions that were answered wrongly once: each kind is read rightly now, or refused with what is not clear."""

from __future__ import annotations

import re
from datetime import date

import pytest
import sqlglot
from sqlglot import exp
from tests.pace import takes_less

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable, Join
from atlas.language.llm.coverage import find_omissions
from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.coverage import collect_facts, find_uncovered
from atlas.language.offline.questions.planner import plan_question
from atlas.language.offline.questions.schema_linking import index_of
from atlas.language.offline.questions.tagger import Tagger
from atlas.language.offline.questions.to_sql import to_sql
from atlas.language.offline.questions.tokenizer import tokens
from atlas.language.question import Question, QuestionPlan, Term
from atlas.sqlgate.gate import check_query

C, T = CatalogColumn, CatalogTable
CATALOG = Catalog(
    (
        T(
            "customers",
            "s",
            "v1",
            (
                C("customer_id", "bigint"),
                C("name", "text", values=("Ann Smith", "Bob Jones")),
                C("city", "text", values=("Berlin", "Paris"), complete=True),
                C("age", "bigint"),
                C("birth_year", "bigint"),
            ),
            key=("customer_id",),
        ),
        T(
            "orders",
            "s",
            "v2",
            (
                C("order_id", "bigint"),
                C("customer_id", "bigint"),
                C("product", "text", values=("Widget", "Gadget"), complete=True),
                C("status", "text", values=("paid", "open"), complete=True),
                C("quantity", "bigint"),
                C("amount", "numeric"),
                C("order_date", "date"),
            ),
            key=("order_id",),
        ),
        T(
            "prices",
            "s",
            "v3",
            (
                C("symbol", "text", values=("AAPL", "MSFT"), complete=True),
                C("day", "date"),
                C("price", "double"),
                C("volume", "bigint"),
            ),
            key=("symbol", "day"),
        ),
        T(
            "trips",
            "s",
            "v4",
            (
                C("trip_id", "bigint"),
                C("airline", "text", values=("Iberia", "Condor"), complete=True),
                C("flight", "bigint"),
                C("year", "bigint"),
                C("distance", "double"),
            ),
            key=("trip_id",),
        ),
        T(
            "river",
            "s",
            "v5",
            (
                C("river_name", "text", values=("Mole", "Wey"), complete=True),
                C("length", "double"),
                C("town", "text", values=("Dorking", "Wey"), complete=True),
            ),
            key=("river_name", "town"),
        ),
        T(
            "towns",
            "s",
            "v6",
            (
                C("town_name", "text", values=("Dorking", "Wey", "Mole"), complete=True),
                C("area", "double"),
                C("mayor", "text", values=("Jo Hill",)),
                C("lowest_point", "text", values=("mole river", "wey river")),
            ),
            key=("town_name",),
        ),
    ),
    (Join("orders", "customer_id", "customers", "customer_id"),),
)
TERMS = (
    Term("loyal customer", "somebody who buys a lot of things from us", "customers"),
    Term("whale", "a very big spender", None),
    Term("big order", "amount > 100", "orders"),
    Term("vip", "ask Jane; she knows", "customers"),
)


def ask(text: str) -> QuestionPlan:
    return plan_question(Question(text=text, catalog=CATALOG, terms=TERMS, today="2026-11-23"))


def plainly(sql: str | None) -> str:
    return re.sub(r"\s+", " ", (sql or "").replace('"', ""))


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        # The latest and first are by time, not the greatest and least.
        ("what is the latest price of AAPL", "SELECT price, |symbol = 'AAPL' AND day = (SELECT MAX(day)"),
        ("first price of MSFT", "SELECT price, |symbol = 'MSFT' AND day = (SELECT MIN(day)"),
        ("latest volume of AAPL", "SELECT volume, |day = (SELECT MAX(day)"),
        ("show the last 3 orders", "ORDER BY order_date DESC NULLS LAST LIMIT 3"),
        # Years and keys are counted, not summed.
        ("how many years are there in trips", "COUNT(DISTINCT year)"),
        ("how many customer ids are there", "COUNT("),
        ("how many birth years of customers are there", "COUNT("),
        # What is not known is no first group.
        ("which city has the most customers", "WHERE NOT city IS NULL GROUP BY city"),
        ("top 2 cities by number of customers", "WHERE NOT city IS NULL GROUP BY city"),
        ("which product has the highest total amount", "WHERE NOT product IS NULL GROUP BY product"),
        # `or` between conditions on two columns.
        ("customers from Berlin or older than 50", "city = 'Berlin') OR (age > 50)"),
        ("orders with status paid or product Gadget", "(status = 'paid') OR (product = 'Gadget')"),
        ("total amount in Q1 or Q2 2026", "'2026-04-01' AS DATE)) OR (order_date >= "),
        # The day that is named counts.
        ("orders on or after 2024-05-01", "order_date >= CAST('2024-05-01' AS DATE)"),
        ("orders not before May 2024", "order_date >= CAST('2024-05-01' AS DATE)"),
        ("orders on or before 2024-05-01", "order_date < CAST('2024-05-02' AS DATE)"),
        ("orders no later than 2024-05-01", "order_date < CAST('2024-05-02' AS DATE)"),
        # None at all, orphans included.
        ("customers without any orders", "NOT customer_id IN (SELECT customer_id FROM orders"),
        ("which orders have no customer", "(customer_id IS NULL) OR NOT customer_id IN"),
        ("orders without a customer", "(customer_id IS NULL) OR NOT customer_id IN"),
        # Each of several figures, columns and values.
        ("average, minimum and maximum amount of orders", "AVG(amount)|MIN(amount)|MAX(amount)"),
        ("min and max age of customers", "MIN(age)|MAX(age)"),
        ("average and total amount by product", "AVG(amount)|SUM(amount)|GROUP BY product"),
        ("show name, city and age of customers", "SELECT name, city, age FROM customers"),
        ("average price of AAPL and MSFT", "SELECT symbol, AVG(price)|GROUP BY symbol"),
        ("compare the amount of Widget and Gadget", "SELECT product, |GROUP BY product"),
        # The first of each group.
        (
            "the biggest order of each customer",
            "RANK() OVER (PARTITION BY customers.customer_id, |ORDER BY orders.amount DESC|place_in_group <= 1",
        ),
        ("top 2 customers by age per city", "PARTITION BY city ORDER BY age DESC|place_in_group <= 2"),
        # A river and not a point of that name.
        ("which towns does the mole river run through", "town FROM river WHERE river_name = 'Mole'"),
        # Terms that are conditions still are.
        ("how many big orders", "WHERE (amount > 100)"),
    ],
)
def test_read_rightly(question: str, parts: str) -> None:
    plan = ask(question)
    sql = plainly(plan.sql)
    assert sql, plan.question
    for part in parts.split("|"):
        assert part in sql
    check_query(plan.sql or "", CATALOG)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        # A number of rows is not compared with what identifies one.
        ("airlines with at least 10 flights", "flights"),
        ("which airline has more than 5 flights", "flights"),
        ("airlines with fewer than 3 flights", "flights"),
        ("total year of trips", "year"),
        ("sum of birth year of customers", "birth year"),
        ("the latest amount of each product", "latest"),
        ("cheapest product in each status", "cheapest"),
        # A name of another kind of thing.
        ("what is the lowest point of the towns that the Mole runs through", ""),
        ("what is the area of the towns through which the Mole runs", ""),
        ("how many rivers cross Wey", ""),
        ("what is the area of the mayor", "area"),
        ("how many square kilometers in Paris", "rows"),
        # Rows of one thing that say different things.
        ("what rivers do not run through Dorking", ""),
        # A pair that may mean both or one of the two.
        ("orders from both Widget and Gadget", "both"),
        ("paid orders of Widget or with amount over 5", "or"),
        ("compare amount in Q1 and Q2 2026", "two"),
        # What no row says.
        ("what will the total amount be next month", "will"),
        ("total amount next year", "next year"),
        ("should we raise the price of AAPL", "should"),
        ("will AAPL rise", "will"),
        ("why is the amount falling", "why"),
        # Terms that are explained in words.
        ("how many loyal customers are there", "loyal customer"),
        ("show whales", "whale"),
        ("vip in Berlin", "vip"),
    ],
)
def test_refused(question: str, told: str) -> None:
    plan = ask(question)
    assert plan.sql is None
    assert told in " ".join(plan.not_understood) + (plan.question or "")


@pytest.mark.parametrize(
    "question",
    [
        "show the orders with their product and amount",
        "get all customers with their city and age",
        "list product and status of orders",
        "city of customers",
    ],
)
def test_every_row_of_an_entity_is_shown(question: str) -> None:
    """Two orders of the same amount are two, so no DISTINCT."""
    plan = ask(question)
    assert plan.sql
    assert "DISTINCT" not in plan.sql


def test_what_kinds_there_are_is_shown_once_and_told() -> None:
    plan = ask("which airlines are there")
    assert "DISTINCT airline" in (plan.sql or "")
    assert "Equal values are shown once." in plan.assumptions


def test_a_joined_table_multiplies_no_rows_and_loses_none() -> None:
    """Customers with a paid order come once each, those of one name too."""
    query = q.Query(
        "customers",
        (q.Output(q.Col("customers", "name"), "name"),),
        (q.Compare(q.Col("orders", "status"), "=", "paid"),),
    )
    tree = sqlglot.parse_one(to_sql(query, CATALOG), dialect="postgres")
    assert tree.args.get("distinct") is None
    assert isinstance(tree.args["where"].this, exp.In)


def test_coverage_names_each_kind_of_word() -> None:
    """A query that says nothing but the table covers none of the words that ask for more."""
    question = "how many distinct Widget orders by status with the highest amount in 2024 not open"
    tagger = Tagger(index_of(CATALOG), tokens(question), (), date(2026, 11, 23))
    missed = find_uncovered(tagger.items("orders", frozenset()), q.Query("orders"), CATALOG)
    assert {"how many", "distinct", "Widget", "status", "highest", "amount", "in 2024", "not", "open"} <= set(missed)


def test_facts_of_a_query() -> None:
    facts = collect_facts(q.Query("orders", (q.Output(q.Agg("max", q.Col("orders", "amount")), "m"),), limit=7))
    assert facts.columns == {("orders", "amount")}
    assert facts.functions == {"max"}
    assert "7" in facts.literals


@pytest.mark.parametrize(
    ("question", "sql", "missing"),
    [
        ("orders of 'Widget' over 50", "SELECT * FROM orders WHERE product = 'widget' AND amount > 50", ()),
        ("orders of 'Widget' over 50", "SELECT * FROM orders WHERE amount > 50", ("Widget",)),
        ("top 5 orders over 1.5k", "SELECT * FROM orders WHERE amount > 1500 LIMIT 10", ("5",)),
        ("is 20% of the amount paid", "SELECT sum(amount) * 0.2 FROM orders", ()),
        ("birth year of customers", "SELECT name FROM customers", ("birth_year",)),
        ("birth year of customers", "SELECT birth_year FROM customers", ()),
    ],
)
def test_what_a_model_left_out(question: str, sql: str, missing: tuple[str, ...]) -> None:
    assert find_omissions(Question(text=question, catalog=CATALOG), sql) == missing


LONG_NAMES = {
    "many words": ["a_" * 499 + str(number) for number in range(500)],
    "words that are known": ["nameiddatetypenum" * 3 + f"id{number}" for number in range(500)],
    "capitals": ["aB" * 490 + str(number) for number in range(200)],
    "numbers": ["1a" * 490 + str(number) for number in range(200)],
    "quotes": ['"' * 999, "'" * 999, "%" * 999, "\\" * 999, "\t" * 999, "." * 999],
    "letters that grow": ["İ" * 500, "ß" * 500, "e\u0301" * 300, "\u200d", "\ufeff", "\u2028"],
    "words of SQL": ["select", "count(*)", "*", "a.b", "$1", ":x", "%s", "{x}", "--", "/*"],
}


@pytest.mark.parametrize("kind", LONG_NAMES)
def test_names_of_columns_take_no_time_and_can_be_written(kind: str) -> None:
    names = LONG_NAMES[kind]
    columns = (C("ts", "timestamp"), *(C(name, "double", f"c{number}") for number, name in enumerate(names)))
    catalog = Catalog((T("odd", "s", "dataset_1", columns, "dataset", 10, dataset_id=1),))
    asked = f"average of {names[-1]} where {names[0]} > 5"
    quoted = names[0].replace('"', '""')
    assert check_query(f'SELECT *, "{quoted}" AS x FROM odd', catalog).tables == ("odd",)
    assert takes_less(3, lambda: plan_question(Question(text=asked, catalog=catalog)))


def test_series_without_a_profile_or_with_numbers_for_keys_are_told_apart() -> None:
    columns = (C("ts", "timestamp"), C("sensor_id", "bigint"), C("room", "text"), C("temperature", "double"))
    catalog = Catalog((T("readings", "s", "dataset_1", columns, "dataset", dataset_id=1),))

    def plan(text: str) -> QuestionPlan:
        return plan_question(Question(text=text, catalog=catalog, today="2026-11-23"))

    latest = plan("latest temperature")
    assert plainly(latest.sql).startswith("SELECT DISTINCT ON (room, sensor_id) room, sensor_id, ts, temperature FROM")
    assert any("each room and sensor_id" in told for told in latest.assumptions)
    assert "GROUP BY sensor_id" in plainly(plan("average temperature per sensor").sql)
    # No value of the column is known, so the number may be of anything.
    assert plan("latest temperature of sensor 5").sql is None
