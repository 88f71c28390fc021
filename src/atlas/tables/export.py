"""Reads of rows of tables: exports, counts, records by number, statistics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row

from atlas.db.database import Connection, Database
from atlas.kit.decimals import exact_loads
from atlas.tables.model import SYSTEM_COLUMNS, Table, TableColumn
from atlas.tables.repository import count_rows, physical

# A text, with an apostrophe in front if a spreadsheet would run it. The rule is that of `timeseries/formats.py`.
HARMLESS: LiteralString = (
    "CASE WHEN {c} ~ '^\ufeff?[=+@\\t\\r\\n\uff1d\uff0b\uff20\uff0d\ufe66\ufe62\ufe6b\ufe63-]' "
    "AND {c} !~ '^[+-]?[0-9.,]+$' THEN '''' || {c} ELSE {c} END AS {c}"
)
_CHUNK = 256 * 1024


def _cells(columns: Sequence[str], *, safe: bool, texts: frozenset[str]) -> sql.Composed:
    """Builds the list of columns to export. `safe` puts an apostrophe before texts that a spreadsheet would run."""
    guard = sql.SQL(HARMLESS)
    return sql.SQL(", ").join(
        (guard if safe and name in texts else sql.SQL("{c}")).format(c=sql.Identifier(name)) for name in columns
    )


async def import_row_count(database: Database, table: Table, number: int, first: int, last: int) -> int:
    """Counts the rows of an import that are in the table and not archived."""
    query = sql.SQL(
        "SELECT count(*) FROM {} WHERE _row BETWEEN {} AND {} AND _import = {} AND _archived IS NULL"
    ).format(physical(table), *map(sql.Literal, (first, last, number)))
    async with database.connection() as connection:
        row = await (await connection.execute(query)).fetchone()
    return int(row[0]) if row else 0


async def export_csv(
    database: Database, table: Table, number: int, first: int, last: int, *, metadata: bool, safe: bool
) -> AsyncIterator[bytes]:
    """Yields the rows of an import as CSV with a header. `metadata` adds Atlas's own columns."""
    texts = frozenset(column.name for column in table.columns if column.type == "text")
    names = [column.name for column in table.columns]
    if metadata:
        names = [*(name for name in SYSTEM_COLUMNS if name != "_key"), *names]
    query = sql.SQL(
        "COPY (SELECT {} FROM {} WHERE _row BETWEEN {} AND {} AND _import = {} AND _archived IS NULL ORDER BY _row) "
        "TO STDOUT (FORMAT csv, HEADER)"
    ).format(_cells(names, safe=safe, texts=texts), physical(table), *map(sql.Literal, (first, last, number)))
    waiting = bytearray()
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        async with connection.cursor().copy(query) as copy:
            async for data in copy:
                waiting += data
                if len(waiting) >= _CHUNK:
                    yield bytes(waiting)
                    waiting.clear()
    yield bytes(waiting)


async def records(connection: Connection, table: Table, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Returns rows by number as JSON values, including archived rows."""
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    query = sql.SQL("SELECT _row, to_json(r)::text FROM (SELECT _row, {} FROM {} WHERE _row = ANY({})) r").format(
        names, physical(table), sql.Literal(list(rows))
    )
    cursor = connection.cursor(row_factory=dict_row)
    found = {}
    for row in await (await cursor.execute(query)).fetchall():
        record = exact_loads(row["to_json"])
        found[int(row["_row"])] = {name: value for name, value in record.items() if name != "_row"}
    return found


async def delete_rows(connection: Connection, table: Table, rows: Sequence[int]) -> int:
    """Deletes rows by number, and returns how many of them were not archived."""
    if not rows:
        return 0
    query = sql.SQL("DELETE FROM {} WHERE _row = ANY({}) RETURNING _archived IS NULL").format(
        physical(table), sql.Literal(list(rows))
    )
    live = sum(1 for row in await (await connection.execute(query)).fetchall() if row[0])
    await count_rows(connection, table, -live)
    return live


# PostgreSQL returns at most 1,664 values a row, and a column takes four.
_STATS_COLUMNS = 300


async def column_stats(database: Database, table: Table) -> dict[str, dict[str, Any]]:
    """Returns for each column the share of filled values, distinct values, minimum and maximum.

    A table of more than 100,000 rows is sampled.
    """
    exact = table.row_count <= 100_000
    found: dict[str, dict[str, Any]] = {}
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = on")
        for start in range(0, len(table.columns), _STATS_COLUMNS):
            part = table.columns[start : start + _STATS_COLUMNS]
            row = await (await connection.execute(_stats_query(table, part, exact=exact))).fetchone()
            assert row is not None
            total = row[0]
            for position, column in enumerate(part):
                filled, distinct, low, high = row[1 + 4 * position : 5 + 4 * position]
                share = filled / total if total else 0.0
                found[column.name] = {
                    "filled_share": round(share, 6),
                    "distinct": distinct,
                    "minimum": low,
                    "maximum": high,
                    "exact": exact,
                }
    return found


def _stats_query(table: Table, columns: Sequence[TableColumn], *, exact: bool) -> sql.Composed:
    source = physical(table) if exact else sql.SQL("{} TABLESAMPLE SYSTEM (5)").format(physical(table))
    cells = []
    for column in columns:
        name = sql.Identifier(column.name)
        bounded = column.type in ("bigint", "numeric", "double", "date", "timestamp")
        least = sql.SQL("min({c})::text, max({c})::text" if bounded else "NULL, NULL").format(c=name)
        value = sql.SQL("{}::text").format(name) if column.type == "json" else name
        cells.append(sql.SQL("count({c}), count(DISTINCT {v}), {b}").format(c=name, v=value, b=least))
    return sql.SQL("SELECT count(*), {} FROM {} WHERE _archived IS NULL").format(sql.SQL(", ").join(cells), source)
