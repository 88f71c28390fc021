"""`atlas import` and `atlas imports`: files into tables by a plain-English instruction, and the results."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from atlas.cli.context import Session, Target, Yes, remote
from atlas.cli.datasets import json_object
from atlas.cli.exit_codes import USAGE, CommandError, ExitCode, leave_waiting, say
from atlas.cli.import_progress import ImportBar
from atlas.cli.output import data, plain, print_json, print_lines, print_table
from atlas.kit.plurals import many

if TYPE_CHECKING:
    from atlas.client import Client

imports = typer.Typer(no_args_is_help=True, help="Past and running imports.")
COLUMNS = [
    "import_id",
    "created_at",
    "kind",
    "file_name",
    "table_name",
    "status",
    "records_processed",
    "issues_open",
    "issues_resolved",
]
ImportId = Annotated[str, typer.Argument(metavar="IMPORT_ID", help="Id of the import; `last` is the newest.")]


def import_id(client: Client, given: str) -> str:
    """Returns the id of an import. `last` is the newest import or update, corrections excluded.

    Raises CommandError: when there is no import yet.
    """
    if given != "last":
        return given
    newest = next((one for one in client.imports.history(limit=100) if one.kind != "correction"), None)
    if newest is None:
        raise CommandError("there is no import yet")
    return newest.import_id


@remote
def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, Excel, JSON, XML or Parquet.")],
    instruction: Annotated[str, typer.Argument(help="What to do, in plain English.")],
    preview: Annotated[bool, typer.Option("--preview", help="Show the plan and write nothing.")] = False,
    thread: Annotated[str | None, typer.Option(help="Conversation that earlier imports belong to.")] = None,
    callback_url: Annotated[str | None, typer.Option(help="Run it later and post the result to this address.")] = None,
    callback_metadata: Annotated[str | None, typer.Option(help="A JSON object that comes back with it.")] = None,
    accept: Annotated[
        bool | None,
        typer.Option("--accept-proposals/--no-proposals", help="Take columns that headers may mean, or none of them."),
    ] = None,
    exit_code: ExitCode = False,
) -> None:
    """Import a file into a table by an instruction in plain words.

    What could not be imported waits for a decision: see `atlas issues`.
    """
    client = session.client
    bar = ImportBar(file.name, file.stat().st_size)
    with bar.shown():
        session.on_sent = bar.sent
        if preview:
            plan = client.imports.preview(file, instruction, thread_id=thread, accept_proposals=accept)
        else:
            metadata = None if callback_metadata is None else json_object(callback_metadata, "--callback-metadata")
            number = str(uuid4())
            with _following(session, number, bar):
                done = client.imports.run(
                    file,
                    instruction,
                    thread_id=thread,
                    callback_url=callback_url,
                    callback_metadata=metadata,
                    import_id=number,
                    accept_proposals=accept,
                )
    if preview:
        _show_plan(session, plan)
        return
    _show_result(session, done)
    leave_waiting(done.has_correctable_issues, exit_code)


@contextlib.contextmanager
def _following(session: Session, number: str, bar: ImportBar) -> Iterator[None]:
    """Shows the server's stages on a terminal while the block waits for its answer."""
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(session.target, number, bar, ended), daemon=True)
    if bar.watched:
        watcher.start()
    try:
        yield
    finally:
        ended.set()


def _watch(target: Target, number: str, bar: ImportBar, ended: threading.Event) -> None:
    """Polls the progress of the import every 0.4 s. Errors are ignored, since the progress is optional."""
    from atlas.client import AtlasClientError, Client

    with Client(target.url, target.api_key, retries=0) as client:
        while not ended.wait(0.4):
            # The server knows the import only after it has the whole file.
            with contextlib.suppress(AtlasClientError):
                now = client.imports.status(number)
                bar.stage(now.stage, now.records_processed)


def _show_plan(session: Session, plan: Any) -> None:
    if session.as_json:
        print_json(plan)
        return
    what = "dataset" if plan.as_dataset else "table"
    print_lines(
        {
            what: f"{plan.table_name} ({'exists' if plan.table_exists else 'new'})",
            "records": plan.records,
            "key": ", ".join(plan.key_columns),
            "duplicates": plan.duplicates,
            **{name: value for name, value in (("encoding", plan.encoding), ("delimiter", plan.delimiter)) if value},
            "would be inserted": plan.records_inserted,
            "would be updated": plan.records_updated,
            "duplicates in the file": plan.duplicates_in_file,
            "duplicates in the table": "not looked for"
            if plan.duplicates_in_table is None
            else plan.duplicates_in_table,
            "validation failures": plan.validation_failures,
            "replaced values": plan.value_replacements,
            "look alike": plan.records_flagged,
        }
    )
    print_table(data(plan.columns), ["source", "name", "type", "new", "semantic", "required", "unit"])
    if plan.sample:
        print_table(plan.sample, list(plan.sample[0]))
    _show_cells("fails", plan.failing_cells, plan.failing_cells_more)
    _show_cells("replaced", plan.replaced_cells, plan.replaced_cells_more)
    for note in plan.notes:
        print(f"note: {note}")
    _show_reading(plan)
    for question in plan.questions:
        print(f"question: {question}")


def _show_cells(word: str, cells: Any, more: int) -> None:
    """Prints the cells of a preview, and the number of further cells."""
    for cell in cells:
        where = f"record {cell.record_number}" + (f", {cell.column}" if cell.column else "")
        if word == "fails":
            print(f"fails: {where}: {cell.reason} ({cell.value!r})")
        else:
            new = "empty" if cell.new_value is None else repr(cell.new_value)
            print(f"replaced: {where}: {cell.original_value!r} becomes {new}")
    if more:
        print(f"{word}: {more:,} more")


