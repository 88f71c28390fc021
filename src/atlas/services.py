"""Builds every service of the application from settings on one database."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import structlog

from atlas.accounts.administration import AdminService
from atlas.accounts.audit import AuditService
from atlas.accounts.authorization import AccessService
from atlas.accounts.local_administration import KeyService
from atlas.accounts.service import AccountService
from atlas.accounts.tags import TagService
from atlas.accounts.usage import UsageService
from atlas.catalog.column_notes import ColumnNoteService
from atlas.db.database import ARROW_READERS, Database
from atlas.db.job_queue import JobQueue
from atlas.imports.announcements import Announcements
from atlas.imports.background import BackgroundService
from atlas.imports.file_stager import FileStager
from atlas.imports.history import HistoryService
from atlas.imports.service import ImportService
from atlas.imports.staged_bytes import StagedBytes
from atlas.imports.undo import UndoService
from atlas.kit.admission import Lanes
from atlas.kit.object_store import ObjectStorage
from atlas.kit.secret_key import load_secret
from atlas.kit.workbooks import Workbooks
from atlas.language.llm.packages import missing_packages
from atlas.llm.service import ModelService, ModelSettings
from atlas.llm.with_fallback import LanguageService
from atlas.questions.glossary import GlossaryService
from atlas.questions.history import AskedService
from atlas.questions.service import QuestionService
from atlas.questions.verified import VerifiedService
from atlas.records.instructions import InstructionService
from atlas.records.service import TableRowService
from atlas.records.updates import UpdateService
from atlas.review.service import IssueService
from atlas.saved.service import FavouriteService, SavedQueryService
from atlas.settings import Settings
from atlas.sqlgate.sandbox import QueryLimits
from atlas.sqlgate.service import SqlService
from atlas.tables.service import TableService
from atlas.timeseries.align.service import AlignService
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.line_protocol.service import LineService
from atlas.timeseries.maintenance.scheduler import Upkeep
from atlas.timeseries.read.aggregates import SummaryService
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.service import DatasetService
from atlas.timeseries.stream import StreamService
from atlas.web.health import SystemService
from atlas.web.provided import Provided
from atlas.workers.calls import Calls
from atlas.workers.pool import ReaderLimits, WorkerPool


@dataclass(frozen=True, slots=True)
class Services:
    """The services that handlers may call."""

    access: AccessService
    accounts: AccountService
    admin: AdminService
    datasets: DatasetService
    tags: TagService
    rows: RowService
    lines: LineService
    reads: ReadService
    summaries: SummaryService
    aligning: AlignService
    streams: StreamService
    imports: ImportService
    background: BackgroundService
    history: HistoryService
    issues: IssueService
    undo: UndoService
    instructions: InstructionService
    models: ModelService
    sql: SqlService
    questions: QuestionService
    asked: AskedService
    verified: VerifiedService
    glossary: GlossaryService
    saved_queries: SavedQueryService
    favourites: FavouriteService
    tables: TableService
    column_notes: ColumnNoteService
    table_rows: TableRowService
    updates: UpdateService
    usage: UsageService
    audit: AuditService
    system: SystemService

    def provided(self) -> Provided:
        """Returns the services by their types."""
        return Provided(*(getattr(self, each.name) for each in fields(self)))


def sql_service(
    settings: Settings, database: Database, lanes: Lanes, workbooks: Workbooks, workers: WorkerPool, calls: Calls
) -> SqlService:
    """Builds the service of SQL queries, with their limits."""
    limits = QueryLimits(settings.query_seconds, settings.query_memory_bytes)
    return SqlService(database, secret_of(settings), lanes.queries, limits, workbooks, workers, calls)


def row_service(
    settings: Settings, database: Database, access: AccessService, upkeep: Upkeep, lanes: Lanes, workers: WorkerPool
) -> RowService:
    """Builds the service of inserts, with the limits of their bodies."""
    return RowService(
        database,
        access,
        upkeep,
        lanes.storing,
        lanes.decoding,
        workers,
        max_body=settings.max_body_bytes,
        spool_memory=settings.spool_bytes,
        packs=not math.isinf(settings.cold_after_days),
    )


@dataclass(frozen=True, slots=True)
class Processes:
    """Worker processes. files: that read files. texts: where long texts are parsed."""

    files: WorkerPool
    texts: Calls


def build_services(
    settings: Settings, database: Database, upkeep: Upkeep, queue: JobQueue, lanes: Lanes, processes: Processes
) -> Services:
    """Builds every service on one database."""
    workers, calls = processes.files, processes.texts
    access = AccessService(database)
    tables, tags = TableService(database), TagService(database, access)
    models = model_service(settings, database)
    language = LanguageService(models, calls)
    stager = FileStager(workers, StagedBytes(settings.staging_bytes), settings.max_body_bytes)
    announcements = Announcements(queue)
    runner = ImportService(database, upkeep, language, stager, announcements, lane=lanes.imports)
    undo = UndoService(database, runner)
    workbooks = Workbooks()
    datasets = DatasetService(database, access, lanes.storing)
    rows = row_service(settings, database, access, upkeep, lanes, workers)
    sql = sql_service(settings, database, lanes, workbooks, workers, calls)
    verified, glossary = VerifiedService(database, sql), GlossaryService(database, sql)
    return Services(
        access=access,
        accounts=AccountService(database, max_keys=settings.max_keys),
        datasets=datasets,
        admin=AdminService(database, KeyService(database), tags, queue, announcements.fail, max_keys=settings.max_keys),
        tags=tags,
        rows=rows,
        lines=LineService(database, datasets, rows, partial=settings.line_protocol_partial),
        reads=ReadService(database, access, settings.rendered_bytes, workbooks),
        summaries=SummaryService(database, access, upkeep),
        aligning=AlignService(database, access),
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
        table_rows=TableRowService(database, tables, calls, workbooks),
        updates=UpdateService(database, tables, stager, calls, lane=lanes.imports),
        usage=UsageService(database),
        audit=AuditService(database, days=settings.audit_days),
        system=SystemService(database),
    )


def reader_limits(settings: Settings) -> ReaderLimits:
    """Builds the limits for reading one file."""
    return ReaderLimits(
        memory=settings.reader_memory_bytes,
        cpu_seconds=settings.reader_cpu_seconds,
        wall_seconds=settings.reader_seconds,
        output_bytes=settings.staged_bytes,
    )


def lanes_of(settings: Settings) -> Lanes:
    """Builds the lanes, which limit how many requests are served at once."""
    return Lanes.of(
        wait=settings.queue_seconds,
        reads=settings.read_slots,
        inserts=settings.insert_slots,
        downloads=settings.download_slots,
        queries=settings.query_slots,
        imports=settings.import_slots,
        # Large inserts hold connections for long, so half of the pool is left to other requests.
        storing=max(1, settings.pool_size // 2),
        patience=settings.request_timeout,
        connections=settings.pool_size,
        columnar=ARROW_READERS,
        streams=settings.max_streams,
    )


def secret_of(settings: Settings) -> Callable[[], str]:
    """Returns a function that returns the server's secret.

    The secret's file is only read or created when the secret is first needed.
    """

    def secret() -> str:
        given = settings.secret_key
        return load_secret(settings.data_dir) if given is None else given.get_secret_value()

    return secret


def model_service(settings: Settings, database: Database) -> ModelService:
    """Builds the service of model providers."""
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
