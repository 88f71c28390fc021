"""The stored imports: their records, files, progress and issues."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import pyarrow as pa
from psycopg import sql
from psycopg.types.json import Json, Jsonb

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.copy import all_of, copy_batches
from atlas.db.database import Connection, Database
from atlas.db.guard import PROCESS
from atlas.db.named_queries import ordered, queries
from atlas.errors import BadRequestError
from atlas.kit.decimals import exact_loads
from atlas.kit.sorting import Order
from atlas.kit.zstd import zstd

Row = dict[str, Any]
_PART_BYTES = 4 * 1024 * 1024
ISSUE_FIELDS = ("import_number", "kind", "record_number", "row_id", "record", "details", "status")
ISSUE_SCHEMA = pa.schema(
    [
        ("import_number", pa.int32()),
        ("kind", pa.string()),
        ("record_number", pa.int64()),
        ("row_id", pa.int64()),
        ("record", pa.string()),
        ("details", pa.string()),
        ("status", pa.string()),
    ]
)


async def create(database: Database | Connection, caller: Caller, **fields: Any) -> tuple[UUID, int]:
    """Creates an import, and returns its internal id and its number.

    On a connection, the import is part of that transaction.

    public_id: the id that the organization knows.
    Raises BadRequestError: when the organization has an import with that id.
    """
    values = dict.fromkeys(
        (
            "public_id",
            "file_name",
            "file_bytes",
            "thread",
            "callback_url",
            "callback_metadata",
            "table_name",
            "corrects",
            "accept_proposals",
        )
    )
    parameters = {
        **values,
        "instruction": "",
        "status": "running",
        **fields,
        "organization": caller.organization_id,
        "user": caller.user_id,
        "process": PROCESS,
    }
    if parameters["callback_metadata"] is not None:
        parameters["callback_metadata"] = Jsonb(parameters["callback_metadata"])
    query = queries("imports/imports")["insert_import"]
    rows = await executor.rows(database, query, parameters)
    if not rows:
        raise BadRequestError("Import already exists", f"import_id: {parameters['public_id']} is taken")
    return rows[0][0], rows[0][1]


async def find(
    database: Database | Connection,
    caller: Caller,
    *,
    import_id: UUID | None = None,
    table_name: str | None = None,
    status: str | None = None,
    thread: str | None = None,
    waiting: bool | None = None,
    search: str | None = None,
    limit: int = 1,
    offset: int = 0,
    order: Order | None = None,
) -> list[Row]:
    """Returns the imports of the organization that the caller may see, newest first unless an order is given.

    import_id: the public id.
    waiting: whether issues are open.
    search: a text in the names of file and table.
    """
    parameters = {
        "organization": caller.organization_id,
        "user": caller.user_id,
        "id": import_id,
        "table_name": table_name,
        "status": status,
        "thread": thread,
        "waiting": waiting,
        "search": search,
        "limit": limit,
        "offset": offset,
    }
    return await _dicts(database, "find_imports", parameters, order)


# The expression of each field of `IMPORT_FIELDS` in the statement of lists.
_ORDERS: dict[str, LiteralString] = {
    "created_at": "i.created_at",
    "file_name": "lower(i.file_name)",
    "status": "i.status",
    "table_name": "lower(coalesce(t.name, i.table_name))",
    "records_inserted": "i.inserted",
    "records_updated": "i.updated",
    "issues_open": "i.issues_open",
    "imported_by": "lower(u.name)",
}


async def _dicts(
    database: Database | Connection, name: str, parameters: Mapping[str, Any], order: Order | None = None
) -> list[Row]:
    by = _ORDERS[order.field] if order else None
    descending = order is not None and order.descending
    return await executor.records(
        database, ordered(queries("imports/imports")[name], by, descending=descending), parameters
    )


async def count(
    database: Database,
    caller: Caller,
    table_name: str | None,
    status: str | None,
    waiting: bool | None,
    search: str | None,
) -> int:
    rows = await database.fetch(
        queries("imports/imports")["count_imports"],
        organization=caller.organization_id,
        user=caller.user_id,
        table_name=table_name,
        status=status,
        waiting=waiting,
        search=search,
    )
    return int(rows[0][0])


async def count_waiting(database: Database, caller: Caller) -> int:
    """Counts the imports with open issues that the caller may see."""
    query = queries("imports/imports")["count_waiting"]
    rows = await database.fetch(query, organization=caller.organization_id, user=caller.user_id)
    return int(rows[0][0])


async def fail(database: Database | Connection, import_id: UUID, reason: str) -> bool:
    """Records that an import has failed. Returns False if the import has ended already, which changes nothing."""
    query, parameters = queries("imports/imports")["fail_import"], {"id": import_id, "error": reason}
    return await executor.row(database, query, parameters) is not None


async def restart(connection: Connection, import_id: UUID) -> None:
    """Marks an ended import as run again, by this process."""
    await connection.execute(queries("imports/imports")["restart_import"], {"id": import_id, "process": PROCESS})


async def mark_undone(
    connection: Connection, import_id: UUID, status: str, summary: str, *, inserted: int = 0, updated: int = 0
) -> None:
    """Records that an import was taken back, and the numbers of its remaining rows and changes."""
    parameters = {"id": import_id, "status": status, "summary": summary, "inserted": inserted, "updated": updated}
    await connection.execute(queries("imports/imports")["mark_undone"], parameters)


async def lock(connection: Connection, import_id: UUID) -> str | None:
    """Locks an import until the transaction ends, and returns its status."""
    row = await executor.row(connection, queries("imports/imports")["lock_import"], {"id": import_id})
    return None if row is None else str(row[0])


async def finish(connection: Connection, import_id: UUID, **fields: Any) -> None:
    """Records the result of an import, in the transaction of its rows.

    Raises BadRequestError: when the import no longer runs, which rolls the rows back.
    """
    values = dict.fromkeys(("table_id", "dataset_id", "first_row", "last_row", "encoding", "delimiter"))
    counts = dict.fromkeys(("records", "inserted", "updated", "duplicates", "failures", "replacements", "left_out"), 0)
    parameters = {**values, **counts, "made_table": False, "new_columns": [], **fields, "id": import_id}
    parameters["plan"] = Jsonb(parameters["plan"])
    cursor = await connection.execute(queries("imports/imports")["finish_import"], parameters)
    if await cursor.fetchone() is None:
        raise BadRequestError("Import has ended", "it was finished by another run, or given up, meanwhile")


async def report(database: Database, import_id: UUID, stage: str, records: int) -> None:
    """Stores the progress of a running import."""
    await database.fetch(queries("imports/imports")["report_progress"], id=import_id, stage=stage, records=records)


async def keep_file(database: Database | Connection, import_id: UUID, path: Path) -> None:
    """Stores the compressed file of an import. On a connection, the file is part of that transaction."""
    made = database.transaction() if isinstance(database, Database) else contextlib.nullcontext(database)
    async with made as connection:
        with path.open("rb") as file:
            part = 0
            while data := await asyncio.to_thread(file.read, _PART_BYTES):
                packed = await asyncio.to_thread(zstd.compress, data, 1)
                parameters = {"id": import_id, "part": part, "data": packed}
                await connection.execute(queries("imports/imports")["insert_file_part"], parameters)
                part += 1


async def load_file(database: Database, import_id: UUID, path: Path) -> bool:
    """Writes an import's file to `path`, and returns whether the file is still stored."""
    part = 0
    with path.open("wb") as file:
        while rows := await database.fetch(queries("imports/imports")["file_part"], id=import_id, part=part):
            file.write(await asyncio.to_thread(zstd.decompress, rows[0][0]))
            part += 1
    return part > 0


