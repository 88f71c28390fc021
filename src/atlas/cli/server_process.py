"""Starts the server: first the database, then uvicorn in one process or several."""

from __future__ import annotations

import contextlib
import functools
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from atlas.accounts.local_administration import KeyService
from atlas.cli.exit_codes import CommandError
from atlas.cli.first_key import show_first_key
from atlas.cli.local_database import open_migrated, run_async
from atlas.cli.readiness import Readiness
from atlas.cli.workers import GRACE_SECONDS, application, choose_allocator, create_worker
from atlas.logging import configure_logs
from atlas.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

# Idle connections are kept longer than clients and proxies keep theirs (httpx 5 s, nginx 60, Go 90, Caddy 120). A
# client that sends while the server closes the connection cannot know whether the request was taken.
KEEP_ALIVE_SECONDS = 150


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    if settings.database_url:
        yield settings
        return
    from atlas.db.embedded import EmbeddedError, EmbeddedPostgres

    embedded = EmbeddedPostgres(settings.data_dir)
    first = "" if embedded.made else "; the first time it makes its files, which takes some seconds"
    print(f"Atlas: starting PostgreSQL in {settings.data_dir}{first}", file=sys.stderr, flush=True)
    try:
        with embedded.serve() as url:
            print("Atlas: starting the server", file=sys.stderr, flush=True)
            yield settings.model_copy(update={"database_url": url})
    except EmbeddedError as error:
        raise CommandError(str(error)) from None


def run(settings: Settings) -> None:
    """Serves until a signal ends the process. Shows the first key of a new installation once."""
    configure_logs(settings.log_level, settings.log_format)
    readiness = Readiness()
    _check_port(settings)
    choose_allocator()
    # uvicorn raises the signal again after its shutdown. As an exception the signal lets PostgreSQL stop as well.
    signal.signal(signal.SIGTERM, _leave)
    with _database(settings) as ready:
        first_key = run_async(prepare(ready))
        app = application(ready) if ready.workers == 1 else None
        if first_key is not None:
            show_first_key(first_key, ready.data_dir, ready.first_key)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(ready.host, ready.host)  # noqa: S104
        address = f"http://{f'[{host}]' if ':' in host else host}:{ready.port}"
        readiness.tell(
            host, ready.port, lambda: print(f"Atlas: {address}  (docs at {address}/docs)", file=sys.stderr, flush=True)
        )
        _listen(ready, app)


async def prepare(settings: Settings) -> str | None:
    """Migrates the database, and returns the first key of a new installation, else None."""
    async with open_migrated(settings) as database:
        return await KeyService(database).first_key()


def _check_port(settings: Settings) -> None:
    """Checks that the port is free before anything is started.

    Raises CommandError: when the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CommandError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None


def _leave(signum: int, frame: object) -> None:
    sys.exit(0)


def _listen(settings: Settings, app: FastAPI | None) -> None:
    """Serves an application, or without one starts workers that make their own."""
    if app is not None:
        uvicorn.run(app, **options(settings))
        return
    # Workers get the settings by the pipe that starts them. In the environment secrets could be read in /proc and in
    # crash dumps.
    worker = functools.partial(create_worker, settings)
    config = uvicorn.Config(worker, factory=True, workers=settings.workers, **options(settings))
    Multiprocess(config, sockets=[config.bind_socket()]).run()


def options(settings: Settings) -> dict[str, Any]:
    """Returns the options of uvicorn."""
    return {
        "host": settings.host,
        "port": settings.port,
        "log_level": "warning",
        "access_log": False,
        "loop": "asyncio:SelectorEventLoop" if sys.platform == "win32" else "auto",
        # Atlas has no WebSockets. An upgrade would leave the protocol that watches connections.
        "http": "atlas.web.protocols:ServerProtocol",
        "ws": "none",
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    }
