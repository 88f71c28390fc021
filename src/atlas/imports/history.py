"""Past imports: lists, details, progress and exports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from atlas.accounts.access import Caller
from atlas.contract.imports import ENDED, ImportDetail, ImportInfo, ImportPage, ImportStatus, Progress, WaitingIssues
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.imports import repository as imports
from atlas.imports.service import find_import
from atlas.kit.sorting import IMPORT_FIELDS, parse_order
from atlas.kit.validation import refuse_unstorable
from atlas.tables import export as tabledata
from atlas.tables import repository as tables

Row = dict[str, Any]
STATUSES = get_args(ImportStatus)
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Export:
    """A CSV to send."""

    table_name: str
    rows: int
    chunks: AsyncIterator[bytes]


class HistoryService:
    """Reads the imports of the caller's organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self,
        caller: Caller,
        table_name: str | None,
        status: str | None,
        limit: int,
        offset: int,
        *,
        waiting: bool | None = None,
        search: str | None = None,
        sort: str | None = None,
    ) -> ImportPage:
        """Returns a page of imports, newest first, and the number of all imports that wait for decisions.

        waiting: True for imports with open issues, False for imports without.
        search: a text in the name of the file or table.
        sort: see `atlas.kit.sorting`.
        Raises BadRequestError: when a parameter is invalid.
        """
        refuse_unstorable("search", search or "")
        if status is not None and status not in STATUSES:
            raise BadRequestError("Invalid parameter", f"status: one of {', '.join(STATUSES)}")
        rows = await imports.find(
            self._database,
            caller,
            table_name=table_name,
            status=status,
            waiting=waiting,
            search=search,
            limit=limit,
            offset=offset,
            order=parse_order(sort, IMPORT_FIELDS),
        )
        total = await imports.count(self._database, caller, table_name, status, waiting, search)
        waits = await imports.count_waiting(self._database, caller)
        return ImportPage(tuple(ImportInfo(**_brief(row)) for row in rows), total, limit, offset, waits)

    async def get(self, caller: Caller, import_id: str) -> ImportDetail:
        """Returns all details of an import.

        Raises NotFoundError: when the caller sees no such import.
        """
        row = await find_import(self._database, caller, import_id)
        waiting = await imports.issue_counts(self._database, row["number"])
        return ImportDetail(
            **_brief(row),
            instruction=row["instruction"],
            thread_id=row["thread_id"],
            plan=row["plan"],
            mapping=row["mapping"],
            file_size_bytes=row["file_bytes"],
            table_created=row["made_table"],
            new_columns=tuple(row["new_columns"]),
            callback_url=row["callback_url"],
            callback_metadata=row["callback_metadata"],
            dataset_id=row["dataset_id"],
            issues_waiting=WaitingIssues(waiting["duplicate"], waiting["validation"], waiting["replacement"]),
        )

    async def progress(self, caller: Caller, import_id: str) -> Progress:
        """Returns the progress of an import.

        Raises NotFoundError: when the caller sees no such import.
        """
        row = await find_import(self._database, caller, import_id)
        done = row["status"] in ENDED
        return Progress(
            str(row["public_id"]),
            row["status"],
            row["status"] if done else row["stage"] or "received",
            row["records"] if done else row["progress_records"] or 0,
            row["table_name"],
            row["error"],
        )

    async def follow(self, caller: Caller, import_id: str) -> AsyncIterator[bytes]:
        """Streams the progress of an import as Server-Sent Events until the import ends.

        Raises NotFoundError: when the caller sees no such import.
        """
        first = await self.progress(caller, import_id)

        async def events() -> AsyncIterator[bytes]:
            state, last = first, None
            while True:
                if state != last:
                    yield b"event: progress\ndata: " + msgspec.json.encode(state) + b"\n\n"
                    last = state
                if state.done:
                    return
                await asyncio.sleep(_POLL_SECONDS)
                state = await self.progress(caller, import_id)

        return events()

    async def export(self, caller: Caller, import_id: str, *, metadata: bool, safe: bool) -> Export:
        """Exports the rows of an import as CSV.

        Raises BadRequestError: when the import made a dataset.
        Raises NotFoundError: when the import or its table is gone.
        """
        row = await find_import(self._database, caller, import_id)
        if row["dataset_id"] is not None:
            raise BadRequestError("Not a table", f"it made dataset {row['dataset_id']}; use /api/rows/bulk_download/")
        found = (
            []
            if row["table_id"] is None
            else await tables.find_tables(self._database, caller, table_id=row["table_id"])
        )
        if not found:
            raise NotFoundError("Table not found", "the import has no table, or it has been removed")
        bounds = (row["number"], row["first_row"] or 0, row["last_row"] or -1)
        total = await tabledata.import_row_count(self._database, found[0], *bounds)
        chunks = tabledata.export_csv(self._database, found[0], *bounds, metadata=metadata, safe=safe)
        return Export(found[0].name, total, chunks)


def _brief(row: Row) -> Row:
    """Returns the members of an ImportInfo."""
    return {
        "import_id": str(row["public_id"]),
        "file_name": row["file_name"],
        "table_name": row["table_name"],
        "status": row["status"],
        "kind": row["kind"],
        "action_taken": row["action_taken"],
        "records_processed": row["records"],
        "records_inserted": row["inserted"],
        "records_updated": row["updated"],
        "duplicates_found": row["duplicates"],
        "records_left_out": row["left_out"],
        "validation_failures": row["failures"],
        "value_replacements": row["replacements"],
        "issues_open": row["issues_open"],
        "issues_resolved": row["issues_resolved"],
        "response_summary": row["summary"],
        "error": row["error"],
        "imported_by": row["user_name"],
        "created_at": row["created_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
    }
