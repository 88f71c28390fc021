"""What the commands on this machine share: settings, the database, and an event loop that fits it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.cli.exit_codes import CommandError, reported

if TYPE_CHECKING:
    from atlas.db.database import Database
    from atlas.settings import Settings

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded PostgreSQL.")]


@contextlib.contextmanager
def server_installed() -> Iterator[None]:
    """Says what to install where the server's libraries are missing, as they are with the client alone."""
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
    """Settings of the environment, with the flags that were given. Raises CommandError for a wrong one."""
    with server_installed():
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
    """Settings with the URL of the configured, running or else briefly started database."""
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
async def migrated(settings: Settings) -> AsyncIterator[Database]:
    """The database of some settings, open and of this version's shape, for what manages it."""
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
    """Runs `action(keys, tags)` on the migrated database."""
    with reported():
        with server_installed():
            from atlas.accounts.authorization import AccessService
            from atlas.accounts.local_administration import KeyService
            from atlas.accounts.tags import TagService

        async def run(settings: Settings) -> Any:
            async with migrated(settings) as database:
                return await action(KeyService(database), TagService(database, AccessService(database)))

        with database_url(data_dir) as ready:
            return run_async(run(ready))


def run_async(coroutine: Any) -> Any:
    """Runs a coroutine on an event loop that psycopg can use on every system."""
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(coroutine)
