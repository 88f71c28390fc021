"""The engine that asks a model, against a real server on loopback that answers well, badly, or not at all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from tests.model_server import (
    ModelServer,
    Received,
    Reply,
    break_off,
    drip,
    endless,
    hang_up,
    model_server,
    say,
    send,
    silent,
    write,
)

from atlas.catalog.model import Catalog, CatalogColumn, CatalogTable, Join
from atlas.errors import ModelError, UnavailableError
from atlas.kit.ssrf import Reach
from atlas.language.instructions import Filter
from atlas.language.llm.engine import ModelEngine, ModelSettings, Provider
from atlas.language.question import Chart, Question, Term, Turn
from atlas.llm.http_client import open_client
from atlas.tables.model import Rules, Table, TableColumn

pytestmark = pytest.mark.anyio
KEY = "sk-very-secret-4711"
CELL = "Zanzibar Trading"
CATALOG = Catalog(
    (
        CatalogTable(
            "orders",
            "s",
            "_table_1",
            row_count=120,
            key=("id",),
            samples=True,
            columns=(
                CatalogColumn("id", "bigint", low="900001", high="900120"),
                CatalogColumn("client_id", "bigint"),
                CatalogColumn("amount", "double", description="in euros"),
                CatalogColumn("status", "text", values=(CELL, "open"), complete=True),
            ),
        ),
        CatalogTable(
            "clients", "s", "_t2", (CatalogColumn("id", "bigint"), CatalogColumn("name", "text")), key=("id",)
        ),
    ),
    (Join("orders", "client_id", "clients", "id"),),
)
QUESTION = Question(
    text="What is the total amount by status?",
    catalog=CATALOG,
    today="2026-11-24",
    terms=(Term("big order", "amount > 1000", "orders"),),
    turns=(Turn("Show orders", "SELECT * FROM orders"),),
    examples=(Turn("How many orders?", "SELECT count(*) FROM orders"),),
)
SQL = "SELECT status, sum(amount) AS total FROM orders GROUP BY status"
GOOD = {
    "sql": SQL,
    "explanation": "Adds up amounts by status.",
    "assumptions": ["amount is in euros"],
    "not_understood": [],
    "chart": {"kind": "bar", "x": "status", "y": ["total"]},
    "confidence": 0.9,
}
TABLES = [Table(1, "clients", "s", (TableColumn("name", "text"), TableColumn("email", "text")), key=("email",))]


async def passes(sql: str) -> str | None:
    return None


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[Any]:
    made = open_client(Reach(anywhere=True))
    yield made
    await made.aclose()


@pytest.fixture
def engine(server: ModelServer, client: Any) -> ModelEngine:
    return ModelEngine(ModelSettings("openai", "coder", server.url, KEY, timeout=10), client)


@pytest.fixture
def claude(server: ModelServer, client: Any) -> ModelEngine:
    return ModelEngine(ModelSettings("anthropic", "claude", server.url.removesuffix("/v1"), KEY, timeout=10), client)


@pytest.fixture(params=["openai", "anthropic"])
def either(request: pytest.FixtureRequest, engine: ModelEngine, claude: ModelEngine) -> ModelEngine:
    return engine if request.param == "openai" else claude


def sent(server: ModelServer, number: int = 0) -> str:
    """What the server received, without the escapes of JSON in JSON."""
    return server.seen[number].raw.decode().replace("\\", "")


async def test_a_good_answer_becomes_a_plan(either: ModelEngine, server: ModelServer) -> None:
    server.will(say(GOOD))
    seen = []

    async def check(sql: str) -> str | None:
        seen.append(sql)
        return None

    plan = await either.plan(QUESTION, check)
    assert (plan.sql, seen) == (SQL, [SQL])
    assert (plan.explanation, plan.assumptions, plan.confidence) == (
        "Adds up amounts by status.",
        ("amount is in euros",),
        0.9,
    )
    assert plan.chart == Chart("bar", "status", ("total",))
    assert (plan.question, plan.not_understood) == (None, ())
    received = server.seen[0]
    assert received.path == ("/v1/messages" if either.settings.provider == "anthropic" else "/v1/chat/completions")
    assert KEY in received.headers.get("authorization", "") + received.headers.get("x-api-key", "")
    assert KEY.encode() not in received.raw.split(b"\r\n\r\n", 1)[1]
    told = sent(server)
    for part in (
        '"orders"',
        '"client_id"',
        '"rows":120',
        "in euros",
        "big order",
        "How many orders?",
        "Show orders",
        "2026-11-24",
        QUESTION.text,
        '[["orders","client_id"],["clients","id"]]',
    ):
        assert part in told, part


@pytest.mark.parametrize("allowed", [False, True])
async def test_values_of_cells_are_sent_only_if_allowed(server: ModelServer, client: Any, allowed: bool) -> None:
    settings = ModelSettings("openai", "coder", server.url, None, samples=allowed, timeout=10)
    server.will(say(GOOD))
    await ModelEngine(settings, client).plan(QUESTION, passes)
    for cell in (CELL, "900001", "900120"):
        assert (cell in sent(server)) is allowed, cell
    server.will(say({"table": "clients"}))
    await ModelEngine(settings, client).import_instruction("Import", ["Firm"], [[CELL]], TABLES)
    assert (CELL in sent(server)) is allowed
    assert "Firm" in sent(server)


async def test_it_may_ask_back(engine: ModelEngine, server: ModelServer) -> None:
    server.will(say({"sql": "", "clarifying_question": "Which year?", "confidence": 30}))
    plan = await engine.plan(QUESTION, passes)
    assert (plan.sql, plan.question, plan.confidence, plan.chart) == (None, "Which year?", 0.3, None)


async def test_text_with_json_will_do(engine: ModelEngine, claude: ModelEngine, server: ModelServer) -> None:
    """Small models answer in text although they are told to call a tool."""
    server.will(write(f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nAnything else?"))
    assert (await engine.plan(QUESTION, passes)).sql == SQL
    assert (await claude.plan(QUESTION, passes)).sql == SQL


@pytest.mark.parametrize(
    ("provider", "model", "forced"),
    [
        ("openai", "qwen2.5-coder-7b-instruct", "required"),
        ("openai", "openai/gpt-oss-20b", "auto"),
        ("openai", "gpt-5.5", "required"),
        ("openai", "o3", "required"),
        ("anthropic", "claude-sonnet-4-6", "any"),
        ("anthropic", "claude-opus-5-5", "auto"),
    ],
)
async def test_models_are_told_to_call_the_tool_as_far_as_they_can(
    server: ModelServer, client: Any, provider: Provider, model: str, forced: str
) -> None:
    """Some refuse to be forced, some refuse a temperature; neither may fail or warn."""
    url = server.url if provider == "openai" else server.url.removesuffix("/v1")
    server.will(say(GOOD))
    plan = await ModelEngine(ModelSettings(provider, model, url, KEY, timeout=10), client).plan(QUESTION, passes)
    assert plan.sql == SQL
    body = server.seen[0].body
    choice = body["tool_choice"]
    assert (choice if isinstance(choice, str) else choice["type"]) == forced
    assert body.get("max_tokens", body.get("max_completion_tokens")) == (16_000 if provider == "anthropic" else 4_000)
    assert ("temperature" in body) is (provider == "openai" and model not in ("gpt-5.5", "o3"))


async def test_sql_is_repaired_twice_at_most(either: ModelEngine, server: ModelServer) -> None:
    tried: list[str] = []

    async def check(sql: str) -> str | None:
        tried.append(sql)
        return None if sql == "SELECT 3" else f"no column {sql[-1]} in this table"

    server.will(*(say(GOOD | {"sql": f"SELECT {number}"}) for number in (1, 2, 3)))
    assert (await either.plan(QUESTION, check)).sql == "SELECT 3"
    assert tried == ["SELECT 1", "SELECT 2", "SELECT 3"]
    # The model is told what was wrong, and sees its earlier tries.
    assert "no column 1 in this table" in sent(server, 1)
    assert "no column 2 in this table" in sent(server, 2)
    tried.clear()
    server.will(say(GOOD | {"sql": "SELECT 0"}))
    with pytest.raises(ModelError, match="failed") as failed:
        await either.plan(QUESTION, check)
    assert failed.value.reason == "its answers did not pass the check"
    assert len(tried) == len(server.seen) == 3


async def test_what_the_check_raises_is_raised(engine: ModelEngine, server: ModelServer) -> None:
    async def check(sql: str) -> str | None:
        raise UnavailableError("Database unavailable", "gone")

    server.will(say(GOOD))
    with pytest.raises(UnavailableError, match="Database"):
        await engine.plan(QUESTION, check)
    assert len(server.seen) == 1


UNUSABLE = "its answer could not be used"
FAILURES: list[tuple[str, Reply, str]] = [
    ("malformed JSON", say('{"sql": "SELECT'), UNUSABLE),
    ("wrong types", say(GOOD | {"sql": {"a": 1}, "chart": "bar"}), UNUSABLE),
    ("neither", say({"explanation": "hm"}), UNUSABLE),
    ("both", say(GOOD | {"clarifying_question": "Or?"}), UNUSABLE),
    ("a list", say([1, 2]), UNUSABLE),
    ("prose", write("I would rather not."), UNUSABLE),
    ("an empty text", write(""), UNUSABLE),
    ("cut off", write('{"sql": "SELE', "length"), UNUSABLE),
    ("a page", send(200, f"<html>{KEY}</html>", content_type="text/html"), UNUSABLE),
    ("an empty body", send(200, b""), UNUSABLE),
    ("no choices", send(200, "{}"), UNUSABLE),
    ("null", send(200, "null"), UNUSABLE),
    ("deep", send(200, "[" * 50_000), UNUSABLE),
    ("not UTF-8", send(200, b'{"choices": "\xff\xfe"}'), UNUSABLE),
    ("400", send(400, json.dumps({"error": {"message": f"bad {KEY}"}})), "it refused the request (HTTP 400)"),
    ("401", send(401, json.dumps({"error": {"message": f"bad {KEY}"}})), "it refused the API key (HTTP 401)"),
    ("404", send(404, ""), "it does not know the model or the address (HTTP 404)"),
    ("429", send(429, "", retry_after="60"), "its rate limit or quota is used up (HTTP 429)"),
    ("500", send(500, "x" * 10_000), "it has an error (HTTP 500)"),
    ("529", send(529, ""), "it is overloaded (HTTP 529)"),
    ("redirect", send(307, "", location="http://169.254.169.254/"), "redirects are not followed"),
    ("compressed", send(200, b"\x1f\x8b", content_encoding="gzip"), "the answer is compressed"),
    ("hang up", hang_up, "the answer is not valid HTTP"),
    ("break off", break_off, "the answer is not valid HTTP"),
    ("endless", endless, "the answer is too long"),
]


@pytest.mark.parametrize(("reply", "reason"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES])
async def test_failures(
    either: ModelEngine,
    server: ModelServer,
    reply: Reply,
    reason: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server.will(reply)
    started = time.monotonic()
    with pytest.raises(ModelError) as failed:
        await either.plan(QUESTION, passes)
    assert failed.value.reason == reason
    assert time.monotonic() - started < 5
    assert len(server.seen) <= 3
    logged = caplog.text + "".join(capfd.readouterr())
    assert KEY not in logged + repr(failed.value) + repr(either.settings)


@pytest.mark.parametrize("reply", [silent, drip])
async def test_a_call_takes_no_longer_than_it_may(
    either: ModelEngine, server: ModelServer, client: Any, reply: Reply
) -> None:
    server.will(say({"ready": True}))
    await either.ping()
    server.will(reply)
    started = time.monotonic()
    with pytest.raises(ModelError) as failed:
        await ModelEngine(replace(either.settings, timeout=0.4), client).plan(QUESTION, passes)
    assert failed.value.reason == "timed out"
    assert time.monotonic() - started < 3


async def test_the_time_of_all_tries_counts_together(engine: ModelEngine, server: ModelServer, client: Any) -> None:
    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await say(GOOD)(request, writer)

    async def check(sql: str) -> str | None:
        return "no"

    server.will(say({"ready": True}))
    await engine.ping()
    server.will(slow)
    with pytest.raises(ModelError, match="failed") as failed:
        await ModelEngine(replace(engine.settings, timeout=0.5), client).plan(QUESTION, check)
    assert failed.value.reason == "timed out"


async def test_the_time_of_a_check_is_not_the_models(engine: ModelEngine, server: ModelServer, client: Any) -> None:
    """It may run the query, which has a time of its own."""

    async def check(sql: str) -> str | None:
        await asyncio.sleep(1.5)
        return None

    server.will(say({"ready": True}))
    await engine.ping()
    server.will(say(GOOD))
    found = await ModelEngine(replace(engine.settings, timeout=1), client).plan(QUESTION, check)
    assert found.sql == GOOD["sql"]


async def test_import_instructions(engine: ModelEngine, server: ModelServer) -> None:
    server.will(
        say(
            {
                "table": "clients",
                "new_table": False,
                "only_columns": ["Name", "Email"],
                "key_columns": ["email"],
                "duplicates": "update",
                "filters": [[{"column": "age", "operator": ">", "values": [18]}], []],
                "rename": [{"column": "Full Name", "name": "name"}],
                "types": [{"column": "zip", "type": "text"}],
                "rules": [{"column": "age", "minimum": 0}],
                "required": ["email"],
                "new_columns": "freeze",
                "day_first": True,
                "drop_columns": None,
                "not_understood": ["please"],
                "sheet": "null",
            }
        )
    )
    text = (
        "Update clients, only Name and E-Mail, age over 18, zip as text, age is positive, Full Name is the name, please"
    )
    said = await engine.import_instruction(text, [], [], TABLES)
    assert (said.table, said.new, said.keep, said.key) == ("clients", False, ("Name", "Email"), ("email",))
    assert (said.duplicates, said.policy, said.day_first, said.sheet) == ("update", "freeze", True, None)
    assert said.filters == ((Filter("age", ">", ("18",)),),)
    assert (said.rename, said.types, said.rules) == ({"Full Name": "name"}, {"zip": "text"}, {"age": Rules(minimum=0)})
    assert (said.drop, said.required, said.not_understood) == ((), ("email",), ("please",))
    assert '"email":"VARCHAR"' in sent(server)
    for bad in (
        {"duplicates": "explode"},
        {"filters": [[{"column": "a", "operator": "between", "values": ["1"]}]]},
        {"types": [{"column": "a", "type": "money"}]},
        {"only_columns": [""]},
        {"key_columns": ["phone"]},
        {"filters": [[{"column": "email", "operator": "=", "values": ["x@y.z"]}]]},
    ):
        server.will(say(bad))
        with pytest.raises(ModelError):
            await engine.import_instruction("Do it", [], [], TABLES)
        assert len(server.seen) == 3


async def test_record_instructions(engine: ModelEngine, server: ModelServer) -> None:
    text = "Please add the client **Acme  Corp**, mail billing@acme.com, 40 employees"
    data = [{"field": "name", "value": "Acme Corp"}, {"field": "employees", "value": 40}]
    entity = {"entity_type": "client", "table_hint": "clients", "data": data}
    server.will(say({"intent": "insert", "entities": [entity]}))
    said = await engine.record_instruction(text, TABLES)
    assert (said.intent, said.question) == ("insert", None)
    assert said.entities[0].data == {"name": "Acme Corp", "employees": "40"}
    assert (said.entities[0].entity_type, said.entities[0].table_hint) == ("client", "clients")
    server.will(say({"clarifying_question": "Which one?"}))
    assert (await engine.record_instruction(text, TABLES)).question == "Which one?"


@pytest.mark.parametrize(
    "answer",
    [
        {"intent": "insert", "entities": [{"data": [{"field": "phone", "value": "+1 555"}]}]},
        {"intent": "archive", "entities": [{"match": [{"field": "name", "value": "Everybody"}]}]},
        {"intent": "archive", "entities": [{}]},
        {"intent": "update", "entities": [{"match": [{"field": "name", "value": "Acme"}]}]},
        {"intent": "insert", "entities": []},
        {"intent": "truncate", "entities": [{"data": [{"field": "name", "value": "Acme"}]}]},
        {},
    ],
)
async def test_records_are_not_invented(engine: ModelEngine, server: ModelServer, answer: dict[str, Any]) -> None:
    server.will(say(answer))
    with pytest.raises(ModelError):
        await engine.record_instruction("Add the client Acme", TABLES)
    assert len(server.seen) == 3


async def test_texts_that_are_too_long_are_not_cut(engine: ModelEngine, server: ModelServer) -> None:
    for call in (
        engine.record_instruction("x" * 30_001, TABLES),
        engine.import_instruction("x" * 4_001, [], [], TABLES),
    ):
        with pytest.raises(ModelError, match="failed") as failed:
            await call
        assert "characters" in failed.value.reason
    assert not server.seen
