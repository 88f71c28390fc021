"""Imports as callers see them: plan, preview, run, history."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import structlog

from atlas.accounts.access import Caller
from atlas.accounts.usage import wrote
from atlas.column_formats.rendering import format_shown
from atlas.db.database import Connection, Database
from atlas.errors import TRANSIENT, AtlasError, BadRequestError, DiskFullError, NotFoundError, is_disk_full
from atlas.imports import repository as imports
from atlas.imports.announcements import Announcements
from atlas.imports.checks import Staged
from atlas.imports.clarifications import read_fields, read_options, refuse_unclear
from atlas.imports.file_stager import FileStager
from atlas.imports.files.source import ReadOptions
from atlas.imports.load import Outcome, StalePlanError, Target, load, load_within
from atlas.imports.load_dataset import checked_dataset, load_dataset, write_dataset
from atlas.imports.plan import ImportPlan
from atlas.imports.planner import find_target, inspect, make_plan
from atlas.imports.preview import expect, expected_fields
from atlas.imports.progress import Progress
from atlas.imports.staging import Staging
from atlas.imports.summary import summary
from atlas.kit.admission import Lane
from atlas.kit.processor_shares import in_charged_thread
from atlas.kit.tasks import start_detached
from atlas.kit.validation import identified
from atlas.language.instructions import ImportInstruction
from atlas.language.paraphrase import describe
from atlas.llm.with_fallback import LanguageService, Understood
from atlas.tables import repository as tables
from atlas.tables.model import SHOWN_TYPES, FileFormat, Table
from atlas.timeseries.maintenance.scheduler import Upkeep

Row = dict[str, Any]
log = structlog.get_logger()
# How often a file is planned where others change its table at the same time.
PLANS = 8


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file on disk and what to do with it.

    `said`: an instruction that is taken apart already. `accept_proposals`: whether columns that headers may mean are
    taken; None asks. `import_id`: an id of the caller's choice, by which others can
    follow the import from its start, and which makes a repeated request safe.
    """

    path: Path
    file_name: str
    instruction: str
    thread_id: str | None = None
    table: str | None = None
    said: ImportInstruction | None = None
    import_id: UUID | None = None
    accept_proposals: bool | None = None


