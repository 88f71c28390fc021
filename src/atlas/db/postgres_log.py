"""The log of the embedded PostgreSQL: no text of users, and at most two small files."""

from __future__ import annotations

import os
import re
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
# A line of what a process prints when it is out of memory, whatever the settings. Behind the last colon stands what the
# memory is for: the first 100 characters of a query, a regular expression, a name.
_OF_MEMORY = re.compile(rb"^ *[^\n:]{1,200}: \d+ total in \d+ blocks[^\n]*? used: ([^\n]+)$", re.MULTILINE)
# The most bytes that are read at once.
_PIECE_BYTES = 2**20


def tend(log: Path, start: int) -> int:
    """Keeps texts of users out of the log, and the log small. start: as of `blank_identifiers`, as is the result."""
    read = blank_identifiers(log, start)
    rotate(log)
    return read


def blank_identifiers(log: Path, start: int) -> int:
    """Overwrites the texts of users in what processes without memory have printed. Raises OSError.

    start: how far the log was read before. Returns how far it was read now, which is the end of a line.
    """
    with log.open("r+b") as file:
        if file.seek(0, os.SEEK_END) < start:
            # The log was emptied meanwhile.
            start = 0
        file.seek(start)
        while piece := file.read(_PIECE_BYTES):
            end = piece.rfind(b"\n") + 1
            if not end:
                # Longer than any line that counts, or not yet written to its end.
                return start + len(piece) if len(piece) == _PIECE_BYTES else start
            for found in _OF_MEMORY.finditer(piece, 0, end):
                file.seek(start + found.start(1))
                file.write(b"-" * len(found[1]))
            start += end
            file.seek(start)
    return start


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
