"""`atlas admin check`."""

from __future__ import annotations

import typer

from atlas.cli.exit_codes import FAILED, report_errors, say
from atlas.cli.local_database import DataDir, database_url, require_server
from atlas.cli.output import Json, data, print_json, print_table
from atlas.kit.plurals import many


def register(app: typer.Typer) -> None:
    """Adds the command `check` to `atlas admin`."""
    app.command("check")(check)


def check(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Compare every row with what the catalog says of it, while servers run. Exit code 1 where something is wrong."""
    with report_errors(), require_server():
        from atlas.consistency.service import ConsistencyService

        with database_url(data_dir) as ready:
            assert ready.database_url is not None
            report = ConsistencyService(ready.database_url).check()
    if as_json:
        print_json(report)
    else:
        print_table(data(list(report.findings)), ("subject", "problem", "rows"), "nothing is wrong")
    counts = ((report.datasets, "dataset"), (report.tables, "table"), (report.rows, "row"))
    told = ", ".join(many(count, noun) for count, noun in counts)
    say(f"{told}: {many(len(report.findings), 'finding')}")
    if report.findings:
        raise typer.Exit(FAILED)
