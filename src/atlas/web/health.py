"""The state of the server itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from atlas.contract.system import Health
from atlas.db.database import Database
from atlas.errors import AtlasError

HEALTH_SECONDS = 2.0


class SystemService:
    """Reports the state of the server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def health(self) -> Health:
        """Checks the database connection within 2 seconds, and returns a report."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._database.look_up("SELECT 1")
            healthy = True
        except (AtlasError, TimeoutError):
            healthy = False
        now = datetime.now(UTC).replace(microsecond=0)
        return Health("healthy", now, "connected") if healthy else Health("unhealthy", now, "disconnected")
