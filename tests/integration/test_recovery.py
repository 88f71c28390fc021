"""What faults found, each by itself: streams past a gap, imports of unclear fate, jobs that the database failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pyarrow as pa
import pytest
from starlette.exceptions import HTTPException
from tests.conftest import People, caller_of, new_dataset

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.app import create_app
from atlas.db.database import Database
from atlas.db.job_queue import JobQueue
from atlas.errors import BadRequestError, UnavailableError, is_disk_full
from atlas.imports import repository as imports
from atlas.kit.admission import Lane
from atlas.settings import Settings
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest import transaction
from atlas.timeseries.stream import StreamService, _Piece, _Reader
from atlas.web.middleware import last_resort

pytestmark = pytest.mark.anyio


@pytest.fixture
async def caller(database: Database, people: People) -> Caller:
    return await caller_of(database, people.owner)


async def test_a_stream_past_a_gap_repeats_nothing_that_came_meanwhile(
    database: Database, people: People, caller: Caller
) -> None:
    dataset = await new_dataset(database, people)

    async def ten() -> AsyncIterator[Frame]:
        yield Frame(pa.array(range(10)).cast(pa.timestamp("us", "UTC")), {"n": pa.array(range(10))})

    await transaction.insert(database, dataset, ten(), lambda rows: rows)
    streams = StreamService(database, AccessService(database), Lane("streams", 1, 1))
    reader = _Reader(1.0, caller, (dataset, ()))
    # It has seen 2, and missed 3 and 4. The database gives all up to 10 at once, so the second piece is old.
    for piece in (_Piece(4, 6, b"never sent"), _Piece(6, 8, b"sent twice")):
        reader.give(piece)
    text, events = b"", streams._events(reader, 2, 2)
    async for sent in events:
        text += sent
        if b"heartbeat" in sent:
            break
    await events.aclose()
    ids = [int(line[4:]) for line in text.decode().splitlines() if line.startswith("id: ")]
    assert ids == [2, *range(3, 11)]
    assert b"twice" not in text


async def test_a_stream_that_joins_late_reads_what_the_others_were_given(
    database: Database, people: People, caller: Caller
) -> None:
    dataset = await new_dataset(database, people)

    async def one() -> AsyncIterator[Frame]:
        yield Frame(pa.array([0]).cast(pa.timestamp("us", "UTC")), {"n": pa.array([1])})

    streams = StreamService(database, AccessService(database), Lane("streams", 4, 1))
    early = await streams.open(caller, dataset, 60, None)
    assert b"event: connected" in await anext(early)
    late = await streams.open(caller, dataset, 60, None)
    await transaction.insert(database, dataset, one(), lambda rows: rows)
    streams.wake(dataset)
    given = await anext(early)
    assert given.startswith(b"id: 1\nevent: data")
    assert b"event: connected" in await anext(late)
    async with asyncio.timeout(10):
        assert await anext(late) == given
    await early.aclose()
    await late.aclose()


async def test_heartbeats_come_after_the_last_event(database: Database, people: People, caller: Caller) -> None:
    loop = asyncio.get_running_loop()
    reader = _Reader(0.3, caller, (1, ()))
    begun = loop.time()
    loop.call_later(0.2, reader.give, _Piece(0, 1, b"x"))
    assert await reader.wait()
    assert loop.time() - begun < 0.29
    reader.pieces.clear()
    assert not await reader.wait()
    # Not when the timer of the first wait would have ended.
    assert loop.time() - begun > 0.49
    reader.close()


async def test_a_failure_does_not_undo_an_import_that_has_ended(database: Database, caller: Caller) -> None:
    import_id, _ = await imports.create(database, caller, kind="import")
    told = {"status": "success", "action": "import", "summary": "done", "plan": None, "table_name": "t"}
    async with database.transaction() as connection:
        await imports.finish(connection, import_id, **told)
    # The answer to the commit was lost, and whoever waited for it takes it for a failure.
    await imports.fail(database, import_id, "the database cannot be reached")
    found = await imports.find(database, caller, import_id=import_id)
    assert (found[0]["status"], found[0]["error"]) == ("success", None)
    with pytest.raises(BadRequestError, match="has ended"):
        async with database.transaction() as connection:
            await imports.finish(connection, import_id, **told)


async def test_a_job_that_the_database_failed_is_run_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas.db.job_queue.IMPORT_WAIT", 0)
    queue, seen, done = JobQueue(database_url), list[UUID](), asyncio.Event()

    async def run(import_id: UUID) -> None:
        seen.append(import_id)
        if len(seen) == 1:
            raise UnavailableError("Database unavailable")
        done.set()

    async def nothing(*_: object) -> None:
        pass

    await queue.open()
    queue.start(on_import=run, on_delivery=nothing, sweep=nothing, concurrency=1)
    wanted = uuid4()
    await queue.defer_import(wanted)
    await asyncio.wait_for(done.wait(), 30)
    await queue.close()
    assert seen == [wanted, wanted]
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT status FROM atlas_jobs.procrastinate_jobs").fetchall()
    assert left in ([], [("succeeded",)], [("doing",)])


async def test_what_a_stopping_server_cuts_off_is_unavailable(settings: Settings, people: People) -> None:
    app = create_app(settings)
    sent: list[MutableMapping[str, Any]] = []
    waiting = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        waiting.set()
        await asyncio.Event().wait()
        raise AssertionError("the body never comes")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"x-api-key", people.owner.encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/rows/",
        "raw_path": b"/api/rows/",
        "query_string": b"",
        "headers": headers,
        "root_path": "",
        "server": ("atlas.test", 80),
        "client": ("127.0.0.1", 1),
    }
    async with app.router.lifespan_context(app):
        request = asyncio.create_task(app(scope, receive, send))
        await asyncio.wait_for(waiting.wait(), 30)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    assert sent[0]["status"] == 503
    assert b"Server is stopping" in sent[1]["body"]


async def test_a_job_that_cannot_be_deferred_is_told_as_unavailable(database_url: str) -> None:
    queue = JobQueue(database_url)
    await queue.open()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE atlas_jobs.procrastinate_jobs RENAME TO gone")
    with pytest.raises(UnavailableError, match="Database unavailable"):
        await queue.defer_import(uuid4())
    await queue.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
async def test_a_full_disk_is_no_fault_of_ours() -> None:
    def spool() -> None:
        try:
            Path("/dev/full").write_bytes(b"x")
        except OSError as error:
            raise RuntimeError("a library's own") from error

    with pytest.raises(RuntimeError) as caught:
        spool()
    answer = last_resort("/api/v1/smart-import", caught.value, "r1")
    assert (answer.status_code, b"no space left" in answer.body) == (503, True)
    assert not is_disk_full(HTTPException(413))
    assert last_resort("/api/rows/", ValueError("x"), "r1").status_code == 500
