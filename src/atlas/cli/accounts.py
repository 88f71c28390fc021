"""The commands for signing in, for profiles of servers, and for your own account, keys and usage."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import typer

from atlas.cli.context import DEFAULT_URL, Session, Yes, remote
from atlas.cli.exit_codes import DENIED, USAGE, CommandError, report_errors, say
from atlas.cli.output import Json, data, iso, plain, print_json, print_lines, print_table, show
from atlas.cli.time_arguments import expiry

profile = typer.Typer(no_args_is_help=True, help="Servers that you are signed in to.")
key = typer.Typer(no_args_is_help=True, help="Your API keys.")
PROFILE_COLUMNS = ["name", "url", "key_in", "is_default"]
KEY_COLUMNS = ["id", "name", "prefix", "created_at", "expires_at", "revoked_at", "last_used_at"]


def login(
    url: Annotated[str, typer.Option(envvar="ATLAS_URL", help="Address of the server.")] = DEFAULT_URL,
    name: Annotated[str, typer.Option("--profile", help="Name to keep it under.")] = "default",
    api_key: Annotated[str | None, typer.Option("--key", help="`-` reads the key from standard input.")] = None,
    as_json: Json = False,
) -> None:
    """Sign in to a server: checks your API key, keeps it for later, and acquires the public tag."""
    with report_errors():
        _login(url, name, _read_key(api_key), as_json)


def _read_key(given: str | None) -> str:
    if given not in (None, "-"):
        # A key on the command line would stay in the shell's history and in the list of processes.
        raise CommandError("--key takes only `-`, which reads the key from standard input", USAGE)
    if given == "-" or not sys.stdin.isatty():
        text = sys.stdin.readline()
    else:
        text = getpass.getpass("API key: ", stream=sys.stderr)
    if not text.strip():
        raise CommandError("no key was given", USAGE)
    return text.strip()


def _login(url: str, name: str, api_key: str, as_json: bool) -> None:
    from atlas.client import Client, profiles

    with Client(url, api_key) as client:
        me = client.me()
        acquired = "public" not in me.tags
        if acquired:
            client.tags.acquire("public")
    kept = profiles.save(name, url, api_key, make_default=True)
    tags = sorted({*me.tags, "public"})
    if as_json:
        print_json({**_profile_row(kept), "user": me.user, "organization": me.organization, "tags": tags})
        return
    say(f"signed in to {kept.url} as {me.user.name} of {me.organization.name} (profile {name!r})")
    where = "the system's keyring" if kept.key_in == "keyring" else str(profiles.folder() / "keys.json")
    say(f"the key is kept in {where}")


def logout(
    name: Annotated[str | None, typer.Option("--profile", help="Profile to forget; else the default one.")] = None,
    as_json: Json = False,
) -> None:
    """Forget a server and its key on this machine. The key itself stays valid."""
    from atlas.client import profiles

    with report_errors():
        chosen = name or profiles.default()
        if chosen is None:
            raise CommandError("not signed in to any server", DENIED)
        profiles.delete(chosen)
        if as_json:
            print_json({"name": chosen, "removed": True})
        else:
            say(f"forgot {chosen!r}")


def _profile_row(found: Any) -> dict[str, Any]:
    """Returns a profile without its key."""
    return {name: getattr(found, name) for name in PROFILE_COLUMNS}


@profile.command("list")
def profile_list(as_json: Json = False) -> None:
    """List the servers that you are signed in to."""
    from atlas.client import profiles

    with report_errors():
        found = [_profile_row(one) for one in profiles.list()]
        show(found, as_json, PROFILE_COLUMNS, "not signed in to any server: atlas login --url …")


@profile.command("use")
def profile_use(name: str, as_json: Json = False) -> None:
    """Choose the server that commands use where none is named."""
    from atlas.client import profiles

    with report_errors():
        profiles.set_default(name)
        show(next(_profile_row(one) for one in profiles.list() if one.name == name), as_json)


@profile.command("show")
def profile_show(name: Annotated[str | None, typer.Argument()] = None, as_json: Json = False) -> None:
    """Show a server that you are signed in to, by default the chosen one."""
    from atlas.client import profiles

    with report_errors():
        wanted = name or profiles.default()
        found = next((_profile_row(one) for one in profiles.list() if one.name == wanted), None)
        if found is None:
            raise CommandError(f"there is no profile {wanted!r}" if wanted else "no profile is chosen")
        show(found, as_json)


@remote
def status(session: Session) -> None:
    """Show whether the server runs, and who you are there."""
    health = session.client.health()
    me = session.client.me()
    if session.as_json:
        print_json({"url": session.target.url, "profile": session.target.profile, "health": health, "me": me})
        return
    print_lines(
        {
            "server": session.target.url,
            "profile": session.target.profile,
            "version": me.version,
            "status": health.status,
            "database": health.database,
            "user": f"{me.user.name} ({me.user.role})",
            "organization": me.organization.name,
            "key": f"{me.key.prefix}… {me.key.name}".strip(),
            "key expires": iso(me.key.expires_at) if me.key.expires_at else "never",
            "tags": ", ".join(me.tags),
        }
    )


@remote
def usage(session: Session, days: Annotated[int, typer.Option(help="How many days back.", min=1)] = 30) -> None:
    """Show what your keys did, by day and by key, and what is stored."""
    found = session.client.usage(days=days)
    if session.as_json:
        print_json(found)
        return
    figures = ["requests", "errors", "bytes_in", "bytes_out", "rows_written"]
    print_table(data(found.days), ["date", *figures], "no requests in this time")
    print_table(data(found.keys), ["name", "prefix", *figures], "no keys")
    print_lines({name: plain(value) for name, value in data(found.storage).items()})


def new_key_row(made: Any) -> dict[str, Any]:
    """Returns a new key with the key's text, without `success`."""
    return {name: value for name, value in data(made).items() if name != "success"}


@key.command("list")
@remote
def key_list(session: Session) -> None:
    """List your keys by their first characters."""
    session.show(session.client.keys.list(), KEY_COLUMNS)


@key.command("create")
@remote
def key_create(
    session: Session,
    name: Annotated[str, typer.Option(help="A note on what the key is for.")] = "",
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends: ISO 8601, or such as 90d; UTC.")
    ] = None,
) -> None:
    """Create another key of yours, which is shown this once."""
    made = session.client.keys.create(name, expires_at=expiry(expires, "--expires"))
    session.show(new_key_row(made))


@key.command("revoke")
@remote
def key_revoke(session: Session, key_id: int, yes: Yes = False) -> None:
    """End one of your keys at once."""
    session.confirm(f"End key {key_id} at {session.target.url} at once?", yes)
    session.client.keys.revoke(key_id)
    session.show({"id": key_id, "revoked": True})


@key.command("rotate")
@remote
def key_rotate(session: Session, key_id: int, yes: Yes = False) -> None:
    """End one of your keys and create another with its name and expiry, which is shown this once.

    Where it is the key that this profile uses, the profile gets the new one.
    """
    session.confirm(f"End key {key_id} at {session.target.url} and create another?", yes)
    own = session.client.me().key.id
    made = session.client.keys.rotate(key_id)
    if own == key_id and session.target.profile is not None:
        from atlas.client import profiles

        profiles.save(session.target.profile, session.target.url, made.key)
        say(f"profile {session.target.profile!r} has the new key")
    session.show(new_key_row(made))
