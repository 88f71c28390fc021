"""The `atlas` command: runs the server and manages it, and works with servers elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

import atlas
from atlas.cli import accounts, admin, datasets, imports, issues, jobs, queries, questions, tables
from atlas.cli.local import DataDir, server_installed, settings
from atlas.cli.mcp import mcp
from atlas.cli.output import Json, print_json
from atlas.cli.problems import reported
from atlas.cli.rows import rows
from atlas.cli.tail import rows_tail
from atlas.cli.workers import loading

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Atlas: a self-hosted data platform on PostgreSQL.",
)
COMMANDS: dict[str, Callable[..., None]] = {
    "login": accounts.login, "logout": accounts.logout, "status": accounts.status, "import": imports.import_file,
    "ask": questions.ask, "sql": questions.sql, "record": questions.record, "usage": accounts.usage, "mcp": mcp,
}  # fmt: skip
for name, command in COMMANDS.items():
    app.command(name)(command)
rows.command("tail")(rows_tail)
for name, group in {
    "dataset": datasets.dataset, "rows": rows, "imports": imports.imports, "issues": issues.issues,
    "table": tables.table, "queries": queries.queries, "favourites": queries.favourites,
    "tag": datasets.tag, "key": accounts.key, "job": jobs.job,
    "profile": accounts.profile, "admin": admin.app,
}.items():  # fmt: skip
    app.add_typer(group, name=name)


def main() -> None:
    """Entry point."""
    app()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(help="Server processes.")] = None,
) -> None:
    """Run the server, with an embedded PostgreSQL unless ATLAS_DATABASE_URL is set."""
    with reported():
        with loading():
            found = settings(host=host, port=port, data_dir=data_dir, workers=workers)
            with server_installed():
                from atlas.cli.server import run
        run(found)


@app.command()
def version(as_json: Json = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": atlas.__version__})
    else:
        print(atlas.__version__)


if __name__ == "__main__":
    main()
