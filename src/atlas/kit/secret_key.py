"""The secret that encrypts stored credentials when the operator has set none: a file created once."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

import structlog

from atlas.errors import UnavailableError

FILE_NAME = "secret.key"
MIN_LENGTH = 16
log = structlog.get_logger()


def load_secret(folder: Path) -> str:
    """Returns the secret kept in `folder`, and creates a missing secret. Blocks.

    Only the file's owner may read the file. Processes that start at once agree on one secret: a complete file is linked
    to its name, which fails for all but the first process.
    Raises UnavailableError when the secret cannot be read or made, or is damaged.
    """
    path = folder.expanduser() / FILE_NAME
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _create(path)
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        log.warning("secret key not usable", path=str(path), error=str(error)[:200])
        raise UnavailableError("No secret key", "the server cannot read or make its secret.key; see its log") from error
    if len(found) < MIN_LENGTH:
        log.warning("secret key not usable", path=str(path), error="too short")
        raise UnavailableError("No secret key", "the server's secret.key is damaged; see its log")
    return found


def _create(path: Path) -> None:
    # `mkstemp` makes files that only their owner may read.
    handle, name = tempfile.mkstemp(prefix=f".{FILE_NAME}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
