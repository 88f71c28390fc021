"""Questions: the answers' shape, who may ask what, threads, verified questions, ratings, the glossary, SQL."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.api.test_imports import get, post, send
from tests.conftest import Client, People, make_dataset

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.db.database import Database
from atlas.errors import BadRequestError, ModelError, NotFoundError, UnavailableError
from atlas.kit.admission import Lane
from atlas.language.question import Chart, Question, QuestionPlan
from atlas.questions.glossary import GlossaryService
from atlas.questions.service import QuestionService
from atlas.questions.verified import VerifiedService, normalized
from atlas.sqlgate.service import SqlService

pytestmark = pytest.mark.anyio
TODAY = datetime.now(UTC).date()
LEADS = "name,email,state,status,amount,created_at\n" + "".join(
    f"Lead {n},lead{n}@x.com,{'CA' if n % 3 == 0 else 'NY'},{'won' if n % 4 == 0 else 'open'},{n * 10},"
    f"{TODAY - timedelta(days=n * 5)}\n"
    for n in range(12)
)
CUSTOMERS = "email,company_name,status\nann@x.com,Acme,active\nbob@x.com,Beta,active\ncy@x.com,Gamma,closed\n"
# The spec's members of an answer.
SPEC = ("success", "response", "executed_sql", "data_csv", "rows_returned", "execution_time_seconds")
NOBODY = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"


@pytest.fixture
async def filled(owner: httpx.AsyncClient) -> httpx.AsyncClient:
    """The owner's client; there are leads and customers."""
    await send(owner, "Import into leads, email is the key", LEADS.encode())
    await send(owner, "Import into customers, email is the key", CUSTOMERS.encode())
    return owner


async def change(client: httpx.AsyncClient, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    response = await client.request(method, f"/api/v1/{path}", json=body)
    assert response.status_code == status, response.text
    return response.json()


def rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer["data_csv"])))


async def test_the_examples_of_the_contract(filled: httpx.AsyncClient) -> None:
    body = {
        "prompt": "Show me all leads from California added in the last 30 days",
        "table_name": "leads",
        "max_rows": 500,
        "thread_id": "optional-conversation-id",
    }
    answer = await post(filled, "query", body)
    assert set(SPEC) <= set(answer)
    assert (answer["success"], answer["rows_returned"], answer["truncated"]) == (True, 2, False)
    assert {row["state"] for row in rows(answer)} == {"CA"}
    assert answer["data_csv"].startswith("name,email,state,status,amount,created_at\nLead 0,lead0@x.com,CA,won,0,")
    assert "FROM leads" in answer["executed_sql"]
    assert isinstance(answer["execution_time_seconds"], float)
    assert (answer["thread_id"], answer["engine"], answer["tables"]) == (body["thread_id"], "offline", ["leads"])
    assert "2" in answer["response"]
    assert 0 < answer["confidence"] <= 1

    generated = await post(
        filled,
        "generate-sql",
        {"prompt": "Get all active customers with their email and company name", "table_hints": ["customers"]},
    )
    assert generated["success"] is True
    assert generated["sql_query"] == "SELECT email, company_name FROM customers WHERE status = 'active'"
    assert generated["tables_referenced"] == ["customers"]
    assert generated["explanation"]
    # Nothing but the question is kept.
    assert [q["prompt"] for q in (await get(filled, "questions"))["questions"]] == [body["prompt"]]
    ran = await post(filled, "sql", {"sql": generated["sql_query"]})
    assert ran["data_csv"] == "email,company_name\nann@x.com,Acme\nbob@x.com,Beta\n"
    assert [column["name"] for column in ran["columns"]] == ["email", "company_name"]


async def test_what_is_not_understood_is_told_and_asked_about(filled: httpx.AsyncClient) -> None:
    answer = await post(filled, "query", {"prompt": "How many flurbs did the wibble frobnicate?"})
    assert (answer["success"], answer["executed_sql"], answer["data_csv"], answer["rows_returned"]) == (
        False,
        None,
        "",
        0,
    )
    assert answer["response"].endswith("?")
    assert answer["suggestions"]
    assert set(SPEC) <= set(answer)
    generated = await post(filled, "generate-sql", {"prompt": "flurbs of the wibble"})
    assert (generated["success"], generated["sql_query"], generated["tables_referenced"]) == (False, None, [])
    assert generated["explanation"].endswith("?")
    kept = (await get(filled, "questions"))["questions"][0]
    assert (kept["status"], kept["executed_sql"], kept["response"]) == ("unclear", None, answer["response"])


