"""The log of the embedded PostgreSQL: nothing of what users have written, and no more than two small files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Of each of the two files of PostgreSQL's log.
LOG_BYTES = 16 * 2**20
# Neither a statement nor what belongs to one: they hold what users have written. Messages themselves are kept out by
# `hardening.harden`, which leaves those of PostgreSQL's own processes.
QUIET_LOG = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def rotate(log: Path, most: int = LOG_BYTES) -> None:
    """Moves what a log of over `most` bytes holds to `<name>.1`, in place of what was there. Raises OSError.

    The file stays the same, since PostgreSQL appends to it for as long as it runs.
    """
    if log.stat().st_size <= most:
        return
    older = log.with_name(f"{log.name}.1")
    older.unlink(missing_ok=True)
    handle = os.open(older, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with log.open("rb") as source, os.fdopen(handle, "wb") as target:
        shutil.copyfileobj(source, target)
    os.truncate(log, 0)
