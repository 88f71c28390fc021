"""Asynchronous imports and webhooks: what jobs do."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import structlog

from atlas.accounts.access import Caller
from atlas.accounts.authorization import require_admin
from atlas.contract.imports import ImportResult, PendingImport
from atlas.contract.webhooks import DeliveriesView, RedeliveryView, SecretView
from atlas.db.database import Database
from atlas.db.job_queue import DELIVERY_ATTEMPTS, JobQueue, RetryError
from atlas.errors import TRANSIENT, AtlasError, BadRequestError, NotFoundError, UnavailableError
from atlas.imports import repository as imports
from atlas.imports.announcements import Announcements, message_id
from atlas.imports.load import Target
from atlas.imports.service import ImportRequest, ImportService, find_import
from atlas.kit.admission import serving
from atlas.kit.json_depth import TOO_DEEP, too_deep
from atlas.kit.object_store import ObjectStorage
from atlas.kit.ssrf import check_url
from atlas.kit.tasks import start_detached
from atlas.kit.validation import identified
from atlas.webhooks import repository as webhooks
from atlas.webhooks import sender

log = structlog.get_logger()
# How often files that were kept long enough are removed.
TIDY_SECONDS = 600.0
# Processes that may die of an import.
MOST_STARTS = 3
# So long after it was accepted, an import that the database or the disk fails is run again; then it has failed.
GIVE_UP = timedelta(hours=1)


class BackgroundService:
    """Runs imports later and tells their results to the URLs that callers gave."""

    def __init__(
        self,
        database: Database,
        runner: ImportService,
        queue: JobQueue,
        announcements: Announcements,
        objects: ObjectStorage,
        *,
        allow_loopback: bool,
        timeout: float,
        file_days: int,
    ) -> None:
        self._database, self._runner, self._queue, self._objects = database, runner, queue, objects
        self._announcements = announcements
        self._allow_loopback, self._timeout, self._file_days = allow_loopback, timeout, file_days
        self._tidied = -TIDY_SECONDS
        self._forgotten, self._undelivered, self._abandoned = SeenTwice(), SeenTwice(), SeenTwice()
        # Starts of imports that did not end their process, and of which the database could not be told.
        self._living: Counter[UUID] = Counter()

    def start(self, concurrency: int) -> None:
        """Works on jobs in this process."""
        self._queue.start(
            on_import=self.run_import, on_delivery=self.deliver, sweep=self._sweep, concurrency=concurrency
        )

    async def submit(self, caller: Caller, request: ImportRequest, callback_url: str, metadata: Any) -> PendingImport:
        """Takes an import to run later. When this returns, it survives a killed server."""
        check_url(callback_url, allow_loopback=self._allow_loopback)
        # One transaction: an import that is there has its file, whenever the server dies.
        async with self._database.transaction() as connection:
            target = await self._runner.record(
                connection, caller, request, status="pending", callback_url=callback_url, callback_metadata=metadata
            )
            await imports.keep_file(connection, target.import_id, request.path)
        # Should the database be gone now, the import is found without a job and gets one.
        with contextlib.suppress(UnavailableError):
            await self._queue.defer_import(target.import_id)
        return PendingImport(
            "pending",
            f"Import of '{request.file_name}' is being processed asynchronously.",
            request.file_name,
            str(target.public_id),
        )

    async def import_object(
        self,
        caller: Caller,
        key: str,
        instruction: str,
        *,
        table: str | None,
        thread_id: str | None,
        callback_url: str | None,
        metadata: Any,
        accept_proposals: bool | None = None,
    ) -> ImportResult | PendingImport:
        """Imports a file from object storage, now or, with a callback, later."""
        with tempfile.TemporaryDirectory(prefix="atlas-object-") as folder:
            path = Path(folder) / "file"
            await self._objects.download(caller.organization_id, key, path)
            name = key.rsplit("/", 1)[-1]
            request = ImportRequest(path, name, instruction, thread_id, table, accept_proposals=accept_proposals)
            if callback_url:
                return await self.submit(caller, request, callback_url, metadata)
            return await self._runner.run(caller, request)

    async def run_import(self, import_id: UUID) -> None:
        """The job of one import."""
        job = await webhooks.job(self._database, import_id)
        if job is None:
            return
        if job["user_id"] is None:
            await self._announcements.fail(self._database, import_id, "its user has been removed")
        elif (starts := await self._claim(import_id)) > MOST_STARTS:
            told = f"the process that ran it died {MOST_STARTS} times; it is not tried again"
            await self._announcements.fail(self._database, import_id, told)
        elif starts:
            caller = Caller(job["user_id"], job["user_name"], job["organization_id"], job["schema"], 0)
            serving(caller)
            request = ImportRequest(
                Path(),
                job["file_name"],
                job["instruction"],
                job["thread_id"],
                job["table_name"],
                accept_proposals=job["accept_proposals"],
            )
            try:
                target = Target(caller, import_id, job["number"], job["public_id"])
                await self._run(target, request, again=job["age"] < GIVE_UP)
            except (asyncio.CancelledError, *TRANSIENT):
                # This process lives. The import runs again, or was called off.
                await asyncio.shield(start_detached(self._take_start_back(import_id)))
                raise
        await self._announcements.announce_missed(self._database, import_id)

    async def _run(self, target: Target, request: ImportRequest, *, again: bool) -> None:
        """Runs a claimed import. Raises one of TRANSIENT where it is to be run again."""
        with tempfile.TemporaryDirectory(prefix="atlas-job-") as folder:
            path = Path(folder) / "file"
            await imports.load_file(self._database, target.import_id, path)
            try:
                await self._runner.execute(target, replace(request, path=path), again=again, queued=True)
            except AtlasError as error:
                if again and isinstance(error, TRANSIENT):
                    raise
                # It is recorded with the import, and the webhook tells it.
                log.info("import failed", import_id=str(target.import_id), error=error.message)

    async def _claim(self, import_id: UUID) -> int:
        """Claims an import. Gives how many processes have begun it and not let go of it; 0 if it is over."""
        while self._living[import_id]:
            await webhooks.take_start_back(self._database, import_id)
            self._living[import_id] -= 1
        self._living.pop(import_id, None)
        return await webhooks.claim(self._database, import_id)

    async def _take_start_back(self, import_id: UUID) -> None:
        try:
            await webhooks.take_start_back(self._database, import_id)
        except AtlasError:
            # The database is gone; this process knows until it is back.
            self._living[import_id] += 1

    async def deliver(self, delivery_id: UUID) -> None:
        """One attempt at a delivery. Raises RetryError where another is to follow."""
        found = await webhooks.find(self._database, delivery_id)
        if found is None or found["status"] == "delivered":
            return
        secret = await webhooks.secret(self._database, found["organization_id"], sender.new_secret())
        body = found["payload"].encode()
        headers = sender.signed_headers(secret, message_id(delivery_id), datetime.now(UTC), body)
        attempt = await sender.post_json(
            found["url"], body, headers=headers, allow_loopback=self._allow_loopback, seconds=self._timeout
        )
        last = found["attempts"] + 1 >= DELIVERY_ATTEMPTS
        status = "delivered" if attempt.ok else "failed" if last else "pending"
        await webhooks.record(self._database, delivery_id, attempt, status)
        if status == "pending":
            raise RetryError(attempt.error or "not delivered")

    async def _sweep(self) -> None:
        # What is found once may be about to get its job, or its process to connect again.
        for import_id in self._forgotten.again(await webhooks.lost_imports(self._database)):
            await self._queue.defer_import(import_id)
        for delivery_id in self._undelivered.again(await webhooks.lost_deliveries(self._database)):
            await self._queue.defer_delivery(delivery_id)
        abandoned = self._abandoned.again(await imports.abandoned(self._database))
        if abandoned:
            await imports.fail_abandoned(self._database, abandoned)
        if time.monotonic() - self._tidied >= TIDY_SECONDS:
            self._tidied = time.monotonic()
            await imports.forget_files(self._database, self._file_days)

    async def secret(self, caller: Caller, *, rotate: bool) -> SecretView:
        """The secret that the organization's webhooks are signed with.

        Who has it can forge webhooks of the organization. Raises ForbiddenError for who does not administer it.
        """
        require_admin(caller, "rotate the webhook secret" if rotate else "see the webhook secret")
        fresh = sender.new_secret()
        return SecretView(await webhooks.secret(self._database, caller.organization_id, fresh, rotate=rotate))

    async def deliveries(self, caller: Caller, import_id: str | None, limit: int, offset: int) -> DeliveriesView:
        """The delivery log."""
        wanted = None
        if import_id is not None:
            wanted = (await find_import(self._database, caller, import_id))["id"]
        return DeliveriesView(tuple(await webhooks.list_deliveries(self._database, caller, wanted, limit, offset)))

    async def redeliver(self, caller: Caller, delivery_id: str) -> RedeliveryView:
        """Sends a delivery again."""
        missing = NotFoundError("Delivery not found", f"no delivery with ID {delivery_id[:64]!r}")
        found = await webhooks.find(self._database, identified(delivery_id, missing))
        if found is None or found["organization_id"] != caller.organization_id:
            raise missing
        if not await imports.find(self._database, caller, import_id=found["import_id"]):
            raise missing
        await webhooks.reopen(self._database, found["id"])
        await self._queue.defer_delivery(found["id"])
        return RedeliveryView(str(found["id"]))


class SeenTwice:
    """What was found by two sweeps one after another: clocks that are set make nothing old."""

    def __init__(self) -> None:
        self._seen: frozenset[UUID] = frozenset()

    def again(self, found: Iterable[UUID]) -> frozenset[UUID]:
        """Those that the call before was given as well."""
        before, self._seen = self._seen, frozenset(found)
        return before & self._seen


def parse_metadata(text: str | None) -> Any:
    """`callback_metadata` of a form: a JSON object. Raises BadRequestError."""
    if not text:
        return None
    if too_deep(text.encode()):
        raise BadRequestError("Invalid parameter", f"callback_metadata: {TOO_DEEP}")
    try:
        found = msgspec.json.decode(text)
    except ValueError as error:
        raise BadRequestError("Invalid parameter", f"callback_metadata: not valid JSON ({error})") from None
    if "\\u0000" in text:
        raise BadRequestError("Invalid parameter", "callback_metadata: the NUL character is not allowed")
    if not isinstance(found, dict):
        raise BadRequestError("Invalid parameter", "callback_metadata: must be a JSON object")
    return found