async def test_without_tables_there_is_nothing_to_ask(owner: httpx.AsyncClient) -> None:
    answer = await post(owner, "query", {"prompt": "How many leads are there?"})
    assert answer["success"] is False
    assert "no tables yet" in answer["response"]


async def test_limits(filled: httpx.AsyncClient) -> None:
    cut = await post(filled, "query", {"prompt": "Show all leads", "max_rows": 5})
    assert (cut["rows_returned"], cut["truncated"], len(rows(cut))) == (5, True, 5)
    whole = await post(filled, "query", {"prompt": "Show all leads", "max_rows": 12})
    assert (whole["rows_returned"], whole["truncated"]) == (12, False)
    cut = await post(filled, "sql", {"sql": "SELECT name FROM leads ORDER BY amount LIMIT 9", "max_rows": 2})
    assert (cut["data_csv"], cut["truncated"]) == ("name\nLead 0\nLead 1\n", True)
    good = {"prompt": "Show all leads"}
    for path, body in (
        ("query", good | {"max_rows": 0}),
        ("query", good | {"max_rows": 10_001}),
        ("query", good | {"max_rows": "5"}),
        ("query", {}),
        ("query", {"prompt": ""}),
        ("query", {"prompt": "x" * 4_001}),
        ("query", {"prompt": "a\0b"}),
        ("query", good | {"thread_id": "x" * 201}),
        ("query", good | {"thread_id": "a\0"}),
        ("query", [good]),
        ("generate-sql", {"prompt": "x" * 4_001}),
        ("generate-sql", good | {"table_hints": "leads"}),
        ("generate-sql", good | {"table_hints": ["leads"] * 51}),
        ("generate-sql", good | {"table_hints": ["a\0"]}),
        ("sql", {"sql": ""}),
        ("sql", {"sql": "SELECT 1", "max_rows": 10_001}),
        ("verified-questions", {"question": "x"}),
        ("glossary", {"term": "", "meaning": "x"}),
        ("glossary", {"term": "a\0", "meaning": "x"}),
    ):
        assert set(await post(filled, path, body, 422)) == {"detail"}, body
    for path, body, status in (
        ("query", {"prompt": "  \n "}, 400),
        ("query", good | {"table_name": "nope"}, 404),
        ("generate-sql", good | {"table_hints": ["leads", "nope"]}, 404),
        ("sql", {"sql": "SELECT nope FROM leads"}, 400),
        ("sql", {"sql": "DELETE FROM leads"}, 400),
        ("sql", {"sql": "SELECT 1; SELECT 2"}, 400),
        ("sql", {"sql": "SELECT * FROM atlas.api_keys"}, 400),
        ("sql", {"sql": "SELECT 1 / (amount - amount) FROM leads"}, 400),
    ):
        refused = await post(filled, path, body, status)
        assert set(refused) == {"detail"}, body
    raw = await filled.post("/api/v1/query", content=b"{", headers={"Content-Type": "application/json"})
    assert (raw.status_code, set(raw.json())) == (422, {"detail"})
    assert (await get(filled, "tables"))["tables"][1]["row_count"] == 12
    # A name as an import would spell it.
    assert (await post(filled, "query", good | {"table_name": "Leads"}))["success"] is True


