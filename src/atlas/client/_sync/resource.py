# Made from _async/resource.py by scripts/make_sync.py; change that one.
"""The base class of all parts of the client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atlas.client._requests import Call, path_of, query
from atlas.client._sync.transport import Transport
from atlas.client.errors import NotFound
from atlas.client.types import Json
from atlas.contract.datasets import Dataset

DatasetRef = int | str | Dataset
PAGE = 250


class Resource:
    """A part of the client: builds requests, sends them, and reads the answers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _get(self, path: str, **params: Any) -> Any:
        return self._transport.json(Call("GET", path, query(**params)))

    def _post(self, path: str, body: Any = None, *, timeout: float | None = None, **params: Any) -> Any:
        return self._transport.json(Call("POST", path, query(**params), json=body, timeout=timeout))

    def _put(self, path: str, body: Any) -> Any:
        return self._transport.json(Call("PUT", path, json=body))

    def _patch(self, path: str, body: Any) -> Any:
        return self._transport.json(Call("PATCH", path, json=body))

    def _delete(self, path: str, **params: Any) -> Any:
        return self._transport.json(Call("DELETE", path, query(**params)))

    def _pages(
        self,
        path: str,
        members: str,
        limit: int | None,
        params: Mapping[str, Any],
        *,
        count: str = "total_count",
        page: int = PAGE,
    ) -> Iterator[Json]:
        """Yields members of a paged list, at most `limit`."""
        offset = 0
        while limit is None or offset < limit:
            wanted = page if limit is None else min(page, limit - offset)
            answer = self._get(path, **params, limit=wanted, offset=offset)
            yield from answer[members]
            offset += len(answer[members])
            # Some lists have no count. A page that is not full is then the last page.
            if len(answer[members]) < wanted or offset >= answer.get(count, offset + 1):
                return

    def _dataset_id(self, dataset: DatasetRef) -> int:
        """Returns the id of a dataset, given as a Dataset, by id, or by the name of a dataset that you may read.

        Raises NotFound: when no dataset, or more than one, has the name.
        """
        if isinstance(dataset, Dataset):
            return dataset.id
        if isinstance(dataset, int) or (dataset.isascii() and dataset.isdigit()):
            return int(dataset)
        found: list[int] = []
        for item in self._pages("/api/datasets/", "results", None, {"search": dataset}, count="count"):
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
    """Builds the path of a table, or of a part of the table."""
    return path_of("api", "v1", "tables", table, *more)


def import_path(import_id: str, *more: str) -> str:
    """Builds the path of an import, or of a part of the import."""
    return path_of("api", "v1", "import", import_id, *more)
