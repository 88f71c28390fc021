"""Questions on time series over HTTP: the same rows of fresh and of packed rows, and of a table with the same rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from tests.api.test_cold import insert, pack
from tests.api.test_imports import post, send
from tests.conftest import Client, People, make_dataset
from tests.series_data import closes, greenhouse
from tests.series_questions import QUESTIONS

from atlas.db.database import Database

pytestmark = pytest.mark.anyio
# The other half is of those that were not looked at.
CLOSES = [case.question for case in QUESTIONS[::2] if case.table == "closes" and "last year" not in case.question]
ASKED = (
    "average temperature by hour of day",
    "average temperature by weekday for sensor A",
    "latest reading of sensor B",
    "correlation between temperature and humidity",
    "longest gap between readings",
    "hottest hour of the day",
    "24 hour moving average of the temperature of sensor A",
    "daily min and max temperature of sensor B",
)


def csv_of(header: str, rows: Iterable[tuple[Any, ...]]) -> bytes:
    return "\n".join([header, *(",".join(map(str, (row[0].isoformat(), *row[1:]))) for row in rows)]).encode()


def cells_of(answer: dict[str, Any]) -> list[str]:
    """The cells, with floats as exact as both engines of SQL are: they add up in different orders."""
    cells = answer["data_csv"].replace("\n", ",").split(",")
    return [
        f"{float(cell):.9g}" if cell.replace(".", "").replace("-", "").isdigit() and "." in cell else cell
        for cell in cells
    ]


async def ask(client: httpx.AsyncClient, question: str, **more: str) -> dict[str, Any]:
    answer: dict[str, Any] = await post(client, "query", {"prompt": question, **more})
    assert answer["success"], (question, answer["response"])
    return answer


async def test_fresh_and_packed_rows_answer_alike(client: Client, people: People, database: Database) -> None:
    owner = client(people.owner)
    asked = {
        await make_dataset(owner, name="closes"): ("closes", CLOSES),
        await make_dataset(owner, name="greenhouse"): ("greenhouse", ASKED),
    }
    shares, sensors = asked
    await insert(owner, shares, csv_of("timestamp,symbol,open,high,low,close,volume", closes()))
    await insert(owner, sensors, csv_of("timestamp,sensor,temperature,humidity", greenhouse()))
    fresh = {q: await ask(owner, q, table_name=name) for name, questions in asked.values() for q in questions}
    for dataset in asked:
        assert await pack(database, dataset) > 0
    for name, questions in asked.values():
        for question in questions:
            packed = await ask(owner, question, table_name=name)
            assert cells_of(packed) == cells_of(fresh[question]), question
            assert packed["response"] == fresh[question]["response"]
    by_hour = fresh["average temperature by hour of day"]
    assert (by_hour["rows_returned"], by_hour["chart"]["kind"], by_hour["chart"]["x"]) == (24, "bar", "hour")
    assert by_hour["response"].startswith("The average temperature by hour: from hour 0, average temperature 14.68 to ")


async def test_a_table_of_prices_is_a_time_series(client: Client, people: People) -> None:
    owner = client(people.owner)
    header = "date,symbol,open,high,low,close,volume"
    rows = csv_of(header, ((row[0].date(), *row[1:]) for row in closes()))
    await send(owner, "Import into quotes", rows, name="quotes.csv")
    latest = await ask(owner, "latest price of ACME")
    assert latest["data_csv"].splitlines()[1].startswith("2024-06-28,")
    assert "2024-06-28" in latest["response"]
    thread = latest["thread_id"]
    other = await ask(owner, "and BOLT?", thread_id=thread)
    assert "'BOLT'" in other["executed_sql"]
    assert other["data_csv"] != latest["data_csv"]
    yearly = await ask(owner, "average close of ACME by year")
    assert yearly["rows_returned"] == 3
    refused = await post(owner, "query", {"prompt": "what will the price of ACME be next month?"})
    assert (refused["success"], refused["executed_sql"]) == (False, None)
    assert "what will" in refused["response"]


async def test_declared_keys_tell_series_apart_whatever_their_name(client: Client, people: People) -> None:
    owner = client(people.owner)
    boilers = await make_dataset(owner, name="boilers", keys=["unit"])
    await insert(
        owner, boilers, b"timestamp,unit,pressure\n2026-01-05,7,1.5\n2026-01-05,8,2\n2026-01-06,8,4\n2026-01-06,7,3"
    )
    latest = await ask(owner, "latest pressure", table_name="boilers")
    assert [row.split(",")[-1] for row in latest["data_csv"].splitlines()[1:]] == ["3", "4"], latest
    assert "There is an answer for each unit." in latest["assumptions"]
    mean = await ask(owner, "average pressure", table_name="boilers")
    assert "All values of unit are taken together." in mean["assumptions"]


async def test_a_dataset_is_named_after_its_series(client: Client, people: People) -> None:
    owner = client(people.owner)
    stocks = await make_dataset(owner, name="stocks", keys=["symbol"])
    await insert(
        owner, stocks, b"timestamp,symbol,close\n2026-01-05,A,1\n2026-01-05,B,2\n2026-01-06,A,3\n2026-01-06,B,5"
    )
    for question in ("latest price of each stock", "latest close by stock", "latest close of every stock"):
        latest = await ask(owner, question)
        assert [row.split(",")[0] for row in latest["data_csv"].splitlines()[1:]] == ["A", "B"], question
    count = await ask(owner, "how many stocks are there?")
    assert count["data_csv"].split() == ["number_of_symbols", "2"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("which city has the most members?", ["Oslo,2"]),
        ("Welche Stadt hat die meisten Mitglieder?", ["Oslo,2"]),
        ("members per city", ["Oslo,2", "Rome,1"]),
        ("which city has fewer than 2 members?", ["Rome,1"]),
        ("members by month", ["2026-01-01,1", "2026-02-01,2"]),
        ("total fee by city", ["Rome,90", "Oslo,7"]),
    ],
)
async def test_the_rows_of_a_table_with_a_date_are_counted(
    client: Client, people: People, question: str, expected: list[str]
) -> None:
    """A date and one figure make a table look like a time series, whose only figure was added up."""
    owner = client(people.owner)
    await send(
        owner,
        "Import into members",
        b"name,city,fee,joined\nA,Oslo,3,2026-01-05\nB,Oslo,4,2026-02-05\nC,Rome,90,2026-02-07",
    )
    answer = await ask(owner, question)
    assert sorted(answer["data_csv"].splitlines()[1:]) == sorted(expected), answer