async def test_every_endpoint_by_every_caller(client: Client, people: People, filled: httpx.AsyncClient) -> None:
    """A question is its user's, what it taught is the organization's, and neither is anybody else's."""
    asked = await post(filled, "query", {"prompt": "How many leads are there?", "thread_id": "t"})
    known = {"question": "Who won?", "sql": "SELECT name FROM leads WHERE status = 'won'"}
    verified = (await post(filled, "verified-questions", known))["verified_question"]["id"]
    term = {"term": "big", "meaning": "amount > 50", "table_name": "leads"}
    term_id = (await post(filled, "glossary", term))["term"]["id"]
    own, organization, readable = "own", "organization", "readable"
    routes: list[tuple[str, str, Any, str]] = [
        ("POST", "query", {"prompt": "How many leads are there?", "table_name": "leads"}, readable),
        ("POST", "generate-sql", {"prompt": "How many leads are there?", "table_hints": ["leads"]}, readable),
        ("POST", "sql", {"sql": "SELECT name FROM leads"}, readable),
        ("GET", f"questions/{asked['question_id']}", None, own),
        ("POST", f"questions/{asked['question_id']}/rating", {"rating": "up"}, own),
        ("PUT", f"verified-questions/{verified}", known, organization),
        ("PUT", f"glossary/{term_id}", term, organization),
        ("DELETE", f"verified-questions/{verified}", None, organization),
        ("DELETE", f"glossary/{term_id}", None, organization),
    ]
    for method, path, body, whose in routes:
        for key in (None, people.revoked, people.expired):
            refused = await client(key).request(method, f"/api/v1/{path}", json=body)
            assert (refused.status_code, set(refused.json())) == (401, {"detail"}), path
        stranger = await client(people.stranger).request(method, f"/api/v1/{path}", json=body)
        assert stranger.status_code == (400 if path == "sql" else 404), stranger.text
        colleague = await client(people.holder).request(method, f"/api/v1/{path}", json=body)
        assert colleague.status_code == (404 if whose == own else 200), f"{path}: {colleague.text}"
        if method != "DELETE":
            await change(filled, method, path, body)
    for key, counts in ((people.stranger, (0, 0, 0)), (people.holder, (1, 1, 0)), (people.owner, (2, 1, 0))):
        for path, count in zip(("questions", "verified-questions", "glossary"), counts, strict=True):
            found = await get(client(key), path)
            assert (found["total_count"], found["limit"], found["offset"]) == (count, 50, 0), path
    for path in ("questions", "verified-questions", "glossary"):
        assert (await client(None).get(f"/api/v1/{path}")).status_code == 401


async def test_a_shared_dataset_as_long_as_it_is_shared(client: Client, people: People) -> None:
    owner, holder, stranger = (client(key) for key in (people.owner, people.holder, people.stranger))
    dataset = await make_dataset(owner, name="prices")
    stamps = [f"2026-01-0{day}T10:00:00Z" for day in range(1, 6)]
    data = [{"timestamp": stamp, "values": {"open": 100 + n, "note": "x"}} for n, stamp in enumerate(stamps)]
    inserted = await owner.post("/api/rows/bulk_insert/", json={"dataset": dataset, "rows": data})
    inserted.raise_for_status()
    body = {"prompt": "How many prices are there?", "table_name": "prices"}
    assert rows(await post(owner, "query", body)) == [{"count": "5"}]
    known = {"question": "The highest price?", "sql": "SELECT max(open) AS highest FROM prices"}
    await post(owner, "verified-questions", known)
    await post(owner, "glossary", {"term": "dear", "meaning": "open > 102", "table_name": "prices"})
    for other in (holder, stranger):
        await post(other, "query", body, 404)
    assert (await get(holder, "verified-questions"))["total_count"] == 0
    assert (await get(holder, "glossary"))["terms"] == []

    tagged = await owner.post(f"/api/datasets/{dataset}/tags/", json={"tag_name": "public"})
    assert tagged.status_code in (200, 201), tagged.text
    tag = next(t["id"] for t in (await owner.get(f"/api/datasets/{dataset}/tags/")).json() if t["name"] == "public")
    for other in (holder, stranger):
        await other.post("/api/tags/acquire/", json={"tag_name": "public"})
        assert rows(await post(other, "query", body)) == [{"count": "5"}]
        made = await post(other, "sql", {"sql": "SELECT ts, open FROM prices ORDER BY ts LIMIT 1"})
        assert made["data_csv"] == "ts,open\n2026-01-01T10:00:00Z,100\n"
    shared = await post(holder, "query", {"prompt": "the highest price"})
    assert (shared["engine"], rows(shared)) == ("verified", [{"highest": "104"}])
    dear = await post(holder, "query", {"prompt": "How many dear prices are there?"})
    assert rows(dear) == [{"count": "2"}]
    # Another organization may read the rows, but not what was said about them.
    assert (await get(stranger, "verified-questions"))["total_count"] == 0
    assert (await post(stranger, "query", {"prompt": "the highest price"}))["engine"] == "offline"
    # A colleague's own dataset of that name is another one, to which the verified SQL does not apply.
    (await owner.delete(f"/api/datasets/{dataset}/tags/{tag}/")).raise_for_status()
    for other in (holder, stranger):
        await post(other, "query", body, 404)
        await post(other, "sql", {"sql": "SELECT ts FROM prices"}, 400)
    assert (await get(holder, "verified-questions"))["total_count"] == 0
    await make_dataset(holder, name="prices")
    assert (await post(holder, "query", {"prompt": "the highest price"}))["engine"] == "offline"


