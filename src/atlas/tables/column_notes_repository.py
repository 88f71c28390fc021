"""SQL of units and descriptions of columns: a dataset's by the column's id, a table's by names."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.db import executor
from atlas.db.database import Connection
from atlas.db.named_queries import queries


async def note_table_column(
    connection: Connection, table_id: int, name: str, unit: str | None, description: str | None
) -> tuple[str, str] | None:
    """Sets the given unit and description of a table's column. Returns both, or None when the table is gone."""
    parameters = {"table": table_id, "name": name, "unit": unit, "description": description}
    row = await executor.row(connection, queries("tables/column_notes")["note_table_column"], parameters)
    return None if row is None else (row[0], row[1])


async def note_new(connection: Connection, table_id: int, name: str, unit: str, description: str) -> None:
    """Stores a file's unit and description of a new column, unless the column has notes already."""
    parameters = {"table": table_id, "name": name, "unit": unit, "description": description}
    await connection.execute(queries("tables/column_notes")["note_new_column"], parameters)


async def keep_dropped(connection: Connection, table_id: int, number: int, names: Sequence[str] | None = None) -> None:
    """Keeps units and descriptions of columns that the undo of import `number` drops. Without `names`, of
    all columns.
    """
    parameters = {"table": table_id, "number": number, "names": None if names is None else list(names)}
    await connection.execute(queries("tables/column_notes")["keep_dropped"], parameters)


async def revive(connection: Connection, table_id: int, number: int, names: Sequence[str] | None = None) -> None:
    """Restores kept units and descriptions of columns that import `number` created again. Without `names`, of all
    columns.
    """
    parameters = {"table": table_id, "number": number, "names": None if names is None else list(names)}
    for query in ("forget_others", "revive"):
        await connection.execute(queries("tables/column_notes")[query], parameters)
