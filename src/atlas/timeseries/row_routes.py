"""Rows: query, insert, bulk insert, delete."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response

from atlas.accounts.dependencies import CallerDep
from atlas.contract.rows import DeletedRows, InsertedRow, InsertedRows, PreviewedRows
from atlas.errors import BadRequestError
from atlas.timeseries.conflicts.model import Policy
from atlas.timeseries.ingest.bodies import MEDIA_TYPES, BodyFormat, body_charset, body_format
from atlas.timeseries.ingest.requests import BulkRequest
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.parameters import (
    ColumnsParam,
    DatasetParam,
    EpochParam,
    KnownAtParam,
    OnConflictParam,
    RangeParam,
    WhereParam,
)
from atlas.timeseries.read.service import ReadService
from atlas.timeseries.schemas import BulkBody, RowBody, RowPage
from atlas.web.admission import is_small
from atlas.web.bodies import body_schema
from atlas.web.contract_route import json_response
from atlas.web.disconnect import while_received_and_connected
from atlas.web.error_schemas import ERRORS, ErrorView
from atlas.web.fast_path import FastRoute
from atlas.web.json_route import JsonRoute, bounded_body
from atlas.web.media_types import BYTES
from atlas.web.openapi.responses import answer, errors
from atlas.web.paging import links
from atlas.web.provided import provided

ReadServiceDep = Annotated[ReadService, provided(ReadService)]
RowServiceDep = Annotated[RowService, provided(RowService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/rows", tags=["Rows"], responses=ERRORS)

PAGE_ROWS = 250
CONFLICT = errors(ErrorView, {409: "Rows are there already, and the policy for conflicts is reject"})
IdempotencyHeader = Annotated[
    str | None, Header(description="A text of your choice that makes a repeated insert safe.")
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
    reads: ReadServiceDep,
    span: RangeParam,
    columns: ColumnsParam,
    where: WhereParam,
    ordering: Ordering = "timestamp",
    limit: Annotated[int, Query(ge=1, description="Rows of a page.")] = PAGE_ROWS,
    offset: Annotated[int, Query(ge=0, le=2**62, description="Rows to skip.")] = 0,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    known: KnownAtParam = None,
) -> Response:
    """Returns a page of rows in order of time, and the number of rows in the range."""
    most = request.app.state.settings.max_page_rows
    if limit > most:
        raise BadRequestError("Invalid parameter", f"limit: at most {most}; use bulk_download for more")
    page = await reads.page(
        caller,
        dataset,
        span,
        descending=ordering == "-timestamp",
        limit=limit,
        offset=offset,
        cursor=cursor,
        names=columns,
        where=where,
        known=known,
    )
    following, previous = (None, None) if cursor else links(request, page.count, limit, offset)
    head = {"count": page.count, "next": following, "previous": previous, "next_cursor": page.cursor}
    body = msgspec.json.encode(head)[:-1] + b',"results":[' + page.rows + b"]}"
    return Response(body, media_type="application/json")


router.add_api_route(
    "/",
    query_rows,
    methods=["GET"],
    responses=answer(RowPage),
    summary="Query rows",
    route_class_override=FastRoute,
)


async def insert_row(
    request: Request,
    caller: CallerDep,
    rows: RowServiceDep,
    epoch: EpochParam = None,
    on_conflict: OnConflictParam = None,
    idempotency_key: IdempotencyHeader = None,
) -> InsertedRow:
    """Inserts one row. Owner only."""
    encoding = request.headers.get("content-encoding")
    return await rows.insert_one(caller, await bounded_body(request), idempotency_key, encoding, epoch, on_conflict)


router.add_api_route(
    "/",
    insert_row,
    methods=["POST"],
    status_code=201,
    summary="Insert a row",
    responses=CONFLICT,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": body_schema(RowBody)}}}
    },
    route_class_override=FastRoute,
)


def _bulk_request(
    request: Request,
    dataset: int | None,
    column: str | None,
    layout: str | None,
    key: str | None,
    epoch: str | None,
    form: BodyFormat | None,
    on_conflict: Policy | None = None,
) -> BulkRequest:
    if layout and epoch:
        raise BadRequestError("Invalid parameter", "epoch: timestamp_format says already how timestamps are written")
    media = request.headers.get("content-type")
    found = body_format(media, form)
    encoding, charset = request.headers.get("content-encoding"), body_charset(media, found)
    return BulkRequest(found, encoding, dataset, column, layout, key, charset, epoch, on_conflict)


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


async def bulk_insert(
    request: Request,
    caller: CallerDep,
    rows: RowServiceDep,
    dataset: Annotated[int | None, Query(description="Dataset ID; needed unless the body is JSON.")] = None,
    timestamp_column: Annotated[
        str | None, Query(description="Column with the timestamp (CSV, Parquet, Arrow).")
    ] = None,
    timestamp_format: Annotated[
        str | None, Query(description="strptime format of a CSV's timestamps, if not ISO 8601.")
    ] = None,
    epoch: EpochParam = None,
    on_conflict: OnConflictParam = None,
    idempotency_key: IdempotencyHeader = None,
    format: BodyFormatParam = None,
) -> InsertedRows:
    """Inserts all rows or none: JSON, NDJSON, CSV, Parquet or Arrow, by Content-Type, with gzip or zstd. Owner only."""
    details = _bulk_request(
        request, dataset, timestamp_column, timestamp_format, idempotency_key, epoch, format, on_conflict
    )
    if is_small(request.headers):
        # Stored before anybody could notice, in a group with others.
        return await rows.insert_many(caller, details, request.stream())
    return await while_received_and_connected(request, lambda body: rows.insert_many(caller, details, body))


router.add_api_route(
    "/bulk_insert/",
    bulk_insert,
    methods=["POST"],
    summary="Insert many rows",
    responses=CONFLICT,
    openapi_extra={"requestBody": BULK_BODY},
    route_class_override=FastRoute,
)


@router.post(
    "/preview/",
    responses=answer(PreviewedRows),
    summary="Preview rows",
    openapi_extra={"requestBody": BULK_BODY},
)
async def preview_rows(
    request: Request,
    caller: CallerDep,
    rows: RowServiceDep,
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
    """Returns what a bulk insert of this body would store: rows, times, columns with their types. Stores nothing."""
    details = _bulk_request(request, dataset, timestamp_column, timestamp_format, None, epoch, format)
    return json_response(await rows.preview(caller, details, request.stream()))


@router.delete("/", summary="Delete a range of rows")
async def delete_rows(
    caller: CallerDep,
    dataset: DatasetParam,
    reads: ReadServiceDep,
    rows: RowServiceDep,
    span: RangeParam,
    start: str | None = None,
    end: str | None = None,
    final: Annotated[
        bool, Query(description="Keep none of the rows for reads of earlier moments (`known_at`).")
    ] = False,
) -> DeletedRows:
    """Deletes the rows from start to end, both inclusive, with at least one given. Owner only."""
    if start is None and end is None:
        raise BadRequestError("Missing parameter", "start, end: give at least one")
    deleted = await rows.delete(caller, dataset, span, final=final)
    reads.files.forget(dataset)
    return deleted
