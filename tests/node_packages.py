"""Packages of npm that some tests need, installed once, apart from Atlas."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

# Beside the other libraries of this checkout; kept from run to run.
KEPT = Path(sys.prefix) / "generators"
NODE = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3", "@types/node@20")


def run(*command: object, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    return subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def told(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr)[-3000:]


def installed(wanted: tuple[str, ...]) -> tuple[Path, FileLock]:
    """Makes a folder for some packages; gives it with the lock to install them under."""
    folder = KEPT / hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    return folder, FileLock(f"{folder}.lock")


def node_modules() -> Path:
    """Installs openapi-typescript, openapi-fetch and TypeScript where that was not done; gives their folder."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not on this machine; the TypeScript client was not made")
    folder, lock = installed(NODE)
    with lock:
        if not (folder / "done").exists():
            (folder / "package.json").write_text('{"private": true}', encoding="ascii")
            done = run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", *NODE, cwd=folder)
            if done.returncode:
                pytest.skip(f"openapi-typescript cannot be installed here: {told(done)[-300:]}")
            (folder / "done").touch()
    return folder / "node_modules"
