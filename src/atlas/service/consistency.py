"""Whether what a database holds is consistent."""

from __future__ import annotations

from atlas.errors import BadRequestError
from atlas.store import consistency, versions
from atlas.store.backup import connected
from atlas.store.consistency import Report


class ConsistencyService:
    """Looks at the database of a URL, and changes nothing. Its method blocks."""

    def __init__(self, url: str) -> None:
        self._url = url

    def check(self) -> Report:
        """What is wrong. Raises BadRequestError for a database of another version, UnavailableError without one."""
        with connected(self._url) as connection:
            versions.refuse_newer(connection)
            missing = versions.known_migrations() - versions.applied_migrations(connection)
        if missing:
            raise BadRequestError("The database is of an older Atlas", "start the server once, which migrates it")
        return consistency.check(self._url)
