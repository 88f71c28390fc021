"""Commands of pages, made to run on a test's server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A stream does not end by itself: curl ends with 28 at its time limit.
STREAM = 'stream() { curl -sS -N --max-time 2 "$@" || test $? -eq 28; }'
CURL = """
curl() {
    case " $* " in
        *" -N "*) command curl -sS --max-time 2 "$@" || test $? -eq 28 ;;
        *) command curl -sS --fail-with-body -w '\\n' "$@" ;;
    esac
}"""
STRICT = "curl -sS --fail-with-body -w '\\n' "


@dataclass(frozen=True)
class Server:
    """A running server: its address, first key and data folder."""

    url: str
    key: str
    data_dir: Path


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in that language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def adapt(script: str, changes: dict[str, str]) -> str:
    """The script with every change, each of which must apply."""
    for old, new in changes.items():
        assert old in script, f"the page has no {old!r} any more"
        script = script.replace(old, new)
    return script


def shell(script: str, server: Server, changes: dict[str, str]) -> list[str]:
    """A command that runs the script on the server, and ends with its first failure."""
    changed = adapt(script, {"http://127.0.0.1:8000": server.url, "atlas_live_sk_…": server.key, **changes})
    return ["sh", "-ec", f"{STREAM}\n{changed.replace('curl -N ', 'stream ').replace('curl ', STRICT)}"]


def clean_environment() -> dict[str, str]:
    """The environment without what concerns Atlas."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}


def run(command: list[str], server: Server, folder: Path, **variables: str) -> str:
    """What a command prints. Fails with all of it if the command does, or if it prints an error of Atlas's."""
    environment = clean_environment()
    environment |= {"ATLAS_URL": server.url, "ATLAS_API_KEY": server.key, "ATLAS_DATA_DIR": str(server.data_dir)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["ATLAS_CONFIG_DIR"] = str(folder / "config")
    ran = subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"error":"' not in ran.stdout, ran.stdout
    assert '"detail"' not in ran.stdout, ran.stdout
    return ran.stdout
