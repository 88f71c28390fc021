"""Rows that an earlier version packed, until they are converted: segments of arrays, or TimescaleDB's columnstore.

`dataset_<id>` is then a view of two tables. `_cold_<id>` has segments of up to 5,000 rows, where each column is an
array of the narrowest exact type. `_hot_<id>` has rows as they come. The view also has the bounds of the segment that
holds a row, so that conditions on the bounds keep whole segments packed. With TimescaleDB, `_cold_<id>` is a hypertable
in TimescaleDB's columnstore instead; see `timescale_store.py`. Nothing is packed this way any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from psycopg import sql

from atlas.db.database import Connection
from atlas.db.named_queries import queries
from atlas.timeseries.cold import timescale_store as columnstore
from atlas.timeseries.cold.chunk_codec import EXTRA, NUMBER, TIME, part_name
from atlas.timeseries.cold.chunk_rows import Bounds
from atlas.timeseries.cold.store import Cold, advance, find, readers_of
from atlas.timeseries.columns import BOUNDS, SQL_TYPES, Column, Dtype
from atlas.timeseries.repository import columns_of, time_literal
from atlas.timeseries.zone_map import Range

_COMMA = sql.SQL(", ")
SEGMENT_ROWS = 5_000
# Positions in a segment. A reader of a view needs the right to call the functions in the view, and generate_series
# could run for any time.
_POSITIONS = sql.SQL("{}::smallint[]").format(f"{{{','.join(map(str, range(SEGMENT_ROWS)))}}}")
# First letters of the parts of a segment that are arrays. The column's key follows the letter.
_ARRAYS = "xyzgfco"


async def renew_view(connection: Connection, dataset_id: int) -> None:
    """Rebuilds the view for the current columns, if there is one. Columns can only be added."""
    cold = await find(connection, dataset_id)
    if cold is not None and cold.legacy:
        await _view(connection, cold)


async def drop_view(connection: Connection, dataset_id: int) -> list[str] | None:
    """Drops the view before a column of its tables changes its type.

    Returns the roles that could read the view, or None where there is none.
    """
    cold = await find(connection, dataset_id)
    if cold is None or not cold.legacy:
        return None
    readers = await readers_of(connection, cold.view)
    await connection.execute(sql.SQL("DROP VIEW {}").format(_COMMA.join(_views(cold))))
    return readers


async def make_view(connection: Connection, dataset_id: int, readers: Sequence[str]) -> None:
    """Creates the view and grants `readers` the right to read it."""
    cold = await find(connection, dataset_id)
    assert cold is not None
    await _view(connection, cold)
    owner = sql.Identifier(f"{cold.schema}_owner")
    for view in _views(cold):
        await connection.execute(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view, owner))
    for reader in readers:
        await connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(cold.view, sql.Identifier(reader)))


async def remove(connection: Connection, cold: Cold, bounds: Bounds) -> int:
    """Deletes the rows of an earlier version's storage with times or numbers within bounds. Returns their number.

    Segments that also have other rows are unpacked: their rows become unpacked rows, none of them deleted. The caller
    holds the locks on the dataset's state and on its packed rows.
    """
    bound: Literal["ts", "seq"] = "seq" if bounds.span == Range() else "ts"
    low, high = (
        (sql.Literal(bounds.first), sql.Literal(bounds.last))
        if bound == "seq"
        else (time_literal(bounds.span.lo), time_literal(bounds.span.hi - 1))
    )
    if cold.columnstore:
        name = sql.Identifier("ts" if bound == "ts" else "_seq")
        removed, back = await columnstore.remove(connection, cold.packed, name, low, high), 0
    else:
        removed, back = await _remove_segments(connection, cold, bound, low, high)
    await advance(connection, cold.dataset_id, cold.upto, -removed - back)
    return removed


async def _remove_segments(
    connection: Connection, cold: Cold, bound: Literal["ts", "seq"], first: sql.Literal, last: sql.Literal
) -> tuple[int, int]:
    """Deletes segments within bounds, and unpacks segments that the bounds cut. Returns the numbers of deleted and
    unpacked rows.
    """
    within = sql.SQL(f"low_{bound} >= {{}} AND high_{bound} <= {{}}").format(first, last)
    meeting = sql.SQL(f"high_{bound} >= {{}} AND low_{bound} <= {{}}").format(first, last)
    drop = sql.SQL(
        "WITH gone AS (DELETE FROM {} WHERE {} RETURNING rows) SELECT coalesce(sum(rows), 0)::bigint FROM gone"
    )
    row = await (await connection.execute(drop.format(cold.packed, within))).fetchone()
    dataset_id = cold.dataset_id
    columns = [c for c in (await columns_of(connection, [dataset_id]))[dataset_id] if c.physical]
    names = [sql.SQL("_seq, ts, _extra"), *(sql.Identifier(column.physical or "") for column in columns)]
    back = await connection.execute(
        sql.SQL("INSERT INTO {} ({}) {}").format(
            cold.hot, _COMMA.join(names), unpacked(cold, columns, bounds=False, where=meeting)
        )
    )
    await connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(cold.packed, meeting))
    return int(row[0]) if row else 0, back.rowcount


def _views(cold: Cold) -> tuple[sql.Identifier, ...]:
    """Returns the dataset's view, and the view of unpacked rows behind it in a columnstore."""
    return (cold.view, cold.unpacked) if cold.columnstore else (cold.view,)


