"""Announces the ends of imports. The webhook is queued in the transaction that ends the import.

An ended import therefore always has its webhook queued, even if a process dies or the import changes before the webhook
is sent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from msgspec import UNSET

from atlas.db.database import Connection, Database
from atlas.db.job_queue import JobQueue
from atlas.imports import repository as imports
from atlas.webhooks import events
from atlas.webhooks import repository as webhooks

Row = dict[str, Any]


class Announcements:
    """Queues the webhooks of ended imports. An import without a callback has no webhook."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    async def announce(self, connection: Connection, import_id: UUID) -> None:
        """Queues the webhook of an import that the connection's transaction ends."""
        job = await webhooks.job(connection, import_id)
        if job is None or job["callback_url"] is None:
            return
        delivery = uuid4()
        told = events.encode(import_event(job, message_id(delivery), datetime.now(UTC)))
        await webhooks.create(connection, delivery, import_id, told)
        await self._queue.defer_delivery(delivery, connection)

    async def fail(self, database: Database, import_id: UUID, reason: str) -> bool:
        """Records that an import has failed, and queues its webhook. Returns False if the import has ended already."""
        async with database.transaction() as connection:
            failed = await imports.fail(connection, import_id, reason)
            if failed:
                await self.announce(connection, import_id)
        return failed

    async def announce_missed(self, database: Database, import_id: UUID) -> None:
        """Queues the webhook of an import that has ended without one. Older versions may have left such imports."""
        async with database.transaction() as connection:
            status = await imports.lock(connection, import_id)
            if status in ("success", "failed") and not await webhooks.has_delivery(connection, import_id):
                await self.announce(connection, import_id)


def import_event(job: Row, event_id: str, moment: datetime) -> events.Event:
    """Builds the event of an ended import."""
    metadata = UNSET if job["metadata"] is None else job["metadata"]
    common = {
        "id": event_id,
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metadata": metadata,
        "import_id": str(job["public_id"]),
        "file_name": job["file_name"],
    }
    if job["status"] == "failed":
        return events.ImportFailed(**common, status="failed", error=job["error"])
    waiting = events.IssuesWaiting(**job["waiting"])
    waits = any(job["waiting"].values())
    kind = events.ImportNeedsReview if waits else events.ImportSucceeded
    return kind(
        **common,
        status="success",
        table_name=job["table_name"],
        dataset_id=job["dataset_id"],
        records_processed=job["records"],
        records_inserted=job["inserted"],
        records_updated=job["updated"],
        duplicates_skipped=job["duplicates"],
        validation_failures=job["failures"],
        records_left_out=job["left_out"],
        value_replacements=job["replacements"],
        has_correctable_issues=waits,
        issues_waiting=waiting,
        records_imported=job["inserted"] + job["updated"],
        duplicates_removed=job["duplicates"],
        response_summary=job["summary"],
    )


def message_id(delivery_id: UUID) -> str:
    """Returns the id of a delivery's event. Receivers recognize repeated events by the id."""
    return f"msg_{delivery_id.hex}"
