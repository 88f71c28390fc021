"""The client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import httpx2

from atlas.client._async.admin import AsyncAdmin
from atlas.client._async.datasets import AsyncDatasets, AsyncTags
from atlas.client._async.imports import AsyncImports
from atlas.client._async.questions import AsyncAnswer, AsyncGlossary, AsyncQuestions, AsyncVerified
from atlas.client._async.rows import AsyncRows
from atlas.client._async.saved import AsyncFavourites, AsyncSavedQueries
from atlas.client._async.settings import AsyncKeys, AsyncModelSettings, AsyncWebhooks
from atlas.client._async.tables import AsyncTables
from atlas.client._async.transport import AsyncTransport
from atlas.client._connection import server
from atlas.client._reading import read
from atlas.client._requests import SLOW_SECONDS, Call, query
from atlas.client.results import Result
from atlas.contract.accounts import Me, Usage
from atlas.contract.questions import GeneratedSql
from atlas.contract.records import Recorded
from atlas.contract.system import Health


class AsyncClient:
    """A connection to an Atlas server.

    - url, api_key: of the server. The default is the URL and key of `profile`, else ATLAS_URL and ATLAS_API_KEY, else
      the default profile's.
    - timeout: seconds without a byte. Calls that the server answers late have a longer timeout.
    - retries: number of retries of a read, or of an insert that cannot count twice. Retries follow a lost connection,
      429, 502, 503 or 504.
    - http_client: your own, with proxies or certificates. The client does not close your own.

    Raises AtlasClientError: when the URL, the key or the profile is invalid.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        profile: str | None = None,
        timeout: float = 60.0,
        retries: int = 3,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        found, key = server(url, api_key, profile)
        self._transport = AsyncTransport(found, key, timeout=timeout, retries=retries, http_client=http_client)
        self.datasets = AsyncDatasets(self._transport)
        self.tags = AsyncTags(self._transport)
        self.rows = AsyncRows(self._transport)
        self.tables = AsyncTables(self._transport)
        self.imports = AsyncImports(self._transport)
        self.questions = AsyncQuestions(self._transport)
        self.verified = AsyncVerified(self._transport)
        self.glossary = AsyncGlossary(self._transport)
        self.saved_queries = AsyncSavedQueries(self._transport)
        self.favourites = AsyncFavourites(self._transport)
        self.webhooks = AsyncWebhooks(self._transport)
        self.model_settings = AsyncModelSettings(self._transport)
        self.keys = AsyncKeys(self._transport)
        self.admin = AsyncAdmin(self._transport)

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return self._transport.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def health(self) -> Health:
        """Checks whether the server runs and reaches its database. Needs no key.

        Raises Unavailable: when the database cannot be reached.
        """
        return read(Health, await self._transport.json(Call("GET", "/health")))

    async def me(self) -> Me:
        """Returns the key's user, organization and tags."""
        return read(Me, await self._transport.json(Call("GET", "/api/v1/me")))

    async def usage(self, days: int = 30) -> Usage:
        """Returns your requests, bytes and rows of the last `days` days, and your storage."""
        return read(Usage, await self._transport.json(Call("GET", "/api/v1/usage", query(days=days))))

    async def records(self, instruction: str | Mapping[str, Any], *, thread_id: str | None = None) -> Recorded:
        """Inserts, updates, archives or restores single records: all of them, or none.

        `instruction` is Markdown or plain text, or a mapping with `intent` and `entities`. An unclear instruction
        writes nothing, and the answer's `question` asks back; a change of many rows has a `preview`. The next text with
        the answer's `thread_id` may answer it, as `yes` does.
        """
        path, params = "/api/v1/smart-data-instruction", query(thread_id=thread_id)
        if isinstance(instruction, str):
            headers = {"Content-Type": "text/markdown"}
            call = Call("POST", path, params, body=instruction.encode(), headers=headers, timeout=SLOW_SECONDS)
        else:
            call = Call("POST", path, params, json=dict(instruction), timeout=SLOW_SECONDS)
        return read(Recorded, await self._transport.json(call))

    async def ask(
        self, prompt: str, table: str | None = None, thread: str | None = None, max_rows: int = 1000
    ) -> AsyncAnswer:
        """Answers a question in plain English on your tables and datasets. Only reads.

        `table` is the subject of the question. `thread` is a conversation, in which later questions refer to earlier
        ones.
        """
        return await self.questions.ask(prompt, table, thread, max_rows)

    async def sql(self, sql: str, max_rows: int = 1000) -> Result:
        """Runs one SELECT with the names that you know. Only reads."""
        return await self.questions.sql(sql, max_rows)

    async def generate_sql(self, prompt: str, tables: Iterable[str] = ()) -> GeneratedSql:
        """Converts a question to SQL without running it. `tables` are the subject of the question."""
        return await self.questions.generate_sql(prompt, tables)
