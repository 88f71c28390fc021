"""A real server over HTTP for each module of the client's tests."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from tests.conftest import People, application, clone

from atlas import AsyncClient, Client
from atlas.client import AsyncAnswer
from atlas.client._async.resource import AsyncResource
from atlas.settings import Settings


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
        config = uvicorn.Config(application(settings), host="127.0.0.1", port=0, log_level="error", access_log=False)
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
def server(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[Server]:
    name, people = inhabited
    with clone(postgres_url, name) as url:
        secret = SecretStr("a secret for tests alone")
        running = Threaded(Settings(database_url=url, log_level="error", jobs=1, secret_key=secret))
        yield Server(f"http://127.0.0.1:{running.port}", people, url)
        running.stop()


class Driven:
    """An AsyncClient, or a part of one, whose methods are called without await: one test tries both clients."""

    def __init__(self, target: object, run: Callable[[Any], Any]) -> None:
        self._target, self._run = target, run

    def __getattr__(self, name: str) -> Any:
        return self._driven(getattr(self._target, name))

    def _driven(self, value: Any) -> Any:
        if isinstance(value, AsyncResource | AsyncAnswer):
            return Driven(value, self._run)
        if inspect.isawaitable(value):
            return self._driven(self._run(value))
        if isinstance(value, AsyncGenerator):
            return self._items(value)
        if inspect.ismethod(value) and isinstance(value.__self__, AsyncResource | AsyncAnswer | AsyncClient):
            return lambda *args, **kwargs: self._driven(value(*args, **kwargs))
        return value

    def _items(self, items: AsyncGenerator[Any, None]) -> Generator[Any]:
        try:
            while True:
                try:
                    yield self._run(anext(items))
                except StopAsyncIteration:
                    return
        finally:
            self._run(items.aclose())


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client() as made:
        yield made


@pytest.fixture(params=["threads", "asyncio"])
def either(server: Server, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each of the two clients, of organizations that do not see each other's data."""
    if request.param == "threads":
        with server.client() as made:
            yield made
        return
    with asyncio.Runner() as runner:
        made = AsyncClient(server.url, server.people.stranger)
        yield Driven(made, lambda one: runner.run(_awaited(one)))
        runner.run(made.aclose())


async def _awaited(one: Awaitable[Any]) -> Any:
    return await one


@pytest.fixture(autouse=True)
def no_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own profiles or variables count."""
    monkeypatch.setenv("ATLAS_CONFIG_DIR", str(tmp_path / "profiles"))
    for name in ("ATLAS_URL", "ATLAS_API_KEY", "ATLAS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
