"""Undo, redo and clear-mapping of imports."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.imports import ClearedImport, LaterChange, RedoneImport, ResetImport, Undone
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError, ForbiddenError
from atlas.imports import repository as imports
from atlas.imports import undo_repository as undoing
from atlas.imports.key_changes import refuse_late_twins, rekey
from atlas.imports.load import Target
from atlas.imports.service import ImportRequest, ImportService, find_import
from atlas.kit.plurals import many
from atlas.language.instructions import ImportInstruction
from atlas.tables import bulk
from atlas.tables import repository as tables
from atlas.tables.model import SHOWN_TYPES
from atlas.timeseries import deletion

Row = dict[str, Any]
# The states of an import that has something to undo.
IN_FORCE = ("success", "partially_undone")


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A mapping by a caller: columns of the table to headers of the file."""

    table_name: str | None
    mappings: Mapping[str, str]
    check_duplicates: bool
    key_columns: tuple[str, ...]

    def instruction(self, table: str | None) -> ImportInstruction:
        return ImportInstruction(
            table=self.table_name or table,
            mapping=tuple(self.mappings.items()),
            duplicates="skip" if self.check_duplicates else "keep",
            key=self.key_columns,
        )


class UndoService:
    """Undoes imports, and runs imports again."""

    def __init__(self, database: Database, runner: ImportService) -> None:
        self._database = database
        self._runner = runner

    async def undo(self, caller: Caller, import_id: str, *, partial: bool = False, dry_run: bool = False) -> Undone:
        """Undoes an import, update or correction as a whole. With `partial`, only unchanged rows and values are undone.

        dry_run: computes the result of the undo, and changes nothing.
        Raises BadRequestError: when others have changed the same rows since, unless `partial` or `dry_run` is set.
        """
        row = await find_import(self._database, caller, import_id)
        async with self._database.transaction(keep=not dry_run) as connection:
            later = await self._later(connection, row)
            done = await self._undo(connection, caller, row)
            if not (done.complete or partial or dry_run):
                raise _not_whole(done, later)
            await _mark(connection, row, done)
        return _undone(row, done, later, dry_run=dry_run)

    async def last_of_thread(self, caller: Caller, thread_id: str | None) -> str:
        """Returns the id of the newest import of a thread, or of the caller's organization.

        Raises BadRequestError: when there is no such import.
        """
        found = await imports.find(self._database, caller, thread=thread_id, status="success")
        if not found:
            raise BadRequestError("Nothing to undo", "there is no import that could be undone")
        return str(found[0]["public_id"])

    async def _later(self, connection: Connection, row: Row) -> list[LaterChange]:
        if row["table_id"] is None:
            return []
        found = await imports.later_changes(connection, row)
        return [LaterChange(str(one["public_id"]), one["kind"], one["rows"]) for one in found]

    async def _undo(self, connection: Connection, caller: Caller, row: Row) -> undoing.Undone:
        status = await imports.lock(connection, row["id"])
        if status not in IN_FORCE:
            raise BadRequestError("Nothing to undo", f"the import is {status}")
        if row["dataset_id"] is not None:
            # A dataset belongs to its owner, not to the organization.
            await AccessService(self._database).require(caller, row["dataset_id"], write=True)
            removed = 0
            if row["first_row"] is not None:
                removed = await deletion.delete_numbered(
                    connection, row["dataset_id"], row["first_row"], row["last_row"]
                )
            return undoing.Undone(rows_removed=removed)
        await bulk.begin(connection)
        done = undoing.Undone()
        # Decisions on its issues are part of an import, and are undone first.
        parts = (*await imports.corrections(connection, row["number"]), row)
        for one in parts:
            part = await self._undo_one(connection, caller, one)
            done.add(part)
            if one is not row:
                await _mark(connection, one, part)
        # Rows that a correction restored may be rows of the import, and thus be gone.
        if done.keys_restored and not done.table_dropped:
            current = (await tables.find_tables(connection, caller, table_id=row["table_id"]))[0]
            await refuse_late_twins(connection, current, done.keys_restored, [one["number"] for one in parts])
        if done.complete and row["kind"] != "correction":
            await imports.forget_issues(connection, row["number"])
        return done

    async def _undo_one(self, connection: Connection, caller: Caller, row: Row) -> undoing.Undone:
        table = None if row["table_id"] is None else await tables.lock(connection, caller, row["table_id"])
        if table is None:
            return undoing.Undone(table_dropped=True)
        done = await undoing.undo(connection, table, row)
        if not done.table_dropped:
            current = (await tables.find_tables(connection, caller, table_id=table.id))[0]
            done.keys_restored += await rekey(connection, current, done.rows_restored)
        if row["kind"] == "correction":
            await imports.reopen_issues(connection, row)
            await imports.shorten(connection, row["corrects"], done.rows_removed)
        return done

    async def redo(
        self, caller: Caller, import_id: str, mapping: FileMapping | None, *, execute: bool
    ) -> RedoneImport | ResetImport:
        """Undoes an import and forgets its mapping. With `execute`, the import runs again.

        All is one transaction: if the import cannot run again, it stays unchanged. Without `execute`, a given mapping
        is stored for the next run.
        """
        row = await self._own(caller, import_id)
        if row["kind"] != "import":
            raise BadRequestError("Not an import", f"it is an {row['kind']}; undo it instead")
        if execute:
            return await self._again(caller, row, mapping)
        async with self._database.transaction() as connection:
            await self._reset(connection, caller, row)
            if mapping is not None:
                await imports.keep_mapping(connection, row["id"], msgspec.to_builtins(mapping))
        kept = " The new mapping is kept for the next run." if mapping is not None else ""
        told = f"The import was taken back and its mapping cleared.{kept}"
        return ResetImport(str(row["public_id"]), "reset", told)

    async def _reset(self, connection: Connection, caller: Caller, row: Row) -> None:
        """Undoes an import and forgets its mapping, within a transaction."""
        status = await imports.lock(connection, row["id"])
        if status in ("pending", "running"):
            raise BadRequestError("Import is running", "wait until it has ended")
        if status in IN_FORCE:
            later = await self._later(connection, row)
            done = await self._undo(connection, caller, row)
            if not done.complete:
                raise _not_whole(done, later)
        await imports.clear_plan(connection, row["id"])
        await imports.mark_undone(connection, row["id"], "reset", "The import was taken back.")

    async def _again(self, caller: Caller, row: Row, mapping: FileMapping | None) -> RedoneImport:
        if mapping is None and row["mapping"] is not None:
            mapping = msgspec.convert(row["mapping"], FileMapping)

        async def take_back(connection: Connection) -> None:
            await self._reset(connection, caller, row)
            await imports.restart(connection, row["id"])
            if mapping is not None:
                await imports.keep_mapping(connection, row["id"], msgspec.to_builtins(mapping))

        with tempfile.TemporaryDirectory(prefix="atlas-redo-") as folder:
            path = Path(folder) / "file"
            if not await imports.load_file(self._database, row["id"], path):
                raise BadRequestError("File is gone", "the file is no longer kept; import it again")
            parsed = None if mapping is None else mapping.instruction(row["table_name"])
            request = ImportRequest(
                path,
                row["file_name"],
                row["instruction"],
                row["thread_id"],
                parsed=parsed,
                accept_proposals=row["accept_proposals"],
            )
            target = Target(caller, row["id"], row["number"], row["public_id"])
            done = await self._runner.run_after(target, request, take_back)
            return RedoneImport(**vars(done))

    async def _own(self, caller: Caller, import_id: str) -> Row:
        """Returns an import that the caller may run again. A file for a dataset belongs to its user only.

        Raises ForbiddenError: when another user imported the file into a dataset.
        """
        row = await find_import(self._database, caller, import_id)
        if not row["shared"] and row["user_id"] != caller.user_id:
            raise ForbiddenError("Permission denied", "Only who imported a file into a dataset may import it again")
        return row

    async def clear_mapping(self, caller: Caller, import_id: str) -> ClearedImport:
        """Forgets the mapping of an import. The rows stay."""
        row = await self._own(caller, import_id)
        async with self._database.transaction() as connection:
            await imports.clear_plan(connection, row["id"])
        return ClearedImport(str(row["public_id"]), "The mapping was cleared.")


