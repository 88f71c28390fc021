"""Rows of tables: pages, one row with its history, and files of all rows.

SQL with a caller's texts only finds row numbers, as the organization's owner role in a read-only transaction. A second
query then reads the rows by their numbers.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import TupleRow

from atlas.db import executor
from atlas.db.database import Connection, Database
from atlas.db.named_queries import queries
from atlas.errors import BadRequestError, NotFoundError
from atlas.kit.decimals import exact_loads
from atlas.kit.like_patterns import containing
from atlas.tables.bulk import copy_out, copy_schema
from atlas.tables.export import HARMLESS
from atlas.tables.model import Table, TableColumn
from atlas.tables.repository import physical
from atlas.timeseries.formats import harmless

Row = dict[str, Any]
_CHUNK = 256 * 1024
# Rows fetched at a time for a file: some megabytes of Arrow.
WINDOW_ROWS = 50_000
MAX_CHANGES = 1_000
# Most digits of Arrow's decimals.
_DECIMAL_128, _DECIMAL_256 = 38, 76


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of rows by a checked condition and by a text in any column, in any case.

    `archived` selects archived rows instead of the others.
    """

    condition: str | None = None
    search: str | None = None
    archived: bool = False

    @property
    def every(self) -> bool:
        """Whether the selection contains all rows that are not archived."""
        return self.condition is None and self.search is None and not self.archived


@contextlib.asynccontextmanager
async def _reading(database: Database, table: Table) -> AsyncIterator[Connection]:
    """Opens a read-only transaction with one snapshot.

    Raises NotFoundError: when the table was dropped.
    Raises BadRequestError: when a condition fails.
    """
    try:
        async with database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            await connection.execute("SET LOCAL enable_seqscan = on")
            yield connection
    except psycopg.errors.UndefinedTable:
        raise NotFoundError("Table not found", f"{table.name!r} has just been removed") from None
    except (psycopg.DataError, psycopg.ProgrammingError) as error:
        reason = (error.diag.message_primary or "it cannot be evaluated")[:200]
        raise BadRequestError("Invalid filter", f"filter: {reason}") from None


async def _as_owner(connection: Connection, table: Table, query: sql.Composed) -> list[TupleRow]:
    """Runs a query with a caller's texts as the organization's role, which cannot reach data of others. Returns the
    rows.
    """
    await connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(f"{table.schema}_owner")))
    # Prepared, so that the extended protocol allows only one statement.
    rows = await (await connection.execute(query, prepare=True)).fetchall()
    await connection.execute("RESET ROLE")
    return rows


def _where(table: Table, selection: Selection) -> sql.Composed:
    parts: list[sql.Composable] = [sql.SQL("_archived IS NOT NULL" if selection.archived else "_archived IS NULL")]
    if selection.condition is not None:
        # sqlgate/condition.py has written the condition anew from allowed words.
        parts.append(sql.SQL("({})").format(sql.SQL(selection.condition)))
    if selection.search is not None:
        pattern = sql.Literal(containing(selection.search))
        tests = [sql.SQL("{}::text ILIKE {}").format(sql.Identifier(c.name), pattern) for c in table.columns]
        parts.append(sql.SQL("({})").format(sql.SQL(" OR ").join(tests)))
    return sql.SQL(" AND ").join(parts)


def _cells(columns: Sequence[TableColumn], *, safe: bool = False) -> sql.Composed:
    """Builds columns in JSON's notation: ISO 8601 with `Z`, and JSON on one line, which changes no text in it.

    `safe` puts an apostrophe before texts that a spreadsheet would run as a formula.
    """
    shown: dict[str, LiteralString] = {
        "text": HARMLESS if safe else "{c}",
        "timestamp": "replace(to_json({c}) #>> '{{}}', '+00:00', 'Z') AS {c}",
        "json": "translate({c}::text, E'\\n\\r', '  ')::json AS {c}",
    }
    return sql.SQL(", ").join(
        sql.SQL(shown.get(column.type, "{c}")).format(c=sql.Identifier(column.name)) for column in columns
    )


