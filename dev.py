#!/usr/bin/env python3
"""Set-up in one step: makes a virtual environment beside this file, installs Atlas, and runs it.

    python dev.py serve [options of atlas serve]   install and start the server
    python dev.py test  [options of pytest]        install, lint, type-check and test
    python dev.py test  --stage NAME …             only some of it: lint, types, unit, api, integration, browser, docs
    python dev.py docs  [options of sphinx-build]  install and build the documentation into build/docs
    python dev.py audit [--strict]                 look up known vulnerabilities of the pinned libraries
    python dev.py run   COMMAND …                  run a command inside the environment

Only the standard library is used here, so that any Python 3.11+ can start it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
SIZES = {"[server]": "some 90 packages, 700 MB", "[dev]": "some 230 packages, 1.4 GB"}

# The stages of `test`, in their order: commands of linters and type checkers, then folders of tests.
CHECKS = {
    "lint": [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["lint-imports", "--no-cache"]],
    "types": [["mypy"]],
}
FOLDERS = {
    "api": ["tests/api", "tests/cli", "tests/client", "tests/mcp"],
    "integration": ["tests/integration", "tests/upgrades"],
    "browser": ["tests/ui"],
    "docs": ["tests/docs"],
    "unit": ["tests/rules", "tests/unit"],
}


def wanted() -> str:
    """A digest of what Atlas needs; it stands in `.venv` once that is installed."""
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(text.encode()).hexdigest()


def stamp(extras: str) -> Path:
    return VENV / f"installed{extras.strip('[]')}"


def install(extras: str) -> None:
    """Installs the project, unless that was done since its requirements last changed."""
    digest = wanted()
    # What tests need holds what the server needs.
    for done in {extras, "[dev]"} if extras == "[server]" else {extras}:
        if stamp(done).exists() and stamp(done).read_text(encoding="ascii") == digest:
            return
    if not PYTHON.exists():
        with told(f"Making a virtual environment in {VENV}"):
            venv.create(VENV, with_pip=True)
    with told(f"Installing Atlas and what it needs there: {SIZES.get(extras, 'some packages')}"):
        bring(["--quiet", "--constraint", ROOT / "constraints.txt"], ["--editable", f"{ROOT}{extras}"])
    stamp(extras).write_text(digest, encoding="ascii")


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Says what is done, that it goes on, a dot for each second, and how long it took."""
    started, ended = time.monotonic(), threading.Event()

    def tick() -> None:
        while not ended.wait(1):
            print(".", end="", flush=True)

    print(what, end=" ", flush=True)
    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        ended.set()
        ticking.join()
        print(f" {time.monotonic() - started:.0f} s", flush=True)


