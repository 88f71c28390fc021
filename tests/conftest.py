"""Fixtures: one embedded PostgreSQL a session, one database cloned from a migrated template a test."""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import dev
import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from atlas.accounts import repository as accounts
from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.accounts.local_administration import KeyService
from atlas.accounts.tags import TagService
from atlas.app import create_app
from atlas.cli.local_database import run_async
from atlas.db.database import Database
from atlas.db.embedded import EmbeddedPostgres
from atlas.services import reader_limits
from atlas.settings import Settings
from atlas.timeseries import repository as datasets
from atlas.workers.pool import ReaderLimits, WorkerPool
from tests.conformance import Conformance

# What is free of it, for one of several sessions at once.
MEMORY_BYTES = 6 * 2**30
_numbers = itertools.count(1)


def pytest_collection() -> None:
    """Has Python's collector wait, as nearly all that is made while tests are collected stays."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Has Python's collector pass over the tests and libraries, a million objects that stay, from now on."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _settled() -> Iterator[None]:
    """Does the same with what a file's tests have left: a full collection took a second in the end."""
    yield
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints how long the tests of each stage of `dev.py test` took, added up over all processes."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    stage_of = {folder: stage for stage, folders in dev.FOLDERS.items() for folder in folders}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                stage = stage_of.get("/".join(report.nodeid.split("/")[:2]), "other")
                seconds[stage] += report.duration
                tests[stage] += report.when == "call"
    for stage, count in tests.items():
        terminalreporter.write_line(f"-- stage {stage}: {count} tests, {seconds[stage]:.0f} s of work")


def pytest_sessionfinish() -> None:
    """At the end nanobind complains of what nobody collects."""
    gc.unfreeze()


