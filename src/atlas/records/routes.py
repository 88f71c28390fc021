"""Routes of a table's rows: list, insert, change, archive, restore, history, export; and deletion of the table."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from atlas.accounts.dependencies import CallerDep
from atlas.contract.records import ColumnValues, DeletedTable, RowChange, RowHistory, TablePage
from atlas.kit.file_formats import Output
from atlas.kit.workbooks import begun
from atlas.records.service import TableRowService
from atlas.web.bodies import Body
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.exact_json import exact_json
from atlas.web.json_route import JsonRoute
from atlas.web.media_types import media_type_for
from atlas.web.openapi.responses import answer, export
from atlas.web.provided import provided
from atlas.web.ranges import HEAD, FileResponse

TableRowServiceDep = Annotated[TableRowService, provided(TableRowService)]

router = APIRouter(
    route_class=JsonRoute, prefix="/api/v1/tables/{table_name}", tags=["Rows of tables"], responses=CONTENT_ERRORS
)

FilterParam = Annotated[
    str | None, Query(max_length=10_000, description="A WHERE clause on the columns, as in updates.")
]


class ValuesBody(Body):
    """Values by column."""

    values: dict[str, Any] = Field(examples=[{"email": "ann@x.com", "age": 31}])


@router.get("/rows", responses=answer(TablePage), summary="Rows of a table")
async def list_rows(
    caller: CallerDep,
    table_rows: TableRowServiceDep,
    table_name: str,
    filter: FilterParam = None,
    search: Annotated[str | None, Query(max_length=1_000, description="Text in any column, in any case.")] = None,
    sort: Annotated[str | None, Query(max_length=200, description="A column; `-` before it: descending.")] = None,
    archived: Annotated[bool, Query(description="Rows that are archived instead of those that are not.")] = False,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Rows of a page.")] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62, description="Rows to skip.")] = 0,
) -> Response:
    """Returns a page of rows with their numbers, and the total number of rows."""
    page = await table_rows.page(
        caller, table_name, filter_=filter, search=search, sort=sort, archived=archived, limit=limit, offset=offset
    )
    return exact_json(page)


@router.get("/columns/{column_name}/values", responses=answer(ColumnValues), summary="Values of a column")
async def column_values(
    caller: CallerDep,
    table_rows: TableRowServiceDep,
    table_name: str,
    column_name: str,
    filter: FilterParam = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Values at most.")] = 100,
) -> Response:
    """Returns the values of a column with their numbers of rows, most frequent first."""
    return exact_json(await table_rows.values(caller, table_name, column_name, filter_=filter, limit=limit))


@router.post("/rows", responses=answer(RowChange), summary="Insert a row")
async def insert_row(caller: CallerDep, table_rows: TableRowServiceDep, table_name: str, body: ValuesBody) -> Response:
    """Inserts one row. Its values are checked as in an import."""
    return exact_json(await table_rows.insert(caller, table_name, body.values))


@router.patch("/rows/{row}", responses=answer(RowChange), summary="Change a row")
async def update_row(
    caller: CallerDep, table_rows: TableRowServiceDep, table_name: str, row: int, body: ValuesBody
) -> Response:
    """Sets values of a row. Null empties a value; other values stay."""
    return exact_json(await table_rows.update(caller, table_name, row, body.values))


@router.delete("/rows/{row}", responses=answer(RowChange), summary="Archive a row")
async def archive_row(caller: CallerDep, table_rows: TableRowServiceDep, table_name: str, row: int) -> Response:
    """Hides a row from every read until it is restored."""
    return exact_json(await table_rows.archive(caller, table_name, row))


@router.post("/rows/{row}/restore", responses=answer(RowChange), summary="Restore a row")
async def restore_row(caller: CallerDep, table_rows: TableRowServiceDep, table_name: str, row: int) -> Response:
    """Shows an archived row again."""
    return exact_json(await table_rows.archive(caller, table_name, row, restore=True))


@router.get("/rows/{row}/history", responses=answer(RowHistory), summary="History of a row")
async def row_history(caller: CallerDep, table_rows: TableRowServiceDep, table_name: str, row: int) -> Response:
    """Lists the changes of a row with user and time, newest first; the insert comes last."""
    return exact_json(await table_rows.history(caller, table_name, row))


@router.get("/export", summary="Export a table", response_class=StreamingResponse, responses=export(*Output))
async def export_table(
    request: Request,
    caller: CallerDep,
    table_rows: TableRowServiceDep,
    table_name: str,
    format: Annotated[Output, Query(description="Format of the file.")] = Output.CSV,
    filter: FilterParam = None,
    safe: Annotated[
        bool, Query(description="CSV: put an apostrophe before texts that a spreadsheet would run.")
    ] = False,
) -> StreamingResponse:
    """Exports all rows that are not archived, or the rows that match a condition."""
    file = await table_rows.export(caller, table_name, format, filter, safe=safe)
    name = quote(file.table_name)
    headers = {
        "X-Rows-Count": str(file.rows),
        "X-Table-Name": name,
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}.{format}",
        "Vary": "Accept",
    }
    made = format is Output.XLSX and not request.scope["state"].get(HEAD)
    chunks = await begun(file.chunks) if made else file.chunks
    return FileResponse(chunks, media_type=media_type_for(request, file.media_type), headers=headers)


@router.delete("", summary="Delete a table")
async def delete_table(
    caller: CallerDep,
    table_rows: TableRowServiceDep,
    table_name: str,
    confirm: Annotated[str | None, Query(description="The table's name once more.")] = None,
) -> DeletedTable:
    """Removes a table with all its rows, for good."""
    return await table_rows.drop(caller, table_name, confirm)
