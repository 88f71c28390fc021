"""The audit log: every change, and every read of data that another user owns."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from atlas.core.access import Caller
from atlas.errors import ForbiddenError
from atlas.service.shown import moment, page
from atlas.store import audit
from atlas.store.database import Database
from atlas.store.tasks import end_task

Row = dict[str, Any]
log = structlog.get_logger()
FLUSH_SECONDS = 1.0
TIDY_SECONDS = 3600.0
# A database that is away must not fill the memory.
_MOST_WAITING = 50_000
_SAFE = {"GET", "HEAD", "OPTIONS"}
# POSTs that change nothing of anybody's data.
_READING = {
    "/api/access/check/", "/api/v1/query", "/api/v1/generate-sql", "/api/v1/sql", "/api/v1/smart-import/preview",
    "/api/v1/settings/model/test",
}  # fmt: skip


@dataclass(slots=True)
class Trail:
    """Which datasets a request has asked for."""

    datasets: set[int] = field(default_factory=set)


_current: ContextVar[Trail | None] = ContextVar("trail", default=None)


@contextlib.contextmanager
def following() -> Iterator[Trail]:
    """The trail of one request, which `touched` adds to."""
    trail = Trail()
    token = _current.set(trail)
    try:
        yield trail
    finally:
        _current.reset(token)


def touched(dataset_id: int) -> None:
    """Notes that the request under way asks for a dataset. Outside of a request this does nothing."""
    trail = _current.get()
    if trail is not None:
        trail.datasets.add(dataset_id)


class AuditService:
    """Keeps and shows the log. Entries are stored within about a second; a killed process loses those that wait."""

    def __init__(self, database: Database, *, days: int) -> None:
        self._database, self._days = database, days
        self._waiting: dict[tuple[Any, ...], Row] = {}
        self._task: asyncio.Task[None] | None = None
        self._tidied = -TIDY_SECONDS

    def note(
        self, caller: Caller, trail: Trail, *, method: str, path: str, status: int, rows: int, request_id: str
    ) -> None:
        """Notes a request that was answered. It costs some dictionary lookups."""
        writes = method not in _SAFE and path not in _READING
        none: list[int | None] = [None] if writes else []
        for dataset in sorted(trail.datasets) or none:
            action = "write" if writes else "read"
            key = (caller.key_id, action, method, path, dataset, status)
            known = self._waiting.get(key)
            if known is None:
                if len(self._waiting) >= _MOST_WAITING:
                    continue
                self._waiting[key] = known = {
                    "at": datetime.now(UTC), "organization_id": caller.organization_id, "user_id": caller.user_id,
                    "user_name": caller.user_name, "key_id": caller.key_id, "action": action, "method": method,
                    "path": path[:500], "dataset_id": dataset, "status": status, "requests": 0, "rows": 0,
                }  # fmt: skip
            known["requests"] += 1
            known["rows"] += rows
            known["request_id"] = request_id

    def start(self) -> None:
        """Stores what was noted every second from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stores what is left."""
        await end_task(self._task)
        await self.flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()
            if self._days and time.monotonic() - self._tidied >= TIDY_SECONDS:
                self._tidied = time.monotonic()
                with contextlib.suppress(Exception):
                    await audit.forget(self._database, self._days)

    async def flush(self) -> None:
        """Stores what was noted. What cannot be stored now is kept; nothing is ever raised."""
        if not self._waiting:
            return
        taken, self._waiting = self._waiting, {}
        stored = False
        try:
            await audit.add(self._database, list(taken.values()))
            stored = True
        except Exception as error:
            log.warning("audit log not stored", error=str(error)[:200])
        finally:
            # Also where the task was cancelled meanwhile.
            if not stored:
                self._waiting = taken | self._waiting

    async def list(
        self, caller: Caller, user: str | None, action: str | None, dataset_id: int | None, limit: int, offset: int
    ) -> Row:
        """A page of what users of the caller's organization did, and of what others did with its datasets."""
        if not caller.is_admin:
            raise ForbiddenError("Permission denied", "Only admins read the audit log")
        await self.flush()
        found = await audit.listed(
            self._database, organization=caller.organization_id, user=user, action=action, dataset=dataset_id,
            limit=limit, offset=offset,
        )  # fmt: skip
        total = found[0]["total"] if found else 0
        shown = [{**row, "at": moment(row["at"])} for row in found]
        for row in shown:
            del row["total"]
        return page("entries", shown, total, limit, offset)