async def forget_files(database: Database, days: int) -> None:
    await database.fetch(queries("imports/imports")["forget_files"], days=days)


async def add_issues(connection: Connection, batches: AsyncIterator[pa.RecordBatch]) -> int:
    """Stores issues in batches of ISSUE_SCHEMA, and returns their number."""
    target = sql.Identifier("atlas", "import_issues")
    return await copy_batches(connection, target, ISSUE_FIELDS, ISSUE_SCHEMA, batches)


async def add_issue_table(connection: Connection, table: pa.Table) -> int:
    """Stores issues of one table as `add_issues` does."""
    return await add_issues(connection, all_of(table.cast(ISSUE_SCHEMA))) if len(table) else 0


async def issue_counts(database: Database | Connection, number: int) -> dict[str, int]:
    """Counts the open issues of an import by kind."""
    query = queries("imports/imports")["count_issues"]
    rows = await executor.rows(database, query, {"number": number})
    return dict.fromkeys(("duplicate", "validation", "replacement"), 0) | dict(rows)


async def issues(
    database: Database, number: int, kind: str, *, status: str | None, limit: int, offset: int
) -> tuple[list[Row], int]:
    """Returns a page of issues of a kind, by record, and the number of all such issues."""
    parameters = {"number": number, "kind": kind, "status": status, "limit": limit, "offset": offset}
    async with database.connection() as connection:
        rows = [_exact(row) for row in await _dicts(connection, "list_issues", parameters)]
        cursor = await connection.execute(queries("imports/imports")["count_issues_of_kind"], parameters)
        total = await cursor.fetchone()
    assert total is not None
    return rows, int(total[0])


