"""Clients that others' generators make of the OpenAPI document: made without a warning, type-checked, and used.

The generators are installed once, apart from Atlas, as one of them wants other versions of its libraries.
"""

from __future__ import annotations

import json
import shutil
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance import document
from tests.conftest import People, clone
from tests.contract import serving
from tests.node_packages import installed, node_modules, run, told

from atlas.settings import Settings

ROOT = Path(__file__).parents[2]
USE = ROOT / "tests" / "generated"
PYTHON = ("openapi-python-client==0.29.1", "typer==0.27.3", "ruamel.yaml==0.19.1")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(postgres_url: str, inhabited: tuple[str, People]) -> Iterator[tuple[str, str]]:
    """The URL of a server, and a key of it."""
    name, people = inhabited
    with clone(postgres_url, name) as url, serving(Settings(database_url=url, log_level="error", jobs=1)) as served:
        yield served, people.owner


@pytest.fixture(scope="module")
def python_generator() -> Path:
    """The folder of the commands of openapi-python-client."""
    folder, lock = installed(PYTHON)
    binaries = folder / "bin"
    with lock:
        if not (folder / "done").exists():
            venv.create(folder, with_pip=False, clear=True)
            done = run(sys.executable, "-m", "uv", "pip", "install", "--python", binaries / "python", *PYTHON, cwd=ROOT)
            if done.returncode:
                done = run(sys.executable, "-m", "pip", "--python", binaries / "python", "install", *PYTHON, cwd=ROOT)
            if done.returncode:
                pytest.skip(f"openapi-python-client cannot be installed here: {told(done)[-300:]}")
            (folder / "done").touch()
    return binaries


def test_the_python_client(described: Path, python_generator: Path, site: tuple[str, str]) -> None:
    command = (
        python_generator / "openapi-python-client",
        "generate",
        "--path",
        "openapi.json",
        "--meta",
        "none",
        "--output-path",
        "atlas_generated",
        "--fail-on-warning",
    )
    done = run(*command, cwd=described, path=python_generator)
    assert done.returncode == 0, told(done)
    assert "arning" not in told(done)
    modules = {path.stem for path in described.glob("atlas_generated/api/*/*.py")} - {"__init__"}
    names = {operation["operationId"] for item in document()["paths"].values() for operation in item.values()}
    assert modules == names
    shutil.copy(USE / "use_python.py", described)
    # How the package is used; not what is inside it, which is the generator's matter.
    options = ("--strict", "--follow-imports", "silent", "--ignore-missing-imports", "--no-incremental")
    checked = run(sys.executable, "-m", "mypy", *options, "use_python.py", cwd=described)
    assert checked.returncode == 0, told(checked)
    used = run(sys.executable, "use_python.py", *site, cwd=described)
    assert used.returncode == 0, told(used)
    assert used.stdout == "used\n"


def test_the_typescript_client(described: Path, site: tuple[str, str]) -> None:
    (described / "node_modules").symlink_to(node_modules())
    (described / "package.json").write_text('{"type": "module"}', encoding="ascii")
    for name in ("generate.mjs", "use.ts"):
        shutil.copy(USE / name, described)
    made = run("node", "generate.mjs", cwd=described)
    assert (made.returncode, told(made)) == (0, "")
    options = ("--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "--lib", "es2022,dom")
    checked = run("node", "node_modules/typescript/bin/tsc", *options, "--types", "node", "use.ts", cwd=described)
    assert checked.returncode == 0, told(checked)
    used = run("node", "use.js", *site, cwd=described)
    assert used.returncode == 0, told(used)
    assert used.stdout == "used\n"
