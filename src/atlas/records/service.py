"""Services for the rows of a table: page, insert, change, archive, restore, history; export and deletion of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import msgspec
import pyarrow as pa

from atlas.accounts.access import Caller
from atlas.accounts.usage import wrote
from atlas.contract.records import (
    ColumnValue,
    ColumnValues,
    DeletedTable,
    PageColumn,
    PastChange,
    RowChange,
    RowHistory,
    TablePage,
)
from atlas.contract.shape import Json
from atlas.db.database import Connection, Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.imports import repository as imports
from atlas.imports import undo_repository as undoing
from atlas.imports.key_changes import refuse_taken_keys
from atlas.imports.matched import match
from atlas.kit.field_metadata import field_metadata, header_note
from atlas.kit.file_formats import MEDIA_TYPES, Output
from atlas.kit.validation import refuse_text
from atlas.kit.workbooks import Workbooks, refuse_rows
from atlas.records.validation import Labelled, insert_records, resolve_names, staged, update_records
from atlas.sqlgate.condition import parse_condition
from atlas.tables import bulk
from atlas.tables import repository as tables
from atlas.tables import rows as tablerows
from atlas.tables.model import SHOWN_TYPES, Table
from atlas.tables.rows import Selection
from atlas.tables.service import TableService
from atlas.timeseries.formats import TableWriter
from atlas.workers.calls import Calls

Row = dict[str, Any]
MAX_SEARCH = 1_000
_ACTIONS = {"insert": "Inserted", "update": "Updated", "archive": "Archived", "restore": "Restored"}


@dataclass(frozen=True, slots=True)
class TableExport:
    """A file that is ready to be sent."""

    table_name: str
    rows: int
    media_type: str
    chunks: AsyncIterator[bytes]


@dataclass(slots=True)
class _Change:
    """A change in progress, which is recorded like an import, so that it can be undone."""

    connection: Connection
    table: Table
    import_id: UUID
    number: int


class TableRowService:
    """Reads and changes rows of tables for callers."""

    def __init__(
        self, database: Database, found: TableService, calls: Calls, workbooks: Workbooks | None = None
    ) -> None:
        self._database = database
        self._tables = found
        self._workbooks = workbooks or Workbooks()
        self._calls = calls

    async def page(
        self,
        caller: Caller,
        name: str,
        *,
        filter_: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        archived: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> TablePage:
        """Returns a page of rows, sorted by number or by a column; `-` before the column sorts in descending order.

        Raises NotFoundError for an unknown table, and BadRequestError for a bad filter or column.
        """
        table = await self._tables.with_rows(caller, name)
        selection = await self._selection(table, filter_, search, archived=archived)
        column, descending = _order(table, sort)
        rows, total = await tablerows.page(
            self._database, table, selection, column, descending=descending, limit=limit, offset=offset
        )
        return TablePage(
            table_name=table.name,
            columns=tuple(PageColumn(c.name, SHOWN_TYPES[c.type], c.unit, c.description) for c in table.columns),
            total_count=total,
            limit=limit,
            offset=offset,
            # A JSON object each, as PostgreSQL has written it.
            rows=cast("tuple[Json, ...]", tuple(msgspec.Raw(row.encode()) for row in rows)),
        )

    async def values(self, caller: Caller, name: str, column: str, *, filter_: str | None, limit: int) -> ColumnValues:
        """Returns the most frequent values of a column with their numbers of rows.

        Raises NotFoundError for an unknown table or column, and BadRequestError for a bad filter.
        """
        table = await self._tables.with_rows(caller, name)
        found = table.find_column(column)
        if found is None:
            raise NotFoundError("Column not found", f"no column {column[:100]!r} in {table.name!r}")
        selection = await self._selection(table, filter_, None)
        rows, distinct = await tablerows.values(self._database, table, found, selection, limit)
        return ColumnValues(table.name, found.name, tuple(ColumnValue(*row) for row in rows), distinct)

    async def insert(self, caller: Caller, name: str, values: Mapping[str, Any]) -> RowChange:
        """Inserts a row that passes the table's checks. Raises BadRequestError, also for the key of an existing row."""
        table = await self._tables.with_rows(caller, name)
        async with self._database.transaction() as connection:
            change = await self._begin(connection, caller, table, "insert a row")
            record = resolve_names(change.table, values, "values")
            await _refuse_known(change, record)
            notes: list[str] = []
            one = [Labelled("values", record)]
            row = (await insert_records(connection, change.table, change.number, one, notes))[0]
            return await self._finish(change, "insert", row, notes, inserted=1, first_row=row, last_row=row)

    async def update(self, caller: Caller, name: str, row: int, values: Mapping[str, Any]) -> RowChange:
        """Sets values of a row. Null empties a value. Raises NotFoundError or BadRequestError."""
        table = await self._tables.with_rows(caller, name)
        async with self._database.transaction() as connection:
            change = await self._begin(connection, caller, table, f"set {', '.join(values)} of row {row}")
            await _require(change, row, archived=False)
            if not values:
                raise BadRequestError("Invalid update", "values: at least one column is required")
            notes: list[str] = []
            one = [(row, Labelled("values", values))]
            done = await update_records(connection, change.table, change.number, one, notes)
            return await self._finish(change, "update", row, notes, updated=len(done))

    async def archive(self, caller: Caller, name: str, row: int, *, restore: bool = False) -> RowChange:
        """Hides a row from every read, or shows it again. Raises NotFoundError or BadRequestError."""
        table = await self._tables.with_rows(caller, name)
        action = "restore" if restore else "archive"
        async with self._database.transaction() as connection:
            change = await self._begin(connection, caller, table, f"{action} row {row}")
            await _require(change, row, archived=restore)
            await undoing.archive(connection, change.table, change.number, [row], restore=restore)
            if restore:
                await refuse_taken_keys(connection, change.table, [row], "restore")
            return await self._finish(change, action, row, updated=1)

    async def _begin(self, connection: Connection, caller: Caller, table: Table, instruction: str) -> _Change:
        await bulk.begin(connection)
        locked = await tables.lock(connection, caller, table.id)
        if locked is None:
            raise NotFoundError("Table not found", f"no table {table.name!r}")
        # The record is part of the transaction, so a refused change leaves no trace.
        import_id, number = await imports.create(
            connection, caller, kind="update", instruction=instruction[:10_000], table_name=table.name
        )
        return _Change(connection, locked, import_id, number)

    async def _finish(
        self, change: _Change, action: str, row: int, notes: Sequence[str] = (), **counts: int
    ) -> RowChange:
        table = change.table
        await imports.finish(
            change.connection,
            change.import_id,
            status="success",
            action=action,
            plan=None,
            table_id=table.id,
            table_name=table.name,
            records=1,
            summary=f"{_ACTIONS[action]} row {row} of {table.name}.",
            **counts,
        )
        found = await tablerows.find(change.connection, table, row)
        assert found is not None
        wrote(1)
        return RowChange(table.name, str(change.import_id), row, found[0], found[1], tuple(notes))

    async def history(self, caller: Caller, name: str, row: int) -> RowHistory:
        """Lists the changes of a row, archived or not, newest first and its insert last. Raises NotFoundError."""
        table = await self._tables.with_rows(caller, name)
        async with self._database.transaction() as connection:
            found = await tablerows.find(connection, table, row) if _possible(row) else None
            if found is None:
                raise _no_row(table, row)
            changes = await tablerows.history(connection, table, row)
            brought, first = await tablerows.origin(connection, table, row, found[2])
        shown = [_shown_change(table, change, _action(change)) for change in changes]
        if brought is not None:
            values = {name: first.get(name, value) for name, value in found[0].items()}
            insert = brought | {"before": None, "after": values, "undone": False}
            shown.append(_shown_change(table, insert, "insert"))
        return RowHistory(table.name, row, tuple(shown))

    async def export(
        self, caller: Caller, name: str, output: Output, filter_: str | None, *, safe: bool = False
    ) -> TableExport:
        """Exports all rows that are not archived, or the rows that match a condition. Raises BadRequestError.

        safe: CSV whose texts no spreadsheet runs.
        """
        table = await self._tables.with_rows(caller, name)
        selection = await self._selection(table, filter_, None)
        # Counts first, so that a condition that fails on some row is reported before the file begins.
        total = await tablerows.count(self._database, table, selection)
        if output is Output.XLSX:
            refuse_rows(total)
            names = [column.name for column in table.columns]
            parts = tablerows.export_tables(self._database, table, selection)
            notes = {column.name: header_note(column.unit, column.description) for column in table.columns}
            chunks = self._workbooks.pieces(table.name, names, parts, notes)
        elif output in (Output.PARQUET, Output.ARROW):
            chunks = self._written(table, selection, output)
        else:
            lines = tablerows.export_text(self._database, table, selection, as_json=output is not Output.CSV, safe=safe)
            chunks = _array(lines) if output is Output.JSON else lines
        return TableExport(table.name, total, MEDIA_TYPES[output], chunks)

    async def _written(self, table: Table, selection: Selection, output: Output) -> AsyncIterator[bytes]:
        writer: TableWriter | None = None
        async for part in tablerows.export_tables(self._database, table, selection):
            if writer is None:
                writer = TableWriter(output, _noted(part.schema, table))
            else:
                yield await asyncio.to_thread(writer.write, part)
        assert writer is not None, "the first part has the schema"
        yield writer.close()

    async def drop(self, caller: Caller, name: str, confirm: str | None) -> DeletedTable:
        """Deletes a table with its rows, for good. confirm: the table's name once more. Raises BadRequestError."""
        table = await self._tables.with_rows(caller, name)
        if confirm != name:
            raise BadRequestError("Not confirmed", f"confirm: must be {name!r}, the table that is to be removed")
        async with self._database.transaction() as connection:
            locked = await tables.lock(connection, caller, table.id)
            if locked is None:
                raise NotFoundError("Table not found", f"no table {name[:100]!r}")
            await tables.drop(connection, locked)
        return DeletedTable(table.name, True, locked.row_count)

    async def _selection(
        self, table: Table, filter_: str | None, search: str | None, *, archived: bool = False
    ) -> Selection:
        condition = None
        if filter_ is not None and filter_.strip():
            try:
                names = [column.name for column in table.columns]
                condition = (await self._calls.run(len(filter_), parse_condition, filter_, names)).sql
            except BadRequestError as error:
                reason = (error.details or error.message).removeprefix("condition: ")
                raise BadRequestError("Invalid filter", f"filter: {reason}") from None
        if search and search.strip():
            refuse_text("search", search, MAX_SEARCH)
        else:
            search = None
        return Selection(condition, search, archived)


