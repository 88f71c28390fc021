"""Rules of the source tree: packages and roles import one way, and files and functions stay short."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "atlas"
FILES = sorted(SOURCE.rglob("*.py"))

# From the top: each package may import those below it. `app` is the composition root.
PACKAGES = (
    "cli",
    "app",
    "services",
    "worker",
    "worker_tasks",
    "ui",
    "saved",
    "review",
    "records",
    "questions",
    "consistency",
    "backup",
    "imports",
    "webhooks",
    "llm",
    "language",
    "sqlgate",
    "catalog",
    "tables",
    "timeseries",
    "accounts",
    "workers",
    "web",
    "db",
    "column_formats",
    "kit",
)
# What stands apart: the client works where only it is installed.
APART = {"client": {"errors"}, "mcp": {"client", "errors"}, "__init__": {"client"}, "errors": set()}
ANYWHERE = {"errors", "settings", "logging"}

# Modules that hold SQL, by name; the rest of a package asks them.
REPOSITORIES = (
    "db/*.py",
    "*repository.py",
    "backup/dump.py",
    "backup/restore.py",
    "catalog/profiles.py",
    "records/update_targets.py",
    "sqlgate/backend_watch.py",
    "sqlgate/hardening.py",
    "sqlgate/reader_connection.py",
    "sqlgate/reader_roles.py",
    "sqlgate/sandbox.py",
    "tables/bulk.py",
    "tables/export.py",
    "tables/rows.py",
    "timeseries/cold/mover.py",
    "timeseries/cold/timescale_store.py",
    "timeseries/cold/view.py",
    "timeseries/ingest/appender.py",
    "timeseries/ingest/group_transaction.py",
    "timeseries/ingest/single_statement.py",
    "timeseries/ingest/transaction.py",
    "timeseries/maintenance/indexes.py",
    "timeseries/read/snapshot.py",
    "timeseries/rollups/maintenance.py",
    "timeseries/rollups/query.py",
    "timeseries/schema_changes.py",
)
ROUTES = (
    "*routes.py",
    # What routes share.
    "*/dependencies.py",
    "*/parameters.py",
    "accounts/credentials.py",
    "accounts/gatekeeper.py",
    "accounts/ledger.py",
    "imports/uploads.py",
    "web/*.py",
    "web/openapi/*.py",
    "ui/*.py",
    "app.py",
    "cli/*.py",
    "mcp/server.py",
)
# Rules and types: no input, no output, no settings.
PURE = (
    "column_formats/*.py",
    "language/offline/*.py",
    "language/instructions.py",
    "language/paraphrase.py",
    "language/question.py",
    "accounts/access.py",
    "accounts/api_keys.py",
    "timeseries/columns.py",
    "timeseries/zone_map.py",
    "timeseries/frames.py",
    "timeseries/formats.py",
    "timeseries/rollups/levels.py",
    "timeseries/cold/*_codec.py",
    "*/model.py",
    "sqlgate/gate.py",
    "sqlgate/lexer.py",
    "sqlgate/parser.py",
    "sqlgate/allowlist.py",
    "sqlgate/resolver.py",
    "sqlgate/generator.py",
    "sqlgate/names.py",
    "sqlgate/segment_pruning.py",
    "sqlgate/*costs.py",
    "sqlgate/physical_names.py",
    "sqlgate/value_sizes.py",
    "sqlgate/vocabulary.py",
    "sqlgate/condition*.py",
    "webhooks/events.py",
    "imports/plan.py",
    "imports/infer/*.py",
)
DATABASE = {"psycopg", "adbc_driver_postgresql"}
HTTP = {"fastapi", "starlette"}
OUTSIDE = DATABASE | HTTP | {"httpx", "asyncio", "tempfile", "os"}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def package(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def is_a(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name_of(path), pattern) for pattern in patterns)


def imports(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            # A module may be what is imported from its package.
            found |= {
                f"{node.module}.{alias.name}"
                for alias in node.names
                if (SOURCE.parent / node.module.replace(".", "/") / f"{alias.name}.py").exists()
            }
    return found


def libraries(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_packages_import_one_way(path: Path) -> None:
    own = package(path)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("atlas.")} - {own}
    if own in APART:
        assert used <= APART[own]
    elif own in ANYWHERE:
        assert not used
    else:
        below = set(PACKAGES[PACKAGES.index(own) + 1 :]) | ANYWHERE | ({"client", "mcp"} if own == "cli" else set())
        assert {name for name in used if (own, name) not in UPWARD} <= below


# What still imports a package above its own.
UPWARD: set[tuple[str, str]] = set()


@pytest.mark.parametrize("path", [p for p in FILES if is_a(p, PURE)], ids=name_of)
def test_pure_rules_do_no_input_or_output(path: Path) -> None:
    assert not libraries(path) & OUTSIDE


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 420
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 60, f"{node.name} is too long"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sql_is_in_repositories_and_http_in_routes(path: Path) -> None:
    if not is_a(path, REPOSITORIES):
        assert not libraries(path) & DATABASE
    if not is_a(path, ROUTES):
        assert not libraries(path) & HTTP
    below = {name for name in imports(path) if name.startswith("atlas.")}
    if is_a(path, REPOSITORIES) or is_a(path, PURE):
        assert not {name for name in below if name.endswith(("routes", ".service"))}
