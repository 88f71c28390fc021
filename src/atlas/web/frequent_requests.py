"""Answers small, frequent requests in one step, beside the layers of middleware, routing and parameters.

Those layers take 0.4 ms of processor time for each request. A handler here knows one kind of request in its plain form.
What is not plain, and what the handler cannot answer with a success, goes to the application with the same body. So
the application alone decides about errors. Both ways have the same limits, headers, metrics, usage and audit entries.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atlas.errors import AtlasError, RateLimitedError, UnavailableError
from atlas.kit.processor_time import ProcessorTime, metered
from atlas.web.admission import release
from atlas.web.exception_handlers import refusal
from atlas.web.gatekeeper import Gatekeeper, Ledger
from atlas.web.hosts import wrong_host
from atlas.web.middleware import REQUEST_ID, STOPPING, Metrics, complete_headers, last_resort

log = structlog.get_logger()
# Headers that ask for something that the plain way does not do.
_SPECIAL = frozenset((b"expect", b"transfer-encoding", b"upgrade"))
# A larger body takes longer than the layers.
MOST_BODY = 8 * 1024
# Headers that may be given once.
_ONCE = frozenset(
    (b"authorization", b"content-encoding", b"content-length", b"content-type", b"idempotency-key", b"x-api-key")
)
_JSON = b"application/json"
_DIGITS = re.compile(rb"[0-9]{1,5}")
_BEARER = re.compile(rb"[Bb]earer +([!-~]+)[ \t]*")
_GZIP = zlib.MAX_WBITS | 16
# Media types and how they are written.
_KINDS = {
    one: kind
    for kind in ("application/json", "text/csv", "application/vnd.apache.arrow.stream")
    for one in (kind.encode(), f"{kind}; charset=utf-8".encode(), f"{kind};charset=utf-8".encode())
    if one == kind.encode() or "arrow" not in kind
}
_IDEMPOTENCY_KEY = re.compile(rb"[!-~](?:[ -~]{0,253}[!-~])?")


@dataclass(frozen=True, slots=True)
class SmallRequest:
    """A plain request. media: of the body, without a charset; body: without its encoding; sent: the body as it came."""

    query: bytes
    body: bytes = b""
    sent: bytes = b""
    media: str | None = None
    encoding: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A success. content: JSON; dataset: the dataset that was used; rows: how many were written."""

    status: int
    content: bytes
    dataset: int
    rows: int = 0


class Handler(Protocol):
    """Answers one kind of request."""

    # As the application's route has it, for limits and metrics.
    path: str

    def read(self, request: SmallRequest) -> Any | None:
        """Returns what a plain request asks for, or None for another request. Takes microseconds."""

    async def answer(self, caller: Any, wanted: Any, scope: Scope) -> Answer | None:
        """Answers a request, or returns None to leave the request to the application.

        The caller's key has been live before, and the handler checks whether the key still is. Raises AtlasError only
        when the application must not try the request again.
        """


@dataclass(frozen=True, slots=True)
class _Head:
    """What matters of a plain request's head. length: of its body."""

    key: str
    request_id: str
    length: int
    media: str | None
    encoding: str | None
    idempotency_key: str | None

    def request(self, query: bytes, sent: bytes) -> SmallRequest | None:
        """Returns the request with a body, or None where the body is not there as a whole, or not plain."""
        if len(sent) != self.length:
            return None
        body = sent if self.encoding is None else _unpacked(sent)
        if body is None:
            return None
        return SmallRequest(query, body, sent, self.media, self.encoding, self.idempotency_key)


