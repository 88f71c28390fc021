"""`atlas mcp`: the server for assistants."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from atlas.cli.exit_codes import CommandError, report_errors, say

TOKEN_VARIABLE = "ATLAS_MCP_TOKEN"  # noqa: S105 - the name of a variable


def mcp(
    url: Annotated[str | None, typer.Option(help="The server; else the profile's or ATLAS_URL.")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile with the server and its key.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Also offer tools that insert, import and undo.")] = False,
    allow_dir: Annotated[
        list[Path] | None, typer.Option(help="Folder whose files may be previewed and imported; may be repeated.")
    ] = None,
    export_dir: Annotated[
        list[Path] | None, typer.Option(help="Folder that exports are written to, as new files; may be repeated.")
    ] = None,
    http: Annotated[int | None, typer.Option(help="Serve on this port of 127.0.0.1, not on stdin and stdout.")] = None,
) -> None:
    """Serve assistants by the Model Context Protocol, with the rights of one API key."""
    with report_errors():
        if importlib.util.find_spec("mcp") is None:
            raise CommandError(f"the Model Context Protocol is not installed: {sys.executable} -m pip install 'mcp>=2'")
        for option, folders in (("--allow-dir", allow_dir), ("--export-dir", export_dir)):
            missing = [str(folder) for folder in folders or () if not folder.is_dir()]
            if missing:
                raise CommandError(f"{option} {missing[0]} is not a folder")
        _serve(url, profile, (write, tuple(allow_dir or ()), tuple(export_dir or ())), http)


def _serve(
    url: str | None, profile: str | None, offered: tuple[bool, tuple[Path, ...], tuple[Path, ...]], http: int | None
) -> None:
    from atlas.client import AsyncClient, AtlasClientError
    from atlas.mcp.server import HOST, Options, serve_http, serve_stdio

    options = Options(*offered)
    try:
        client = AsyncClient(url, profile=profile)
    except AtlasClientError as error:
        raise CommandError(str(error)) from None
    if http is None:
        asyncio.run(serve_stdio(client, options))
        return
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(32)
    say(f"Atlas: http://{HOST}:{http}/mcp for {client.url}")
    if TOKEN_VARIABLE not in os.environ:
        say(f"Header: Authorization: Bearer {token}")
    asyncio.run(serve_http(client, options, http, token))
