"""Rows: query, insert, bulk insert, delete, download, live, stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from atlas.accounts.access import Caller
from atlas.errors import BadRequestError
from atlas.kit.timestamps import EPOCHS
from atlas.kit.workbooks import begun
from atlas.timeseries.formats import Output
from atlas.timeseries.ingest.bodies import MEDIA_TYPES, BodyFormat, body_charset, body_format
from atlas.timeseries.ingest.service import BulkRequest
from atlas.timeseries.paging import links
from atlas.timeseries.read.service import RANGED, Download
from atlas.timeseries.schemas import (
    ERRORS,
    AggregateView,
    BulkBody,
    DeletedView,
    ErrorView,
    InsertedView,
    RowBody,
    RowPage,
    RowsPreviewView,
    RowView,
    body_schema,
)
from atlas.web.dependencies import (
    CallerDep,
    ColumnsParam,
    DatasetParam,
    EpochParam,
    RangeParam,
    Services,
    ServicesDep,
    column_names,
    time_range,
)
from atlas.web.exception_handlers import problem
from atlas.web.fast_path import direct, known, plain_query
from atlas.web.json_route import JsonRoute, bounded_body
from atlas.web.media_types import BYTES, media_type_for
from atlas.web.openapi.responses import EVENT_STREAM, answer, download, errors, events, members
from atlas.web.ranges import HEAD, FileResponse, UnsatisfiableError, held_tag, part, wanted

router = APIRouter(route_class=JsonRoute, prefix="/api/rows", tags=["Rows"], responses=ERRORS)

PAGE_ROWS = 250
IdempotencyHeader = Annotated[
    str | None, Header(description="A text of your choice that makes a repeated insert safe.")
]
IfNoneMatch = Annotated[
    str | None, Header(description="ETag of the file that you have; the answer is 304 if it is still the same.")
]
BodyFormatParam = Annotated[
    BodyFormat | None, Query(description="Format of a body that is sent as `application/octet-stream`.")
]
Ordering = Annotated[
    Literal["timestamp", "-timestamp"], Query(description="`timestamp` ascending, `-timestamp` descending.")
]


async def query_rows(
    request: Request,
    caller: CallerDep,
    dataset: DatasetParam,
    services: ServicesDep,
    span: RangeParam,
    columns: ColumnsParam,
    ordering: Ordering = "timestamp",
    limit: Annotated[int, Query(ge=1, description="Rows of a page.")] = PAGE_ROWS,
    offset: Annotated[int, Query(ge=0, le=2**62, description="Rows to skip.")] = 0,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Rows in order of time, with how many there are in the range."""
    most = request.app.state.settings.max_page_rows
    if limit > most:
        raise BadRequestError("Invalid parameter", f"limit: at most {most}; use bulk_download for more")
    page = await services.reads.page(
        caller,
        dataset,
        span,
        descending=ordering == "-timestamp",
        limit=limit,
        offset=offset,
        cursor=cursor,
        names=columns,
    )
    following, previous = (None, None) if cursor else links(request, page.count, limit, offset)
    head = {"count": page.count, "next": following, "previous": previous, "next_cursor": page.cursor}
    body = msgspec.json.encode(head)[:-1] + b',"results":[' + page.rows + b"]}"
    return Response(body, media_type="application/json")


async def _query_rows(request: Request) -> Response | None:
    given = plain_query(
        request,
        numbers=("dataset", "limit", "offset"),
        texts=("start", "end", "columns", "ordering", "cursor", "epoch"),
    )
    if given is None or "dataset" not in given or given.get("limit") == 0:
        return None
    ordering = given.get("ordering", "timestamp")
    if ordering not in ("timestamp", "-timestamp") or given.get("epoch", "s") not in EPOCHS:
        return None
    bundle, found = await known(request)
    span = await time_range(given.get("start"), given.get("end"), given.get("epoch"))
    names = await column_names([given["columns"]] if "columns" in given else None)
    return await query_rows(
        request,
        found,
        given["dataset"],
        bundle,
        span,
        names,
        ordering,
        given.get("limit", PAGE_ROWS),
        given.get("offset", 0),
        given.get("cursor"),
    )