class FrequentRequests:
    """Asks the handler of a request for an answer, and the application where there is none.

    handlers: by method and path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        handlers: Mapping[tuple[str, str], Handler],
        metrics: Metrics,
        gatekeeper: Gatekeeper,
        ledger: Ledger,
        max_body: int,
        hosts: Collection[str] = (),
    ) -> None:
        self._app, self._handlers, self._most = app, handlers, min(max_body, MOST_BODY)
        self._metrics, self._gatekeeper, self._ledger, self._hosts = metrics, gatekeeper, ledger, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        head = None if handler is None else _read_head(scope, self._most)
        caller = None if head is None else self._gatekeeper.remembered(head.key)
        if handler is None or head is None or caller is None or wrong_host(scope, self._hosts) is not None:
            await self._app(scope, receive, send)
            return
        body = b""
        if head.length:
            message = await receive()
            body, receive = message.get("body", b""), _again(message, receive)
        request = head.request(scope["query_string"], body)
        wanted = None if request is None else handler.read(request)
        if wanted is None or not await _Request(self, scope, head, handler, send).answered(caller, wanted, len(body)):
            await self._app(scope, receive, send)

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    @property
    def gatekeeper(self) -> Gatekeeper:
        return self._gatekeeper

    @property
    def ledger(self) -> Ledger:
        return self._ledger


class _Request:
    """One request under way."""

    def __init__(self, site: FrequentRequests, scope: Scope, head: _Head, handler: Handler, send: Send) -> None:
        self._site, self._scope, self._head, self._handler, self._send = site, scope, head, handler, send
        self._status = 0
        self._written = 0

    async def answered(self, caller: Any, wanted: Any, received: int) -> bool:
        """Answers the request, or returns False to leave the request to the application."""
        site, scope = self._site, self._scope
        scope["route"] = self._handler
        # As the application calls the path, whether or not the request has the slash at its end.
        scope["path"] = self._handler.path
        scope.setdefault("state", {})
        started, spent, left = time.perf_counter(), ProcessorTime(), False
        site.metrics.active.inc()
        try:
            left = not await metered(self._answer(caller, wanted, received), spent)
        except asyncio.CancelledError:
            # The server is stopping and has waited long enough.
            if not self._status:
                await self._refuse(UnavailableError(*STOPPING))
            raise
        except Exception as error:
            if self._status:
                raise
            with structlog.contextvars.bound_contextvars(request_id=self._head.request_id):
                log.exception("request failed")
            await last_resort(scope["path"], error, self._head.request_id)(scope, _nothing, self._complete)
        finally:
            site.gatekeeper.settle(scope, spent)
            if left:
                # Where the request was admitted, it is not admitted again.
                site.metrics.active.dec()
                del scope["route"]
            else:
                release(scope)
                seconds = time.perf_counter() - started
                site.metrics.answered(scope, self._status, seconds, self._head.request_id)
        return not left

    async def _answer(self, caller: Any, wanted: Any, received: int) -> bool:
        site, scope = self._site, self._scope
        with site.ledger.open(scope) as account:
            try:
                try:
                    await site.gatekeeper.admit_remembered(scope, caller)
                except RateLimitedError:
                    # The application says so, unless the key has ended meanwhile.
                    return False
                found = await self._handler.answer(caller, wanted, scope)
            except AtlasError as error:
                self._known(caller)
                account.answered(error.status, self._head.request_id)
                await self._refuse(error)
            else:
                if found is None:
                    return False
                self._known(caller)
                account.used(found.dataset, found.rows)
                account.answered(found.status, self._head.request_id)
                await self._respond(found)
            account.bytes_in, account.bytes_out = received, self._written
            account.ended(self._status)
        return True

    def _known(self, caller: Any) -> None:
        state = self._scope["state"]
        state["caller"], state["key_id"] = caller, caller.key_id

    async def _respond(self, found: Answer) -> None:
        length = str(len(found.content)).encode()
        headers = [(b"content-length", length), (b"content-type", _JSON)]
        self._status, self._written = found.status, len(found.content)
        await self._send(
            {
                "type": "http.response.start",
                "status": found.status,
                "headers": complete_headers(headers, self._scope, self._head.request_id),
            }
        )
        await self._send({"type": "http.response.body", "body": found.content})

    async def _refuse(self, error: AtlasError) -> None:
        await refusal(self._scope["path"], error)(self._scope, _nothing, self._complete)

    async def _complete(self, message: Message) -> None:
        """Sends a part of an answer with the headers of every answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = complete_headers(message["headers"], self._scope, self._head.request_id)
            message = {**message, "headers": headers}
        else:
            self._written += len(message.get("body", b""))
        await self._send(message)


def _read_head(scope: Scope, most: int) -> _Head | None:
    """Returns the head of a plain request with one key, or None. most: bytes of a body."""
    given: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _SPECIAL or (name in given and name in _ONCE):
            return None
        given[name] = value
    key = _key(given)
    if key is None or scope["http_version"] != "1.1" or scope.get("root_path"):
        return None
    length, media, encoding, repeated = given.get(b"content-length"), None, None, None
    size = 0
    if scope["method"] == "POST":
        media = _KINDS.get(given.get(b"content-type", b""))
        if length is None or not _DIGITS.fullmatch(length) or media is None:
            return None
        size = int(length)
        if not 0 < size <= most:
            return None
        encoding, repeated = given.get(b"content-encoding"), given.get(b"idempotency-key")
        if encoding not in (None, b"gzip") or not (repeated is None or _IDEMPOTENCY_KEY.fullmatch(repeated)):
            return None
    elif length is not None or b"content-encoding" in given:
        return None
    request_id = given.get(b"x-request-id", b"").decode("latin-1")
    if not REQUEST_ID.fullmatch(request_id):
        request_id = uuid.uuid4().hex
    return _Head(key, request_id, size, media, _text(encoding), _text(repeated))


def _key(given: Mapping[bytes, bytes]) -> str | None:
    """Returns the one API key of a request, or None where that takes a closer look."""
    authorization = given.get(b"authorization")
    if authorization is None:
        key = given.get(b"x-api-key")
        return None if key is None else key.strip(b" \t").decode("latin-1")
    found = _BEARER.fullmatch(authorization)
    return None if found is None or b"x-api-key" in given else found[1].decode("latin-1")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _unpacked(sent: bytes) -> bytes | None:
    """Returns a body without gzip, or None where it is damaged, in parts, or large."""
    inner = zlib.decompressobj(wbits=_GZIP)
    try:
        body = inner.decompress(sent, MOST_BODY + 1)
    except zlib.error:
        return None
    return body if inner.eof and not inner.unused_data and len(body) <= MOST_BODY else None


def _again(message: Message, receive: Receive) -> Receive:
    """Receives a message again, and then what follows."""
    waiting = [message]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


async def _nothing() -> Message:
    raise AssertionError("an answer to a request whose body was read")
