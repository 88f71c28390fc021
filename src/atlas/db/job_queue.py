"""Durable jobs in PostgreSQL, by procrastinate, in their own schema."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal, LiteralString
from uuid import UUID

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.job_context import AbortReason, JobContext
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker
from psycopg.rows import TupleRow

from atlas.db.guard import Gate
from atlas.db.named_queries import queries
from atlas.errors import TRANSIENT, UnavailableError
from atlas.kit.tasks import end_task

SCHEMA = "atlas_jobs"
# Seconds between a worker's heartbeats.
HEARTBEAT_SECONDS = 10.0
# Seconds of silence after which a worker's jobs go to another worker.
STALLED_SECONDS = 30.0
# Seconds between searches for jobs of dead workers.
SWEEP_SECONDS = 15.0
# Seconds between polls for jobs whose time has come. Workers are notified of new jobs at once.
POLL_SECONDS = 5.0
# Seconds that a running job has to end when the server stops. After that the job goes back into the queue.
GRACE_SECONDS = 5.0
# Seconds until the row of a silent worker is deleted. The time is long because a clock set forward would otherwise
# delete the row of a living worker, and with the row the worker's right to take jobs.
PRUNE_SECONDS = 86_400.0
# Attempts of a delivery: after 5, 25, 125, … seconds, for about 2.5 hours.
DELIVERY_ATTEMPTS = 6
DELIVERY_WAIT = 5
# Seconds until an import that failed for the database or the disk is run again.
IMPORT_WAIT = 5

log = structlog.get_logger()


class RetryError(Exception):
    """A job that should be tried again later."""


def install(connection: psycopg.Connection) -> None:
    """Creates procrastinate's tables when they are missing. Called under the migration lock."""
    found = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",)).fetchone()
    if found is not None and found[0] is not None:
        return
    with connection.transaction():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(f"SET LOCAL search_path = {SCHEMA}, public")
        connection.execute(SchemaManager.get_schema().encode())


@contextlib.contextmanager
def _run_again(context: JobContext) -> Iterator[None]:
    """Turns a transient error, or the stop of the server, into RetryError.

    Transient errors come from the database, the disk, or other requests' work.
    """
    try:
        yield
    except TRANSIENT as error:
        raise RetryError(error.message) from error
    except asyncio.CancelledError as error:
        if context.abort_reason() is not AbortReason.SHUTDOWN:
            raise
        raise RetryError("the server stops") from error


@contextlib.contextmanager
def _report_outage() -> Iterator[None]:
    """Turns procrastinate's ConnectorException into UnavailableError."""
    try:
        yield
    except ConnectorException as error:
        raise UnavailableError("Database unavailable", "it cannot be reached; try again") from error


