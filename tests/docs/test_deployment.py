"""What the guide to deployment ships is sound, and the core of the package is enough for the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from atlas.config import Settings

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
# Runs a command of Atlas where no library can be imported that only the server has.
WITHOUT_SERVER = """
import importlib.abc, sys
from importlib.metadata import packages_distributions, requires
import re
name = lambda text: re.split(r"[\\[<>=~; ]", text, maxsplit=1)[0].lower().replace("_", "-")
core, wanted = set(), {"httpx2", "keyring", "platformdirs", "rich", "typer"}
while wanted:
    one = wanted.pop()
    core.add(one)
    try: needs = [name(text) for text in requires(one) or () if "extra ==" not in text]
    except Exception: needs = []
    wanted |= set(needs) - core
owners = {module: {name(owner) for owner in given} for module, given in packages_distributions().items()}
class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, module, path=None, target=None):
        given = owners.get(module.partition(".")[0])
        if given and not given & (core | {"atlas-data-platform"}):
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
sys.meta_path.insert(0, Wall())
from atlas.cli.main import main
sys.argv = ["atlas", *sys.argv[1:]]
main()
"""


def atlas(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_SERVER, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [("--help",), ("version",), ("admin", "--help"), ("admin", "backup", "--help")])
def test_command_line_works_without_the_server(arguments: tuple[str, ...]) -> None:
    done = atlas(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("arguments", [("serve",), ("admin", "key", "list"), ("admin", "backup", "x.zip")])
def test_commands_of_the_server_say_what_to_install(arguments: tuple[str, ...]) -> None:
    done = atlas(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'pip install --constraint constraints.txt ".[server]"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "atlas.service").read_text(encoding="utf-8")
    program = "/opt/atlas/bin/atlas"
    assert program in text
    unit = tmp_path / "atlas.service"
    # The program must be there: on a server it is.
    unit.write_text(text.replace(program, sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "atlas.service" not in done.stderr


@pytest.mark.parametrize("name", ["atlas.service", "Containerfile"])
def test_deployed_settings_exist(name: str) -> None:
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    used = {word.partition("=")[0] for word in text.split() if word.startswith("ATLAS_") and "=" in word}
    assert used
    assert used <= {f"ATLAS_{setting.upper()}" for setting in Settings.model_fields}


def test_container_copies_what_the_package_is_made_of() -> None:
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    (files,) = (line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY pyproject.toml"))
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert "server" in EXTRAS
