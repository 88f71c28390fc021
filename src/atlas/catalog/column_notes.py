"""Units and descriptions of columns: rights to change them, and allowed texts."""

from __future__ import annotations

from dataclasses import asdict

import msgspec

from atlas.accounts.access import Caller
from atlas.accounts.authorization import AccessService
from atlas.contract.datasets import Column
from atlas.contract.tables import DescribedView
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.tables import column_notes_repository as store
from atlas.tables import repository as tables
from atlas.tables.model import Table, public_columns
from atlas.tables.service import TableService, dataset_column
from atlas.timeseries.column_notes import note_dataset_column
from atlas.timeseries.service import checked_note, column_view


class ColumnNoteService:
    """Changes of units and descriptions of columns. None leaves a part unchanged, and an empty text removes a part."""

    def __init__(self, database: Database, access: AccessService, known: TableService) -> None:
        self._database, self._access, self._tables = database, access, known

    async def of_dataset(
        self, caller: Caller, dataset_id: int, name: str, unit: str | None, description: str | None
    ) -> Column:
        """Changes a column of an owned dataset, and returns the changed column.

        Raises NotFoundError: when there is no such dataset or column.
        Raises ForbiddenError: when the caller does not own the dataset.
        Raises BadRequestError: when nothing is given, or a text has control characters.
        """
        await self._access.require(caller, dataset_id, write=True)
        unit, description = _wanted(unit, description)
        async with self._database.transaction() as connection:
            column = await note_dataset_column(connection, dataset_id, name, unit, description)
        if column is None:
            raise NotFoundError("Column not found", f"No column {name[:100]!r} in the dataset with ID {dataset_id}")
        return column_view(dataset_id, column)

    async def of_table(
        self, caller: Caller, table_name: str, name: str, unit: str | None, description: str | None
    ) -> DescribedView:
        """Changes a column of the organization's table, or of an owned dataset by its name as a table.

        Raises NotFoundError, ForbiddenError, BadRequestError: as `of_dataset`.
        """
        found = await self._tables.table_or_dataset(caller, table_name)
        if not isinstance(found, Table):
            view = await self.of_dataset(caller, found.id, name, unit, description)
            return DescribedView(table_name, dataset_column(asdict(view)))
        column = found.column(name)
        if column is None:
            raise _unknown(table_name, name)
        unit, description = _wanted(unit, description)
        async with self._database.transaction() as connection:
            now = await tables.lock(connection, caller, found.id)
            if now is None or now.column(name) is None:
                raise _unknown(table_name, name)
            said = await store.note_table_column(connection, found.id, name, unit, description)
        assert said is not None, "the table is locked"
        noted = msgspec.structs.replace(column, unit=said[0], description=said[1])
        return DescribedView(found.name, public_columns([noted])[0])


def _unknown(table_name: str, name: str) -> NotFoundError:
    return NotFoundError("Column not found", f"no column {name[:100]!r} in {table_name[:100]!r}")


def _wanted(unit: str | None, description: str | None) -> tuple[str | None, str | None]:
    if unit is None and description is None:
        raise BadRequestError("Nothing to change", "unit, description: give at least one of them")
    checked = checked_note(unit or "", description or "")
    return None if unit is None else checked[0], None if description is None else checked[1]
