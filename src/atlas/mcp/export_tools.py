"""Tools that export data to files on this machine, offered only if the person has allowed a folder for exports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from atlas.client import AsyncClient
from atlas.mcp import schemas as shown
from atlas.mcp.allowed_folders import Folders
from atlas.mcp.read_tools import ColumnsArg, DatasetArg, EndArg, SqlArg, StartArg, TableArg

Format = Literal["xlsx", "csv", "parquet", "arrow", "json", "ndjson"]
SqlFormat = Literal["xlsx", "csv"]
Kind = TypeVar("Kind", bound=str)
NewPathArg = Annotated[
    str, Field(min_length=1, description="Path of a file that is not there yet; its ending says the format.")
]
SafeArg = Annotated[bool, Field(description="CSV only: no cell that a spreadsheet would take for a formula.")]


class ExportTools:
    """The exports of an assistant. Each method is a tool, and the assistant reads its docstring."""

    def __init__(self, client: AsyncClient, folders: Folders) -> None:
        self._client = client
        self._folders = folders

    async def export_table(
        self,
        table: TableArg,
        path: NewPathArg,
        where: Annotated[str | None, Field(description="Condition on its columns, as in SQL.")] = None,
        safe: SafeArg = False,
    ) -> shown.Exported:
        """Writes all rows of a table to a new file: .xlsx, .csv, .parquet, .arrow, .json or .ndjson."""
        kind: Format = _format(path, get_args(Format))
        with self._folders.new_file(path) as (made, file):
            size = await self._client.tables.export(table, file, kind, where=where, safe=safe)
        return shown.Exported(str(made), kind, size)

    async def export_dataset(
        self,
        dataset: DatasetArg,
        path: NewPathArg,
        start: StartArg = None,
        end: EndArg = None,
        columns: ColumnsArg = None,
        safe: SafeArg = False,
    ) -> shown.Exported:
        """Writes the rows of a dataset to a new file: .xlsx, .csv, .parquet, .arrow, .json or .ndjson."""
        kind: Format = _format(path, get_args(Format))
        with self._folders.new_file(path) as (made, file):
            size = await self._client.rows.download(dataset, file, kind, start, end, columns=columns, safe=safe)
        return shown.Exported(str(made), kind, size)

    async def export_sql(self, sql: SqlArg, path: NewPathArg) -> shown.Exported:
        """Writes the rows of one SELECT to a new file, .xlsx or .csv: 10,000 rows at most."""
        kind: SqlFormat = _format(path, get_args(SqlFormat))
        with self._folders.new_file(path) as (made, file):
            size = await self._client.questions.export_sql(sql, file, kind, title=made.stem[:100])
        return shown.Exported(str(made), kind, size)


def _format(path: str, known: tuple[Kind, ...]) -> Kind:
    """Returns the format that a path ends in.

    Raises ToolError: when the ending is no known format.
    """
    ending = Path(path).suffix[1:].lower()
    for kind in known:
        if kind == ending:
            return kind
    endings = ", ".join(f".{kind}" for kind in known)
    raise ToolError(f"path: {path[:200]!r} does not end in a format that this can be written as: {endings}")
