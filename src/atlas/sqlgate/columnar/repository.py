"""What PostgreSQL contributes to a query in DuckDB: the caller's rights, a snapshot, and the statements for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from atlas.accounts.access import Caller
from atlas.db import executor
from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.errors import NotFoundError
from atlas.sqlgate.columnar.in_worker import RelationStreams, TableStream
from atlas.sqlgate.columnar.kinds import COLUMN_KINDS, Kind
from atlas.sqlgate.columnar.writer import ColumnarQuery, RelationColumns
from atlas.timeseries.cold.column_queries import ColumnQuery, plan_stream
from atlas.timeseries.cold.column_streams import PRESENT
from atlas.timeseries.columns import Dtype
from atlas.timeseries.repository import readable_of

_KINDS = {Dtype.INT: Kind.INT8, Dtype.FLOAT: Kind.FLOAT, Dtype.BOOLEAN: Kind.BOOL, Dtype.STRING: Kind.TEXT}
# Bytes that are given to a worker, and values of eight bytes that it holds at once, so that it keeps within its memory.
MAX_BYTES = 512 * 1024 * 1024
MAX_CELLS = 24 * 1024 * 1024


@dataclass(slots=True)
class ColumnPlan:
    """Statements whose results are the columns of a query, and how a worker reads them.

    snapshot: the exported snapshot in which they run. now: the time of its transaction. size: bytes of chunks. cells:
    values of the columns that are read more than once.
    """

    snapshot: str
    now: datetime

    relations: list[RelationStreams] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    size: int = 0
    cells: int = 0

    def add(self, relation: str, part: ColumnQuery, columns: int, *, once: bool) -> None:
        self.relations.append(RelationStreams(relation, part.stream, once))
        self.statements.append(part.query)
        self.size += part.size + (part.rows - part.packed) * max(1, columns) * 8
        self.cells += 0 if once else part.rows * max(1, columns)

    def add_table(self, each: RelationColumns) -> None:
        """Adds a table of imports."""
        kinds = {column.stored: COLUMN_KINDS.get(column.type) for column in each.table.columns}
        columns = [(name, kind.value) for name in each.columns if (kind := kinds[name]) is not None]
        names: list[sql.Composable] = [sql.Identifier(name) for name, _ in columns]
        listed = sql.SQL(", ").join(names or [sql.SQL(f"true AS {PRESENT}")])
        query = sql.SQL("SELECT {} FROM {}").format(listed, sql.Identifier(each.table.schema, each.table.relation))
        self.relations.append(RelationStreams(each.relation, TableStream(columns), each.once))
        self.statements.append(query.as_string())
        cells = (each.table.row_count or 0) * max(1, len(columns))
        self.size += cells * 8
        self.cells += cells

    @property
    def fits(self) -> bool:
        """Whether DuckDB has the memory for it."""
        return self.size <= MAX_BYTES and self.cells <= MAX_CELLS


class ColumnPlanner:
    """Plans what is fetched for queries."""

    def __init__(self) -> None:
        self._byte_order: bool | None = None

    async def plan(self, connection: Connection, caller: Caller, query: ColumnarQuery) -> ColumnPlan | None:
        """Returns what to fetch for a query; None where PostgreSQL is faster, or has to answer.

        Raises NotFoundError for a dataset that the caller may not read. It is the first call of a transaction.
        """
        try:
            return await self._plan(connection, caller, query)
        except (psycopg.ProgrammingError, psycopg.DataError):
            # A column or table has changed since the query was checked.
            return None

    async def _plan(self, connection: Connection, caller: Caller, query: ColumnarQuery) -> ColumnPlan | None:
        for each in _datasets(query):
            # Before the snapshot, which a change of a column's type would leave without rows.
            await lock_rows(connection, each.table.dataset_id or 0)
        ids = [each.table.dataset_id for each in _datasets(query)]
        parameters = {"user": caller.user_id, "ids": ids}
        missing = await executor.row(connection, queries("sqlgate/wall")["unreadable"], parameters)
        if missing is not None:
            raise NotFoundError("Dataset not found", f"no dataset {missing[0]} that you may read")
        if query.byte_order and not await self._sorts_by_bytes(connection):
            return None
        exported = await executor.row(connection, queries("sqlgate/wall")["export_snapshot"], {})
        assert exported is not None
        snapshot, now = exported
        plan = ColumnPlan(snapshot, now)
        for each in query.relations:
            if each.table.dataset_id is None:
                if each.table.schema != caller.schema_name:
                    return None
                plan.add_table(each)
                continue
            packed, plain = ([condition_at(one, now) for one in kind] for kind in (each.packed, each.plain))
            part = await plan_stream(connection, each.table.dataset_id, each.columns, packed, plain, query.first_rows)
            if part is None or not _as_checked(each, part):
                return None
            plan.add(each.relation, part, len(each.columns), once=each.once)
        return plan if plan.fits else None

    async def _sorts_by_bytes(self, connection: Connection) -> bool:
        if self._byte_order is None:
            row = await executor.row(connection, queries("sqlgate/wall")["byte_order"], {})
            self._byte_order = row is not None and bool(row[0])
        return self._byte_order


def _datasets(query: ColumnarQuery) -> list[RelationColumns]:
    return [each for each in query.relations if each.table.dataset_id is not None]


async def lock_rows(connection: Connection, dataset_id: int) -> None:
    """Keeps a dataset's columns from changing their types until the transaction ends."""
    row = await executor.row(connection, queries("timeseries/rows")["read_storage"], {"id": dataset_id})
    if row is not None:
        schema, packed, legacy = row
        table = readable_of(schema, dataset_id, cold=packed, legacy=legacy)
        await connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))


def _as_checked(dataset: RelationColumns, part: ColumnQuery) -> bool:
    """Tells whether the columns still have the types for which the query was written."""
    kinds = {column.stored: COLUMN_KINDS.get(column.type) for column in dataset.table.columns}
    return all(kinds[name] is _KINDS[dtype] for name, _, dtype in part.stream.columns)


def condition_at(condition: str, now: datetime) -> str:
    """Returns a condition as of a time. The gate's texts in it are times and intervals, which hold no such words."""
    moment = f"TIMESTAMPTZ '{now.astimezone(UTC).isoformat()}'"
    for word, value in (
        ("NOW()", moment),
        ("CURRENT_TIMESTAMP", moment),
        ("CURRENT_DATE", f"CAST({moment} AS DATE)"),
    ):
        condition = condition.replace(word, value)
    return condition