router.add_api_route(
    "/",
    query_rows,
    methods=["GET"],
    response_model=RowPage,
    summary="Query rows",
    route_class_override=direct(_query_rows),
)


async def insert_row(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    epoch: EpochParam = None,
    idempotency_key: IdempotencyHeader = None,
) -> Response:
    """Inserts one row. Owner only."""
    encoding = request.headers.get("content-encoding")
    stored = await services.rows.insert_one(caller, await bounded_body(request), idempotency_key, encoding, epoch)
    return Response(msgspec.json.encode(stored), status_code=201, media_type="application/json")


async def _insert_row(request: Request) -> Response | None:
    if request.scope["query_string"]:
        return None
    bundle, found = await known(request)
    return await insert_row(request, found, bundle, None, request.headers.get("idempotency-key"))


router.add_api_route(
    "/",
    insert_row,
    methods=["POST"],
    response_model=RowView,
    status_code=201,
    summary="Insert a row",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": body_schema(RowBody)}}}
    },
    route_class_override=direct(_insert_row),
)


def _bulk_request(
    request: Request,
    dataset: int | None,
    column: str | None,
    layout: str | None,
    key: str | None,
    epoch: str | None,
    form: BodyFormat | None,
) -> BulkRequest:
    if layout and epoch:
        raise BadRequestError("Invalid parameter", "epoch: timestamp_format says already how timestamps are written")
    media = request.headers.get("content-type")
    found = body_format(media, form)
    encoding, charset = request.headers.get("content-encoding"), body_charset(media, found)
    return BulkRequest(found, encoding, dataset, column, layout, key, charset, epoch)


async def bulk_insert(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    dataset: Annotated[int | None, Query(description="Dataset ID; needed unless the body is JSON.")] = None,
    timestamp_column: Annotated[
        str | None, Query(description="Column with the timestamp (CSV, Parquet, Arrow).")
    ] = None,
    timestamp_format: Annotated[
        str | None, Query(description="strptime format of a CSV's timestamps, if not ISO 8601.")
    ] = None,
    epoch: EpochParam = None,
    idempotency_key: IdempotencyHeader = None,
    format: BodyFormatParam = None,
) -> dict[str, int | str]:
    """All rows or none. JSON, NDJSON, CSV, Parquet or Arrow, by Content-Type; gzip or zstd. Owner only."""
    details = _bulk_request(request, dataset, timestamp_column, timestamp_format, idempotency_key, epoch, format)
    return await services.rows.insert_many(caller, details, request.stream())


# Generators make methods for the first two; what else is taken stands beside them, as it may not be left out.
BULK_BODY = {
    "required": True,
    "description": "JSON; or any format as bytes, named by `format`, or by its own media type (`x-media-types`).",
    "content": {
        "application/json": {"schema": body_schema(BulkBody)},
        BYTES: {"schema": {"type": "string", "format": "binary"}},
    },
    "x-media-types": {media: form.value for media, form in MEDIA_TYPES.items()},
}


async def _bulk_insert(request: Request) -> Response | None:
    given = plain_query(request, numbers=("dataset",))
    if given is None:
        return None
    bundle, found = await known(request)
    key = request.headers.get("idempotency-key")
    stored = await bulk_insert(request, found, bundle, given.get("dataset"), None, None, None, key)
    return Response(msgspec.json.encode(stored), media_type="application/json")


router.add_api_route(
    "/bulk_insert/",
    bulk_insert,
    methods=["POST"],
    response_model=InsertedView,
    response_model_exclude_unset=True,
    summary="Insert many rows",
    openapi_extra={"requestBody": BULK_BODY},
    route_class_override=direct(_bulk_insert),
)


