"""Imports as callers see them: plan, preview, run and history."""

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
from atlas.contract.imports import ImportResult, Preview
from atlas.db.database import Connection, Database
from atlas.errors import TRANSIENT, AtlasError, BadRequestError, DiskFullError, NotFoundError, is_disk_full
from atlas.imports import repository as imports
from atlas.imports.announcements import Announcements
from atlas.imports.checks import Staged
from atlas.imports.clarifications import read_options, refuse_unclear
from atlas.imports.file_stager import FileStager
from atlas.imports.files.source import ReadOptions
from atlas.imports.load import Outcome, StalePlanError, Target, load, load_within
from atlas.imports.load_dataset import checked_dataset, load_dataset, write_dataset
from atlas.imports.plan import ImportPlan, Planned
from atlas.imports.planner import find_target, inspect, make_plan
from atlas.imports.preview import expect, preview_of
from atlas.imports.progress import Progress
from atlas.imports.staging import Staging
from atlas.imports.summary import summary
from atlas.kit.admission import Lane
from atlas.kit.tasks import start_detached
from atlas.kit.validation import identified
from atlas.language.instructions import ImportInstruction
from atlas.language.paraphrase import describe
from atlas.llm.with_fallback import LanguageService, Understood
from atlas.tables import repository as tables
from atlas.tables.model import FileFormat, Table
from atlas.timeseries.maintenance.scheduler import Upkeep

Row = dict[str, Any]
log = structlog.get_logger()
# The number of plans for a file while others change its table at the same time.
PLANS = 8
# How often a file is read when the instruction, with its columns known, says that it is written in another way.
_READINGS = 2


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file on disk, and the instruction for its import.

    parsed: the instruction, if it is already parsed.
    accept_proposals: whether likely columns of headers are accepted. None: ask.
    import_id: an id of the caller's choice. Other requests can follow the import by the id from the start, and a
    repeated request is safe.
    """

    path: Path
    file_name: str
    instruction: str
    thread_id: str | None = None
    table: str | None = None
    parsed: ImportInstruction | None = None
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
        """Records a new import. On a connection, the record is part of that transaction."""
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

    async def run(self, caller: Caller, request: ImportRequest) -> ImportResult:
        """Imports a file now. Raises OverloadedError when too many imports run."""
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
    ) -> ImportResult:
        """Runs a recorded import, in its turn.

        queued: whether the import is a job.
        """
        async with self._lane.slot(target.caller, patient=True):
            return await self._execute(target, request, again=again, queued=queued)

    async def _execute(
        self, target: Target, request: ImportRequest, *, again: bool, queued: bool = False
    ) -> ImportResult:
        """Runs a recorded import. Errors are stored with the import, then raised.

        again: whether the import runs again if the database or the disk fails, so that such an error is not its end.
        queued: whether another process continues the import if this one stops.
        """
        try:
            known = await tables.find_tables(self._database, target.caller)
            async with (
                Progress(self._database, target.import_id).running() as progress,
                self._staged(target.caller, request, known, progress) as (staging, told),
            ):
                planned, outcome = await self._plan_and_load(target, request, staging, known, told, progress, queued)
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
        return _result(target, request, planned.plan, outcome, told)

    async def run_after(
        self, target: Target, request: ImportRequest, first: Callable[[Connection], Awaitable[None]]
    ) -> ImportResult:
        """Runs an import in one transaction with `first`. Any failure leaves all data unchanged.

        The file is read before the transaction and planned after `first`, on the tables that `first` leaves.
        """
        async with self._lane.slot(target.caller, patient=True):
            known = await tables.find_tables(self._database, target.caller)
            async with self._staged(target.caller, request, known) as (staging, told):
                async with self._database.transaction() as connection:
                    await first(connection)
                    known = await tables.find_tables(connection, target.caller)
                    planned = await asyncio.to_thread(_plan, request, staging, known, told)
                    plan = planned.plan
                    refuse_unclear(plan, target.public_id)
                    if plan.dataset:
                        checked = await asyncio.to_thread(checked_dataset, staging, plan)
                        outcome = await write_dataset(connection, target, checked, lambda o: summary(o, plan))
                    else:
                        outcome = await load_within(connection, target, staging, planned, lambda o: summary(o, plan))
        if outcome.dataset_id is not None:
            self._upkeep.touch(outcome.dataset_id, outcome.inserted)
        wrote(outcome.inserted + outcome.updated)
        return _result(target, request, plan, outcome, told)

    async def _plan_and_load(
        self,
        target: Target,
        request: ImportRequest,
        staging: Staging,
        known: Sequence[Table],
        told: Understood[ImportInstruction],
        progress: Progress,
        queued: bool,
    ) -> tuple[Planned, Outcome]:
        """Plans a staged file and writes its rows. Plans again if the table was created or changed meanwhile."""
        for left in reversed(range(PLANS)):
            planned = await asyncio.to_thread(_plan, request, staging, known, told)
            refuse_unclear(planned.plan, target.public_id)
            try:
                return planned, await self._load(target, staging, planned, progress, queued)
            except StalePlanError:
                if not left:
                    raise
            known = await tables.find_tables(self._database, target.caller)
        raise AssertionError("the last plan is written or raises")

    async def _fail(self, target: Target, reason: str) -> None:
        # A failed import is recorded as failed, even if its user's turns are taken or its task is cancelled.
        with contextlib.suppress(AtlasError):
            await asyncio.shield(start_detached(self._announcements.fail(self._database, target.import_id, reason)))

    async def _load(
        self, target: Target, staging: Staging, planned: Planned, progress: Progress, queued: bool
    ) -> Outcome:
        plan = planned.plan

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
            self._database, target, staging, planned, report=progress.report, summarize=summarize, ended=ended
        )

    @contextlib.asynccontextmanager
    async def _staged(
        self, caller: Caller, request: ImportRequest, known: Sequence[Table], progress: Progress | None = None
    ) -> AsyncIterator[tuple[Staging, Understood[ImportInstruction]]]:
        """Yields the staged records of a file, and the parsed instruction.

        known: the organization's tables.
        """
        told = await self._instruction(caller, request, known)
        report = None if progress is None else lambda records: progress.report("reading", records)
        # Both readings choose among these tables: a table that another import creates meanwhile is no contradiction.
        first, now = told, told
        for _ in range(_READINGS):
            options = await self._read_options(now.said, known, request)
            async with self._stager.staging(
                caller, request.path, request.file_name, options, on_progress=report
            ) as staging:
                # With the file's columns known, the instruction can be parsed more precisely.
                now = await self._instruction(caller, request, known, staging.source.names, first)
                if await self._read_options(now.said, known, request) == options:
                    yield staging, now
                    return
            # The more precise reading names another table or says how the file is written.
        raise BadRequestError("Instruction is unclear", "how the file is to be read; put names into quotes")

    async def _read_options(
        self, said: ImportInstruction, known: Sequence[Table], request: ImportRequest
    ) -> ReadOptions:
        """Returns how a file is to be read: as the instruction says, else like the last file of its table."""
        table = _target(said, known, request)
        return read_options(
            said, FileFormat() if table is None else await tables.last_file_format(self._database, table)
        )

    async def _instruction(
        self,
        caller: Caller,
        request: ImportRequest,
        known: Sequence[Table],
        headers: Sequence[str] = (),
        before: Understood[ImportInstruction] | None = None,
    ) -> Understood[ImportInstruction]:
        """Parses the instruction.

        headers: of the file, if known.
        before: the instruction as parsed without headers.
        """
        if request.parsed is not None:
            return Understood(request.parsed)
        if before is None:
            told = await self._language.import_instruction(caller, request.instruction, known)
        else:
            told = await self._language.with_headers(before, request.instruction, known, headers)
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
        known: Sequence[Table],
        headers: Sequence[str],
    ) -> ImportInstruction:
        """Combines the instruction of an earlier import in the thread with the changes of this one."""
        past = []
        if request.thread_id:
            past = await imports.find(self._database, caller, thread=request.thread_id, status="success", limit=20)
        for row in past:
            before = await self._language.offline(row["instruction"], known, headers)
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

    async def preview(self, caller: Caller, request: ImportRequest) -> Preview:
        """Computes the effects of an import, without writing."""
        async with self._lane.slot(caller):
            known = await tables.find_tables(self._database, caller)
            async with self._staged(caller, request, known) as (staging, told):
                planned = await asyncio.to_thread(_plan, request, staging, known, told)
                expected, matched = await expect(self._database, Staged(staging, planned.plan), planned.table)
                cells = await asyncio.to_thread(matched.sample_rows, 10)
                return preview_of(expected, planned.plan, told, request.file_name, cells)


def _target(said: ImportInstruction, known: Sequence[Table], request: ImportRequest) -> Table | None:
    """Finds the table that an instruction names.

    known: the organization's tables.
    """
    return None if said.dataset else find_target(said, known, request.file_name)


def _plan(
    request: ImportRequest, staging: Staging, known: Sequence[Table], told: Understood[ImportInstruction]
) -> Planned:
    """Plans an import of a staged file. known: the organization's tables."""
    inferred = inspect(staging, told.said, _target(told.said, known, request))
    plan = make_plan(staging, inferred, told.said, known, request.file_name)
    plan = msgspec.structs.replace(plan, notes=(*told.notes, *plan.notes))
    table = next((one for one in known if one.name == plan.table), None) if plan.exists else None
    return Planned(plan, table)