async def test_sql_by_the_names_of_datasets(client: Client, people: People, filled: httpx.AsyncClient) -> None:
    """Of many datasets those that SQL names are found: in any case, with the number where a name is taken."""
    first, second, third = [
        await make_dataset(filled, name="Wind Speed"),
        await make_dataset(filled, name="windSpeed"),
        await make_dataset(filled, name="leads"),
    ]
    hidden = await make_dataset(client(people.stranger), name="wind")
    for dataset in (first, second, third):
        row = {"dataset": dataset, "timestamp": "2026-01-01T10:00:00Z", "values": {"number": dataset}}
        (await filled.post("/api/rows/", json=row)).raise_for_status()

    async def number(source: str, status: int = 200) -> Any:
        return await post(filled, "sql", {"sql": f"SELECT sum(number) AS n FROM {source}"}, status)

    for dataset, name in (
        (first, "wind_speed"),
        (first, "WIND_SPEED"),
        (first, '"wind_speed"'),
        (second, f"wind_speed_{second}"),
        (third, f"Leads_{third}"),
    ):
        assert rows(await number(name)) == [{"n": str(dataset)}]
    joined = await post(
        filled, "sql", {"sql": f"SELECT a.number + b.number AS n FROM wind_speed a, wind_speed_{second} b"}
    )
    assert rows(joined) == [{"n": str(first + second)}]
    assert rows(await post(filled, "sql", {"sql": "SELECT count(*) AS n FROM leads"})) == [{"n": "12"}]
    for name in ('"Wind_Speed"', "wind", f"wind_{hidden}", f"dataset_{first}", "wind_speed_0"):
        assert "no table named" in (await number(name, 400))["detail"]
    taken = await post(filled, "sql", {"sql": "WITH Wind_Speed AS (SELECT 1 AS n) SELECT n FROM wind_speed"}, 400)
    assert "has the name of a table" in taken["detail"]


async def test_verified_questions(client: Client, people: People, filled: httpx.AsyncClient) -> None:
    known = {"question": " How many  did we win? ", "sql": "select count(*) as wins from leads where status = 'won';"}
    made = (await post(filled, "verified-questions", known))["verified_question"]
    assert made["question"] == "How many did we win?"
    assert made["sql"] == "SELECT COUNT(*) AS wins FROM leads WHERE status = 'won'"
    assert (made["status"], made["source"], made["tables"], made["created_by"]) == (
        "verified",
        "user",
        ["leads"],
        "owner",
    )
    answer = await post(client(people.holder), "query", {"prompt": "how many did we WIN"})
    assert (answer["engine"], answer["confidence"], answer["executed_sql"]) == ("verified", 1.0, made["sql"])
    assert answer["data_csv"] == "wins\n3\n"
    generated = await post(filled, "generate-sql", {"prompt": "How many did we win?"})
    assert (generated["engine"], generated["sql_query"]) == ("verified", made["sql"])
    # Only where its tables are asked about.
    hinted = await post(filled, "query", {"prompt": "How many did we win?", "table_name": "customers"})
    assert hinted["engine"] == "offline"
    assert "verified already" in (await post(filled, "verified-questions", known, 400))["detail"]
    for sql, reason in (
        ("SELECT nope FROM leads", "nope"),
        ("DROP TABLE leads", "Query refused"),
        ("SELECT name + 1 FROM leads", "Query refused"),
        ("SELECT count(*) FROM pg_roles", "pg_roles"),
    ):
        assert reason in (await post(filled, "verified-questions", {"question": "Q?", "sql": sql}, 400))["detail"]
        place = f"verified-questions/{made['id']}"
        assert reason in (await change(filled, "PUT", place, {"sql": sql}, 400))["detail"]
    await change(filled, "PUT", f"verified-questions/{made['id']}", {"status": "suggested"})
    assert (await post(filled, "query", {"prompt": "How many did we win?"}))["engine"] == "offline"
    await get(filled, "verified-questions?status=nope", 400)
    assert (await get(filled, "verified-questions?status=suggested"))["total_count"] == 1
    assert (await change(filled, "DELETE", f"verified-questions/{made['id']}"))["id"] == made["id"]
    for place in (f"verified-questions/{made['id']}", f"verified-questions/{NOBODY}", "verified-questions/nonsense"):
        await change(filled, "DELETE", place, status=404)
        await change(filled, "PUT", place, {"status": "verified"}, 404)


