"""The composition root: settings in, a wired application out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge

import atlas
from atlas.accounts import administration_routes as content_admin
from atlas.accounts import audit_routes as content_audit
from atlas.accounts import routes as content_accounts
from atlas.accounts import tag_routes as tags
from atlas.accounts.administration import AdminService
from atlas.accounts.audit import AuditService
from atlas.accounts.authorization import AccessService
from atlas.accounts.browser_sessions import SessionService
from atlas.accounts.local_administration import KeyService
from atlas.accounts.service import AccountService
from atlas.accounts.tags import TagService
from atlas.accounts.usage import UsageService
from atlas.catalog.column_notes import ColumnNoteService
from atlas.db import arrow_pool  # noqa: F401 - which the database would load at its first use
from atlas.db.database import ARROW_READERS, Database
from atlas.db.guard import Guard
from atlas.db.job_queue import JobQueue
from atlas.db.listen import Listener
from atlas.imports import routes as content_imports
from atlas.imports.announcements import Announcements
from atlas.imports.background import BackgroundService
from atlas.imports.file_stager import FileStager
from atlas.imports.history import HistoryService
from atlas.imports.service import ImportService
from atlas.imports.staged_bytes import StagedBytes
from atlas.imports.undo import UndoService
from atlas.kit.admission import Lanes, Turns
from atlas.kit.malloc_trim import MemoryKeeper
from atlas.kit.object_store import ObjectStorage
from atlas.kit.secret_key import load_secret
from atlas.kit.workbooks import Workbooks
from atlas.language.llm.packages import missing_packages
from atlas.llm import routes as model_settings
from atlas.llm.service import ModelService, ModelSettings
from atlas.llm.with_fallback import LanguageService
from atlas.logging import configure_logs
from atlas.questions import routes as content_questions
from atlas.questions.glossary import GlossaryService
from atlas.questions.history import AskedService
from atlas.questions.service import QuestionService
from atlas.questions.verified import VerifiedService
from atlas.records import instruction_routes as content_instructions
from atlas.records import routes as content_table_rows
from atlas.records.instructions import InstructionService
from atlas.records.service import TableRowService
from atlas.records.updates import UpdateService
from atlas.review import routes as content_issues
from atlas.review.service import IssueService
from atlas.saved import routes as content_saved
from atlas.saved.service import FavouriteService, SavedQueryService
from atlas.settings import Settings
from atlas.sqlgate.sandbox import QueryLimits
from atlas.sqlgate.service import SqlService
from atlas.tables import routes as content_tables
from atlas.tables.service import TableService
from atlas.timeseries import dataset_routes, download_routes, row_routes
from atlas.timeseries.cold.scheduler import Compaction
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.timeseries.read.aggregates import SummaryService
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.schemas import ErrorView
from atlas.timeseries.service import DatasetService
from atlas.timeseries.stream import StreamService
from atlas.ui import api_reference, assets, client_package, pages
from atlas.ui import session as ui_session
from atlas.web import connections, exception_handlers, health_routes, openapi
from atlas.web.content_schemas import DetailView
from atlas.web.dependencies import Services
from atlas.web.health import SystemService
from atlas.web.middleware import Metrics, RequestMiddleware, SlashMiddleware
from atlas.web.path_index import add_routes
from atlas.web.rate_limit import RateLimiter
from atlas.webhooks import routes as content_background
from atlas.workers.pool import ReaderLimits, WorkerPool

DESCRIPTION = """Store, query, share and stream time series. Send your key in the header `X-API-Key`,
or as `Authorization: Bearer`.

