"""Tools that read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from atlas.client import AsyncClient, NotFound
from atlas.contract.datasets import Column
from atlas.contract.saved import Favourite, SavedQuery
from atlas.mcp import schemas as shown
from atlas.mcp.allowed_folders import Folders
from atlas.mcp.schemas import Row

DatasetArg = Annotated[str, Field(description="Id or exact name of the dataset.")]
TableArg = Annotated[str, Field(description="Name of the table.")]
StartArg = Annotated[str | None, Field(description="First timestamp, ISO 8601, inclusive; UTC without a zone.")]
EndArg = Annotated[str | None, Field(description="Last timestamp, ISO 8601, inclusive.")]
ColumnsArg = Annotated[list[str] | None, Field(description="Only these columns.")]
WhereArg = Annotated[
    dict[str, list[str | int | bool]] | None,
    Field(description="Only these series: by key of the dataset its values, such as {'symbol': ['MSFT']}."),
]
ByArg = Annotated[list[str] | None, Field(description="Each series apart, by these keys of the dataset.")]
BucketFunction = Literal[
    "count", "min", "max", "avg", "sum", "first", "last", "ohlc", "vwap", "median", "p95", "p99", "stddev", "delta",
    "rate", "twa",
]  # fmt: skip
KnownAtArg = Annotated[
    str | None,
    Field(
        description="Rows as they were at a moment: a time (ISO 8601 with a time of day), or a version of the dataset."
    ),
]
LimitArg = Annotated[int, Field(ge=1, le=shown.MOST_ROWS, description="Rows of the answer at most.")]
PathArg = Annotated[str, Field(description="Path of a file on this machine, inside a folder that was allowed.")]
ProposalsArg = Annotated[
    bool | None,
    Field(description="Whether columns that headers may mean are taken. Only after the person has said so."),
]
InstructionArg = Annotated[
    str, Field(description="What to do, in plain English, such as 'Import into leads, email is the key'.")
]
SqlArg = Annotated[str, Field(min_length=1, max_length=20_000, description="One SELECT, PostgreSQL's SQL.")]


class ReadTools:
    """The reads of an assistant. Each method is a tool, and the assistant reads its docstring."""

    def __init__(self, client: AsyncClient, folders: Folders) -> None:
        self._client = client
        self._folders = folders

    async def search_datasets(
        self,
        text: Annotated[str | None, Field(description="Text within name, description or metadata.")] = None,
        limit: LimitArg = 50,
    ) -> shown.Datasets:
        """Finds time-series datasets that you may read, by text in name, description or metadata.

        Without a text: lists them.
        """
        found: list[Row] = []
        async for item in self._client.datasets.list(text=text, limit=limit + 1):
            columns = [column.name for column in item.columns[:50]]
            found.append({"id": item.id, "name": item.name, "description": item.description, "columns": columns})
        datasets, truncated = shown.bound_rows(found, limit)
        return shown.Datasets(datasets, truncated)

    async def describe_dataset(self, dataset: DatasetArg) -> shown.DatasetDetails:
        """Returns columns, series keys, metadata, row count and time span of a dataset, and its policy for conflicts.

        Look here before you query its rows.
        """
        item = await self._client.datasets.get(dataset)
        summary = await self._client.datasets.summary(item)
        columns, _ = shown.pick_rows(item.columns, _column, shown.MOST_ROWS)
        first, last = summary.first_timestamp, summary.last_timestamp
        return shown.DatasetDetails(
            item.id,
            shown.value(item.name),
            shown.value(item.description),
            _object(item.metadata),
            columns,
            summary.row_count,
            first.isoformat() if first else None,
            last.isoformat() if last else None,
            summary.is_owner,
            [shown.value(key) for key in item.keys],
            item.on_conflict,
        )

    async def query_rows(
        self,
        dataset: DatasetArg,
        start: StartArg = None,
        end: EndArg = None,
        columns: ColumnsArg = None,
        where: WhereArg = None,
        known_at: KnownAtArg = None,
        newest_first: bool = False,
        limit: LimitArg = 50,
    ) -> shown.Rows:
        """Returns rows of a dataset in order of time.

        For figures over many rows use aggregate_rows or run_sql instead.
        """
        page = await self._client.rows.page(
            dataset,
            start,
            end,
            columns=columns,
            where=where,
            known_at=known_at,
            descending=newest_first,
            limit=limit,
        )
        read = [{"timestamp": row.timestamp.isoformat(), **row.values} for row in page.rows]
        rows, _ = shown.bound_rows(read, limit)
        return shown.Rows(rows, len(rows), len(rows) < page.count, page.count)

    async def align_rows(
        self,
        clock: DatasetArg,
        datasets: Annotated[
            list[str], Field(min_length=1, max_length=19, description="Datasets to join, by id or name.")
        ],
        start: StartArg = None,
        end: EndArg = None,
        every: Annotated[str | None, Field(description="A grid of times instead of the clock's: 15m, 1h.")] = None,
        by: ByArg = None,
        where: WhereArg = None,
        direction: Literal["backward", "forward", "nearest"] = "backward",
        tolerance: Annotated[str | None, Field(description="The greatest distance of a row: 30s, 5m.")] = None,
        limit: LimitArg = 100,
    ) -> shown.Rows:
        """Joins to each row of a dataset the row of other datasets that is nearest in time (as-of join)."""
        found = await self._client.rows.align(
            {"every": every} if every else clock,
            [clock, *datasets],
            by=by,
            where=where,
            direction=direction,
            tolerance=tolerance,
            start=start,
            end=end,
            limit=limit + 1,
        )
        rows, _ = shown.bound_rows([dict(row) for row in found[:limit]], limit)
        return shown.Rows(rows, len(rows), len(rows) < len(found))

    async def aggregate_rows(
        self,
        dataset: DatasetArg,
        start: StartArg = None,
        end: EndArg = None,
        bucket: Annotated[str, Field(description="Width: such as 15m, hour, 1d, month, quarter, or auto.")] = "auto",
        functions: Annotated[
            list[BucketFunction], Field(min_length=1, description="twa: average weighted by time.")
        ] = ["count", "min", "max", "avg"],  # noqa: B006 - never changed
        columns: ColumnsArg = None,
        where: WhereArg = None,
        by: ByArg = None,
        timezone: Annotated[str | None, Field(description="Days and hours of this zone: Europe/Berlin.")] = None,
        fill: Annotated[
            Literal["null", "previous", "linear", "zero"] | None, Field(description="Buckets without rows, too.")
        ] = None,
        window: Annotated[int, Field(ge=1, description="How many buckets a figure is of.")] = 1,
        price: Annotated[str | None, Field(description="Column of prices for vwap.")] = None,
        volume: Annotated[str | None, Field(description="Column of volumes for vwap.")] = None,
        known_at: KnownAtArg = None,
    ) -> shown.Figures:
        """Computes figures of a dataset's numeric columns by time bucket, over any number of rows.

        With `by`, each series has buckets of its own.
        """
        found = await self._client.rows.aggregate(
            dataset,
            start,
            end,
            bucket=bucket,
            functions=functions,
            columns=columns,
            points=200,
            where=where,
            by=by,
            timezone=timezone,
            fill=fill,
            window=window,
            price=price,
            volume=volume,
            known_at=known_at,
        )
        results, truncated = shown.pick_rows(
            found.results,
            lambda b: (
                {"timestamp": b.timestamp.isoformat(), "count": b.count, "values": b.values}
                | ({"series": b.series} if b.series else {})
                | ({"filled": True} if b.filled else {})
            ),
            shown.MOST_ROWS,
        )
        told = {"timezone": found.timezone, "price": found.price, "volume": found.volume}
        return shown.Figures(found.bucket, results, len(results), truncated, **told)

    async def latest_rows(
        self, dataset: DatasetArg, by: ByArg = None, where: WhereArg = None, limit: LimitArg = 50
    ) -> shown.Rows:
        """Returns the latest row of a dataset, or with `by` the latest row of each series."""
        if by:
            found = [*await self._client.rows.latest_by(dataset, by, where=where)]
        else:
            found = [await self._client.rows.latest(dataset, where=where)]
        read = [{"timestamp": row.timestamp.isoformat(), **row.values} for row in found[: limit + 1]]
        rows, truncated = shown.bound_rows(read, limit)
        return shown.Rows(rows, len(rows), truncated or len(rows) < len(found), len(found))

    async def list_tables(self) -> shown.Tables:
        """Lists the tables of the organization, and datasets, which run_sql and ask know by these names too."""
        tables, _ = shown.pick_rows(await self._client.tables.list(), asdict, shown.MOST_ROWS)
        return shown.Tables(tables)

    async def describe_table(self, table: TableArg) -> shown.TableDetails:
        """Returns the columns of a table with their types and values. Look here before you write SQL."""
        schema = await self._client.tables.schema(table)
        stats = await self._client.tables.stats(table)
        columns, _ = shown.pick_rows(
            schema, lambda column: {**asdict(column), **stats.statistics.get(column.name, {})}, shown.MOST_ROWS
        )
        keys = [*stats.key_columns]
        return shown.TableDetails(stats.table_name, stats.row_count, columns, keys, stats.encoding, stats.delimiter)

    async def ask(
        self,
        question: Annotated[str, Field(min_length=1, max_length=4000)],
        table: Annotated[str | None, Field(description="The table that it is about, if that is known.")] = None,
        thread_id: Annotated[str | None, Field(description="Of an earlier answer, to go on from it.")] = None,
        max_rows: LimitArg = 50,
    ) -> shown.Answered:
        """Answers a question on tables and datasets in plain English. The answer has the SQL that was run; check it."""
        answer = await self._client.ask(question, table, thread_id, max_rows)
        rows, cut = shown.bound_rows(answer.dicts(), max_rows)
        return shown.Answered(
            answer.success,
            answer.text,
            answer.sql,
            rows,
            len(rows),
            cut or answer.truncated,
            answer.thread_id,
            [*answer.assumptions],
            [*answer.not_understood],
            [*answer.suggestions],
            answer.units,
        )

    async def run_sql(
        self,
        sql: SqlArg,
        max_rows: LimitArg = 100,
    ) -> shown.Queried:
        """Runs one SELECT with the names that list_tables gives. It can only read; datasets have their time in `ts`."""
        result = await self._client.sql(sql, max_rows)
        rows, cut = shown.bound_rows(result.dicts(), max_rows)
        columns = [asdict(column) for column in result.columns]
        return shown.Queried(result.sql, columns, rows, len(rows), cut or result.truncated)

    async def list_saved_queries(
        self,
        text: Annotated[str | None, Field(description="Text within name or SQL.")] = None,
        limit: LimitArg = 50,
    ) -> shown.SavedQueries:
        """Lists SQL that the person has saved, and SQL that colleagues share.

        Look here before you write SQL of your own.
        """
        found = [_query_row(item) async for item in self._client.saved_queries.list(text, limit=limit + 1)]
        queries, truncated = shown.bound_rows(found, limit)
        return shown.SavedQueries(queries, truncated)

    async def run_saved_query(
        self,
        query: Annotated[str, Field(min_length=1, max_length=200, description="Id or exact name of a saved query.")],
        max_rows: LimitArg = 100,
    ) -> shown.Queried:
        """Runs a saved query with your rights. It can only read."""
        return await self.run_sql((await self._saved_query(query)).sql, max_rows)

    async def _saved_query(self, query: str) -> SavedQuery:
        found = [item async for item in self._client.saved_queries.list(query) if item.name == query]
        if not found:
            try:
                return await self._client.saved_queries.get(query)
            except NotFound:
                raise ToolError(f"query: none is called {query!r}; list_saved_queries has them") from None
        if len(found) > 1:
            ids = ", ".join(f"{item.id} of {item.owner}" for item in found[:5])
            raise ToolError(f"query: several are called {query!r}; give the id: {ids}")
        return found[0]

    async def list_favourites(self) -> shown.Favourites:
        """Lists the datasets and tables that the person has marked, last marked first."""
        marked = await self._client.favourites.list()
        favourites, truncated = shown.pick_rows(marked, _favourite, shown.MOST_ROWS)
        return shown.Favourites(favourites, truncated)

    async def list_issues(
        self,
        import_id: Annotated[str, Field(description="Of an import, from import_file.")],
        kind: Annotated[
            Literal["duplicates", "validations", "replacements"],
            Field(description="Repeated records, records that failed, or values that were emptied."),
        ] = "validations",
        limit: LimitArg = 50,
    ) -> shown.Rows:
        """Lists records of an import that wait for a person's decision."""
        found = [issue async for issue in self._client.imports.issues_page(import_id, kind, limit=limit + 1)]
        rows, truncated = shown.bound_rows(found, limit)
        return shown.Rows(rows, len(rows), truncated)

    async def preview_import(
        self, path: PathArg, instruction: InstructionArg, accept_proposals: ProposalsArg = None
    ) -> shown.Previewed:
        """Shows what importing a file would do: table, columns, types, key, problems, questions. Writes nothing."""
        plan = await self._client.imports.preview(
            self._folders.file(path), instruction, accept_proposals=accept_proposals
        )
        columns, _ = shown.pick_rows(plan.columns, asdict, shown.MOST_ROWS)
        sample, _ = shown.bound_rows(plan.sample, 10)
        failing, _ = shown.pick_rows(plan.failing_cells, asdict, 20)
        return shown.Previewed(
            plan.table_name,
            plan.table_exists,
            plan.records,
            columns,
            [*plan.key_columns],
            plan.encoding,
            plan.delimiter,
            plan.duplicates_in_file,
            plan.validation_failures,
            failing,
            [*plan.notes],
            [clause.meaning for clause in plan.understood],
            [*plan.not_understood],
            [asdict(proposal) for proposal in plan.proposals],
            [*plan.questions],
            sample,
        )


def _column(column: Column) -> Row:
    said = {"unit": column.unit, "description": column.description}
    return {"name": column.name, "type": column.dtype} | {name: text for name, text in said.items() if text}


def _query_row(item: SavedQuery) -> Row:
    return {"id": item.id, "name": item.name, "sql": item.sql, "shared": item.shared, "owner": item.owner}


def _favourite(item: Favourite) -> Row:
    return {"kind": item.kind, "name": item.name} | ({"dataset_id": item.dataset_id} if item.dataset_id else {})


def _object(metadata: Any) -> Row:
    found = shown.value(metadata)
    return found if isinstance(found, dict) else {"text": found}
