"""uvicorn's two HTTP protocols, extended by time limits for their clients."""

from __future__ import annotations

import asyncio
import http
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import h11
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from atlas.web.connections import BODY_LEAST_BYTES, HEAD_BYTES, STATE, Connections, taken
from atlas.web.exception_handlers import problem

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # pragma: no cover - where there is no httptools, as on PyPy
    HttpToolsProtocol = None  # type: ignore[assignment, misc]

# The answer to a slow client: status, message and details. A connection that has sent nothing gets no answer.
_ANSWERS = {
    "head": (408, "Request timeout", "the head of the request did not arrive in time"),
    "body": (408, "Request timeout", "the body of the request stopped arriving"),
}
TOO_LARGE = (431, "Request head too large", f"request line and headers may have {HEAD_BYTES} bytes")
MALFORMED = (400, "Invalid HTTP request", "the request is not well-formed HTTP/1.1")

if TYPE_CHECKING:
    _Base = H11Protocol
else:
    _Base = object


class Watched(_Base):
    """The shared part of both protocols: when a head began, when a body last grew, and how much waits to be read.

    `_begun` is when the head of the next request began to arrive, or None. A new connection is expected to begin at
    once.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        now = self.loop.time()
        self.address = self.client[0] if self.client else ""
        self._begun: float | None = now
        self._head = self._body = self._body_before = 0
        self._body_at = self._body_since = self._moved = now
        self._taken = -1
        self._connections: Connections | None = self.app_state.get(STATE)
        if self._connections is not None:
            self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._connections is not None:
            self._connections.remove(self)

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def answer_by(self, wrap: Callable[[Any], ASGIApp]) -> None:
        """Replaces the application by `wrap` of the application."""
        self.app = wrap(self.app)

    def in_body(self) -> bool:
        """Returns whether a request has begun whose body has not ended."""
        raise NotImplementedError

    def _record_head(self) -> None:
        """Records that the head of a request has arrived."""
        now = self.loop.time()
        self._begun, self._head = None, 0
        self._body_at = self._body_since = now
        self._body_before = self._body
        if self._connections is not None:
            self._connections.asked(self)

    def overdue(self, now: float) -> str | None:
        """Returns the part that is late: `head`, `body`, or `write` for a client that reads nothing."""
        assert self._connections is not None
        limits = self._connections.limits
        if self.transport.get_write_buffer_size():
            so_far = taken(self.transport)
            if so_far != self._taken:
                self._taken, self._moved = so_far, now
            elif now - self._moved > limits.write:
                return "write"
        else:
            self._moved = now
        if self.transport.is_closing():
            return None
        if self.in_body():
            return "body" if self._is_stalled(now, limits.body) else None
        if not self.idle:
            # The client waits for its answer. Bytes sent ahead are not late.
            self._begun = now if self._begun is not None else None
            return None
        if self._begun is not None:
            return "head" if now - self._begun > limits.head else None
        if self.timeout_keep_alive_task is None:
            # The received bytes were no request.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        return None

    def _is_stalled(self, now: float, seconds: float) -> bool:
        if self.flow.read_paused or (not self.idle and getattr(self.cycle, "waiting_for_100_continue", False)):
            # The server itself does not read the body, or has not asked for the body yet.
            self._body_at = self._body_since = now
            self._body_before = self._body
            return False
        if now - self._body_at > seconds:
            return True
        if now - self._body_since > seconds:
            if self._body - self._body_before < BODY_LEAST_BYTES:
                return True
            self._body_since, self._body_before = now, self._body
        return False

    def end(self, reason: str) -> None:
        """Closes the connection. A client that waits for an answer gets the reason first."""
        if reason == "write":
            # The client will not read the waiting bytes, so the connection is dropped at once.
            self.transport.abort()
        elif reason == "head" and not self._head:
            self.transport.close()
        else:
            self.refuse(*_ANSWERS[reason])

    def refuse(self, status: int, message: str, details: str) -> None:
        """Answers in place of the application, unless the application has begun to answer, and closes."""
        if self.transport.is_closing():
            return
        if self.idle or not self.cycle.response_started:
            self.transport.write(_answer(self._path(), status, message, details))
        if not self.idle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self.refuse(*MALFORMED)

    def _path(self) -> str:
        return ""


def _answer(path: str, status: int, message: str, details: str) -> bytes:
    body = bytes(problem(path, status, message, details).body)
    head = (
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


class H11Connection(Watched, H11Protocol):
    """A connection that h11 parses."""

    def in_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY

    def data_received(self, data: bytes) -> None:
        in_body, before = self.in_body(), self.cycle
        if in_body:
            self._body += len(data)
            self._body_at = self.loop.time()
        else:
            self._head += len(data)
            if self._begun is None:
                self._begun = self.loop.time()
        super().data_received(data)
        if self.cycle is not before:
            self._record_head()

    def on_response_complete(self) -> None:
        before = self.cycle
        super().on_response_complete()
        if self.cycle is not before:
            self._record_head()


if HttpToolsProtocol is not None:

    class HttpToolsConnection(Watched, HttpToolsProtocol):  # type: ignore[misc]
        """A connection that httptools parses."""

        _receiving = False

        def in_body(self) -> bool:
            return self._receiving

        def data_received(self, data: bytes) -> None:
            if not self._receiving:
                self._head += len(data)
                if self._begun is None:
                    self._begun = self.loop.time()
            super().data_received(data)
            if self._head > HEAD_BYTES and not self._receiving and self._begun is not None:
                self.refuse(*TOO_LARGE)

        def on_header(self, name: bytes, value: bytes) -> None:
            # Trailers after a body are no headers of the request, which has already begun.
            if not self._receiving:
                super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._receiving = True
            self._record_head()
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._body += len(body)
            self._body_at = self.loop.time()
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._receiving = False
            super().on_message_complete()

        def _path(self) -> str:
            url: bytes = getattr(self, "url", b"")
            return url.decode("latin-1")


# The faster of the available protocols.
ServerProtocol: type[asyncio.Protocol] = H11Connection if HttpToolsProtocol is None else HttpToolsConnection
