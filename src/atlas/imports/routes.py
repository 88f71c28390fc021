"""Imports: run, preview, history, progress, export."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from atlas.errors import BadRequestError
from atlas.imports.background import parse_metadata
from atlas.imports.schemas import HistoryView, ImportDetailView, ProgressView
from atlas.imports.service import ImportRequest
from atlas.kit.sorting import IMPORT_FIELDS, described
from atlas.timeseries.formats import MEDIA_TYPES, Output
from atlas.timeseries.schemas import Body
from atlas.web.content_schemas import CONTENT_ERRORS, ImportView, PendingView, PreviewView
from atlas.web.dependencies import CallerDep, ServicesDep
from atlas.web.disconnect import while_connected
from atlas.web.exact_json import exact_json
from atlas.web.json_route import JsonRoute
from atlas.web.openapi.responses import EVENT_STREAM, answer, events, export
from atlas.web.ranges import FileResponse

router = APIRouter(route_class=JsonRoute, prefix="/api/v1", tags=["Imports"], responses=CONTENT_ERRORS)

FileField = Annotated[UploadFile, File(description="CSV, Excel, JSON, XML or Parquet; gz or zip of one.")]
InstructionField = Annotated[
    str,
    Form(max_length=10_000, description="What to do, in plain words.", examples=["Import this into my leads table"]),
]
ThreadField = Annotated[
    str | None, Form(max_length=200, description="Conversation id; `now the same for this file` refers to it.")
]

ProposalsField = Annotated[
    bool | None,
    Form(description="Whether columns that headers may mean are taken; without it the import asks (400)."),
]


@contextlib.asynccontextmanager
async def received(file: UploadFile) -> AsyncIterator[tuple[Path, str]]:
    """An uploaded file on disk, and its name."""
    name = (file.filename or "").replace("\0", "").strip()
    if not name:
        raise BadRequestError("Invalid file", "file: a file with a name is required")
    with tempfile.NamedTemporaryFile(prefix="atlas-upload-", delete=False) as target:
        path = Path(target.name)
        try:
            await asyncio.to_thread(shutil.copyfileobj, file.file, target, 1024 * 1024)
            target.close()
            yield path, name[-200:]
        finally:
            target.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)


@router.post(
    "/smart-import", response_model=ImportView | PendingView, response_model_exclude_unset=True, summary="Import a file"
)
async def smart_import(
    http: Request,
    caller: CallerDep,
    services: ServicesDep,
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
) -> dict[str, Any]:
    """Imports a file by a plain-English instruction: all of it is committed, or nothing."""
    metadata = parse_metadata(callback_metadata)
    async with received(file) as (path, name):
        request = ImportRequest(
            path, name, instruction, thread_id, import_id=import_id, accept_proposals=accept_proposals
        )
        if callback_url:
            return await services.background.submit(caller, request, callback_url, metadata)
        return await while_connected(http, services.imports.run(caller, request))


class ObjectBody(Body):
    """A file in object storage and what to do with it."""

    file_name: str = Field(min_length=1, max_length=1000, examples=["exports/contacts_2024.csv"])
    instruction: str = Field(max_length=10_000, examples=["Import into my contacts table"])
    target_table_name: str | None = Field(None, max_length=200, examples=["contacts"])
    callback_url: str | None = Field(None, max_length=2_000, examples=["https://your-app.example/webhooks/import"])
    callback_metadata: dict[str, Any] | None = Field(None, examples=[{"job_id": "abc123"}])
    thread_id: str | None = Field(None, max_length=200)
    accept_proposals: bool | None = Field(
        None, description="Whether columns that headers may mean are taken; without it such a file is refused."
    )


@router.post(
    "/smart-import-b2",
    response_model=ImportView | PendingView,
    response_model_exclude_unset=True,
    summary="Import a file from object storage",
)
async def smart_import_b2(http: Request, caller: CallerDep, services: ServicesDep, body: ObjectBody) -> dict[str, Any]:
    """As `smart-import`, for a file that is in the server's object storage already."""
    work = services.background.import_object(
        caller,
        body.file_name,
        body.instruction,
        table=body.target_table_name,
        thread_id=body.thread_id,
        callback_url=body.callback_url,
        metadata=body.callback_metadata,
        accept_proposals=body.accept_proposals,
    )
    # What is to run later is quickly taken, and runs whoever waits.
    return await (work if body.callback_url else while_connected(http, work))


