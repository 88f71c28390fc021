"""`atlas rows download`: rows of a dataset as a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atlas.cli.context import Session, remote
from atlas.cli.datasets import Dataset
from atlas.cli.exit_codes import USAGE, CommandError, say
from atlas.cli.import_progress import bytes_bar
from atlas.cli.rows import Columns, End, KnownAt, Start, Where
from atlas.cli.time_arguments import moment, since, until
from atlas.kit.plurals import many


class DownloadFormat(StrEnum):
    """The formats of a downloaded file."""

    csv = "csv"
    ndjson = "ndjson"
    json = "json"
    parquet = "parquet"
    arrow = "arrow"
    xlsx = "xlsx"


Safe = Annotated[bool, typer.Option("--safe", help="CSV: put an apostrophe before texts that a spreadsheet would run.")]


@remote
def rows_download(
    session: Session,
    name: Dataset,
    out: Annotated[Path, typer.Argument(help="File to write, which is replaced.")],
    form: Annotated[DownloadFormat | None, typer.Option("--format", help="Format, if not by the file's name.")] = None,
    start: Start = None,
    end: End = None,
    columns: Columns = None,
    where: Where = None,
    known_at: KnownAt = None,
    safe: Safe = False,
) -> None:
    """Download all rows of a range into a file."""
    kind = form or format_of(out)
    with bytes_bar(f"downloading {out}", None) as report:
        written = session.client.rows.download(
            name,
            out,
            kind.value,
            since(start, "--start"),
            until(end, "--end"),
            columns=columns,
            where=where,
            known_at=moment(known_at),
            safe=safe,
            progress=report,
        )
    if session.as_json:
        session.show({"dataset": name, "file": str(out), "format": kind.value, "bytes": written})
    else:
        say(f"wrote {out} ({many(written, 'byte')})")


def format_of(path: Path) -> DownloadFormat:
    """Returns the format of a file by its name.

    Raises CommandError: when the name shows no known format.
    """
    suffix = path.suffix.lower().lstrip(".")
    kind = {"jsonl": "ndjson", "pq": "parquet", "arrows": "arrow", "ipc": "arrow"}.get(suffix, suffix)
    if kind not in DownloadFormat.__members__:
        raise CommandError(f"{path.name}: give --format, or end the name in {', '.join(DownloadFormat)}", USAGE)
    return DownloadFormat(kind)
