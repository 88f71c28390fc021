"""The composition root: builds the application from settings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import Receive, Scope, Send

import atlas
from atlas.accounts import administration_routes as content_admin
from atlas.accounts import audit_routes as content_audit
from atlas.accounts import routes as content_accounts
from atlas.accounts import tag_routes as tags
from atlas.accounts.browser_sessions import SessionService
from atlas.accounts.gatekeeper import KeyGatekeeper
from atlas.accounts.ledger import RequestLedger
from atlas.catalog import routes as column_routes
from atlas.db import arrow_pool  # noqa: F401 - which the database would load at its first use
from atlas.db.database import Database
from atlas.db.guard import Guard
from atlas.db.job_queue import JobQueue
from atlas.db.listen import Listener
from atlas.imports import background_routes
from atlas.imports import routes as content_imports
from atlas.kit.admission import Lanes, Turns
from atlas.kit.garbage_collection import GarbageCollector
from atlas.kit.malloc_trim import MemoryKeeper
from atlas.kit.processor_time import MeteredThreads
from atlas.llm import routes as model_settings
from atlas.logging import configure_logs
from atlas.questions import routes as content_questions
from atlas.records import instruction_routes as content_instructions
from atlas.records import routes as content_table_rows
from atlas.records import update_routes
from atlas.review import routes as content_issues
from atlas.saved import routes as content_saved
from atlas.services import Processes, Services, build_services, lanes_of, reader_limits, secret_of
from atlas.settings import Settings
from atlas.tables import routes as content_tables
from atlas.timeseries import dataset_routes, download_routes, frequent_routes, row_routes
from atlas.timeseries.align import routes as align_routes
from atlas.timeseries.cold.scheduler import Compaction
from atlas.timeseries.line_protocol import routes as line_routes
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.ui import api_reference, assets, client_package, pages
from atlas.ui import session as ui_session
from atlas.web import connections, exception_handlers, health_routes, openapi
from atlas.web.error_schemas import DetailView, ErrorView, LineErrorView
from atlas.web.frequent_requests import FrequentRequests
from atlas.web.middleware import Metrics, RequestMiddleware, SlashMiddleware
from atlas.web.path_index import add_routes
from atlas.web.rate_limit import RateLimiter
from atlas.webhooks import openapi as webhooks_openapi
from atlas.workers.calls import Calls
from atlas.workers.pool import WorkerPool

DESCRIPTION = """Store, query, share and stream time series. Send your key in the header `X-API-Key`,
or as `Authorization: Bearer`.

