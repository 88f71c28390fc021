"""The log of the embedded PostgreSQL: no text of users, and at most two small files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Maximum size of each of the two files of PostgreSQL's log.
LOG_BYTES = 16 * 2**20
# Logs neither statements nor their context, which hold users' texts. `hardening.harden` keeps their messages out, but
# not the messages of PostgreSQL's own processes.
QUIET_LOG = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def rotate(log: Path, most: int = LOG_BYTES) -> None:
    """Moves the content of a log larger than `most` bytes to `<name>.1`, replacing the older content. Raises OSError.

    The file itself stays, because PostgreSQL appends to the file while PostgreSQL runs.
    """
    if log.stat().st_size <= most:
        return
    older = log.with_name(f"{log.name}.1")
    older.unlink(missing_ok=True)
    handle = os.open(older, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with log.open("rb") as source, os.fdopen(handle, "wb") as target:
        shutil.copyfileobj(source, target)
    os.truncate(log, 0)