You own what you create. A tag on a dataset lets everybody who holds the tag read it; `public` is free
to acquire."""

THREADS = 20

ROUTERS = (
    dataset_routes.router,
    tags.router,
    row_routes.router,
    download_routes.router,
    content_imports.router,
    content_issues.router,
    content_instructions.router,
    content_tables.router,
    content_table_rows.router,
    content_background.router,
    content_questions.router,
    content_saved.router,
    model_settings.router,
    content_accounts.router,
    content_admin.router,
    content_audit.router,
    health_routes.router,
)


def create_app(settings: Settings, *, workers: WorkerPool | None = None) -> FastAPI:
    """The application on the database that `settings.database_url` names, which must be migrated.

    workers: processes that read files, where they are not to be the application's own.
    """
    if settings.database_url is None:
        raise ValueError("create_app needs a database_url; `atlas serve` starts the embedded server")
    configure_logs(settings.log_level, settings.log_format)
    lanes = lanes_of(settings)
    database = Database(
        settings.database_url,
        pool_size=settings.pool_size,
        statement_timeout=settings.request_timeout,
        turns=Turns(lanes.connections),
        reading=Turns(lanes.columnar),
    )
    registry = CollectorRegistry()
    upkeep = Upkeep(database, idempotency_hours=settings.idempotency_hours)
    queue = JobQueue(settings.database_url, database.gate)
    readers = workers or WorkerPool(reader_limits(settings), most=settings.import_slots)
    services = build_services(settings, database, upkeep, queue, lanes, readers)
    Gauge("atlas_streams_open", "Live streams.", registry=registry).set_function(lambda: services.streams.open_streams)

    app = FastAPI(
        title="Atlas",
        version=atlas.__version__,
        description=DESCRIPTION,
        redirect_slashes=False,
        lifespan=_lifespan(settings, database, services, upkeep, queue, readers if workers is None else None),
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.settings = settings
    app.state.registry = registry
    app.state.connections = connections_of(settings, registry)
    exception_handlers.install(app)
    add_routes(app, ROUTERS)
    openapi.install(app, ErrorView, DetailView)
    install_ui(app, SessionService(database, services.access, services.tags, secret_of(settings)))
    app.add_middleware(SlashMiddleware)
    app.add_middleware(
        RequestMiddleware,
        metrics=Metrics(registry),
        usage=services.usage,
        audit=services.audit,
        max_body=settings.max_body_bytes,
        hosts={name.strip().lower() for name in (settings.allowed_hosts or "").split(",") if name.strip()},
    )
    app.add_middleware(ui_session.SessionMiddleware, sessions=app.state.sessions, refuse=exception_handlers.refusal)
    return app


def _lifespan(
    settings: Settings,
    database: Database,
    services: Services,
    upkeep: Upkeep,
    queue: JobQueue,
    readers: WorkerPool | None,
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[dict[str, object]]]:
    """What runs beside the requests, from the application's start to its end. readers: to be started and ended."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        # Python's own is made for the number of cores; here a few threads stage files for minutes.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="work"))
        await database.open()
        database.warm_up()
        listener = Listener(database.url, services.streams.wake)
        listener.start()
        guard = Guard(database.url, database.gate)
        guard.start()
        await queue.open()
        memory = MemoryKeeper()
        memory.start()
        services.usage.tallies.start()
        services.audit.entries.start()
        compaction = Compaction(
            database,
            days=settings.cold_after_days,
            seconds=settings.cold_sweep_seconds,
            timescaledb=settings.timescaledb,
        )
        compaction.start()
        if readers is not None:
            readers.warm()
        app.state.connections.start()
        if settings.jobs:
            services.background.start(settings.jobs)
        try:
            # What the server's protocol finds there.
            yield {connections.STATE: app.state.connections}
        finally:
            await app.state.connections.close()
            await memory.close()
            await queue.close()
            await listener.stop()
            await guard.stop()
            await compaction.close()
            await upkeep.close()
            await services.models.close()
            await services.sql.close()
            await services.rows.close()
            services.reads.files.close()
            await services.usage.tallies.close()
            await services.audit.entries.close()
            await database.close()
            if readers is not None:
                readers.close()

    return lifespan


def connections_of(settings: Settings, registry: CollectorRegistry) -> connections.Connections:
    """Limits of connections, and figures of them."""
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


def sql_service(settings: Settings, database: Database, lanes: Lanes, workbooks: Workbooks) -> SqlService:
    """Queries, and what one may take."""
    limits = QueryLimits(settings.query_seconds, settings.query_memory_bytes)
    return SqlService(database, secret_of(settings), lanes.queries, limits, workbooks)


def row_service(
    settings: Settings, database: Database, access: AccessService, upkeep: Upkeep, lanes: Lanes, workers: WorkerPool
) -> RowService:
    """Inserts, within the bounds of their bodies."""
    return RowService(
        database,
        access,
        upkeep,
        lanes.storing,
        lanes.decoding,
        workers,
        max_body=settings.max_body_bytes,
        spool_memory=settings.spool_bytes,
    )