@router.post(
    "/preview/",
    responses=answer(RowsPreviewView),
    summary="Preview rows",
    openapi_extra={"requestBody": BULK_BODY},
)
async def preview_rows(
    request: Request,
    caller: CallerDep,
    services: ServicesDep,
    dataset: Annotated[
        int | None, Query(description="Dataset ID; without it, as for a dataset that is still to be made.")
    ] = None,
    timestamp_column: Annotated[
        str | None, Query(description="Column with the timestamp (CSV, Parquet, Arrow).")
    ] = None,
    timestamp_format: Annotated[
        str | None, Query(description="strptime format of a CSV's timestamps, if not ISO 8601.")
    ] = None,
    epoch: EpochParam = None,
    format: BodyFormatParam = None,
) -> Response:
    """What a bulk insert of this body would store: rows, times, columns with their types. Stores nothing."""
    details = _bulk_request(request, dataset, timestamp_column, timestamp_format, None, epoch, format)
    found = await services.rows.preview(caller, details, request.stream())
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.delete("/", response_model=DeletedView, summary="Delete a range of rows")
async def delete_rows(
    caller: CallerDep,
    dataset: DatasetParam,
    services: ServicesDep,
    span: RangeParam,
    start: str | None = None,
    end: str | None = None,
) -> dict[str, int]:
    """Removes the rows from start to end, both inclusive and at least one given. Owner only."""
    if start is None and end is None:
        raise BadRequestError("Missing parameter", "start, end: give at least one")
    deleted = await services.rows.delete(caller, dataset, span)
    services.reads.files.forget(dataset)
    return deleted


def _unchanged(etag: str, if_none_match: str | None) -> bool:
    held = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag in held or "*" in held


def _headers(file: Download, etag: str, *, attach: bool) -> dict[str, str]:
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept"}
    return headers | ({"Content-Disposition": f'attachment; filename="{file.name}"'} if attach else {})


def _send(file: Download, if_none_match: str | None, *, attach: bool) -> Response:
    if _unchanged(file.etag, if_none_match):
        return Response(status_code=304, headers=_headers(file, file.etag, attach=False))
    headers = _headers(file, file.etag, attach=attach) | {"Accept-Ranges": "none"}
    return FileResponse(file.chunks(), media_type=file.media_type, headers=headers)


async def _send_part(request: Request, services: Services, caller: Caller, file: Download) -> Response:
    """A file of which parts may be had: the part that is asked for, else all of it."""
    head, span = bool(request.scope["state"].get(HEAD)), wanted(request.headers)
    held = held_tag(request.headers)
    headers = _headers(file, file.etag, attach=True)
    if not head and span is None:
        return FileResponse(file.chunks(), media_type=file.media_type, headers=headers | {"Accept-Ranges": "bytes"})
    whole = await services.reads.rendered(caller, file, held, anew=head)
    if whole is None:
        return FileResponse(file.chunks(), media_type=file.media_type, headers=headers | {"Accept-Ranges": "none"})
    headers |= {"ETag": whole.key.tag, "Accept-Ranges": "bytes"}
    start, end, status = 0, whole.size, 200
    if span is not None and not head and held in (None, whole.key.tag):
        status = 206
        try:
            start, end = part(span, whole.size)
        except UnsatisfiableError:
            told = {"Content-Range": f"bytes */{whole.size}", "Accept-Ranges": "bytes"}
            return problem(request.url.path, 416, "Range not satisfiable", f"the file has {whole.size} bytes", told)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{whole.size}"
    headers["Content-Length"] = str(end - start)
    return FileResponse(whole.pieces(start, end), status, media_type=file.media_type, headers=headers)


