"""Questions are answered with the rows that an analyst's own SQL gives, over tables in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from tests.conftest import clone

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable
from atlas.catalog.profiles import find_joins, profile, with_profile
from atlas.language.offline.questions.planner import plan_question
from atlas.language.question import Question, QuestionPlan

pytestmark = pytest.mark.anyio

COLUMNS = {
    "clubs": "club_id bigint, name text, city text, country text, founded_year bigint",
    "players": "player_id bigint, club_id bigint, full_name text, position text, birth_date date, height_cm bigint, "
    "weight_kg double precision, goals bigint, is_captain boolean",
    "camps": "camp_id bigint, title text, season text, fee_eur double precision",
    "camp_players": "camp_id bigint, player_id bigint",
    "rides": "ride_id bigint, start_station text, end_station text, started_at timestamp, ended_on date, "
    "distance_km double precision, bike_type text, cost double precision, tip double precision, is_member boolean",
}
ROWS = (
    "INSERT INTO clubs VALUES (1, 'Reds', 'Leeds', 'England', 1901), (2, 'Blues', 'Paris', 'France', 1950), "
    "(3, 'Greens', 'Lyon', 'France', 1987), (4, 'Golds', 'Turin', 'Italy', 1919)",
    "INSERT INTO players SELECT i, 1 + (i * i) % 3, 'Player ' || chr(64 + i), (ARRAY['keeper', 'defender', 'striker'])"
    "[1 + i % 3], date '1990-01-01' + i * 200, 170 + (i * 7) % 25, 60 + i % 20, (i * 5) % 9, i % 8 = 0 "
    "FROM generate_series(1, 24) i",
    "INSERT INTO camps VALUES (1, 'Alpine', 'winter', 200), (2, 'Coast', 'summer', 150), (3, 'Forest', 'summer', 90)",
    "INSERT INTO camp_players SELECT 1 + i % 2, 1 + (i * 3) % 20 FROM generate_series(1, 18) i",
    "INSERT INTO rides SELECT i, (ARRAY['North', 'South', 'Harbour'])[1 + i % 3], (ARRAY['North', 'South', 'Harbour'])"
    "[1 + (i / 3) % 3], timestamp '2024-01-01' + i * interval '11 hours', CASE WHEN i % 7 > 0 THEN date '2024-01-02' + "
    "i END, (i * 37) % 90 / 10.0, (ARRAY['classic', 'electric'])[1 + i % 2], (i * 13) % 40, (i % 4) * 1.5, i % 5 = 0 "
    "FROM generate_series(1, 120) i",
)
TYPES = {"double": "double", "bigint": "bigint", "text": "text", "date": "date", "timestamp": "timestamp"}


@pytest.fixture(scope="module")
def asked(postgres_url: str, template: str) -> Iterator[str]:
    with clone(postgres_url, template) as url:
        with psycopg.connect(url, autocommit=True) as made:
            made.execute("CREATE SCHEMA asked")
            made.execute("SET search_path TO asked")
            for name, columns in COLUMNS.items():
                made.execute(f"CREATE TABLE {name} ({columns})".encode())
            for statement in ROWS:
                made.execute(statement.encode())
        yield url


@pytest.fixture(scope="module")
async def catalog(asked: str) -> Catalog:
    tables, profiles = [], {}
    async with await psycopg.AsyncConnection.connect(asked, autocommit=True) as connection:
        for name, columns in COLUMNS.items():
            made = [column.strip().split(" ")[:2] for column in columns.split(",")]
            table = CatalogTable(name, "asked", name, tuple(CatalogColumn(one, kind) for one, kind in made))
            profiles[name] = await profile(connection, table)
            tables.append(with_profile(table, profiles[name]))
        return Catalog(tuple(tables), tuple(await find_joins(connection, tables, profiles)))


def rows_of(url: str, sql: str) -> tuple[list[str], set[tuple[Any, ...]]]:
    with psycopg.connect(url, options="-c search_path=asked") as connection:
        found = connection.execute(sql.encode())
        rows = {
            tuple(f"{float(v):.6g}" if isinstance(v, int | float | Decimal) else str(v) for v in row) for row in found
        }
        return [column.name for column in found.description or ()], rows


def ask(catalog: Catalog, question: str) -> QuestionPlan:
    return plan_question(Question(text=question, catalog=catalog, today="2026-11-30"))


# Pairs of a question and SQL whose columns the answer must have, each with the same rows.
ANSWERED = [
    # Other languages, and who is meant.
    ("Wie viele Spieler gibt es pro Position?", "SELECT position, count(*) FROM players GROUP BY 1"),
    (
        "Quels clubs n'ont pas de joueurs ?",
        "SELECT name FROM clubs WHERE club_id NOT IN (SELECT club_id FROM players)",
    ),
    ("¿Cuántos clubs no son de Francia?", "SELECT count(*) FROM clubs WHERE country <> 'France'"),
    (
        "who has the lowest weight",
        "SELECT full_name FROM players WHERE weight_kg = (SELECT min(weight_kg) FROM players)",
    ),
    # Spreads, ranks, parts of a day, verbs that name a time, and figures that no related row has.
    ("difference between the highest and lowest cost of rides", "SELECT max(cost) - min(cost) FROM rides"),
    ("rank start stations by average cost", "SELECT start_station, avg(cost) FROM rides GROUP BY 1"),
    ("how many rides without a tip", "SELECT count(*) FROM rides WHERE tip = 0 OR tip IS NULL"),
    ("average cost by hour of day", "SELECT extract(hour FROM started_at), avg(cost) FROM rides GROUP BY 1"),
    (
        "how many rides ended each month",
        "SELECT date_trunc('month', ended_on)::date, count(*) FROM rides WHERE ended_on IS NOT NULL GROUP BY 1",
    ),
    (
        "which clubs have no goals",
        "SELECT name FROM clubs WHERE club_id NOT IN (SELECT club_id FROM players WHERE goals <> 0)",
    ),
    (
        "which club has the most goals",
        "SELECT name FROM clubs JOIN players USING (club_id) GROUP BY club_id, name ORDER BY sum(goals) DESC LIMIT 1",
    ),
    (
        "how many people are in each club",
        "SELECT name, count(*) FROM clubs JOIN players USING (club_id) GROUP BY club_id, name",
    ),
    # Conditions on the number or a figure of related rows, and on their absence.
    (
        "which clubs have more than 8 players",
        "SELECT name FROM clubs JOIN players USING (club_id) GROUP BY club_id, name HAVING count(*) > 8",
    ),
    ("clubs with no players", "SELECT name FROM clubs WHERE club_id NOT IN (SELECT club_id FROM players)"),
    (
        "which players do not attend any camp",
        "SELECT full_name FROM players WHERE player_id NOT IN (SELECT player_id FROM camp_players)",
    ),
    ("how many clubs have a striker", "SELECT count(DISTINCT club_id) FROM players WHERE position = 'striker'"),
    (
        "names of clubs with at least one keeper",
        "SELECT name FROM clubs WHERE club_id IN (SELECT club_id FROM players WHERE position = 'keeper')",
    ),
    (
        "which players went to both winter and summer camps",
        "SELECT full_name FROM players WHERE player_id IN (SELECT player_id FROM camp_players JOIN camps "
        "USING (camp_id) WHERE season = 'winter') AND player_id IN (SELECT player_id FROM camp_players JOIN "
        "camps USING (camp_id) WHERE season = 'summer')",
    ),
    # Ranks of groups and of rows.
    (
        "which club has the most players",
        "SELECT name FROM clubs JOIN players USING (club_id) GROUP BY club_id, name ORDER BY count(*) DESC LIMIT 1",
    ),
    ("the 3 tallest players", "SELECT full_name FROM players ORDER BY height_cm DESC LIMIT 3"),
    (
        "which position scored the most goals",
        "SELECT position FROM players GROUP BY position ORDER BY sum(goals) DESC LIMIT 1",
    ),
    (
        "which start station has the highest average cost",
        "SELECT start_station FROM rides GROUP BY 1 ORDER BY avg(cost) DESC LIMIT 1",
    ),
    ("what is the oldest club", "SELECT name FROM clubs ORDER BY founded_year LIMIT 1"),
    ("most common bike type", "SELECT bike_type FROM rides GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"),
    (
        "who is the heaviest player",
        "SELECT full_name FROM players WHERE weight_kg = (SELECT max(weight_kg) FROM players)",
    ),
    # Several aggregates, several columns, differences.
    (
        "minimum, average and maximum cost per bike type",
        "SELECT bike_type, min(cost), avg(cost), max(cost) FROM rides GROUP BY 1",
    ),
    (
        "average height and weight of strikers",
        "SELECT avg(height_cm), avg(weight_kg) FROM players WHERE position = 'striker'",
    ),
    ("average difference between cost and tip by bike type", "SELECT bike_type, avg(cost - tip) FROM rides GROUP BY 1"),
    ("what are the names and cities of French clubs", "SELECT name, city FROM clubs WHERE country = 'France'"),
    ("full name and height of players sorted by goals descending", "SELECT full_name, height_cm FROM players"),
    # Groups by related rows keep two rows of one name apart.
    (
        "how many players does each club have",
        "SELECT name, count(*) FROM clubs JOIN players USING (club_id) GROUP BY club_id, name",
    ),
    ("total goals per country", "SELECT country, sum(goals) FROM clubs JOIN players USING (club_id) GROUP BY 1"),
    (
        "for each camp, how many players attend",
        "SELECT title, count(*) FROM camps JOIN camp_players USING (camp_id) GROUP BY camp_id, title",
    ),
    # Thresholds on groups.
    (
        "which end stations have an average cost above 19",
        "SELECT end_station FROM rides GROUP BY 1 HAVING avg(cost) > 19",
    ),
    ("positions with more than 7 players", "SELECT position FROM players GROUP BY 1 HAVING count(*) > 7"),
    # Values in other words, and what a row is called.
    (
        "how many keepers are taller than 180",
        "SELECT count(*) FROM players WHERE position = 'keeper' AND height_cm > 180",
    ),
    ("how many captains are there", "SELECT count(*) FROM players WHERE is_captain"),
    ("number of rides on electric bikes", "SELECT count(*) FROM rides WHERE bike_type = 'electric'"),
    (
        "how many rides went from North to Harbour",
        "SELECT count(*) FROM rides WHERE start_station = 'North' AND end_station = 'Harbour'",
    ),
    ("how many rides have not ended", "SELECT count(*) FROM rides WHERE ended_on IS NULL"),
    ("how many countries are there", "SELECT count(DISTINCT country) FROM clubs"),
    # Shares.
    (
        "what share of rides are electric",
        "SELECT 100.0 * count(*) FILTER (WHERE bike_type = 'electric') / count(*) FROM rides",
    ),
    (
        "what percentage of strikers are captains",
        "SELECT 100.0 * count(*) FILTER (WHERE is_captain) / count(*) FROM players WHERE position = 'striker'",
    ),
    ("what fraction of rides had no tip", "SELECT 1.0 * count(*) FILTER (WHERE tip = 0) / count(*) FROM rides"),
    # Units and marks tell the column, and a mean by row is a mean of all rows.
    ("rides between 2 and 5 km", "SELECT ride_id FROM rides WHERE distance_km BETWEEN 2 AND 5"),
    ("average cost of rides with a tip", "SELECT avg(cost) FROM rides WHERE tip > 0"),
    ("average tip per ride", "SELECT avg(tip) FROM rides"),
    ("how many players were born in the 1990s", "SELECT count(*) FROM players WHERE birth_date < '2000-01-01'"),
    ("rides per day of the week", "SELECT extract(isodow FROM started_at), count(*) FROM rides GROUP BY 1"),
    (
        "which month had the most rides",
        "SELECT date_trunc('month', started_at)::date FROM rides GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
    ),
    (
        "which club has the most captains",
        "SELECT name FROM clubs JOIN players USING (club_id) WHERE is_captain GROUP BY club_id, name "
        "ORDER BY count(*) DESC LIMIT 1",
    ),
    (
        "camps with more than 8 players",
        "SELECT title FROM camps JOIN camp_players USING (camp_id) GROUP BY camp_id, title HAVING count(*) > 8",
    ),
    ("count the rides from North", "SELECT count(*) FROM rides WHERE start_station = 'North'"),
    # Comparisons with an average, with numbers beside `or`, and with another column.
    (
        "players heavier than the average",
        "SELECT full_name FROM players WHERE weight_kg > (SELECT avg(weight_kg) FROM players)",
    ),
    ("players with 3 or 4 goals", "SELECT full_name FROM players WHERE goals IN (3, 4)"),
    ("clubs founded before 1920", "SELECT name FROM clubs WHERE founded_year < 1920"),
    ("rides with a tip greater than the cost", "SELECT ride_id FROM rides WHERE tip > cost"),
]


@pytest.mark.parametrize(("question", "sql"), ANSWERED, ids=[question for question, _ in ANSWERED])
async def test_the_rows_are_those_of_an_analyst(asked: str, catalog: Catalog, question: str, sql: str) -> None:
    plan = ask(catalog, question)
    assert plan.sql is not None, plan.question
    _, wanted = rows_of(asked, sql)
    _, given = rows_of(asked, plan.sql)
    columns = [{row[n] for row in given} for n in range(len(next(iter(given), ())))]
    for n in range(len(next(iter(wanted), ()))):
        assert {row[n] for row in wanted} in columns, plan.sql
    assert len(given) == len(wanted), plan.sql


@pytest.mark.parametrize(
    "question",
    [
        "will the Reds win next year",
        "which players should we buy",
        "players with more than 3 rides",
        "the goals of clubs that play at home",
        "which clubs lie near the sea",
        "what is the cost of the longest ride of the tallest player",
        "average cost of rides abroad",
        "clubs sorted by happiness",
        "how many players limp",
        "the most popular city among strikers",
        "rides that were tipped",
        "how many costs are there",
        "Wie viele Spieler wurden in Leeds entlassen?",
        "how many rides were cancelled in March 2024",
        "rides refunded at North",
        "how many rides were delayed",
        "which club lost the most players",
        "cost plus tip of rides at North",
        "clubs with the same country",
        "how many players are currently in a camp",
        "players born before 1995 still playing",
        "cost of member vs non-member rides",
        "how much did riders tip in total",
    ],
)
async def test_what_no_part_of_the_query_covers_is_asked_back(catalog: Catalog, question: str) -> None:
    plan = ask(catalog, question)
    assert plan.sql is None
    assert plan.question


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("what is the oldest club", "'oldest' is taken by founded_year."),
        ("clubs with fewer than 9 players", "Only clubs with at least one row of players are counted."),
        ("how many rides have not ended", "'ended' is taken as ended_on being given."),
        ("players heavier than the average", "The average is that of all rows."),
    ],
)
async def test_guesses_are_told(catalog: Catalog, question: str, told: str) -> None:
    assert told in ask(catalog, question).assumptions
