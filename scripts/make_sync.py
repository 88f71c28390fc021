"""Makes `atlas/client/_sync` from `atlas/client/_async`, so that both clients have one source.

    python scripts/make_sync.py            write the files
    python scripts/make_sync.py --check    say which are not up to date; exit code 1 if any

Only words change (`async def` to `def`, `AsyncClient` to `Client`), and `ruff` puts the result in order.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "atlas" / "client"
BY_HAND = {"__init__.py", "waiting.py"}
NOTE = "# Made from {source} by scripts/make_sync.py; change that one.\n"
WORDS = [
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\b_async\b", "_sync"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\baclose\b", "close"),
    (r"\baread\b", "read"),
    (r"\baiter_bytes\b", "iter_bytes"),
]


def made() -> dict[Path, str]:
    """The files as they should be."""
    return {
        PACKAGE / "_sync" / source.name: _made(source)
        for source in sorted((PACKAGE / "_async").glob("*.py"))
        if source.name not in BY_HAND
    }


def _made(source: Path) -> str:
    text = source.read_text(encoding="utf-8")
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text)
    text = NOTE.format(source=f"_async/{source.name}") + text
    name = f"src/atlas/client/_sync/{source.name}"
    for command in (["check", "--select", "I,UP028", "--fix", "--unsafe-fixes", "--quiet"], ["format"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", name, "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=PACKAGE.parents[2],
        )
        text = done.stdout
    return text


def main() -> int:
    """Writes or checks."""
    stale = {
        path: text for path, text in made().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        print(path.relative_to(PACKAGE))
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
