"""`atlas table`: the tables of your organization."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from atlas.cli.context import Session, Yes, remote
from atlas.cli.datasets import About, ColumnName, Unit
from atlas.cli.downloads import DownloadFormat, Safe, format_of
from atlas.cli.exit_codes import USAGE, CommandError, say
from atlas.cli.import_progress import bytes_bar
from atlas.cli.output import RowFormat, data, parse_value, print_json, print_lines, print_rows, print_table
from atlas.cli.rows import FormatOption
from atlas.kit.plurals import many


class SampleUse(StrEnum):
    """The users whose models may receive values of a table."""

    NOBODY = "nobody"
    ORGANIZATION = "organization"


table = typer.Typer(no_args_is_help=True, help="Tables of your organization.")
Name = Annotated[str, typer.Argument(metavar="TABLE", help="Name of the table.")]
Where = Annotated[str | None, typer.Option("--where", help='Only rows that match a condition, such as "amount > 100".')]


@table.command("list")
@remote
def table_list(session: Session) -> None:
    """List tables, and the datasets that you may read."""
    session.show(session.client.tables.list(), ["table_name", "row_count", "kind", "dataset_id", "owner"], "no tables")


@table.command("schema")
@remote
def table_schema(session: Session, name: Name) -> None:
    """Show the columns of a table."""
    session.show(session.client.tables.schema(name), ["name", "type", "nullable", "unit", "description"])


@table.command("column")
@remote
def table_column(session: Session, name: Name, column: ColumnName, unit: Unit = None, about: About = None) -> None:
    """Say the unit of a column's values and what they mean; "" takes it away."""
    session.show(session.client.tables.describe_column(name, column, unit=unit, description=about))


@table.command("stats")
@remote
def table_stats(session: Session, name: Name) -> None:
    """Show how many rows a table has, and what is in its columns."""
    found = session.client.tables.stats(name)
    if session.as_json:
        print_json(found)
        return
    lines = {"table": found.table_name, "rows": found.row_count, "key": ", ".join(found.key_columns)}
    written = {"last encoding": found.encoding, "last delimiter": found.delimiter and repr(found.delimiter)}
    print_lines({**lines, **{name: text for name, text in written.items() if text}})
    columns = [
        {"column": column, "type": kind, **found.statistics.get(column, {})} for column, kind in found.columns.items()
    ]
    print_table(columns, list(dict.fromkeys(member for column in columns for member in column)))


@table.command("values")
@remote
def table_values(
    session: Session,
    name: Name,
    column: Annotated[str, typer.Argument(help="Name of the column.")],
    where: Where = None,
    limit: Annotated[int, typer.Option(help="Most values.", min=1, max=1000)] = 100,
) -> None:
    """List the values of a column with their numbers of rows, most frequent first."""
    found = session.client.tables.values(name, column, where=where, limit=limit)
    session.show([{"value": value, "rows": rows} for value, rows in found], ["value", "rows"], "no rows")


@table.command("samples")
@remote
def table_samples(
    session: Session,
    name: Name,
    samples: Annotated[SampleUse | None, typer.Argument(metavar="[nobody|organization]")] = None,
) -> None:
    """Show, or say, whether the organization's model may be sent values of a table's cells."""
    if samples is not None:
        session.client.tables.set_samples(name, samples.value)
    session.show({"table_name": name, "samples": session.client.tables.samples(name)})


@table.command("rows")
@remote
def table_rows(
    session: Session,
    name: Name,
    where: Where = None,
    search: Annotated[str | None, typer.Option(help="Text in any column.")] = None,
    sort: Annotated[str | None, typer.Option(help="Column, `-` before it for descending: --sort=-amount.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived rows instead.")] = False,
    limit: Annotated[int, typer.Option(help="Most rows.", min=1, max=1000)] = 100,
    offset: Annotated[int, typer.Option(help="Rows to skip.", min=0)] = 0,
    form: FormatOption = RowFormat.table,
) -> None:
    """Print rows of a table; `_row` is a row's number."""
    page = session.client.tables.page(
        name, where=where, search=search, sort=sort, archived=archived, limit=limit, offset=offset
    )
    if session.as_json:
        print_json(page)
        return
    print_rows(page.rows, ["_row", *(column.name for column in page.columns)], form)
    if form is RowFormat.table and page.total_count > len(page.rows):
        say(f"{len(page.rows):,} of {many(page.total_count, 'row')}")


@table.command("update")
@remote
def table_update(
    session: Session,
    name: Name,
    values: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="A new value: COLUMN=VALUE; `null` empties. Repeatable.")
    ] = None,
    where: Where = None,
    row: Annotated[int | None, typer.Option(help="Only the row of this number.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Records with keys and new values instead.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The file's columns that identify a row: a,b.")] = None,
    confirm_all: Annotated[bool, typer.Option("--all-rows", help="Let the condition match every row.")] = False,
    accept: Annotated[
        bool | None,
        typer.Option("--accept-proposals/--no-proposals", help="Take columns that headers may mean, or none of them."),
    ] = None,
) -> None:
    """Change rows by condition, by number, or by the records of a file. `atlas imports undo` takes it back."""
    tables = session.client.tables
    done: Any
    if file is not None:
        if key is None or values or where is not None or row is not None:
            raise CommandError("--file goes with --key alone", USAGE)
        done = tables.update_file(name, file, key, accept_proposals=accept)
    else:
        if not values or (where is None) == (row is None):
            raise CommandError("give --set COLUMN=VALUE with either --where or --row, or give --file", USAGE)
        updates = _updates(values)
        if row is not None:
            done = tables.patch(name, row, updates)
        else:
            assert where is not None
            done = tables.update_where(name, where, updates, confirm_all=confirm_all)
    if session.as_json:
        print_json(done)
    else:
        print_lines({member: value for member, value in data(done).items() if value not in (None, [], (), 0)})


def _updates(values: list[str]) -> dict[str, Any]:
    found = {}
    for text in values:
        column, separator, value = text.partition("=")
        if not separator or not column:
            raise CommandError(f"--set: {text!r} is not COLUMN=VALUE", USAGE)
        found[column] = parse_value(value)
    return found


@table.command("export")
@remote
def table_export(
    session: Session,
    name: Name,
    out: Annotated[Path, typer.Argument(help="File to write, which is replaced.")],
    form: Annotated[DownloadFormat | None, typer.Option("--format", help="Format, if not by the file's name.")] = None,
    where: Where = None,
    safe: Safe = False,
) -> None:
    """Write a table to a file."""
    kind = form or format_of(out)
    with bytes_bar(f"exporting {out}", None) as report:
        written = session.client.tables.export(name, out, kind.value, where=where, safe=safe, progress=report)
    if session.as_json:
        print_json({"table": name, "file": str(out), "format": kind.value, "bytes": written})
    else:
        say(f"wrote {out} ({many(written, 'byte')})")


@table.command("history")
@remote
def table_history(session: Session, name: Name, row: Annotated[int, typer.Argument(help="The row's number.")]) -> None:
    """Show what became of a row, newest first."""
    columns = ["at", "user", "kind", "before", "after", "undone", "import_id"]
    session.show(session.client.tables.history(name, row), columns, "no changes")


@table.command("delete")
@remote
def table_delete(session: Session, name: Name, yes: Yes = False) -> None:
    """Drop a table with all its rows, for good."""
    session.confirm(f"Drop table {name} with all its rows, for good?", yes)
    session.client.tables.delete(name, confirm=name)
    session.show({"table": name, "deleted": True})
