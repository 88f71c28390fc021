"""Queries that fetch columns of a dataset with packed rows, for readers outside the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg import sql

from atlas.db import executor
from atlas.db.database import Connection
from atlas.timeseries.cold import store
from atlas.timeseries.cold.chunk_codec import TIME, part_name
from atlas.timeseries.cold.chunk_rows import with_chunks
from atlas.timeseries.cold.column_streams import PRESENT, ColumnStream
from atlas.timeseries.columns import Column
from atlas.timeseries.repository import columns_of, readable_of

_COMMA = sql.SQL(", ")


@dataclass(frozen=True, slots=True)
class ColumnQuery:
    """A query of PostgreSQL's whose result is a stream.

    packed: number of the dataset's rows in chunks that the stream has. rows: about how many rows it has in all. size:
    bytes of the chunks' parts.
    """

    query: str
    stream: ColumnStream
    packed: int
    rows: int
    size: int


async def plan_stream(
    connection: Connection,
    dataset_id: int,
    names: Collection[str],
    packed: Sequence[str],
    plain: Sequence[str],
    most: int | None = None,
) -> ColumnQuery | None:
    """Returns the query of a dataset's columns; None where one of the columns is gone.

    names: physical names, and `ts`; packed, plain: conditions on chunks and on plain rows, as SQL; most: how many rows
    are needed, whichever they are.
    """
    cold = await store.find(connection, dataset_id)
    if cold is None:
        return None
    columns = [c for c in (await columns_of(connection, [dataset_id]))[dataset_id] if c.physical in names]
    if len(columns) != len(set(names) - {"ts"}):
        return None
    wanted = [(column.physical or "", part_name(column), column.dtype) for column in columns]
    times = "ts" in names
    stream = ColumnStream(cold.frozen, wanted, times)
    query, width = _plain(cold, columns, plain, times=times)
    if most is not None:
        query = sql.SQL("{} LIMIT {}").format(query, sql.Literal(most))
    if not cold.frozen:
        return ColumnQuery(query.as_string(), stream, 0, cold.row_count, 0)
    parts = [TIME, *(part for _, part, _ in wanted)]
    where = sql.SQL(" AND ").join(map(sql.SQL, packed)) if packed else sql.SQL("true")
    if most is not None:
        where = sql.SQL("low_seq IN ({})").format(_first_chunks(cold, where, most))
    counted = sql.SQL(
        "SELECT coalesce(sum(rows) FILTER (WHERE part = {}), 0)::bigint, coalesce(sum(octet_length(body)), 0)::bigint "
        "FROM {} WHERE part = ANY ({}) AND {}"
    ).format(sql.Literal(TIME), cold.chunks, sql.Literal(parts), where)
    row = await executor.row(connection, counted, {})
    assert row is not None
    both = with_chunks(query, width, cold.chunks, parts, where)
    return ColumnQuery(both.as_string(), stream, row[0], row[0] + cold.row_count - cold.rows, row[1])


def _first_chunks(cold: store.Cold, where: sql.Composable, most: int) -> sql.Composed:
    """Builds the query of the first chunks with `most` rows."""
    query = (
        "SELECT low_seq FROM (SELECT low_seq, sum(rows) OVER (ORDER BY low_seq) - rows AS before FROM {} "
        "WHERE part = {} AND {}) AS counted WHERE before < {}"
    )
    return sql.SQL(query).format(cold.chunks, sql.Literal(TIME), where, sql.Literal(most))


def _plain(
    cold: store.Cold, columns: Sequence[Column], conditions: Sequence[str], *, times: bool
) -> tuple[sql.Composed, int]:
    """Builds the query of the rows that are not in chunks, and returns the number of its columns, too."""
    cells: list[sql.Composable] = [sql.Identifier("ts")] if times else []
    cells += [sql.Identifier(column.physical or "") for column in columns]
    where = sql.SQL(" AND ").join(map(sql.SQL, conditions)) if conditions else sql.SQL("true")
    listed = _COMMA.join(cells) if cells else sql.SQL(f"true AS {PRESENT}")
    table = readable_of(cold.schema, cold.dataset_id, cold=cold.frozen, legacy=cold.legacy)
    return sql.SQL("SELECT {} FROM {} WHERE {}").format(listed, table, where), max(1, len(cells))
