"""Rules of the source tree: layers import one way, and files and functions stay short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "atlas"
FILES = sorted(SOURCE.rglob("*.py"))

# What each layer may import besides itself. `app` is the composition root; the command line starts it.
ALLOWED = {
    "core": {"errors"},
    "errors": set(),
    "config": set(),
    "logs": set(),
    "readers": {"core", "errors"},
    "language": {"core", "errors"},
    "store": {"core", "errors"},
    "service": {"store", "readers", "language", "core", "errors"},
    "http": {"service", "core", "errors", "readers"},
    "ui": {"service", "core", "errors"},
    "cli": {"service", "core", "errors", "config", "app", "logs", "store", "client", "mcp"},
    "app": {"http", "ui", "service", "store", "readers", "core", "errors", "config", "logs"},
    "client": {"errors"},
    "mcp": {"client", "errors"},
    # Offers the client, which is imported when it is asked for.
    "__init__": {"client"},
}
PURE = ("psycopg", "adbc_driver_postgresql", "fastapi", "starlette", "httpx", "asyncio", "tempfile", "os")


def imports(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def layer(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_layers_import_one_way(path: Path) -> None:
    own = layer(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("atlas.")}
    assert used <= ALLOWED[own] | {own}


@pytest.mark.parametrize("path", [p for p in FILES if layer(p) == "core"], ids=lambda p: p.name)
def test_core_does_no_input_or_output(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] in PURE]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 420
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 60, f"{node.name} is too long"


def test_services_hold_no_sql_and_no_http() -> None:
    for path in FILES:
        if layer(path) == "service":
            used = {name.split(".")[0] for name in imports(path)}
            assert not used & {"psycopg", "fastapi", "starlette", "adbc_driver_postgresql"}, path
