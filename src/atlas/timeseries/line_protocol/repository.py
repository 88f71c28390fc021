"""SQL of datasets that line protocol is written to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from atlas.db.database import Database
from atlas.db.named_queries import queries
from atlas.timeseries import repository as datasets
from atlas.timeseries.columns import Dtype
from atlas.timeseries.series.tables import keys_of


@dataclass(frozen=True, slots=True)
class LineDataset:
    """The dataset of a measurement. types: of its columns by name; keys: its series keys."""

    dataset: int
    types: Mapping[str, Dtype]
    keys: Sequence[str]


async def find(database: Database, user: int, bucket: str, measurement: str) -> LineDataset | None:
    """Returns the dataset of a measurement in a bucket, or None."""
    async with database.connection() as connection:
        query = queries("timeseries/line_protocol/lines")["find"]
        row = await (await connection.execute(query, {"user": user, "name": measurement, "bucket": bucket})).fetchone()
        if row is None:
            return None
        columns = (await datasets.columns_of(connection, [row[0]])).get(row[0], [])
        keys = await keys_of(connection, row[0])
    return LineDataset(row[0], {column.name: column.dtype for column in columns}, keys)


@contextlib.asynccontextmanager
async def alone(database: Database, user: int, bucket: str, measurement: str) -> AsyncIterator[None]:
    """Holds the lock for making the dataset of a measurement."""
    async with database.transaction() as connection:
        await connection.execute(
            queries("timeseries/line_protocol/lines")["alone"], {"name": f"{user} {bucket} {measurement}"}
        )
        yield
