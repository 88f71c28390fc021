"""`atlas admin backup` and `atlas admin restore`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from atlas.cli.exit_codes import CommandError, report_errors
from atlas.cli.local_database import DataDir, database_url, log_to_errors, require_server, settings
from atlas.cli.output import Json, show


def register(app: typer.Typer) -> None:
    """Adds the commands `backup` and `restore` to `atlas admin`."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    verify: Annotated[bool, typer.Option("--verify", help="Restore it into a database of its own as a test.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Back everything up to one file while servers run. The secret key is not in it."""
    with report_errors(), require_server():
        from atlas.backup.service import BackupService

        with database_url(data_dir) as ready:
            assert ready.database_url is not None
            made = BackupService(ready.database_url).create(file, verify=verify, replace=force)
        show(made, as_json)


def restore(
    file: Annotated[Path, typer.Argument(help="File that `atlas admin backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what the database holds.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Restore a backup, and compare every table with it. Stop every server on the database first."""
    with report_errors(), require_server():
        from atlas.backup.service import BackupService

        with _own_database(data_dir) as url:
            restored = BackupService(url).restore(file, replace=force)
        show(restored, as_json)


@contextlib.contextmanager
def _own_database(data_dir: Path | None) -> Iterator[str]:
    """Yields the URL of a database that no server uses. An embedded database is started for the block.

    Raises CommandError: when a server runs on the data folder, or the database cannot start.
    """
    found = settings(data_dir=data_dir)
    log_to_errors(found)
    if found.database_url:
        yield found.database_url
        return
    from atlas.db.embedded import DataDirInUseError, EmbeddedError, EmbeddedPostgres

    try:
        with EmbeddedPostgres(found.data_dir).serve() as url:
            yield url
    except DataDirInUseError:
        raise CommandError(f"a server is running on {found.data_dir}; stop it first") from None
    except EmbeddedError as error:
        raise CommandError(str(error)) from None
