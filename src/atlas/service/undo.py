"""Undo, redo and clear-mapping of imports."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.core.access import Caller
from atlas.errors import BadRequestError
from atlas.language.instruction import ImportInstruction
from atlas.service.access import AccessService
from atlas.service.importing import Target
from atlas.service.imports import ImportRequest, ImportService, find_import
from atlas.service.rekeying import rekey
from atlas.store import imports, loading, tables, undoing, writing
from atlas.store.database import Connection, Database

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A mapping that a caller gives: columns of the table to headers of the file."""

    table_name: str | None
    mappings: Mapping[str, str]
    check_duplicates: bool
    key_columns: tuple[str, ...]

    def instruction(self, table: str | None) -> ImportInstruction:
        return ImportInstruction(
            table=self.table_name or table, keep=tuple(self.mappings.values()),
            rename={header: name for name, header in self.mappings.items()},
            duplicates="skip" if self.check_duplicates else "keep", key=self.key_columns,
        )  # fmt: skip


class UndoService:
    """Takes imports back, and runs them again."""

    def __init__(self, database: Database, runner: ImportService) -> None:
        self._database = database
        self._runner = runner

    async def undo(self, caller: Caller, import_id: str) -> Row:
        """Takes an import or update back: exactly, where nobody has changed the same rows since."""
        row = await find_import(self._database, caller, import_id)
        async with self._database.transaction() as connection:
            done = await self._undo(connection, caller, row)
            if done.complete:
                await imports.set_status(connection, row["id"], "undone")
        return _response(row, done)

    async def last_of_thread(self, caller: Caller, thread_id: str | None) -> str:
        """The newest import of a thread, or of the caller's organization. Raises BadRequestError."""
        found = await imports.find(self._database, caller, thread=thread_id, status="success")
        if not found:
            raise BadRequestError("Nothing to undo", "there is no import that could be undone")
        return str(found[0]["id"])

    async def _undo(self, connection: Connection, caller: Caller, row: Row) -> undoing.Undone:
        status = await imports.lock(connection, row["id"])
        if status != "success":
            raise BadRequestError("Nothing to undo", f"the import is {status}")
        if row["dataset_id"] is not None:
            # A dataset is its owner's, whoever else is of the organization.
            await AccessService(self._database).require(caller, row["dataset_id"], write=True)
            removed = 0
            if row["first_row"] is not None:
                removed = await writing.delete_numbered(
                    connection, row["dataset_id"], row["first_row"], row["last_row"]
                )
            return undoing.Undone(rows_removed=removed)
        await loading.begin(connection)
        table = None if row["table_id"] is None else await tables.lock(connection, caller, row["table_id"])
        if table is None:
            return undoing.Undone(table_dropped=True)
        done = await undoing.undo(connection, table, row)
        if not done.table_dropped:
            current = (await tables.find_tables(connection, caller, table_id=table.id))[0]
            await rekey(connection, current, done.rows_restored)
        if done.complete:
            await imports.forget_issues(connection, row["number"])
        return done

    async def redo(self, caller: Caller, import_id: str, mapping: FileMapping | None, *, execute: bool) -> Row:
        """Takes an import back and forgets its mapping; runs it again with another one, if asked."""
        row = await find_import(self._database, caller, import_id)
        if row["kind"] != "import":
            raise BadRequestError("Not an import", f"it is an {row['kind']}; undo it instead")
        if row["status"] in ("pending", "running"):
            raise BadRequestError("Import is running", "wait until it has ended")
        async with self._database.transaction() as connection:
            if row["status"] == "success":
                done = await self._undo(connection, caller, row)
                if not done.complete:
                    reason = f"{done.rows_kept} rows and {done.values_kept} values have been changed by others since"
                    raise BadRequestError("Import cannot be taken back", reason)
            await imports.clear_plan(connection, row["id"])
            await imports.set_status(connection, row["id"], "reset")
        if not execute:
            return {"success": True, "import_id": str(row["id"]), "status": "reset",
                    "message": "The import was taken back and its mapping cleared."}  # fmt: skip
        return {"success": True, **await self._again(caller, row, mapping)}

    async def _again(self, caller: Caller, row: Row, mapping: FileMapping | None) -> Row:
        with tempfile.TemporaryDirectory(prefix="atlas-redo-") as folder:
            path = Path(folder) / "file"
            if not await imports.load_file(self._database, row["id"], path):
                raise BadRequestError("File is gone", "the file is no longer kept; import it again")
            said = None if mapping is None else mapping.instruction(row["table_name"])
            request = ImportRequest(path, row["file_name"], row["instruction"], row["thread_id"], said=said)
            await imports.set_status(self._database, row["id"], "running")
            return await self._runner.execute(Target(caller, row["id"], row["number"]), request)

    async def clear_mapping(self, caller: Caller, import_id: str) -> Row:
        """Forgets the mapping of an import; its rows stay."""
        row = await find_import(self._database, caller, import_id)
        async with self._database.transaction() as connection:
            await imports.clear_plan(connection, row["id"])
        return {"success": True, "import_id": str(row["id"]), "message": "The mapping was cleared."}


def _response(row: Row, done: undoing.Undone) -> Row:
    parts = [f"{done.rows_removed} rows removed", f"{len(done.rows_restored)} rows restored"]
    if done.table_dropped:
        parts.append(f"table {row['table_name']} removed")
    if done.columns_dropped:
        parts.append(f"columns {', '.join(done.columns_dropped)} removed")
    if not done.complete:
        parts.append(f"could not undo {done.rows_kept} rows and {done.values_kept} values, which were changed since")
    return {
        "success": True, "import_id": str(row["id"]), "table_name": row["table_name"], "complete": done.complete,
        "rows_removed": done.rows_removed, "rows_restored": len(done.rows_restored), "rows_kept": done.rows_kept,
        "values_kept": done.values_kept, "table_removed": done.table_dropped, "columns_removed": done.columns_dropped,
        "message": "; ".join(parts) + ".",
    }  # fmt: skip
