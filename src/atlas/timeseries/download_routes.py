"""Rows as files, streams and aggregates."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from atlas.accounts.access import Caller
from atlas.accounts.dependencies import CallerDep
from atlas.contract.rows import Aggregated, LatestRows, ReplacedRows, SeriesPage, StoredRow
from atlas.errors import BadRequestError
from atlas.kit.file_formats import Output
from atlas.kit.workbooks import begun
from atlas.timeseries.parameters import ByParam, ColumnsParam, DatasetParam, KnownAtParam, RangeParam, WhereParam
from atlas.timeseries.read.aggregates import SummaryService
from atlas.timeseries.read.bucket_requests import BucketRequest
from atlas.timeseries.read.latest import Found
from atlas.timeseries.read.service import RANGED, Download, ReadService
from atlas.timeseries.stream import StreamService
from atlas.web.contract_route import json_response
from atlas.web.error_schemas import ERRORS, ErrorView
from atlas.web.exception_handlers import problem
from atlas.web.json_route import JsonRoute
from atlas.web.media_types import media_type_for
from atlas.web.openapi.responses import EVENT_STREAM, answer, download, errors, events, members
from atlas.web.paging import links
from atlas.web.provided import provided
from atlas.web.ranges import HEAD, FileResponse, UnsatisfiableError, held_tag, part, wanted

ReadServiceDep = Annotated[ReadService, provided(ReadService)]
StreamServiceDep = Annotated[StreamService, provided(StreamService)]
SummaryServiceDep = Annotated[SummaryService, provided(SummaryService)]

router = APIRouter(route_class=JsonRoute, prefix="/api/rows", tags=["Rows"], responses=ERRORS)

IfNoneMatch = Annotated[
    str | None, Header(description="ETag of the file that you have; the answer is 304 if it is still the same.")
]


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


async def _send_part(request: Request, reads: ReadService, caller: Caller, file: Download) -> Response:
    """Answers with the requested byte range of a file, or with the whole file when no range is requested."""
    head, span = bool(request.scope["state"].get(HEAD)), wanted(request.headers)
    held = held_tag(request.headers)
    headers = _headers(file, file.etag, attach=True)
    if not head and span is None:
        return FileResponse(file.chunks(), media_type=file.media_type, headers=headers | {"Accept-Ranges": "bytes"})
    whole = await reads.rendered(caller, file, held, anew=head)
    if whole is None:
        return FileResponse(file.chunks(), media_type=file.media_type, headers=headers | {"Accept-Ranges": "none"})
    headers |= {"ETag": whole.key.tag, "Accept-Ranges": "bytes"}
    start, end, status = 0, whole.size, 200
    if span is not None and not head and held in (None, whole.key.tag):
        status = 206
        try:
            start, end = part(span, whole.size)
        except UnsatisfiableError:
            range_headers = {"Content-Range": f"bytes */{whole.size}", "Accept-Ranges": "bytes"}
            return problem(
                request.url.path, 416, "Range not satisfiable", f"the file has {whole.size} bytes", range_headers
            )
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
    reads: ReadServiceDep,
    span: RangeParam,
    columns: ColumnsParam,
    where: WhereParam,
    output: Annotated[Output, Query(description="Format of the download.")] = Output.JSON,
    shape: Annotated[
        Literal["flat", "nested"], Query(description="JSON rows: keys beside `timestamp`, or in `values`.")
    ] = "flat",
    safe: Annotated[
        bool, Query(description="CSV: put an apostrophe before texts that a spreadsheet would run.")
    ] = False,
    known: KnownAtParam = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Downloads every row of the range in order of time, as the dataset is at this moment, or was at another."""
    file = await reads.download(
        caller, dataset, span, output, names=columns, flat=shape == "flat", safe=safe, where=where, known=known
    )
    file = replace(file, media_type=media_type_for(request, file.media_type))
    if output in RANGED and not _unchanged(file.etag, if_none_match):
        return await _send_part(request, reads, caller, file)
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
    reads: ReadServiceDep,
    span: RangeParam,
    columns: ColumnsParam,
    where: WhereParam,
    limit: Annotated[int, Query(ge=1, le=2**62, description="How many of the most recent rows.")] = 1000,
    known: KnownAtParam = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Returns the most recent rows in ascending order, as NDJSON."""
    file = await reads.download(
        caller, dataset, span, Output.NDJSON, names=columns, last=limit, where=where, known=known
    )
    file = replace(file, media_type=media_type_for(request, file.media_type))
    return _send(file, if_none_match, attach=False)


@router.get(
    "/stream/",
    summary="Stream new rows",
    response_class=StreamingResponse,
    responses=events(
        connected=members(dataset_id="integer", message="string"),
        data=members(timestamp="string"),
        correction=members(timestamp="string"),
        heartbeat=members(timestamp="string"),
        error=members(error="string"),
    ),
)
async def stream_rows(
    caller: CallerDep,
    dataset: DatasetParam,
    streams: StreamServiceDep,
    where: WhereParam,
    poll_interval: Annotated[
        int, Query(ge=1, le=3600, description="Seconds between heartbeats while there is no new row.")
    ] = 2,
    last_event_id: Annotated[str | None, Header(description="Id of the last event that you saw.")] = None,
) -> Response:
    """Streams Server-Sent Events: `connected`, then `data` for each new row, and `heartbeat` while there is
    no new row. A row that replaces others is a `correction`.
    """
    following = await streams.open(caller, dataset, poll_interval, last_event_id, where)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return FileResponse(following, media_type=EVENT_STREAM, headers=headers)


def _page(request: Request, found: Found, limit: int, offset: int) -> Response:
    following, previous = links(request, found.count, limit, offset)
    head = msgspec.json.encode({"count": found.count, "next": following, "previous": previous})
    return Response(head[:-1] + b',"results":[' + found.rows + b"]}", media_type="application/json")


SeriesLimit = Annotated[int, Query(ge=1, le=100_000, description="Series of a page.")]
SeriesOffset = Annotated[int, Query(ge=0, le=2**31, description="Series to skip.")]


@router.get("/latest/", responses=answer(StoredRow | LatestRows), summary="Latest row")
async def latest_row(
    request: Request,
    caller: CallerDep,
    dataset: DatasetParam,
    summaries: SummaryServiceDep,
    where: WhereParam,
    by: ByParam,
    limit: SeriesLimit = 10_000,
    offset: SeriesOffset = 0,
    known: KnownAtParam = None,
) -> Response:
    """Returns the row with the greatest timestamp. Of several such rows, the last inserted row wins.

    With `by`, returns a page with the latest row of each series, as of now only.
    """
    if by and known is not None:
        raise BadRequestError("Invalid parameter", "known_at: not with by; ask for each series by where")
    if by:
        found = await summaries.latest_by(caller, dataset, by, where, limit, offset)
        return _page(request, found, limit, offset)
    row = await summaries.latest(caller, dataset, where, known)
    return Response(row, media_type="application/json")


@router.get("/series/", responses=answer(SeriesPage), summary="List series")
async def list_series(
    request: Request,
    caller: CallerDep,
    dataset: DatasetParam,
    summaries: SummaryServiceDep,
    where: WhereParam,
    by: ByParam,
    search: Annotated[str | None, Query(max_length=600, description="Text within a key, in any case.")] = None,
    limit: SeriesLimit = 250,
    offset: SeriesOffset = 0,
) -> Response:
    """Lists the series of a dataset in order of their keys, each with the time of its latest row."""
    found = await summaries.series(caller, dataset, by, where, search, limit, offset)
    return _page(request, found, limit, offset)


@router.get("/history/", responses=answer(ReplacedRows), summary="Replaced rows")
async def replaced_rows(
    request: Request,
    caller: CallerDep,
    dataset: DatasetParam,
    summaries: SummaryServiceDep,
    span: RangeParam,
    where: WhereParam,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Rows of a page.")] = 250,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Rows to skip.")] = 0,
) -> Response:
    """Returns replaced rows in order of time, each with the time and the number of its replacement."""
    found = await summaries.history(caller, dataset, span, where, limit, offset)
    return _page(request, found, limit, offset)


@router.get("/aggregate/", summary="Aggregate by time bucket", responses=answer(Aggregated))
async def aggregate_rows(
    caller: CallerDep,
    dataset: DatasetParam,
    summaries: SummaryServiceDep,
    span: RangeParam,
    columns: ColumnsParam,
    where: WhereParam,
    by: ByParam,
    bucket: Annotated[
        str, Query(description="Width: a number and s, m, h, d or w, or a word; `month`, `quarter`, `year`; `auto`.")
    ] = "auto",
    functions: Annotated[
        str,
        Query(
            description="Any of count, min, max, avg, sum, first, last, ohlc, vwap, median, p95, quantile:0.99, "
            "stddev, delta, rate, twa, separated by commas."
        ),
    ] = "count,min,max,avg",
    points: Annotated[int, Query(ge=1, le=10_000, description="Most buckets of an `auto` width.")] = 500,
    timezone: Annotated[
        str | None, Query(description="Days, weeks, months and hours of this zone, such as `Europe/Berlin`.")
    ] = None,
    first_weekday: Annotated[str | None, Query(description="With what day weeks begin: `monday`, `sunday`, …")] = None,
    fill: Annotated[
        str | None,
        Query(description="Buckets without rows, too, with `null`, or values by `previous`, `linear` or `zero`."),
    ] = None,
    window: Annotated[
        int, Query(ge=1, le=10_000, description="Number of buckets of a figure: each, and those before it.")
    ] = 1,
    price: Annotated[str | None, Query(description="Column of prices for `vwap`, if not `price` or `close`.")] = None,
    volume: Annotated[str | None, Query(description="Column of volumes for `vwap`, if not `volume`.")] = None,
    known: KnownAtParam = None,
) -> Response:
    """Aggregates rows by time bucket, for charts.

    Each bucket with rows has one result, in order of time. Only numeric columns are aggregated. With `by`, each series
    has its own results, one series after the other.
    """
    calendar = timezone, first_weekday, fill
    wanted = BucketRequest(bucket, functions, points, where, by, *calendar, window, price, volume, known)
    return json_response(await summaries.aggregate(caller, dataset, span, columns, wanted))