def bring(options: list[Any], packages: list[Any]) -> None:
    """Installs by uv, which takes a tenth of pip's time, and by pip where that does not work.

    Raises subprocess.CalledProcessError where pip does not either."""
    # Python compiles what it uses by itself; all that there is takes a minute.
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", *options]
    # uv does not read pip's configuration, and would ask an index that may not be reached from here.
    own = subprocess.run([PYTHON, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True).stdout
    if not re.search(r"\.(index-url|no-index)=", own) and not subprocess.run([*pip, "uv"], check=False).returncode:
        uv = [PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, *options, *packages]
        if not subprocess.run(uv, check=False).returncode:
            return
        print("uv could not; pip tries, which takes some minutes", end=" ", flush=True)
    subprocess.run([*pip, *packages], check=True)


def test(arguments: list[str]) -> int:
    """Runs the stages of the check, or those that `--stage` names, and prints the time of each.

    The first stage that fails ends it, and its exit code is given. Other arguments are pytest's, such as `-k NAME`;
    a path among them replaces the folders of the stages. Exits with 2 for a stage that is unknown.
    """
    names, options = stages(arguments)
    unknown = set(names) - {*CHECKS, *FOLDERS}
    if unknown:
        print(f"No stage {', '.join(sorted(unknown))}; there are {', '.join([*CHECKS, *FOLDERS])}", file=sys.stderr)
        return 2
    for name, commands in CHECKS.items():
        if not names or name in names:
            started = time.monotonic()
            code = next((code for code in map(run_module, commands) if code), 0)
            print(f"-- stage {name}: {time.monotonic() - started:.0f} s", flush=True)
            if code:
                return code
    if names and not set(names) & set(FOLDERS):
        return 0
    return run_module(["pytest", *pytest_options(names, options)])


def stages(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Splits arguments into the stages that `--stage` names, and those of pytest."""
    parser = argparse.ArgumentParser(prog="dev.py test", allow_abbrev=False)
    parser.add_argument("--stage", dest="stages", nargs="+", action="extend", default=[])
    parsed, options = parser.parse_known_args(arguments)
    return parsed.stages, options


def pytest_options(names: list[str], options: list[str]) -> list[str]:
    """Gives pytest's arguments for the tests of some stages, of all where none is named.

    All folders run in one pytest: its processes share them, which takes less time than one folder after the other,
    and `tests/conftest.py` prints the time of each stage.
    """
    folders = [folder for name, listed in FOLDERS.items() if name in names for folder in listed]
    if options and not names:
        return options
    # In the order of their folders, the many short ones last: a file that takes long would not begin as all others end.
    # The tests of one file stay in one process. There is one process more than cores, as many tests wait for servers.
    spread = ["-n", str(min(4, (os.cpu_count() or 1) + 1)), "--dist", "loadfile", "--no-loadscope-reorder"]
    return [*spread, *options, *folders]


def run_module(command: list[str]) -> int:
    """Runs a module of the environment with arguments, and gives the exit code."""
    # Has a command only.
    program = [BIN / command[0]] if command[0] == "lint-imports" else [PYTHON, "-m", command[0]]
    # Some hundred servers and commands are started, which would all compile Atlas anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    print(f"-- {' '.join(command)}", flush=True)
    return subprocess.run([*program, *command[1:]], cwd=ROOT, env=environment, check=False).returncode


def docs(arguments: list[str]) -> int:
    """Builds the documentation; warnings and broken links inside it are errors."""
    options = ["--fail-on-warning", "--keep-going", "--nitpicky", "--fresh-env", "--conf-dir", "docs"]
    folders = ["--doctree-dir", "build/doctrees", ".", "build/docs"]
    command = [PYTHON, "-m", "sphinx", *options, *arguments, *folders]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def audit(arguments: list[str]) -> int:
    """Fails for a pinned version with a known vulnerability. What could not be looked up, be it all for want of a
    network, is told, and fails with --strict only."""
    command = [
        PYTHON,
        "-m",
        "pip_audit",
        "--requirement",
        "constraints.txt",
        "--no-deps",
        "--disable-pip",
        "--progress-spinner",
        "off",
        "--timeout",
        "5",
        "--format",
        "json",
    ]
    try:
        install("[audit]")
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.SubprocessError, ValueError, KeyError) as error:
        told = [] if isinstance(error, subprocess.SubprocessError) else done.stderr.strip().splitlines()
        print(f"NOT AUDITED: pip-audit gave no answer ({told[-1] if told else error})", file=sys.stderr)
        return 1 if "--strict" in arguments else 0
    return judge(found, strict="--strict" in arguments)


def judge(found: list[dict[str, Any]], *, strict: bool) -> int:
    """Tells what pip-audit found, and gives the exit code."""
    known = [one for one in found if "skip_reason" not in one]
    bad = [one for one in known if one["vulns"]]
    for one in bad:
        for told in one["vulns"]:
            mended = ", ".join(told["fix_versions"]) or "no version yet"
            print(f"{one['name']} {one['version']}: {told['id']}, mended in {mended}")
    if not known:
        print("NOT AUDITED: the advisory service cannot be reached, or knows none of the libraries", file=sys.stderr)
    print(f"{len(known)} of {len(found)} pinned libraries looked up, {len(bad)} with known vulnerabilities")
    return 1 if bad or (strict and len(known) < len(found)) else 0


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - anybody may start this file
        print("Atlas needs Python 3.11 or newer", file=sys.stderr)
        return 1
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else "help"), sys.argv[2:]
    if command == "serve":
        install("[server]")
        try:
            return subprocess.run([BIN / "atlas", "serve", *arguments], check=False).returncode
        except KeyboardInterrupt:
            return 0
    if command == "test":
        install("[dev]")
        return test(arguments)
    if command == "docs":
        install("[dev]")
        return docs(arguments)
    if command == "audit":
        return audit(arguments)
    if command == "run" and arguments:
        install("[server]" if arguments[0] == "atlas" else "[dev]")
        return subprocess.run([BIN / arguments[0], *arguments[1:]], check=False).returncode
    print(__doc__)
    return 0 if command in ("help", "-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main())
