"""`atlas ask`, `atlas sql` and `atlas record`: plain English and SQL on tables and datasets."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atlas.cli.context import Session, remote
from atlas.cli.exit_codes import USAGE, WAITING, CommandError, say
from atlas.cli.output import data, print_json, print_lines, print_table

if TYPE_CHECKING:
    from atlas.client import Answer
    from atlas.client.results import Result

MaxRows = Annotated[int, typer.Option(help="Most rows.", min=1, max=10_000)]


class Rating(StrEnum):
    """The rating of an answer."""

    up = "up"
    down = "down"


@remote
def ask(
    session: Session,
    question: Annotated[str | None, typer.Argument(help="The question; without one a conversation begins.")] = None,
    table: Annotated[str | None, typer.Option(help="The table that it is about.")] = None,
    thread: Annotated[str | None, typer.Option(help="Conversation that it goes on from.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Also print the SQL that was run.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV alone.")] = False,
    rate: Annotated[Rating | None, typer.Option(help="Rate the answer.")] = None,
    max_rows: MaxRows = 1000,
) -> None:
    """Ask a question in plain English. Exit code 3 says that it was not understood."""
    if question is None:
        if session.as_json or as_csv or rate is not None or not sys.stdin.isatty():
            raise CommandError("give a question; a conversation needs a terminal", USAGE)
        _converse(session, table, thread, sql, max_rows)
        return
    answer = session.client.ask(question, table, thread, max_rows)
    if session.as_json:
        print_json(answer_json(answer))
    elif as_csv:
        print(answer.rows.csv, end="")
        if not answer.success:
            say(answer.text)
    else:
        show_answer(answer, sql)
    if rate is not None and answer.success:
        answer.rate(rate.value)
    if not answer.success:
        raise typer.Exit(WAITING)


def answer_json(answer: Answer) -> dict[str, Any]:
    """Returns an answer with the members of the API's response."""
    return {
        "success": answer.success,
        "response": answer.text,
        "executed_sql": answer.sql,
        "data_csv": answer.rows.csv,
        "rows_returned": len(answer.rows),
        "execution_time_seconds": answer.seconds,
        "thread_id": answer.thread_id,
        "question_id": answer.question_id,
        "engine": answer.engine,
        "confidence": answer.confidence,
        "tables": data(answer.tables),
        "truncated": answer.truncated,
        "chart": answer.chart,
        "assumptions": data(answer.assumptions),
        "not_understood": data(answer.not_understood),
        "suggestions": data(answer.suggestions),
        "notes": data(answer.notes),
    }


def show_answer(answer: Answer, sql: bool) -> None:
    """Prints the sentence, the rows, and the notes on how unclear words were read."""
    print(answer.text)
    if sql and answer.sql:
        print(f"\n{answer.sql}")
    if len(answer.rows) and answer.rows.names:
        print_table(*_table(answer.rows))
    if answer.truncated:
        say("there are more rows: --max-rows, or a narrower question")
    for title, texts in (
        ("read as", answer.assumptions),
        ("note", answer.notes),
        ("you could ask", answer.suggestions),
    ):
        for text in texts:
            say(f"{title}: {text}")


def _table(rows: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Returns rows by column name, and the names. Equal names get a number."""
    names: list[str] = []
    for name in rows.names:
        names.append(name if name not in names else f"{name} ({names.count(name) + 1})")
    return [dict(zip(names, line, strict=True)) for line in rows.tuples()], names


def _converse(session: Session, table: str | None, thread: str | None, sql: bool, max_rows: int) -> None:
    """Asks questions until Ctrl-D. Each question may refer to earlier ones."""
    from atlas.client.errors import Invalid, NotFound

    say("Ask away; + or - rates the last answer, Ctrl-D ends.")
    answer: Answer | None = None
    while True:
        try:
            text = input("? ").strip()
        except EOFError:
            say("")
            return
        if not text:
            continue
        try:
            if text in ("+", "-"):
                if answer is not None and answer.success:
                    answer.rate("up" if text == "+" else "down")
                    say("rated")
                continue
            answer = session.client.ask(text, table, answer.thread_id if answer else thread, max_rows)
            show_answer(answer, sql)
        except (Invalid, NotFound) as error:
            say(f"atlas: {error}")


@remote
def sql(
    session: Session,
    statement: Annotated[
        str | None, typer.Argument(metavar="SELECT", help="One SELECT; by default from standard input.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    max_rows: MaxRows = 1000,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the rows, whose name ends in .xlsx or .csv.")
    ] = None,
) -> None:
    """Run one SELECT on tables and datasets."""
    text = sys.stdin.read() if statement in (None, "-") else statement
    if not text or not text.strip():
        raise CommandError("give a SELECT", USAGE)
    if output is not None:
        if output.suffix.lower() not in (".xlsx", ".csv"):
            raise CommandError("--output: a file whose name ends in .xlsx or .csv", USAGE)
        size = session.client.questions.export_sql(text, output, max_rows=max_rows, title=output.stem[:100])
        say(f"{output}: {size:,} bytes")
        return
    show_result(session, session.client.sql(text, max_rows), as_csv=as_csv)


def show_result(session: Session, found: Result, *, as_csv: bool) -> None:
    """Prints the rows of a SELECT as a table, as CSV or as JSON."""
    if session.as_json:
        print_json(
            {
                "columns": [{"name": column.name, "type": column.type} for column in found.columns],
                "data_csv": found.rows.csv,
                "rows_returned": len(found.rows),
                "truncated": found.truncated,
                "executed_sql": found.sql,
                "execution_time_seconds": found.seconds,
                "tables": data(found.tables),
            }
        )
        return
    if as_csv:
        print(found.rows.csv, end="")
    else:
        print_table(*_table(found.rows), empty="no rows")
    if found.truncated:
        say("there are more rows: --max-rows")


@remote
def record(
    session: Session,
    text: Annotated[str, typer.Argument(help="What to do, in plain English or Markdown; `-` is standard input.")],
    thread: Annotated[str | None, typer.Option(help="Conversation that it belongs to.")] = None,
) -> None:
    """Insert, update, archive or restore single records by a text. Exit code 3 says that it asks back."""
    done = session.client.records(sys.stdin.read() if text == "-" else text, thread_id=thread)
    if session.as_json:
        print_json(done)
    elif done.success:
        print(done.message or f"{done.intent}: {done.total_records_processed} in {', '.join(done.tables_affected)}")
        for entity in done.entities:
            print_lines({name: value for name, value in data(entity).items() if value != []})
    else:
        print(done.question or done.message or "not understood")
        if done.thread_id:
            say(f"answer with --thread {done.thread_id}")
    if not done.success:
        raise typer.Exit(WAITING)
