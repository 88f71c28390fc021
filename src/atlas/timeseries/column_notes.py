"""Units and descriptions of a dataset's columns in the catalog."""

from __future__ import annotations

from atlas.db import executor
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.columns import Column, to_catalog
from atlas.timeseries.repository import column_of


async def note_dataset_column(
    connection: Connection, dataset_id: int, name: str, unit: str | None, description: str | None
) -> Column | None:
    """Sets the given unit and description of a column.

    Returns the changed column, or None when the dataset has no column of this name.
    """
    parameters = {"dataset": dataset_id, "name": to_catalog(name), "unit": unit, "description": description}
    row = await executor.row(connection, queries("timeseries/datasets")["note_dataset_column"], parameters)
    return None if row is None else column_of(row[1:])
