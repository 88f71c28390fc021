"""Reviews the open issues of an import: duplicates, validation failures, value replacements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from uuid import UUID

import msgspec

from atlas.accounts.access import Caller
from atlas.contract.issues import (
    Corrected,
    Issue,
    IssueKind,
    IssuePage,
    Issues,
)
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.imports import repository as imports
from atlas.imports import undo_repository as undoing
from atlas.imports.key_changes import refuse_taken_keys
from atlas.imports.service import find_import
from atlas.kit.plurals import many
from atlas.records.validation import Labelled, insert_records, update_records
from atlas.review.issue_answers import counts_of, issue_of, other_row
from atlas.tables import export
from atlas.tables import repository as tables
from atlas.tables.model import Table

Row = dict[str, Any]
KINDS: Mapping[IssueKind, str] = {"duplicates": "duplicate", "validations": "validation", "replacements": "replacement"}
FIRST_BATCH = 50
_ACTIONS = {
    "duplicate": ("insert", "skip"),
    "validation": ("insert_as_is", "insert_corrected", "discarded"),
    "replacement": ("restore_original", "keep_replacement", "set_custom"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on one issue. label: the issue's name in messages. values: data of the action."""

    kind: str
    label: str
    issue: int
    action: str
    values: Any = None

    def resolution(self) -> Row:
        return {"action": self.action, "values": self.values}


@dataclass(slots=True)
class _Work:
    """The changes of rows that decisions result in."""

    inserts: list[tuple[Row, Labelled]] = field(default_factory=list)
    updates: list[tuple[int, Labelled]] = field(default_factory=list)
    # Rows to archive, and the label of the decision on each row.
    removals: dict[int, str] = field(default_factory=dict)
    resolved: list[tuple[Row, str, Decision]] = field(default_factory=list)
    unchanged: int = 0
    widen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Done:
    """What decisions came to: rows, and the import that undoes it, None where nothing changed."""

    inserted: int = 0
    updated: int = 0
    removed: int = 0
    resolved: int = 0
    correction_id: str | None = None
    notes: Sequence[str] = ()


