"""Figures of rows by time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from atlas.client._async.resource import AsyncResource, DatasetRef
from atlas.client._requests import Columns, KnownAt, Moment, Where, conditions, names
from atlas.client.types import Aggregate

Fill = Literal["null", "previous", "linear", "zero"]


class AsyncAggregates(AsyncResource):
    """Figures of rows by time."""

    async def aggregate(
        self,
        dataset: DatasetRef,
        start: Moment = None,
        end: Moment = None,
        *,
        bucket: str = "auto",
        functions: str | Iterable[str] = ("count", "min", "max", "avg"),
        columns: Columns = None,
        points: int | None = None,
        where: Where = None,
        known_at: KnownAt = None,
        by: Columns = None,
        timezone: str | None = None,
        first_weekday: str | None = None,
        fill: Fill | None = None,
        window: int | None = None,
        price: str | None = None,
        volume: str | None = None,
    ) -> Aggregate:
        """Aggregates numeric columns by time. `bucket` is a width such as `15m`, `1h`, `month` or `auto`.

        - known_at: figures of rows as they were at a moment.
        - by: each series has buckets of its own, and their `series` has its keys.
        - timezone, first_weekday: days and hours of a zone, and the day that weeks begin with.
        - fill: buckets without rows, too, with these values.
        - window: number of buckets of a figure, each and those before it.
        - price, volume: columns of `vwap`, if they are not named so.
        """
        wanted = functions if isinstance(functions, str) else ",".join(functions)
        answer = await self._get(
            "/api/rows/aggregate/",
            dataset=await self._dataset_id(dataset),
            start=start,
            end=end,
            bucket=bucket,
            functions=wanted,
            columns=names(columns),
            points=points,
            where=conditions(where),
            known_at=known_at,
            by=names(by),
            timezone=timezone,
            first_weekday=first_weekday,
            fill=fill,
            window=window,
            price=price,
            volume=volume,
        )
        return Aggregate.read(answer)
