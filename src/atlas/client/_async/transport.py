"""Sends calls, with retries if safe, and converts failures to the client's errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from atlas.client._async.waiting import file_pieces, sleep
from atlas.client._requests import Call, Retry, api_error, connection_failed, json_of
from atlas.client.errors import AtlasClientError


class AsyncTransport:
    """One server, one key, one pool of connections."""

    def __init__(
        self, url: str, api_key: str | None, *, timeout: float, retries: int, http_client: httpx2.AsyncClient | None
    ) -> None:
        self.url = url
        self.retry = Retry(retries)
        self.timeout = timeout
        self._headers = {} if api_key is None else {"X-API-Key": api_key}
        self._owned = http_client is None
        self._http = http_client or httpx2.AsyncClient()

    async def aclose(self) -> None:
        """Closes the connections, unless the caller owns them."""
        if self._owned:
            await self._http.aclose()

    async def json(self, call: Call) -> Any:
        """Returns the answer's JSON, or None without a body."""
        response = await self.send(call)
        return json_of(response) if response.content else None

    async def send(self, call: Call) -> httpx2.Response:
        """Sends a call, and returns the answer with its body.

        Raises ApiError, ConnectionFailed: when the call fails.
        """
        return await self._send(call, self.retry, read=True)

    @asynccontextmanager
    async def open(self, call: Call, retry: Retry | None = None) -> AsyncIterator[httpx2.Response]:
        """Opens the answer as a stream of bytes.

        Raises ConnectionFailed: also when the connection breaks during the stream.
        """
        response = await self._send(call, retry or self.retry, read=False)
        try:
            yield response
        except httpx2.RequestError as error:
            raise connection_failed(self.url, error) from error
        finally:
            await response.aclose()

    async def _send(self, call: Call, retry: Retry, *, read: bool) -> httpx2.Response:
        attempt = 0
        while True:
            failure: AtlasClientError
            cause: Exception | None = None
            try:
                response = await self._http.send(self._request(call), stream=True)
                if response.is_success and not read:
                    return response
                try:
                    await response.aread()
                finally:
                    await response.aclose()
            except (httpx2.RequestError, httpx2.InvalidURL) as error:
                failure, cause = connection_failed(self.url, error), error
            else:
                if response.is_success:
                    return response
                failure = api_error(response)
            wait = retry.wait(failure, attempt, repeatable=call.repeatable)
            if wait is None:
                raise failure from cause
            await sleep(wait)
            attempt += 1

    def _request(self, call: Call) -> httpx2.Request:
        content = file_pieces(call.body) if isinstance(call.body, Path) else call.body
        patience = max(self.timeout, call.timeout or 0.0)
        return self._http.build_request(
            call.method,
            self.url + call.path,
            params=call.params or None,
            json=call.json,
            content=content,
            data=call.form or None,
            files=None if call.file is None else {"file": call.file},
            headers={**self._headers, **call.headers},
            timeout=httpx2.Timeout(patience, connect=min(self.timeout, 10.0)),
        )
