"""Answers in words: what rows are called, periods, lists, and units."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from atlas.language.offline.questions.answer_text import column_units, describe
from atlas.language.offline.questions.ast import Agg, Col, During, Num, Op, Output, Query
from atlas.language.offline.questions.to_english import condition, entity, period
from atlas.language.offline.questions.units import result_units, unit
from atlas.language.question import QuestionPlan

BALANCE = Col("customers", "balance")


def test_rows_of_tables_whose_name_is_no_plural() -> None:
    """Nobody counts hourlies: rows are rows, unless the table says what one of them is."""
    assert [entity("btc_hourly", n) for n in (1, 2)] == ["row of btc hourly", "rows of btc hourly"]
    assert [entity("weather_station", n) for n in (1, 2)] == ["row of weather station", "rows of weather station"]
    assert [entity("customers", n) for n in (1, 2)] == ["customer", "customers"]
    assert [entity("companies", n) for n in (1, 2)] == ["company", "companies"]
    last = During(Col("weather_station", "ts"), "2026-01-01", "2026-01-08", "last week")
    assert condition(last) == "the time is from last week"
    since = During(Col("orders", "ordered_on"), "2026-01-01", None, "since May")
    assert condition(since) == "ordered on is since May"
    assert [period(datetime(2026, 5, 4, 7, tzinfo=UTC), unit) for unit in ("quarter", "week", "day", "hour")] == [
        "in Q2 2026",
        "in the week of 2026-05-04",
        "on 2026-05-04",
        "at 2026-05-04 07:00:00",
    ]


def test_lists_keep_what_belongs_together() -> None:
    query = Query("customers", outputs=(Output(Col("customers", "name"), "name"), Output(BALANCE, "balance")))
    plan = QuestionPlan(state=msgspec.json.encode(query).decode())
    columns = [("name", "text"), ("balance", "float8")]
    rows = [("Ed M\u00fcller", 9891.2), ("Ida O'Neil", 9793.45)]
    assert describe(plan, columns, rows, False) == (
        "Found 2 customers: Ed M\u00fcller (9,891.20) and Ida O'Neil (9,793.45)."
    )
    units = {("customers", "balance"): "EUR"}
    assert "Ed M\u00fcller (9,891.20 EUR)" in describe(plan, columns, rows, False, units)
    assert column_units(plan, columns, units) == {"balance": "EUR"}
    total = Query("customers", outputs=(Output(Agg("sum", BALANCE), "sum"), Output(Agg("count", BALANCE), "n")))
    assert result_units(total, ["sum", "n"], units) == {"sum": "EUR"}
    assert unit(Op("/", Agg("sum", BALANCE), Num(2)), units) == ""
