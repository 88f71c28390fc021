"""`atlas rows align`: rows of several datasets at the times of one, or of a grid."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from atlas.cli.aggregates import rows_aggregate  # noqa: F401 - a command of the same group
from atlas.cli.context import Session, remote
from atlas.cli.exit_codes import USAGE, CommandError, say
from atlas.cli.output import RowFormat, print_rows
from atlas.cli.rows import By, End, FormatOption, Start, Where, columns_of, rows
from atlas.cli.time_arguments import since, until
from atlas.kit.plurals import many


class Direction(StrEnum):
    """Where the joined row is, seen from a time."""

    backward = "backward"
    forward = "forward"
    nearest = "nearest"


DirectionOption = Annotated[Direction, typer.Option(help="Where the joined row is, seen from a time.")]


@rows.command("align")
@remote
def rows_align(
    session: Session,
    names: Annotated[list[str], typer.Argument(metavar="DATASET...", help="Datasets, the clock first.")],
    every: Annotated[str | None, typer.Option(help="A grid of times instead of a clock: 15m, 1h.")] = None,
    by: By = None,
    where: Where = None,
    direction: DirectionOption = Direction.backward,
    tolerance: Annotated[str | None, typer.Option(help="The greatest distance of a row: 30s, 5m.")] = None,
    start: Start = None,
    end: End = None,
    known_at: Annotated[str | None, typer.Option(metavar="TIME", help="Rows as they were then.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most rows; 1000 when they are printed.", min=1)] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, in the format of its ending.")] = None,
    form: FormatOption = RowFormat.table,
) -> None:
    """Print the rows of datasets that are nearest in time to those of the first, or to a grid."""
    if every is None and len(names) < 2:
        raise CommandError("give two datasets or more, or --every", USAGE)
    said: dict[str, Any] = {
        "by": by,
        "where": where,
        "direction": direction.value,
        "tolerance": tolerance,
        "start": since(start, "--start"),
        "end": until(end, "--end"),
        "known_at": until(known_at, "--known-at"),
    }
    clock: Any = names[0] if every is None else {"every": every}
    if out is not None:
        written = session.client.rows.download_aligned(out, clock, names, **said, limit=limit)
        say(f"wrote {out} ({many(written, 'byte')})")
        return
    found = [dict(row) for row in session.client.rows.align(clock, names, **said, limit=limit or 1000)]
    if session.as_json:
        session.show(found)
        return
    print_rows(found, columns_of(found), form)
