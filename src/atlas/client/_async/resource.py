"""What all parts of the client share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from atlas.client._async.transport import AsyncTransport
from atlas.client._requests import Call, path_of, query
from atlas.client.errors import NotFound
from atlas.client.types import Json
from atlas.contract.datasets import Dataset

DatasetRef = int | str | Dataset
PAGE = 250


class AsyncResource:
    """A part of the client: shapes requests, sends them, reads the answers."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _get(self, path: str, **params: Any) -> Any:
        return await self._transport.json(Call("GET", path, query(**params)))

    async def _post(self, path: str, body: Any = None, *, timeout: float | None = None, **params: Any) -> Any:
        return await self._transport.json(Call("POST", path, query(**params), json=body, timeout=timeout))

    async def _put(self, path: str, body: Any) -> Any:
        return await self._transport.json(Call("PUT", path, json=body))

    async def _patch(self, path: str, body: Any) -> Any:
        return await self._transport.json(Call("PATCH", path, json=body))

    async def _delete(self, path: str, **params: Any) -> Any:
        return await self._transport.json(Call("DELETE", path, query(**params)))

    async def _pages(
        self,
        path: str,
        members: str,
        limit: int | None,
        params: Mapping[str, Any],
        *,
        count: str = "total_count",
        page: int = PAGE,
    ) -> AsyncIterator[Json]:
        """Members of a list of pages, `limit` of them at most."""
        offset = 0
        while limit is None or offset < limit:
            wanted = page if limit is None else min(page, limit - offset)
            answer = await self._get(path, **params, limit=wanted, offset=offset)
            for member in answer[members]:
                yield member
            offset += len(answer[members])
            # Some lists do not count; a page that is not full is then the last.
            if len(answer[members]) < wanted or offset >= answer.get(count, offset + 1):
                return

    async def _dataset_id(self, dataset: DatasetRef) -> int:
        """Id of a dataset, given by it, by an id, or by the name of one that you may read. Raises NotFound."""
        if isinstance(dataset, Dataset):
            return dataset.id
        if isinstance(dataset, int) or (dataset.isascii() and dataset.isdigit()):
            return int(dataset)
        found: list[int] = []
        async for item in self._pages("/api/datasets/", "results", None, {"search": dataset}, count="count"):
            if item["name"] == dataset:
                found.append(item["id"])
        if len(found) != 1:
            why = (
                f"{len(found)} are called {dataset!r}; give an id of {found}"
                if found
                else f"none is called {dataset!r}"
            )
            raise NotFound(404, "Dataset not found", why)
        return found[0]


def table_path(table: str, *more: str | int) -> str:
    """Path of a table, or of something of it."""
    return path_of("api", "v1", "tables", table, *more)


def import_path(import_id: str, *more: str) -> str:
    """Path of an import, or of something of it."""
    return path_of("api", "v1", "import", import_id, *more)
