"""The audit log: every change, and every read of data that another user owns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from atlas.accounts import audit_repository as audit
from atlas.accounts.access import Caller
from atlas.contract.accounts import AuditItem, AuditView
from atlas.db.database import Database
from atlas.errors import ForbiddenError
from atlas.kit.write_behind import WriteBehind

Row = dict[str, Any]
FLUSH_SECONDS = 1.0
TIDY_SECONDS = 3600.0
_SAFE = {"GET", "HEAD", "OPTIONS"}
# POST requests that change no data.
_READING = {
    "/api/access/check/",
    "/api/v1/query",
    "/api/v1/generate-sql",
    "/api/v1/sql",
    "/api/v1/smart-import/preview",
    "/api/v1/settings/model/test",
}


@dataclass(slots=True)
class Trail:
    """The datasets that a request has used."""

    datasets: set[int] = field(default_factory=set)


_current: ContextVar[Trail | None] = ContextVar("trail", default=None)


@contextlib.contextmanager
def following() -> Iterator[Trail]:
    """Opens the trail of one request, to which `touched` adds datasets."""
    trail = Trail()
    token = _current.set(trail)
    try:
        yield trail
    finally:
        _current.reset(token)


def touched(dataset_id: int) -> None:
    """Records that the current request uses a dataset. Outside of a request the call has no effect."""
    trail = _current.get()
    if trail is not None:
        trail.datasets.add(dataset_id)


@dataclass(slots=True)
class Entry:
    """Equal requests of a key, added up."""

    at: datetime
    organization_id: int
    user_id: int
    user_name: str
    key_id: int
    action: str
    method: str
    path: str
    dataset_id: int | None
    status: int
    requests: int
    rows: int
    request_id: str

    def add(self, other: Entry) -> None:
        self.requests += other.requests
        self.rows += other.rows
        self.request_id = other.request_id


class AuditService:
    """Writes and shows the log. Entries are stored within about a second."""

    def __init__(self, database: Database, *, days: int) -> None:
        self._database, self._days = database, days
        self._tidied = -TIDY_SECONDS
        self.entries = WriteBehind[tuple[Any, ...], Entry](
            "audit log", FLUSH_SECONDS, self._store, also=self._delete_old
        )

    def note(
        self, caller: Caller, trail: Trail, *, method: str, path: str, status: int, rows: int, request_id: str
    ) -> None:
        """Records an answered request. The cost is some dictionary lookups."""
        writes = method not in _SAFE and path not in _READING
        none: list[int | None] = [None] if writes else []
        action, now = "write" if writes else "read", datetime.now(UTC)
        for dataset in sorted(trail.datasets) or none:
            key = (caller.key_id, action, method, path, dataset, status)
            self.entries.add(
                key,
                Entry(
                    now,
                    caller.organization_id,
                    caller.user_id,
                    caller.user_name,
                    caller.key_id,
                    action,
                    method,
                    path[:500],
                    dataset,
                    status,
                    1,
                    rows,
                    request_id,
                ),
            )

    async def _store(self, entries: Mapping[tuple[Any, ...], Entry]) -> None:
        await audit.add(self._database, [asdict(entry) for entry in entries.values()])

    async def _delete_old(self) -> None:
        if self._days and time.monotonic() - self._tidied >= TIDY_SECONDS:
            self._tidied = time.monotonic()
            with contextlib.suppress(Exception):
                await audit.forget(self._database, self._days)

    async def list(
        self, caller: Caller, user: str | None, action: str | None, dataset_id: int | None, limit: int, offset: int
    ) -> AuditView:
        """Returns a page of the log: actions of the organization's users, and of others on its datasets.

        Raises ForbiddenError unless the caller is an admin.
        """
        if not caller.is_admin:
            raise ForbiddenError("Permission denied", "Only admins read the audit log")
        await self.entries.flush()
        asked: Row = {
            "organization": caller.organization_id,
            "user": user,
            "action": action,
            "dataset": dataset_id,
        }
        found = await audit.listed(self._database, **asked, limit=limit, offset=offset)
        # Past the last page no row has the total, so the first row is read.
        first = found or (await audit.listed(self._database, **asked, limit=1, offset=0) if offset else [])
        total = first[0]["total"] if first else 0
        for row in found:
            del row["total"]
        return AuditView(tuple(AuditItem(**row) for row in found), total, limit, offset)
