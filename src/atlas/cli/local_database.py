"""The common parts of commands on this machine: settings, the database, and an event loop for psycopg."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.cli.exit_codes import CommandError, report_errors

if TYPE_CHECKING:
    from atlas.db.database import Database
    from atlas.settings import Settings

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded PostgreSQL.")]


@contextlib.contextmanager
def require_server() -> Iterator[None]:
    """Reports what to install if the server's libraries are missing, as they are with the client alone.

    Raises CommandError: when a library is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "atlas":
            raise
        raise CommandError(
            f"this command needs the server's libraries ({error.name} is missing): in a checkout of Atlas, "
            f'{sys.executable} -m pip install --constraint constraints.txt ".[server]"'
        ) from None


def settings(**given: Any) -> Settings:
    """Reads the settings from the environment and the given flags.

    Raises CommandError: when a setting is invalid.
    """
    with require_server():
        from pydantic import ValidationError

        from atlas.settings import Settings
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        problems = (f"ATLAS_{'_'.join(map(str, found['loc'])).upper()}: {found['msg']}" for found in error.errors())
        raise CommandError("; ".join(problems)) from None


def log_to_errors(settings: Settings) -> None:
    """Sends log lines to standard error, as standard output is for results."""
    from atlas.logging import configure_logs

    configure_logs(settings.log_level, settings.log_format)


@contextlib.contextmanager
def database_url(data_dir: Path | None) -> Iterator[Settings]:
    """Yields settings with a database URL: of the configured or running database, else of one that is started for the
    block.

    Raises CommandError: when the embedded database cannot start.
    """
    found = settings(data_dir=data_dir)
    log_to_errors(found)
    if found.database_url:
        yield found
        return
    from atlas.db.embedded import EmbeddedError, EmbeddedPostgres

    try:
        with EmbeddedPostgres(found.data_dir).join() as url:
            yield found.model_copy(update={"database_url": url})
    except EmbeddedError as error:
        raise CommandError(str(error)) from None


@contextlib.asynccontextmanager
async def open_migrated(settings: Settings) -> AsyncIterator[Database]:
    """Opens the database of some settings and migrates it to this version, for administration."""
    from atlas.db.database import Database

    assert settings.database_url is not None
    database = Database(settings.database_url, pool_size=2, statement_timeout=settings.request_timeout)
    await asyncio.to_thread(database.migrate)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def call(data_dir: Path | None, action: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """Runs `action(keys, tags)` on the migrated database, and returns its result."""
    with report_errors():
        with require_server():
            from atlas.accounts.authorization import AccessService
            from atlas.accounts.local_administration import KeyService
            from atlas.accounts.tags import TagService

        async def run(settings: Settings) -> Any:
            async with open_migrated(settings) as database:
                return await action(KeyService(database), TagService(database, AccessService(database)))

        with database_url(data_dir) as ready:
            return run_async(run(ready))


def run_async(coroutine: Any) -> Any:
    """Runs a coroutine on an event loop that psycopg supports on every system."""
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(coroutine)