class IssueService:
    """Shows the issues of an import, and carries out decisions on them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def summary(self, caller: Caller, import_id: str) -> Issues:
        """Returns the counts of each kind, and the first 50 issues of each kind."""
        row = await find_import(self._database, caller, import_id)
        counts = await imports.issue_counts(self._database, row["number"])
        first: dict[str, Any] = {
            name: tuple((await self._page(caller, row, kind, "pending", FIRST_BATCH, 0))[0])
            for name, kind in KINDS.items()
        }
        return Issues(
            import_id=str(row["public_id"]),
            table_name=row["table_name"],
            summary=counts_of(counts),
            duplicates=first["duplicates"],
            validation_failures=first["validations"],
            value_replacements=first["replacements"],
        )

    async def page(
        self, caller: Caller, import_id: str, issue_type: str, status: str | None, limit: int, offset: int
    ) -> IssuePage:
        """Returns a page of issues of one kind. Raises BadRequestError for an unknown kind."""
        if not _is_kind(issue_type):
            raise BadRequestError("Invalid parameter", f"issue_type: one of {', '.join(KINDS)}")
        row = await find_import(self._database, caller, import_id)
        found, total = await self._page(caller, row, KINDS[issue_type], status, limit, offset)
        return IssuePage(
            import_id=str(row["public_id"]),
            table_name=row["table_name"],
            issue_type=issue_type,
            total_count=total,
            limit=limit,
            offset=offset,
            issues=tuple(found),
        )

    async def _page(
        self, caller: Caller, row: Row, kind: str, status: str | None, limit: int, offset: int
    ) -> tuple[list[Issue], int]:
        found, total = await imports.issues(
            self._database, row["number"], kind, status=status, limit=limit, offset=offset
        )
        table = await _table(self._database, caller, row)
        existing: dict[int, Row] = {}
        if table is not None and kind == "duplicate" and found:
            numbers = [number for item in found if (number := other_row(item["details"]))]
            async with self._database.connection() as connection:
                existing = await export.records(connection, table, numbers)
        return [issue_of(item, table, existing) for item in found], total

    async def correct(
        self, caller: Caller, import_id: str, decisions: Sequence[Decision], *, allow_type_change: bool
    ) -> Corrected:
        """Carries out all decisions, or none. A decision that was carried out before changes nothing.

        Raises BadRequestError or NotFoundError, with the decision's label, for a decision that cannot be carried out.
        """
        row = await find_import(self._database, caller, import_id)
        async with self._database.transaction() as connection:
            status = await imports.lock(connection, row["id"])
            if status not in ("success", "partially_undone"):
                raise BadRequestError("Nothing to correct", f"the import is {status}")
            table = await _table(connection, caller, row)
            table = None if table is None else await tables.lock(connection, caller, table.id)
            if table is None:
                raise NotFoundError("Table not found", "the import has no table, or it has been removed")
            work = await self._prepare(connection, table, row, decisions, allow_type_change=allow_type_change)
            done = await self._apply(connection, caller, table, row, work)
            waiting = await imports.issue_counts(connection, row["number"])
        return Corrected(
            import_id=str(row["public_id"]),
            table_name=table.name,
            rows_inserted=done.inserted,
            rows_updated=done.updated,
            rows_removed=done.removed,
            resolved=done.resolved,
            already_resolved=work.unchanged,
            correction_id=done.correction_id,
            notes=tuple(done.notes),
            summary=counts_of(waiting),
        )

    async def _prepare(
        self, connection: Connection, table: Table, row: Row, decisions: Sequence[Decision], *, allow_type_change: bool
    ) -> _Work:
        work = _Work()
        seen: set[tuple[str, int]] = set()
        for kind in KINDS.values():
            chosen = [decision for decision in decisions if decision.kind == kind]
            if not chosen:
                continue
            numbers = [decision.issue for decision in chosen]
            by_record = kind == "duplicate"
            found = await imports.lock_issues(
                connection,
                row["number"],
                kind,
                ids=None if by_record else numbers,
                records=numbers if by_record else None,
            )
            issues: dict[int, list[Row]] = {}
            for item in found:
                issues.setdefault(item["record_number" if by_record else "id"], []).append(item)
            for decision in chosen:
                if (kind, decision.issue) in seen:
                    raise BadRequestError("Invalid correction", f"{decision.label}: named twice")
                seen.add((kind, decision.issue))
                if decision.issue not in issues:
                    raise NotFoundError("Issue not found", f"{decision.label}: the import has no such {kind}")
                issue, *others = _in_order(issues[decision.issue])
                _plan(work, table, issue, decision, allow_type_change=allow_type_change)
                # A record that is a duplicate for two reasons needs one decision.
                work.resolved += [
                    (other, work.resolved[-1][1], decision) for other in others if other["status"] == "pending"
                ]
        await self._refuse_edited(connection, table, row, work)
        return work

    async def _refuse_edited(self, connection: Connection, table: Table, row: Row, work: _Work) -> None:
        """Raises BadRequestError when a row to archive has been changed since the import."""
        edited = await imports.changed_since(connection, row["number"], table.id, list(work.removals))
        if edited:
            reason = (
                f"{work.removals[edited[0]]}: row {edited[0]} was changed since; insert keeps it, or archive the row"
            )
            raise BadRequestError("Row was changed since", reason)

    async def _apply(self, connection: Connection, caller: Caller, table: Table, row: Row, work: _Work) -> _Done:
        if not work.resolved:
            return _Done()
        # A separate change, so that the correction can be undone without the import.
        correction_id, number = await imports.create(
            connection,
            caller,
            kind="correction",
            file_name=row["file_name"],
            table_name=table.name,
            instruction=f"decisions on {many(len(work.resolved), 'issue')}",
            corrects=row["number"],
        )
        if work.widen:
            columns = [msgspec.structs.replace(c, type="text") for c in table.columns if c.name in work.widen]
            table = await tables.change_columns(connection, table, change=columns)
        notes: list[str] = []
        inserted = (
            await insert_records(connection, table, row["number"], [item for _, item in work.inserts], notes)
            if work.inserts
            else []
        )
        rows = {issue["id"]: number for (issue, _), number in zip(work.inserts, inserted, strict=True)}
        changed = await update_records(connection, table, number, work.updates, notes) if work.updates else []
        removed = await undoing.archive(connection, table, number, list(work.removals), restore=False)
        # An inserted duplicate may have an existing key on purpose. A corrected record may not.
        mended = {
            row: item.label
            for (issue, item), row in zip(work.inserts, inserted, strict=True)
            if "problems" in issue["details"]
        }
        await refuse_taken_keys(connection, table, list(mended), mended)
        for issue, status, decision in work.resolved:
            await imports.resolve_issue(
                connection, issue["id"], status, decision.resolution(), rows.get(issue["id"]), number
            )
        done = _Done(
            len(inserted), len(set(changed)), len(removed), len(work.resolved), str(correction_id), tuple(notes)
        )
        await self._finish(connection, row, table, work, correction_id, inserted, done)
        await imports.count_decided(connection, row["number"], number)
        await imports.count_open(connection, row["number"])
        return done

    async def _finish(
        self,
        connection: Connection,
        row: Row,
        table: Table,
        work: _Work,
        correction_id: UUID,
        inserted: Sequence[int],
        done: _Done,
    ) -> None:
        """Records a correction as a successful import of its own."""
        if inserted:
            await imports.extend(connection, row["id"], len(inserted), min(inserted), max(inserted))
        await imports.finish(
            connection,
            correction_id,
            status="success",
            action="correct",
            plan={"widened": dict.fromkeys(sorted(work.widen), "text")} if work.widen else None,
            table_id=table.id,
            table_name=table.name,
            records=len(work.resolved),
            inserted=len(inserted),
            updated=done.updated,
            first_row=min(inserted, default=None),
            last_row=max(inserted, default=None),
            summary=_summary_line(done),
        )


def _summary_line(done: _Done) -> str:
    """Summarizes decisions in one line."""
    parts = [f"{many(done.resolved, 'issue')} decided"]
    rows = (("inserted", done.inserted), ("updated", done.updated), ("removed", done.removed))
    parts += [f"{many(count, 'row')} {what}" for what, count in rows if count]
    return ", ".join(parts) + "."


def _in_order(issues: Sequence[Row]) -> list[Row]:
    """Sorts issues of one record: pending issues first, and among them the issue whose record already is a row."""
    return sorted(issues, key=lambda issue: (issue["status"] != "pending", issue["row_id"] is None, issue["id"]))


def _plan(work: _Work, table: Table, issue: Row, decision: Decision, *, allow_type_change: bool) -> None:
    """Adds a decision's changes to the work. Raises BadRequestError for an impossible decision."""
    if decision.action not in _ACTIONS[decision.kind]:
        allowed = ", ".join(_ACTIONS[decision.kind])
        raise BadRequestError("Invalid correction", f"{decision.label}.action: one of {allowed}")
    if issue["status"] != "pending":
        if issue["resolution"] == decision.resolution():
            work.unchanged += 1
            return
        action = (issue["resolution"] or {}).get("action")
        raise BadRequestError("Invalid correction", f"{decision.label}: already resolved by {action!r}")
    status = {"skip": "skipped", "discarded": "discarded", "keep_replacement": "kept"}.get(decision.action, "corrected")
    work.resolved.append((issue, status, decision))
    if decision.kind == "replacement":
        _plan_replacement(work, table, issue, decision, allow_type_change=allow_type_change)
    elif decision.action == "skip" and issue["row_id"] is not None:
        work.removals[issue["row_id"]] = decision.label
    elif decision.action.startswith("insert"):
        _plan_insert(work, issue, decision)