async def lock_issues(
    connection: Connection, number: int, kind: str, *, ids: list[int] | None = None, records: list[int] | None = None
) -> list[Row]:
    """Locks the issues with some ids or records until the transaction ends, and returns the issues."""
    parameters = {"number": number, "kind": kind, "ids": ids or [], "records": records or []}
    return [_exact(row) for row in await _dicts(connection, "lock_issues", parameters)]


def _exact(issue: Row) -> Row:
    """Decodes the record of an issue with all digits of its numbers."""
    return issue | {"record": None if issue["record"] is None else exact_loads(issue["record"])}


async def resolve_issue(
    connection: Connection,
    issue_id: int,
    status: str,
    resolution: Mapping[str, Any],
    row: int | None,
    correction: int | None,
) -> None:
    """Records the decision on an issue, with its correction and the resulting row."""
    parameters = {
        "id": issue_id,
        "status": status,
        "resolution": Jsonb(dict(resolution)),
        "row": row,
        "correction": correction,
    }
    await connection.execute(queries("imports/imports")["resolve_issue"], parameters)


async def count_decided(connection: Connection, number: int, correction: int, *, undone: bool = False) -> None:
    """Updates the counts of an import by the decisions of a correction.

    undone: the decisions are about to be reopened, so the counts are reduced.
    """
    parameters = {"number": number, "correction": correction, "sign": -1 if undone else 1}
    await connection.execute(queries("imports/imports")["count_decided"], parameters)


async def count_open(connection: Connection, number: int) -> None:
    """Counts the open and the resolved issues of an import again."""
    await connection.execute(queries("imports/imports")["count_open"], {"number": number})


async def forget_issues(connection: Connection, number: int) -> None:
    await connection.execute(queries("imports/imports")["forget_issues"], {"number": number})
    await count_open(connection, number)


async def extend(
    connection: Connection, import_id: UUID, inserted: int, first_row: int | None, last_row: int | None
) -> None:
    """Records rows that were added to an import after its end."""
    parameters = {"id": import_id, "inserted": inserted, "first_row": first_row, "last_row": last_row}
    await connection.execute(queries("imports/imports")["extend_import"], parameters)


async def shorten(connection: Connection, number: int, removed: int) -> None:
    """Records that rows of a correction were removed from an import."""
    await connection.execute(queries("imports/imports")["shorten_import"], {"number": number, "removed": removed})


async def corrections(connection: Connection, number: int) -> list[Row]:
    """Returns the corrections of an import that are in force, newest first."""
    return await _dicts(connection, "list_corrections", {"number": number})


async def reopen_issues(connection: Connection, correction: Row) -> None:
    """Reopens the issues that a correction decided."""
    await count_decided(connection, correction["corrects"], correction["number"], undone=True)
    parameters = {name: correction[name] for name in ("number", "first_row", "last_row")}
    await connection.execute(queries("imports/imports")["reopen_issues"], parameters)
    await count_open(connection, correction["corrects"])


async def later_changes(connection: Connection, row: Row) -> list[Row]:
    """Returns later changes of an import's rows as `id`, `kind` and number of `rows`, newest first."""
    parameters = {
        "number": row["number"],
        "table": row["table_id"],
        "first_row": row["first_row"],
        "last_row": row["last_row"],
    }
    return await _dicts(connection, "later_changes", parameters)


async def changed_since(connection: Connection, number: int, table_id: int, rows: list[int]) -> list[int]:
    """Returns the given rows that anything except the import and its corrections has changed."""
    parameters = {"number": number, "table": table_id, "rows": rows}
    cursor = await connection.execute(queries("imports/imports")["changed_since"], parameters)
    return [row[0] for row in await cursor.fetchall()]


async def keep_mapping(connection: Connection, import_id: UUID, mapping: Mapping[str, Any]) -> None:
    """Stores a mapping for the next run of an import."""
    await connection.execute(
        queries("imports/imports")["keep_mapping"], {"id": import_id, "mapping": Jsonb(dict(mapping))}
    )


async def clear_plan(connection: Connection, import_id: UUID) -> None:
    await connection.execute(queries("imports/imports")["clear_plan"], {"id": import_id})


def as_json(value: Any) -> Json:
    return Json(value)


async def abandoned(database: Database) -> set[UUID]:
    """Returns imports and updates with a waiting client whose process is gone, or is not connected at the moment."""
    return {row[0] for row in await database.fetch(queries("imports/imports")["abandoned"])}


async def fail_abandoned(database: Database, import_ids: Collection[UUID]) -> None:
    """Marks imports whose server died as failed."""
    await database.fetch(queries("imports/imports")["fail_abandoned"], ids=list(import_ids))
