"""Byte ranges of files (RFC 9110, 14): `Range` and `If-Range`, and answers to HEAD."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from fastapi.responses import StreamingResponse
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

# The key in the state of a request whose answer has no body.
HEAD = "head"
# Programs send the greatest 64-bit number, or more, for the end of a file of unknown size.
_RANGE = re.compile(r"bytes\s*=\s*(?:(\d{1,99})\s*-\s*(\d{1,99})?|-\s*(\d{1,99}))", re.ASCII | re.IGNORECASE)


class UnsatisfiableError(Exception):
    """A range that begins after the end of its file."""


def wanted(headers: Headers) -> str | None:
    """Returns the requested range if it is supported.

    For several parts the whole file is sent, and the result is None.
    """
    # Several headers are one list of parts (RFC 9110, 5.3).
    text = ", ".join(headers.getlist("range")).strip()
    found = _RANGE.fullmatch(text)
    if found is None or (found[1] and found[2] and int(found[1]) > int(found[2])):
        return None
    return text


def part(text: str, size: int) -> tuple[int, int]:
    """Returns the start of the range and the byte after its end. Raises UnsatisfiableError."""
    found = _RANGE.fullmatch(text)
    assert found is not None
    if found[3] is not None:
        start, end = max(0, size - int(found[3])), size
    else:
        start, end = int(found[1]), min(size, int(found[2] or size) + 1)
    if start >= min(end, size):
        raise UnsatisfiableError
    return start, end


def held_tag(headers: Headers) -> str | None:
    """Returns the ETag in `If-Range`; None without the header.

    No file has a date, a weak ETag, or an empty text as its ETag.
    """
    found = headers.get("if-range")
    return None if found is None else found.strip()


class FileResponse(StreamingResponse):
    """A file that is sent while it is made, and not made for HEAD."""

    def __init__(
        self, content: AsyncIterator[bytes], status_code: int = 200, *, media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["state"].get(HEAD):
            await super().__call__(scope, receive, send)
            return
        if (close := getattr(self._content, "aclose", None)) is not None:
            await close()
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b""})


def headless(scope: Scope, send: Send) -> Send:
    """Turns a HEAD request into GET, and returns a `send` that leaves out the body."""
    scope["method"] = "GET"
    scope.setdefault("state", {})[HEAD] = True

    async def sending(message: Mapping[str, object]) -> None:
        if message["type"] == "http.response.start":
            # With HEAD the server's protocol expects no body.
            scope["method"] = "HEAD"
            await send(dict(message))
        elif not message.get("more_body", False):
            await send({"type": "http.response.body", "body": b""})

    return sending
