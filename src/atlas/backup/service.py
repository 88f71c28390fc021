"""Backups of everything that Atlas keeps in its database, and restoring them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from atlas.backup import dump, restore
from atlas.db.database import Database
from atlas.db.embedded import EmbeddedPostgres
from atlas.errors import BadRequestError

Row = dict[str, Any]
SECRET_NOTE = "the secret key (secret.key or ATLAS_SECRET_KEY) is not in a backup: copy it by itself"  # noqa: S105


class BackupService:
    """Backs up and restores the database of a URL. Its methods block."""

    def __init__(self, url: str) -> None:
        self._url = url

    def create(self, path: Path, *, verify: bool, replace: bool) -> Row:
        """Writes a backup to `path`; servers keep running. verify: restores it into a database of its own as a test.

        Raises BadRequestError where the file exists and is not to be replaced, or where the test fails;
        UnavailableError where the database cannot be dumped.
        """
        path = path.expanduser().absolute()
        if path.exists() and not replace:
            raise BadRequestError("The file exists", f"{path}; --force replaces it")
        try:
            manifest = dump.write_backup(self._url, path)
        except OSError as error:
            raise BadRequestError("The backup cannot be written", f"{path}: {error.strerror}") from None
        if verify:
            check(path)
        return {**_shown(path, manifest), "verified": verify, "note": SECRET_NOTE}

    def restore(self, path: Path, *, replace: bool) -> Row:
        """Puts a backup in place of the database's content, compares every table, and migrates to this version.

        Raises BadRequestError for a bad file, a database in use, or one that has data unless `replace`;
        UnavailableError where the database refuses. Nothing has changed then.
        """
        path = path.expanduser().absolute()
        manifest = restore.read_backup(self._url, path, replace=replace)
        Database(self._url, pool_size=2, statement_timeout=0).migrate()
        return {**_shown(path, manifest), "verified": True, "note": SECRET_NOTE}


def check(path: Path) -> None:
    """Restores a backup into a new embedded PostgreSQL, which compares every table. Raises as restoring does."""
    with tempfile.TemporaryDirectory(prefix="atlas-verify-", ignore_cleanup_errors=True) as folder:
        # PostgreSQL runs as another user where we are root.
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder)).serve() as url:
            restore.read_backup(url, path, replace=False)


def _shown(path: Path, manifest: dump.Manifest) -> Row:
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "made_at": manifest.made_at,
        "atlas": manifest.atlas,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
    }
