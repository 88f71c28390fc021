"""`atlas issues`: list, review and correct the issues of an import."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from atlas.cli.context import Session, remote
from atlas.cli.exit_codes import FAILED, USAGE, CommandError, ExitCode, leave_waiting, say
from atlas.cli.imports import ImportId, import_id, read_decisions
from atlas.cli.output import print_json, print_lines, print_table
from atlas.contract.issues import IssueCounts

issues = typer.Typer(no_args_is_help=True, help="What imports left open for you to decide.")
COUNTS = {
    "duplicates": "duplicates_count",
    "validations": "validation_failures_count",
    "replacements": "value_replacements_count",
}
COLUMNS = {
    "duplicates": ["record_number", "match", "duplicate_of_record", "record", "existing_row"],
    "validations": ["failure_id", "record_number", "errors", "record"],
    "replacements": ["replacement_id", "record_number", "column", "original_value", "new_value"],
}
# The maximum number of decisions in one request.
BATCH = 10_000


class DuplicateAction(StrEnum):
    """The decision for every duplicate."""

    skip = "skip"
    insert = "insert"


class FailureAction(StrEnum):
    """The decision for every record that failed."""

    discarded = "discarded"
    insert_as_is = "insert_as_is"


class ReplacementAction(StrEnum):
    """The decision for every replaced value."""

    keep = "keep"
    restore = "restore"


@issues.command("list")
@remote
def issues_list(
    session: Session,
    name: ImportId,
    decided: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
) -> None:
    """List the issues of an import."""
    client = session.client
    number = import_id(client, name)
    status: Any = "all" if decided else "pending"
    found = {kind: list(client.imports.issues_page(number, _kind(kind), status=status)) for kind in COUNTS}
    if session.as_json:
        print_json({"import_id": number, "summary": client.imports.issues(number).summary, **found})
        return
    for kind, items in found.items():
        columns = [*COLUMNS[kind], *(["status", "action"] if decided else [])]
        print(f"{kind}: {len(items)}")
        if items:
            print_table(items, columns)


def _kind(name: str) -> Any:
    return name


@issues.command("correct")
@remote
def issues_correct(
    session: Session,
    name: ImportId,
    file: Annotated[
        Path | None, typer.Option(help="JSON with decisions as the API takes them; `-` is standard input.")
    ] = None,
    duplicates: Annotated[
        DuplicateAction | None, typer.Option("--all-duplicates", help="For every duplicate that waits.")
    ] = None,
    failures: Annotated[
        FailureAction | None, typer.Option("--all-failures", help="For every record that failed and waits.")
    ] = None,
    replacements: Annotated[
        ReplacementAction | None, typer.Option("--all-replacements", help="For every replaced value that waits.")
    ] = None,
    allow_type_change: Annotated[
        bool, typer.Option("--allow-type-change", help="Let restored texts make their column one of texts.")
    ] = False,
    exit_code: ExitCode = False,
) -> None:
    """Carry out decisions: all that are given, or none."""
    from atlas.cli.interactive_review import KINDS

    client = session.client
    number = import_id(client, name)
    chosen = {
        "duplicates": duplicates and duplicates.value,
        "validations": failures and failures.value,
        "replacements": replacements and {"keep": "keep_replacement", "restore": "restore_original"}[replacements],
    }
    if file is None and not any(chosen.values()):
        raise CommandError("nothing to decide: give --file or --all-…", USAGE)
    told = {} if file is None else read_decisions(file)
    unknown = set(told) - {kind.member for kind in KINDS} - {"allow_type_change"}
    if unknown:
        raise CommandError(f"decisions: unknown member {', '.join(sorted(unknown))}", USAGE)
    decisions: dict[str, list[Any]] = {}
    for kind in KINDS:
        given = list(told.get(kind.member) or ())
        action = chosen[kind.path]
        if action is not None:
            named = {one.get(kind.id_member) for one in given}
            waiting = client.imports.issues_page(number, _kind(kind.path), limit=BATCH, page_size=1000)
            ids = [issue[kind.id_member] for issue in waiting]
            given += [{kind.id_member: one, "action": action} for one in ids if one not in named]
        decisions[kind.member] = given
    change = allow_type_change or bool(told.get("allow_type_change"))
    done = client.imports.correct(number, **decisions, allow_type_change=change)
    if session.as_json:
        print_json(done)
    else:
        print_lines(
            {
                "decided": done.resolved,
                "rows inserted": done.rows_inserted,
                "rows changed": done.rows_updated,
                "rows removed": done.rows_removed,
                "still waiting": _waiting(done.summary),
            }
        )
    leave_waiting(_waiting(done.summary) > 0, exit_code)


def _waiting(summary: IssueCounts) -> int:
    return sum(int(summary[member]) for member in COUNTS.values())


@issues.command("review")
@remote
def issues_review(session: Session, name: ImportId, exit_code: ExitCode = False) -> None:
    """Decide on issues one by one at a terminal, each with the row it matches or what is wrong with it.

    Each decision is carried out at once. A capital letter decides on all the rest of a kind.
    """
    client = session.client
    number = import_id(client, name)
    summary = client.imports.issues(number).summary
    if _waiting(summary):
        if not sys.stdin.isatty():
            raise CommandError("review needs a terminal; use atlas issues correct", FAILED)
        from rich.console import Console

        from atlas.cli.interactive_review import Reviewer
        from atlas.client.errors import Invalid, NotFound

        reviewer = Reviewer(
            lambda kind, limit, skip: _page(client.imports.issues_page(number, _kind(kind), limit=skip + limit), skip),
            lambda decisions, change: client.imports.correct(number, **decisions, allow_type_change=change),
            (Invalid, NotFound),
            Console(stderr=True, highlight=False),
        )
        reviewer.run({kind: int(summary[member]) for kind, member in COUNTS.items()})
        summary = client.imports.issues(number).summary
        decided = reviewer.decided
    else:
        decided = 0
    if session.as_json:
        print_json({"import_id": number, "decided": decided, "summary": summary})
    else:
        say(f"{decided:,} decided, {_waiting(summary):,} still waiting")
    leave_waiting(_waiting(summary) > 0, exit_code)


def _page(found: Any, skip: int) -> list[Any]:
    return list(found)[skip:]