@router.get(
    "/bulk_download/",
    summary="Download rows",
    response_class=StreamingResponse,
    responses=download(*Output, ranged=RANGED) | errors(ErrorView, {416: "A range behind the end of the file"}),
)
async def bulk_download(
    request: Request,
    caller: CallerDep,
    dataset: DatasetParam,
    services: ServicesDep,
    span: RangeParam,
    columns: ColumnsParam,
    output: Annotated[Output, Query(description="Format of the download.")] = Output.JSON,
    shape: Annotated[
        Literal["flat", "nested"], Query(description="JSON rows: keys beside `timestamp`, or in `values`.")
    ] = "flat",
    safe: Annotated[
        bool, Query(description="CSV: put an apostrophe before texts that a spreadsheet would run.")
    ] = False,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Every row of the range in order of time, as the dataset is at this moment."""
    file = await services.reads.download(caller, dataset, span, output, names=columns, flat=shape == "flat", safe=safe)
    file = replace(file, media_type=media_type_for(request, file.media_type))
    if output in RANGED and not _unchanged(file.etag, if_none_match):
        return await _send_part(request, services, caller, file)
    if output is Output.XLSX and not _unchanged(file.etag, if_none_match) and not request.scope["state"].get(HEAD):
        chunks = await begun(file.chunks())
        file = replace(file, chunks=lambda: chunks)
    return _send(file, if_none_match, attach=True)


@router.get(
    "/live/",
    summary="Most recent rows",
    response_class=StreamingResponse,
    responses=download(Output.NDJSON, named=False),
)
async def live_rows(
    request: Request,
    caller: CallerDep,
    dataset: DatasetParam,
    services: ServicesDep,
    span: RangeParam,
    columns: ColumnsParam,
    limit: Annotated[int, Query(ge=1, le=2**62, description="How many of the most recent rows.")] = 1000,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The most recent rows in ascending order, as NDJSON."""
    file = await services.reads.download(caller, dataset, span, Output.NDJSON, names=columns, last=limit)
    file = replace(file, media_type=media_type_for(request, file.media_type))
    return _send(file, if_none_match, attach=False)


@router.get(
    "/stream/",
    summary="Stream new rows",
    response_class=StreamingResponse,
    responses=events(
        connected=members(dataset_id="integer", message="string"),
        data=members(timestamp="string"),
        heartbeat=members(timestamp="string"),
        error=members(error="string"),
    ),
)
async def stream_rows(
    caller: CallerDep,
    dataset: DatasetParam,
    services: ServicesDep,
    poll_interval: Annotated[
        int, Query(ge=1, le=3600, description="Seconds between heartbeats while there is no new row.")
    ] = 2,
    last_event_id: Annotated[str | None, Header(description="Id of the last event that you saw.")] = None,
) -> Response:
    """Server-Sent Events: `connected`, then `data` for each new row, `heartbeat` while there is none."""
    following = await services.streams.open(caller, dataset, poll_interval, last_event_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return FileResponse(following, media_type=EVENT_STREAM, headers=headers)


@router.get("/latest/", response_model=RowView, summary="Latest row")
async def latest_row(caller: CallerDep, dataset: DatasetParam, services: ServicesDep) -> Response:
    """The row with the greatest timestamp; of several, the one inserted last."""
    row = await services.summaries.latest(caller, dataset)
    return Response(row, media_type="application/json")


@router.get("/aggregate/", summary="Aggregate by time bucket", responses=answer(AggregateView))
async def aggregate_rows(
    caller: CallerDep,
    dataset: DatasetParam,
    services: ServicesDep,
    span: RangeParam,
    columns: ColumnsParam,
    bucket: Annotated[
        str, Query(description="Width: a number and s, m, h, d or w, or a word; `month`, `quarter`, `year`; `auto`.")
    ] = "auto",
    functions: Annotated[
        str, Query(description="Any of count, min, max, avg, sum, first, last, separated by commas.")
    ] = "count,min,max,avg",
    points: Annotated[int, Query(ge=1, le=10_000, description="Most buckets of an `auto` width.")] = 500,
) -> Response:
    """For charts: one result a bucket that has rows, in order of time, numeric columns only."""
    found = await services.summaries.aggregate(caller, dataset, span, columns, bucket, functions, points)
    return Response(msgspec.json.encode(found), media_type="application/json")
