"""A running server stops where its database becomes a newer Atlas's, or a backup's; and knows who has died."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio.to_thread
import httpx
import psycopg
import pytest
from psycopg import sql
from tests.conftest import Client, People, caller_of, make_dataset, serve, with_database
from tests.integration.test_backup import contents

from atlas.backup.service import BackupService
from atlas.db import guard
from atlas.db.database import Database
from atlas.db.guard import CHANNEL, PROCESS, SERVERS_LOCK, Gate, Guard
from atlas.db.job_queue import STALLED_SECONDS, Heartbeats
from atlas.db.named_queries import queries
from atlas.db.prepared import PreparedStatements, Statement
from atlas.errors import BadRequestError, UnavailableError
from atlas.imports import repository as imports
from atlas.imports.background import SeenTwice
from atlas.settings import Settings

pytestmark = pytest.mark.anyio
NEWER = "INSERT INTO public._yoyo_migration SELECT 'later', '9999_later', now() AT TIME ZONE 'UTC'"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(guard, "RESTORE_SECONDS", 0.1)


async def insert(client: httpx.AsyncClient, dataset: int) -> httpx.Response:
    body = {"dataset": dataset, "timestamp": "2026-01-01T00:00:00Z", "values": {"n": 1}}
    return await client.post("/api/rows/", json=body)


async def until(client: httpx.AsyncClient, dataset: int, told: str) -> httpx.Response:
    """The first answer to an insert that says so."""
    async with asyncio.timeout(20):
        while told not in (answer := await insert(client, dataset)).text:
            assert answer.status_code in (201, 503), answer.text
            await asyncio.sleep(0.05)
    return answer


def rows(connection: psycopg.Connection[Any]) -> int:
    found = connection.execute("SELECT sum(row_count) FROM atlas.dataset_state").fetchone()
    assert found is not None
    return int(found[0])


async def test_a_running_server_stops_where_a_newer_one_migrates(
    client: Client, people: People, database_url: str
) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    assert (await insert(owner, dataset)).status_code == 201
    with psycopg.connect(database_url, autocommit=True) as admin:
        # The word that comes before the first change.
        admin.execute("SELECT pg_notify(%s, '9999_later')", (CHANNEL,))
        answer = await until(owner, dataset, "newer Atlas")
        assert answer.status_code == 503
        assert "9999_later is unknown to Atlas" in answer.json()["details"]
        # It came to nothing.
        assert (await until(owner, dataset, '"n"')).status_code == 201
        admin.execute(NEWER.encode())
        await until(owner, dataset, "newer Atlas")
        before = rows(admin)
        for path in ("/api/datasets/", "/api/v1/tables", f"/api/rows/?dataset={dataset}"):
            assert (await owner.get(path)).status_code == 503, path
        assert (await owner.get("/health")).status_code == 503
        await asyncio.sleep(0.5)
        assert (await insert(owner, dataset)).status_code == 503
        assert rows(admin) == before
        admin.execute("DELETE FROM public._yoyo_migration WHERE migration_id = '9999_later'")
        await until(owner, dataset, '"n"')


async def test_a_restore_keeps_servers_out_and_is_the_backup(
    client: Client, people: People, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = client(people.owner)
    dataset = await make_dataset(owner)
    await insert(owner, dataset)
    service, file = BackupService(database_url), tmp_path / "backup.zip"
    await anyio.to_thread.run_sync(lambda: service.create(file, verify=False, replace=False))
    answers: list[int] = []

    async def write() -> None:
        while True:
            answers.append((await insert(owner, dataset)).status_code)
            await asyncio.sleep(0.01)

    writers = [asyncio.create_task(write()) for _ in range(4)]
    try:
        for _ in range(3):
            with pytest.raises(BadRequestError, match="in use"):
                await anyio.to_thread.run_sync(lambda: service.restore(file, replace=True))
        assert set(answers) == {201}
        async with cut_off(database_url, monkeypatch):
            await until(owner, dataset, "is being restored")
            await anyio.to_thread.run_sync(lambda: service.restore(file, replace=True))
            restored = contents(database_url)
        await until(owner, dataset, "restart this server")
        await asyncio.sleep(0.3)
        assert contents(database_url) == restored
    finally:
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
    assert set(answers) == {201, 503}
    found = contents(database_url)
    assert found["atlas.dataset_state"][0] == 1
    with psycopg.connect(database_url) as admin:
        assert rows(admin) == 1


@contextlib.asynccontextmanager
async def cut_off(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Has the servers' lock, as a restore on a machine that the servers have lost does, and lets one go on with it."""
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid NOT IN (%s, pg_backend_pid()) AND backend_type = 'client backend'"
    )
    with psycopg.connect(url, autocommit=True) as mine, psycopg.connect(url, autocommit=True) as other:
        waiting = asyncio.create_task(asyncio.to_thread(mine.execute, "SELECT pg_advisory_lock(%s)", (SERVERS_LOCK,)))
        while not waiting.done():
            other.execute(end, (mine.info.backend_pid,))
            await asyncio.sleep(0.05)
        with monkeypatch.context() as restoring:
            restoring.setitem(queries("backup/backup"), "other_sessions", "SELECT 0")
            restoring.setitem(queries("db/guard"), "restore", "SELECT %(lock)s > 0")
            yield


