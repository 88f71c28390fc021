"""Backups of everything in Atlas's database, and their restoration."""

from __future__ import annotations

import tempfile
from pathlib import Path

from atlas.backup import dump, restore
from atlas.contract.backup import BackupFile
from atlas.db.database import Database
from atlas.db.embedded import EmbeddedPostgres
from atlas.errors import BadRequestError

SECRET_NOTE = "the secret key (secret.key or ATLAS_SECRET_KEY) is not in a backup: copy it by itself"  # noqa: S105


class BackupService:
    """Backs up and restores the database of a URL. Its methods block."""

    def __init__(self, url: str) -> None:
        self._url = url

    def create(self, path: Path, *, verify: bool, replace: bool) -> BackupFile:
        """Writes a backup to `path` while servers keep running.

        verify: restores the backup into a temporary database as a test.

        Raises BadRequestError when the file exists without `replace`, cannot be written, or fails the test.
        Raises UnavailableError when the database cannot be dumped.
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
        return _told(path, manifest, verified=verify)

    def restore(self, path: Path, *, replace: bool) -> BackupFile:
        """Replaces the database's content by a backup, compares every table, and migrates to this version.

        Raises BadRequestError for a bad file, a database in use, or a database with data unless `replace`.
        Raises UnavailableError when the database refuses. After an error nothing has changed.
        """
        path = path.expanduser().absolute()
        manifest = restore.read_backup(self._url, path, replace=replace)
        Database(self._url, pool_size=2, statement_timeout=0).migrate()
        return _told(path, manifest, verified=True)


def check(path: Path) -> None:
    """Restores a backup into a new embedded PostgreSQL, which compares every table. Raises the errors of restoring."""
    with tempfile.TemporaryDirectory(prefix="atlas-verify-", ignore_cleanup_errors=True) as folder:
        # When the process is root, PostgreSQL runs as another user, who must enter the folder.
        Path(folder).chmod(0o711)
        with EmbeddedPostgres(Path(folder)).serve() as url:
            restore.read_backup(url, path, replace=False)


def _told(path: Path, manifest: dump.Manifest, *, verified: bool) -> BackupFile:
    return BackupFile(
        file=str(path),
        bytes=path.stat().st_size,
        made_at=manifest.made_at,
        atlas=manifest.atlas,
        tables=len(manifest.tables),
        rows=manifest.rows,
        verified=verified,
        note=SECRET_NOTE,
    )
