"""Writes as InfluxDB takes them, in both versions of its interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from atlas.accounts.dependencies import CallerDep
from atlas.timeseries.line_protocol.model import Fault
from atlas.timeseries.line_protocol.service import LineRequest, LineService, Written
from atlas.web.error_schemas import ERRORS, LineErrorView
from atlas.web.json_route import JsonRoute
from atlas.web.media_types import BYTES
from atlas.web.openapi.responses import errors
from atlas.web.provided import provided

LineServiceDep = Annotated[LineService, provided(LineService)]

router = APIRouter(route_class=JsonRoute, tags=["Rows"], responses=ERRORS)
LINES = {
    "requestBody": {
        "required": True,
        "description": "Lines, of whatever media type clients send, with gzip.",
        "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
    }
}
# Lines that an error shows.
_SHOWN = 20
Precision = Annotated[str, Query(description="Of the times: `ns`, `us`, `ms` or `s`.")]


@router.post(
    "/api/v2/write/",
    summary="Write line protocol",
    status_code=204,
    response_class=Response,
    openapi_extra=LINES,
    responses=errors(LineErrorView, {400: "Lines or parameters are wrong", 422: "Types of lines are others"}),
)
async def write_lines(
    request: Request,
    caller: CallerDep,
    lines: LineServiceDep,
    bucket: Annotated[str, Query(max_length=200, description="Keeps measurements of one name apart.")] = "",
    org: Annotated[str | None, Query(description="Taken, as clients send it; the key tells the organization.")] = None,
    precision: Precision = "ns",
) -> Response:
    """Stores points of line protocol, as InfluxDB 2 does: measurements are datasets, tags keys, fields columns."""
    written = await _write(request, caller, lines, bucket, precision)
    if not written.faults:
        return Response(status_code=204)
    conflict = all(fault.conflict for fault in written.faults)
    told = _told(written)
    body = {
        "error": "Lines are wrong",
        "details": told,
        "code": "unprocessable entity" if conflict else "invalid",
        "message": told,
        "line": written.faults[0].line,
    }
    return Response(msgspec.json.encode(body), 422 if conflict else 400, media_type="application/json")


@router.post(
    "/api/write/",
    summary="Write line protocol, first version",
    status_code=204,
    response_class=Response,
    openapi_extra=LINES,
)
async def write_lines_to_database(
    request: Request,
    caller: CallerDep,
    lines: LineServiceDep,
    db: Annotated[str, Query(max_length=200, description="Keeps measurements of one name apart.")] = "",
    rp: Annotated[str | None, Query(description="Taken, as clients send it.")] = None,
    consistency: Annotated[str | None, Query(description="Taken, as clients send it.")] = None,
    precision: Precision = "ns",
) -> Response:
    """Stores points of line protocol, as InfluxDB 1 does at `/write`, which leads here."""
    written = await _write(request, caller, lines, db, precision)
    if not written.faults:
        return Response(status_code=204)
    return Response(msgspec.json.encode({"error": _told(written)}), 400, media_type="application/json")


async def _write(request: Request, caller: CallerDep, lines: LineService, bucket: str, precision: str) -> Written:
    asked = LineRequest(bucket, precision, request.headers.get("content-encoding"))
    return await lines.write(caller, asked, request.stream())


def _told(written: Written) -> str:
    """Tells what became of the lines, and what is wrong with the first of them."""
    dropped = len(written.faults)
    said = "; ".join(_line(written.faults[:_SHOWN]))
    more = f"; and {dropped - _SHOWN} more" if dropped > _SHOWN else ""
    if not written.stored:
        return f"nothing was written: {said}{more}; {dropped} of {written.points} lines are wrong"
    return f"partial write: {said}{more} dropped={dropped} of {written.points}"


def _line(faults: Sequence[Fault]) -> list[str]:
    return [f"line {fault.line}: {fault.reason}" for fault in faults]
