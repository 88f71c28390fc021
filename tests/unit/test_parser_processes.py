"""Long texts are parsed in processes of their own: with the same results and errors, within limits, in turns."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from tests.sql_catalog import CATALOG

from atlas import parser_tasks
from atlas.errors import AtlasError, BadRequestError, UnavailableError
from atlas.kit.admission import serving
from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.offline.questions.planner import plan_question
from atlas.language.offline.records.parser import parse_records
from atlas.language.question import Question, Turn
from atlas.sqlgate.condition import parse_condition
from atlas.sqlgate.gate import check_query
from atlas.worker import SESSION_NICENESS
from atlas.workers.calls import INLINE_CHARACTERS, CallLimits, Calls, name_of
from atlas.workers.pool import WorkerPool
from atlas.workers.process import WorkerProcess

pytestmark = pytest.mark.anyio

LONG = INLINE_CHARACTERS + 1
NAMES = ["name", "email", "amount", "city"]
ASKED = {
    "sql": (check_query, "SELECT name FROM leads WHERE " + " OR ".join(f"amount > {n}" for n in range(90)), CATALOG),
    "refused sql": (check_query, "SELECT " + ",".join(f"pg_sleep({n})" for n in range(90)), CATALOG),
    "deep sql": (check_query, "SELECT " + "(" * 3_000 + "1" + ")" * 3_000, CATALOG),
    "condition": (parse_condition, "amount IN (" + ",".join(map(str, range(300))) + ")", NAMES),
    "refused condition": (parse_condition, " OR ".join(f"amont = {n}" for n in range(90)), NAMES),
    "instruction": (
        parse_import,
        "Import into q, only rows where " + " or ".join("amount > 5" for _ in range(60)),
        ["q"],
    ),
    "with headers": (parse_import, "Import into q, only id and amount, " * 20, ["q", "leads"], NAMES),
    "records": (parse_records, "Add a client named Ada Lovelace with email ada@example.com and city Paris. " * 9),
    "question": (
        plan_question,
        Question(
            text="how many leads have amount over 5 and " + " and ".join(f"name is a{n}" for n in range(60)),
            catalog=CATALOG,
            turns=(Turn("how many leads?", "SELECT count(*) FROM leads", None),),
            today="2026-12-01",
        ),
    ),
}


class Who:
    """A user with requests."""

    def __init__(self, user: int, organization: int) -> None:
        self.user_id, self.organization_id = user, organization


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(purpose="texts", most=2)
    _wait_for(made)
    yield made
    made.close()


def _wait_for(pool: WorkerPool) -> None:
    end = time.monotonic() + 60
    while not pool.is_ready() and time.monotonic() < end:
        time.sleep(0.05)


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except AtlasError as error:
        return type(error), error.message, error.details


async def _from(work: Any) -> Any:
    try:
        return await work
    except AtlasError as error:
        return type(error), error.message, error.details


@pytest.mark.parametrize("case", ASKED)
async def test_a_process_gives_what_a_thread_gives(
    case: str, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, *arguments = ASKED[case]
    expected = _outcome(lambda: function(*arguments))  # type: ignore[operator]
    taken: list[WorkerProcess] = []
    take = pool.take
    monkeypatch.setattr(pool, "take", lambda: taken.append(take()) or taken[-1])  # type: ignore[func-returns-value]
    assert await _from(Calls(pool).run(LONG, function, *arguments)) == expected  # type: ignore[arg-type]
    assert len(taken) == 1
    assert await _from(Calls(pool).run(LONG - 1, function, *arguments)) == expected  # type: ignore[arg-type]
    assert len(taken) == 1, "a short text stays with the server"


async def test_options_and_results_of_other_types_travel(pool: WorkerPool) -> None:
    text = "SELECT name FROM leads"
    found = await Calls(pool).run(LONG, check_query, text, CATALOG, max_rows=7)
    assert found == check_query(text, CATALOG, max_rows=7)
    assert "LIMIT 8" in found.physical


async def test_a_long_text_takes_no_time_of_the_server(pool: WorkerPool) -> None:
    text = ("Import into q, only rows where " + " or ".join(f"amount > {n}" for n in range(200)))[:8_000]
    parse_import(text[:200], ["q"], NAMES)
    begun = time.process_time()
    expected = parse_import(text, ["q"], NAMES)
    by_itself = time.process_time() - begun
    begun = time.process_time()
    assert await Calls(pool).run(len(text), parse_import, text, ["q"], NAMES) == expected
    assert time.process_time() - begun < by_itself / 4


async def test_nobody_waits_for_the_first_process() -> None:
    pool = WorkerPool(purpose="texts")
    try:
        text = "amount IN (" + ",".join(map(str, range(200))) + ")"
        begun = time.perf_counter()
        found = await Calls(pool).run(len(text), parse_condition, text, NAMES)
        assert time.perf_counter() - begun < 0.5
        assert found == parse_condition(text, NAMES)
    finally:
        pool.close()


async def test_a_process_comes_behind_the_server_and_ends_with_it(pool: WorkerPool) -> None:
    process = pool.take()
    pool.give(process)
    assert os.getsid(process.pid) == process.pid, "a session of its own, which Linux weighs against others"
    assert psutil.Process(process.pid).nice() >= min(19, psutil.Process().nice() + 10)
    group = f"/proc/{process.pid}/autogroup"
    if os.path.exists(group):
        with open(group) as file:
            assert f"nice {SESSION_NICENESS}" in file.read()


async def test_a_call_of_too_much_memory_is_refused(pool: WorkerPool) -> None:
    # So little that the process cannot even hold the text.
    small = Calls(pool, CallLimits(memory=2**20))
    with pytest.raises(BadRequestError) as found:
        await small.run(LONG, parse_records, "x" * 2**26)
    assert found.value.details == "parsing it took more memory than the limit of 1 MiB"
    assert await Calls(pool).run(LONG, parse_condition, "amount > 1", NAMES) == parse_condition("amount > 1", NAMES)


async def test_organizations_take_turns_and_a_caller_that_leaves_keeps_the_turn(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(pool)
    going, order = threading.Event(), list[int]()
    at_once: list[int] = []

    def call(given: WorkerPool, request: Any) -> bytes:
        at_once.append(len(at_once))
        going.wait(20)
        return b"\xc0"

    monkeypatch.setattr(calls, "_call", call)

    async def ask(who: Who) -> None:
        serving(who)
        await calls.run(LONG, _nothing)
        order.append(who.organization_id)

    quiet = asyncio.create_task(ask(Who(9, 2)))
    await asyncio.sleep(0.05)
    many = [asyncio.create_task(ask(Who(1, 1))) for _ in range(20)]
    await asyncio.sleep(0.1)
    assert len(at_once) == 3, "two of the organization that sends many, beside the other's"
    many[0].cancel()
    await asyncio.sleep(0.05)
    assert many[0].cancelled()
    assert len(at_once) == 3, "its process still works"
    later = asyncio.create_task(ask(Who(9, 2)))
    await asyncio.sleep(0.05)
    assert len(at_once) == 4, "another organization need not wait for their queue"
    going.set()
    await asyncio.gather(quiet, later, *many, return_exceptions=True)
    assert order.count(1) == 19


def _nothing() -> None:
    """Stands for a parser."""


def test_every_parser_is_known_by_its_name() -> None:
    assert all(parser_tasks.FUNCTIONS[name_of(function)] is function for function, *_ in ASKED.values())  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["stuck", "killed"])
async def test_a_process_that_ends_is_told_and_replaced(
    how: str, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_for(pool)
    take = pool.take

    def ended() -> WorkerProcess:
        process = take()
        process.wait_until_ready()
        os.kill(process.pid, signal.SIGSTOP if how == "stuck" else signal.SIGKILL)
        return process

    calls = Calls(pool, CallLimits(wall_seconds=0.3))
    with monkeypatch.context() as patch:
        patch.setattr(pool, "take", ended)
        with pytest.raises(AtlasError) as found:
            await calls.run(LONG, parse_condition, "amount > 1", NAMES)
    if how == "stuck":
        assert isinstance(found.value, BadRequestError)
        assert found.value.details == "parsing it took longer than the limit of 0.3 seconds"
    else:
        assert isinstance(found.value, UnavailableError)
    assert (await Calls(pool).run(LONG, parse_condition, "amount > 1", NAMES)).columns == {"amount"}
