"""Runs SQL from users, engines and verified questions: checked, then run with the rights of its caller."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass

from atlas.accounts import audit
from atlas.accounts.access import Caller
from atlas.catalog.model import Catalog, CatalogTable
from atlas.catalog.repository import CatalogStore
from atlas.contract.questions import ResultColumn, SqlResult
from atlas.db.database import Database
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.admission import Lane
from atlas.kit.file_formats import MEDIA_TYPES, Output
from atlas.kit.identifiers import table_identifier
from atlas.kit.query_csv import csv_text
from atlas.kit.workbooks import Workbooks
from atlas.sqlgate.columnar.runner import ColumnarRunner
from atlas.sqlgate.gate import CheckedQuery, check_query
from atlas.sqlgate.sandbox import QueryLimits, QueryResult, QueryRunner
from atlas.sqlgate.unpacked_tables import UnpackedTables
from atlas.workers.calls import Calls
from atlas.workers.pool import WorkerPool

FORMATS: dict[Output, str] = {one: MEDIA_TYPES[one] for one in (Output.CSV, Output.XLSX)}
MAX_ROWS, DEFAULT_ROWS = 10_000, 1_000


@dataclass(frozen=True, slots=True)
class ResultFile:
    """Rows of a query as a file. truncated: whether there are more than `rows`."""

    content: bytes
    media_type: str
    rows: int
    truncated: bool


class SqlService:
    """Answers callers' SQL. Close it after use.

    secret: returns the text from which the readers' passwords are derived; may block. workers: processes for queries on
    packed rows. calls: where long queries are parsed.
    """

    def __init__(
        self,
        database: Database,
        secret: Callable[[], str],
        lane: Lane,
        limits: QueryLimits = QueryLimits(),
        workbooks: Workbooks | None = None,
        workers: WorkerPool | None = None,
        calls: Calls | None = None,
    ) -> None:
        self._lane = lane
        self._columnar = None if workers is None else ColumnarRunner(database, workers, limits)
        self._catalogs = CatalogStore(database)
        self._runner = QueryRunner(database, secret, limits)
        self._tables = UnpackedTables(database, limits.seconds)
        self._workbooks = workbooks or Workbooks()
        self.calls = calls or Calls()

    async def catalog(self, caller: Caller, text: str = "", names: Collection[str] = ()) -> Catalog:
        """Returns the tables that a question of the caller may use at this moment.

        These are all tables that the caller may read. Datasets of other organizations are left out unless `text`
        mentions them or `names` has them.
        """
        return await self._catalogs.for_question(caller, text, names)

    async def close(self) -> None:
        await self._runner.close()
        await self._catalogs.close()

    async def check(self, text: str, catalog: Catalog, max_rows: int | None = None) -> CheckedQuery:
        """Checks the query in `text`. Raises BadRequestError("Query refused")."""
        return await self.calls.run(len(text), check_query, text, catalog, max_rows=max_rows)

    async def run(self, caller: Caller, checked: CheckedQuery, catalog: Catalog, max_rows: int) -> QueryResult:
        """Runs a checked query and returns its rows.

        Raises BadRequestError with PostgreSQL's reason.
        Raises NotFoundError for a dataset that the caller may no longer read.
        Raises UnavailableError when the query takes too long.
        Raises OverloadedError or RateLimitedError when too many queries run.
        """
        datasets = dataset_ids(catalog, checked.tables)
        for dataset in datasets:
            audit.touched(dataset)
        gone = await self._slot(caller)
        found = None
        try:
            if self._columnar is not None and checked.columnar is not None:
                found = await self._columnar.run(caller, checked.columnar, max_rows)
        except BaseException:
            gone()
            raise
        if found is not None:
            gone()
            return found
        if not checked.packed:
            return await self._runner.run(caller, checked.physical, datasets, max_rows=max_rows, gone=gone)
        plain = _without_packed(datasets, checked)
        async with self._unpacked(caller, checked, gone, rows=True) as (physical, gone):
            return await self._runner.run(caller, physical, plain, max_rows=max_rows, gone=gone)

    async def validate(self, caller: Caller, text: str, catalog: Catalog) -> CheckedQuery:
        """Checks that PostgreSQL would run a query, without running it. Raises BadRequestError with the reason."""
        checked = await self.check(text, catalog)
        datasets = dataset_ids(catalog, checked.tables)
        gone = await self._slot(caller)
        async with self._unpacked(caller, checked, gone, rows=False) as (physical, gone):
            plain = _without_packed(datasets, checked)
            reason = await self._runner.explain(caller, physical, plain, gone=gone)
        if reason is not None:
            raise BadRequestError("Query refused", reason)
        return checked

    @contextlib.asynccontextmanager
    async def _unpacked(
        self, caller: Caller, checked: CheckedQuery, gone: Callable[[], None], *, rows: bool
    ) -> AsyncIterator[tuple[str, Callable[[], None]]]:
        """Makes tables of the packed rows that a query reads, and yields the SQL that reads them.

        `gone` is called here if the tables can't be made. Otherwise the runner of the SQL calls it.
        """
        if not checked.packed:
            yield checked.physical, gone
            return
        async with contextlib.AsyncExitStack() as stack:
            try:
                role = await self._runner.role_for(caller)
                physical = await stack.enter_async_context(self._tables.tables(caller, role, checked, rows=rows))
            except BaseException:
                gone()
                raise
            yield physical, gone

    async def _slot(self, caller: Caller) -> Callable[[], None]:
        """Takes a slot, and returns the function that gives the slot back.

        The runner calls the function when the database has stopped working on the query, not when its caller has an
        answer.
        """
        await self._lane.enter(caller)
        return lambda: self._lane.leave(caller)

    async def query(self, caller: Caller, text: str, max_rows: int | None = None) -> SqlResult:
        """Runs a caller's SQL. Raises as `run` does."""
        checked, result = await self._check_and_run(caller, text, row_limit(max_rows))
        return SqlResult(
            columns=tuple(ResultColumn(name, kind) for name, kind in result.columns),
            data_csv=await asyncio.to_thread(csv_text, result.columns, result.rows),
            rows_returned=len(result.rows),
            truncated=result.truncated,
            executed_sql=checked.logical,
            execution_time_seconds=round(result.seconds, 3),
            tables=tuple(checked.tables),
        )

    async def export(self, caller: Caller, text: str, output: Output, max_rows: int | None, title: str) -> ResultFile:
        """Runs a caller's SQL, and returns its rows as a file of `FORMATS`; by default up to MAX_ROWS rows.

        title: the name of the sheet. Raises as `run` does, and BadRequestError for a cell that no sheet can hold.
        """
        _, result = await self._check_and_run(caller, text, row_limit(max_rows or MAX_ROWS))
        if output is Output.XLSX:
            content = await self._workbooks.of_rows(title, [name for name, _ in result.columns], result.rows)
        else:
            content = (await asyncio.to_thread(csv_text, result.columns, result.rows)).encode()
        return ResultFile(content, FORMATS[output], len(result.rows), result.truncated)

    async def _check_and_run(self, caller: Caller, text: str, limit: int) -> tuple[CheckedQuery, QueryResult]:
        catalog = await self._catalogs.for_sql(caller, text)
        checked = await self.check(text, catalog, limit)
        return checked, await self.run(caller, checked, catalog, limit)


