"""The state of the server itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from atlas.db.database import Database
from atlas.errors import AtlasError
from atlas.kit.timestamps import format_timestamp

HEALTH_SECONDS = 2.0


class SystemService:
    """Looks after the server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def health(self) -> tuple[dict[str, Any], bool]:
        """A report on the database connection, and whether it is good."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._database.look_up("SELECT 1")
            healthy = True
        except (AtlasError, TimeoutError):
            healthy = False
        now = format_timestamp(datetime.now(UTC).replace(microsecond=0))
        status, database = ("healthy", "connected") if healthy else ("unhealthy", "disconnected")
        return {"status": status, "time": now, "database": database}, healthy