async def test_a_verified_question_that_fails_leaves_the_answer_to_an_engine(filled: httpx.AsyncClient) -> None:
    """PostgreSQL plans it, and so would again, but it cannot be run."""
    broken = {"question": "How many leads are there?", "sql": "SELECT 1 / (count(*) - count(*)) AS n FROM leads"}
    await post(filled, "verified-questions", broken)
    answer = await post(filled, "query", {"prompt": "How many leads are there?"})
    assert (answer["success"], answer["engine"], rows(answer)) == (True, "offline", [{"count": "12"}])
    assert "division by zero" in answer["notes"][0]
    # One whose table is gone is passed over.
    done = await send(filled, "Import into gone", b"a\n1\n")
    await post(filled, "verified-questions", {"question": "How many customers?", "sql": "SELECT count(*) FROM gone"})
    await post(filled, f"import/{done['import_id']}/undo", {})
    answer = await post(filled, "query", {"prompt": "How many customers?"})
    assert (answer["engine"], rows(answer)) == ("offline", [{"count": "3"}])


async def test_ratings_suggest_verified_questions(client: Client, people: People, filled: httpx.AsyncClient) -> None:
    asked = await post(filled, "query", {"prompt": "How many leads per status?"})
    place = f"questions/{asked['question_id']}"
    rated = await post(filled, f"{place}/rating", {"rating": "up", "comment": "fine"})
    again = await post(filled, f"{place}/rating", {"rating": "up"})
    assert again["suggestion_id"] == rated["suggestion_id"]
    found = (await get(client(people.holder), "verified-questions"))["verified_questions"]
    assert [(one["id"], one["status"], one["source"], one["sql"]) for one in found] == [
        (rated["suggestion_id"], "suggested", "rating", asked["executed_sql"])
    ]
    # A suggestion does not answer before somebody accepts it.
    assert (await post(filled, "query", {"prompt": "How many leads per status?"}))["engine"] == "offline"
    await post(filled, f"{place}/rating", {"rating": "down", "comment": "closed ones are missing"})
    assert (await get(filled, "verified-questions"))["total_count"] == 0
    shown = (await get(filled, place))["question"]
    assert (shown["rating"], shown["rating_comment"]) == ("down", "closed ones are missing")
    own = "SELECT status, count(*) AS n FROM leads GROUP BY status ORDER BY status"
    await post(filled, f"{place}/rating", {"rating": "down", "corrected_sql": "SELECT x FROM leads"}, 400)
    better = await post(filled, f"{place}/rating", {"rating": "down", "corrected_sql": own})
    accepted = await change(
        client(people.holder), "PUT", f"verified-questions/{better['suggestion_id']}", {"status": "verified"}
    )
    assert accepted["verified_question"]["status"] == "verified"
    answer = await post(filled, "query", {"prompt": "how many leads per status"})
    assert (answer["engine"], answer["data_csv"]) == ("verified", "status,n\nopen,9\nwon,3\n")
    # What a person has accepted is no rating's any more.
    await post(filled, f"{place}/rating", {"rating": "down"})
    other = await post(filled, f"{place}/rating", {"rating": "up"})
    assert other["suggestion_id"] not in (None, better["suggestion_id"])
    await change(filled, "PUT", f"verified-questions/{better['suggestion_id']}", {"status": "suggested"})
    await change(filled, "PUT", f"verified-questions/{better['suggestion_id']}", {"status": "verified"})
    # It is known already, so its rating teaches nothing.
    rated = await post(filled, f"questions/{answer['question_id']}/rating", {"rating": "up"})
    assert rated["suggestion_id"] is None
    unclear = await post(filled, "query", {"prompt": "flurbs of the wibble"})
    rated = await post(filled, f"questions/{unclear['question_id']}/rating", {"rating": "up"})
    assert rated["suggestion_id"] is None
    for body, status in (({"rating": "best"}, 422), ({}, 422), ({"rating": "up", "comment": "x" * 2_001}, 422)):
        await post(filled, f"{place}/rating", body, status)
    for other in (NOBODY, "nonsense"):
        await post(filled, f"questions/{other}/rating", {"rating": "up"}, 404)
        await get(filled, f"questions/{other}", 404)