async def count(database: Database, table: Table, selection: Selection) -> int:
    """Counts the selected rows."""
    async with _reading(database, table) as connection:
        return await _count(connection, table, selection)


async def _count(connection: Connection, table: Table, selection: Selection) -> int:
    if selection.every:
        return table.row_count
    query = sql.SQL("SELECT count(*) FROM {} t WHERE {}").format(physical(table), _where(table, selection))
    return int((await _as_owner(connection, table, query))[0][0])


async def page(
    database: Database,
    table: Table,
    selection: Selection,
    sort: str | None,
    *,
    descending: bool,
    limit: int,
    offset: int,
) -> tuple[list[str], int]:
    """Returns a page of rows as JSON texts, `_row` first, and the number of all selected rows.

    `sort` is a column, with nulls last and ties in order of row number. None sorts by row number.
    """
    direction = sql.SQL("DESC" if descending else "ASC")
    order = sql.SQL("_row {}").format(direction)
    if sort is not None:
        column = table.column(sort)
        key = sql.SQL("{}::text" if column is not None and column.type == "json" else "{}")
        order = sql.SQL("{} {} NULLS LAST, _row").format(key.format(sql.Identifier(sort)), direction)
    query = sql.SQL("SELECT _row FROM {} WHERE {} ORDER BY {} LIMIT {} OFFSET {}").format(
        physical(table), _where(table, selection), order, sql.Literal(limit), sql.Literal(offset)
    )
    async with _reading(database, table) as connection:
        total = await _count(connection, table, selection)
        numbers = [row[0] for row in await _as_owner(connection, table, query)]
        texts = sql.SQL("SELECT _row, to_json(r)::text FROM (SELECT _row, {} FROM {} WHERE _row = ANY({})) r").format(
            _cells(table.columns), physical(table), sql.Literal(numbers)
        )
        found = dict(await (await connection.execute(texts)).fetchall()) if numbers else {}
    return [found[number] for number in numbers], total


async def values(
    database: Database, table: Table, column: TableColumn, selection: Selection, limit: int
) -> tuple[list[tuple[Any, int]], int]:
    """Returns the most frequent values of a column, each with its number of selected rows, and the number of values."""
    # PostgreSQL cannot compare JSON.
    key = sql.SQL("{}::text" if column.type == "json" else "{}").format(sql.Identifier(column.name))
    query = sql.SQL(
        "SELECT min(_row), count(*), count(*) OVER () FROM {} WHERE {} GROUP BY {} ORDER BY 2 DESC, 1 LIMIT {}"
    ).format(physical(table), _where(table, selection), key, sql.Literal(limit))
    async with _reading(database, table) as connection:
        groups = await _as_owner(connection, table, query)
        texts = sql.SQL("SELECT _row, to_json(r)::text FROM (SELECT _row, {} FROM {} WHERE _row = ANY({})) r").format(
            _cells([column]), physical(table), sql.Literal([row for row, _, _ in groups])
        )
        found = dict(await (await connection.execute(texts)).fetchall()) if groups else {}
    return [(exact_loads(found[row])[column.name], count) for row, count, _ in groups], groups[0][2] if groups else 0


async def find(connection: Connection, table: Table, row: int) -> tuple[Row, bool, int] | None:
    """Returns a row's JSON values, whether the row is archived, and the number of its import; or None."""
    query = sql.SQL(
        "SELECT to_json(r)::text, s._archived IS NOT NULL, s._import FROM {t} s "
        "CROSS JOIN LATERAL (SELECT {cells} FROM {t} t WHERE t._row = s._row) r WHERE s._row = {row}"
    ).format(t=physical(table), cells=_cells(table.columns), row=sql.Literal(row))
    found = await (await connection.execute(query)).fetchone()
    return None if found is None else (exact_loads(found[0]), found[1], found[2])


async def history(connection: Connection, table: Table, row: int) -> list[Row]:
    """Returns the newest changes of a row after its insert, newest first."""
    parameters = {"table": table.id, "row": row, "limit": MAX_CHANGES}
    changes = await executor.records(connection, queries("tables/tables")["row_changes"], parameters)
    return [{**change, **{side: exact_loads(change[side]) for side in ("before", "after")}} for change in changes]