def build_services(
    settings: Settings, database: Database, upkeep: Upkeep, queue: JobQueue, lanes: Lanes, workers: WorkerPool
) -> Services:
    """Every service on one database."""
    access = AccessService(database)
    tables, tags = TableService(database), TagService(database, access)
    models = model_service(settings, database)
    language = LanguageService(models)
    stager = FileStager(workers, StagedBytes(settings.staging_bytes), settings.max_body_bytes)
    announcements = Announcements(queue)
    runner = ImportService(database, upkeep, language, stager, announcements, lane=lanes.imports)
    undo = UndoService(database, runner)
    workbooks = Workbooks()
    sql = sql_service(settings, database, lanes, workbooks)
    verified, glossary = VerifiedService(database, sql), GlossaryService(database, sql)
    return Services(
        access=access,
        accounts=AccountService(database, max_keys=settings.max_keys),
        datasets=DatasetService(database, access),
        admin=AdminService(database, KeyService(database), tags, queue, announcements.fail, max_keys=settings.max_keys),
        tags=tags,
        rows=row_service(settings, database, access, upkeep, lanes, workers),
        reads=ReadService(database, access, settings.rendered_bytes, workbooks),
        summaries=SummaryService(database, access, upkeep),
        streams=StreamService(database, access, lanes.streams),
        imports=runner,
        background=BackgroundService(
            database,
            runner,
            queue,
            announcements,
            ObjectStorage(settings.storage_url, settings.storage_options, max_bytes=settings.max_body_bytes),
            allow_loopback=settings.webhook_loopback,
            timeout=settings.webhook_timeout,
            file_days=settings.file_days,
        ),
        history=HistoryService(database),
        issues=IssueService(database),
        undo=undo,
        instructions=InstructionService(database, undo, language),
        models=models,
        sql=sql,
        questions=QuestionService(database, sql, verified, glossary, models),
        asked=AskedService(database, sql, verified),
        verified=verified,
        saved_queries=SavedQueryService(database),
        favourites=FavouriteService(database, access, tables),
        glossary=glossary,
        tables=tables,
        column_notes=ColumnNoteService(database, access, tables),
        table_rows=TableRowService(database, tables, workbooks),
        updates=UpdateService(database, tables, stager, lane=lanes.imports),
        usage=UsageService(database),
        audit=AuditService(database, days=settings.audit_days),
        system=SystemService(database),
        limiter=RateLimiter(settings.rate_limit, settings.organization_rate_limit),
        lanes=lanes,
    )


def reader_limits(settings: Settings) -> ReaderLimits:
    """What reading one file may take."""
    return ReaderLimits(
        memory=settings.reader_memory_bytes,
        cpu_seconds=settings.reader_cpu_seconds,
        wall_seconds=settings.reader_seconds,
        output_bytes=settings.staged_bytes,
    )


def lanes_of(settings: Settings) -> Lanes:
    """How much is served at once."""
    return Lanes.of(
        wait=settings.queue_seconds,
        reads=settings.read_slots,
        inserts=settings.insert_slots,
        downloads=settings.download_slots,
        queries=settings.query_slots,
        imports=settings.import_slots,
        # What holds a connection for long leaves others to what does not.
        storing=max(1, settings.pool_size // 2),
        patience=settings.request_timeout,
        connections=settings.pool_size,
        columnar=ARROW_READERS,
        streams=settings.max_streams,
    )


def secret_of(settings: Settings) -> Callable[[], str]:
    """Gives the server's secret. Its file is only read or made when the secret is first needed."""

    def secret() -> str:
        given = settings.secret_key
        return load_secret(settings.data_dir) if given is None else given.get_secret_value()

    return secret


def model_service(settings: Settings, database: Database) -> ModelService:
    """Model providers."""
    default = None
    if settings.model_provider is not None:
        assert settings.model_name is not None
        missing = missing_packages(settings.model_provider)
        if missing is not None:
            structlog.get_logger().warning("model packages missing", setting="ATLAS_MODEL_PROVIDER", reason=missing)
        key = settings.model_api_key
        default = ModelSettings(
            settings.model_provider,
            settings.model_name,
            settings.model_base_url,
            None if key is None else key.get_secret_value(),
            settings.model_samples,
            settings.model_timeout,
        )
    return ModelService(database, secret_of(settings), private_hosts=settings.model_private_hosts, default=default)
