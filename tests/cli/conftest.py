"""A real server for each module, and the command line signed in to it in a folder of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.client.conftest import Server, server
from typer.testing import CliRunner, Result

from atlas.cli.main import app

__all__ = ["server"]

PYTHON = [sys.executable, "-m", "atlas.cli.main"]
CONTACTS = (
    "Full Name,Email,Age,Joined\n"
    "Ann Smith,ann@x.com,30,2024-01-05\n"
    "Bob,bob@x.com,n/a,2024-02-01\n"
    "Ann S,ANN@x.com,31,2024-03-01\n"
    "Carl,carl,40,2024-03-05\n"
)


class Cli:
    """Runs commands in this process. folder: for files, and for the configuration."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.environment = {
            "ATLAS_CONFIG_DIR": str(folder / "config"),
            "ATLAS_URL": "",
            "ATLAS_API_KEY": "",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    def run(self, *command: str, code: int = 0, stdin: str | None = None, **environment: str) -> Result:
        done = CliRunner().invoke(app, command, input=stdin, env={**self.environment, **environment})
        assert done.exit_code == code, (command, done.exit_code, done.stdout, done.stderr, done.exception)
        assert "Traceback" not in done.output
        return done

    def json(self, *command: str, code: int = 0, stdin: str | None = None) -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*command, "--json", code=code, stdin=stdin).stdout)

    def login(self, key: str | None = None, name: str = "default") -> None:
        self.run(
            "login", "--url", self.server.url, "--key", "-", "--profile", name, stdin=key or self.server.people.owner
        )

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture
def cli(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    made = Cli(server, tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.login()
    return made
