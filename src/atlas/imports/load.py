"""Loads a staged file into rows and issues, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa

from atlas.accounts.access import Caller
from atlas.db.copy import in_thread
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError
from atlas.imports import repository as imports
from atlas.imports import undo_repository as undoing
from atlas.imports.checked import Checked, check
from atlas.imports.checks import Staged
from atlas.imports.fuzzy_duplicates import MAX_ROWS, Candidate, find_similar, name_column
from atlas.imports.issue_tables import (
    bad_record_issues,
    duplicate_issues,
    failure_issues,
    replacement_issues,
    similar_issues,
)
from atlas.imports.key_changes import rekey
from atlas.imports.matched import Matched, match
from atlas.imports.plan import ImportPlan, Planned
from atlas.imports.staging import Staging
from atlas.imports.written import Written, number
from atlas.tables import bulk
from atlas.tables import column_notes_repository as column_notes
from atlas.tables import repository as tables
from atlas.tables.model import Table, TableColumn


@dataclass(slots=True)
class Outcome:
    """The result of an import."""

    table: str
    records: int = 0
    inserted: int = 0
    updated: int = 0
    duplicates: int = 0
    failures: int = 0
    replacements: int = 0
    similar: int = 0
    left_out: int = 0
    replaced: int = 0
    unmatched: int = 0
    keyless: int = 0
    table_id: int | None = None
    dataset_id: int | None = None
    first_row: int | None = None
    last_row: int | None = None
    made_table: bool = False
    new_columns: list[str] = field(default_factory=list)
    action: str = "import"

    @property
    def has_issues(self) -> bool:
        return bool(self.duplicates or self.failures or self.replacements or self.similar)


class StalePlanError(BadRequestError):
    """The table was created, removed or changed since the plan. The file can be planned again."""


@dataclass(frozen=True, slots=True)
class Target:
    """The import that a file belongs to.

    public_id: the id in answers, which the organization knows.
    """

    caller: Caller
    import_id: UUID
    number: int
    public_id: UUID


async def load(
    database: Database,
    target: Target,
    staging: Staging,
    planned: Planned,
    *,
    report: Callable[[str, int], Any],
    summarize: Callable[[Outcome], str],
    ended: Callable[[Connection], Awaitable[None]],
) -> Outcome:
    """Writes a staged file by its plan. On return all is committed, on an error nothing.

    ended: does further work at the end of the import, in the same transaction.
    Raises StalePlanError: when the table was created, removed or changed since the plan.
    """
    checked = await asyncio.to_thread(check, Staged(staging, planned.plan))
    report("checked", staging.records)
    async with database.transaction() as connection:
        outcome = await write_checked(connection, target, checked, summarize, planned.table)
        await ended(connection)
    report("written", outcome.inserted)
    return outcome


async def load_within(
    connection: Connection, target: Target, staging: Staging, planned: Planned, summarize: Callable[[Outcome], str]
) -> Outcome:
    """Writes a staged file by its plan as part of the caller's transaction."""
    checked = await asyncio.to_thread(check, Staged(staging, planned.plan))
    return await write_checked(connection, target, checked, summarize, planned.table)


async def write_checked(
    connection: Connection,
    target: Target,
    checked: Checked,
    summarize: Callable[[Outcome], str],
    planned_for: Table | None = None,
) -> Outcome:
    """Writes the passing records, and issues of the other records, within a transaction."""
    staging, plan = checked.staging, checked.plan
    await bulk.begin(connection)
    table, made, added = await _prepare(connection, target.caller, plan, planned_for)
    if made or added:
        # The notes on the columns from before an undo of this import.
        await column_notes.revive(connection, table.id, target.number, None if made else added)
        for column in (column for column in plan.columns if column.new and (column.unit or column.description)):
            await column_notes.note_new(connection, table.id, column.name, column.unit, column.description)
    outcome = Outcome(
        table.name,
        records=staging.records,
        failures=checked.failing + len(checked.file.bad),
        table_id=table.id,
        made_table=made,
        new_columns=[] if made else added,
        action="create" if made else "import",
        left_out=await asyncio.to_thread(checked.left_out),
    )
    await _write(connection, target, checked, table, outcome, made=made)
    await record_success(connection, target, plan, outcome, summarize(outcome))
    return outcome