You own what you create. A tag on a dataset lets everybody who holds the tag read it; `public` is free
to acquire."""

THREADS = 20
# Seconds after the start of a server at which a process for long texts starts. Files may come at once.
PARSERS_AFTER = 5.0

ROUTERS = (
    dataset_routes.router,
    tags.router,
    row_routes.router,
    download_routes.router,
    align_routes.router,
    line_routes.router,
    content_imports.router,
    content_issues.router,
    content_instructions.router,
    content_tables.router,
    column_routes.table_router,
    column_routes.dataset_router,
    update_routes.router,
    content_table_rows.router,
    background_routes.router,
    content_questions.router,
    content_saved.router,
    model_settings.router,
    content_accounts.router,
    content_admin.router,
    content_audit.router,
    health_routes.router,
)


class Application(FastAPI):
    """The web application, with frequent requests answered before any middleware."""

    frequent: FrequentRequests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.frequent(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request through all middleware."""
        await super().__call__(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    workers: WorkerPool | None = None,
    parsers: WorkerPool | None = None,
    warm: bool = True,
) -> FastAPI:
    """Builds the application on the migrated database of `settings.database_url`. Raises ValueError without that URL.

    workers, parsers: processes that read files and parse texts, unless the application should have its own.
    warm: makes the first columnar connection at the start, so that no request waits for it.
    """
    if settings.database_url is None:
        raise ValueError("create_app needs a database_url; `atlas serve` starts the embedded server")
    configure_logs(settings.log_level, settings.log_format)
    lanes = lanes_of(settings)
    database = _database_of(settings, settings.database_url, lanes)
    registry = CollectorRegistry()
    upkeep = Upkeep(database, idempotency_hours=settings.idempotency_hours, deleted_days=settings.deleted_days)
    queue = JobQueue(settings.database_url, database.gate)
    readers = workers or WorkerPool(reader_limits(settings), most=settings.import_slots)
    texts = parsers or WorkerPool(purpose="texts")
    services = build_services(settings, database, upkeep, queue, lanes, Processes(readers, Calls(texts)))
    own = [pool for pool, given in ((readers, workers), (texts, parsers)) if given is None]
    Gauge("atlas_streams_open", "Live streams.", registry=registry).set_function(lambda: services.streams.open_streams)

    app = Application(
        title="Atlas",
        version=atlas.__version__,
        description=DESCRIPTION,
        redirect_slashes=False,
        lifespan=_lifespan(settings, database, services, upkeep, queue, own, warm=warm),
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services.provided()
    limiter = RateLimiter(settings.rate_limit, settings.organization_rate_limit)
    gatekeeper = app.state.gatekeeper = KeyGatekeeper(services.access, limiter, lanes, settings.queue_seconds)
    app.state.settings = settings
    app.state.registry = registry
    app.state.connections = connections_of(settings, registry)
    exception_handlers.install(app)
    add_routes(app, ROUTERS)
    openapi.install(app, ErrorView, DetailView, LineErrorView, add=webhooks_openapi.add)
    install_ui(app, SessionService(database, services.access, services.tags, secret_of(settings)))
    app.add_middleware(SlashMiddleware)
    around: dict[str, Any] = {
        "metrics": Metrics(registry),
        "gatekeeper": gatekeeper,
        "ledger": RequestLedger(services.usage, services.audit),
        "max_body": settings.max_body_bytes,
        "hosts": {name.strip().lower() for name in (settings.allowed_hosts or "").split(",") if name.strip()},
    }
    app.add_middleware(RequestMiddleware, **around)
    app.add_middleware(ui_session.SessionMiddleware, sessions=app.state.sessions, refuse=exception_handlers.refusal)
    frequent = frequent_routes.handlers(services.rows, services.reads, settings.max_page_rows)
    app.frequent = FrequentRequests(app.answer, handlers=frequent, **around)
    return app


def _database_of(settings: Settings, url: str, lanes: Lanes) -> Database:
    """Returns the database at `url`, whose connections the lanes share out."""
    return Database(
        url,
        pool_size=settings.pool_size,
        statement_timeout=settings.request_timeout,
        turns=Turns(lanes.connections),
        reading=Turns(lanes.columnar),
    )


def _lifespan(
    settings: Settings,
    database: Database,
    services: Services,
    upkeep: Upkeep,
    queue: JobQueue,
    pools: Sequence[WorkerPool],
    *,
    warm: bool,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[dict[str, object]]]:
    """Returns the context that starts and ends the application's background work. pools: to start and end.

    warm: makes the first columnar connection at the start.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        # Python's default executor is sized for the number of cores. Here a few threads stage files for minutes.
        asyncio.get_running_loop().set_default_executor(MeteredThreads(THREADS, thread_name_prefix="work"))
        await database.open()
        if warm:
            database.warm_up()
        listener = Listener(database.url, services.streams.wake)
        listener.start()
        guard = Guard(database.url, database.gate)
        guard.start()
        await queue.open()
        keepers = MemoryKeeper(), GarbageCollector()
        for keeper in keepers:
            keeper.start()
        services.usage.tallies.start()
        services.audit.entries.start()
        compaction = Compaction(database, days=settings.cold_after_days, seconds=settings.cold_sweep_seconds)
        compaction.start()
        for pool in pools:
            pool.warm(0.0 if pool.purpose == "files" else PARSERS_AFTER)
        app.state.connections.start()
        if settings.jobs:
            services.background.start(settings.jobs)
        try:
            # The state in which the server's protocol finds the connections.
            yield {connections.STATE: app.state.connections}
        finally:
            await app.state.connections.close()
            for keeper in keepers:
                await keeper.close()
            await queue.close()
            await listener.stop()
            await guard.stop()
            await compaction.close()
            await upkeep.close()
            for service in (services.models, services.sql, services.rows):
                await service.close()
            services.reads.files.close()
            await services.usage.tallies.close()
            await services.audit.entries.close()
            await database.close()
            for pool in pools:
                pool.close()

    return lifespan


def connections_of(settings: Settings, registry: CollectorRegistry) -> connections.Connections:
    """Builds the connections' limits and metrics."""
    most = settings.max_connections or connections.most_connections()
    limits = connections.Limits(
        head=settings.head_seconds,
        body=settings.stall_seconds,
        write=settings.stall_seconds,
        most=most,
        most_of_address=settings.max_address_connections or max(1, most // 2),
    )
    ended = Counter("atlas_connections_ended", "Connections that were ended, by why.", ["reason"], registry=registry)
    made = connections.Connections(limits, lambda reason: ended.labels(reason).inc())
    Gauge("atlas_connections_open", "Connections.", registry=registry).set_function(lambda: len(made))
    return made


def install_ui(app: FastAPI, sessions: SessionService) -> None:
    """Adds the web interface and the reference pages."""
    app.state.sessions = sessions
    app.router.routes.extend(assets.mounts())
    app.include_router(ui_session.router)
    api_reference.install(app)
    app.include_router(client_package.router)
    app.include_router(pages.router)