async def test_the_glossary(filled: httpx.AsyncClient) -> None:
    term = {"term": "hot", "meaning": "status in ('won') and amount > 0", "table_name": "leads"}
    made = (await post(filled, "glossary", term))["term"]
    assert {name: made[name] for name in term} == term
    answer = await post(filled, "query", {"prompt": "How many hot leads are there?"})
    assert rows(answer) == [{"count": "2"}]
    assert "already" in (await post(filled, "glossary", {"term": "HOT", "meaning": "x"}, 400))["detail"]
    for meaning in (
        "nope = 1",
        "amount = 'x'",
        "1 = 1) OR (1 = 1",
        "amount > 0; DROP TABLE x",
        "good ones",
        "_row > 1",
    ):
        refused = await post(filled, "glossary", term | {"term": "new", "meaning": meaning}, 400)
        assert "Invalid condition" in refused["detail"]
    await post(filled, "glossary", term | {"term": "new", "table_name": "nope"}, 404)
    words = (await post(filled, "glossary", {"term": "ARR", "meaning": "yearly revenue; it's 12 x MRR"}))["term"]
    assert words["table_name"] is None
    assert [one["term"] for one in (await get(filled, "glossary"))["terms"]] == ["ARR", "hot"]
    assert [one["term"] for one in (await get(filled, "glossary?limit=1&offset=1"))["terms"]] == ["hot"]
    await change(filled, "PUT", f"glossary/{made['id']}", {"term": "arr", "meaning": "x"}, 400)
    await change(filled, "PUT", f"glossary/{made['id']}", term | {"meaning": "amount >= 0 and status = 'won'"})
    assert rows(await post(filled, "query", {"prompt": "How many hot leads are there?"})) == [{"count": "3"}]
    await change(filled, "DELETE", f"glossary/{made['id']}")
    for place in (f"glossary/{made['id']}", "glossary/nonsense"):
        await change(filled, "DELETE", place, status=404)
        await change(filled, "PUT", place, term, 404)


async def test_questions_at_once(client: Client, people: People, filled: httpx.AsyncClient) -> None:
    async def one(number: int) -> None:
        key = people.owner if number % 2 else people.holder
        body = {"prompt": f"Show all leads with amount over {number * 10}", "thread_id": "same"}
        answer = await post(client(key), "query", body)
        assert answer["rows_returned"] == 11 - number, answer

    await asyncio.gather(*(one(number) for number in range(11)))
    for key, count in ((people.owner, 5), (people.holder, 6)):
        assert (await get(client(key), "questions?thread_id=same&limit=2"))["total_count"] == count
    assert (await get(filled, "questions?thread_id=other"))["questions"] == []


# The service with engines that do as they are told.


class Models:
    """An organization's model that answers with `plan`, or fails."""

    def __init__(self, plan: QuestionPlan | None = None, failure: str | None = None) -> None:
        self._plan, self._failure = plan, failure
        self.refusals: list[str | None] = []
        self.asked: list[Question] = []

    async def engine_for(self, caller: Caller) -> Any:
        return None if self._plan is None and self._failure is None else self

    async def plan(self, question: Question, check: Any) -> QuestionPlan:
        self.asked.append(question)
        if self._failure is not None:
            raise ModelError(self._failure)
        assert self._plan is not None
        if self._plan.sql is not None:
            self.refusals += [await check("SELECT nope FROM leads"), await check(self._plan.sql)]
        return self._plan


class Planner:
    """An offline engine that keeps what it is asked."""

    def __init__(self, sql: str | None = "SELECT count(*) AS n FROM leads") -> None:
        self.sql = sql
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> QuestionPlan:
        self.asked.append(question)
        chart = Chart("number", None, ("n",))
        state = f"state of {question.text}"
        return QuestionPlan(sql=self.sql, confidence=0.9, state=state, chart=chart, assumptions=("all leads",))


