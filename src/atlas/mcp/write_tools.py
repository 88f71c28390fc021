"""Tools that write, offered only if the person has allowed writing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from atlas.client import AsyncClient
from atlas.contract.datasets import OnConflict
from atlas.mcp import schemas as shown
from atlas.mcp.allowed_folders import Folders
from atlas.mcp.read_tools import DatasetArg, InstructionArg, PathArg, ProposalsArg, ReadTools, SqlArg


class WriteTools:
    """The writes of an assistant. Each method is a tool, and the assistant reads its docstring."""

    def __init__(self, client: AsyncClient, folders: Folders) -> None:
        self._client = client
        self._folders = folders

    async def insert_rows(
        self,
        dataset: DatasetArg,
        rows: Annotated[
            list[dict[str, Any]],
            Field(min_length=1, max_length=shown.MOST_ROWS, description="Each has `timestamp` (ISO 8601), any keys."),
        ],
        on_conflict: Annotated[
            OnConflict | None,
            Field(
                description="What happens to a row whose timestamp and keys another row has: keep both, put the new "
                "one in its place, leave the new one out, or refuse all. Without it, what the dataset declares."
            ),
        ] = None,
    ) -> shown.InsertedRows:
        """Inserts rows into a dataset that you own: all of them, or none.

        Calling it again inserts them again, unless the dataset or on_conflict say otherwise.
        """
        done = await self._client.rows.bulk_insert(dataset, rows, batch_rows=shown.MOST_ROWS, on_conflict=on_conflict)
        return shown.InsertedRows(done.rows, done.replaced, done.identical, done.kept)

    async def import_file(
        self, path: PathArg, instruction: InstructionArg, accept_proposals: ProposalsArg = None
    ) -> shown.Imported:
        """Imports a file into a table: all of it, or nothing. Preview it first, and tell the person what it did."""
        done = await self._client.imports.run(self._folders.file(path), instruction, accept_proposals=accept_proposals)
        return shown.Imported(
            done.import_id,
            done.table_name,
            shown.value(done.response_summary),
            done.records_inserted,
            done.records_updated,
            done.duplicates_skipped,
            done.validation_failures,
            done.has_correctable_issues,
            [clause.meaning for clause in done.understood],
            [*done.not_understood],
        )

    async def save_query(
        self,
        name: Annotated[str, Field(min_length=1, max_length=200)],
        sql: SqlArg,
        shared: Annotated[bool, Field(description="Whether the whole organization may see it.")] = False,
    ) -> shown.SavedQueryMade:
        """Saves SQL under a name that is not taken, for list_saved_queries and the SQL page. Run it first."""
        made = await self._client.saved_queries.create(name, sql, shared=shared)
        return shown.SavedQueryMade(made.id, shown.value(made.name), made.shared)

    async def mark_favourite(
        self,
        kind: Literal["dataset", "table"],
        name: Annotated[str, Field(min_length=1, description="Id or exact name of a dataset, or name of a table.")],
        favourite: Annotated[bool, Field(description="False takes the mark away.")] = True,
    ) -> shown.Favourites:
        """Marks a dataset or a table as a favourite of the person. Answers with all favourites."""
        told = str((await self._client.datasets.get(name)).id) if kind == "dataset" else name
        if favourite:
            await self._client.favourites.add(kind, told)
        else:
            await self._client.favourites.remove(kind, told)
        return await ReadTools(self._client, self._folders).list_favourites()

    async def undo_import(
        self, import_id: Annotated[str, Field(description="Of an import or update.")]
    ) -> shown.UndoneImport:
        """Takes an import or update back as a whole: inserted rows are removed, changed rows are restored.

        Refused, with the reason, where others have changed the same rows since.
        """
        done = await self._client.imports.undo(import_id)
        return shown.UndoneImport(done.import_id, done.complete, done.message)