class JobQueue:
    """Defers jobs, and runs them in this process. A handler is called with the id that was deferred."""

    def __init__(self, url: str, gate: Gate | None = None) -> None:
        self._gate = gate or Gate()
        connector = procrastinate.PsycopgConnector(
            conninfo=url, min_size=1, max_size=4, kwargs={"options": f"-c search_path={SCHEMA}"}
        )
        self._app = procrastinate.App(connector=connector)
        self._handlers: dict[str, Callable[[UUID], Awaitable[None]]] = {}
        self._beats, self._here = Heartbeats(), JobsHere()
        self._tasks: list[asyncio.Task[None]] = []
        self._worker: asyncio.Task[None] | None = None
        again = procrastinate.RetryStrategy(wait=IMPORT_WAIT, retry_exceptions=[RetryError])
        retry = procrastinate.RetryStrategy(
            max_attempts=DELIVERY_ATTEMPTS, exponential_wait=DELIVERY_WAIT, retry_exceptions=[RetryError]
        )

        @self._app.task(name="import", queue="atlas", retry=again, pass_context=True)
        async def run_import(context: JobContext, import_id: str) -> None:
            with _run_again(context):
                await self._handlers["import"](UUID(import_id))

        @self._app.task(name="deliver", queue="atlas", retry=retry, pass_context=True)
        async def deliver(context: JobContext, delivery_id: str) -> None:
            with _run_again(context):
                await self._handlers["deliver"](UUID(delivery_id))

        self._import, self._deliver = run_import, deliver

    async def open(self) -> None:
        await self._app.open_async()

    async def close(self) -> None:
        """Lets running jobs end within a few seconds. A job that has not ended by then goes back into the queue."""
        await self._end_worker()
        await asyncio.gather(*map(end_task, self._tasks))
        await end_task(self._worker)
        await self._app.close_async()

    async def defer_import(self, import_id: UUID) -> None:
        """Queues an import. Queueing an import again before it starts changes nothing."""
        with _report_outage(), contextlib.suppress(AlreadyEnqueued):
            await self._import.configure(queueing_lock=f"import-{import_id}").defer_async(import_id=str(import_id))

    async def defer_delivery(
        self, delivery_id: UUID, connection: psycopg.AsyncConnection[TupleRow] | None = None
    ) -> None:
        """Queues the delivery of a webhook.

        With a connection, the job exists once the connection's transaction commits.
        """
        with _report_outage():
            if connection is None:
                await self._deliver.defer_async(delivery_id=str(delivery_id))
                return
            # The queue's SQL functions find its tables by the search path.
            (path,) = await _one(connection, "SELECT current_setting('search_path')")
            await connection.execute(f"SET LOCAL search_path = {SCHEMA}, public")
            await self._deliver.configure(connection=connection).defer_async(delivery_id=str(delivery_id))
            await connection.execute("SELECT set_config('search_path', %s, true)", (path,))

    async def cancel(self, job_id: int) -> bool:
        """Removes a waiting job from the queue. Returns False when the job does not wait."""
        return await self._app.job_manager.cancel_job_by_id_async(job_id)

    async def abort(self, job_id: int) -> Literal["aborting", "aborted"] | None:
        """Ends a running job. Returns None when the job does not run.

        Returns `aborting` when the job's worker is notified, which takes a moment. Returns `aborted` when the job has
        no living worker.
        """
        manager = self._app.job_manager
        if not await manager.cancel_job_by_id_async(job_id, abort=True):
            return None
        found = list(await manager.list_jobs_async(id=job_id))
        if not found:
            # The job has ended in the meantime; jobs that succeed are deleted.
            return None
        (job,) = found
        if job.worker_id in await self._living():
            return "aborting"
        await manager.finish_job_by_id_async(job_id, Status.ABORTED, delete_job=False)
        return "aborted"

    async def retry(self, job_id: int) -> bool:
        """Queues a failed job again. Returns False when the job has not failed, or its work waits already."""
        try:
            await self._app.job_manager.retry_job_by_id_async(job_id, retry_at=datetime.now(UTC))
        except ConnectorException:
            return False
        return True

    def start(
        self,
        *,
        on_import: Callable[[UUID], Awaitable[None]],
        on_delivery: Callable[[UUID], Awaitable[None]],
        sweep: Callable[[], Awaitable[None]],
        concurrency: int,
    ) -> None:
        """Works on jobs until closed. `sweep` is called periodically to find lost work."""
        self._handlers = {"import": on_import, "deliver": on_delivery}
        self._tasks = [
            asyncio.create_task(self._work(concurrency)),
            asyncio.create_task(self._recover(sweep)),
        ]

    async def _work(self, concurrency: int) -> None:
        while True:
            await self._gate.opened()
            worker = self._worker = asyncio.create_task(
                self._app.run_worker_async(
                    queues=["atlas"],
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=GRACE_SECONDS,
                    stalled_worker_timeout=PRUNE_SECONDS,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    fetch_job_polling_interval=POLL_SECONDS,
                    worker_middleware=[self._here.run],
                )
            )
            refused = asyncio.create_task(self._gate.refused())
            try:
                await asyncio.wait((worker, refused), return_when=asyncio.FIRST_COMPLETED)
                if worker.done():
                    await worker
            except (ConnectorException, psycopg.Error, OSError) as error:
                log.warning("job worker lost the database", error=str(error)[:200])
            finally:
                await end_task(refused)
                await self._end_worker()
            await asyncio.sleep(2)

    async def _end_worker(self) -> None:
        """Gives the worker time to end its jobs or put them back, then ends the worker."""
        worker = self._worker
        if worker is not None and not worker.done() and self._here.running:
            worker.cancel()
            await asyncio.wait([worker], timeout=GRACE_SECONDS + 2)
        await end_task(worker)

    async def _recover(self, sweep: Callable[[], Awaitable[None]]) -> None:
        """Queues the jobs of dead workers again."""
        while True:
            try:
                await self._gate.passed()
                await self._app.connector.execute_query_async(queries("db/jobs")["reschedule"])
                living = await self._living()
                doing = list(await self._app.job_manager.list_jobs_async(status="doing"))
                dropped = self._here.dropped({job.id: job.worker_id for job in doing if job.id is not None})
                for job in doing:
                    if job.worker_id not in living or job.id in dropped:
                        # A job whose work is already queued stays behind, and does not block the recovery of others.
                        with contextlib.suppress(ConnectorException):
                            await self._app.job_manager.retry_job(job)
                await sweep()
            except Exception as error:
                log.warning("job recovery failed", error=str(error)[:200])
            await asyncio.sleep(SWEEP_SECONDS)

    async def _living(self) -> set[int]:
        """Returns ids of the living workers."""
        found = await self._app.connector.execute_query_all_async(queries("db/jobs")["heartbeats"])
        return self._beats.living({row["id"]: row["at"] for row in found}, time.monotonic())


class JobsHere:
    """The jobs that this process runs.

    The database may hold other jobs as `doing` for this process: jobs whose end could not be recorded there.
    """

    def __init__(self) -> None:
        self._workers: set[int | None] = set()
        self._running: set[int] = set()
        self._before: set[int] = set()

    @property
    def running(self) -> bool:
        """Whether this process runs any job."""
        return bool(self._running)

    async def run(self, job: Callable[[], Awaitable[object]], context: JobContext, worker: Worker) -> object:
        """Runs a job of a worker of this process."""
        assert context.job.id is not None
        self._workers.add(worker.worker_id)
        self._running.add(context.job.id)
        try:
            return await job()
        finally:
            self._running.discard(context.job.id)

    def dropped(self, doing: Mapping[int, int | None]) -> set[int]:
        """Returns jobs in `doing` that belong to this process's workers and did not run at two looks in a row.

        At a single look a job may be about to begin, or to have its end recorded.
        """
        found = {job for job, worker in doing.items() if worker in self._workers and job not in self._running}
        before, self._before = self._before, found
        return found & before


class Heartbeats:
    """Finds living workers: those whose heartbeat has changed lately, whatever time the heartbeat shows.

    The database's clock may be set an hour forward or back. By the clock all workers, or none, would then seem dead.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, float]] = {}

    def living(self, beats: Mapping[int, str], now: float) -> set[int]:
        """Returns ids of the living workers. now: seconds of a monotonic clock."""
        self._seen = {
            worker: self._seen[worker] if self._seen.get(worker, ("", 0.0))[0] == at else (at, now)
            for worker, at in beats.items()
        }
        return {worker for worker, (_, changed) in self._seen.items() if now - changed < STALLED_SECONDS}


async def _one(connection: psycopg.AsyncConnection[TupleRow], query: LiteralString) -> TupleRow:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row
