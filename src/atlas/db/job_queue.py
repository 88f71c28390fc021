"""Durable jobs in PostgreSQL, by procrastinate, in a schema of their own."""

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
# How often a worker says that it lives.
HEARTBEAT_SECONDS = 10.0
# How long a worker may be silent before its jobs are somebody else's.
STALLED_SECONDS = 30.0
# How often is looked for what the dead have left.
SWEEP_SECONDS = 15.0
# How often a worker looks for jobs whose time has come. It hears of new ones at once.
POLL_SECONDS = 5.0
# What runs as the server stops may take this long to end. Then it is put back into the queue.
GRACE_SECONDS = 5.0
# How long the row of such a worker is kept. Long, as the row of one that lives would go where the clock is set on, and
# with it the worker's right to take jobs.
PRUNE_SECONDS = 86_400.0
# Attempts of a delivery: after 5, 25, 125, … seconds, for about two hours and a half.
DELIVERY_ATTEMPTS = 6
DELIVERY_WAIT = 5
# Seconds after which an import is run again that the database or the disk failed.
IMPORT_WAIT = 5

log = structlog.get_logger()


class RetryError(Exception):
    """A job that is to be tried again later."""


def install(connection: psycopg.Connection) -> None:
    """Makes the tables of procrastinate where they are missing. Called under the migration lock."""
    found = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",)).fetchone()
    if found is not None and found[0] is not None:
        return
    with connection.transaction():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(f"SET LOCAL search_path = {SCHEMA}, public")
        connection.execute(SchemaManager.get_schema().encode())


@contextlib.contextmanager
def _run_again(context: JobContext) -> Iterator[None]:
    """Has a job run again that the database, the disk, others' work, or the end of its server cut off."""
    try:
        yield
    except TRANSIENT as error:
        raise RetryError(error.message) from error
    except asyncio.CancelledError as error:
        if context.abort_reason() is not AbortReason.SHUTDOWN:
            raise
        raise RetryError("the server stops") from error


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Turns the queue's word for an absent database into ours."""
    try:
        yield
    except ConnectorException as error:
        raise UnavailableError("Database unavailable", "it cannot be reached; try again") from error


class JobQueue:
    """Defers jobs, and runs them in this process. Handlers are called with the id that was deferred."""

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
        """Ends what runs within a few seconds; what has not ended by then waits in the queue again."""
        await self._end_worker()
        await asyncio.gather(*map(end_task, self._tasks))
        await end_task(self._worker)
        await self._app.close_async()

    async def defer_import(self, import_id: UUID) -> None:
        """Has an import run; asking twice before it starts is once."""
        with _reached(), contextlib.suppress(AlreadyEnqueued):
            await self._import.configure(queueing_lock=f"import-{import_id}").defer_async(import_id=str(import_id))

    async def defer_delivery(
        self, delivery_id: UUID, connection: psycopg.AsyncConnection[TupleRow] | None = None
    ) -> None:
        """Has a webhook delivered. With a connection, the job is there once its transaction is committed."""
        with _reached():
            if connection is None:
                await self._deliver.defer_async(delivery_id=str(delivery_id))
                return
            # The queue's functions find its tables by the path.
            (path,) = await _one(connection, "SELECT current_setting('search_path')")
            await connection.execute(f"SET LOCAL search_path = {SCHEMA}, public")
            await self._deliver.configure(connection=connection).defer_async(delivery_id=str(delivery_id))
            await connection.execute("SELECT set_config('search_path', %s, true)", (path,))

    async def cancel(self, job_id: int) -> bool:
        """Takes a job that waits off the queue. False where it does not wait."""
        return await self._app.job_manager.cancel_job_by_id_async(job_id)

    async def abort(self, job_id: int) -> Literal["aborting", "aborted"] | None:
        """Ends a job that runs; None where it does not run.

        Gives `aborting` where its worker is told to, which takes a moment, and `aborted` where it has none any more.
        """
        manager = self._app.job_manager
        if not await manager.cancel_job_by_id_async(job_id, abort=True):
            return None
        found = list(await manager.list_jobs_async(id=job_id))
        if not found:
            # It has ended within these moments; what succeeds is not kept.
            return None
        (job,) = found
        if job.worker_id in await self._living():
            return "aborting"
        await manager.finish_job_by_id_async(job_id, Status.ABORTED, delete_job=False)
        return "aborted"

    async def retry(self, job_id: int) -> bool:
        """Has a failed job run again. False where it has not failed, or its work waits already."""
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
        """Works on jobs until closed; `sweep` is called now and then to find what was lost."""
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
        """Has the worker end its jobs, or put them back, in the time that it takes for that; then ends it for sure."""
        worker = self._worker
        if worker is not None and not worker.done() and self._here.running:
            worker.cancel()
            await asyncio.wait([worker], timeout=GRACE_SECONDS + 2)
        await end_task(worker)

    async def _recover(self, sweep: Callable[[], Awaitable[None]]) -> None:
        """Takes up the jobs of workers that died."""
        while True:
            try:
                await self._gate.passed()
                await self._app.connector.execute_query_async(queries("db/jobs")["reschedule"])
                living = await self._living()
                doing = list(await self._app.job_manager.list_jobs_async(status="doing"))
                dropped = self._here.dropped({job.id: job.worker_id for job in doing if job.id is not None})
                for job in doing:
                    if job.worker_id not in living or job.id in dropped:
                        # One whose work waits already stays behind and keeps nobody else from being taken up.
                        with contextlib.suppress(ConnectorException):
                            await self._app.job_manager.retry_job(job)
                await sweep()
            except Exception as error:
                log.warning("job recovery failed", error=str(error)[:200])
            await asyncio.sleep(SWEEP_SECONDS)

    async def _living(self) -> set[int]:
        """Ids of the workers that live."""
        found = await self._app.connector.execute_query_all_async(queries("db/jobs")["heartbeats"])
        return self._beats.living({row["id"]: row["at"] for row in found}, time.monotonic())


class JobsHere:
    """The jobs that this process runs.

    Others may be `doing` in its name for good: the database could not be told that they have ended.
    """

    def __init__(self) -> None:
        self._workers: set[int | None] = set()
        self._running: set[int] = set()
        self._before: set[int] = set()

    @property
    def running(self) -> bool:
        """Whether there are any."""
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
        """Those of the given jobs of workers that do not run here, at this look and the one before.

        At a single look one may be about to begin, or to have its end recorded.
        """
        found = {job for job, worker in doing.items() if worker in self._workers and job not in self._running}
        before, self._before = self._before, found
        return found & before


class Heartbeats:
    """Which workers live: those whose heartbeat has changed lately, whatever time it says.

    The database's clock may be set an hour on or back, by which all workers, or none, would seem to have died.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, float]] = {}

    def living(self, beats: Mapping[int, str], now: float) -> set[int]:
        """Ids of the workers that live. now: seconds of a clock that nobody sets."""
        self._seen = {
            worker: self._seen[worker] if self._seen.get(worker, ("", 0.0))[0] == at else (at, now)
            for worker, at in beats.items()
        }
        return {worker for worker, (_, changed) in self._seen.items() if now - changed < STALLED_SECONDS}


async def _one(connection: psycopg.AsyncConnection[TupleRow], query: LiteralString) -> TupleRow:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row