def with_database(url: str, name: str) -> str:
    """`url` with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _in_memory() -> Path | None:
    """A folder of a file system in memory with room for databases, where there is one.

    A database is some 350 files, which take a disk longer to make and remove than most tests last.
    """
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > MEMORY_BYTES else None


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that another system user can reach, as PostgreSQL runs as one where we are root.

    pytest's own are closed to others, again at the start of every session that runs beside this one.
    """
    with tempfile.TemporaryDirectory(prefix="atlas-test-", dir=_in_memory(), ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL for the session: ATLAS_TEST_DATABASE_URL's, else an embedded one."""
    given = os.environ.get("ATLAS_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with open_folder() as folder, EmbeddedPostgres(folder).serve() as url:
        with psycopg.connect(url, autocommit=True) as admin:
            # Nobody pulls the plug here; those who kill a PostgreSQL start one of their own.
            for name in ("fsync", "full_page_writes"):
                admin.execute(f"ALTER SYSTEM SET {name} = off")  # type: ignore[call-overload]
            # Of a client that was cancelled as it connected; nothing of a database can be dropped before that.
            admin.execute("ALTER SYSTEM SET authentication_timeout = '10s'")
            admin.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def template(postgres_url: str) -> str:
    """Name of a migrated database that tests clone."""
    name = f"atlas_template_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    Database(with_database(postgres_url, name), pool_size=2, statement_timeout=60).migrate()
    with psycopg.connect(with_database(postgres_url, name), autocommit=True) as made:
        # Every test copies all of it, what the migrations left behind as well.
        made.execute("VACUUM FULL")
    return name


@pytest.fixture(scope="session")
def inhabited(postgres_url: str, template: str) -> tuple[str, People]:
    """Name of a clone of `template` in which `people` have their keys, for tests to clone, and those keys."""
    name = f"{template}_people"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        copy_database(admin, name, template)
    with ThreadPoolExecutor(1) as pool:
        # In tests of pages there is an event loop in this thread, Playwright's.
        return name, pool.submit(lambda: run_async(make_people(with_database(postgres_url, name)))).result()


def copy_database(admin: psycopg.Connection, name: str, template: str) -> None:
    """Makes database `name` as a copy of `template`."""
    # The default, which is quicker than copying files where, as here, a checkpoint has more to write than the copy.
    admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY WAL_LOG')  # type: ignore[call-overload]


@contextlib.contextmanager
def clone(postgres_url: str, template: str) -> Iterator[str]:
    """The URL of a database with all that is in `template`, which is dropped at the end."""
    name = f"atlas_test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        copy_database(admin, name, template)
        yield with_database(postgres_url, name)
        drop_database(admin, name)


def drop_database(admin: psycopg.Connection, name: str) -> None:
    """Drops a database with whoever is connected to it."""
    dropping = f'DROP DATABASE "{name}" WITH (FORCE)'
    try:
        admin.execute("SET statement_timeout = '3s'")
        admin.execute(dropping)  # type: ignore[call-overload]
    except psycopg.errors.QueryCanceled:
        # PostgreSQL waits for all of its processes, also for one whose client was cancelled as it connected: up to a
        # minute for its password. Such a socket is closed by the collector.
        gc.collect()
        admin.execute("SET statement_timeout = 0")
        admin.execute(dropping)  # type: ignore[call-overload]


@pytest.fixture
def database_url(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[str]:
    """A fresh migrated database, with `people` in it for tests that have them."""
    if "people" in request.fixturenames:
        source = request.getfixturevalue("inhabited")[0]
    else:
        source = request.getfixturevalue("template")
    with clone(postgres_url, source) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    # No jobs: most tests have none, and those that do start their own server.
    secret = SecretStr("a secret for tests alone")
    return Settings(database_url=database_url, log_level="error", jobs=0, secret_key=secret)


@dataclass(frozen=True)
class People:
    """Keys of everybody that an endpoint is tried with. `organization`s differ for `stranger`."""

    owner: str
    holder: str
    stranger: str
    revoked: str
    expired: str


async def make_people(url: str) -> People:
    """Makes the people of a migrated database."""
    database = Database(url, pool_size=2, statement_timeout=60)
    await database.open()
    try:
        keys = KeyService(database)
        await TagService(database, AccessService(database)).create("premium", "Paid data", "open sesame")
        revoked = await keys.create_key("acme", "owner", "revoked", None)
        await keys.revoke_key(revoked.id)
        past = datetime.now(UTC) - timedelta(seconds=1)
        return People(
            owner=(await keys.create_key("acme", "owner", "", None)).key,
            holder=(await keys.create_key("acme", "holder", "", None)).key,
            stranger=(await keys.create_key("other", "stranger", "", None)).key,
            revoked=revoked.key,
            expired=(await keys.create_key("acme", "owner", "old", past)).key,
        )
    finally:
        await database.close()


@pytest.fixture
def people(inhabited: tuple[str, People], database_url: str) -> People:
    """Keys of an owner, a holder of `public`-to-be, another organization's user, and two dead keys."""
    return inhabited[1]


@pytest.fixture
def owner_is_admin(people: People, database_url: str) -> None:
    """Has the owner administer `acme`, and the stranger `other`, as who sets the model does."""
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE atlas.users SET role = 'admin' WHERE name IN ('owner', 'stranger')")


@pytest.fixture
async def database(database_url: str, people: People) -> AsyncIterator[Database]:
    """A database with the users of `people`, for tests below the API."""
    opened = Database(database_url, pool_size=8, statement_timeout=60)
    await opened.open()
    yield opened
    await opened.close()


async def caller_of(database: Database, key: str) -> Caller:
    """Whose key it is."""
    found = await accounts.find_caller(database, key)
    assert found is not None
    return found[0]


async def new_dataset(database: Database, people: People) -> int:
    """Id of a new dataset of the owner's."""
    async with database.transaction() as connection:
        return int((await datasets.create(connection, await caller_of(database, people.owner), "n", "", {}))["id"])


Client = Callable[[str | None], httpx.AsyncClient]


@functools.cache
def readers(limits: ReaderLimits) -> WorkerPool:
    """Processes that read files, for the applications of all tests; each takes a second to start."""
    pool = WorkerPool(limits)
    atexit.register(pool.close)
    return pool


@functools.cache
def parsers() -> WorkerPool:
    """Processes that parse long texts, for the applications of all tests."""
    pool = WorkerPool(purpose="texts")
    atexit.register(pool.close)
    return pool


def application(settings: Settings) -> FastAPI:
    """An application that shares its processes with others, and connects once something is read."""
    return create_app(settings, workers=readers(reader_limits(settings)), parsers=parsers(), warm=False)


@contextlib.asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[Client]:
    """An application; makes clients of it by key; None sends none. Its JSON answers must fit the OpenAPI document."""
    app, unlike = application(settings), list[str]()
    app.add_middleware(Conformance, problems=unlike)
    async with app.router.lifespan_context(app):
        opened: list[httpx.AsyncClient] = []

        def make(key: str | None) -> httpx.AsyncClient:
            headers = {} if key is None else {"X-API-Key": key}
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            made = httpx.AsyncClient(transport=transport, base_url="http://atlas.test", headers=headers, timeout=60)
            opened.append(made)
            return made

        yield make
        for one in opened:
            await one.aclose()
    assert not unlike, "\n".join(unlike)


@pytest.fixture
async def client(settings: Settings, anyio_backend: str) -> AsyncIterator[Client]:
    """Makes clients of the application by key; None sends none."""
    async with serve(settings) as make:
        yield make


@pytest.fixture
async def owner(client: Client, people: People) -> httpx.AsyncClient:
    """A client with the owner's key."""
    return client(people.owner)


async def make_dataset(client: httpx.AsyncClient, **fields: object) -> int:
    """Id of a new dataset."""
    response = await client.post("/api/datasets/", json={"name": "prices", **fields})
    assert response.status_code == 201, response.text
    return int(response.json()["id"])
