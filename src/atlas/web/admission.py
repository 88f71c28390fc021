"""Chooses the lane of a request from its route and size, once its caller is known and before its body is read."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from atlas.kit.admission import Lane, Lanes, Requester

# Inserts up to SMALL_BODY bytes take little work. A compressed body may unpack to much more than its size.
SMALL_BODY, SMALL_ENCODED_BODY = 256 * 1024, 16 * 1024
# Requests that match none of these routes are reads and small changes.
STREAM = ("GET", "/api/rows/stream/")
INSERT, DELETE = ("POST", "/api/rows/"), ("DELETE", "/api/rows/")
# A preview reads its body as an insert does.
BULK = {("POST", "/api/rows/bulk_insert/"), ("POST", "/api/rows/preview/")}
BULK |= {("POST", "/api/v2/write/"), ("POST", "/api/write/")}
DOWNLOADS = {
    ("GET", "/api/rows/bulk_download/"),
    ("GET", "/api/rows/live/"),
    ("POST", "/api/rows/align/"),
    ("GET", "/api/v1/import/{import_id}/export"),
    ("GET", "/api/v1/tables/{table_name}/export"),
}
SQL = ("POST", "/api/v1/sql")
QUESTIONS = {
    ("POST", "/api/v1/query"),
    ("POST", "/api/v1/generate-sql"),
    ("POST", "/api/v1/verified-questions"),
    ("PUT", "/api/v1/verified-questions/{verified_id}"),
    ("POST", "/api/v1/settings/model/test"),
}


def lane_of(scope: Scope, lanes: Lanes) -> Lane | None:
    """Returns the lane of a routed request; None for a stream, which has its own limit."""
    route = (scope["method"], getattr(scope.get("route"), "path", ""))
    if route == STREAM:
        return None
    if route == INSERT or (route in BULK and is_small(Headers(scope=scope))):
        return lanes.small_inserts
    if route in BULK or route == DELETE:
        return lanes.inserts
    if route in DOWNLOADS:
        return lanes.downloads
    if route == SQL:
        return lanes.sql
    return lanes.questions if route in QUESTIONS else lanes.reads


def is_small(headers: Headers) -> bool:
    """Tells by the headers whether a body is so small that its insert takes little."""
    length = headers.get("content-length", "")
    limit = SMALL_ENCODED_BODY if headers.get("content-encoding", "identity") != "identity" else SMALL_BODY
    return length.isdigit() and int(length) <= limit


async def admit(scope: Scope, lane: Lane | None, who: Requester) -> None:
    """Takes a slot for the whole request, unless the request has a slot.

    Raises RateLimitedError or OverloadedError as `Lane.enter` does.
    """
    state = scope["state"]
    if lane is not None and "slot" not in state:
        await lane.enter(who)
        state["slot"] = (lane, who)


def release(scope: Scope) -> None:
    """Gives the request's slot back, if the request has one."""
    if (held := scope["state"].pop("slot", None)) is not None:
        lane, who = held
        lane.leave(who)