@router.post("/smart-import/preview", responses=answer(PreviewView), summary="Preview an import")
async def preview_import(
    http: Request,
    caller: CallerDep,
    services: ServicesDep,
    file: FileField,
    instruction: InstructionField,
    thread_id: ThreadField = None,
    accept_proposals: ProposalsField = None,
) -> Response:
    """The plan of an import: columns, types, key, duplicates and problems. Writes nothing."""
    async with received(file) as (path, name):
        request = ImportRequest(path, name, instruction, thread_id, accept_proposals=accept_proposals)
        return exact_json(await while_connected(http, services.imports.preview(caller, request)))


@router.get("/import-history", responses=answer(HistoryView), summary="List imports")
async def import_history(
    caller: CallerDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Results of a page.")] = 10,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Results to skip.")] = 0,
    table_name: Annotated[str | None, Query(description="Only imports into this table.")] = None,
    status: Annotated[str | None, Query(description="Only imports with this status.")] = None,
    waiting: Annotated[
        bool | None, Query(description="Only imports with issues that wait for a decision; false: only those without.")
    ] = None,
    sort: Annotated[str | None, Query(max_length=100, description=described(IMPORT_FIELDS))] = None,
) -> dict[str, Any]:
    """Imports of your organization, newest first unless you say otherwise, and how many of all wait for decisions."""
    return await services.history.list(caller, table_name, status, limit, offset, waiting=waiting, sort=sort)


@router.get("/import-history/{import_id}", responses=answer(ImportDetailView), summary="Get an import")
async def get_import(caller: CallerDep, services: ServicesDep, import_id: str) -> dict[str, Any]:
    """Everything known of one import, its plan included."""
    return await services.history.get(caller, import_id)


@router.get("/import/{import_id}", responses=answer(ProgressView), summary="Progress of an import")
async def import_progress(caller: CallerDep, services: ServicesDep, import_id: str) -> dict[str, Any]:
    """Status, stage and records so far."""
    return await services.history.progress(caller, import_id)


@router.get(
    "/import/{import_id}/progress",
    summary="Stream the progress of an import",
    response_class=StreamingResponse,
    responses=events(progress={"$ref": "#/components/schemas/ProgressView"}),
)
async def stream_progress(caller: CallerDep, services: ServicesDep, import_id: str) -> StreamingResponse:
    """Server-Sent Events `progress` until the import ends."""
    following = await services.history.follow(caller, import_id)
    return FileResponse(following, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})


@router.get(
    "/import/{import_id}/export",
    summary="Export an import as CSV",
    response_class=StreamingResponse,
    responses=export(Output.CSV),
)
async def export_import(
    caller: CallerDep,
    services: ServicesDep,
    import_id: str,
    include_metadata: Annotated[bool, Query(description="Also Atlas's own columns.")] = False,
    safe: Annotated[bool, Query(description="Put an apostrophe before texts that a spreadsheet would run.")] = False,
) -> StreamingResponse:
    """All rows that the import brought and that are not archived."""
    file = await services.history.export(caller, import_id, metadata=include_metadata, safe=safe)
    headers = {
        "X-Rows-Count": str(file.rows),
        "X-Table-Name": quote(file.table_name),
        "Content-Disposition": f'attachment; filename="{import_id}.csv"',
    }
    return FileResponse(file.chunks, media_type=MEDIA_TYPES[Output.CSV], headers=headers)
