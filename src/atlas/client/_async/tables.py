"""Tables: rows, updates, exports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Literal

from atlas.client._async.downloads import save
from atlas.client._async.resource import AsyncResource, table_path
from atlas.client._async.waiting import in_thread
from atlas.client._dataframes import library, to_arrow, to_pandas, to_polars
from atlas.client._multipart import FileSource, upload
from atlas.client._reading import read, read_all
from atlas.client._requests import SLOW_SECONDS, Call, format_of, given, query
from atlas.client.types import Json
from atlas.contract.records import ColumnValues, RowChange, TablePage, Updated
from atlas.contract.tables import Table, TableColumn, TableSamples, TableStats

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Format = Literal["csv", "ndjson", "json", "parquet", "arrow", "xlsx"]


class AsyncTables(AsyncResource):
    """Tables of your organization. Every change is recorded as an import, which `imports.undo` undoes.

    where: a condition on the columns, such as `amount > 100 AND country IN ('US', 'DE')`.
    """

    async def list(self) -> Sequence[Table]:
        """Lists tables, and the datasets that you may read."""
        return read_all(Table, (await self._get("/api/v1/tables"))["tables"])

    async def schema(self, table: str) -> Sequence[TableColumn]:
        """Lists columns with their types."""
        return read_all(TableColumn, (await self._get(table_path(table, "schema")))["columns"])

    async def describe_column(
        self, table: str, name: str, *, unit: str | None = None, description: str | None = None
    ) -> TableColumn:
        """Sets the unit of a column's values and their meaning. An empty text removes either."""
        body = given(unit=unit, description=description)
        return read(TableColumn, (await self._patch(table_path(table, "columns", name), body))["column"])

    async def stats(self, table: str) -> TableStats:
        """Returns row count, and statistics of the columns."""
        return read(TableStats, await self._get(table_path(table, "stats")))

    async def samples(self, table: str) -> TableSamples:
        """Returns whether your organization's model may receive values of the table's cells."""
        found: TableSamples = (await self._get(table_path(table, "samples")))["samples"]
        return found

    async def set_samples(self, table: str, samples: TableSamples) -> None:
        """Sets who may receive values of cells, for administrators: `nobody`, or as the `organization`'s settings
        allow.
        """
        await self._put(table_path(table, "samples"), {"samples": samples})

    async def page(
        self,
        table: str,
        *,
        where: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        archived: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> TablePage:
        """Returns one page of rows, and the number of all rows. `sort` is a column, `-` before it for descending."""
        answer = await self._get(
            table_path(table, "rows"),
            filter=where,
            search=search,
            sort=sort,
            archived=archived or None,
            limit=limit,
            offset=offset,
        )
        return read(TablePage, answer)

    async def rows(
        self,
        table: str,
        *,
        where: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        archived: bool = False,
        limit: int | None = None,
        page_size: int = 1000,
    ) -> AsyncIterator[Json]:
        """Yields rows by name of column, page by page, each with its number as `_row`. `archived` yields only archived
        rows.
        """
        params = {"filter": where, "search": search, "sort": sort, "archived": archived or None}
        async for row in self._pages(table_path(table, "rows"), "rows", limit, params, page=page_size):
            yield row

    async def values(
        self, table: str, column: str, *, where: str | None = None, limit: int = 100
    ) -> Sequence[tuple[Any, int]]:
        """Lists the values of a column with their numbers of rows, most frequent first."""
        answer = await self._get(table_path(table, "columns", column, "values"), filter=where, limit=limit)
        return tuple((one.value, one.rows) for one in read(ColumnValues, answer).values)

    async def insert(self, table: str, values: Mapping[str, Any]) -> RowChange:
        """Inserts one row."""
        return read(RowChange, await self._post(table_path(table, "rows"), {"values": dict(values)}))

    async def patch(self, table: str, row: int, values: Mapping[str, Any]) -> RowChange:
        """Changes values of the row with this number."""
        return read(RowChange, await self._patch(table_path(table, "rows", row), {"values": dict(values)}))

    async def archive(self, table: str, row: int) -> RowChange:
        """Hides a row from every read."""
        return read(RowChange, await self._delete(table_path(table, "rows", row)))

    async def restore(self, table: str, row: int) -> RowChange:
        """Shows an archived row again."""
        return read(RowChange, await self._post(table_path(table, "rows", row, "restore")))

    async def history(self, table: str, row: int) -> Sequence[Json]:
        """Lists the changes of a row, newest first: user, action, time, and the values before and after."""
        answer = await self._get(table_path(table, "rows", row, "history"))
        return tuple(answer["changes"])

    async def update_where(
        self, table: str, where: str, updates: Mapping[str, Any], *, confirm_all: bool = False
    ) -> Updated:
        """Changes all rows that match. `confirm_all` is needed when every row matches."""
        body = {"mode": "condition", "condition": where, "updates": dict(updates), "confirm_all": confirm_all}
        return read(Updated, await self._post(table_path(table, "update"), body, timeout=SLOW_SECONDS))

    async def update_keys(self, table: str, updates: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Updated:
        """Changes rows by pairs of keys and new values: all, or none."""
        pairs = [{"keys": dict(keys), "values": dict(values)} for keys, values in updates]
        body = {"mode": "batch", "batch_updates": pairs}
        return read(Updated, await self._post(table_path(table, "update"), body, timeout=SLOW_SECONDS))

    async def update_file(
        self, table: str, file: FileSource, key_columns: str | Iterable[str], *, accept_proposals: bool | None = None
    ) -> Updated:
        """Changes rows by the records of a file. `key_columns` identify a row.

        `accept_proposals` accepts columns that headers may mean. Without it, such a file is refused.
        """
        names = key_columns if isinstance(key_columns, str) else ",".join(key_columns)
        with upload(file, None) as part:
            call = Call(
                "POST",
                table_path(table, "update", "file"),
                file=part,
                timeout=SLOW_SECONDS,
                form=given(key_columns=names, accept_proposals=accept_proposals),
            )
            return read(Updated, await self._transport.json(call))

    async def export(
        self,
        table: str,
        target: str | PathLike[str] | IO[bytes],
        format: Format | None = None,
        *,
        where: str | None = None,
        safe: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Writes the table to a file, and returns the size in bytes.

        `format` is by default the ending of the file's name. `safe` is CSV for spreadsheets.
        """
        file_format = format or format_of(target, "csv")
        call = Call("GET", table_path(table, "export"), query(format=file_format, filter=where, safe=safe or None))
        return await save(self._transport, call, target, progress)

    async def to_arrow(self, table: str, *, where: str | None = None) -> pa.Table:
        """Returns the table as an Arrow table."""
        await in_thread(library, "pyarrow")
        call = Call("GET", table_path(table, "export"), query(format="arrow", filter=where))
        return await in_thread(to_arrow, (await self._transport.send(call)).content)

    async def to_polars(self, table: str, *, where: str | None = None) -> pl.DataFrame:
        """Returns the table as a polars data frame."""
        await in_thread(library, "polars")
        return await in_thread(to_polars, await self.to_arrow(table, where=where))

    async def to_pandas(self, table: str, *, where: str | None = None) -> pd.DataFrame:
        """Returns the table as a pandas data frame."""
        await in_thread(library, "pandas")
        return await in_thread(to_pandas, await self.to_arrow(table, where=where))

    async def delete(self, table: str, *, confirm: str) -> None:
        """Drops the table with its rows, for good. confirm: the table's name once more."""
        await self._delete(table_path(table), confirm=confirm)
