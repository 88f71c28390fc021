"""Prints the notes of a release: its section of the changelog.

    python scripts/release_notes.py VERSION [CHANGELOG]

Exits with 1 where the changelog has no such section, or an empty one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def section(text: str, version: str) -> str:
    """Gives what stands below the heading of `version`, up to the next release; empty where there is no heading."""
    found = re.search(rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def main(version: str, path: Path) -> int:
    notes = section(path.read_text(encoding="utf-8"), version.removeprefix("v"))
    if not notes:
        print(f"{path.name} has no section [{version}] with notes", file=sys.stderr)
        return 1
    print(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "CHANGELOG.md"))