def _result(
    target: Target, request: ImportRequest, plan: ImportPlan, outcome: Outcome, told: Understood[ImportInstruction]
) -> ImportResult:
    return ImportResult(
        status="success",
        import_id=str(target.public_id),
        table_name=outcome.table,
        file_name=request.file_name,
        records_processed=outcome.records,
        duplicates_skipped=outcome.duplicates,
        action_taken=outcome.action,
        response_summary=summary(outcome, plan),
        has_correctable_issues=outcome.has_issues,
        records_inserted=outcome.inserted,
        records_updated=outcome.updated,
        validation_failures=outcome.failures,
        value_replacements=outcome.replacements,
        records_left_out=outcome.left_out,
        records_flagged=outcome.similar,
        new_columns=tuple(outcome.new_columns),
        dataset_id=outcome.dataset_id,
        thread_id=request.thread_id,
        rows_replaced=outcome.replaced,
        records_not_found=outcome.unmatched,
        understood=plan.understood,
        not_understood=plan.not_understood,
        proposals=plan.proposals,
        language_engine=told.told_engine,
        notes=told.told_notes,
    )


async def find_import(database: Database, caller: Caller, text: str) -> Row:
    """Returns an import that the caller may see, by its public id.

    Raises NotFoundError: when the caller sees no such import.
    """
    missing = NotFoundError("Import not found", f"no import with ID {text[:64]!r}")
    rows = await imports.find(database, caller, import_id=identified(text, missing))
    if not rows:
        raise missing
    return rows[0]
