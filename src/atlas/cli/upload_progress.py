"""An HTTP client that reports the sent bytes of a request's body."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2


class CountedBody(httpx2.SyncByteStream):
    """A request body that reports the bytes so far, from 0 again at each retry."""

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
    """Makes a client with the usual settings, proxies of the environment included. A hook replaces the bodies."""

    def count(request: httpx2.Request) -> None:
        if isinstance(request.stream, httpx2.SyncByteStream):
            request.stream = CountedBody(request.stream, report)

    return httpx2.Client(event_hooks={"request": [count]})
