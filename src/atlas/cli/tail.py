"""`atlas rows tail`: new rows, in a live table on a terminal, else one line each."""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from atlas.cli.context import Session, remote
from atlas.cli.datasets import Dataset
from atlas.cli.downloads import rows_download
from atlas.cli.exit_codes import say
from atlas.cli.output import dumps, plain
from atlas.cli.rows import Where, columns_of, flat, rows
from atlas.kit.plurals import many

if TYPE_CHECKING:
    from rich.table import Table

    from atlas.client import StreamEvent


rows.command("download")(rows_download)


@rows.command("tail")
@remote
def rows_tail(
    session: Session,
    name: Dataset,
    last: Annotated[int, typer.Option(help="Begin with this many of the rows inserted last.", min=0)] = 10,
    columns: Annotated[list[str] | None, typer.Option("--columns", help="Only these: a,b. Repeatable.")] = None,
    where: Where = None,
) -> None:
    """Show rows as they arrive, until Ctrl-C. A lost connection is taken up again without losing a row."""
    wanted = [part for text in columns or () for part in text.split(",")]
    with contextlib.suppress(KeyboardInterrupt):
        if session.as_json or not sys.stdout.isatty():
            for row in arriving(session, name, last, wanted, where):
                print(dumps(row) if session.as_json else line(row), flush=True)
        else:
            _live(session, name, last, wanted, where)


def arriving(
    session: Session, name: str, last: int, columns: list[str], where: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yields flat rows: those of the last inserted rows, then each new row. `where` are conditions on series keys."""
    from atlas.client.events import Connected, CorrectedRow, NewRow

    start = None
    if last:
        # Event ids count insertions, so a stream that begins `last` ids ago has the last rows and misses none.
        events = cast("Generator[StreamEvent, None, None]", session.client.rows.stream(name))
        with contextlib.closing(events):
            start = max(0, next(event.id for event in events if isinstance(event, Connected)) - last)
    connections = 0
    for event in session.client.rows.stream(name, last_event_id=start, where=where):
        if isinstance(event, Connected):
            connections += 1
            if connections > 1:
                say("connected again")
        elif isinstance(event, NewRow | CorrectedRow):
            row = flat(event)
            yield {key: row[key] for key in ("timestamp", *columns) if key in row} if columns else row


def line(row: dict[str, Any]) -> str:
    """Formats a row for people: its time, then its values."""
    values = " ".join(f"{key}={plain(value)}" for key, value in row.items() if key != "timestamp")
    return f"{row['timestamp']}  {values}"


def _live(session: Session, name: str, last: int, columns: list[str], where: list[str] | None) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    shown: deque[dict[str, Any]] = deque(maxlen=max(1, console.height - 6))
    title = f"dataset {name} at {session.target.url}"
    with Live(live_table(title, shown, 0), console=console, auto_refresh=True, refresh_per_second=8) as live:
        for count, row in enumerate(arriving(session, name, last, columns, where), 1):
            shown.append(row)
            live.update(live_table(title, shown, count))


def live_table(title: str, shown: deque[dict[str, Any]], count: int) -> Table:
    """Builds a table of the rows that fit on the terminal, newest last."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", caption=Text(f"{many(count, 'row')} · Ctrl-C ends"))
    names = columns_of(list(shown)) or ["timestamp"]
    for key in names:
        table.add_column(Text(key), no_wrap=True)
    for row in shown:
        table.add_row(*(Text(plain(row.get(key))) for key in names))
    return table
