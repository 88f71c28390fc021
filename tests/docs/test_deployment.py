"""What the guide to deployment ships is sound, and the core of the package is enough for the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import tomllib
from configparser import ConfigParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from atlas.cli.main import COMMANDS
from atlas.cli.readiness import Readiness
from atlas.settings import Settings

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


def test_the_unit_waits_for_the_server_itself() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "deploy" / "atlas.service", encoding="utf-8")
    service = unit["Service"]
    assert service["Type"] == "notify"
    # By another process systemd takes no word, PostgreSQL's included.
    assert service.get("NotifyAccess", "main") == "main"
    assert service["TimeoutStartSec"] == "15min"
    assert "AF_UNIX" in service["RestrictAddressFamilies"]
    assert_command_exists(service["ExecStart"].split())


def assert_command_exists(words: list[str]) -> None:
    name = words[words.index(next(word for word in words if Path(word).name == "atlas")) + 1]
    assert name in COMMANDS


@pytest.mark.skipif(sys.platform == "win32", reason="needs Unix sockets")
@pytest.mark.parametrize(
    "abstract",
    [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has them"))],
)
def test_systemd_hears_of_the_server_once_it_answers(abstract: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    Health.status = 503
    health = HTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=health.serve_forever, daemon=True).start()
    with (
        tempfile.TemporaryDirectory(prefix="atlas-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        name = f"@atlas-test-{os.getpid()}" if abstract else f"{folder}/notify"
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        systemd.settimeout(0.3)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        readiness = Readiness()
        assert "NOTIFY_SOCKET" not in os.environ
        told = threading.Event()
        readiness.tell("127.0.0.1", health.server_port, told.set)
        with pytest.raises(TimeoutError):
            systemd.recv(1000)
        assert not told.is_set()
        Health.status = 200
        systemd.settimeout(10)
        assert systemd.recv(1000).split(b"\n")[0] == b"READY=1"
        assert told.wait(10)
    health.shutdown()
    health.server_close()


class Health(BaseHTTPRequestHandler):
    """A server that is not well at first."""

    status = 503

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_the_image_can_be_run_by_what_refuses_root() -> None:
    lines = instructions("Containerfile")
    (user,) = [rest for word, rest in lines if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    uid, _, gid = user.partition(":")
    (made,) = [rest for word, rest in lines if word == "RUN" and "useradd" in rest]
    assert f"groupadd --system --gid {gid} atlas" in made
    assert f"--uid {uid} --gid {gid}" in made
    assert [rest for word, rest in lines if word == "CMD"] == ['["atlas", "serve"]']
    (check,) = [rest for word, rest in lines if word == "HEALTHCHECK"]
    assert "--start-period=15m" in check
    assert "http://127.0.0.1:8000/health" in check


def test_the_image_gets_what_it_copies_and_nothing_else() -> None:
    text = (ROOT / ".containerignore").read_text(encoding="utf-8")
    rules = [line for line in text.splitlines() if not line.startswith("#")]
    other = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in other if not line.startswith("#")] == rules
    assert rules[0] == "*"
    copied = {
        name
        for word, rest in instructions("Containerfile")
        if word == "COPY" and not rest.startswith("--from")
        for name in rest.split()[:-1]
    }
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_compose_file_is_sound() -> None:
    found = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    services = found["services"]
    assert services["postgres"]["image"].endswith("postgres:18")
    # From PostgreSQL 18 on the image refuses a volume further below.
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    atlas_ = services["atlas"]
    assert (ROOT / "deploy" / atlas_["build"]["context"] / atlas_["build"]["dockerfile"]).is_file()
    assert atlas_["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert_command_exists(atlas_["command"][-1].split())
    assert all(one["healthcheck"]["start_period"] in ("10m", "15m") for one in services.values())
    assert all(set(one["secrets"]) <= set(found["secrets"]) for one in services.values())
    assert {volume.partition(":")[0] for one in services.values() for volume in one["volumes"]} == set(found["volumes"])
    secret = Path(found["secrets"]["postgres_password"]["file"])
    assert secret.parts[0] in (ROOT / ".gitignore").read_text(encoding="utf-8")
    # Only this machine reaches it, until a proxy with TLS is there.
    assert all(port.startswith("127.0.0.1:") for port in atlas_["ports"])


def test_quadlet_waits_for_health() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "deploy" / "atlas.container", encoding="utf-8")
    container = unit["Container"]
    assert container["Notify"] == "healthy"
    assert json.loads(container["HealthCmd"])[:2] == ["python", "-c"]
    volume, _, place = container["Volume"].partition(":")
    assert (ROOT / "deploy" / volume).is_file()
    assert ("VOLUME", place) in instructions("Containerfile")


def instructions(name: str) -> list[tuple[str, str]]:
    """Word and rest of each instruction of a Containerfile."""
    text = "\n".join(
        line for line in (ROOT / "deploy" / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ).replace("\\\n", " ")
    return [(word, rest.strip()) for line in text.splitlines() if line for word, _, rest in [line.partition(" ")]]


@pytest.mark.parametrize("name", ["atlas.service", "Containerfile", "compose.yaml"])
def test_deployed_settings_exist(name: str) -> None:
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    used = {word.partition("=")[0] for word in text.split() if word.startswith("ATLAS_") and "=" in word}
    assert used
    assert {word.strip('"') for word in used} <= {f"ATLAS_{setting.upper()}" for setting in Settings.model_fields}


def test_container_copies_what_the_package_is_made_of() -> None:
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    (files,) = (line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY pyproject.toml"))
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert "server" in EXTRAS
