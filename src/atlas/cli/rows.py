"""`atlas rows`: insert, read, aggregate, delete and download rows of a dataset."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from atlas.cli.context import Session, Yes, remote
from atlas.cli.datasets import Dataset, OnConflict
from atlas.cli.exit_codes import USAGE, CommandError, say
from atlas.cli.import_progress import bytes_bar
from atlas.cli.output import RowFormat, data, parse_value, print_lines, print_rows, print_table
from atlas.cli.time_arguments import moment, since, until
from atlas.kit.plurals import many

rows = typer.Typer(no_args_is_help=True, help="Rows of datasets.")
Start = Annotated[
    str | None, typer.Option(metavar="TIME", help="First timestamp: ISO 8601, `yesterday`, `-7d`, `2h ago`; UTC.")
]
End = Annotated[
    str | None, typer.Option(metavar="TIME", help="Last timestamp, inclusive, as --start; a day as a whole.")
]
Columns = Annotated[list[str] | None, typer.Option("--columns", help="Only these: a,b. Repeatable.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="Only these series, by a key of the dataset: symbol:MSFT,AAPL. Repeatable."),
]
KnownAt = Annotated[
    str | None,
    typer.Option(metavar="MOMENT", help="Rows as they were then: a version of the dataset, or a time, as --end."),
]
By = Annotated[list[str] | None, typer.Option("--by", help="Each series apart, by these keys: a,b. Repeatable.")]
FormatOption = Annotated[RowFormat, typer.Option("--format", help="How rows are printed.")]
# What a policy for conflicts did with rows.
WORDS = {"replaced": "replaced", "identical": "had already", "kept": "left out, as others are kept,"}


class FileFormat(StrEnum):
    """The formats of a file to insert."""

    csv = "csv"
    ndjson = "ndjson"
    json = "json"
    parquet = "parquet"
    arrow = "arrow"


class EpochUnit(StrEnum):
    """The units of numeric timestamps since 1970."""

    s = "s"
    ms = "ms"
    us = "us"
    ns = "ns"


@rows.command("insert")
@remote
def rows_insert(
    session: Session,
    name: Dataset,
    file: Annotated[
        Path | None, typer.Argument(help="CSV, NDJSON, JSON, Parquet or Arrow, also .gz; `-` is standard input.")
    ] = None,
    timestamp: Annotated[
        str | None, typer.Option(metavar="TIME", help="Timestamp of a single row: ISO 8601, `now`, `5m ago`; UTC.")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--value", "-v", help="A value of a single row: NAME=VALUE. Repeatable.")
    ] = None,
    form: Annotated[FileFormat | None, typer.Option("--format", help="What the file is, if not by its name.")] = None,
    timestamp_column: Annotated[str | None, typer.Option(help="The file's column with the timestamps.")] = None,
    timestamp_format: Annotated[str | None, typer.Option(help="Their strptime format, if not ISO 8601.")] = None,
    epoch: Annotated[
        EpochUnit | None, typer.Option(help="Timestamps of the file are numbers of this unit since 1970.")
    ] = None,
    on_conflict: OnConflict = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show what the file holds and store nothing.")] = False,
) -> None:
    """Insert one row, or all rows of a file."""
    if file is None:
        if timestamp is None or not values:
            raise CommandError("give a file, or --timestamp and --value NAME=VALUE", USAGE)
        _insert_one(session, name, timestamp, values, on_conflict.value if on_conflict else None)
        return
    if timestamp is not None or values:
        raise CommandError("a file has its own timestamps and values: leave out --timestamp and --value", USAGE)
    with _named_file(file, form) as path:
        if preview:
            _show_preview(
                session,
                session.client.rows.preview(
                    name,
                    path,
                    timestamp_column=timestamp_column,
                    timestamp_format=timestamp_format,
                    epoch=epoch.value if epoch else None,
                ),
            )
            return
        size = path.stat().st_size
        with bytes_bar(f"inserting {file}", size) as report:
            session.on_sent = report
            done = session.client.rows.bulk_insert(
                name,
                path,
                timestamp_column=timestamp_column,
                timestamp_format=timestamp_format,
                epoch=epoch.value if epoch else None,
                on_conflict=on_conflict.value if on_conflict else None,
            )
    told = {kind: count for kind in ("replaced", "identical", "kept") if (count := getattr(done, kind))}
    if session.as_json:
        session.show({"dataset": name, "inserted": done.rows, **told})
    else:
        more = [f"{WORDS[kind]} {many(count, 'row')}" for kind, count in told.items()]
        say("; ".join([f"inserted {many(done.rows, 'row')}", *more]))


def _show_preview(session: Session, found: Any) -> None:
    if session.as_json:
        session.show(found)
        return
    print_lines(
        {
            "rows": found.rows,
            "first": data(found.first_timestamp),
            "last": data(found.last_timestamp),
            "timestamp column": found.timestamp_column,
            "timestamp format": found.timestamp_format,
        }
    )
    print_table(found.columns, ["name", "dtype", "new"])
    rows = [flat(row) for row in found.sample]
    print_table(rows, columns_of(rows))


def _insert_one(session: Session, name: str, timestamp: str, values: list[str], on_conflict: Any) -> None:
    found = {}
    for text in values:
        column, separator, value = text.partition("=")
        if not separator or not column:
            raise CommandError(f"--value: {text!r} is not NAME=VALUE", USAGE)
        found[column] = parse_value(value)
    stamp = since(timestamp, "--timestamp")
    assert stamp is not None
    row = session.client.rows.insert(name, stamp, found, on_conflict=on_conflict)
    if session.as_json:
        session.show({"dataset": name, **{key: value for key, value in data(row).items() if value is not None}})
    else:
        kind = next((kind for kind in WORDS if getattr(row, kind)), "inserted")
        say(f"{WORDS.get(kind, kind)} 1 row")


@contextlib.contextmanager
def _named_file(file: Path, form: FileFormat | None) -> Iterator[Path]:
    """Yields a file whose name shows its format. Standard input is copied to a temporary file.

    Raises CommandError: when the file or the format is missing.
    """
    if str(file) != "-" and form is None:
        if not file.is_file():
            raise CommandError(f"there is no file {str(file)!r}", USAGE)
        yield file
        return
    if form is None:
        raise CommandError("give --format for standard input", USAGE)
    with tempfile.TemporaryDirectory(prefix="atlas-rows-") as folder:
        target = Path(folder) / f"rows.{form.value}"
        with target.open("wb") as copy:
            if str(file) == "-":
                shutil.copyfileobj(sys.stdin.buffer, copy, 1024 * 1024)
            else:
                with file.open("rb") as source:
                    shutil.copyfileobj(source, copy, 1024 * 1024)
        yield target


def flat(row: Any) -> dict[str, Any]:
    """Returns a row with its keys beside the timestamp. A key `timestamp` becomes `values.timestamp`."""
    values = {f"values.{name}" if name == "timestamp" else name: value for name, value in row.values.items()}
    return {"timestamp": data(row.timestamp), **values}


def columns_of(found: list[dict[str, Any]]) -> list[str]:
    """Returns all keys of the rows, in order of first appearance."""
    return list(dict.fromkeys(name for row in found for name in row))


@rows.command("get")
@remote
def rows_get(
    session: Session,
    name: Dataset,
    start: Start = None,
    end: End = None,
    columns: Columns = None,
    where: Where = None,
    known_at: KnownAt = None,
    newest: Annotated[bool, typer.Option("--newest-first/--oldest-first", help="Order of the rows.")] = False,
    limit: Annotated[int, typer.Option(help="Most rows.", min=1)] = 250,
    offset: Annotated[int, typer.Option(help="Rows to skip.", min=0)] = 0,
    form: FormatOption = RowFormat.table,
) -> None:
    """Print rows of a range, in order of time."""
    page = session.client.rows.page(
        name,
        start=since(start, "--start"),
        end=until(end, "--end"),
        columns=columns,
        where=where,
        known_at=moment(known_at),
        limit=limit,
        offset=offset,
        descending=newest,
    )
    if session.as_json:
        session.show({"count": page.count, "rows": page.rows, "next_cursor": page.next_cursor})
        return
    found = [flat(row) for row in page.rows]
    print_rows(found, columns_of(found), form)
    if form is RowFormat.table and page.count > len(found):
        say(f"{len(found):,} of {many(page.count, 'row')}")


@rows.command("latest")
@remote
def rows_latest(
    session: Session,
    name: Dataset,
    where: Where = None,
    by: By = None,
    known_at: KnownAt = None,
    form: FormatOption = RowFormat.table,
) -> None:
    """Print the row with the greatest timestamp, or with --by that of each series."""
    if by and known_at is not None:
        raise CommandError("--known-at: not with --by; ask for each series by --where", USAGE)
    if by:
        latest = session.client.rows.latest_by(name, by, where=where)
        if session.as_json:
            session.show({"count": len(latest), "rows": latest})
            return
        lines = [flat(row) for row in latest]
        print_rows(lines, columns_of(lines), form)
        return
    row = session.client.rows.latest(name, where=where, known_at=moment(known_at))
    session.show(row if session.as_json else flat(row))


@rows.command("history")
@remote
def rows_history(
    session: Session,
    name: Dataset,
    start: Start = None,
    end: End = None,
    where: Where = None,
    limit: Annotated[int, typer.Option(help="Most rows.", min=1)] = 1000,
    form: FormatOption = RowFormat.table,
) -> None:
    """Print rows that others have replaced, and when."""
    found = list(
        session.client.rows.history(name, since(start, "--start"), until(end, "--end"), where=where, limit=limit)
    )
    if session.as_json:
        session.show(found)
        return
    lines = [{"replaced_at": data(row.replaced_at), **flat(row)} for row in found]
    print_rows(lines, columns_of(lines), form)


@rows.command("series")
@remote
def rows_series(
    session: Session,
    name: Dataset,
    search: Annotated[str | None, typer.Option(help="Text within a key, in any case.")] = None,
    where: Where = None,
    by: By = None,
    limit: Annotated[int, typer.Option(help="Most series.", min=1)] = 1000,
    form: FormatOption = RowFormat.table,
) -> None:
    """List the series of a dataset, each with the time of its latest row."""
    found = list(session.client.rows.series(name, search, by=by, where=where, limit=limit))
    if session.as_json:
        session.show(found)
        return
    lines: list[dict[str, Any]] = [{**one.key, "latest": one.timestamp} for one in found]
    print_rows(lines, columns_of(lines), form)


@rows.command("delete")
@remote
def rows_delete(
    session: Session,
    name: Dataset,
    start: Start = None,
    end: End = None,
    final: Annotated[bool, typer.Option("--final", help="Keep none of the rows for reads of earlier moments.")] = False,
    yes: Yes = False,
) -> None:
    """Delete the rows of a range, for good; both ends are inclusive."""
    if start is None and end is None:
        raise CommandError("give --start, --end or both", USAGE)
    client, first, last = session.client, since(start, "--start"), until(end, "--end")
    if not yes:
        count = client.rows.page(name, start=first, end=last, limit=1).count
        session.confirm(f"Delete {many(count, 'row')} of dataset {name}, for good?", yes)
    deleted = client.rows.delete(name, start=first, end=last, final=final)
    if session.as_json:
        session.show({"dataset": name, "deleted": deleted})
    else:
        say(f"deleted {many(deleted, 'row')}")