class ImportService:
    """Imports files into tables of the caller's organization."""

    def __init__(
        self,
        database: Database,
        upkeep: Upkeep,
        language: LanguageService,
        stager: FileStager,
        announcements: Announcements,
        *,
        lane: Lane,
    ) -> None:
        self._database = database
        self._upkeep = upkeep
        self._language = language
        self._stager = stager
        self._announcements = announcements
        # Staging takes memory, so files take turns.
        self._lane = lane

    async def begin(self, caller: Caller, request: ImportRequest) -> Target:
        """Records a new import that runs now."""
        return await self.record(self._database, caller, request, status="running")

    async def record(
        self, database: Database | Connection, caller: Caller, request: ImportRequest, *, status: str, **fields: Any
    ) -> Target:
        """Records a new import. On a connection, it is part of the transaction there."""
        if "\0" in request.instruction + (request.thread_id or "") + (request.table or ""):
            raise BadRequestError("Invalid parameter", "instruction, thread_id: the NUL character is not allowed")
        import_id, number = await imports.create(
            database,
            caller,
            kind="import",
            file_name=request.file_name,
            file_bytes=request.path.stat().st_size,
            instruction=request.instruction,
            thread=request.thread_id,
            status=status,
            table_name=request.table,
            public_id=request.import_id,
            accept_proposals=request.accept_proposals,
            **fields,
        )
        return Target(caller, import_id, number, request.import_id or import_id)

    async def run(self, caller: Caller, request: ImportRequest) -> Row:
        """Imports a file now; gives the response of `smart-import`. Raises OverloadedError where too many run."""
        async with self._lane.slot(caller):
            target = await self.begin(caller, request)
            keeping = asyncio.create_task(imports.keep_file(self._database, target.import_id, request.path))
            try:
                return await self._execute(target, request, again=False)
            finally:
                await asyncio.wait([keeping])
                if (error := keeping.exception()) is not None:
                    log.warning("file not kept", import_id=str(target.import_id), error=str(error)[:200])

    async def execute(
        self, target: Target, request: ImportRequest, *, again: bool = False, queued: bool = False
    ) -> Row:
        """Runs an import that was begun, after all that run before it. queued: whether it is a job."""
        async with self._lane.slot(target.caller, patient=True):
            return await self._execute(target, request, again=again, queued=queued)

    async def _execute(self, target: Target, request: ImportRequest, *, again: bool, queued: bool = False) -> Row:
        """Runs an import that was begun. What goes wrong is recorded with it, then raised.

        again: whether it will be run again where the database or the disk fails, so that this is no end to record.
        queued: whether another process takes it up where this one stops.
        """
        try:
            async with (
                Progress(self._database, target.import_id).running() as progress,
                self._staged(target.caller, request, progress) as (staging, told),
            ):
                plan, outcome = await self._plan_and_load(target, request, staging, told, progress, queued)
        except AtlasError as error:
            if not (again and isinstance(error, TRANSIENT)):
                await self._fail(target, error.details or error.message)
            raise
        except asyncio.CancelledError:
            if not queued:
                reason = "cancelled: the client went away, or the server stopped"
                await self._fail(target, reason)
            raise
        except Exception as error:
            if is_disk_full(error):
                full = DiskFullError()
                if not again:
                    await self._fail(target, full.message)
                raise full from error
            await self._fail(target, "internal error")
            raise
        wrote(outcome.inserted + outcome.updated)
        return _response(target, request, plan, outcome) | told.fields()

    async def run_after(
        self, target: Target, request: ImportRequest, first: Callable[[Connection], Awaitable[None]]
    ) -> Row:
        """Runs an import in one transaction with what `first` does. Whatever fails leaves all as it was.

        The file is read before the transaction begins and planned after `first`, on the tables that it leaves.
        """
        lane = self._lane.slot(target.caller, patient=True)
        async with lane, self._staged(target.caller, request) as (staging, told):
            async with self._database.transaction() as connection:
                await first(connection)
                plan = await self._plan(connection, target.caller, request, staging, told)
                refuse_unclear(plan, target.public_id)
                if plan.dataset:
                    planned = await asyncio.to_thread(checked_dataset, staging, plan)
                    outcome = await write_dataset(connection, target, planned, lambda o: summary(o, plan))
                else:
                    outcome = await load_within(connection, target, staging, plan, lambda o: summary(o, plan))
        if outcome.dataset_id is not None:
            self._upkeep.touch(outcome.dataset_id, outcome.inserted)
        wrote(outcome.inserted + outcome.updated)
        return _response(target, request, plan, outcome) | told.fields()

    async def _plan_and_load(
        self,
        target: Target,
        request: ImportRequest,
        staging: Staging,
        told: Understood[ImportInstruction],
        progress: Progress,
        queued: bool,
    ) -> tuple[ImportPlan, Outcome]:
        """Plans a staged file and writes it; plans again where the table was made or changed meanwhile."""
        for left in reversed(range(PLANS)):
            plan = await self._plan(self._database, target.caller, request, staging, told)
            refuse_unclear(plan, target.public_id)
            try:
                return plan, await self._load(target, staging, plan, progress, queued)
            except StalePlanError:
                if not left:
                    raise
        raise AssertionError("the last plan is written or raises")

    async def _fail(self, target: Target, reason: str) -> None:
        # Whatever holds the turns of its user or ends its task, an import that has failed is recorded as such.
        with contextlib.suppress(AtlasError):
            await asyncio.shield(start_detached(self._announcements.fail(self._database, target.import_id, reason)))

    async def _load(
        self, target: Target, staging: Staging, plan: ImportPlan, progress: Progress, queued: bool
    ) -> Outcome:
        async def ended(connection: Connection) -> None:
            if queued:
                await self._announcements.announce(connection, target.import_id)

        def summarize(outcome: Outcome) -> str:
            return summary(outcome, plan)

        if plan.dataset:
            outcome = await load_dataset(self._database, target, staging, plan, summarize=summarize, ended=ended)
            assert outcome.dataset_id is not None
            self._upkeep.touch(outcome.dataset_id, outcome.inserted)
            return outcome
        return await load(
            self._database, target, staging, plan, report=progress.report, summarize=summarize, ended=ended
        )

    @contextlib.asynccontextmanager
    async def _staged(
        self, caller: Caller, request: ImportRequest, progress: Progress | None = None
    ) -> AsyncIterator[tuple[Staging, Understood[ImportInstruction]]]:
        """The records of a file, and what its instruction says."""
        told = await self._instruction(caller, request)
        report = None if progress is None else lambda records: progress.report("reading", records)
        # Both readings choose among these tables: a table that another import creates meanwhile is no contradiction.
        known = await tables.find_tables(self._database, caller)
        options, table = await self._options(request, told.said, known)
        async with self._stager.staging(
            caller, request.path, request.file_name, options, on_progress=report
        ) as staging:
            # Now that the file's columns are known, the instruction can be read with them.
            told = await self._instruction(caller, request, staging.source.names, told)
            later, other = await self._options(request, told.said, known)
            # What others import meanwhile changes nothing of how the file was read.
            later = replace(later, before=options.before) if other == table else later
            if later != options:
                raise BadRequestError("Instruction is unclear", "how the file is to be read; put names into quotes")
            yield staging, told

    async def _options(
        self, request: ImportRequest, said: ImportInstruction, known: Sequence[Table]
    ) -> tuple[ReadOptions, int | None]:
        """How a file is to be read, as the instruction says or the table's last one was written; and the table's id."""
        table = find_target(said, [] if said.dataset else known, request.file_name)
        before = FileFormat() if table is None else await tables.last_file_format(self._database, table)
        return read_options(said, before), None if table is None else table.id

    async def _instruction(
        self,
        caller: Caller,
        request: ImportRequest,
        headers: Sequence[str] = (),
        before: Understood[ImportInstruction] | None = None,
    ) -> Understood[ImportInstruction]:
        """What the instruction says. headers, before: of the file, and what it was before they were known."""
        if request.said is not None:
            return Understood(request.said)
        known = await tables.find_tables(self._database, caller)
        if before is None:
            told = await self._language.import_instruction(caller, request.instruction, known)
        else:
            told = await in_charged_thread(self._language.with_headers, before, request.instruction, known, headers)
        said = told.said
        if said.undo:
            raise BadRequestError(
                "Instruction is unclear",
                "to undo an import, POST to its /undo, or send the text to smart-data-instruction",
            )
        if said.same or (request.thread_id and said.table is None and not said.dataset):
            said = await self._continued(caller, request, said, known, headers)
        if request.table is not None:
            said = msgspec.structs.replace(said, table=request.table)
        if request.accept_proposals is not None:
            said = msgspec.structs.replace(said, accept_proposals=request.accept_proposals)
        return replace(told, said=said)

    async def _continued(
        self,
        caller: Caller,
        request: ImportRequest,
        said: ImportInstruction,
        known: list[Table],
        headers: Sequence[str],
    ) -> ImportInstruction:
        """What an earlier import of the thread was told, with what this one says instead."""
        past = []
        if request.thread_id:
            past = await imports.find(self._database, caller, thread=request.thread_id, status="success", limit=20)
        for row in past:
            before = await in_charged_thread(self._language.offline, row["instruction"], known, headers)
            if before.same:
                continue
            told = msgspec.structs.asdict(said)
            default = msgspec.structs.asdict(ImportInstruction())
            merged = {**msgspec.structs.asdict(before), **{k: v for k, v in told.items() if v != default[k]}}
            merged.update(table=said.table or row["table_name"], new=False, not_understood=said.not_understood)
            merged.update(question=said.question, replace=said.replace, understood=())
            whole = ImportInstruction(**merged)
            words = {clause.kind: clause.words for clause in said.understood}
            return msgspec.structs.replace(whole, understood=describe(whole, words))
        if said.same:
            raise BadRequestError(
                "Nothing to repeat", "no earlier import in this thread; send its thread_id, or say what to do"
            )
        return said

    async def _plan(
        self,
        database: Database | Connection,
        caller: Caller,
        request: ImportRequest,
        staging: Staging,
        told: Understood[ImportInstruction],
    ) -> ImportPlan:
        known = await tables.find_tables(database, caller)

        def planned() -> ImportPlan:
            target = None if told.said.dataset else find_target(told.said, known, request.file_name)
            return make_plan(staging, inspect(staging, told.said, target), told.said, known, request.file_name)

        plan = await asyncio.to_thread(planned)
        return msgspec.structs.replace(plan, notes=(*told.notes, *plan.notes))

    async def preview(self, caller: Caller, request: ImportRequest) -> Row:
        """What an import would do. Nothing is written."""
        async with self._lane.slot(caller), self._staged(caller, request) as (staging, told):
            plan = await self._plan(self._database, caller, request, staging, told)
            existing = await tables.find_tables(self._database, caller, name=plan.table) if plan.exists else []
            expected, matched = await expect(self._database, Staged(staging, plan), existing[0] if existing else None)
            cells = await asyncio.to_thread(matched.sample_rows, 10)
            return {
                "success": True,
                "table_name": plan.table,
                "table_exists": plan.exists,
                "as_dataset": plan.dataset,
                "file_name": request.file_name,
                "records": staging.records,
                "columns": [
                    {
                        "source": c.header,
                        "name": c.name,
                        "type": SHOWN_TYPES[c.type],
                        "new": c.new,
                        "semantic": c.semantic,
                        "required": c.required,
                        "format": format_shown(c.kind),
                        "unit": c.unit,
                    }
                    for c in plan.columns
                ],
                "key_columns": list(plan.key),
                "duplicates": plan.duplicates,
                "policy": plan.policy,
                "encoding": plan.written.encoding,
                "delimiter": plan.written.delimiter,
                "time_column": plan.time_column,
                **expected_fields(expected, plan),
                **told.fields(),
                "replace": plan.replace,
                "notes": list(plan.notes),
                "sample": cells,
                **read_fields(plan),
                "questions": list(plan.questions),
            }


