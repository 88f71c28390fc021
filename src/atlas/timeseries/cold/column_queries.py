"""Queries that fetch columns of a dataset with packed rows, for readers outside the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from psycopg import sql

from atlas.db.database import Connection
from atlas.timeseries.cold import view as colds
from atlas.timeseries.cold.column_streams import PRESENT, ColumnStream
from atlas.timeseries.cold.segment_codec import TIME, key_of
from atlas.timeseries.cold.segment_decoder import part_names
from atlas.timeseries.columns import Column
from atlas.timeseries.repository import columns_of, hot_of

_COMMA = sql.SQL(", ")


@dataclass(frozen=True, slots=True)
class ColumnQuery:
    """A query of PostgreSQL's whose result is a stream. rows: about how many rows of the dataset it has."""

    query: str
    stream: ColumnStream
    rows: int


async def plan_streams(
    connection: Connection, dataset_id: int, names: Collection[str], packed: Sequence[str], plain: Sequence[str]
) -> list[ColumnQuery] | None:
    """Returns the queries of a dataset's columns; None where it is stored in another way.

    names: physical names, and `ts`; packed, plain: conditions on segments and on plain rows, as SQL.
    """
    cold = await colds.find(connection, dataset_id)
    if cold is None or cold.columnstore or not cold.frozen:
        return None
    columns = [c for c in (await columns_of(connection, [dataset_id]))[dataset_id] if c.physical in names]
    if len(columns) != len(set(names) - {"ts"}):
        return None
    wanted = [(column.physical or "", key_of(column), column.dtype) for column in columns]
    times = "ts" in names
    where = sql.SQL(" AND ").join(map(sql.SQL, packed)) if packed else sql.SQL("true")
    counted = await connection.execute(
        sql.SQL("SELECT coalesce(sum(rows), 0)::bigint FROM {} WHERE {}").format(cold.packed, where)
    )
    row = await counted.fetchone()
    assert row is not None
    return [
        ColumnQuery(_segments(cold, columns, where, times=times), ColumnStream(True, wanted, times), int(row[0])),
        ColumnQuery(
            _plain(cold, columns, plain, times=times), ColumnStream(False, wanted, times), cold.row_count - cold.rows
        ),
    ]


def _segments(cold: colds.Cold, columns: Sequence[Column], where: sql.Composable, *, times: bool) -> str:
    keys = [*([TIME] if times else []), *map(key_of, columns)]
    parts = [name for key in keys for name in part_names(key, cold.parts)]
    cells: list[sql.Composable] = [sql.SQL("rows")]
    if times:
        cells.append(sql.SQL("low_ts, (extract(epoch FROM unit) * 1000000)::bigint AS unit"))
    cells += map(sql.Identifier, parts)
    query = sql.SQL("SELECT {} FROM {} WHERE {}")
    return query.format(_COMMA.join(cells), cold.packed, where).as_string()


def _plain(cold: colds.Cold, columns: Sequence[Column], conditions: Sequence[str], *, times: bool) -> str:
    cells: list[sql.Composable] = [sql.Identifier("ts")] if times else []
    cells += [sql.Identifier(column.physical or "") for column in columns]
    where = sql.SQL(" AND ").join(map(sql.SQL, conditions)) if conditions else sql.SQL("true")
    listed = _COMMA.join(cells) if cells else sql.SQL(f"true AS {PRESENT}")
    table = hot_of(cold.schema, cold.dataset_id, cold=True)
    return sql.SQL("SELECT {} FROM {} WHERE {}").format(listed, table, where).as_string()
