"""An HTTP client that tells how much of a request's body is on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2


class CountedBody(httpx2.SyncByteStream):
    """A body that reports the bytes it has given so far, each time it is sent."""

    def __init__(self, body: httpx2.SyncByteStream, report: Callable[[int], None]) -> None:
        self._body, self._report = body, report

    def __iter__(self) -> Iterator[bytes]:
        done = 0
        for piece in self._body:
            yield piece
            done += len(piece)
            self._report(done)

    def close(self) -> None:
        self._body.close()


def counting_client(report: Callable[[int], None]) -> httpx2.Client:
    """A client as it always is, proxies of the environment included; a hook replaces the bodies."""

    def count(request: httpx2.Request) -> None:
        if isinstance(request.stream, httpx2.SyncByteStream):
            request.stream = CountedBody(request.stream, report)

    return httpx2.Client(event_hooks={"request": [count]})