def _show_reading(read: Any) -> None:
    """Prints how the instruction is understood, and the words that are not understood."""
    for clause in read.understood:
        print(f"understood: {clause.meaning}")
    for proposal in read.proposals:
        print(f"proposal: {proposal.header} may mean {proposal.column} ({proposal.confidence:.0%}, {proposal.reason})")
    if read.not_understood:
        print(f"not understood: {', '.join(read.not_understood)}")


def _result_json(done: Any) -> Any:
    """Returns the result of an import for programs, with the message of an import that was not carried out."""
    return data(done) | ({"message": done.message} if done.message else {})


def _show_result(session: Session, done: Any) -> None:
    if session.as_json:
        print_json(_result_json(done))
        return
    print(done.response_summary)
    for clause in done.understood:
        print(f"understood: {clause.meaning}")
    waiting = {
        "duplicate": done.duplicates_skipped,
        "validation failure": done.validation_failures,
        "replaced value": done.value_replacements,
        "look-alike": done.records_flagged,
    }
    if done.has_correctable_issues:
        told = ", ".join(many(count, name) for name, count in waiting.items() if count)
        print(f"waiting for you: {told}")
        print(f"review them: atlas issues review {done.import_id}")
    else:
        print(f"import: {done.import_id}")


@imports.command("list")
@remote
def imports_list(
    session: Session,
    table: Annotated[str | None, typer.Option(help="Only imports into this table.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only pending, running, success, failed, undone, partially_undone or reset ones.")
    ] = None,
    waiting: Annotated[
        bool | None, typer.Option("--waiting/--settled", help="Only those with issues that wait, or without.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="Text in the name of the file or the table.")] = None,
    sort: Annotated[str | None, typer.Option(help="Field, `-` before it for descending: --sort=table_name.")] = None,
    limit: Annotated[int, typer.Option(help="Most results.", min=1)] = 20,
) -> None:
    """List imports and updates of your organization, newest first."""
    found = list(
        session.client.imports.history(
            table=table, status=status, waiting=waiting, search=search, sort=sort, limit=limit
        )
    )
    session.show(found, COLUMNS, "no imports")


@imports.command("show")
@remote
def imports_show(session: Session, name: ImportId) -> None:
    """Show everything known of an import."""
    found = session.client.imports.get(import_id(session.client, name))
    if session.as_json:
        print_json(found)
        return
    lines = {member: value for member, value in data(found).items() if value is not None and member != "plan"}
    lines["issues_waiting"] = ", ".join(f"{count} {kind}" for kind, count in data(found.issues_waiting).items())
    print_lines(lines)


@imports.command("export")
@remote
def imports_export(
    session: Session,
    name: ImportId,
    out: Annotated[Path, typer.Argument(help="CSV file to write, which is replaced.")],
    metadata: Annotated[bool, typer.Option("--metadata", help="Also Atlas's own columns.")] = False,
    safe: Annotated[
        bool, typer.Option("--safe", help="Put an apostrophe before texts that a spreadsheet would run.")
    ] = False,
) -> None:
    """Write the rows that an import brought to a CSV file."""
    written = session.client.imports.export(import_id(session.client, name), out, include_metadata=metadata, safe=safe)
    if session.as_json:
        print_json({"file": str(out), "bytes": written})
    else:
        say(f"wrote {out} ({many(written, 'byte')})")


@imports.command("undo")
@remote
def imports_undo(
    session: Session,
    name: ImportId,
    partial: Annotated[bool, typer.Option("--partial", help="Take back what nobody has changed since.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be taken back; change nothing.")] = False,
    yes: Yes = False,
) -> None:
    """Take an import, update or correction back as a whole. With --partial, exit code 1 says that something stays."""
    client = session.client
    number = import_id(client, name)
    if not dry_run:
        session.confirm(f"Take import {number} back?", yes)
    done = client.imports.undo(number, partial=partial, dry_run=dry_run)
    if session.as_json:
        print_json(done)
    else:
        print(done.message or f"took back {number}")
        for one in done.changed_since:
            print(f"changed since by {one.kind} {one.import_id}: {many(one.rows, 'row')}")
    if not done.complete:
        raise typer.Exit(1)


@imports.command("redo")
@remote
def imports_redo(
    session: Session,
    name: ImportId,
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="JSON file with table_name, mappings, key_columns.")
    ] = None,
    execute: Annotated[bool, typer.Option("--execute/--reset-only", help="Import the kept file again.")] = True,
    yes: Yes = False,
) -> None:
    """Take an import back and import its file again, with another mapping if one is given."""
    client = session.client
    number = import_id(client, name)
    told = None
    if mapping is not None:
        told = json_object(mapping.read_text(encoding="utf-8"), str(mapping))
    session.confirm(f"Take import {number} back" + (" and import its file again?" if execute else "?"), yes)
    done = client.imports.redo(number, told, auto_execute=execute)
    found = _result_json(done)
    if session.as_json:
        print_json(found)
        return
    print_lines({member: value for member, value in found.items() if plain(value) and member != "success"})


def read_decisions(path: Path) -> dict[str, Any]:
    """Reads a file of decisions. `-` is standard input.

    Raises CommandError: when the file is missing or no JSON object.
    """
    if str(path) == "-":
        return json_object(sys.stdin.read(), "standard input")
    if not path.is_file():
        raise CommandError(f"there is no file {str(path)!r}", USAGE)
    return json_object(path.read_text(encoding="utf-8"), str(path))
