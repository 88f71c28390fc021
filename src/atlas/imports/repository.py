"""Imports: their records, files, progress and issues."""

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
    """A new import; gives its id inside and its number. On a connection, it is part of the transaction there.

    `public_id` is what its organization knows it by. Raises BadRequestError where the organization has one of that id.
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
    """Imports of the organization that the caller may see, newest first unless there is an order.

    import_id: the public one. waiting: whether issues of it are open. search: in the names of file and table.
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


# What each field of `IMPORT_FIELDS` is in the list's statement.
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
    """Imports that the caller may see with issues that wait for a decision."""
    query = queries("imports/imports")["count_waiting"]
    rows = await database.fetch(query, organization=caller.organization_id, user=caller.user_id)
    return int(rows[0][0])


async def fail(database: Database | Connection, import_id: UUID, reason: str) -> bool:
    """Records that an import has failed. False where it has ended already, and stays as it is."""
    query, parameters = queries("imports/imports")["fail_import"], {"id": import_id, "error": reason}
    return await executor.row(database, query, parameters) is not None


async def restart(connection: Connection, import_id: UUID) -> None:
    """Has an import that has ended run again, by this process."""
    await connection.execute(queries("imports/imports")["restart_import"], {"id": import_id, "process": PROCESS})


async def mark_undone(
    connection: Connection, import_id: UUID, status: str, summary: str, *, inserted: int = 0, updated: int = 0
) -> None:
    """Records that an import was taken back, and how many rows and changes of it are left."""
    parameters = {"id": import_id, "status": status, "summary": summary, "inserted": inserted, "updated": updated}
    await connection.execute(queries("imports/imports")["mark_undone"], parameters)


async def lock(connection: Connection, import_id: UUID) -> str | None:
    """The status of an import, kept from others until the transaction ends."""
    row = await executor.row(connection, queries("imports/imports")["lock_import"], {"id": import_id})
    return None if row is None else str(row[0])


async def finish(connection: Connection, import_id: UUID, **fields: Any) -> None:
    """Records what an import came to, in the transaction of its rows.

    Raises BadRequestError, which takes these back, where the import no longer runs.
    """
    values = dict.fromkeys(("table_id", "dataset_id", "first_row", "last_row", "encoding", "delimiter"))
    counts = dict.fromkeys(("records", "inserted", "updated", "duplicates", "failures", "replacements", "left_out"), 0)
    parameters = {**values, **counts, "made_table": False, "new_columns": [], **fields, "id": import_id}
    parameters["plan"] = Jsonb(parameters["plan"])
    cursor = await connection.execute(queries("imports/imports")["finish_import"], parameters)
    if await cursor.fetchone() is None:
        raise BadRequestError("Import has ended", "it was finished by another run, or given up, meanwhile")


async def report(database: Database, import_id: UUID, stage: str, records: int) -> None:
    """Tells how far a running import is."""
    await database.fetch(queries("imports/imports")["report_progress"], id=import_id, stage=stage, records=records)


async def keep_file(database: Database | Connection, import_id: UUID, path: Path) -> None:
    """Keeps a file with its import, compressed. On a connection, it is part of the transaction there."""
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
    """Writes an import's file to `path`; tells whether it is still kept."""
    part = 0
    with path.open("wb") as file:
        while rows := await database.fetch(queries("imports/imports")["file_part"], id=import_id, part=part):
            file.write(await asyncio.to_thread(zstd.decompress, rows[0][0]))
            part += 1
    return part > 0


async def forget_files(database: Database, days: int) -> None:
    await database.fetch(queries("imports/imports")["forget_files"], days=days)


async def add_issues(connection: Connection, batches: AsyncIterator[pa.RecordBatch]) -> int:
    """Stores issues given as batches of ISSUE_SCHEMA; gives their number."""
    target = sql.Identifier("atlas", "import_issues")
    return await copy_batches(connection, target, ISSUE_FIELDS, ISSUE_SCHEMA, batches)


async def add_issue_table(connection: Connection, table: pa.Table) -> int:
    """As `add_issues`, from one table."""
    return await add_issues(connection, all_of(table.cast(ISSUE_SCHEMA))) if len(table) else 0


async def issue_counts(database: Database | Connection, number: int) -> dict[str, int]:
    """Undecided issues of an import by kind."""
    query = queries("imports/imports")["count_issues"]
    rows = await executor.rows(database, query, {"number": number})
    return dict.fromkeys(("duplicate", "validation", "replacement"), 0) | dict(rows)