def row_limit(max_rows: int | None) -> int:
    """Returns the maximum number of rows of an answer. Raises BadRequestError for a number out of range."""
    limit = DEFAULT_ROWS if max_rows is None else max_rows
    if not 1 <= limit <= MAX_ROWS:
        raise BadRequestError("Invalid parameter", f"max_rows: from 1 to {MAX_ROWS:,}")
    return limit


def foreign_owner_notes(catalog: Catalog, tables: Collection[str]) -> list[str]:
    """Returns a sentence for each dataset of an answer that belongs to another organization."""
    return [
        f"{table.name} is a dataset of {table.owner}, another organization"
        for table in catalog.tables
        if table.owner and table.name in tables
    ]


def _without_packed(datasets: Sequence[int], checked: CheckedQuery) -> list[int]:
    """Returns the datasets that PostgreSQL reads as they are stored."""
    packed = {read.table.dataset_id for read in checked.packed}
    return [dataset for dataset in datasets if dataset not in packed]


def dataset_ids(catalog: Catalog, tables: Collection[str]) -> list[int]:
    """Returns ids of the datasets among tables, in order."""
    return sorted({t.dataset_id for t in catalog.tables if t.name in tables and t.dataset_id is not None})


def table_named(catalog: Catalog, name: str) -> CatalogTable:
    """Returns a table by its exact name, or by its name as an import would spell it. Raises NotFoundError."""
    found = catalog.table(name) or catalog.table(table_identifier(name))
    if found is None:
        raise NotFoundError("Table not found", f"no table {name[:100]!r}")
    return found


def restrict_catalog(catalog: Catalog, names: Sequence[str]) -> Catalog:
    """Restricts the catalog to these tables, tables joined to them, and tables between them."""
    if not names:
        return catalog
    kept = {table_named(catalog, name).name for name in names}
    between = _tables_between(catalog, kept)
    joined = [(join.left_table, join.right_table) for join in catalog.joins]
    kept |= {table for pair in joined for table in pair if kept & set(pair)} | between
    return Catalog(
        tuple(table for table in catalog.tables if table.name in kept),
        tuple(join for join in catalog.joins if join.left_table in kept and join.right_table in kept),
    )


def _tables_between(catalog: Catalog, names: Collection[str]) -> set[str]:
    """Returns the tables on the shortest join paths between some tables."""
    near: dict[str, set[str]] = {}
    for join in catalog.joins:
        near.setdefault(join.left_table, set()).add(join.right_table)
        near.setdefault(join.right_table, set()).add(join.left_table)
    found: set[str] = set()
    for start in names:
        ways = {start: [start]}
        for here in (queue := [start]):
            for there in sorted(near.get(here, set()) - ways.keys()):
                ways[there] = [*ways[here], there]
                queue.append(there)
        for end in names:
            found |= set(ways.get(end, ()))
    return found