async def test_a_server_stops_at_once_where_its_database_is_gone(
    settings: Settings, people: People, postgres_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would still store, such as counts of usage, waits for nobody."""
    monkeypatch.setattr(guard, "WAIT_SECONDS", 60)
    shut, shuts = asyncio.Event(), Gate.shut
    monkeypatch.setattr(Gate, "shut", lambda gate: (shuts(gate), shut.set()))
    name = urlsplit(database_url).path[1:]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        async with serve(settings.model_copy(update={"jobs": 1})) as make:
            owner = make(people.owner)
            dataset = await make_dataset(owner)
            await insert(owner, dataset)
            shut.clear()
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            await asyncio.wait_for(shut.wait(), 60)
            begun = time.monotonic()
        assert time.monotonic() - begun < 30
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))


async def test_a_gate_waits_for_a_moment_and_refuses_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "WAIT_SECONDS", 0.2)
    gate = Gate()
    await gate.passed()
    gate.shut()
    with pytest.raises(UnavailableError, match="Database unavailable"):
        await gate.passed()
    asyncio.get_running_loop().call_later(0.05, gate.open)
    await gate.passed()
    gate.refuse("No", "because")
    gate.shut()
    with pytest.raises(UnavailableError, match="No"):
        await gate.passed()
    await gate.refused()
    gate.open()
    await gate.opened()


async def test_whose_process_has_died_is_known_at_once(database: Database, people: People) -> None:
    caller = await caller_of(database, people.owner)
    watching = Guard(database.url, database.gate)
    watching.start()
    mine, _ = await imports.create(database, caller, kind="update")
    try:
        assert await imports.abandoned(database) == set()
        # By another process, of which nothing is left.
        await database.fetch("UPDATE atlas.imports SET process = %(other)s", other=PROCESS ^ 1)
        assert await imports.abandoned(database) == {mine}
        await imports.fail_abandoned(database, [mine])
        found = await imports.find(database, caller, import_id=mine)
        assert (found[0]["status"], found[0]["error"]) == ("failed", "the server stopped while the import ran")
    finally:
        await watching.stop()
    twice = SeenTwice()
    other = uuid4()
    assert not twice.again([mine])
    assert twice.again([mine, other]) == {mine}
    assert twice.again([other]) == {other}
    assert not twice.again([])


def test_workers_live_by_changes_not_by_the_clock() -> None:
    beats = Heartbeats()
    assert beats.living({1: "09:00", 2: "09:00"}, 0) == {1, 2}
    # An hour on, and two back: what changes lives.
    assert beats.living({1: "10:00", 2: "09:00"}, STALLED_SECONDS - 1) == {1, 2}
    assert beats.living({1: "08:00", 2: "09:00", 3: "11:00"}, STALLED_SECONDS + 1) == {1, 3}
    assert beats.living({1: "08:00"}, 3 * STALLED_SECONDS) == set()


def test_with_database_keeps_what_a_connection_asks_for() -> None:
    assert with_database("postgresql://a:b@/x?host=%2Fy&require_auth=z", "n").endswith("/n?host=%2Fy&require_auth=z")


class OneAtATime:
    """Lets one read after the other have its turn."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self, *, patient: bool = False) -> AsyncIterator[None]:
        async with self._lock:
            yield


async def in_transaction(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("SELECT 1")


ONE = Statement(b"SELECT 1", 0)
WAITING: dict[str, Callable[[Database], Coroutine[Any, Any, object]]] = {
    "a statement": lambda database: database.fetch("SELECT 1"),
    "a look-up": lambda database: database.look_up("SELECT 1"),
    "a prepared look-up": lambda database: database.find(ONE),
    "a small write": lambda database: database.write(ONE),
    "a transaction": in_transaction,
    "a read": lambda database: database.fetch_arrow("SELECT 1 AS a", len),
}


async def busy(pool: PreparedStatements) -> list[asyncio.Future[object]]:
    """Makes all connections of a pool busy for a moment."""
    waits = Statement(b"SELECT 1 FROM pg_sleep(1)", 0)
    found = [asyncio.ensure_future(pool.run(waits, ())) for _ in range(pool.size)]
    while sum(not one._kept and one._answer is not None for one in pool._links) < pool.size:
        await asyncio.sleep(0.01)
    return found


@pytest.mark.parametrize("kind", WAITING)
async def test_who_waited_for_the_database_meets_the_gate_again(database_url: str, kind: str) -> None:
    turns = OneAtATime()
    database = Database(database_url, pool_size=1, statement_timeout=60, reading=turns)
    await database.open()
    pool = database._lookups if kind == "a look-up" else database._pool
    prepared = {"a prepared look-up": database._quick, "a small write": database._writes}.get(kind)
    try:
        async with contextlib.AsyncExitStack() as held:
            await held.enter_async_context(turns.turn())
            for _ in range(pool.max_size):
                await held.enter_async_context(pool.connection())
            if prepared is not None:
                held.push_async_callback(asyncio.gather, *await busy(prepared))
            waiting = asyncio.create_task(WAITING[kind](database))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            database.gate.refuse("The database has been replaced", "restart this server")
        with pytest.raises(UnavailableError, match="replaced"):
            await waiting
    finally:
        await database.close()