async def record_success(
    connection: Connection, target: Target, plan: ImportPlan, outcome: Outcome, summary: str
) -> None:
    """Records the end of an import, in the transaction of its rows."""
    await imports.finish(
        connection,
        target.import_id,
        status="success",
        action=outcome.action,
        summary=summary,
        plan=msgspec.to_builtins(plan),
        table_name=outcome.table,
        encoding=plan.written.encoding,
        delimiter=plan.written.delimiter,
        **_counts(outcome),
    )


def _counts(outcome: Outcome) -> dict[str, Any]:
    """Returns the stored members of an outcome."""
    names = (
        "table_id",
        "dataset_id",
        "records",
        "inserted",
        "updated",
        "duplicates",
        "failures",
        "replacements",
        "left_out",
        "first_row",
        "last_row",
        "made_table",
        "new_columns",
    )
    return {name: getattr(outcome, name) for name in names}


async def _prepare(
    connection: Connection, caller: Caller, plan: ImportPlan, planned_for: Table | None
) -> tuple[Table, bool, list[str]]:
    """Creates or changes the table as the plan says. Returns the table, whether it is new, and its new columns.

    Raises StalePlanError: when the table is not as the plan found it.
    """
    if planned_for is None:
        await tables.lock_names(connection, caller)
        if await tables.find_tables(connection, caller, name=plan.table):
            raise StalePlanError("Table exists", f"{plan.table!r} has been made meanwhile; import again")
        columns = [column.table_column() for column in plan.columns]
        table = await tables.create(connection, caller, plan.table, columns, plan.key)
        return table, True, []
    table_now = await tables.lock(connection, caller, planned_for.id)
    if table_now is None:
        raise StalePlanError("Table is gone", f"{plan.table!r} has been removed meanwhile; import again")
    fresh = [column.table_column() for column in plan.columns if column.new]
    clash = next((column.name for column in fresh if table_now.column(column.name)), None)
    if clash is not None:
        raise StalePlanError("Table changed", f"{plan.table!r} has got a column {clash!r} meanwhile; import again")
    _refuse_changed(plan, planned_for, table_now)
    changed = list(_changed(table_now, plan))
    table = await tables.change_columns(connection, table_now, add=fresh, change=changed)
    if plan.key and plan.key != table.key:
        await tables.set_key(connection, table, plan.key)
        table = msgspec.structs.replace(table, key=plan.key)
        await rekey(connection, table, None)
    elif set(plan.widened) & set(table.key):
        await rekey(connection, table, None)
    return table, False, [column.name for column in fresh]


def _refuse_changed(plan: ImportPlan, before: Table, now: Table) -> None:
    """Raises StalePlanError where others have changed the key, or a type that cells were read as."""
    if now.key != before.key:
        raise StalePlanError("Table changed", f"the key of {now.name!r} has changed meanwhile; import again")
    for name in (column.name for column in plan.columns if not column.new):
        columns = before.column(name), now.column(name)
        if len({None if column is None else column.type for column in columns}) > 1:
            raise StalePlanError("Table changed", f"{name!r} of {now.name!r} has changed meanwhile; import again")


def _changed(table: Table, plan: ImportPlan) -> Iterator[TableColumn]:
    """Yields the table's columns that get a wider type, rules of the instruction, or the notation of the file."""
    for planned in plan.columns:
        column = table.column(planned.name)
        if column is None:
            continue
        after = msgspec.structs.replace(
            column,
            type=plan.widened.get(column.name, column.type),
            required=planned.required,
            rules=planned.rules,
            format=planned.format_after(column.format),
        )
        if after != column:
            yield after


