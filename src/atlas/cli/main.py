"""The `atlas` command: runs the server and manages it, and works with servers elsewhere."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

import atlas
from atlas.cli.output import Json, print_json

if TYPE_CHECKING:
    app: typer.Typer

# Where each command and each group of commands is. Only those that a command line names are loaded: all of them, with
# their options, take three times as long as any one.
COMMANDS = {
    "serve": "serve:serve",
    "version": "main:version",
    "login": "accounts:login",
    "logout": "accounts:logout",
    "status": "accounts:status",
    "import": "imports:import_file",
    "ask": "questions:ask",
    "sql": "questions:sql",
    "record": "questions:record",
    "usage": "accounts:usage",
    "mcp": "mcp:mcp",
}
# A group is found where its last command is.
GROUPS = {
    "dataset": "datasets:dataset",
    "rows": "tail:rows",
    "imports": "imports:imports",
    "issues": "issues:issues",
    "table": "tables:table",
    "tag": "datasets:tag",
    "key": "accounts:key",
    "job": "jobs:job",
    "queries": "saved_queries:queries",
    "favourites": "saved_queries:favourites",
    "profile": "accounts:profile",
    "admin": "admin:app",
}


def __getattr__(name: str) -> Any:
    if name == "app":
        globals()["app"] = made = application((*COMMANDS, *GROUPS))
        return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Entry point."""
    application(named(sys.argv[1:]))()


def named(arguments: list[str]) -> Iterable[str]:
    """The commands that a command line needs: its first word, or all where it names none, or a shell completes it."""
    first = arguments[0] if arguments else ""
    if (first in COMMANDS or first in GROUPS) and not any(name.endswith("_COMPLETE") for name in os.environ):
        return (first,)
    return (*COMMANDS, *GROUPS)


def application(names: Iterable[str]) -> typer.Typer:
    """The command with some of its commands and groups."""
    made = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Atlas: a self-hosted data platform on PostgreSQL.",
    )
    made.callback()(options)
    for name in names:
        place = COMMANDS.get(name) or GROUPS[name]
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(f"atlas.cli.{module}"), attribute)
        if name in COMMANDS:
            made.command(name)(found)
        else:
            made.add_typer(found, name=name)
    return made


def _version(given: bool) -> None:
    if given:
        print(atlas.__version__)
        raise typer.Exit


def options(
    shown: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Atlas: a self-hosted data platform on PostgreSQL."""


def version(as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": atlas.__version__})
    else:
        print(atlas.__version__)


if __name__ == "__main__":
    main()
