"""Wherever a server dies between the end of an import and the end of its webhook, the webhook comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from procrastinate.manager import JobManager
from tests import dying
from tests.api.test_background import Receiver, submit
from tests.api.test_imports import get, post
from tests.conftest import People, clone, serve

from atlas.db import job_queue
from atlas.db.job_queue import JobQueue
from atlas.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name == "nt", reason="servers die of POSIX signals")]
ROOT = Path(__file__).parents[2]
# The step of the import that succeeds. The others' fail, as their user is gone, for which no file is read.
SUCCESS = "success is committed"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that see within a second who has died."""
    monkeypatch.setattr(job_queue, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(job_queue, "STALLED_SECONDS", 2.0)
    monkeypatch.setattr(job_queue, "SWEEP_SECONDS", 0.3)
    monkeypatch.setattr(job_queue, "POLL_SECONDS", 0.2)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def queued(url: str) -> list[tuple[Any, ...]]:
    """Status of each import, the number of its deliveries, and that of jobs which will go on with it."""
    query = (
        "SELECT i.status, (SELECT count(*) FROM atlas.webhook_deliveries d WHERE d.import_id = i.id),"
        " (SELECT count(*) FROM atlas_jobs.procrastinate_jobs j WHERE j.status IN ('todo', 'doing') AND"
        " (j.args ->> 'import_id' = i.id::text AND i.status IN ('pending', 'running') OR j.args ->> 'delivery_id' IN"
        " (SELECT d.id::text FROM atlas.webhook_deliveries d WHERE d.import_id = i.id))) FROM atlas.imports i"
    )
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


async def test_a_webhook_comes_wherever_its_server_dies(
    postgres_url: str, inhabited: tuple[str, People], settings: Settings, receiver: Receiver
) -> None:
    source, people = inhabited
    with contextlib.ExitStack() as stack:
        urls = {step: stack.enter_context(clone(postgres_url, source)) for step in dying.STEPS}
        ids = {}
        for step, url in urls.items():
            async with serve(settings.model_copy(update={"database_url": url, "webhook_loopback": True})) as make:
                ids[step] = (await submit(make(people.owner), f"{receiver.url}/{len(ids)}"))["import_id"]
            if step != SUCCESS:
                with psycopg.connect(url) as connection:
                    connection.execute("UPDATE atlas.imports SET user_id = NULL")
        command = [sys.executable, "-m", "tests.dying", *(word for step, url in urls.items() for word in (url, step))]
        ended = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert ended.stdout.split() == ["-9"] * len(urls), ended.stderr
        came = len(receiver.seen)
        assert came == 2, "two steps come after the webhook was sent"
        for step, url in urls.items():
            # From the commit on, without a look for what the dead have left.
            status = {"the end is not committed": "pending", SUCCESS: "success"}.get(step, "failed")
            assert queued(url) == [(status, int(status != "pending"), 1)], step
        async with contextlib.AsyncExitStack() as servers:
            for step, url in urls.items():
                given = settings.model_copy(update={"database_url": url, "webhook_loopback": True})
                if step == SUCCESS:
                    # Whatever becomes of it before it is told.
                    async with serve(given) as make:
                        await post(make(people.owner), f"import/{ids[step]}/undo", {})
                await servers.enter_async_context(serve(given.model_copy(update={"jobs": 1})))
            # All but the one that was recorded as delivered.
            await receiver.wait(came + len(urls) - 1)
        told: dict[str, list[dict[str, Any]]] = {}
        for _, body in receiver.seen:
            event = json.loads(body)
            told.setdefault(event["import_id"], []).append(event)
        for step, import_id in ids.items():
            events = told[import_id]
            assert {event["status"] for event in events} == {"success" if step == SUCCESS else "failed"}, step
            assert len(events) == 1 + (step == "the webhook's answer is not heard"), step
            assert len({event["id"] for event in events}) == 1, step


async def test_a_job_whose_end_could_not_be_recorded_is_taken_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is `doing` in the name of a worker that lives."""
    queue, seen, done = JobQueue(database_url), list[UUID](), asyncio.Event()
    finish = JobManager.finish_job

    async def comes_to_nothing(*_: Any, **__: Any) -> None:
        monkeypatch.setattr(JobManager, "finish_job", finish)

    monkeypatch.setattr(JobManager, "finish_job", comes_to_nothing)

    async def run(delivery: UUID) -> None:
        seen.append(delivery)
        if len(seen) == 2:
            done.set()

    async def nothing(*_: object) -> None:
        pass

    await queue.open()
    queue.start(on_import=nothing, on_delivery=run, sweep=nothing, concurrency=1)
    wanted = uuid4()
    await queue.defer_delivery(wanted)
    await asyncio.wait_for(done.wait(), 60)
    await queue.close()
    assert seen == [wanted, wanted]


async def test_what_a_stopping_server_cuts_off_waits_in_the_queue(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "GRACE_SECONDS", 0.2)
    queue, begun = JobQueue(database_url), asyncio.Event()

    async def run(_: UUID) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def nothing(*_: object) -> None:
        pass

    await queue.open()
    queue.start(on_import=nothing, on_delivery=run, sweep=nothing, concurrency=1)
    await queue.defer_delivery(uuid4())
    await asyncio.wait_for(begun.wait(), 60)
    await queue.close()
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT status FROM atlas_jobs.procrastinate_jobs").fetchall()
    assert left == [("todo",)]


async def test_an_import_that_runs_again_is_announced_again(
    settings: Settings, people: People, receiver: Receiver, database_url: str
) -> None:
    """An administrator has it run again after an error of the server; its first webhook told of that."""
    given = settings.model_copy(update={"webhook_loopback": True})
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE atlas.users SET role = 'admin' WHERE name = 'owner'")
    async with serve(given) as make:
        owner = make(people.owner)
        pending = await submit(owner, receiver.url)
        (job,) = (await get(owner, "admin/jobs"))["jobs"]
        await post(owner, f"admin/jobs/{job['id']}/cancel", {})
        with psycopg.connect(database_url) as connection:
            connection.execute("SET search_path = atlas_jobs")
            connection.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", (job["id"],))
        await post(owner, f"admin/jobs/{job['id']}/retry", {})
    async with serve(given.model_copy(update={"jobs": 1})):
        told = [json.loads(body) for _, body in await receiver.wait(2)]
    assert [event["import_id"] for event in told] == [pending["import_id"]] * 2
    assert [event["status"] for event in told] == ["failed", "success"]
    assert told[0]["id"] != told[1]["id"]
