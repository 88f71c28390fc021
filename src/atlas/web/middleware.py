"""Middleware around every request: its id, log line and metrics, the size limit, and unexpected errors."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import Collection, Iterable

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atlas.errors import AtlasError, DiskFullError, is_disk_full
from atlas.kit.processor_time import ProcessorTime, metered
from atlas.web.admission import release
from atlas.web.exception_handlers import problem
from atlas.web.gatekeeper import Account, Gatekeeper, Ledger
from atlas.web.hosts import wrong_host
from atlas.web.ranges import headless

log = structlog.get_logger()
REQUEST_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    # Pages set their own policy. Data must never run, or be shown within another page.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STOPPING = ("Server is stopping", "the request was cut off; try again")
# Seconds after which a client that has not sent its body is disconnected.
LINGER_SECONDS = 5.0
# Bytes of an unneeded body that are discarded after an answer: for an identified caller, and for a stranger.
LINGER_BYTES, LINGER_STRANGER_BYTES = 64 * 1024 * 1024, 1024 * 1024
# A declared body up to this size is discarded, so that its connection can be used again.
WORTH_BYTES = 64 * 1024
# Paths without their own routes for HEAD.
_LINES = ("/write", "/write/")
_HEADED = ("/api/", "/health", "/metrics")
_CLOSE = (b"connection", b"close")
_RAW_SECURITY_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _SECURITY_HEADERS.items()]
_HSTS = (b"strict-transport-security", b"max-age=31536000")
MOST_LABELS = 1_000
# A shared cache must not give one caller's data to another.
_NOT_SHARED = (b"cache-control", b"private, no-cache")


def last_resort(path: str, error: Exception, request_id: str) -> Response:
    """Builds the response to an unexpected exception."""
    if is_disk_full(error):
        full = DiskFullError()
        return problem(path, full.status, full.message, full.details)
    return problem(path, 500, "Internal server error", f"Request ID {request_id}")


def complete_headers(
    headers: Iterable[tuple[bytes, bytes]], scope: Scope, request_id: str
) -> list[tuple[bytes, bytes]]:
    """Adds the headers of every response where the response does not set them itself."""
    completed = [header for header in headers if header[0] != b"x-request-id"]
    present = {name for name, _ in completed}
    completed.append((b"x-request-id", request_id.encode("latin-1")))
    more = [_HSTS] if scope["scheme"] == "https" else []
    if scope["path"].startswith("/api/"):
        more.append(_NOT_SHARED)
    extra = scope["state"].get("extra_headers", {})
    more += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in extra.items()]
    completed += [header for header in (*more, *_RAW_SECURITY_HEADERS) if header[0] not in present]
    return completed


class Metrics:
    """The server's own metrics, in their own registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["method", "route", "status"]
        self.requests = Counter("atlas_requests", "Requests answered.", labels, registry=registry)
        self.seconds = Histogram(
            "atlas_request_seconds", "Seconds from request to end of response.", ["route"], registry=registry
        )
        self.active = Gauge("atlas_requests_active", "Requests under way.", registry=registry)
        # Finding the counters of a request by their labels takes longer than counting.
        self._counters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        """Counts and logs a request that has ended. status: 0 without an answer."""
        status = status or 499
        labels = scope["method"], getattr(scope.get("route"), "path", "unmatched"), status
        counters = self._counters.get(labels)
        if counters is None:
            method, route, _ = labels
            counters = self.requests.labels(method, route, str(status)), self.seconds.labels(route)
            if len(self._counters) < MOST_LABELS:
                self._counters[labels] = counters
        self.active.dec()
        counters[0].inc()
        counters[1].observe(seconds)
        log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(seconds * 1000, 1),
            request_id=request_id,
            key_id=scope.get("state", {}).get("key_id"),
        )