async def _write(
    connection: Connection, target: Target, checked: Checked, table: Table, outcome: Outcome, *, made: bool
) -> None:
    plan = checked.plan
    if plan.replace and not made:
        outcome.replaced = await undoing.archive_all(connection, table, target.number)
    matched = await asyncio.to_thread(match, checked, table.columns)
    if matched.repeats and plan.duplicates == "update":
        await asyncio.to_thread(matched.merge_repeats)
    if not made and plan.duplicates != "keep":
        found = await bulk.find_keys(connection, table, await asyncio.to_thread(matched.candidate_keys))
        matched = await asyncio.to_thread(matched.with_existing, found)
    decided = await asyncio.to_thread(matched.decide)
    outcome.duplicates, outcome.unmatched, outcome.keyless = decided.duplicates, decided.unmatched, decided.keyless
    outcome.left_out += decided.unmatched
    first = table.last_row + 1
    columns = [column.table_column() for column in plan.columns]
    batches = in_thread(matched.rows(decided.leave_out))
    outcome.inserted = await bulk.insert(connection, table, columns, batches, target.number, first)
    if outcome.inserted:
        outcome.first_row, outcome.last_row = first, first + outcome.inserted - 1
    if made:
        await tables.add_indexes(connection, table)
    if plan.duplicates == "update" and outcome.duplicates:
        await _update(connection, target, matched, table, columns)
        # A record that updated a row is no duplicate to review. Only a record that a later record of the file replaced
        # is.
        outcome.updated = matched.existing
        outcome.duplicates -= matched.existing
    look = plan.duplicates in ("skip", "flag") and outcome.inserted <= MAX_ROWS
    if look or decided.duplicates or await asyncio.to_thread(lambda: checked.replaced) is not None:
        written = await asyncio.to_thread(number, matched, first, decided.leave_out)
        await _write_issues(connection, target.number, written, table, outcome, look=look)
    if outcome.failures:
        await imports.add_issue_table(connection, await asyncio.to_thread(failure_issues, checked, target.number))
        await imports.add_issue_table(connection, bad_record_issues(checked.file.bad, target.number))
    await tables.count_rows(connection, table, outcome.inserted, outcome.last_row or 0)


async def _update(
    connection: Connection, target: Target, matched: Matched, table: Table, columns: list[TableColumn]
) -> None:
    values = [column for column in columns if column.name not in matched.plan.key]
    if matched.existing and values:
        await bulk.stage_updates(connection, values, in_thread(matched.updates()))
        changed = await bulk.apply_updates(connection, table, values, target.number, keep_on_null=True)
        if not table.key:
            await rekey(connection, table, changed)


async def _write_issues(
    connection: Connection, import_number: int, written: Written, table: Table, outcome: Outcome, *, look: bool
) -> None:
    """Stores the issues of records that were matched or written.

    look: whether to look for similar records.
    """
    found: list[pa.Table] = []
    if written.plan.duplicates == "update":
        await asyncio.to_thread(written.forget_updated)
    if outcome.duplicates:
        found.append(await asyncio.to_thread(duplicate_issues, written, import_number))
    cells = await asyncio.to_thread(replacement_issues, written, import_number)
    if cells is not None:
        outcome.replacements = len(cells)
        found.append(cells)
    if look:
        pairs = await find_alike(connection, written, table)
        if pairs is not None:
            outcome.similar = len(pairs[1])
            found.append(await asyncio.to_thread(similar_issues, written, import_number, *pairs))
    for issues in found:
        await imports.add_issue_table(connection, issues)


async def find_alike(
    connection: Connection | None, written: Written, table: Table | None
) -> tuple[str, list[tuple[int, int, bool, float]]] | None:
    """Finds records to insert that resemble each other or rows of a table. Returns the column and pairs, or None.

    A key that a person has stated distinguishes records, however similar. A key that Atlas chose may not.
    """
    name = name_column([(column.name, column.type) for column in written.plan.columns])
    if name is None or name in written.plan.key:
        return None
    # A key distinguishes records that otherwise agree, so an equal key is no sign of similarity.
    others = [c.name for c in written.plan.columns if c.name != name and c.name not in written.plan.key]
    key = () if written.plan.key_found else written.plan.key
    fresh = await asyncio.to_thread(written.candidates, name, others, key)
    known = [] if connection is None or table is None else await _known(connection, table, name, others, key)
    pairs = await asyncio.to_thread(find_similar, fresh, known)
    return (name, pairs) if pairs else None


async def _known(
    connection: Connection, table: Table, name: str, others: Sequence[str], key: Sequence[str]
) -> list[Candidate]:
    """Returns the rows of a table for the comparison, if the table has the columns and not too many rows."""
    if not 0 < table.row_count <= MAX_ROWS or table.column(name) is None:
        return []
    texts = await bulk.key_texts(connection, table, None)
    absent = [None] * len(texts)
    cells = [texts.column(other).to_pylist() if other in texts.column_names else absent for other in others]
    rows = zip(*(texts.column(column).to_pylist() for column in ("_row", name)), *cells, strict=True)
    keyed = all(part in texts.column_names for part in key)
    keys = zip(*(texts.column(column).to_pylist() for column in key), strict=True) if key and keyed else repeat((None,))
    return [
        Candidate(row, text, tuple(rest), keyed=all(part is not None for part in parts))
        for (row, text, *rest), parts in zip(rows, keys, strict=False)
        if text and row <= table.last_row
    ]
