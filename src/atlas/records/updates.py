"""Updates rows: by a condition, by keys, by a file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa

from atlas.accounts.access import Caller
from atlas.accounts.usage import wrote
from atlas.contract.records import MissingRow, Updated
from atlas.contract.shape import absent
from atlas.db.copy import in_thread
from atlas.db.database import Connection, Database
from atlas.errors import AtlasError, BadRequestError, NotFoundError
from atlas.imports import repository as imports
from atlas.imports.checked import check
from atlas.imports.checks import Staged
from atlas.imports.clarifications import ask_about
from atlas.imports.file_stager import FileStager
from atlas.imports.files.source import ReadOptions
from atlas.imports.issue_tables import bad_record_issues, failure_issues, replacement_issues
from atlas.imports.key_changes import rekey, rekey_changed
from atlas.imports.matched import Matched, match
from atlas.imports.plan import ImportPlan
from atlas.imports.planner import inspect, make_plan
from atlas.imports.staging import Staging
from atlas.imports.written import number_updated
from atlas.kit.admission import Lane
from atlas.kit.plurals import many
from atlas.language.instructions import ImportInstruction
from atlas.records import update_targets
from atlas.records.validation import Labelled, as_text, resolve_names, staged, update_records
from atlas.sqlgate.condition import parse_condition
from atlas.tables import bulk
from atlas.tables import repository as tables
from atlas.tables.model import FileFormat, Table
from atlas.tables.service import TableService
from atlas.workers.calls import Calls

Row = dict[str, Any]
MAX_BATCH = 10_000


class UpdateService:
    """Changes rows of tables. Each call can be undone as an import can."""

    def __init__(
        self, database: Database, found: TableService, stager: FileStager, calls: Calls, *, lane: Lane
    ) -> None:
        self._database = database
        self._tables = found
        self._stager = stager
        self._calls = calls
        # Files of updates take turns with files of imports.
        self._lane = lane

    async def by_condition(
        self, caller: Caller, name: str, condition: str, updates: Mapping[str, Any], *, all_rows: bool
    ) -> Updated:
        """Sets values in all rows that match a WHERE clause, which runs as the organization's own role.

        Raises BadRequestError for a bad condition or value, or a condition that matches every row without `all_rows`.
        """
        table = await self._tables.find(caller, name)
        names = [column.name for column in table.columns]
        checked = await self._calls.run(len(condition), parse_condition, condition, names)
        if checked.matches_all and not all_rows:
            raise BadRequestError(
                "Condition matches every row", "condition: send confirm_all: true if that is what you want"
            )
        record = resolve_names(table, updates, "updates")
        if not record:
            raise BadRequestError("Invalid update", "updates: at least one column is required")
        columns = [column for column in table.columns if column.name in record]
        notes: list[str] = []
        async with staged(table, columns, [Labelled("updates", record)], notes) as given:
            # Converted by the import's rules, since PostgreSQL accepts fewer words for yes and no, and no address
            # within a text.
            cells = ", ".join(f"CAST({given.file.value(column)} AS VARCHAR)" for column in given.plan.columns)
            texts = await asyncio.to_thread(given.staging.query, f"SELECT {cells} FROM raw")
        async with self._change(caller, table, f"set {', '.join(record)} where {condition}") as (
            connection,
            locked,
            change,
        ):
            values = dict(zip((column.name for column in columns), texts[0], strict=True))
            change.matched = await update_targets.stage_matching(connection, locked, columns, values, checked.sql)
            change.changed = await bulk.apply_updates(connection, locked, columns, change.number, keep_on_null=False)
            await rekey_changed(connection, locked, change.changed, list(record), "updates")
        return _updated(table, change, notes=tuple(notes) or absent())

    async def by_keys(self, caller: Caller, name: str, updates: Sequence[tuple[Row, Row]]) -> Updated:
        """Sets values in the rows with the given keys. The answer lists keys that no row has.

        Raises BadRequestError for more than 10,000 updates, or a missing key or value.
        """
        table = await self._tables.find(caller, name)
        if len(updates) > MAX_BATCH:
            raise BadRequestError("Too many updates", f"batch_updates: at most {MAX_BATCH:,}; send a file for more")
        keys = [resolve_names(table, pair[0], f"batch_updates[{n}].keys") for n, pair in enumerate(updates)]
        for number, key in enumerate(keys):
            if not key or any(value is None for value in key.values()):
                raise BadRequestError("Invalid update", f"batch_updates[{number}].keys: each key needs a value")
            if not updates[number][1]:
                raise BadRequestError("Invalid update", f"batch_updates[{number}].values: at least one is required")
        async with self._change(caller, table, f"batch of {len(updates)} updates") as (connection, locked, change):
            changes = []
            for number, key in enumerate(keys):
                rows = await update_targets.find_rows(connection, locked, {n: as_text(v) for n, v in key.items()})
                if not rows:
                    change.missing.append(MissingRow(index=number, keys=updates[number][0]))
                label = f"batch_updates[{number}].values"
                changes += [(row, Labelled(label, updates[number][1])) for row in rows]
                change.matched += len(rows)
            notes: list[str] = []
            change.changed = await update_records(connection, locked, change.number, changes, notes)
        return _updated(table, change, notes=tuple(notes) or absent())

    async def by_file(
        self,
        caller: Caller,
        name: str,
        key_columns: Sequence[str],
        path: Path,
        file_name: str,
        *,
        accept_proposals: bool | None = None,
    ) -> Updated:
        """Sets values in the rows that a file's records name by their keys. A blank cell changes nothing.

        accept_proposals: whether likely matches of headers and columns are taken; None refuses the file with a
        question.
        Raises BadRequestError for an unknown key column or an unclear file.
        """
        table = await self._tables.find(caller, name)
        keys = [column.name for column in map(table.find_column, key_columns) if column is not None]
        if len(keys) < len(key_columns) or not keys:
            wrong = [column for column in key_columns if table.find_column(column) is None]
            reason = f"{', '.join(wrong)}: no such column" if wrong else "at least one is required"
            raise BadRequestError("Invalid parameter", f"key_columns: {reason}")
        options = ReadOptions(before=await tables.last_file_format(self._database, table))
        async with self._lane.slot(caller), self._stager.staging(caller, path, file_name, options) as staging:
            plan = await asyncio.to_thread(_file_plan, staging, table, keys, file_name, accept_proposals)
            return await self._run_file(caller, table, Staged(staging, plan), file_name)

    async def _run_file(self, caller: Caller, table: Table, file: Staged, file_name: str) -> Updated:
        plan = file.plan
        columns = [column.table_column() for column in plan.columns if column.name not in plan.key]
        checked = await asyncio.to_thread(check, file)
        matched = await asyncio.to_thread(match, checked, table.columns)
        if matched.repeats:
            await asyncio.to_thread(matched.merge_repeats)
        async with self._change(caller, table, f"update from {file_name}", file_name) as (connection, locked, change):
            locked = await _widen(connection, locked, plan)
            rows = checked.key_records()
            found = await update_targets.find_rows_by_file(
                connection, locked, plan.key, in_thread(rows), checked.key_schema()
            )
            matched = await asyncio.to_thread(matched.with_existing, found)
            change.widened, change.written = plan.widened, plan.written
            change.records = file.staging.records
            change.matched = len(found)
            change.failures = checked.failing + len(file.bad)
            change.missing = await asyncio.to_thread(matched.missing_keys)
            await bulk.stage_updates(connection, columns, in_thread(matched.updates()))
            change.changed = await bulk.apply_updates(connection, locked, columns, change.number, keep_on_null=True)
            await rekey_changed(connection, locked, change.changed, [column.name for column in columns], file_name)
            replaced = await asyncio.to_thread(_replaced, matched, change.number)
            change.replacements = 0 if replaced is None else len(replaced)
            for issues in (
                failure_issues(checked, change.number),
                bad_record_issues(file.bad, change.number),
                replaced,
            ):
                if issues is not None:
                    await imports.add_issue_table(connection, issues)
        return _updated(table, change, unknown_columns=plan.left_out, notes=plan.notes, proposals=plan.proposals)

    def _change(self, caller: Caller, table: Table, instruction: str, file_name: str | None = None) -> _Change:
        return _Change(self._database, caller, table, instruction, file_name)


class _Change:
    """One update, recorded like an import and made in one transaction, so that it can be undone."""

    def __init__(
        self, database: Database, caller: Caller, table: Table, instruction: str, file_name: str | None
    ) -> None:
        self._database, self._caller, self._table = database, caller, table
        self._instruction, self._file_name = instruction, file_name
        self.number = 0
        self.import_id = UUID(int=0)
        self.records = self.matched = self.failures = self.replacements = 0
        self.changed: list[int] = []
        self.missing: list[MissingRow] = []
        self.widened: Mapping[str, str] = {}
        self.written = FileFormat()

    async def __aenter__(self) -> tuple[Connection, Table, _Change]:
        self.import_id, self.number = await imports.create(
            self._database,
            self._caller,
            kind="update",
            file_name=self._file_name,
            instruction=self._instruction[:10_000],
            table_name=self._table.name,
        )
        self._transaction = self._database.transaction()
        connection = await self._transaction.__aenter__()
        self._connection = connection
        await bulk.begin(connection)
        locked = await tables.lock(connection, self._caller, self._table.id)
        if locked is None:
            raise NotFoundError("Table not found", f"no table {self._table.name!r}")
        return connection, locked, self

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            count = len(set(self.changed))
            await imports.finish(
                self._connection,
                self.import_id,
                status="success",
                action="update",
                plan={"widened": self.widened} if self.widened else None,
                table_id=self._table.id,
                table_name=self._table.name,
                records=self.records or self.matched,
                updated=count,
                failures=self.failures,
                replacements=self.replacements,
                encoding=self.written.encoding,
                delimiter=self.written.delimiter,
                summary=f"Updated {many(count, 'row')} of {self._table.name}.",
            )
        await self._transaction.__aexit__(kind, error, trace)
        if error is not None:
            # Errors include a cancellation. Nothing of the update is left.
            reason = "internal error"
            if isinstance(error, AtlasError):
                reason = error.details or error.message
            elif isinstance(error, asyncio.CancelledError):
                reason = "cancelled: the client went away, or the server stopped"
            await imports.fail(self._database, self.import_id, reason)


def _file_plan(staging: Staging, table: Table, keys: Sequence[str], file_name: str, accept: bool | None) -> ImportPlan:
    """Plans how the file's cells become the table's columns, which must include the keys."""
    instruction = ImportInstruction(
        table=table.name, policy="discard_value", duplicates="update", accept_proposals=accept
    )
    plan = make_plan(staging, inspect(staging, instruction, table), instruction, [table], file_name)
    if plan.proposals and accept is None:
        raise BadRequestError("Column names are unclear", ask_about(plan.proposals))
    missing = [key for key in keys if plan.column(key) is None]
    if missing:
        raise BadRequestError("Invalid file", f"{file_name}: no column for the key {', '.join(missing)}")
    if len(plan.columns) == len(keys):
        lacking = f"; {table.name!r} has no column {', '.join(plan.left_out)}" if plan.left_out else ""
        raise BadRequestError("Invalid file", f"{file_name}: no column to update beside the key{lacking}")
    columns = tuple(
        msgspec.structs.replace(
            column, required=column.name in keys, guessed=column.guessed and column.name not in keys
        )
        for column in plan.columns
    )
    return msgspec.structs.replace(plan, key=tuple(keys), columns=columns)


async def _widen(connection: Connection, table: Table, plan: ImportPlan) -> Table:
    """Changes the table's columns to the types that the file's values need, and to the file's notation."""
    named = [(column, found) for column in table.columns if (found := plan.column(column.name)) is not None]
    changed = [
        msgspec.structs.replace(
            column, type=plan.widened.get(column.name, column.type), format=found.format_after(column.format)
        )
        for column, found in named
    ]
    changed = [after for after, (before, _) in zip(changed, named, strict=True) if after != before]
    after = await tables.change_columns(connection, table, change=changed)
    if set(plan.widened) & set(table.key):
        await rekey(connection, after, None)
    return after


def _replaced(matched: Matched, number: int) -> pa.Table | None:
    """Returns issues of cells that are no values of their columns, and therefore changed nothing."""
    return replacement_issues(number_updated(matched), number)


def _updated(table: Table, change: _Change, **read: Any) -> Updated:
    """Builds the result of an update. read: members that say how values or a file were read."""
    count = len(set(change.changed))
    wrote(count)
    return Updated(
        table_name=table.name,
        rows_updated=change.matched,
        rows_changed=count,
        import_id=str(change.import_id),
        rows_not_found=len(change.missing),
        not_found=tuple(change.missing[:100]),
        validation_failures=change.failures or absent(),
        value_replacements=change.replacements or absent(),
        **read,
    )