@contextlib.asynccontextmanager
async def service(url: str, planner: Planner, models: Models | None = None) -> AsyncIterator[QuestionService]:
    database = Database(url, pool_size=4, statement_timeout=30)
    await database.open()
    sql = SqlService(database, lambda: "a secret of the tests", Lane("queries", 4, 1))
    verified, glossary = VerifiedService(database, sql), GlossaryService(database, sql)
    try:
        yield QuestionService(database, sql, verified, glossary, models or Models(), planner)  # type: ignore[arg-type]
    finally:
        await database.close()


async def caller_of(url: str, key: str) -> Caller:
    database = Database(url, pool_size=1, statement_timeout=30)
    await database.open()
    try:
        return await AccessService(database).authenticate(key)
    finally:
        await database.close()


async def test_a_thread_is_its_users(filled: httpx.AsyncClient, database_url: str, people: People) -> None:
    owner, holder = [await caller_of(database_url, key) for key in (people.owner, people.holder)]
    planner = Planner()
    async with service(database_url, planner) as questions:
        first = await questions.ask(owner, "first")
        thread = first["thread_id"]
        assert asdict(first["chart"]) == {"kind": "number", "x": None, "y": ("n",)}
        assert first["assumptions"] == ("all leads",)
        for number in range(12):
            await questions.ask(owner, f"question {number}", thread_id=thread)
        await questions.ask(holder, "mine", thread_id=thread)
        await questions.ask(owner, "elsewhere", thread_id="another")
        planner.sql = None
        await questions.ask(owner, "unclear", thread_id=thread)
        await questions.ask(owner, "last", thread_id=thread)
    assert planner.asked[0].turns == ()
    assert [turn.question for turn in planner.asked[12].turns] == [f"question {number}" for number in range(1, 11)]
    assert planner.asked[12].turns[-1].state == "state of question 10"
    assert planner.asked[12].turns[-1].sql == "SELECT COUNT(*) AS n FROM leads"
    assert (planner.asked[13].text, planner.asked[13].turns) == ("mine", ())
    assert (planner.asked[14].text, planner.asked[14].turns) == ("elsewhere", ())
    assert [turn.question for turn in planner.asked[16].turns] == [f"question {number}" for number in range(2, 12)]


async def test_what_an_engine_is_told(filled: httpx.AsyncClient, database_url: str, people: People) -> None:
    for question, sql, status in (
        ("How many leads did we win in May?", "SELECT 1 AS a FROM leads", "verified"),
        ("How many customers are there?", "SELECT 1 AS b FROM customers", "verified"),
        ("How many leads did we lose in May?", "SELECT 1 AS c FROM leads", "suggested"),
        ("zebra", "SELECT 1 AS d FROM leads", "verified"),
    ):
        await post(filled, "verified-questions", {"question": question, "sql": sql, "status": status})
    await post(filled, "glossary", {"term": "big", "meaning": "amount > 50", "table_name": "leads"})
    await post(filled, "glossary", {"term": "paying", "meaning": "status = 'active'", "table_name": "customers"})
    await post(filled, "glossary", {"term": "ARR", "meaning": "yearly revenue"})
    caller, planner, models = await caller_of(database_url, people.owner), Planner(), Models(failure="timed out")
    async with service(database_url, planner, models) as questions:
        await questions.ask(caller, "How many leads did we win in June?")
        await questions.ask(caller, "How many leads did we win in June?", table_name="leads")
        await questions.generate(caller, "How many leads?", ["leads", "customers"])
        with pytest.raises(BadRequestError):
            await questions.ask(caller, "x", max_rows=10_001)
        with pytest.raises(BadRequestError):
            await questions.ask(caller, "x\0")
    whole, hinted, both = planner.asked
    # Examples are for a model alone.
    assert [one.examples for one in planner.asked] == [(), (), ()]
    of_all, of_leads, _ = [[turn.sql for turn in one.examples] for one in models.asked]
    assert of_all == ["SELECT 1 AS a FROM leads", "SELECT 1 AS b FROM customers"]
    assert [term.name for term in whole.terms] == ["ARR", "big", "paying"]
    assert (whole.table, whole.today) == (None, datetime.now(UTC).date().isoformat())
    assert ([table.name for table in hinted.catalog.tables], hinted.table) == (["leads"], "leads")
    assert of_leads == ["SELECT 1 AS a FROM leads"]
    assert [term.name for term in hinted.terms] == ["ARR", "big"]
    assert (len(both.catalog.tables), both.table, both.turns) == (2, None, ())


