"""Checks whether the data in a database is consistent."""

from __future__ import annotations

from atlas.backup.dump import connected
from atlas.consistency import repository as consistency
from atlas.consistency.repository import Report
from atlas.db import migration_versions
from atlas.errors import BadRequestError


class ConsistencyService:
    """Checks the database of a URL, and changes nothing. The method blocks."""

    def __init__(self, url: str) -> None:
        self._url = url

    def check(self) -> Report:
        """Checks the database's version, then all data.

        Raises BadRequestError: when the database has another version.
        Raises UnavailableError: when the database cannot be reached.
        """
        with connected(self._url) as connection:
            migration_versions.refuse_newer(connection)
            missing = migration_versions.known_migrations() - migration_versions.applied_migrations(connection)
        if missing:
            raise BadRequestError("The database is of an older Atlas", "start the server once, which migrates it")
        return consistency.check(self._url)
