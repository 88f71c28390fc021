"""A real server over HTTP for each module of the client's tests."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import uvicorn
from pydantic import SecretStr
from tests.conftest import People, _people, with_database

from atlas import Client
from atlas.app import create_app
from atlas.cli.local import run_async
from atlas.config import Settings

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """Where it listens, and the keys of its people."""

    url: str
    people: People
    database_url: str

    def client(self, key: str | None = None) -> Client:
        return Client(self.url, key or self.people.owner)


class Threaded:
    """uvicorn in a thread, on a port that is free."""

    def __init__(self, settings: Settings) -> None:
        config = uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="error", access_log=False)
        self._server = uvicorn.Server(config)
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(30)

    @property
    def port(self) -> int:
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.01)
        self._started.set()
        await serving

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(30)


@pytest.fixture(scope="module")
def server(postgres_url: str, template: str) -> Iterator[Server]:
    name = f"atlas_client_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')  # type: ignore[call-overload]
        url = with_database(postgres_url, name)
        people = run_async(_people(url))
        secret = SecretStr("a secret for tests alone")
        running = Threaded(Settings(database_url=url, log_level="error", jobs=1, secret_key=secret))
        yield Server(f"http://127.0.0.1:{running.port}", people, url)
        running.stop()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client() as made:
        yield made


@pytest.fixture(autouse=True)
def no_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own profiles or variables count."""
    monkeypatch.setenv("ATLAS_CONFIG_DIR", str(tmp_path / "profiles"))
    for name in ("ATLAS_URL", "ATLAS_API_KEY", "ATLAS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
