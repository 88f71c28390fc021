"""`atlas admin`: organizations, users, keys, tags, backups and a check, directly on the database."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from atlas.cli import backup, check
from atlas.cli.local_database import DataDir, call
from atlas.cli.output import Json, show
from atlas.cli.time_arguments import expiry

app = typer.Typer(no_args_is_help=True, help="Organizations, users, keys, tags, backups: on the server's own database.")
org = typer.Typer(no_args_is_help=True, help="Organizations.")
user = typer.Typer(no_args_is_help=True, help="Users.")
key = typer.Typer(no_args_is_help=True, help="API keys.")
tag = typer.Typer(no_args_is_help=True, help="Tags.")
app.add_typer(org, name="org")
app.add_typer(user, name="user")
app.add_typer(key, name="key")
app.add_typer(tag, name="tag")
backup.register(app)
check.register(app)

OrgOption = Annotated[str, typer.Option("--org", help="Organization; created if it is missing.")]
OrgOf = Annotated[str, typer.Option("--org", help="The user's organization.")]
OrgFilter = Annotated[str | None, typer.Option("--org", help="Only this organization.")]


class Role(StrEnum):
    """The extent of a user's rights to manage: nothing, the organization, or the whole server."""

    member = "member"
    admin = "admin"
    operator = "operator"


@org.command("create")
def org_create(name: str, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Create an organization."""
    show(call(data_dir, lambda keys, _: keys.create_organization(name)), as_json)


@org.command("list")
def org_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List organizations."""
    show(call(data_dir, lambda keys, _: keys.organizations()), as_json)


@user.command("create")
def user_create(
    name: str,
    organization: OrgOption = "default",
    role: Annotated[Role, typer.Option(help="What the user may manage.")] = Role.member,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create a user."""
    show(call(data_dir, lambda keys, _: keys.create_user(organization, name, role=role.value)), as_json)


@user.command("role")
def user_role(
    name: str, role: Role, organization: OrgOf = "default", data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Change what a user may manage."""
    show(call(data_dir, lambda keys, _: keys.set_role(organization, name, role.value)), as_json)


@user.command("list")
def user_list(organization: OrgFilter = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List users."""
    show(call(data_dir, lambda keys, _: keys.users(organization)), as_json)


@key.command("create")
def key_create(
    organization: OrgOption = "default",
    user_name: Annotated[str, typer.Option("--user", help="User; created if missing.")] = "admin",
    name: Annotated[str, typer.Option(help="A note on what the key is for.")] = "",
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends: ISO 8601, or such as 90d; UTC.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create an API key, which is shown this once. Creates the organization and user that are missing."""
    expires_at = expiry(expires, "--expires")
    show(call(data_dir, lambda keys, _: keys.create_key(organization, user_name, name, expires_at)), as_json)


@key.command("list")
def key_list(
    organization: OrgFilter = None,
    user_name: Annotated[str | None, typer.Option("--user", help="Only this user.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List keys by their first characters, with their last use."""
    show(call(data_dir, lambda keys, _: keys.keys(organization, user_name)), as_json)


@key.command("revoke")
def key_revoke(key_id: int, data_dir: DataDir = None, as_json: Json = False) -> None:
    """End a key at once."""
    show(call(data_dir, lambda keys, _: keys.revoke_key(key_id)), as_json)


@key.command("rotate")
def key_rotate(key_id: int, data_dir: DataDir = None, as_json: Json = False) -> None:
    """End a key and create another for the same user, which is shown this once."""
    show(call(data_dir, lambda keys, _: keys.rotate_key(key_id)), as_json)


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
    show(call(data_dir, lambda _, tags: tags.create(name, description, text)), as_json)


@tag.command("list")
def tag_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List tags."""
    show(call(data_dir, lambda _, tags: tags.all()), as_json)