async def _mark(connection: Connection, row: Row, done: undoing.Undone) -> None:
    """Records the rest of an import after an undo, so that its counts stay true."""
    status = "undone" if done.complete else "partially_undone"
    summary = f"Taken back: {_told(row, done)}."
    await imports.mark_undone(connection, row["id"], status, summary, inserted=done.rows_kept)


def _kept(done: undoing.Undone) -> str:
    counts = ((done.rows_kept, "row"), (done.values_kept, "value"))
    return " and ".join(many(count, noun) for count, noun in counts if count)


def _not_whole(done: undoing.Undone, later: list[LaterChange]) -> BadRequestError:
    others = ", ".join(f"{one.kind} {one.import_id} ({many(one.rows, 'row')})" for one in later[:5])
    undo_first = f": undo {others} first, or" if others else ";"
    reason = f"{_kept(done)} changed since{undo_first} send partial=true to take back the rest"
    return BadRequestError("Import cannot be taken back as a whole", reason)


def _told(row: Row, done: undoing.Undone) -> str:
    parts = [f"{many(done.rows_removed, 'row')} removed", f"{many(len(done.rows_restored), 'row')} restored"]
    if done.table_dropped:
        parts.append(f"table {row['table_name']} removed")
    if done.columns_dropped:
        parts.append(f"columns {', '.join(done.columns_dropped)} removed")
    if not done.complete:
        parts.append(f"{_kept(done)} changed since and kept")
    if done.widened and not done.table_dropped:
        stays = ", ".join(f"{name} {SHOWN_TYPES[type_]}" for name, type_ in done.widened.items())
        parts.append(f"columns keep the types that they were given: {stays}")
    return "; ".join(parts)


def _undone(row: Row, done: undoing.Undone, later: list[LaterChange], *, dry_run: bool) -> Undone:
    told = _told(row, done)
    return Undone(
        import_id=str(row["public_id"]),
        table_name=row["table_name"],
        complete=done.complete,
        dry_run=dry_run,
        rows_removed=done.rows_removed,
        rows_restored=len(done.rows_restored),
        rows_kept=done.rows_kept,
        values_kept=done.values_kept,
        table_removed=done.table_dropped,
        columns_removed=tuple(done.columns_dropped),
        changed_since=() if done.complete else tuple(later),
        message=f"Nothing was changed. An undo would give: {told}." if dry_run else f"{told}.",
    )