def _order(table: Table, sort: str | None) -> tuple[str | None, bool]:
    """Returns the column to sort by, or None for the row number, and whether the order is descending."""
    name = (sort or "_row").strip()
    descending = name.startswith("-")
    name = name.removeprefix("-")
    if name in ("_row", ""):
        return None, descending
    column = table.find_column(name)
    if column is None:
        listed = ", ".join(["_row", *(column.name for column in table.columns)])
        raise BadRequestError("Invalid parameter", f"sort: no column {name[:100]!r}; there is {listed}")
    return column.name, descending


def _possible(row: int) -> bool:
    return 0 < row < 2**62


def _no_row(table: Table, row: int) -> NotFoundError:
    return NotFoundError("Row not found", f"{table.name} has no row {row}")


async def _require(change: _Change, row: int, *, archived: bool) -> None:
    """Raises NotFoundError unless the row exists and is not archived; with `archived`, the row must be archived."""
    found = await tablerows.find(change.connection, change.table, row) if _possible(row) else None
    if found is None:
        raise _no_row(change.table, row)
    if found[1] and not archived:
        raise NotFoundError("Row not found", f"row {row} of {change.table.name} is archived; restore it first")
    if archived and not found[1]:
        raise BadRequestError("Row is not archived", f"row {row} of {change.table.name} is in use")