async def test_the_model_answers_first(filled: httpx.AsyncClient, database_url: str, people: People) -> None:
    caller, planner = await caller_of(database_url, people.owner), Planner()
    good = Models(QuestionPlan(sql="SELECT max(amount) AS m FROM leads", confidence=0.8, explanation="The most."))
    async with service(database_url, planner, good) as questions:
        answer = await questions.ask(caller, "the most?")
        assert (answer["engine"], answer["data_csv"], answer["notes"]) == ("model", "m\n110\n", ())
        assert (await questions.generate(caller, "the most?"))["explanation"] == "The most."
    assert good.refusals[1] is None
    assert "nope" in str(good.refusals[0])
    asks_back = Models(QuestionPlan(question="Which leads?", not_understood=("wibble",)))
    async with service(database_url, planner, asks_back) as questions:
        answer = await questions.ask(caller, "the wibble?")
        assert (answer["engine"], answer["success"]) == ("model", False)
        assert answer["response"] == "I don't understand 'wibble'. Which leads?"
    assert planner.asked == []
    async with service(database_url, planner, Models(failure="timed out")) as questions:
        answer = await questions.ask(caller, "how many?")
        assert (answer["engine"], answer["data_csv"]) == ("offline", "n\n12\n")
        assert answer["notes"] == ("The model provider failed (timed out); the offline engine answered.",)
    # What PostgreSQL would plan may still fail when it is run.
    fails = Models(QuestionPlan(sql="SELECT 1 / (count(*) - 12) AS n FROM leads", confidence=0.8))
    async with service(database_url, planner, fails) as questions:
        answer = await questions.ask(caller, "how many?")
        assert (answer["engine"], answer["data_csv"]) == ("offline", "n\n12\n")
        assert "division by zero" in answer["notes"][0]


async def test_sql_of_an_engine_that_cannot_be_run(
    filled: httpx.AsyncClient, database_url: str, people: People
) -> None:
    caller = await caller_of(database_url, people.owner)
    for sql, reason in (
        ("SELECT 1 / (count(*) - 12) AS n FROM leads", "division by zero"),
        ("SELECT pg_sleep(1)", "pg_sleep"),
        ("SELECT * FROM customers, atlas.users", "not allowed"),
    ):
        async with service(database_url, Planner(sql)) as questions:
            answer = await questions.ask(caller, "how many?")
        assert (answer["success"], answer["executed_sql"], answer["confidence"]) == (False, None, 0.0)
        assert reason in answer["response"]
    kept = (await get(filled, "questions?limit=1"))["questions"][0]
    assert (kept["status"], kept["executed_sql"]) == ("failed", None)


@pytest.mark.parametrize("error", [UnavailableError("The query took too long", "ask for less"), NotFoundError("Gone")])
async def test_what_stops_a_query_is_kept_and_raised(
    filled: httpx.AsyncClient, database_url: str, people: People, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def run(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(SqlService, "run", run)
    async with service(database_url, Planner()) as questions:
        with pytest.raises(type(error)):
            await questions.ask(await caller_of(database_url, people.owner), "how many?")
    kept = (await get(filled, "questions"))["questions"]
    assert [(q["prompt"], q["status"], q["executed_sql"]) for q in kept] == [("how many?", "failed", None)]
    model = Models(QuestionPlan(sql="SELECT count(*) AS n FROM leads"))
    async with service(database_url, Planner(), model) as questions:
        with pytest.raises(type(error)):
            await questions.ask(await caller_of(database_url, people.owner), "how many by a model?")
    kept = (await get(filled, "questions"))["questions"]
    assert (kept[0]["prompt"], kept[0]["status"], kept[0]["engine"]) == ("how many by a model?", "failed", "model")


def test_wordings_that_are_the_same() -> None:
    assert normalized("  How MANY\nleads? ") == normalized("how many leads") == normalized("How many leads ?!")
    assert normalized("how many leads") != normalized("how many lead")