def _response(target: Target, request: ImportRequest, plan: ImportPlan, outcome: Outcome) -> Row:
    return {
        "status": "success",
        "import_id": str(target.public_id),
        "table_name": outcome.table,
        "file_name": request.file_name,
        "records_processed": outcome.records,
        "duplicates_skipped": outcome.duplicates,
        "action_taken": outcome.action,
        "response_summary": summary(outcome, plan),
        "has_correctable_issues": outcome.has_issues,
        "records_inserted": outcome.inserted,
        "records_updated": outcome.updated,
        "validation_failures": outcome.failures,
        "value_replacements": outcome.replacements,
        "records_left_out": outcome.left_out,
        "records_flagged": outcome.similar,
        "new_columns": outcome.new_columns,
        "dataset_id": outcome.dataset_id,
        "thread_id": request.thread_id,
        "rows_replaced": outcome.replaced,
        "records_not_found": outcome.unmatched,
        **read_fields(plan),
    }


async def find_import(database: Database, caller: Caller, text: str) -> Row:
    """An import that the caller may see by the id that the organization knows. Raises NotFoundError."""
    missing = NotFoundError("Import not found", f"no import with ID {text[:64]!r}")
    rows = await imports.find(database, caller, import_id=identified(text, missing))
    if not rows:
        raise missing
    return rows[0]
