"""Sphinx extension: reference pages written from the code, and a server for the notebooks."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from demo_server import demo_server
from references import command_line, endpoints, settings
from sphinx.application import Sphinx

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)(\w?)")
TREE = "├└│"
GENERATED = {"endpoints": endpoints, "settings": settings, "commands": command_line}


def setup(app: Sphinx) -> dict[str, Any]:
    server = contextlib.ExitStack()

    def start(app: Sphinx) -> None:
        url, key, _ = server.enter_context(demo_server())
        # A notebook's kernel inherits these, and the client reads them.
        os.environ |= {"ATLAS_URL": url, "ATLAS_API_KEY": key}

    def finish(app: Sphinx, error: Exception | None) -> None:
        server.close()
        if error is None and app.builder.format == "html":
            start_page(Path(app.outdir), app.config.root_doc)

    app.connect("builder-inited", start)
    app.connect("build-finished", finish)
    app.connect("source-read", write_generated)
    app.connect("autodoc-process-docstring", from_markdown)
    return {"parallel_read_safe": False}


def write_generated(app: Sphinx, docname: str, source: list[str]) -> None:
    """Puts generated Markdown in place of `<!-- generated: NAME -->`."""
    for name, write in GENERATED.items():
        mark = f"<!-- generated: {name} -->"
        if mark in source[0]:
            source[0] = source[0].replace(mark, write())


def from_markdown(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Docstrings have code in single backticks, and trees drawn with lines; Sphinx reads reStructuredText."""
    trees = [number for number, line in enumerate(lines) if any(sign in line for sign in TREE)]
    for number, line in enumerate(lines):
        lines[number] = CODE.sub(lambda found: f"``{found[1]}``" + (f"\\ {found[2]}" if found[2] else ""), line)
    if trees:
        first = trees[0] - 1
        lines[first:] = ["::", "", *(f"    {line}" for line in lines[first:])]


def start_page(folder: Path, root_doc: str) -> None:
    """Leads from the top of the site to its first page, as the sources start at the repository's root."""
    target = f"{root_doc}.html"
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>Atlas</title>'
        f'<meta http-equiv="refresh" content="0; url={target}">'
        f'<a href="{target}">Atlas</a>\n',
        encoding="utf-8",
    )
