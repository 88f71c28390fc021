"""What Atlas makes of the text of a file before anything is decided about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.staging import Staging

Rows = list[tuple[Any, ...]]


def table(folder: Path, text: str, name: str = "file.csv") -> tuple[list[str], Rows, Any]:
    """Names, rows, and the source of a text file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    source = read_file(open_upload(path, name, folder, 10**9), folder)
    staging = Staging(folder, source)
    rows = staging.query("SELECT * EXCLUDE _n FROM raw ORDER BY _n")
    staging.close()
    return list(source.names), rows, source
