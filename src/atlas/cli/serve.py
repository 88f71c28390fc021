"""`atlas serve`: the server."""

from __future__ import annotations

from typing import Annotated

import typer

from atlas.cli.exit_codes import report_errors
from atlas.cli.local_database import DataDir, require_server, settings
from atlas.cli.workers import loading


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(help="Server processes.")] = None,
) -> None:
    """Run the server, with an embedded PostgreSQL unless ATLAS_DATABASE_URL is set."""
    with report_errors():
        with loading():
            found = settings(host=host, port=port, data_dir=data_dir, workers=workers)
            with require_server():
                from atlas.cli.server_process import run
        run(found)
