"""The HTTP client of the model SDKs.

The client connects to checked addresses only and receives answers of bounded size.

Import the module where it is used, since httpx2, which the SDKs require, takes a while to load.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from atlas.errors import ModelError
from atlas.kit.ssrf import NETWORK_ERRORS, GuardedBackend, Reach, network_reason

# An answer is a few kilobytes of JSON. A larger answer is a fault or an attack.
MAX_ANSWER = 1024 * 1024
CONNECT_SECONDS = 10.0
# The request headers that are passed on. The SDKs add headers from the operator's environment variables and headers
# that describe this machine, and both are dropped.
_SENT = frozenset(
    (
        "host",
        "accept",
        "content-type",
        "content-length",
        "authorization",
        "x-api-key",
        "anthropic-version",
        "anthropic-beta",
    )
)


def open_client(reach: Reach) -> httpx2.AsyncClient:
    """Opens a client for the addresses that `reach` allows. Close the client after use. Blocks for a moment.

    The client follows no redirects, and uses no proxies or settings of the environment. Network errors become
    ModelError, below the exceptions of the SDKs.
    """
    return httpx2.AsyncClient(transport=_Transport(reach), trust_env=False, follow_redirects=False)


@contextmanager
def _convert_errors() -> Iterator[None]:
    """Converts network errors to ModelError with a plain reason."""
    try:
        yield
    except NETWORK_ERRORS as error:
        raise ModelError(network_reason(error)) from error


class _Transport(httpx2.AsyncBaseTransport):
    def __init__(self, reach: Reach) -> None:
        # A slow server of one organization must not use up the connections of others, so the number of connections has
        # no bound. Each connection belongs to a request that Atlas is serving, for at most `timeout` seconds.
        self._pool = httpcore2.AsyncConnectionPool(
            network_backend=GuardedBackend(reach, seconds=CONNECT_SECONDS),
            # Made once, since loading the context reads some 100 certificates.
            ssl_context=httpcore2.default_ssl_context(),
            http2=False,
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = [(name, value) for name, value in request.headers.raw if name.decode("latin-1").lower() in _SENT]
        # A compressed answer of 1 MB may expand to 1 GB.
        headers += [(b"accept-encoding", b"identity"), (b"user-agent", b"Atlas/1")]
        assert isinstance(request.stream, AsyncIterable)
        sent = httpcore2.Request(
            request.method,
            httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=headers,
            content=request.stream,
            extensions={name: value for name, value in request.extensions.items() if name == "timeout"},
        )
        with _convert_errors():
            answer = await self._pool.handle_async_request(sent)
        problem = "redirects are not followed" if 300 <= answer.status < 400 else None
        if any(name.lower() == b"content-encoding" and value != b"identity" for name, value in answer.headers):
            problem = "the answer is compressed"
        if problem is not None:
            await answer.aclose()
            raise ModelError(problem)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """The body of an answer, up to MAX_ANSWER bytes."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        with _convert_errors():
            stream: Any = self._answer.aiter_stream()
            async for chunk in stream:
                seen += len(chunk)
                if seen > MAX_ANSWER:
                    raise ModelError("the answer is too long")
                yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()
