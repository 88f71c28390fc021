"""Shows the first key of a new installation, on standard error or in a file that only its owner may read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

FILE_NAME = "first.key"


def show_first_key(key: str, folder: Path, where: Literal["auto", "print", "file"]) -> None:
    """Prints the key, or writes the key to `first.key` in the data folder and prints the path.

    where: with `auto` the key goes to the file if standard error is systemd's journal, which keeps messages for months.
    """
    if where == "file" or (where == "auto" and _to_journal()):
        try:
            path = _write(folder, key)
        except OSError as error:
            # A key that is lost is worse than a key in a log.
            print(f"Atlas: the first API key cannot be written to {folder}: {error.strerror}", file=sys.stderr)
        else:
            print(f"Atlas: your API key is in {path}; read it, and delete the file", file=sys.stderr, flush=True)
            return
    print(f"\nYour API key, shown only this once:\n\n  {key}\n", file=sys.stderr, flush=True)


def _to_journal() -> bool:
    """Checks whether standard error goes to the journal, by the device and inode in systemd's JOURNAL_STREAM."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _write(folder: Path, key: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder.expanduser().resolve() / FILE_NAME
    # A present file is from an earlier installation, whose keys are no longer valid.
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    return path
