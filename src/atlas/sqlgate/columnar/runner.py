"""Runs queries on packed rows in DuckDB: fetches the columns that a query reads, and gives them to a worker process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC

import pyarrow as pa
import structlog

from atlas.accounts.access import Caller
from atlas.db.database import Database
from atlas.errors import AtlasError, NotFoundError, UnavailableError
from atlas.kit.shared_bytes import shared_bytes
from atlas.sqlgate.columnar.finishing import NotFiniteError, finished
from atlas.sqlgate.columnar.in_worker import QueryRequest, query_in_worker
from atlas.sqlgate.columnar.repository import ColumnPlanner
from atlas.sqlgate.columnar.writer import ColumnarQuery
from atlas.sqlgate.sandbox import TOO_LONG, QueryLimits, QueryResult
from atlas.workers.pool import Reading, WorkerPool

log = structlog.get_logger()
_THREADS = 2
# Bytes that DuckDB may use beside the columns, so that a query takes no more than one of PostgreSQL's may.
_MEMORY = 256 * 1024 * 1024


class ColumnarRunner:
    """Runs queries. workers: processes that run them, which hold nothing but the columns of one query."""

    def __init__(self, database: Database, workers: WorkerPool, limits: QueryLimits) -> None:
        self._database, self._workers, self._limits = database, workers, limits
        self._planner = ColumnPlanner()

    async def run(self, caller: Caller, query: ColumnarQuery, max_rows: int) -> QueryResult | None:
        """Returns the rows of a query; None where PostgreSQL has to run it, also for its words about an error.

        Raises NotFoundError for a dataset that the caller may not read, and UnavailableError where it takes too long.
        A connection that fails is no reason to give up, as PostgreSQL's way has a connection of its own.
        """
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._limits.seconds):
                table = await self._answer(caller, query, max_rows + 1)
            if table is None or table.nbytes > self._limits.rows:
                return None
            rows = await asyncio.to_thread(_rows, table, query)
        except TimeoutError:
            raise UnavailableError(*TOO_LONG) from None
        except NotFoundError:
            raise
        except (AtlasError, NotFiniteError, ValueError, OverflowError, pa.ArrowException) as error:
            log.info("columnar query left to the database", error=type(error).__name__)
            return None
        columns = tuple((name, end.type_name) for name, end in zip(query.names, query.finishes, strict=True))
        return QueryResult(columns, rows[:max_rows], len(rows) > max_rows, time.perf_counter() - started)

    async def _answer(self, caller: Caller, query: ColumnarQuery, rows: int) -> pa.Table | None:
        with shared_bytes() as (sink, path):
            async with self._database.connection() as connection, connection.transaction():
                await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                plan = await self._planner.plan(connection, caller, query)
                if plan is None:
                    return None
                await self._database.write_arrow(plan.snapshot, plan.statements, sink)
                sink.flush()
            size = path.stat().st_size
            moment = plan.now.astimezone(UTC).replace(tzinfo=None) if query.uses_now else None
            request = QueryRequest(str(path), query.sql, plan.relations, moment, rows, _THREADS, _MEMORY)
            return await self._in_worker(request, size)

    async def _in_worker(self, request: QueryRequest, size: int) -> pa.Table:
        """Returns the rows of the answer. A caller that leaves ends the process."""
        with self._workers.reading() as reading:
            work = asyncio.create_task(asyncio.to_thread(query_in_worker, reading, request, size))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                await _ended(reading, work)
                raise


async def _ended(reading: Reading, work: asyncio.Task[pa.Table]) -> None:
    """Ends a query, and waits until its thread is free."""
    reading.cancel()
    with contextlib.suppress(AtlasError):
        await work


def _rows(table: pa.Table, query: ColumnarQuery) -> list[tuple[object, ...]]:
    return finished([column.to_pylist() for column in table.columns], query.finishes)
