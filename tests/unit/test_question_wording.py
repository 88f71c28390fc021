"""Answers in words: what rows are called, periods, lists, and units."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from atlas.language.offline.questions import ast as q
from atlas.language.offline.questions.answer_text import column_units, describe
from atlas.language.offline.questions.to_english import condition, entity, period
from atlas.language.offline.questions.units import result_units, unit
from atlas.language.question import QuestionPlan

BALANCE = q.Col("customers", "balance")


def test_rows_of_tables_whose_name_is_no_plural() -> None:
    """Nobody counts hourlies: rows are rows, unless the table says what one of them is."""
    assert [entity("btc_hourly", n) for n in (1, 2)] == ["row of btc hourly", "rows of btc hourly"]
    assert [entity("weather_station", n) for n in (1, 2)] == ["row of weather station", "rows of weather station"]
    assert [entity("customers", n) for n in (1, 2)] == ["customer", "customers"]
    assert [entity("companies", n) for n in (1, 2)] == ["company", "companies"]
    last = q.During(q.Col("weather_station", "ts"), "2026-01-01", "2026-01-08", "last week")
    assert condition(last) == "the time is from last week"
    since = q.During(q.Col("orders", "ordered_on"), "2026-01-01", None, "since May")
    assert condition(since) == "ordered on is since May"
    assert [period(datetime(2026, 5, 4, 7, tzinfo=UTC), unit) for unit in ("quarter", "week", "day", "hour")] == [
        "in Q2 2026",
        "in the week of 2026-05-04",
        "on 2026-05-04",
        "at 2026-05-04 07:00:00",
    ]


def test_lists_keep_what_belongs_together() -> None:
    query = q.Query("customers", outputs=(q.Output(q.Col("customers", "name"), "name"), q.Output(BALANCE, "balance")))
    plan = QuestionPlan(state=msgspec.json.encode(query).decode())
    columns = [("name", "text"), ("balance", "float8")]
    rows = [("Ed M\u00fcller", 9891.2), ("Ida O'Neil", 9793.45)]
    assert describe(plan, columns, rows, False) == (
        "Found 2 customers: Ed M\u00fcller (9,891.20) and Ida O'Neil (9,793.45)."
    )
    units = {("customers", "balance"): "EUR"}
    assert "Ed M\u00fcller (9,891.20 EUR)" in describe(plan, columns, rows, False, units)
    assert column_units(plan, columns, units) == {"balance": "EUR"}
    total = q.Query(
        "customers", outputs=(q.Output(q.Agg("sum", BALANCE), "sum"), q.Output(q.Agg("count", BALANCE), "n"))
    )
    assert result_units(total, ["sum", "n"], units) == {"sum": "EUR"}
    assert unit(q.Op("/", q.Agg("sum", BALANCE), q.Num(2)), units) == ""