async def issues(
    database: Database, number: int, kind: str, *, status: str | None, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of issues of a kind, by record, and how many there are in all."""
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
    """The issues named by id or record, kept from others until the transaction ends."""
    parameters = {"number": number, "kind": kind, "ids": ids or [], "records": records or []}
    return [_exact(row) for row in await _dicts(connection, "lock_issues", parameters)]


def _exact(issue: Row) -> Row:
    """An issue with its record, whose numbers have all of their digits."""
    return issue | {"record": None if issue["record"] is None else exact_loads(issue["record"])}


async def resolve_issue(
    connection: Connection,
    issue_id: int,
    status: str,
    resolution: Mapping[str, Any],
    row: int | None,
    correction: int | None,
) -> None:
    """Records what was decided on an issue, by which correction, and the row that came of it."""
    parameters = {
        "id": issue_id,
        "status": status,
        "resolution": Jsonb(dict(resolution)),
        "row": row,
        "correction": correction,
    }
    await connection.execute(queries("imports/imports")["resolve_issue"], parameters)


async def count_decided(connection: Connection, number: int, correction: int, *, undone: bool = False) -> None:
    """Has the counts of an import follow the decisions of a correction; `undone`: those are about to be reopened."""
    parameters = {"number": number, "correction": correction, "sign": -1 if undone else 1}
    await connection.execute(queries("imports/imports")["count_decided"], parameters)


async def count_open(connection: Connection, number: int) -> None:
    """Counts the open and the resolved issues of an import anew."""
    await connection.execute(queries("imports/imports")["count_open"], {"number": number})


async def forget_issues(connection: Connection, number: int) -> None:
    await connection.execute(queries("imports/imports")["forget_issues"], {"number": number})
    await count_open(connection, number)


async def extend(
    connection: Connection, import_id: UUID, inserted: int, first_row: int | None, last_row: int | None
) -> None:
    """Records rows that were added to an import after it."""
    parameters = {"id": import_id, "inserted": inserted, "first_row": first_row, "last_row": last_row}
    await connection.execute(queries("imports/imports")["extend_import"], parameters)


async def shorten(connection: Connection, number: int, removed: int) -> None:
    """Records that rows which a correction had added to an import are gone."""
    await connection.execute(queries("imports/imports")["shorten_import"], {"number": number, "removed": removed})


async def corrections(connection: Connection, number: int) -> list[Row]:
    """Corrections of an import that are in force, the newest first."""
    return await _dicts(connection, "list_corrections", {"number": number})


async def reopen_issues(connection: Connection, correction: Row) -> None:
    """Has the issues that a correction decided on wait again."""
    await count_decided(connection, correction["corrects"], correction["number"], undone=True)
    parameters = {name: correction[name] for name in ("number", "first_row", "last_row")}
    await connection.execute(queries("imports/imports")["reopen_issues"], parameters)
    await count_open(connection, correction["corrects"])


async def later_changes(connection: Connection, row: Row) -> list[Row]:
    """What has changed rows of an import since: `id`, `kind` and the number of `rows` of each, the newest first."""
    parameters = {
        "number": row["number"],
        "table": row["table_id"],
        "first_row": row["first_row"],
        "last_row": row["last_row"],
    }
    return await _dicts(connection, "later_changes", parameters)


async def changed_since(connection: Connection, number: int, table_id: int, rows: list[int]) -> list[int]:
    """The rows, of those given, that something other than the import and its corrections has changed."""
    parameters = {"number": number, "table": table_id, "rows": rows}
    cursor = await connection.execute(queries("imports/imports")["changed_since"], parameters)
    return [row[0] for row in await cursor.fetchall()]


async def keep_mapping(connection: Connection, import_id: UUID, mapping: Mapping[str, Any]) -> None:
    """Keeps a mapping for the next run of an import."""
    await connection.execute(
        queries("imports/imports")["keep_mapping"], {"id": import_id, "mapping": Jsonb(dict(mapping))}
    )


async def clear_plan(connection: Connection, import_id: UUID) -> None:
    await connection.execute(queries("imports/imports")["clear_plan"], {"id": import_id})


def as_json(value: Any) -> Json:
    return Json(value)


async def abandoned(database: Database) -> set[UUID]:
    """Imports and updates whose client waited, and whose process is not there, or not connected at this moment."""
    return {row[0] for row in await database.fetch(queries("imports/imports")["abandoned"])}


async def fail_abandoned(database: Database, import_ids: Collection[UUID]) -> None:
    """Marks the imports that ended with their server as failed."""
    await database.fetch(queries("imports/imports")["fail_abandoned"], ids=list(import_ids))
