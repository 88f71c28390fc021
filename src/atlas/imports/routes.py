"""The HTTP endpoints of imports: run, preview, history, progress and export."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from atlas.accounts.dependencies import CallerDep
from atlas.contract.imports import ImportPage, ImportResult, PendingImport, Preview, Progress
from atlas.imports.background import BackgroundService, parse_metadata
from atlas.imports.history import HistoryService
from atlas.imports.schemas import ImportDetailView
from atlas.imports.service import ImportRequest, ImportService
from atlas.imports.uploads import FileField, InstructionField, ProposalsField, ThreadField, received
from atlas.kit.file_formats import MEDIA_TYPES, Output
from atlas.kit.sorting import IMPORT_FIELDS, described
from atlas.web.bodies import Body
from atlas.web.disconnect import while_connected
from atlas.web.error_schemas import CONTENT_ERRORS
from atlas.web.exact_json import exact_json
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import EVENT_STREAM, answer, events, export
from atlas.web.provided import provided
from atlas.web.ranges import FileResponse

BackgroundServiceDep = Annotated[BackgroundService, provided(BackgroundService)]
HistoryServiceDep = Annotated[HistoryService, provided(HistoryService)]
ImportServiceDep = Annotated[ImportService, provided(ImportService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Imports"], responses=CONTENT_ERRORS)


@router.post("/smart-import", summary="Import a file")
async def smart_import(
    http: Request,
    caller: CallerDep,
    background: BackgroundServiceDep,
    imports: ImportServiceDep,
    file: FileField,
    instruction: InstructionField,
    thread_id: ThreadField = None,
    callback_url: Annotated[
        str | None, Form(description="Where to post the result; the import then runs later.")
    ] = None,
    callback_metadata: Annotated[
        str | None, Form(max_length=10_000, description="A JSON object that comes back with the result.")
    ] = None,
    import_id: Annotated[
        UUID | None,
        Form(description="An id of your choice, to follow the import by; one that your organization has is a 400."),
    ] = None,
    accept_proposals: ProposalsField = None,
) -> ImportResult | PendingImport:
    """Imports a file by a plain-English instruction: all of it is committed, or nothing."""
    metadata = parse_metadata(callback_metadata)
    path, name = received(file)
    request = ImportRequest(path, name, instruction, thread_id, import_id=import_id, accept_proposals=accept_proposals)
    if callback_url:
        return await background.submit(caller, request, callback_url, metadata)
    return await while_connected(http, imports.run(caller, request))


class ObjectBody(Body):
    """A file in object storage, and the instruction for its import."""

    file_name: str = Field(min_length=1, max_length=1000, examples=["exports/contacts_2024.csv"])
    instruction: str = Field(max_length=10_000, examples=["Import into my contacts table"])
    target_table_name: str | None = Field(None, max_length=200, examples=["contacts"])
    callback_url: str | None = Field(None, max_length=2_000, examples=["https://your-app.example/webhooks/import"])
    callback_metadata: dict[str, Any] | None = Field(None, examples=[{"job_id": "abc123"}])
    thread_id: str | None = Field(None, max_length=200)
    accept_proposals: bool | None = Field(
        None, description="Whether columns that headers may mean are taken; without it such a file is refused."
    )


@router.post("/smart-import-b2", summary="Import a file from object storage")
async def smart_import_b2(
    http: Request, caller: CallerDep, background: BackgroundServiceDep, body: ObjectBody
) -> ImportResult | PendingImport:
    """Imports a file that is in the server's object storage already, as `smart-import` does."""
    work = background.import_object(
        caller,
        body.file_name,
        body.instruction,
        table=body.target_table_name,
        thread_id=body.thread_id,
        callback_url=body.callback_url,
        metadata=body.callback_metadata,
        accept_proposals=body.accept_proposals,
    )
    # An import that runs later is accepted quickly, and runs even if the client disconnects.
    return await (work if body.callback_url else while_connected(http, work))


@router.post("/smart-import/preview", responses=answer(Preview), summary="Preview an import")
async def preview_import(
    http: Request,
    caller: CallerDep,
    imports: ImportServiceDep,
    file: FileField,
    instruction: InstructionField,
    thread_id: ThreadField = None,
    accept_proposals: ProposalsField = None,
) -> Response:
    """Plans an import: columns, types, key, duplicates and problems. Writes nothing."""
    path, name = received(file)
    request = ImportRequest(path, name, instruction, thread_id, accept_proposals=accept_proposals)
    return exact_json(await while_connected(http, imports.preview(caller, request)))


@router.get("/import-history", summary="List imports")
async def import_history(
    caller: CallerDep,
    history: HistoryServiceDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Results of a page.")] = 10,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Results to skip.")] = 0,
    table_name: Annotated[str | None, Query(description="Only imports into this table.")] = None,
    status: Annotated[str | None, Query(description="Only imports with this status.")] = None,
    waiting: Annotated[
        bool | None, Query(description="Only imports with issues that wait for a decision; false: only those without.")
    ] = None,
    search: Annotated[
        str | None, Query(max_length=1000, description="Text in the name of the file or the table, in any case.")
    ] = None,
    sort: Annotated[str | None, Query(max_length=100, description=described(IMPORT_FIELDS))] = None,
) -> ImportPage:
    """Lists imports of your organization, newest first by default, and counts all imports that wait for decisions."""
    return await history.list(caller, table_name, status, limit, offset, waiting=waiting, search=search, sort=sort)


@router.get("/import-history/{import_id}", responses=answer(ImportDetailView), summary="Get an import")
async def get_import(caller: CallerDep, history: HistoryServiceDep, import_id: str) -> Response:
    """Returns all details of one import, its plan included."""
    # No member of a class can be called so.
    return exact_json({"success": True, "import": await history.get(caller, import_id)})


@router.get("/import/{import_id}", summary="Progress of an import")
async def import_progress(caller: CallerDep, history: HistoryServiceDep, import_id: str) -> Progress:
    """Returns status, stage and number of records so far."""
    return await history.progress(caller, import_id)


@router.get(
    "/import/{import_id}/progress",
    summary="Stream the progress of an import",
    response_class=StreamingResponse,
    responses=events(progress={"$ref": "#/components/schemas/ProgressView"}),
)
async def stream_progress(caller: CallerDep, history: HistoryServiceDep, import_id: str) -> StreamingResponse:
    """Streams Server-Sent Events `progress` until the import ends."""
    following = await history.follow(caller, import_id)
    return FileResponse(following, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})


@router.get(
    "/import/{import_id}/export",
    summary="Export an import as CSV",
    response_class=StreamingResponse,
    responses=export(Output.CSV),
)
async def export_import(
    caller: CallerDep,
    history: HistoryServiceDep,
    import_id: str,
    include_metadata: Annotated[bool, Query(description="Also Atlas's own columns.")] = False,
    safe: Annotated[bool, Query(description="Put an apostrophe before texts that a spreadsheet would run.")] = False,
) -> StreamingResponse:
    """Exports all rows that the import brought, except archived rows."""
    file = await history.export(caller, import_id, metadata=include_metadata, safe=safe)
    headers = {
        "X-Rows-Count": str(file.rows),
        "X-Table-Name": quote(file.table_name),
        "Content-Disposition": f'attachment; filename="{import_id}.csv"',
    }
    return FileResponse(file.chunks, media_type=MEDIA_TYPES[Output.CSV], headers=headers)