async def origin(connection: Connection, table: Table, row: int, number: int) -> tuple[Row | None, Row]:
    """Returns the import of a row, and the first values of columns that have changed since."""
    brought = await executor.record(connection, queries("tables/tables")["row_origin"], {"number": number})
    parameters = {"table": table.id, "row": row}
    first = await executor.row(connection, queries("tables/tables")["first_values"], parameters)
    return brought, exact_loads(first[0]) if first else {}


async def _windows(connection: Connection, table: Table, selection: Selection) -> AsyncIterator[sql.Composed]:
    """Yields conditions on `_row` that together select the rows piece by piece, in order."""
    for first in range(1, table.last_row + 1, WINDOW_ROWS):
        window = sql.SQL("_row BETWEEN {} AND {}").format(sql.Literal(first), sql.Literal(first + WINDOW_ROWS - 1))
        if selection.every:
            yield sql.SQL("_archived IS NULL AND {}").format(window)
            continue
        query = sql.SQL("SELECT _row FROM {} WHERE {} AND {}").format(physical(table), window, _where(table, selection))
        numbers = [row[0] for row in await _as_owner(connection, table, query)]
        if numbers:
            yield sql.SQL("_row = ANY({})").format(sql.Literal(numbers))


async def export_text(
    database: Database, table: Table, selection: Selection, *, as_json: bool, safe: bool = False
) -> AsyncIterator[bytes]:
    """Yields all selected rows in PostgreSQL's notation: CSV with a header, or one JSON object a line."""
    if as_json:
        # JSON contains neither mark, so nothing is ever quoted.
        copy = sql.SQL(
            "COPY (SELECT to_json(r) FROM ({}) r) TO STDOUT (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
        )
    else:
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)")
        yield _csv_line([harmless(column.name) if safe else column.name for column in table.columns])
    rows = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY _row")
    waiting = bytearray()
    async with _reading(database, table) as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        async for window in _windows(connection, table, selection):
            query = copy.format(rows.format(_cells(table.columns, safe=safe and not as_json), physical(table), window))
            async with connection.cursor().copy(query) as lines:
                async for data in lines:
                    waiting += data
                    if len(waiting) >= _CHUNK:
                        yield bytes(waiting)
                        waiting.clear()
    yield bytes(waiting)


def _csv_line(names: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(names)
    return line.getvalue().encode()


async def export_tables(database: Database, table: Table, selection: Selection) -> AsyncIterator[pa.Table]:
    """Yields all selected rows as Arrow, window by window, after an empty table with the schema."""
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    async with _reading(database, table) as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        schema = await _arrow_schema(connection, table)
        yield schema.empty_table()
        types = {"_row": pa.int64(), **{field.name: field.type for field in schema}}
        async for window in _windows(connection, table, selection):
            query = sql.SQL("SELECT _row, {} FROM {} WHERE {} ORDER BY _row").format(names, physical(table), window)
            found = await copy_out(connection, query, types)
            if len(found):
                yield found.drop_columns(["_row"])


async def _arrow_schema(connection: Connection, table: Table) -> pa.Schema:
    """Returns the Arrow types of a table's columns. A numeric is as wide as its values need, or text past 76 digits."""
    schema = copy_schema(table.columns)
    for position, column in enumerate(table.columns):
        if column.type != "numeric":
            continue
        query = sql.SQL("SELECT max(length(trunc(abs({c}))::text)), max(scale({c})) FROM {t}").format(
            c=sql.Identifier(column.name), t=physical(table)
        )
        row = await (await connection.execute(query)).fetchone()
        assert row is not None
        before, scale = row[0] or 1, row[1] or 0
        schema = schema.set(position, pa.field(column.name, _decimal(before + scale, scale)))
    return schema


def _decimal(precision: int, scale: int) -> pa.DataType:
    if precision <= _DECIMAL_128:
        return pa.decimal128(_DECIMAL_128, scale)
    return pa.decimal256(_DECIMAL_256, scale) if precision <= _DECIMAL_256 else pa.string()
