"""Tables with the rows that one query reads of datasets with packed rows, for queries that only PostgreSQL can run.

Packed rows are Parquet, which PostgreSQL cannot read. The tables are made for one query, in the caller's schema, for
the caller's role alone. They are dropped after the query.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime

import psycopg
from psycopg import sql

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError, NotFoundError, UnavailableError
from atlas.sqlgate.columnar.repository import condition_at, lock_rows
from atlas.sqlgate.gate import CheckedQuery
from atlas.sqlgate.packed_reads import PackedRead
from atlas.sqlgate.physical_names import new_stand_in, stand_in_name
from atlas.sqlgate.sandbox import TOO_LONG
from atlas.timeseries.cold import store, unpacking
from atlas.timeseries.cold.chunk_codec import TIME
from atlas.timeseries.repository import columns_of, readable_of

# Most values that are unpacked for one query.
MAX_CELLS = 40_000_000
# Age in seconds from which tables of others are left over from a process that has ended.
_OLD_SECONDS = 900
_TOO_MUCH = "it reads too many packed rows at once; give bounds of the time `ts`, or sum up by plain columns"


class UnpackedTables:
    """Makes the tables. seconds: the longest time for it."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database, self._seconds = database, seconds

    @contextlib.asynccontextmanager
    async def tables(self, caller: Caller, role: str, checked: CheckedQuery, *, rows: bool) -> AsyncIterator[str]:
        """Makes the tables of a query, and yields the SQL that reads them. Without `rows`, the tables are empty.

        Raises NotFoundError for a dataset that the caller may not read.
        Raises BadRequestError when the query reads too many rows, and UnavailableError when it takes too long.
        """
        stand_in = new_stand_in()
        names = [sql.Identifier(caller.schema_name, stand_in_name(stand_in, read.table)) for read in checked.packed]
        physical = checked.physical
        for read, name in zip(checked.packed, names, strict=True):
            old = sql.Identifier(stand_in_name(checked.stand_in, read.table)).as_string()
            physical = physical.replace(old, name.as_string())
        try:
            try:
                async with asyncio.timeout(self._seconds), self._database.transaction() as connection:
                    await self._make(connection, caller, role, checked, names, rows=rows)
            except TimeoutError:
                raise UnavailableError(*TOO_LONG) from None
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                raise UnavailableError("The data is being changed", "try again in a moment") from None
            yield physical
        finally:
            await self._drop(names)

    async def _make(
        self,
        connection: Connection,
        caller: Caller,
        role: str,
        checked: CheckedQuery,
        names: list[sql.Identifier],
        *,
        rows: bool,
    ) -> None:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for read in checked.packed:
            await lock_rows(connection, read.table.dataset_id or 0)
        ids = [read.table.dataset_id for read in checked.packed]
        parameters = {"user": caller.user_id, "ids": ids}
        missing = await executor.row(connection, queries("sqlgate/wall")["unreadable"], parameters)
        if missing is not None:
            raise NotFoundError("Dataset not found", f"no dataset {missing[0]} that you may read")
        now = await executor.row(connection, queries("sqlgate/wall")["now"], {})
        assert now is not None
        left = MAX_CELLS
        for read, name in zip(checked.packed, names, strict=True):
            left = await _fill(connection, read, name, now[0], left if rows else None)
            grant = sql.SQL("GRANT SELECT ON {} TO {}").format(name, sql.Identifier(role))
            await connection.execute(grant)

    async def _drop(self, names: list[sql.Identifier]) -> None:
        """Drops the tables, and tables that a process left when it ended."""
        with contextlib.suppress(psycopg.Error, UnavailableError):
            parameters = {"before": f"_query_{int(time.time() - _OLD_SECONDS):010d}"}
            old = await self._database.fetch(queries("sqlgate/wall")["old_tables"], **parameters)
            async with self._database.connection() as connection:
                for name in [*names, *(sql.Identifier(*row) for row in old)]:
                    await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))


async def _fill(
    connection: Connection, read: PackedRead, name: sql.Identifier, now: datetime, cells: int | None
) -> int:
    """Makes a table, and fills it with at most `cells` values, or leaves it empty. Returns how many values are left."""
    dataset_id = read.table.dataset_id or 0
    cold = await store.find(connection, dataset_id)
    if cold is None:
        raise NotFoundError("Dataset not found", "it has just been deleted")
    known = (await columns_of(connection, [dataset_id]))[dataset_id]
    # The query names every column, but only those that it reads have values.
    await unpacking.create_table(connection, name, [one for one in known if one.physical], temporary=False)
    columns = [column for column in known if column.physical in read.columns]
    if cells is None:
        return 0
    packed, plain = ([condition_at(one, now) for one in kind] for kind in (read.packed, read.plain))
    of_rows = sql.SQL(" AND ").join(map(sql.SQL, plain)) if plain else sql.SQL("true")
    of_chunks = sql.SQL(" AND ").join(map(sql.SQL, packed)) if packed else sql.SQL("true")
    rows = cold.row_count - cold.rows
    if cold.frozen:
        counted = sql.SQL("SELECT coalesce(sum(rows), 0)::bigint FROM {} WHERE part = {} AND {}")
        row = await executor.row(connection, counted.format(cold.chunks, sql.Literal(TIME), of_chunks), {})
        rows += row[0] if row else 0
    cells -= rows * (len(columns) + 2)
    if cells < 0:
        raise BadRequestError("Query failed", _TOO_MUCH)
    if cold.frozen:
        await unpacking.unpack_where(connection, cold.chunks, name, columns, of_chunks)
    listed = sql.SQL(", ").join([sql.SQL("ts"), *(sql.Identifier(column.physical or "") for column in columns)])
    source = readable_of(cold.schema, dataset_id, cold=cold.frozen, legacy=cold.legacy)
    fill = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} WHERE {}")
    await connection.execute(fill.format(name, listed, listed, source, of_rows))
    await connection.execute(sql.SQL("ANALYZE {}").format(name))
    return cells
