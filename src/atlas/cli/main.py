"""The `atlas` command: runs the server, and manages organizations, users, keys and tags."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

import atlas
from atlas.config import Settings
from atlas.core.timestamps import parse_timestamp
from atlas.errors import AtlasError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Atlas: a self-hosted data platform on PostgreSQL.",
)
org = typer.Typer(no_args_is_help=True, help="Organizations.")
user = typer.Typer(no_args_is_help=True, help="Users.")
key = typer.Typer(no_args_is_help=True, help="API keys.")
tag = typer.Typer(no_args_is_help=True, help="Tags.")
app.add_typer(org, name="org")
app.add_typer(user, name="user")
app.add_typer(key, name="key")
app.add_typer(tag, name="tag")

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the embedded PostgreSQL.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Row = dict[str, Any]


class PortInUseError(Exception):
    """Something else listens on the server's address."""


def main() -> None:
    """Entry point: errors meant for people are printed without a traceback, with exit code 1."""
    from atlas.store.embedded import DataDirInUseError

    try:
        app()
    except ValidationError as error:
        for problem in error.errors():
            print(f"atlas: ATLAS_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)
        sys.exit(1)
    except (AtlasError, DataDirInUseError, PortInUseError) as error:
        details = getattr(error, "details", None)
        print(f"atlas: {error}" + (f" ({details})" if details else ""), file=sys.stderr)
        sys.exit(1)


def _settings(**given: Any) -> Settings:
    return Settings(**{name: value for name, value in given.items() if value is not None})


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(help="Server processes.")] = None,
) -> None:
    """Run the server, with an embedded PostgreSQL unless ATLAS_DATABASE_URL is set."""
    from atlas.cli.server import run

    run(_settings(host=host, port=port, data_dir=data_dir, workers=workers))


@app.command()
def version() -> None:
    """Print the version."""
    print(atlas.__version__)


@contextlib.contextmanager
def _database_url(data_dir: Path | None) -> Iterator[Settings]:
    """Settings with the URL of the configured, running or else briefly started database."""
    settings = _settings(data_dir=data_dir)
    if settings.database_url:
        yield settings
        return
    from atlas.store.embedded import EmbeddedPostgres

    with EmbeddedPostgres(settings.data_dir).join() as url:
        yield settings.model_copy(update={"database_url": url})


def _call(data_dir: Path | None, action: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """Runs `action(keys, tags)` on the migrated database."""
    from atlas.service.access import AccessService
    from atlas.service.keys import KeyService
    from atlas.service.tags import TagService
    from atlas.store.database import Database

    async def run(settings: Settings) -> Any:
        assert settings.database_url is not None
        database = Database(settings.database_url, pool_size=2, statement_timeout=settings.request_timeout)
        await asyncio.to_thread(database.migrate)
        await database.open()
        try:
            return await action(KeyService(database), TagService(database, AccessService(database)))
        finally:
            await database.close()

    with _database_url(data_dir) as settings:
        return run_async(run(settings))


def run_async(coroutine: Any) -> Any:
    """Runs a coroutine on an event loop that psycopg can use on every system."""
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(coroutine)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _show(result: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, default=_plain))
    elif isinstance(result, list):
        table = Table(*(result[0].keys() if result else ["nothing here"]))
        for row in result:
            table.add_row(*("" if value is None else _plain(value) for value in row.values()))
        Console().print(table)
    else:
        for name, value in result.items():
            print(f"{name}: {'' if value is None else _plain(value)}")


@org.command("create")
def org_create(name: str, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Create an organization."""
    _show(_call(data_dir, lambda keys, _: keys.create_organization(name)), as_json)


@org.command("list")
def org_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List organizations."""
    _show(_call(data_dir, lambda keys, _: keys.organizations()), as_json)


OrgOption = Annotated[str, typer.Option("--org", help="Organization; created if it is missing.")]
OrgFilter = Annotated[str | None, typer.Option("--org", help="Only this organization.")]


@user.command("create")
def user_create(
    name: str, organization: OrgOption = "default", data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Create a user."""
    _show(_call(data_dir, lambda keys, _: keys.create_user(organization, name)), as_json)


@user.command("list")
def user_list(organization: OrgFilter = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List users."""
    _show(_call(data_dir, lambda keys, _: keys.users(organization)), as_json)


def _expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    units = {"h": timedelta(hours=1), "d": timedelta(days=1)}
    if text[:-1].isdigit() and text[-1:] in units:
        return datetime.now(UTC) + int(text[:-1]) * units[text[-1]]
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; or a number and h or d, such as 90d") from None


@key.command("create")
def key_create(
    organization: OrgOption = "default",
    user_name: Annotated[str, typer.Option("--user", help="User; created if missing.")] = "admin",
    name: Annotated[str, typer.Option(help="A note on what the key is for.")] = "",
    expires: Annotated[str | None, typer.Option(help="When it ends: ISO 8601, or such as 12h or 90d.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create an API key, which is shown this once. Creates the organization and user that are missing."""
    expires_at = _expiry(expires)
    _show(_call(data_dir, lambda keys, _: keys.create_key(organization, user_name, name, expires_at)), as_json)


@key.command("list")
def key_list(
    organization: OrgFilter = None,
    user_name: Annotated[str | None, typer.Option("--user", help="Only this user.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List keys by their first characters, with their last use."""
    _show(_call(data_dir, lambda keys, _: keys.keys(organization, user_name)), as_json)


@key.command("revoke")
def key_revoke(key_id: int, data_dir: DataDir = None, as_json: Json = False) -> None:
    """End a key at once."""
    _show(_call(data_dir, lambda keys, _: keys.revoke_key(key_id)), as_json)


@key.command("rotate")
def key_rotate(key_id: int, data_dir: DataDir = None, as_json: Json = False) -> None:
    """End a key and create another for the same user, which is shown this once."""
    _show(_call(data_dir, lambda keys, _: keys.rotate_key(key_id)), as_json)


@tag.command("create")
def tag_create(
    name: str,
    secret: Annotated[str | None, typer.Option(help="Makes the tag private. `-` reads it from standard input.")] = None,
    description: Annotated[str, typer.Option(help="What the tag is for.")] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create a tag: public, or private with a secret."""
    text = sys.stdin.readline().rstrip("\n") if secret == "-" else secret  # noqa: S105
    if text is not None and not text:
        raise typer.BadParameter("the secret is empty")
    _show(_call(data_dir, lambda _, tags: tags.create(name, description, text)), as_json)


@tag.command("list")
def tag_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List tags."""
    _show(_call(data_dir, lambda _, tags: tags.all()), as_json)


if __name__ == "__main__":
    main()