def _plan_insert(work: _Work, issue: Row, decision: Decision) -> None:
    changes = decision.values or {}
    if issue["row_id"] is not None:
        # A flagged duplicate already is a row.
        if changes:
            work.updates.append((issue["row_id"], Labelled(decision.label, changes)))
        return
    if issue["record"] is None and not changes:
        raise BadRequestError(
            "Invalid correction", f"{decision.label}: the line is no record; give corrected_data or discard it"
        )
    if decision.action == "insert_corrected" and not changes:
        raise BadRequestError("Invalid correction", f"{decision.label}.corrected_data: required")
    record = {**(issue["record"] or {}), **changes}
    relaxed = decision.action == "insert_as_is"
    work.inserts.append((issue, Labelled(decision.label, record, relaxed, typed=frozenset(changes))))


def _plan_replacement(work: _Work, table: Table, issue: Row, decision: Decision, *, allow_type_change: bool) -> None:
    if decision.action == "keep_replacement":
        return
    name = issue["details"]["column"]
    column = table.column(name)
    if column is None:
        raise BadRequestError("Invalid correction", f"{decision.label}: the table has no column {name!r} any more")
    value = decision.values if decision.action == "set_custom" else issue["details"]["original_value"]
    if decision.action == "restore_original" and column.type != "text":
        if not allow_type_change:
            raise BadRequestError(
                "Invalid correction",
                f"{decision.label}: {value!r} does not fit the type of {name!r}; use set_custom, or send "
                f"allow_type_change: true to make the column VARCHAR",
            )
        work.widen.add(name)
    relaxed = decision.action == "restore_original"
    work.updates.append((issue["row_id"], Labelled(decision.label, {name: value}, relaxed)))


async def _table(database: Database | Connection, caller: Caller, row: Row) -> Table | None:
    if row["table_id"] is None:
        return None
    found = await tables.find_tables(database, caller, table_id=row["table_id"])
    return found[0] if found else None


def _is_kind(name: str) -> TypeGuard[IssueKind]:
    return name in KINDS