class SlashMiddleware:
    """Treats `/api/x` and `/api/x/` as the same path, without a redirect that would drop a body, and HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path in _LINES:
                # The path of InfluxDB's first version is none of the API's, so it would need no key.
                scope["path"] = path = "/api/write/"
            if path.startswith("/api/v1/") or path in ("/health/", "/metrics/"):
                scope["path"] = path.rstrip("/")
            elif path.startswith("/api/") and not path.endswith("/"):
                scope["path"] = path + "/"
            if scope["method"] == "HEAD" and path.startswith(_HEADED):
                send = headless(scope, send)
        await self._app(scope, receive, send)


class _Body:
    """A client's body, and whether the client still sends after its answer.

    A server that closes a connection with unread bytes resets the connection, and the client may never see the answer.
    """

    def __init__(self, receive: Receive, scope: Scope) -> None:
        self._receive = receive
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        self._size = int(length) if length.isdigit() and "transfer-encoding" not in headers else None
        self._ended = self._size == 0
        self._last = scope["http_version"] == "1.0" or headers.get("connection", "").lower() == "close"
        # A client that waits to be asked for its body (Expect) may never send the body.
        self._asks = "expect" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    def left(self) -> bool:
        """Returns whether the rest of the body is not worth reading. The connection then ends with this answer."""
        worth_it = self._size is not None and self._size <= WORTH_BYTES and not self._last and not self._asks
        return not self._ended and not worth_it

    async def drain(self, most: int) -> None:
        """Discards up to `most` bytes of the rest, for at most 5 seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._ended and most > 0:
                    most -= len((await self.receive()).get("body", b""))


class RequestMiddleware:
    """Gives each request an id, logs and counts it, limits its body, and hides unexpected errors."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        gatekeeper: Gatekeeper,
        ledger: Ledger,
        max_body: int,
        hosts: Collection[str] = (),
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._gatekeeper = gatekeeper
        self._ledger = ledger
        self._max_body = max_body
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        started = time.perf_counter()
        status = 0
        body, closing = _Body(receive, scope), False
        spent = ProcessorTime()

        async def answer(message: Message) -> None:
            nonlocal status, closing
            if message["type"] == "http.response.start":
                status, closing = message["status"], body.left()
                headers = complete_headers(message.get("headers", ()), scope, request_id)
                message = {**message, "headers": [*headers, _CLOSE] if closing else headers}
                account.answered(status, request_id)
                self._settle(scope, spent)
            else:
                account.bytes_out += len(message.get("body", b""))
                if closing and not message.get("more_body", False) and body.left():
                    await send({**message, "more_body": True})
                    release(scope)
                    await body.drain(LINGER_BYTES if "known" in state else LINGER_STRANGER_BYTES)
                    message = {"type": "http.response.body"}
            await send(message)

        self._metrics.active.inc()
        with structlog.contextvars.bound_contextvars(request_id=request_id), self._ledger.open(scope) as account:
            try:
                await metered(self._check_and_call(scope, self._limit_body(body.receive, account), answer), spent)
            except asyncio.CancelledError:
                # The server is stopping and has waited long enough. The caller of this middleware would answer with a
                # 500.
                if not status:
                    await problem(scope["path"], 503, *STOPPING)(scope, receive, answer)
                raise
            except Exception as error:
                log.exception("request failed")
                if status:
                    raise
                response = last_resort(scope["path"], error, request_id)
                await response(scope, receive, answer)
            finally:
                release(scope)
                self._settle(scope, spent)
                self._metrics.answered(scope, status, time.perf_counter() - started, request_id)
                account.ended(status)

    async def _check_and_call(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            details = "the NUL character is not allowed in a path or parameter"
            await problem(scope["path"].replace("\0", ""), 400, "Invalid request", details)(scope, receive, send)
            return
        wrong = wrong_host(scope, self._hosts)
        if wrong is not None and not scope["path"].startswith("/api"):
            await problem(scope["path"], 400, "Invalid request", wrong)(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > self._max_body:
            details = f"the limit is {self._max_body} bytes"
            await problem(scope["path"], 413, "Request body too large", details)(scope, receive, send)
            return
        if scope["path"].startswith("/api/") or scope["path"] == "/api":
            # The caller is identified before any other answer, and before a byte of the body is requested. The
            # framework would first read and parse the whole body.
            try:
                scope["state"]["known"] = await self._gatekeeper.identify(scope)
            except AtlasError as error:
                answer = problem(scope["path"], error.status, error.message, error.details, error.headers)
                await answer(scope, receive, send)
                return
            if wrong is not None:
                await problem(scope["path"], 400, "Invalid request", wrong)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _limit_body(self, receive: Receive, account: Account) -> Receive:
        async def limited() -> Message:
            message = await receive()
            account.bytes_in += len(message.get("body", b""))
            if account.bytes_in > self._max_body:
                raise HTTPException(413, f"the limit is {self._max_body} bytes")
            return message

        return limited

    def _settle(self, scope: Scope, spent: ProcessorTime) -> None:
        # What follows a stream's first byte may take hours.
        self._gatekeeper.settle(scope, spent)