async def _view(connection: Connection, cold: Cold) -> None:
    """Creates or replaces the view."""
    known = {c.physical: c for c in (await columns_of(connection, [cold.dataset_id]))[cold.dataset_id]}
    # The order of the table's columns, because CREATE OR REPLACE requires new columns at the end.
    order = await connection.execute(queries("timeseries/cold/cold")["order"], {"relation": cold.hot.as_string()})
    columns = [known[name] for (name,) in await order.fetchall() if name in known]
    bounds = sql.SQL("ts AS _low_ts, ts AS _high_ts, _seq AS _low_seq, _seq AS _high_seq")
    names = [sql.Identifier(column.physical or "") for column in columns]
    plain = sql.SQL("SELECT {} FROM {}").format(_COMMA.join([sql.SQL("_seq, ts, _extra"), bounds, *names]), cold.hot)
    if cold.columnstore:
        await connection.execute(columnstore.view(cold.unpacked, cold.packed, cold.parts, columns))
        packed = sql.SQL("SELECT * FROM {}").format(cold.unpacked)
    else:
        packed = unpacked(cold, columns, bounds=True)
    make = sql.SQL("CREATE OR REPLACE VIEW {} AS {} UNION ALL {}").format(cold.view, packed, plain)
    await connection.execute(make)


def unpacked(
    cold: Cold, columns: Sequence[Column], *, bounds: bool, where: sql.Composable | None = None
) -> sql.Composed:
    """Builds a query of the rows in segments: `_seq`, `ts`, `_extra`, and `columns`, which all have physical names.

    `where` is a condition on segments. Arrays are unnested in the list of SELECT, where all arrays of a row advance
    together. Unnesting in FROM takes 1.4 to 2.5 times as long.
    """
    held = set(cold.parts)
    inner: list[sql.Composable] = [
        sql.SQL("low_ts, high_ts, low_seq, high_seq, unit, unnest(({})[1:rows]) AS i").format(_POSITIONS)
    ]
    for part in cold.parts:
        name = sql.Identifier(part)
        inner.append(sql.SQL("unnest({n}) AS {n}").format(n=name) if part[0] in _ARRAYS else name)
    cells = [
        sql.SQL("{} AS _seq").format(_integer(NUMBER, held)),
        sql.SQL("low_ts + ({})::double precision * unit AS ts").format(_offset(TIME, held)),
        sql.SQL("{}::json AS _extra").format(sql.Identifier(f"c{EXTRA}") if f"c{EXTRA}" in held else sql.NULL),
    ]
    if bounds:
        cells.append(sql.SQL(", ").join(sql.SQL(f"{name[1:]} AS {name}") for name in BOUNDS))
    cells += [
        sql.SQL("{} AS {}").format(_value(column, held), sql.Identifier(column.physical or "")) for column in columns
    ]
    source = sql.SQL("SELECT {} FROM {}").format(_COMMA.join(inner), cold.packed)
    if where is not None:
        source += sql.SQL(" WHERE {}").format(where)
    return sql.SQL("SELECT {} FROM ({}) AS segment").format(_COMMA.join(cells), source)


def _offset(key: str, held: set[str]) -> sql.Composable:
    """Builds the expression of a row's offset from the base of its segment."""
    cells: list[sql.Composable] = [sql.Identifier(f"{one}{key}") for one in "xyz" if f"{one}{key}" in held]
    if f"p{key}" in held:
        cells.append(sql.SQL("i * {}").format(sql.Identifier(f"p{key}")))
    if not cells:
        return sql.SQL("NULL::bigint")
    return sql.SQL("coalesce({})").format(_COMMA.join(cells)) if len(cells) > 1 else cells[0]


def _integer(key: str, held: set[str]) -> sql.Composable:
    if f"b{key}" not in held:
        return sql.SQL("NULL::bigint")
    return sql.SQL("({} + {})").format(sql.Identifier(f"b{key}"), _offset(key, held))


def _value(column: Column, held: set[str]) -> sql.Composable:
    key, kind = part_name(column), sql.SQL(SQL_TYPES[column.dtype])
    if column.dtype is Dtype.INT:
        return _integer(key, held)
    if column.dtype is Dtype.FLOAT:
        cells = [sql.Identifier(f"{one}{key}") for one in "fg" if f"{one}{key}" in held]
        whole = sql.SQL("{}::double precision").format(_integer(key, held))
        if f"s{key}" in held:
            whole += sql.SQL(" / coalesce({}, 1)").format(sql.Identifier(f"s{key}"))
        return sql.SQL("coalesce({})").format(_COMMA.join([*cells, whole])) if cells else whole
    letter = "o" if column.dtype is Dtype.BOOLEAN else "c"
    name = f"{letter}{key}"
    return sql.Identifier(name) if name in held else sql.SQL("NULL::{}").format(kind)
