"""`atlas queries` and `atlas favourites`: saved SQL, and marked datasets and tables."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas.cli.context import Session, remote
from atlas.cli.exit_codes import USAGE, CommandError
from atlas.cli.output import print_json
from atlas.cli.questions import MaxRows, show_result

if TYPE_CHECKING:
    from atlas.contract.saved import SavedQuery

queries = typer.Typer(no_args_is_help=True, help="SQL that you keep, or that your organization shares.")
favourites = typer.Typer(no_args_is_help=True, help="Datasets and tables that you marked.")
COLUMNS = ["name", "shared", "owner", "updated_at", "id"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the query.")]
Shared = Annotated[bool | None, typer.Option("--share/--private", help="Whether your organization sees it.")]


class Kind(StrEnum):
    """The kinds of things to mark."""

    dataset = "dataset"
    table = "table"


def _find(session: Session, name: str) -> SavedQuery:
    """Returns a query by its id or name, the user's own queries first.

    Raises CommandError: when several queries have the name.
    """
    same = [one for one in session.client.saved_queries.list(name) if one.name.lower() == name.lower()]
    own = [one for one in same if one.is_owner] or same
    if len(own) > 1:
        raise CommandError(f"several queries are called {name!r}: {', '.join(one.id for one in own)}", USAGE)
    return own[0] if own else session.client.saved_queries.get(name)


def _text(sql: str | None) -> str:
    text = sys.stdin.read() if sql in (None, "-") else sql
    if text and text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    if not text or not text.strip():
        raise CommandError("give a SELECT", USAGE)
    return text


@queries.command("list")
@remote
def queries_list(
    session: Session, search: Annotated[str | None, typer.Option(help="Text in name or SQL.")] = None
) -> None:
    """List your queries, and those that others share."""
    session.show(list(session.client.saved_queries.list(search)), COLUMNS, "no queries")


@queries.command("show")
@remote
def queries_show(session: Session, name: Name) -> None:
    """Print the SQL of a query."""
    found = _find(session, name)
    if session.as_json:
        print_json(found)
    else:
        print(found.sql)


@queries.command("save")
@remote
def queries_save(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    sql: Annotated[
        str | None, typer.Argument(metavar="SELECT", help="SQL, or @FILE; by default from standard input.")
    ] = None,
    share: Shared = None,
) -> None:
    """Save SQL under a name; one of yours that has the name is replaced."""
    text, own = _text(sql), [one for one in session.client.saved_queries.list(name) if one.is_owner]
    old = next((one for one in own if one.name.lower() == name.lower()), None)
    if old is None:
        session.show(session.client.saved_queries.create(name, text, shared=bool(share)))
    else:
        session.show(session.client.saved_queries.update(old.id, sql=text, shared=share))


@queries.command("run")
@remote
def queries_run(
    session: Session,
    name: Name,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    max_rows: MaxRows = 1000,
) -> None:
    """Run a query."""
    show_result(session, session.client.sql(_find(session, name).sql, max_rows), as_csv=as_csv)


@queries.command("delete")
@remote
def queries_delete(session: Session, name: Name) -> None:
    """Delete a query of yours."""
    found = _find(session, name)
    session.client.saved_queries.delete(found.id)
    session.show({"id": found.id, "deleted": True})


@favourites.command("list")
@remote
def favourites_list(session: Session) -> None:
    """List what you marked."""
    session.show(list(session.client.favourites.list()), ["kind", "dataset_id", "name"], "no favourites")


@favourites.command("add")
@remote
def favourites_add(
    session: Session, kind: Kind, name: Annotated[str, typer.Argument(help="Id of the dataset, or name of the table.")]
) -> None:
    """Mark a dataset or a table."""
    session.client.favourites.add(kind.value, name)
    session.show({"kind": kind.value, "name": name, "favourite": True})


@favourites.command("remove")
@remote
def favourites_remove(
    session: Session, kind: Kind, name: Annotated[str, typer.Argument(help="Id of the dataset, or name of the table.")]
) -> None:
    """Take a mark away."""
    session.client.favourites.remove(kind.value, name)
    session.show({"kind": kind.value, "name": name, "favourite": False})
