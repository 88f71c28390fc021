"""The `atlas` command: runs and manages the server, and works with servers elsewhere."""

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

# The module, attribute and help line of each command and group. Only the commands of the command line are loaded.
# Loading all commands with their options takes three times as long as loading one. A test compares these lines with the
# commands.
COMMANDS = {
    "serve": ("serve:serve", "Run the server, with an embedded PostgreSQL unless ATLAS_DATABASE_URL is set."),
    "version": ("main:version", "Print the version."),
    "login": (
        "accounts:login",
        "Sign in to a server: checks your API key, keeps it for later, and acquires the public tag.",
    ),
    "logout": ("accounts:logout", "Forget a server and its key on this machine. The key itself stays valid."),
    "status": ("accounts:status", "Show whether the server runs, and who you are there."),
    "import": ("imports:import_file", "Import a file into a table by an instruction in plain words."),
    "ask": ("questions:ask", "Ask a question in plain English. Exit code 3 says that it was not understood."),
    "sql": ("questions:sql", "Run one SELECT on tables and datasets."),
    "record": (
        "questions:record",
        "Insert, update, archive or restore single records by a text. Exit code 3 says that it asks back.",
    ),
    "usage": ("accounts:usage", "Show what your keys did, by day and by key, and what is stored."),
    "mcp": ("mcp:mcp", "Serve assistants by the Model Context Protocol, with the rights of one API key."),
}
# A group is loaded from the module with its last command.
GROUPS = {
    "dataset": ("datasets:dataset", "Time-series datasets."),
    "rows": ("alignment:rows", "Rows of datasets."),
    "imports": ("imports:imports", "Past and running imports."),
    "issues": ("issues:issues", "What imports left open for you to decide."),
    "table": ("tables:table", "Tables of your organization."),
    "tag": ("datasets:tag", "Tags, by which datasets are shared."),
    "key": ("accounts:key", "Your API keys."),
    "job": ("jobs:job", "Asynchronous imports and webhooks, for admins and operators."),
    "queries": ("saved_queries:queries", "SQL that you keep, or that your organization shares."),
    "favourites": ("saved_queries:favourites", "Datasets and tables that you marked."),
    "profile": ("accounts:profile", "Servers that you are signed in to."),
    "admin": ("admin:app", "Organizations, users, keys, tags, backups: on the server's own database."),
}


def __getattr__(name: str) -> Any:
    if name == "app":
        globals()["app"] = made = application((*COMMANDS, *GROUPS))
        return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """Runs the command line."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["version"]):
        print(atlas.__version__)
        return
    command = typer.main.get_command(
        overview() if arguments in ([], ["--help"]) else application(select_commands(arguments))
    )
    _show_whole_lines(command)
    command()


def _show_whole_lines(command: Any) -> None:
    """Makes lists of commands show the first paragraph of each command's help, which would otherwise be cut to 45
    letters.
    """
    for inner in getattr(command, "commands", {}).values():
        inner.short_help = inner.short_help or " ".join((inner.help or "").strip().split("\n\n")[0].split())
        _show_whole_lines(inner)


def select_commands(arguments: list[str]) -> Iterable[str]:
    """Returns the commands to load: the first word of the command line, or all if it names none or a shell completes
    it.
    """
    first = arguments[0] if arguments else ""
    if (first in COMMANDS or first in GROUPS) and not any(name.endswith("_COMPLETE") for name in os.environ):
        return (first,)
    return (*COMMANDS, *GROUPS)


def application(names: Iterable[str]) -> typer.Typer:
    """Builds the command with the named commands and groups."""
    made = _empty()
    for name in names:
        place, _ = COMMANDS.get(name) or GROUPS[name]
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(f"atlas.cli.{module}"), attribute)
        if name in COMMANDS:
            made.command(name)(found)
        else:
            made.add_typer(found, name=name)
    return made


def overview() -> typer.Typer:
    """Builds the command with all names and help lines but no code behind, so that `atlas --help` loads no other
    module.
    """
    made = _empty()
    for name, (_, line) in {**COMMANDS, **GROUPS}.items():
        made.command(name, help=line)(_nothing)
    return made


def _nothing() -> None:
    """Stands for a command in the overview, which is shown and never run."""


def _empty() -> typer.Typer:
    # Rich's boxes would take 0.3 s, more than all other work for the help.
    made = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Atlas: a self-hosted data platform on PostgreSQL.",
    )
    made.callback()(options)
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
