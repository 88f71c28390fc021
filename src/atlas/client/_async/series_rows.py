"""Reads of the series of a dataset, and of rows that others have replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from atlas.client._async.resource import AsyncResource, DatasetRef
from atlas.client._batching import ROWS
from atlas.client._reading import read
from atlas.client._requests import Columns, Moment, Where, conditions, names
from atlas.client.types import ReplacedRow, Row
from atlas.contract.rows import Series


class AsyncSeriesRows(AsyncResource):
    """Series of a dataset, and the history of its rows."""

    async def latest_by(self, dataset: DatasetRef, by: Columns, *, where: Where = None) -> Sequence[Row]:
        """Returns the latest row of each series, in order of the keys. `by` names some or all keys of the dataset."""
        number, said, found = await self._dataset_id(dataset), conditions(where), list[Row]()
        while True:
            offset = len(found) or None
            page = await self._get(f"{ROWS}latest/", dataset=number, by=names(by), where=said, offset=offset)
            found += Row.read_all(page["results"])
            if page["next"] is None:
                return found

    async def history(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        where: Where = None,
        limit: int | None = None,
    ) -> AsyncIterator[ReplacedRow]:
        """Yields rows that others have replaced, in order of time, then in the order in which they were replaced."""
        params = {"dataset": await self._dataset_id(dataset), "start": start, "end": end, "where": conditions(where)}
        async for item in self._pages(f"{ROWS}history/", "results", limit, params, count="count", page=1_000):
            yield ReplacedRow.read(item)

    async def series(
        self,
        dataset: DatasetRef,
        search: str | None = None,
        *,
        by: Columns = None,
        where: Where = None,
        limit: int | None = None,
    ) -> AsyncIterator[Series]:
        """Yields the series of a dataset in order of their keys, each with the time of its latest row.

        - search: text within a key, in any case.
        - by: only these keys, each combination of values once.
        """
        params = {"dataset": await self._dataset_id(dataset), "search": search, "by": names(by)}
        params["where"] = conditions(where)
        async for item in self._pages(f"{ROWS}series/", "results", limit, params, count="count", page=10_000):
            yield read(Series, item)
