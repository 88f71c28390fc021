"""Rules of the source tree: imports go one way, SQL and HTTP have their places, files and functions stay short."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "atlas"
FILES = sorted(SOURCE.rglob("*.py"))

# Modules that hold SQL, by name; the rest of a package asks them.
REPOSITORIES = (
    "db/*.py",
    "*repository.py",
    "backup/dump.py",
    "backup/restore.py",
    "catalog/profiles.py",
    "consistency/packed.py",
    "records/update_targets.py",
    "sqlgate/backend_watch.py",
    "sqlgate/hardening.py",
    "sqlgate/reader_connection.py",
    "sqlgate/reader_roles.py",
    "sqlgate/sandbox.py",
    "sqlgate/unpacked_tables.py",
    "tables/bulk.py",
    "tables/export.py",
    "tables/rows.py",
    "timeseries/block_counts.py",
    "timeseries/cold/chunk_changes.py",
    "timeseries/cold/chunk_rows.py",
    "timeseries/cold/chunk_search.py",
    "timeseries/cold/column_queries.py",
    "timeseries/cold/conversion.py",
    "timeseries/cold/legacy_view.py",
    "timeseries/cold/mover.py",
    "timeseries/cold/store.py",
    "timeseries/cold/timescale_store.py",
    "timeseries/cold/unpacking.py",
    "timeseries/deletion.py",
    "timeseries/ingest/appender.py",
    "timeseries/ingest/chunk_appender.py",
    "timeseries/ingest/array_parameters.py",
    "timeseries/ingest/group_transaction.py",
    "timeseries/ingest/idempotency.py",
    "timeseries/ingest/latest_rows.py",
    "timeseries/ingest/single_statement.py",
    "timeseries/ingest/transaction.py",
    "timeseries/maintenance/indexes.py",
    "timeseries/read/counts.py",
    "timeseries/read/history.py",
    "timeseries/read/known_at.py",
    "timeseries/read/piece_queries.py",
    "timeseries/read/row_queries.py",
    "timeseries/read/small_pages.py",
    "timeseries/read/snapshot.py",
    "timeseries/rollups/maintenance.py",
    "timeseries/rollups/query.py",
    "timeseries/rollups/repairs.py",
    "timeseries/schema_changes.py",
    "timeseries/series/tables.py",
    "timeseries/tombstones.py",
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
    "timeseries/conflicts/fates.py",
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


def lint_imports(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    # An environment may be older than the check; the lint stage fails there.
    pytest.importorskip("importlinter")
    command = [Path(sys.executable).parent / "lint-imports", config, "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_packages_and_roles_import_one_way() -> None:
    """`.importlinter` has the contracts; the lint stage of `dev.py test` checks them as well."""
    done = lint_imports(ROOT / ".importlinter", ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("kit/closest.py", "from atlas.web import metrics", "Packages import those below them"),
        ("timeseries/repository.py", "import atlas.timeseries.service", "Inside a package roles import"),
        ("client/events.py", "def f(): import atlas.settings", "The client and the tools of assistants"),
    ],
)
def test_an_import_that_goes_up_is_found(module: str, line: str, broken: str, tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "atlas", ignore=shutil.ignore_patterns("static", "vendor", "__pycache__"))
    path = tmp_path / "atlas" / module
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + f"\n{line}\n", encoding="utf-8")
    done = lint_imports(ROOT / ".importlinter", tmp_path)
    assert done.returncode == 1
    assert re.search(rf"{broken}.* BROKEN", done.stdout), done.stdout


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