async def _refuse_known(change: _Change, record: Mapping[str, Any]) -> None:
    """Raises BadRequestError when a row that is not archived has the record's key."""
    table = change.table
    if not table.key or not record:
        return
    async with staged(table, table.columns, [Labelled("values", record)], []) as checked:
        matched = await asyncio.to_thread(match, checked, table.columns)
        found = await bulk.find_keys(change.connection, table, await asyncio.to_thread(matched.candidate_keys))
    if len(found):
        key = ", ".join(f"{name} {record.get(name)!r}" for name in table.key)
        raise BadRequestError("Row exists", f"values: row {found.column('row')[0].as_py()} has {key} already")


def _action(change: Row) -> str:
    if "_archived" in change["after"]:
        return "restore" if change["after"]["_archived"] is None else "archive"
    return "update"


def _shown_change(table: Table, change: Row, action: str) -> PastChange:
    """Returns a change as `history` shows it. A value of `_archived` is the time at which the row was archived."""
    timed = {column.name for column in table.columns if column.type == "timestamp"} | {"_archived"}

    def shown(values: Row | None) -> Row | None:
        if values is None:
            return None
        return {
            name: value.replace("+00:00", "Z") if name in timed and isinstance(value, str) else value
            for name, value in values.items()
        }

    return PastChange(
        import_id=str(change["import_id"]),
        kind=change["kind"],
        action=action,
        at=change["at"],
        user=change["user"],
        before=shown(change["before"]),
        after=shown(change["after"]),
        undone=change["undone"],
    )


async def _array(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Turns JSON objects, a line each, into a JSON array. Line breaks stand between objects only."""
    yield b"["
    ended = b""
    async for chunk in lines:
        text = ended + chunk
        ended = b"\n" if text.endswith(b"\n") else b""
        yield text.removesuffix(b"\n").replace(b"\n", b",\n")
    yield b"]"


def _noted(schema: pa.Schema, table: Table) -> pa.Schema:
    """Returns the schema with the units and descriptions of the table's columns."""
    metadata = {column.name: field_metadata(column.unit, column.description) for column in table.columns}
    return pa.schema([field.with_metadata(metadata.get(field.name)) for field in schema])
