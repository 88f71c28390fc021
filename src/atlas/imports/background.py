"""The jobs of asynchronous imports and of webhooks."""

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
from atlas.kit.name_lookup import looking_up_for
from atlas.kit.object_store import ObjectStorage
from atlas.kit.ssrf import check_url
from atlas.kit.tasks import start_detached
from atlas.kit.validation import identified
from atlas.webhooks import repository as webhooks
from atlas.webhooks import sender

log = structlog.get_logger()
# The interval at which expired files are removed.
TIDY_SECONDS = 600.0
# The number of processes that may die while running an import.
MOST_STARTS = 3
# An import that fails by the database or the disk is run again until this long after its acceptance. Then the import
# has failed.
GIVE_UP = timedelta(hours=1)


class BackgroundService:
    """Runs imports later, and sends their results to the callback URLs of callers."""

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
        # Starts that ended without the death of their process, and that the database does not know of yet.
        self._living: Counter[UUID] = Counter()

    def start(self, concurrency: int) -> None:
        """Starts to work on jobs in this process."""
        self._queue.start(
            on_import=self.run_import, on_delivery=self.deliver, sweep=self._sweep, concurrency=concurrency
        )

    async def submit(self, caller: Caller, request: ImportRequest, callback_url: str, metadata: Any) -> PendingImport:
        """Accepts an import to run later. On return the import is stored, and survives the death of the server."""
        check_url(callback_url, allow_loopback=self._allow_loopback)
        # In one transaction a stored import always has its file, whenever the server dies.
        async with self._database.transaction() as connection:
            target = await self._runner.record(
                connection, caller, request, status="pending", callback_url=callback_url, callback_metadata=metadata
            )
            await imports.keep_file(connection, target.import_id, request.path)
        # If the database fails now, a sweep finds the import without a job and adds the job.
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
        """Imports a file from object storage: now, or later if there is a callback."""
        with tempfile.TemporaryDirectory(prefix="atlas-object-") as folder:
            path = Path(folder) / "file"
            await self._objects.download(caller.organization_id, key, path)
            name = key.rsplit("/", 1)[-1]
            request = ImportRequest(path, name, instruction, thread_id, table, accept_proposals=accept_proposals)
            if callback_url:
                return await self.submit(caller, request, callback_url, metadata)
            return await self._runner.run(caller, request)

    async def run_import(self, import_id: UUID) -> None:
        """Runs the job of one import."""
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
                # This process lives. The import runs again, or was cancelled.
                await asyncio.shield(start_detached(self._take_start_back(import_id)))
                raise
        await self._announcements.announce_missed(self._database, import_id)

    async def _run(self, target: Target, request: ImportRequest, *, again: bool) -> None:
        """Runs a claimed import.

        Raises one of TRANSIENT: when the import must run again.
        """
        with tempfile.TemporaryDirectory(prefix="atlas-job-") as folder:
            path = Path(folder) / "file"
            await imports.load_file(self._database, target.import_id, path)
            try:
                await self._runner.execute(target, replace(request, path=path), again=again, queued=True)
            except AtlasError as error:
                if again and isinstance(error, TRANSIENT):
                    raise
                # The failure is stored with the import, and the webhook reports the failure.
                log.info("import failed", import_id=str(target.import_id), error=error.message)

    async def _claim(self, import_id: UUID) -> int:
        """Claims an import. Returns the number of starts without an end, or 0 if the import is over."""
        while self._living[import_id]:
            await webhooks.take_start_back(self._database, import_id)
            self._living[import_id] -= 1
        self._living.pop(import_id, None)
        return await webhooks.claim(self._database, import_id)

    async def _take_start_back(self, import_id: UUID) -> None:
        try:
            await webhooks.take_start_back(self._database, import_id)
        except AtlasError:
            # The database is gone. This process remembers the start until the database is back.
            self._living[import_id] += 1

    async def deliver(self, delivery_id: UUID) -> None:
        """Makes one attempt at a delivery.

        Raises RetryError: when another attempt must follow.
        """
        found = await webhooks.find(self._database, delivery_id)
        if found is None or found["status"] == "delivered":
            return
        secret = await webhooks.secret(self._database, found["organization_id"], sender.new_secret())
        body = found["payload"].encode()
        headers = sender.signed_headers(secret, message_id(delivery_id), datetime.now(UTC), body)
        with looking_up_for(found["organization_id"]):
            attempt = await sender.post_json(
                found["url"], body, headers=headers, allow_loopback=self._allow_loopback, seconds=self._timeout
            )
        last = found["attempts"] + 1 >= DELIVERY_ATTEMPTS
        status = "delivered" if attempt.ok else "failed" if last else "pending"
        await webhooks.record(self._database, delivery_id, attempt, status)
        if status == "pending":
            raise RetryError(attempt.error or "not delivered")

    async def _sweep(self) -> None:
        # An import or delivery that one sweep finds may be about to get its job. Only what two sweeps find gets a job
        # here.
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
        """Returns the secret that signs the organization's webhooks. Anybody with the secret can forge the webhooks.

        Raises ForbiddenError: when the caller is no administrator.
        """
        require_admin(caller, "rotate the webhook secret" if rotate else "see the webhook secret")
        fresh = sender.new_secret()
        return SecretView(await webhooks.secret(self._database, caller.organization_id, fresh, rotate=rotate))

    async def deliveries(self, caller: Caller, import_id: str | None, limit: int, offset: int) -> DeliveriesView:
        """Returns a page of the delivery log.

        Raises NotFoundError: when the caller sees no such import.
        """
        wanted = None
        if import_id is not None:
            wanted = (await find_import(self._database, caller, import_id))["id"]
        return DeliveriesView(tuple(await webhooks.list_deliveries(self._database, caller, wanted, limit, offset)))

    async def redeliver(self, caller: Caller, delivery_id: str) -> RedeliveryView:
        """Sends a delivery again.

        Raises NotFoundError: when the caller sees no such delivery.
        """
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
    """Finds entries that two consecutive sweeps have in common. The comparison needs no clock, which may be changed."""

    def __init__(self) -> None:
        self._seen: frozenset[UUID] = frozenset()

    def again(self, found: Iterable[UUID]) -> frozenset[UUID]:
        """Returns the entries that the previous call got as well."""
        before, self._seen = self._seen, frozenset(found)
        return before & self._seen


def parse_metadata(text: str | None) -> Any:
    """Parses the form field `callback_metadata`, a JSON object.

    Raises BadRequestError: when the text is no such object.
    """
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
