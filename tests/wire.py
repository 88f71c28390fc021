"""A server in a thread as `atlas serve` runs it, and connections to it byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from atlas.app import create_app
from atlas.cli.server_process import options
from atlas.settings import Settings
from tests.conftest import People, clone

PATIENCE = 20.0


@dataclass
class Answer:
    """The first answer on a connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """A connection of a client that sends what it likes."""

    def __init__(self, port: int, *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self._read = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> Line:
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def answer(self) -> Answer:
        """Reads one answer with a Content-Length, or none where the connection ends first (status 0)."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return Answer(0, {}, self._read)
        head, _, rest = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if status == 100:
            self._read = rest
            return Answer(100, headers, b"")
        length = int(headers.get("content-length", "0"))
        while len(rest) < length and (more := self._receive()):
            rest += more
        self._read = rest[length:]
        return Answer(status, headers, rest[:length])

    def ended(self, within: float) -> bool:
        """Whether the server ends the connection within so many seconds; what it still sends is left out."""
        end = time.monotonic() + within
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    def _more(self) -> bool:
        more = self._receive()
        self._read += more
        return bool(more)

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""


@dataclass
class Wire:
    """A running server."""

    port: int
    people: People
    app: FastAPI
    loop: asyncio.AbstractEventLoop

    def line(self, *, buffer: int | None = None) -> Line:
        return Line(self.port, buffer=buffer)

    def client(self, key: str | None) -> httpx.Client:
        headers = {} if key is None else {"X-API-Key": key}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60)

    @contextlib.contextmanager
    def heartbeat(self) -> Iterator[list[float]]:
        """Seconds for which the event loop stood still, each time that it did, because of this process.

        On a busy machine it also waits for others; meanwhile the process computes nothing.
        """
        stalls: list[float] = []
        going = True

        async def beat() -> None:
            while going:
                wall, cpu = time.perf_counter(), time.process_time()
                await asyncio.sleep(0.002)
                stalls.append(min(time.perf_counter() - wall - 0.002, time.process_time() - cpu))

        beating = asyncio.run_coroutine_threadsafe(beat(), self.loop)
        try:
            yield stalls
        finally:
            going = False
            beating.result(PATIENCE)


@contextlib.contextmanager
def wired(postgres_url: str, inhabited: tuple[str, People], **changes: Any) -> Iterator[Wire]:
    """A server on a database of its own, with settings changed."""
    name, people = inhabited
    with clone(postgres_url, name) as url:
        secret = SecretStr("a secret for tests alone")
        settings = Settings(database_url=url, log_level="error", jobs=0, secret_key=secret, port=0, **changes)
        app = create_app(settings)
        config = uvicorn.Config(app, **options(settings))
        server = uvicorn.Server(config)
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve()

        def run() -> None:
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(serve())

        thread = threading.Thread(target=run)
        thread.start()
        end = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield Wire(server.servers[0].sockets[0].getsockname()[1], people, app, loops[0])
        finally:
            server.should_exit = True
            thread.join()
